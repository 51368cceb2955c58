//! `Get-User`, `Set-User`.

use super::super::directory::Class;
use super::super::errors::Failure;
use super::parameters::{Kind, Parameter, missing, own, p};
use super::{Answer, Call, Cmdlet, Effect};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet { name: "Get-User", effect: Effect::Read, parameters: &[GET], run: get },
    Cmdlet { name: "Set-User", effect: Effect::Write, parameters: &[SET], run: set },
];

const GET: &[Parameter] = &[
    own("Identity"),
    own("Anr"),
    own("Filter"),
    own("ResultSize"),
    own("RecipientTypeDetails"),
    missing("SortBy"),
    missing("IsVIP"),
    missing("PublicFolder"),
];

const SET: &[Parameter] = &[
    own("Identity"),
    p("DisplayName", Kind::Text),
    p("FirstName", Kind::Text),
    p("LastName", Kind::Text),
    p("Title", Kind::Text),
    p("Department", Kind::Text),
    p("Company", Kind::Text),
    p("Office", Kind::Text),
    p("Phone", Kind::Text),
    p("MobilePhone", Kind::Text),
    p("Manager", Kind::Recipient),
    p("AuthenticationPolicy", Kind::NullableText),
    p("EXOModuleEnabled", Kind::Bool),
    missing("StsRefreshTokensValidFrom"),
    missing("PermanentlyClearPreviousMailboxInfo"),
    missing("RemotePowerShellEnabled"),
];

fn get(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.one_or_all(Class::User)
}

fn set(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let index = call.identity(Class::User)?;
    call.set(Class::User, index, |_, _, changes| {
        if let Some(enabled) = changes.get("EXOModuleEnabled").cloned() {
            changes.insert("RemotePowerShellEnabled", enabled);
        }
        Ok(())
    })
}
