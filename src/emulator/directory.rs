//! All objects of the tenant: made up when read, with what was changed laid over them.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use uuid::Uuid;

use super::mailbox::{EXCHANGE_GUID, EXTERNAL_ID, GUID, Tenant};
use super::people;
use super::prop::{Object, Prop};
use super::random::index_of;
use super::shelf::Shelf;

/// A kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Class {
    Mailbox,
    CasMailbox,
    User,
    AutoReply,
}

type Changes = BTreeMap<&'static str, Prop>;

/// What was written to one object.
#[derive(Debug, Default)]
struct Overlay {
    now: Changes,
    /// Reads show this until the time, in milliseconds since boot.
    stale: Option<(u64, Changes)>,
}

/// One entry of a mailbox's access list, added by a cmdlet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Permission {
    pub(super) user: String,
    pub(super) rights: Vec<String>,
    pub(super) deny: bool,
}

#[derive(Debug)]
pub(super) struct Directory {
    pub(super) tenant: Tenant,
    overlays: HashMap<(Class, u64), Overlay>,
    permissions: HashMap<u64, Vec<Permission>>,
    /// What cmdlets make.
    pub(super) shelf: Shelf,
}

impl Directory {
    pub(super) fn new(tenant: Tenant) -> Directory {
        Directory { tenant, overlays: HashMap::new(), permissions: HashMap::new(), shelf: Shelf::default() }
    }

    /// How many objects of the class there are; their indexes are below it.
    pub(super) fn len(&self, class: Class) -> u64 {
        match class {
            Class::Mailbox | Class::CasMailbox | Class::User | Class::AutoReply => self.tenant.mailboxes,
        }
    }

    /// The object as a read at `now` shows it.
    pub(super) fn read(&self, class: Class, index: u64, now: u64) -> Object {
        self.object(class, index, |overlay| match &overlay.stale {
            Some((until, old)) if now < *until => old,
            _ => &overlay.now,
        })
    }

    /// The object as it is, whatever reads still show.
    pub(super) fn current(&self, class: Class, index: u64) -> Object {
        self.object(class, index, |overlay| &overlay.now)
    }

    fn object(&self, class: Class, index: u64, version: impl Fn(&Overlay) -> &Changes) -> Object {
        let tenant = &self.tenant;
        let mut object = match class {
            Class::Mailbox => tenant.mailbox(index),
            Class::CasMailbox => tenant.cas_mailbox(index),
            Class::User => tenant.user(index),
            Class::AutoReply => tenant.auto_reply(index),
        };
        if let Some(overlay) = self.overlays.get(&(class, index)) {
            for (name, prop) in version(overlay) {
                object.set(name, prop.clone());
            }
        }
        object
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
        overlay.stale = stale.map(|stale| {
            let old = match overlay.stale.take() {
                Some((until, old)) if now < until => old,
                _ => overlay.now.clone(),
            };
            // A property that was never written has no overlay; the base value shows through.
            (now.saturating_add(u64::try_from(stale.as_millis()).unwrap_or(u64::MAX)), old)
        });
        overlay.now.extend(changes);
    }

    /// Objects that differ from what the seed made, or are new or gone.
    pub(super) fn changed(&self) -> usize {
        self.overlays.len() + self.shelf.changed()
    }

    pub(super) fn permissions(&self, index: u64) -> &[Permission] {
        self.permissions.get(&index).map_or(&[], Vec::as_slice)
    }

    pub(super) fn permissions_mut(&mut self, index: u64) -> &mut Vec<Permission> {
        self.permissions.entry(index).or_default()
    }

    /// The object that an `-Identity` names.
    pub(super) fn find(&self, class: Class, identity: &str) -> Option<u64> {
        match class {
            Class::Mailbox | Class::CasMailbox | Class::User | Class::AutoReply => {
                self.find_mailbox(identity)
            }
        }
    }

    fn find_mailbox(&self, identity: &str) -> Option<u64> {
        let tenant = &self.tenant;
        if let Ok(id) = Uuid::parse_str(identity) {
            return [EXTERNAL_ID, GUID, EXCHANGE_GUID]
                .into_iter()
                .find_map(|purpose| index_of(tenant.seed, purpose, id))
                .filter(|index| *index < tenant.mailboxes);
        }
        // Made-up names end in the index; where one was changed, the object is among the overlays.
        let local = identity.split('@').next().unwrap_or(identity);
        let local = local.strip_prefix("CN=").and_then(|dn| dn.split(",OU=").next()).unwrap_or(local);
        let guess = people::index_at_end(local).filter(|index| *index < tenant.mailboxes);
        let changed =
            || self.overlays.keys().filter(|(class, _)| *class == Class::Mailbox).map(|(_, index)| *index);
        guess
            .into_iter()
            .chain(changed())
            .find(|index| is_called(&self.current(Class::Mailbox, *index), identity))
            .or_else(|| self.only_one_displayed_as(identity))
    }

    /// A display name counts if it is unique.
    fn only_one_displayed_as(&self, identity: &str) -> Option<u64> {
        let mut found =
            (0..self.tenant.mailboxes).filter(|index| match self.overlays.get(&(Class::Mailbox, *index)) {
                Some(_) => self.current(Class::Mailbox, *index).text("DisplayName") == identity,
                None => people::display(self.tenant.seed, *index) == identity,
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
