//! `Get-CASMailbox`, `Set-CASMailbox`.

use super::super::directory::Class;
use super::super::errors::Failure;
use super::parameters::{Kind, Parameter, own, owns, p};
use super::{Answer, Call, Cmdlet, Effect};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet { name: "Get-CASMailbox", effect: Effect::Read, parameters: &[GET], run: get },
    Cmdlet { name: "Set-CASMailbox", effect: Effect::Write, parameters: &[SET], run: set },
];

const GET: &[Parameter] =
    &owns(["Identity", "Anr", "Filter", "ResultSize", "RecipientTypeDetails", "IgnoreDefaultScope"]);

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
    p("EwsApplicationAccessPolicy", Kind::Word),
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
    p("ActiveSyncDebugLogging", Kind::Bool),
    p("ActiveSyncSuppressReadReceipt", Kind::Bool),
    p("EwsAllowEntourage", Kind::NullableBool),
    p("ImapForceICalForCalendarRetrievalOption", Kind::Bool),
    p("ImapMessagesRetrievalMimeFormat", Kind::OneOf(MIME)),
    p("ImapSuppressReadReceipt", Kind::Bool),
    p("PopForceICalForCalendarRetrievalOption", Kind::Bool),
    p("PopMessagesRetrievalMimeFormat", Kind::OneOf(MIME)),
    p("PopSuppressReadReceipt", Kind::Bool),
    p("IsOptimizedForAccessibility", Kind::Bool),
    p("PublicFolderClientAccess", Kind::Bool),
];

const MIME: &[&str] = &[
    "TextOnly",
    "HtmlOnly",
    "HtmlAndTextAlternative",
    "TextEnrichedOnly",
    "TextEnrichedAndTextAlternative",
    "BestBodyFormat",
    "Tnef",
];

fn get(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.one_or_all(Class::CasMailbox)
}

fn set(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let index = call.identity(Class::CasMailbox)?;
    call.set(Class::CasMailbox, index, |_, _, _| Ok(()))
}
