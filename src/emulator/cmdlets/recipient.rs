//! `Get-Recipient`: mailboxes, groups and contacts in one listing.

use super::super::errors::Failure;
use super::super::filter::{Filter, Operator};
use super::super::groups::{GROUP, UNIFIED};
use super::super::prop::Object;
use super::super::shelf::Source;
use super::parameters::{Parameter, owns};
use super::{Answer, Call, Cmdlet, Effect};

pub(super) const CMDLETS: &[Cmdlet] =
    &[Cmdlet { name: "Get-Recipient", effect: Effect::Read, parameters: &[GET], run: get }];

const GET: &[Parameter] =
    &owns(["Identity", "Anr", "Filter", "ResultSize", "RecipientTypeDetails", "Properties"]);

/// What is shown of a recipient.
pub(super) const SHOWN: &[&str] = &[
    "Identity",
    "Id",
    "Name",
    "Guid",
    "ExchangeObjectId",
    "DistinguishedName",
    "ObjectClass",
    "ObjectState",
    "IsValid",
    "WhenCreated",
    "WhenCreatedUTC",
    "WhenChanged",
    "WhenChangedUTC",
    "OrganizationId",
    "OriginatingServer",
    "ExternalDirectoryObjectId",
    "Alias",
    "DisplayName",
    "PrimarySmtpAddress",
    "EmailAddresses",
    "RecipientType",
    "RecipientTypeDetails",
    "HiddenFromAddressListsEnabled",
    "ManagedBy",
    "ExternalEmailAddress",
    "Office",
    "CustomAttribute1",
];

fn get(call: &mut Call<'_>) -> Result<Answer, Failure> {
    if let Some(identity) = call.given.text("Identity")? {
        let target = call.recipient_called(&identity).ok_or_else(|| Failure::not_found(&identity))?;
        let mut object = call.recipient_seen(target);
        object.keep(SHOWN);
        return Ok(Answer::Objects(vec![object]));
    }
    if let Some(text) = call.given.text("Filter")?
        && let Ok(filter) = Filter::parse(&text)
        && filter.properties().iter().any(|name| name.eq_ignore_ascii_case("Members"))
    {
        return groups_of(call, &filter);
    }
    let mut listing = call.listing(Source::Recipients)?;
    listing.only = Some(SHOWN);
    Ok(Answer::Listing(listing))
}

/// The groups that somebody is a member of: `Members -eq '<DN>'`. Source: protocol reference, 6.2.
fn groups_of(call: &Call<'_>, filter: &Filter) -> Result<Answer, Failure> {
    let Filter::Test { operator: Operator::Equal, value: Some(member), .. } = filter else {
        return Err(Failure::invalid(
            "Microsoft.Exchange.Configuration.Tasks.InvalidFilterException",
            "exorun emulator: of Members, only the filter Members -eq '<distinguished name>' alone is emulated.",
        ));
    };
    let Some(member) =
        call.recipient_called(member).map(|target| Call::guid_of(&call.recipient_object(target)))
    else {
        return Ok(Answer::Objects(Vec::new()));
    };
    let limit = call.given.result_size()?.limit().and_then(|limit| usize::try_from(limit).ok());
    let shelf = &call.directory.shelf;
    let all = [GROUP, UNIFIED].into_iter().flat_map(|noun| shelf.list(noun, call.now));
    let has_member = |group: &Object| {
        let list = call.directory.members.get(&Call::guid_of(group));
        list.is_some_and(|list| list.read(call.now).contains(&member))
    };
    let found = all.filter(|(_, group)| has_member(group)).take(limit.unwrap_or(usize::MAX));
    let rows = found.map(|(_, group)| {
        let mut group = group.clone();
        group.keep(SHOWN);
        group
    });
    Ok(Answer::Objects(rows.collect()))
}
