//! Messages in quarantine: shown by page numbers, released and deleted for each recipient.
//! Source: protocol reference, 3.9 and 6.4.

use jiff::{SignedDuration, Timestamp};

use super::super::directory::Directory;
use super::super::errors::Failure;
use super::super::mailbox::{OUTSIDE, Tenant};
use super::super::prop::{Object, Prop};
use super::super::random::{guid, mix, pick};
use super::catalogued::Run;
use super::traces::{given_date, is_given};
use super::{Answer, Call};

pub(super) const RUNS: &[(&str, Run)] = &[
    ("Delete-QuarantineMessage", delete),
    ("Get-QuarantineMessage", get),
    ("Release-QuarantineMessage", release),
];

const NOUN: &str = "QuarantineMessage";
const MESSAGES: u64 = 25;
const MESSAGE: u64 = 61;
const PAGE_SIZE_DEFAULT: u64 = 100;
/// Greatest page number and page size.
const PAGE_MAX: u64 = 1000;
/// Without dates a listing goes back this far.
const DAYS_DEFAULT: i64 = 16;

/// The messages that wait when the quarantine is first looked at, the newest first, one each day.
fn messages(tenant: &Tenant, wall: Timestamp) -> Vec<Object> {
    (0..MESSAGES).map(|number| message(tenant, number, wall)).collect()
}

fn message(tenant: &Tenant, number: u64, wall: Timestamp) -> Object {
    let seed = tenant.seed;
    let kinds = [
        ("Spam", "HostedContentFilterPolicy"),
        ("HighConfPhish", "HostedContentFilterPolicy"),
        ("Malware", "AntiMalwarePolicy"),
        ("Bulk", "HostedContentFilterPolicy"),
        ("TransportRule", "ExchangeTransportRule"),
    ];
    let (kind, policy) = *pick(&kinds, mix(seed, number, MESSAGE));
    let subjects = ["Invoice overdue", "お支払いのご確認", "Your parcel", "=cmd|' /C calc'!A0"];
    let people = tenant.mailboxes.max(1);
    let recipients: Vec<String> = (0..=number % 2)
        .map(|more| format!("{}@{}", tenant.person((number + more * 7) % people).alias, tenant.domain))
        .collect();
    let received = wall - SignedDuration::from_hours(24 * i64::try_from(number).expect("a few days") + 1);
    let (network, id) = (guid(seed, number, MESSAGE), guid(seed, number, MESSAGE + 1));
    Object::new(vec![
        ("Identity", Prop::text(format!("{network}\\{id}"))),
        ("MessageId", Prop::text(format!("<{}@{OUTSIDE}>", id.simple()))),
        ("ReceivedTime", Prop::Date(received)),
        ("Expires", Prop::Date(received + SignedDuration::from_hours(30 * 24))),
        ("Type", Prop::text(kind)),
        ("QuarantineTypes", Prop::text(kind)),
        ("PolicyType", Prop::text(policy)),
        ("PolicyName", Prop::text("Default")),
        ("Direction", Prop::text("Inbound")),
        ("EntityType", Prop::text("Email")),
        ("SenderAddress", Prop::text(format!("sender{}@{OUTSIDE}", number % 4))),
        ("RecipientAddress", Prop::List(recipients.clone())),
        ("Subject", Prop::text(*pick(&subjects, mix(seed, number, MESSAGE + 1)))),
        (
            "Size",
            Prop::Int(i32::try_from(4096 + mix(seed, number, MESSAGE + 2) % 90_000).expect("below 100,000")),
        ),
        ("ReleaseStatus", Prop::text("NotReleased")),
        ("QuarantinedUser", Prop::List(recipients)),
        ("ReleasedUser", Prop::List(Vec::new())),
        ("Released", Prop::Bool(false)),
        ("Reported", Prop::Bool(false)),
        ("SystemReleased", Prop::Bool(false)),
    ])
}

fn begin(call: &mut Call<'_>) {
    let wall = call.wall;
    let Directory { tenant, shelf, .. } = &mut *call.directory;
    shelf.begin(NOUN, || messages(tenant, wall));
}

fn number(call: &Call<'_>, name: &'static str, default: u64, least: u64, most: u64) -> Result<u64, Failure> {
    let Some(text) = call.given.text(name)? else { return Ok(default) };
    let number = text.parse::<u64>().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| {
        Failure::transformation(name, &format!("The value \"{text}\" isn't in the range {least} to {most}."))
    })
}

/// A page by its number and size: `Page`, counted from 1, and `PageSize`.
pub(super) fn page(call: &Call<'_>, default: u64, least: u64, most: u64) -> Result<(usize, usize), Failure> {
    let page = number(call, "Page", 1, 1, PAGE_MAX)?;
    let size = number(call, "PageSize", default, least, most)?;
    let place = |number: u64| usize::try_from(number).expect("at most five million");
    Ok((place((page - 1) * size), place(size)))
}

fn get(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.check_values()?;
    begin(call);
    if let Some(identity) = call.naming("Identity")? {
        let shelf = &call.directory.shelf;
        let found = shelf.find(NOUN, &identity, call.now).and_then(|found| shelf.read(NOUN, found, call.now));
        return found
            .map(|found| Answer::Objects(vec![found.clone()]))
            .ok_or_else(|| Failure::not_found(&identity));
    }
    let (skip, take) = page(call, PAGE_SIZE_DEFAULT, 0, PAGE_MAX)?;
    let (start, end) = (given_date(call, "StartReceivedDate")?, given_date(call, "EndReceivedDate")?);
    let start = start.unwrap_or(call.wall - SignedDuration::from_hours(24 * DAYS_DEFAULT));
    let mut chosen = Vec::new();
    for (_, object) in call.directory.shelf.list(NOUN, call.now) {
        let Some(Prop::Date(received)) = object.get("ReceivedTime") else { continue };
        if *received < start || end.is_some_and(|end| *received > end) {
            continue;
        }
        let mut fits = true;
        for name in ["Type", "QuarantineTypes", "PolicyTypes", "PolicyName", "Direction", "EntityType"] {
            let property = if name == "PolicyTypes" { "PolicyType" } else { name };
            fits &= is_given(call, name, object.get(property))?;
        }
        for name in ["SenderAddress", "RecipientAddress", "ReleaseStatus", "Subject", "MessageId", "Reported"]
        {
            fits &= is_given(call, name, object.get(name))?;
        }
        if fits {
            chosen.push(object);
        }
    }
    Ok(Answer::Objects(chosen.into_iter().skip(skip).take(take).cloned().collect()))
}

/// The messages that `Identity` or `Identities` name.
fn named(call: &mut Call<'_>) -> Result<Vec<(u64, Object)>, Failure> {
    begin(call);
    let mut names: Vec<String> = call.given.list("Identities")?.unwrap_or_default();
    if names.is_empty() {
        names.extend(call.naming("Identity")?);
    }
    if names.is_empty() {
        return Err(Failure::missing_parameter("Identity"));
    }
    let shelf = &call.directory.shelf;
    let found = names.into_iter().map(|name| {
        let number = shelf.find_to_write(NOUN, &name, call.now);
        let object = number.and_then(|number| Some((number, shelf.current(NOUN, number)?.clone())));
        object.ok_or_else(|| Failure::not_found(&name))
    });
    found.collect()
}

fn users(object: &Object, name: &str) -> Vec<String> {
    match object.get(name) {
        Some(Prop::List(users)) => users.clone(),
        _ => Vec::new(),
    }
}

/// Moves users out of `from`; those that are not in it are refused.
fn take(from: &mut Vec<String>, wanted: &[String]) -> Result<Vec<String>, Failure> {
    wanted
        .iter()
        .map(|user| {
            let place = from.iter().position(|own| own.eq_ignore_ascii_case(user));
            place.map(|place| from.remove(place)).ok_or_else(|| Failure::not_found(user))
        })
        .collect()
}

fn release(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.check_values()?;
    let all = call.given.switch("ReleaseToAll")?;
    let wanted = call.given.list("User")?;
    let kind = call.given.text("ActionType")?.unwrap_or_else(|| "Release".to_owned());
    let found = named(call)?;
    let mut changes = Vec::new();
    for (number, object) in found {
        let status = match kind.to_ascii_lowercase().as_str() {
            "deny" => Some("Denied"),
            "request" => Some("Requested"),
            _ => None,
        };
        if let Some(status) = status {
            changes.push((number, vec![("ReleaseStatus", Prop::text(status))]));
            continue;
        }
        let (mut held, mut released) = (users(&object, "QuarantinedUser"), users(&object, "ReleasedUser"));
        match (&wanted, all) {
            (_, true) => released.append(&mut held),
            (Some(users), false) => released.extend(take(&mut held, users)?),
            (None, false) => return Err(Failure::missing_parameter("ReleaseToAll")),
        }
        let done = held.is_empty();
        let mut change = vec![
            ("QuarantinedUser", Prop::List(held)),
            ("ReleasedUser", Prop::List(released)),
            ("Released", Prop::Bool(done)),
        ];
        if done {
            change.push(("ReleaseStatus", Prop::text("Released")));
        }
        changes.push((number, change));
    }
    if let Some(answer) = call.asked(NOUN)? {
        return Ok(answer);
    }
    let when = call.when();
    for (number, change) in changes {
        call.directory.shelf.write(NOUN, number, change, when);
    }
    Ok(Answer::Done { warnings: Vec::new() })
}

fn delete(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.check_values()?;
    let wanted = call.given.list("RecipientAddress")?;
    let mut left = Vec::new();
    for (number, object) in named(call)? {
        let mut recipients = users(&object, "RecipientAddress");
        let mut held = users(&object, "QuarantinedUser");
        match &wanted {
            Some(wanted) => {
                let gone = take(&mut recipients, wanted)?;
                held.retain(|user| !gone.contains(user));
            }
            None => recipients.clear(),
        }
        left.push((number, recipients, held));
    }
    if let Some(answer) = call.asked(NOUN)? {
        return Ok(answer);
    }
    let when = call.when();
    for (number, recipients, held) in left {
        if recipients.is_empty() {
            call.directory.shelf.remove(NOUN, number, when);
        } else {
            let change =
                [("RecipientAddress", Prop::List(recipients)), ("QuarantinedUser", Prop::List(held))];
            call.directory.shelf.write(NOUN, number, change, when);
        }
    }
    Ok(Answer::Done { warnings: Vec::new() })
}
