//! All objects of the tenant: made up when read, with what was changed laid over them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use uuid::Uuid;

use super::groups;
use super::mailbox::{EXCHANGE_GUID, EXTERNAL_ID, GUID, Tenant};
use super::people;
use super::prop::{Object, Prop};
use super::random::index_of;
use super::shelf::{Shelf, When};
use super::versions::{Versions, after};
use super::wanted::Wanted;

/// A kind of object of which each mailbox has one, with the mailbox's index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Class {
    Mailbox,
    CasMailbox,
    User,
    AutoReply,
    Regional,
    CalendarProcessing,
    JunkEmail,
}

type Changes = BTreeMap<&'static str, Prop>;

/// What was written to one object.
#[derive(Debug, Default)]
struct Overlay {
    changes: Versions<Changes>,
    /// Reads show these until the time, in milliseconds since boot, whatever was written.
    late: Option<(u64, Changes)>,
}

/// One entry of a mailbox's access list, added by a cmdlet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Permission {
    pub(super) user: String,
    pub(super) rights: Vec<String>,
    pub(super) deny: bool,
}

/// Who may send as a recipient, by the name that the list shows.
pub(super) type SendAs = Vec<String>;

/// One entry of a folder's access list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FolderPermission {
    pub(super) holder: Holder,
    pub(super) rights: Vec<String>,
    pub(super) flags: Vec<String>,
}

/// Whose entry of a folder's access list it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    Default,
    Anonymous,
    Mailbox(u64),
}

#[derive(Debug)]
pub(super) struct Directory {
    pub(super) tenant: Tenant,
    overlays: HashMap<(Class, u64), Overlay>,
    /// What cmdlets make.
    pub(super) shelf: Shelf,
    /// Access lists of mailboxes.
    pub(super) permissions: HashMap<u64, Versions<Vec<Permission>>>,
    /// By the GUID of the recipient that is sent as.
    pub(super) send_as: BTreeMap<Uuid, Versions<SendAs>>,
    /// Who is in a group, by GUIDs.
    pub(super) members: HashMap<Uuid, Versions<Vec<Uuid>>>,
    /// By mailbox and the folder's number.
    pub(super) folder_permissions: HashMap<(u64, usize), Versions<Vec<FolderPermission>>>,
    /// The culture of the folders' names, where it was changed.
    pub(super) folder_cultures: HashMap<u64, String>,
    /// Inbox rules, where they were changed.
    pub(super) rules: HashMap<u64, Versions<Vec<Object>>>,
    /// Mailboxes that a cmdlet made: their indexes follow those of the seed.
    created: u64,
    /// When reads begin to see a new mailbox.
    born: HashMap<u64, u64>,
    /// Removed mailboxes, and how long reads still show them.
    removed: BTreeMap<u64, u64>,
    purged: HashSet<u64>,
    /// A new type of a mailbox is not shown for this long.
    pub(super) type_flip: Duration,
}

impl Directory {
    pub(super) fn new(tenant: Tenant) -> Directory {
        let mut shelf = Shelf::default();
        let members = groups::begin(&mut shelf, &tenant);
        Directory {
            tenant,
            overlays: HashMap::new(),
            shelf,
            members: members.into_iter().map(|(group, list)| (group, Versions::new(list))).collect(),
            permissions: HashMap::new(),
            send_as: BTreeMap::new(),
            folder_permissions: HashMap::new(),
            folder_cultures: HashMap::new(),
            rules: HashMap::new(),
            created: 0,
            born: HashMap::new(),
            removed: BTreeMap::new(),
            purged: HashSet::new(),
            type_flip: Duration::ZERO,
        }
    }

    /// How many objects of the class there are; their indexes are below it, and not all of them need to be taken.
    pub(super) fn len(&self, _class: Class) -> u64 {
        self.tenant.mailboxes + self.created
    }

    /// Whether a read at `now` sees an object of this index.
    pub(super) fn is_there(&self, _class: Class, index: u64, now: u64) -> bool {
        self.born.get(&index).is_none_or(|born| *born <= now)
            && self.removed.get(&index).is_none_or(|until| now < *until)
    }

    /// Makes a mailbox of these properties and returns its index.
    pub(super) fn create(&mut self, changes: impl FnOnce(&Tenant, u64) -> Changes, when: When) -> u64 {
        let index = self.len(Class::Mailbox);
        let changes = Versions::new(changes(&self.tenant, index));
        self.overlays.insert((Class::Mailbox, index), Overlay { changes, late: None });
        self.created += 1;
        let delay = when.stale.unwrap_or_default().max(self.shelf.replication);
        if !delay.is_zero() {
            self.born.insert(index, after(when.now, delay));
        }
        index
    }

    /// Removes a mailbox; `purge` leaves nothing to be found among the soft-deleted ones.
    pub(super) fn remove(&mut self, index: u64, purge: bool, now: u64, stale: Option<Duration>) {
        self.removed.insert(index, after(now, stale.unwrap_or_default()));
        if purge {
            self.purged.insert(index);
        }
    }

    /// The removed mailboxes that can still be seen as such.
    pub(super) fn soft_deleted(&self) -> impl Iterator<Item = u64> {
        self.removed.keys().copied().filter(|index| !self.purged.contains(index))
    }

    /// Whether a group or contact goes by this name or address, seen by reads or not.
    pub(super) fn shelf_has(&self, name: &str) -> bool {
        groups::NOUNS.into_iter().any(|noun| self.shelf.is_taken(noun, name))
    }

    /// The name of a mailbox.
    pub(super) fn name(&self, index: u64) -> String {
        let overlay = self.overlays.get(&(Class::Mailbox, index));
        match overlay.and_then(|overlay| overlay.changes.current().get("Name")) {
            Some(Prop::Text(name)) => name.clone().into_owned(),
            _ => self.tenant.name(index),
        }
    }

    /// The object as a read at `now` shows it.
    pub(super) fn read(&self, class: Class, index: u64, now: u64) -> Object {
        self.read_some(class, index, now, Wanted::ALL)
    }

    /// The same with the wanted properties; others may be there, too.
    pub(super) fn read_some(&self, class: Class, index: u64, now: u64, wanted: Wanted<'_>) -> Object {
        let mut object = self.object(class, index, wanted, |overlay| overlay.changes.read(now));
        if let Some(Overlay { late: Some((until, old)), .. }) = self.overlays.get(&(class, index))
            && now < *until
        {
            for (name, prop) in old {
                object.set(name, prop.clone());
            }
        }
        object
    }

    /// The object as it is, whatever reads still show.
    pub(super) fn current(&self, class: Class, index: u64) -> Object {
        self.object(class, index, Wanted::ALL, |overlay| overlay.changes.current())
    }

    fn object(
        &self,
        class: Class,
        index: u64,
        wanted: Wanted<'_>,
        version: impl Fn(&Overlay) -> &Changes,
    ) -> Object {
        let tenant = &self.tenant;
        let mut object = match class {
            Class::Mailbox => tenant.mailbox(index, wanted),
            Class::CasMailbox => tenant.cas_mailbox(index, wanted),
            Class::User => tenant.user(index, wanted),
            Class::AutoReply => tenant.auto_reply(index),
            Class::Regional => tenant.regional(index),
            Class::CalendarProcessing => tenant.calendar_processing(index),
            Class::JunkEmail => tenant.junk_email(index),
        };
        // What is one of each mailbox goes by the mailbox's name.
        if class != Class::Mailbox && self.overlays.contains_key(&(Class::Mailbox, index)) {
            let name = self.name(index);
            for own in ["Identity", "Id", "Name", "MailboxOwnerId"] {
                if object.get(own).is_some() {
                    object.set(own, Prop::text(name.clone()));
                }
            }
        }
        if let Some(overlay) = self.overlays.get(&(class, index)) {
            for (name, prop) in version(overlay) {
                object.set(name, prop.clone());
            }
        }
        object
    }

    /// Reads show these values of the object until `until`, whatever is written.
    pub(super) fn show_late(&mut self, class: Class, index: u64, old: Changes, until: u64) {
        self.overlays.entry((class, index)).or_default().late = Some((until, old));
    }

    /// The mailbox's RecipientTypeDetails, without making up all of it.
    pub(super) fn type_details(&self, index: u64, now: u64) -> String {
        if self.overlays.contains_key(&(Class::Mailbox, index)) {
            return self.read(Class::Mailbox, index, now).text("RecipientTypeDetails").into_owned();
        }
        people::kind(self.tenant.seed, index).details().to_owned()
    }

    /// Writes properties; reads go on showing the old ones for `stale`.
    pub(super) fn write(
        &mut self,
        class: Class,
        index: u64,
        changes: Changes,
        now: u64,
        stale: Option<Duration>,
    ) {
        let overlay = self.overlays.entry((class, index)).or_default();
        // A property that was never written has no overlay; the base value shows through.
        overlay.changes.write(now, stale).extend(changes);
    }

    /// Objects that differ from what the seed made, or are new or gone.
    pub(super) fn changed(&self) -> usize {
        self.overlays.len() + self.removed.len() + self.shelf.changed()
    }

    /// The object that an `-Identity` names.
    pub(super) fn find(&self, _class: Class, identity: &str) -> Option<u64> {
        self.find_mailbox(identity, |index| !self.removed.contains_key(&index))
    }

    /// The soft-deleted mailbox that an `-Identity` names.
    pub(super) fn find_soft_deleted(&self, identity: &str) -> Option<u64> {
        self.find_mailbox(identity, |index| {
            self.removed.contains_key(&index) && !self.purged.contains(&index)
        })
    }

    /// The mailbox of this name among those that `counts` says yes to.
    fn find_mailbox(&self, identity: &str, counts: impl Fn(u64) -> bool) -> Option<u64> {
        let tenant = &self.tenant;
        let all = self.len(Class::Mailbox);
        if let Ok(id) = Uuid::parse_str(identity) {
            return [EXTERNAL_ID, GUID, EXCHANGE_GUID]
                .into_iter()
                .find_map(|purpose| index_of(tenant.seed, purpose, id))
                .filter(|index| *index < all && counts(*index));
        }
        // Made-up names end in the index; where one was changed, the object is among the overlays.
        let local = identity.split('@').next().unwrap_or(identity);
        let local = local.strip_prefix("CN=").and_then(|dn| dn.split(",OU=").next()).unwrap_or(local);
        let guess = people::index_at_end(local).filter(|index| *index < tenant.mailboxes);
        if let Some(index) = guess
            && !self.overlays.contains_key(&(Class::Mailbox, index))
            && counts(index)
            && tenant.goes_by(index, identity)
        {
            return Some(index);
        }
        let legacy = identity.rsplit_once("/cn=").and_then(|(_, id)| Uuid::parse_str(id).ok());
        let by_legacy =
            legacy.and_then(|id| index_of(tenant.seed, EXTERNAL_ID, id)).filter(|index| *index < all);
        let changed =
            || self.overlays.keys().filter(|(class, _)| *class == Class::Mailbox).map(|(_, index)| *index);
        guess
            .into_iter()
            .chain(by_legacy)
            .chain(changed())
            .filter(|index| counts(*index))
            .find(|index| is_called(&self.current(Class::Mailbox, *index), identity))
            .or_else(|| self.only_one_displayed_as(identity, counts))
    }

    /// A display name counts if it is unique.
    fn only_one_displayed_as(&self, identity: &str, counts: impl Fn(u64) -> bool) -> Option<u64> {
        let mut found =
            (0..self.len(Class::Mailbox)).filter(|index| counts(*index)).filter(|index| {
                match self.overlays.get(&(Class::Mailbox, *index)) {
                    Some(_) => self.current(Class::Mailbox, *index).text("DisplayName") == identity,
                    None => people::display(self.tenant.seed, *index) == identity,
                }
            });
        found.next().filter(|_| found.next().is_none())
    }
}

fn is_called(mailbox: &Object, identity: &str) -> bool {
    let by_name = [
        "Identity",
        "Alias",
        "Name",
        "UserPrincipalName",
        "PrimarySmtpAddress",
        "DistinguishedName",
        "LegacyExchangeDN",
    ]
    .iter()
    .any(|name| equal(&mailbox.text(name), identity));
    by_name || {
        let Some(Prop::List(addresses)) = mailbox.get("EmailAddresses") else { return false };
        addresses.iter().any(|address| {
            address
                .split_once(':')
                .is_some_and(|(kind, rest)| kind.eq_ignore_ascii_case("smtp") && equal(rest, identity))
        })
    }
}

fn equal(a: &str, b: &str) -> bool {
    a == b || a.to_lowercase() == b.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(mailboxes: u64) -> Directory {
        Directory::new(Tenant::new(1, mailboxes, "contoso.onmicrosoft.com"))
    }

    #[test]
    fn a_mailbox_is_found_by_everything_the_service_accepts() {
        let directory = directory(100_000);
        for index in [0, 3, 49, 99_999] {
            let mailbox = directory.read(Class::Mailbox, index, 0);
            for name in [
                "ExternalDirectoryObjectId",
                "Guid",
                "ExchangeObjectId",
                "ExchangeGuid",
                "Identity",
                "Name",
                "Alias",
                "PrimarySmtpAddress",
                "UserPrincipalName",
                "DistinguishedName",
            ] {
                let identity = mailbox.text(name).into_owned();
                assert_eq!(directory.find(Class::Mailbox, &identity), Some(index), "{name} {identity}");
                assert_eq!(
                    directory.find(Class::CasMailbox, &identity.to_uppercase()),
                    Some(index),
                    "{name}"
                );
            }
        }
        for nobody in ["nobody", "", "taro.yamada.999999999", "00000000-0000-0000-0000-000000000000", "../x"]
        {
            assert_eq!(directory.find(Class::Mailbox, nobody), None, "{nobody}");
        }
    }

    #[test]
    fn a_changed_name_is_found_and_the_old_one_is_not() {
        let mut directory = directory(10);
        let old = directory.current(Class::Mailbox, 4).text("Alias").into_owned();
        directory.write(Class::Mailbox, 4, Changes::from([("Alias", Prop::text("brand-new"))]), 0, None);
        assert_eq!(directory.find(Class::Mailbox, "brand-new"), Some(4));
        let found = directory.find(Class::Mailbox, &old);
        assert_eq!(found, None, "only by its addresses, which were not changed");
    }

    #[test]
    fn stale_reads_show_the_old_value_for_a_while() {
        let mut directory = directory(10);
        let read = |directory: &Directory, now| {
            directory.read(Class::CasMailbox, 1, now).text("MAPIEnabled").into_owned()
        };
        let off = || Changes::from([("MAPIEnabled", Prop::Bool(false))]);
        directory.write(Class::CasMailbox, 1, off(), 1000, Some(Duration::from_secs(2)));
        assert_eq!((read(&directory, 2999), read(&directory, 3000)), ("True".into(), "False".into()));
        assert_eq!(directory.current(Class::CasMailbox, 1).text("MAPIEnabled"), "False");
    }
}
