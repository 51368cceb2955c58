//! What is only read and has no end of its own: message traces, audit records, and the phones of mailboxes.
//! Source: protocol reference, 3.9 and 6.3.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};

use super::super::directory::{Class, Directory};
use super::super::errors::Failure;
use super::super::filter::{Filter, Operator};
use super::super::mailbox::{OUTSIDE, Tenant};
use super::super::prop::{Object, Prop};
use super::super::random::{guid, mix, pick};
use super::super::shelf::{self, Source};
use super::catalogued::Run;
use super::{Answer, Call, quarantine};

pub(super) const RUNS: &[(&str, Run)] = &[
    ("Get-MessageTrace", trace),
    ("Get-MessageTraceV2", trace_v2),
    ("Get-MobileDevice", devices),
    ("Search-UnifiedAuditLog", audit),
];

const TRACE: u64 = 62;
const AUDIT: u64 = 65;
const DEVICE: u64 = 66;
/// Rows of one answer of a trace or of an audit search.
const ROWS_MAX: u64 = 5000;
const TRACE_DEFAULT: u64 = 1000;
const AUDIT_DEFAULT: u64 = 100;
/// Records of one audit search over all its pages.
const AUDIT_ALL_MAX: usize = 50_000;
/// A message every so many seconds, an audit record every so many.
const MESSAGE_SECONDS: i64 = 120;
const RECORD_SECONDS: i64 = 600;
/// Mailboxes are asked for phones up to here.
const DEVICES_MAX: u64 = 1000;

/// A point in time that a parameter names.
pub(super) fn given_date(call: &Call<'_>, name: &'static str) -> Result<Option<Timestamp>, Failure> {
    let Some(text) = call.given.text(name)? else { return Ok(None) };
    let date = super::values::date(&text);
    date.map(Some).ok_or_else(|| {
        Failure::transformation(
            name,
            &format!("Cannot convert value \"{text}\" to type \"System.DateTime\"."),
        )
    })
}

/// Whether a property is one of the values that a parameter of the call names; true if it names none.
pub(super) fn is_given(call: &Call<'_>, name: &'static str, prop: Option<&Prop>) -> Result<bool, Failure> {
    let Some(wanted) = call.given.list(name)? else { return Ok(true) };
    let fits = |own: &str| wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(own));
    Ok(match prop {
        Some(Prop::List(items)) => items.iter().any(|item| fits(item)),
        Some(prop) => prop.as_text().is_some_and(|own| fits(&own)),
        None => false,
    })
}

/// The window of a search: the last two days if nothing is said, and never more than `days`.
fn window(call: &Call<'_>, days: i64) -> Result<(Timestamp, Timestamp), Failure> {
    let end = given_date(call, "EndDate")?.unwrap_or(call.wall).min(call.wall);
    let start = given_date(call, "StartDate")?.unwrap_or(end - SignedDuration::from_hours(48));
    let refuse = |text: &str| Err(Failure::invalid("System.ArgumentException", text));
    if start > end {
        return refuse("The StartDate is after the EndDate.");
    }
    if end.duration_since(start) > SignedDuration::from_hours(24 * days) {
        return refuse(&format!("The time between StartDate and EndDate must not be more than {days} days."));
    }
    Ok((start, end))
}

fn rows(call: &Call<'_>, default: u64) -> Result<usize, Failure> {
    let Some(text) = call.given.text("ResultSize")? else {
        return Ok(usize::try_from(default).expect("a small number"));
    };
    let number = text.parse::<usize>().ok().filter(|number| (1..=5000).contains(number));
    number.ok_or_else(|| {
        Failure::transformation(
            "ResultSize",
            &format!("The value \"{text}\" isn't in the range 1 to {ROWS_MAX}."),
        )
    })
}

/// The numbers of what happens every `seconds` between two times.
fn numbers(start: Timestamp, end: Timestamp, seconds: i64) -> Range<i64> {
    let first = start.as_second().div_euclid(seconds) + i64::from(start.as_second().rem_euclid(seconds) != 0);
    first..end.as_second().div_euclid(seconds) + 1
}

/// The messages of one moment, in the order of their recipients.
fn messages(tenant: &Tenant, number: i64) -> Vec<Object> {
    let index = u64::try_from(number).unwrap_or_default();
    let received = Timestamp::from_second(number * MESSAGE_SECONDS).unwrap_or_default();
    let people = tenant.mailboxes.max(1);
    let random = mix(tenant.seed, index, TRACE);
    let sender = format!("sender{}@{OUTSIDE}", random % 5);
    let statuses = ["Delivered", "Delivered", "Delivered", "Failed", "FilteredAsSpam", "Quarantined"];
    let mut messages: Vec<Object> = (0..=random % 2)
        .map(|place| {
            let person = (random / 7 + place * 13) % people;
            let id = guid(tenant.seed, index * 2 + place, TRACE + 1);
            Object::new(vec![
                ("MessageId", Prop::text(format!("<{}@{OUTSIDE}>", id.simple()))),
                ("MessageTraceId", Prop::Guid(id)),
                ("Received", Prop::Date(received)),
                ("SenderAddress", Prop::text(sender.clone())),
                (
                    "RecipientAddress",
                    Prop::text(format!("{}@{}", tenant.person(person).alias, tenant.domain)),
                ),
                ("Subject", Prop::text(*pick(&["Report", "会議の件", "Re: lunch"], random / 3))),
                ("Status", Prop::text(*pick(&statuses, random / 11))),
                ("FromIP", Prop::text("192.0.2.25")),
                ("ToIP", Prop::Null),
                ("Size", Prop::Int(i32::try_from(2048 + random % 60_000).expect("below 100,000"))),
            ])
        })
        .collect();
    messages.sort_by_key(|message| message.text("RecipientAddress").into_owned());
    messages.dedup_by_key(|message| message.text("RecipientAddress").into_owned());
    messages
}

fn fits(call: &Call<'_>, message: &Object) -> Result<bool, Failure> {
    for name in
        ["SenderAddress", "RecipientAddress", "Status", "MessageId", "MessageTraceId", "FromIP", "ToIP"]
    {
        if !is_given(call, name, message.get(name))? {
            return Ok(false);
        }
    }
    let Some(wanted) = call.given.text("Subject").ok().flatten() else { return Ok(true) };
    let (own, wanted) = (message.text("Subject").to_lowercase(), wanted.to_lowercase());
    Ok(match call.given.text("SubjectFilterType")?.unwrap_or_default().to_ascii_lowercase().as_str() {
        "startswith" => own.starts_with(&wanted),
        "endswith" => own.ends_with(&wanted),
        _ => own.contains(&wanted),
    })
}

/// The newest come first. Pages by number.
fn trace(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.check_values()?;
    let (start, end) = window(call, 10)?;
    let (skip, take) = quarantine::page(call, TRACE_DEFAULT, 1, ROWS_MAX)?;
    let mut found = Vec::new();
    'all: for number in numbers(start, end, MESSAGE_SECONDS).rev() {
        for message in messages(&call.directory.tenant, number) {
            if fits(call, &message)? {
                found.push(message);
            }
            if found.len() == skip + take {
                break 'all;
            }
        }
    }
    Ok(Answer::Objects(found.into_iter().skip(skip).collect()))
}

/// The newest come first, those of one moment by recipient. The next page begins behind the last row: its time is
/// `EndDate`, its recipient `StartingRecipientAddress`.
fn trace_v2(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.check_values()?;
    let (start, end) = window(call, 10)?;
    let size = rows(call, TRACE_DEFAULT)?;
    let behind = call.given.text("StartingRecipientAddress")?.map(|address| address.to_lowercase());
    let mut found = Vec::new();
    for number in numbers(start, end, MESSAGE_SECONDS).rev() {
        for message in messages(&call.directory.tenant, number) {
            let first = message.get("Received") == Some(&Prop::Date(end));
            let seen = |behind: &String| first && message.text("RecipientAddress").to_lowercase() <= *behind;
            if behind.as_ref().is_some_and(seen) || !fits(call, &message)? {
                continue;
            }
            found.push(message);
            if found.len() > size {
                found.pop();
                return Ok(Answer::Some { objects: found, warnings: vec![MORE.to_owned()] });
            }
        }
    }
    Ok(Answer::Objects(found))
}

const MORE: &str =
    "There are more results, use EndDate and StartingRecipientAddress of the last row to get them.";

/// An audit record.
fn record(tenant: &Tenant, number: i64) -> Object {
    let index = u64::try_from(number).unwrap_or_default();
    let at = Timestamp::from_second(number * RECORD_SECONDS).unwrap_or_default();
    let random = mix(tenant.seed, index, AUDIT);
    let person = tenant.person(random % tenant.mailboxes.max(1));
    let user = format!("{}@{}", person.alias, tenant.domain);
    let (kind, operation) = *pick(
        &[
            ("ExchangeAdmin", "Set-Mailbox"),
            ("ExchangeItem", "MailItemsAccessed"),
            ("AzureActiveDirectoryStsLogon", "UserLoggedIn"),
        ],
        random / 5,
    );
    let id = guid(tenant.seed, index, AUDIT);
    let data = serde_json::json!({
        "CreationTime": at.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
        "Id": id.to_string(),
        "Operation": operation,
        "OrganizationId": tenant.id.to_string(),
        "UserId": user,
    });
    Object::new(vec![
        ("RecordType", Prop::text(kind)),
        ("CreationDate", Prop::Date(at)),
        ("UserIds", Prop::text(user)),
        ("Operations", Prop::text(operation)),
        ("AuditData", Prop::text(data.to_string())),
        ("ResultIndex", Prop::Int(0)),
        ("ResultCount", Prop::Int(0)),
        ("Identity", Prop::text(id.to_string())),
        ("IsValid", Prop::Bool(true)),
        ("ObjectState", Prop::text("Unchanged")),
    ])
}

/// With a session, each call with its id shows the next records; `ReturnLargeSet` goes on to the end, and what comes
/// after the end is empty.
fn audit(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.require()?;
    call.check_values()?;
    let (start, end) = window(call, 365)?;
    let size = rows(call, AUDIT_DEFAULT)?;
    let session = call.given.text("SessionId")?.filter(|id| !id.is_empty());
    let command = call.given.text("SessionCommand")?.unwrap_or_default();
    let large = command.eq_ignore_ascii_case("ReturnLargeSet");
    let most = if large { AUDIT_ALL_MAX } else { usize::try_from(ROWS_MAX).expect("a small number") };
    let mut found = Vec::new();
    for number in numbers(start, end, RECORD_SECONDS).rev() {
        let record = record(&call.directory.tenant, number);
        let mut fits = true;
        for name in ["RecordType", "UserIds", "Operations"] {
            fits &= is_given(call, name, record.get(name))?;
        }
        if let Some(text) = call.given.text("FreeText")? {
            fits &= record.text("AuditData").contains(&text);
        }
        if fits {
            found.push(record);
        }
        if found.len() == most {
            break;
        }
    }
    let count = found.len();
    let place = |number: usize| Prop::Int(i32::try_from(number).unwrap_or(i32::MAX));
    for (index, record) in (1..).zip(&mut found) {
        record.set("ResultIndex", place(index));
        record.set("ResultCount", place(count));
    }
    let seen = session.as_ref().map_or(0, |id| call.directory.shelf.audit_position(id));
    let shown: Vec<Object> = found.into_iter().skip(seen).take(size).collect();
    if let Some(id) = session {
        call.directory.shelf.set_audit_position(id, seen + shown.len());
    }
    Ok(Answer::Objects(shown))
}

/// Every third mailbox has a phone.
fn devices(call: &mut Call<'_>) -> Result<Answer, Failure> {
    const NOUN: &str = "MobileDevice";
    let Directory { tenant, shelf, .. } = &mut *call.directory;
    shelf.begin(NOUN, || {
        let owners = (0..tenant.mailboxes.min(DEVICES_MAX)).filter(|index| index.is_multiple_of(3));
        (0..).zip(owners).map(|(number, owner)| device(tenant, NOUN, number, owner)).collect()
    });
    if let Some(identity) = call.naming("Identity")? {
        let found = call.directory.shelf.find(NOUN, &identity, call.now);
        let object = found.and_then(|found| call.directory.shelf.read(NOUN, found, call.now));
        return object
            .map(|own| Answer::Objects(vec![own.clone()]))
            .ok_or_else(|| Failure::not_found(&identity));
    }
    let owner = call.named(Class::Mailbox, "Mailbox")?;
    let mut listing = call.listing(Source::Shelf(NOUN))?;
    if let Some(owner) = owner {
        let name = call.directory.tenant.name(owner);
        let property = "UserDisplayName".to_owned();
        listing.and(Filter::Test { property, operator: Operator::Equal, value: Some(name) });
    }
    Ok(Answer::Listing(listing))
}

fn device(tenant: &Tenant, noun: &'static str, number: u64, owner: u64) -> Object {
    let random = mix(tenant.seed, owner, DEVICE);
    let id = guid(tenant.seed, owner, DEVICE).simple().to_string().to_uppercase();
    let name = tenant.name(owner);
    let mut object =
        shelf::always(tenant, noun, number, &format!("{name}\\ExchangeActiveSyncDevices\\{id}"), None);
    let (kind, system) =
        *pick(&[("iPhone", "iOS 19.1"), ("Android", "Android 16"), ("Outlook", "iOS 19.1")], random);
    for (name, prop) in [
        ("DeviceId", Prop::text(id)),
        ("DeviceType", Prop::text(kind)),
        ("DeviceModel", Prop::text(kind)),
        ("DeviceOS", Prop::text(system)),
        ("DeviceAccessState", Prop::text("Allowed")),
        ("DeviceAccessStateReason", Prop::text("Global")),
        ("ClientType", Prop::text(if kind == "Outlook" { "Outlook" } else { "EAS" })),
        ("UserDisplayName", Prop::text(name)),
        ("FirstSyncTime", Prop::Date(tenant.created(owner))),
    ] {
        object.set(name, prop);
    }
    object
}
