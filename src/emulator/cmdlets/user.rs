//! `Get-User`, `Set-User`.

use super::super::directory::Class;
use super::super::errors::Failure;
use super::super::filter::Filter;
use super::super::shelf::Source;
use super::super::views::USER_TEXTS;
use super::mailbox::refuse_synced;
use super::parameters::{Kind, Parameter, all, own, owns, p};
use super::{Answer, Call, Cmdlet, Effect};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet { name: "Get-User", effect: Effect::Read, parameters: &[GET], run: get },
    Cmdlet { name: "Set-User", effect: Effect::Write, parameters: &[SET, TEXTS, OF_THE_SERVICE], run: set },
];

const GET: &[Parameter] = &owns(["Identity", "Anr", "Filter", "ResultSize", "RecipientTypeDetails", "IsVIP"]);

const SET: &[Parameter] = &[
    own("Identity"),
    own("Force"),
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
    p("SeniorityIndex", Kind::Int),
    p("OtherFax", Kind::List),
    p("OtherHomePhone", Kind::List),
    p("OtherTelephone", Kind::List),
    p("PostOfficeBox", Kind::List),
];

const TEXTS: &[Parameter] = &all(USER_TEXTS, Kind::Text);

/// What belongs to the service even where the user comes from elsewhere.
const OF_THE_SERVICE: &[Parameter] = &[
    p("AuthenticationPolicy", Kind::NullableText),
    p("EXOModuleEnabled", Kind::Bool),
    p("RemotePowerShellEnabled", Kind::Bool),
    p("StsRefreshTokensValidFrom", Kind::Date),
    p("VIP", Kind::Bool),
];

fn get(call: &mut Call<'_>) -> Result<Answer, Failure> {
    if call.given.switch("IsVIP")? {
        let mut listing = call.listing(Source::Class(Class::User))?;
        listing.and(Filter::equal("VIP", "True"));
        return Ok(Answer::Listing(listing));
    }
    call.one_or_all(Class::User)
}

fn set(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let index = call.identity(Class::User)?;
    call.set(Class::User, index, |call, old, changes| {
        let names = SET.iter().chain(TEXTS).map(|parameter| parameter.property);
        refuse_synced(call, old, changes, names)?;
        if let Some(enabled) = changes.get("EXOModuleEnabled").cloned() {
            changes.insert("RemotePowerShellEnabled", enabled);
        }
        Ok(())
    })
}
