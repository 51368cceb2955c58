//! Objects that cmdlets make, change and remove, by noun: `Get-TransportRule` and `New-TransportRule` share one shelf.
//!
//! Reads lag behind writes as reads of another domain controller do: for a while a new object is not there yet, a
//! changed one is shown as it was, and a removed one is still shown. Source: protocol reference, 3.12.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;

use super::directory::{Class, Directory};
use super::groups;
use super::mailbox::Tenant;
use super::prop::{Object, Prop};
use super::random::guid;
use super::wanted::Wanted;

/// What an object is called by; see [`Shelf::find`].
const NAMES: [&str; 13] = [
    "Identity",
    "Id",
    "Name",
    "Guid",
    "ExchangeObjectId",
    "ExternalDirectoryObjectId",
    "ImmutableId",
    "DistinguishedName",
    "DomainName",
    "Domain",
    "Alias",
    "PrimarySmtpAddress",
    "UserPrincipalName",
];

/// Objects of the shelves are numbered far away from the mailboxes, so that their made-up dates differ.
const FAR: u64 = 1 << 42;

/// When something is done: milliseconds since boot, the wall's time, and how long reads do not see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct When {
    pub(super) now: u64,
    pub(super) wall: Timestamp,
    pub(super) stale: Option<Duration>,
}

/// An object as it is, and as reads show it until a time in milliseconds since boot. `None` is no object.
#[derive(Debug)]
struct Row {
    current: Option<Object>,
    shown: Option<(u64, Option<Object>)>,
}

impl Row {
    fn read(&self, now: u64) -> Option<&Object> {
        match &self.shown {
            Some((until, old)) if now < *until => old.as_ref(),
            _ => self.current.as_ref(),
        }
    }

    /// Replaces the object; reads go on showing what they show now.
    fn replace(&mut self, new: Option<Object>, now: u64, stale: Option<Duration>) {
        let old = self.read(now).cloned();
        self.current = new;
        self.shown = stale.map(|stale| (later(now, stale), old));
    }
}

fn later(now: u64, time: Duration) -> u64 {
    now.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

/// The objects of one noun. Numbers are never used again, so a page of a listing may begin at any of them.
#[derive(Debug, Default)]
struct Noun {
    rows: BTreeMap<u64, Row>,
    next: u64,
}

/// All objects that are not made up from the seed at each read.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    nouns: HashMap<&'static str, Noun>,
    /// New objects are not found for this long.
    pub(super) replication: Duration,
    /// Whether the tenant lacks the licence for protection from impersonation.
    pub(super) no_defender: bool,
    changed: HashSet<(&'static str, u64)>,
    /// Records that the sessions of audit searches have seen.
    audits: HashMap<String, usize>,
}

impl Shelf {
    /// Puts the objects there that a tenant has from its beginning; only the first time for a noun.
    pub(super) fn begin(&mut self, noun: &'static str, objects: impl FnOnce() -> Vec<Object>) {
        if self.nouns.contains_key(noun) {
            return;
        }
        let rows: BTreeMap<u64, Row> = (0..)
            .zip(objects())
            .map(|(number, object)| (number, Row { current: Some(object), shown: None }))
            .collect();
        let next = rows.len() as u64;
        self.nouns.insert(noun, Noun { rows, next });
    }

    /// One more than the greatest number of the noun's objects; not all below it are taken.
    pub(super) fn len(&self, noun: &str) -> u64 {
        self.nouns.get(noun).map_or(0, |noun| noun.next)
    }

    /// The object as a read at `now` shows it.
    pub(super) fn read(&self, noun: &str, number: u64, now: u64) -> Option<&Object> {
        self.nouns.get(noun)?.rows.get(&number)?.read(now)
    }

    /// The object as it is, whatever reads still show.
    pub(super) fn current(&self, noun: &str, number: u64) -> Option<&Object> {
        self.nouns.get(noun)?.rows.get(&number)?.current.as_ref()
    }

    /// The noun's objects as a read at `now` shows them, in the order in which they were made.
    pub(super) fn list(&self, noun: &str, now: u64) -> impl Iterator<Item = (u64, &Object)> {
        let rows = self.nouns.get(noun).into_iter().flat_map(|noun| &noun.rows);
        rows.filter_map(move |(number, row)| row.read(now).map(|object| (*number, object)))
    }

    /// The object that a read's `-Identity` names: by its name, GUID, DN, domain or one of its addresses, in any case.
    pub(super) fn find(&self, noun: &str, identity: &str, now: u64) -> Option<u64> {
        self.list(noun, now).find(|(_, object)| is_called(object, identity)).map(|(number, _)| number)
    }

    /// The object that a write's `-Identity` names. One that was removed is gone for writes at once, and one that
    /// reads do not see yet cannot be written either.
    pub(super) fn find_to_write(&self, noun: &str, identity: &str, now: u64) -> Option<u64> {
        let rows = self.nouns.get(noun).into_iter().flat_map(|noun| &noun.rows);
        rows.filter(|(_, row)| row.read(now).is_some())
            .find(|(_, row)| row.current.as_ref().is_some_and(|object| is_called(object, identity)))
            .map(|(number, _)| *number)
    }

    /// Whether a new object of this name would be a second one, seen by reads or not.
    pub(super) fn is_taken(&self, noun: &str, name: &str) -> bool {
        let rows = self.nouns.get(noun).into_iter().flat_map(|noun| noun.rows.values());
        rows.filter_map(|row| row.current.as_ref()).any(|object| is_called(object, name))
    }

    /// Adds an object and returns its number. Reads see it after the longer of `stale` and the replication delay.
    pub(super) fn add(&mut self, noun: &'static str, object: Object, when: When) -> u64 {
        let rows = self.nouns.entry(noun).or_default();
        let number = rows.next;
        rows.next += 1;
        let delay = when.stale.unwrap_or_default().max(self.replication);
        let shown = (!delay.is_zero()).then(|| (later(when.now, delay), None));
        rows.rows.insert(number, Row { current: Some(object), shown });
        self.changed.insert((noun, number));
        number
    }

    /// Puts an object there that was there all the time, though nobody had looked at it.
    pub(super) fn place(&mut self, noun: &'static str, object: Object) -> u64 {
        let rows = self.nouns.entry(noun).or_default();
        let number = rows.next;
        rows.next += 1;
        rows.rows.insert(number, Row { current: Some(object), shown: None });
        number
    }

    /// Writes properties and the time of the change.
    pub(super) fn write(
        &mut self,
        noun: &'static str,
        number: u64,
        changes: impl IntoIterator<Item = (&'static str, Prop)>,
        when: When,
    ) {
        let Some(row) = self.nouns.get_mut(noun).and_then(|noun| noun.rows.get_mut(&number)) else { return };
        let Some(mut object) = row.current.clone() else { return };
        for (name, prop) in changes {
            object.set(name, prop);
        }
        for (name, prop) in
            [("WhenChanged", Prop::Date(when.wall)), ("WhenChangedUTC", Prop::DateUtc(when.wall))]
        {
            if object.get(name).is_some() {
                object.set(name, prop);
            }
        }
        row.replace(Some(object), when.now, when.stale);
        self.changed.insert((noun, number));
    }

    pub(super) fn remove(&mut self, noun: &'static str, number: u64, when: When) {
        let Some(rows) = self.nouns.get_mut(noun).map(|noun| &mut noun.rows) else { return };
        if let Some(row) = rows.get_mut(&number) {
            row.replace(None, when.now, when.stale);
            self.changed.insert((noun, number));
        }
        // Nothing shows these any more.
        rows.retain(|_, row| row.current.is_some() || row.read(when.now).is_some());
    }

    /// How many records an audit search of this session has seen.
    pub(super) fn audit_position(&self, session: &str) -> usize {
        self.audits.get(session).copied().unwrap_or_default()
    }

    pub(super) fn set_audit_position(&mut self, session: String, seen: usize) {
        self.audits.insert(session, seen);
    }

    /// Objects that were made, changed or removed.
    pub(super) fn changed(&self) -> usize {
        self.changed.len()
    }
}

/// The properties that every directory object has, for the noun's object of this number; made at `created`, or before
/// the emulator began. Source: protocol reference, 3.7.
pub(super) fn always(
    tenant: &Tenant,
    noun: &'static str,
    number: u64,
    name: &str,
    created: Option<Timestamp>,
) -> Object {
    let id = guid(tenant.seed, number, purpose(noun));
    let mut object = Object::new(tenant.directory_properties(FAR + number, name, id, noun));
    if let Some(created) = created {
        for name in ["WhenCreated", "WhenChanged"] {
            object.set(name, Prop::Date(created));
        }
        for name in ["WhenCreatedUTC", "WhenChangedUTC"] {
            object.set(name, Prop::DateUtc(created));
        }
    }
    object
}

/// Where the objects of a listing are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Made up at each read.
    Class(Class),
    /// On the noun's shelf.
    Shelf(&'static str),
    /// Mailboxes, and after them every group and contact.
    Recipients,
}

impl From<Class> for Source {
    fn from(class: Class) -> Source {
        Source::Class(class)
    }
}

impl Source {
    /// The objects' numbers are below it; not all of them need to be taken.
    pub(super) fn len(self, directory: &Directory) -> u64 {
        match self {
            Source::Class(class) => directory.len(class),
            Source::Shelf(noun) => directory.shelf.len(noun),
            Source::Recipients => {
                let shelves = groups::NOUNS.iter().map(|noun| directory.shelf.len(noun));
                directory.len(Class::Mailbox) + shelves.sum::<u64>()
            }
        }
    }

    /// The object as a read at `now` shows it.
    pub(super) fn read(self, directory: &Directory, index: u64, now: u64) -> Option<Object> {
        self.read_some(directory, index, now, Wanted::ALL)
    }

    /// The same with the wanted properties; others may be there, too.
    pub(super) fn read_some(
        self,
        directory: &Directory,
        index: u64,
        now: u64,
        wanted: Wanted<'_>,
    ) -> Option<Object> {
        match self {
            Source::Class(class) => {
                directory.is_there(class, index, now).then(|| directory.read_some(class, index, now, wanted))
            }
            Source::Shelf(noun) => directory.shelf.read(noun, index, now).cloned(),
            Source::Recipients => {
                let mut number = index;
                let shelves = groups::NOUNS.into_iter().map(Source::Shelf);
                [Source::Class(Class::Mailbox)].into_iter().chain(shelves).find_map(|source| {
                    let all = source.len(directory);
                    if number < all {
                        return Some(source.read_some(directory, number, now, wanted));
                    }
                    number -= all;
                    None
                })?
            }
        }
    }
}

/// Each noun has GUIDs of its own (FNV-1a; above the numbered purposes).
fn purpose(noun: &str) -> u64 {
    let hash = noun.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash | 1 << 63
}

fn is_called(object: &Object, identity: &str) -> bool {
    let same = |own: &str| !own.is_empty() && own.to_lowercase() == identity.to_lowercase();
    NAMES.iter().any(|name| same(&object.text(name))) || {
        let Some(Prop::List(addresses)) = object.get("EmailAddresses") else { return false };
        addresses.iter().any(|address| {
            address
                .split_once(':')
                .is_some_and(|(kind, rest)| kind.eq_ignore_ascii_case("smtp") && same(rest))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "TransportRule";

    fn when(now: u64, stale: Option<u64>) -> When {
        let wall = "2026-01-31T08:00:00Z".parse().unwrap();
        When { now, wall, stale: stale.map(Duration::from_secs) }
    }

    fn tenant() -> Tenant {
        Tenant::new(1, 5, "contoso.onmicrosoft.com")
    }

    fn add(shelf: &mut Shelf, name: &str, when: When) -> u64 {
        let mut object = always(&tenant(), RULE, shelf.len(RULE), name, Some(when.wall));
        object.set("Priority", Prop::Int(0));
        shelf.add(RULE, object, when)
    }

    fn priority(shelf: &Shelf, number: u64, now: u64) -> Option<String> {
        shelf.read(RULE, number, now).map(|object| object.text("Priority").into_owned())
    }

    #[test]
    fn an_object_is_made_found_changed_and_removed() {
        let mut shelf = Shelf::default();
        let number = add(&mut shelf, "Grün, Rule", when(0, None));
        add(&mut shelf, "Second", when(0, None));
        let object = shelf.current(RULE, number).unwrap().clone();
        for name in ["Identity", "Id", "Name", "Guid", "ExchangeObjectId", "DistinguishedName"] {
            let identity = object.text(name).to_uppercase();
            assert_eq!(shelf.find(RULE, &identity, 0), Some(number), "{name}: {identity}");
            assert_eq!(shelf.find_to_write(RULE, &identity, 0), Some(number), "{name}: {identity}");
        }
        for nobody in ["", "rule", "Priority", "0"] {
            assert_eq!(shelf.find(RULE, nobody, 0), None, "{nobody}");
        }
        assert_eq!(shelf.find("JournalRule", "Second", 0), None, "another noun");
        shelf.write(RULE, number, [("Priority", Prop::Int(7))], when(1, None));
        assert_eq!(priority(&shelf, number, 1).as_deref(), Some("7"));
        shelf.remove(RULE, number, when(2, None));
        assert_eq!((shelf.find(RULE, "Grün, Rule", 2), shelf.current(RULE, number)), (None, None));
        assert_eq!(shelf.list(RULE, 2).count(), 1);
        let third = add(&mut shelf, "Third", when(3, None));
        assert_ne!(third, number, "a number is used once");
        assert_eq!(shelf.changed(), 3);
    }

    #[test]
    fn every_directory_object_has_what_all_have() {
        let object = always(&tenant(), RULE, 0, "New", Some(when(0, None).wall));
        for name in [
            "Identity",
            "Id",
            "Name",
            "Guid",
            "ExchangeObjectId",
            "DistinguishedName",
            "WhenCreated",
            "WhenCreatedUTC",
            "WhenChanged",
            "WhenChangedUTC",
            "ObjectClass",
            "ObjectState",
            "IsValid",
            "OrganizationId",
            "OriginatingServer",
        ] {
            assert!(!object.text(name).is_empty(), "{name}");
        }
        assert_eq!(object.get("WhenCreatedUTC"), Some(&Prop::DateUtc(when(0, None).wall)));
        let other = always(&tenant(), "JournalRule", 0, "New", None);
        assert_ne!(object.get("Guid"), other.get("Guid"));
    }

    #[test]
    fn a_write_says_when_it_was() {
        let mut shelf = Shelf::default();
        let number = add(&mut shelf, "Rule", when(0, None));
        let wall = "2026-02-01T00:00:00Z".parse().unwrap();
        shelf.write(RULE, number, [("Priority", Prop::Int(1))], When { wall, ..when(1, None) });
        let object = shelf.read(RULE, number, 1).unwrap();
        assert_eq!(object.get("WhenChangedUTC"), Some(&Prop::DateUtc(wall)));
        assert_eq!(object.get("WhenCreatedUTC"), Some(&Prop::DateUtc(when(0, None).wall)));
    }

    #[test]
    fn reads_lag_behind_for_a_while() {
        let mut shelf = Shelf::default();
        let number = add(&mut shelf, "Rule", when(1000, Some(2)));
        assert_eq!((shelf.find(RULE, "Rule", 2999), shelf.find(RULE, "Rule", 3000)), (None, Some(number)));
        assert_eq!(shelf.find_to_write(RULE, "Rule", 2999), None, "a write comes too early, too");
        assert!(shelf.is_taken(RULE, "rule"), "but its name is taken");
        shelf.write(RULE, number, [("Priority", Prop::Int(7))], when(4000, Some(2)));
        assert_eq!(priority(&shelf, number, 5999).as_deref(), Some("0"));
        assert_eq!(shelf.current(RULE, number).unwrap().text("Priority"), "7");
        shelf.write(RULE, number, [("Priority", Prop::Int(8))], when(5000, Some(2)));
        assert_eq!(
            priority(&shelf, number, 6999).as_deref(),
            Some("0"),
            "the first write is not shown before the second"
        );
        assert_eq!(priority(&shelf, number, 7000).as_deref(), Some("8"));
        shelf.remove(RULE, number, when(8000, Some(2)));
        assert_eq!(shelf.find(RULE, "Rule", 9999), Some(number), "a read still shows it");
        assert_eq!(shelf.find_to_write(RULE, "Rule", 9999), None, "a write does not find it");
        assert_eq!(shelf.find(RULE, "Rule", 10_000), None);
    }

    #[test]
    fn a_replication_delay_hides_new_objects_only() {
        let mut shelf = Shelf { replication: Duration::from_secs(6), ..Shelf::default() };
        let number = add(&mut shelf, "Rule", when(0, None));
        assert_eq!((shelf.find(RULE, "Rule", 5999), shelf.find(RULE, "Rule", 6000)), (None, Some(number)));
        shelf.write(RULE, number, [("Priority", Prop::Int(7))], when(7000, None));
        assert_eq!(priority(&shelf, number, 7000).as_deref(), Some("7"));
    }

    #[test]
    fn what_a_tenant_begins_with_is_there_once() {
        let mut shelf = Shelf::default();
        shelf.begin(RULE, || vec![always(&tenant(), RULE, 0, "Default", None)]);
        shelf.begin(RULE, || panic!("the second time nothing is made"));
        assert_eq!((shelf.find(RULE, "default", 0), shelf.len(RULE), shelf.changed()), (Some(0), 1, 0));
    }
}
