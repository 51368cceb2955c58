//! The tenant's list of allowed and blocked senders, addresses and files. Source: protocol reference, 6.4.

use uuid::Uuid;

use super::super::errors::Failure;
use super::super::filter::{Filter, Operator};
use super::super::prop::{Object, Prop};
use super::super::random::guid;
use super::super::shelf::Source;
use super::catalogued::Run;
use super::parameters::Kind;
use super::{Answer, Call};

pub(super) const RUNS: &[(&str, Run)] = &[
    ("Get-TenantAllowBlockListItems", get),
    ("New-TenantAllowBlockListItems", new),
    ("Remove-TenantAllowBlockListItems", remove),
    ("Set-TenantAllowBlockListItems", set),
];

const NOUN: &str = "TenantAllowBlockListItems";
/// Of the GUIDs of entries.
const ENTRY: u64 = 60;

/// The list that the call is about.
fn list_type(call: &Call<'_>) -> Result<String, Failure> {
    let known = |parameter: &&super::parameters::Parameter| parameter.name == "ListType";
    let parameter = call.given.iter().map(|(parameter, _)| parameter).find(known).copied();
    let (Some(parameter), Some(text)) = (parameter, call.given.text("ListType")?) else {
        return Err(Failure::missing_parameter("ListType"));
    };
    match parameter.kind {
        Kind::CatalogWord(words) => super::values::word(words, &text).map(str::to_owned),
        _ => Ok(text),
    }
}

fn get(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.directory.shelf.begin(NOUN, Vec::new);
    let mut wanted = vec![("ListType", list_type(call)?)];
    if let Some(entry) = call.given.text("Entry")? {
        wanted.push(("Value", normal(&entry)));
    }
    for action in ["Allow", "Block"] {
        if call.given.switch(action)? {
            wanted.push(("Action", action.to_owned()));
        }
    }
    if let Some(kinds) = call.given.list("ListSubType")?.filter(|kinds| kinds.len() == 1) {
        wanted.push(("ListSubType", kinds.concat()));
    }
    let mut listing = call.listing(Source::Shelf(NOUN))?;
    for (property, value) in wanted {
        let property = property.to_owned();
        listing.and(Filter::Test { property, operator: Operator::Equal, value: Some(value) });
    }
    if call.given.switch("NoExpiration")? {
        let property = "ExpirationDate".to_owned();
        listing.and(Filter::Test { property, operator: Operator::Equal, value: None });
    }
    Ok(Answer::Listing(listing))
}

/// When the entry ends; `None` if that was not said.
fn expiration(call: &Call<'_>) -> Result<Option<Prop>, Failure> {
    if call.given.switch("NoExpiration")? {
        return Ok(Some(Prop::Null));
    }
    match call.given.text("ExpirationDate")? {
        None => Ok(None),
        Some(text) => super::values::date(&text).map(|at| Some(Prop::Date(at))).ok_or_else(|| {
            Failure::transformation(
                "ExpirationDate",
                &format!("Cannot convert value \"{text}\" to type \"System.DateTime\"."),
            )
        }),
    }
}

fn action(call: &Call<'_>) -> Result<Option<&'static str>, Failure> {
    match (call.given.switch("Allow")?, call.given.switch("Block")?) {
        (true, true) => Err(Failure::ambiguous("Allow and Block exclude each other.")),
        (true, false) => Ok(Some("Allow")),
        (false, true) => Ok(Some("Block")),
        (false, false) => Ok(None),
    }
}

fn new(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.directory.shelf.begin(NOUN, Vec::new);
    call.require()?;
    let list = list_type(call)?;
    let entries = call.given.list("Entries")?.unwrap_or_default();
    let action = action(call)?.ok_or_else(|| Failure::missing_parameter("Block"))?;
    let sub_type = call.given.text("ListSubType")?.unwrap_or_else(|| "Tenant".to_owned());
    let notes = call.given.text("Notes")?.unwrap_or_default();
    let month = jiff::SignedDuration::from_hours(30 * 24);
    let expires = expiration(call)?.unwrap_or(Prop::Date(call.wall + month));
    let mut objects = Vec::new();
    for (number, entry) in (call.directory.shelf.len(NOUN)..).zip(entries) {
        let value = normal(&entry);
        if find(call, &list, &value).is_some()
            || objects.iter().any(|own: &Object| own.text("Value") == value)
        {
            return Err(Failure::invalid(
                "Microsoft.Exchange.Management.Tasks.DuplicateEntryException",
                &format!("The entry '{value}' is in the list already."),
            ));
        }
        let id: Uuid = guid(call.directory.tenant.seed, number, ENTRY);
        objects.push(Object::new(vec![
            ("Identity", Prop::text(id.simple().to_string())),
            ("Value", Prop::text(value)),
            ("Action", Prop::text(action)),
            ("ListType", Prop::text(list.clone())),
            ("ListSubType", Prop::text(sub_type.clone())),
            ("SubmissionID", Prop::text("")),
            ("SysManaged", Prop::Bool(false)),
            ("CreatedDateTime", Prop::Date(call.wall)),
            ("LastModifiedDateTime", Prop::Date(call.wall)),
            ("ExpirationDate", expires.clone()),
            ("LastUsedDate", Prop::Null),
            ("Notes", Prop::text(notes.clone())),
            ("Error", Prop::Null),
            ("ObjectState", Prop::text("New")),
        ]));
    }
    let when = call.when();
    for object in &objects {
        call.directory.shelf.add(NOUN, object.clone(), when);
    }
    Ok(Answer::Objects(objects))
}

/// The number of an entry of a list, by its value.
fn find(call: &Call<'_>, list: &str, value: &str) -> Option<u64> {
    let shelf = &call.directory.shelf;
    (0..shelf.len(NOUN)).find(|number| {
        shelf
            .current(NOUN, *number)
            .is_some_and(|own| own.text("ListType") == list && own.text("Value") == value)
    })
}

/// The entries that `Ids` or `Entries` name.
fn named(call: &Call<'_>) -> Result<Vec<u64>, Failure> {
    let list = list_type(call)?;
    let mut numbers = Vec::new();
    for id in call.given.list("Ids")?.unwrap_or_default() {
        let found = call.directory.shelf.find_to_write(NOUN, &id, call.now);
        numbers.push(found.ok_or_else(|| Failure::not_found(&id))?);
    }
    for entry in call.given.list("Entries")?.unwrap_or_default() {
        numbers.push(find(call, &list, &normal(&entry)).ok_or_else(|| Failure::not_found(&entry))?);
    }
    if numbers.is_empty() { Err(Failure::missing_parameter("Ids")) } else { Ok(numbers) }
}

fn set(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.directory.shelf.begin(NOUN, Vec::new);
    let numbers = named(call)?;
    let mut changes = vec![("LastModifiedDateTime", Prop::Date(call.wall))];
    changes.extend(action(call)?.map(|action| ("Action", Prop::text(action))));
    changes.extend(expiration(call)?.map(|expires| ("ExpirationDate", expires)));
    changes.extend(call.given.text("Notes")?.map(|notes| ("Notes", Prop::text(notes))));
    let when = call.when();
    for number in numbers {
        call.directory.shelf.write(NOUN, number, changes.clone(), when);
    }
    Ok(Answer::Done { warnings: Vec::new() })
}

fn remove(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.directory.shelf.begin(NOUN, Vec::new);
    let when = call.when();
    for number in named(call)? {
        call.directory.shelf.remove(NOUN, number, when);
    }
    Ok(Answer::Done { warnings: Vec::new() })
}

/// An entry as the service keeps it: in lower case, its domain's labels in Punycode.
fn normal(entry: &str) -> String {
    let lower = entry.trim().to_lowercase();
    let cut = lower.find('/').unwrap_or(lower.len());
    let (host, path) = lower.split_at(cut);
    let (local, domain) = host.rsplit_once('@').map_or((None, host), |(local, domain)| (Some(local), domain));
    let labels: Vec<String> = domain
        .split('.')
        .map(|label| {
            // No name has a longer label, and the conversion's time grows with its square.
            let plain = label.is_ascii() || label.chars().count() > 63;
            if plain { label.to_owned() } else { format!("xn--{}", punycode(label)) }
        })
        .collect();
    let at = local.map(|local| format!("{local}@")).unwrap_or_default();
    format!("{at}{}{path}", labels.join("."))
}

/// RFC 3492, 6.3.
fn punycode(label: &str) -> String {
    const DIGITS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let digit = |value: u64| char::from(DIGITS[usize::try_from(value).expect("below 36")]);
    let mut out: String = label.chars().filter(char::is_ascii).collect();
    let basic = out.len() as u64;
    let mut done = basic;
    if basic > 0 {
        out.push('-');
    }
    let (mut least, mut delta, mut bias) = (128_u64, 0_u64, 72_u64);
    let total = label.chars().count() as u64;
    while done < total {
        let next = label.chars().map(u64::from).filter(|c| *c >= least).min().expect("some are left");
        delta += (next - least) * (done + 1);
        least = next;
        for c in label.chars().map(u64::from) {
            if c < least {
                delta += 1;
            }
            if c == least {
                let mut rest = delta;
                for k in (1..).map(|step| step * 36_u64) {
                    let t = k.saturating_sub(bias).clamp(1, 26);
                    if rest < t {
                        break;
                    }
                    out.push(digit(t + (rest - t) % (36 - t)));
                    rest = (rest - t) / (36 - t);
                }
                out.push(digit(rest));
                bias = adapted(delta, done + 1, done == basic);
                delta = 0;
                done += 1;
            }
        }
        delta += 1;
        least += 1;
    }
    out
}

fn adapted(delta: u64, points: u64, first: bool) -> u64 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / points;
    let mut k = 0;
    while delta > 455 {
        delta /= 35;
        k += 36;
    }
    k + 36 * delta / (delta + 38)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_kept_in_lower_case_and_punycode() {
        for (given, kept) in [
            ("Bad.Example/Path", "bad.example/path"),
            ("User@Bücher.Example", "user@xn--bcher-kva.example"),
            ("点看.example", "xn--3pxu8k.example"),
            ("*.münchen-ost.example", "*.xn--mnchen-ost-9db.example"),
        ] {
            assert_eq!(normal(given), kept, "{given}");
        }
    }
}
