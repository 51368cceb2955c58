//! `Get-CASMailbox`, `Set-CASMailbox`.

use super::super::directory::Class;
use super::super::errors::Failure;
use super::parameters::{Kind, Parameter, missing, own, p};
use super::{Answer, Call, Cmdlet, Effect};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet { name: "Get-CASMailbox", effect: Effect::Read, parameters: &[GET], run: get },
    Cmdlet { name: "Set-CASMailbox", effect: Effect::Write, parameters: &[SET], run: set },
];

const GET: &[Parameter] = &[
    own("Identity"),
    own("Anr"),
    own("Filter"),
    own("ResultSize"),
    own("RecipientTypeDetails"),
    missing("SortBy"),
    missing("GetPopProtocolLog"),
    missing("GetImapProtocolLog"),
    missing("ProtocolSettings"),
    missing("ActiveSyncDebugLogging"),
    missing("Monitoring"),
];

const SET: &[Parameter] = &[
    own("Identity"),
    p("OWAEnabled", Kind::Bool),
    p("OWAforDevicesEnabled", Kind::Bool),
    p("PopEnabled", Kind::Bool),
    p("ImapEnabled", Kind::Bool),
    p("MAPIEnabled", Kind::Bool),
    p("ActiveSyncEnabled", Kind::Bool),
    p("EwsEnabled", Kind::NullableBool),
    p("EwsAllowOutlook", Kind::NullableBool),
    p("EwsAllowMacOutlook", Kind::NullableBool),
    p("EwsApplicationAccessPolicy", Kind::OneOf(&["EnforceAllowList", "EnforceBlockList"])),
    p("EwsAllowList", Kind::List),
    p("EwsBlockList", Kind::List),
    p("SmtpClientAuthenticationDisabled", Kind::NullableBool),
    p("OneWinNativeOutlookEnabled", Kind::NullableBool),
    p("OutlookMobileEnabled", Kind::NullableBool),
    p("MacOutlookEnabled", Kind::NullableBool),
    p("UniversalOutlookEnabled", Kind::NullableBool),
    p("OwaMailboxPolicy", Kind::NullableText),
    p("ActiveSyncMailboxPolicy", Kind::NullableText),
    p("ActiveSyncAllowedDeviceIDs", Kind::List),
    p("ActiveSyncBlockedDeviceIDs", Kind::List),
    p("PopUseProtocolDefaults", Kind::Bool),
    p("ImapUseProtocolDefaults", Kind::Bool),
    p("ShowGalAsDefaultView", Kind::Bool),
];

fn get(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.one_or_all(Class::CasMailbox)
}

fn set(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let index = call.identity(Class::CasMailbox)?;
    call.set(Class::CasMailbox, index, |_, _, _| Ok(()))
}
