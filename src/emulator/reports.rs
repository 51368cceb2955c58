//! What is only read of a mailbox: its statistics and its inbox rules.

use jiff::SignedDuration;

use super::folders;
use super::mailbox::{EXCHANGE_GUID, GIB, OUTSIDE, Tenant};
use super::people;
use super::prop::{Object, Prop, size};
use super::random::{guid, mix};

const SIZE: u64 = 23;
const RULES: u64 = 24;
const ARCHIVE_SIZE: u64 = 28;
const FOLDER: u64 = 60;

impl Tenant {
    pub(super) fn statistics(&self, index: u64, archive: bool) -> Object {
        let random = mix(self.seed, index, if archive { ARCHIVE_SIZE } else { SIZE });
        let logon = self.created(index) + SignedDuration::from_hours(24 * 90);
        let id = guid(self.seed, index, EXCHANGE_GUID);
        Object::new(vec![
            ("Identity", Prop::text(id.to_string())),
            ("MailboxGuid", Prop::Guid(id)),
            ("DisplayName", Prop::text(self.person(index).display)),
            ("ItemCount", Prop::Int(i32::try_from(random % 120_000).expect("less than 120,000"))),
            ("DeletedItemCount", Prop::Int(i32::try_from(random % 900).expect("less than 900"))),
            ("TotalItemSize", Prop::text(size(random % (60 * GIB)))),
            ("TotalDeletedItemSize", Prop::text(size(random % GIB))),
            ("LastLogonTime", if self.never_logged_on(index) { Prop::Null } else { Prop::Date(logon) }),
            ("StorageLimitStatus", Prop::text("BelowLimit")),
            ("MailboxTypeDetail", Prop::text(people::kind(self.seed, index).details())),
            ("IsArchiveMailbox", Prop::Bool(archive)),
            ("IsValid", Prop::Bool(true)),
            ("ObjectState", Prop::text("Unchanged")),
        ])
    }

    /// One folder, by its number in [`folders::TYPES`]; `name` is the mailbox's.
    pub(super) fn folder_statistics(
        &self,
        index: u64,
        name: &str,
        number: usize,
        folder: &str,
        dates: bool,
    ) -> Object {
        let random = mix(self.seed, index, FOLDER + number as u64);
        let items = Prop::Int(i32::try_from(random % 9_000).expect("less than 9,000"));
        let bytes = Prop::text(size(random % (3 * GIB)));
        let newest = self.created(index) + SignedDuration::from_hours(24 * 90);
        let date = |at| if dates { Prop::Date(at) } else { Prop::Null };
        Object::new(vec![
            ("Identity", Prop::text(format!("{name}\\{folder}"))),
            ("Name", Prop::text(folder.to_owned())),
            ("FolderPath", Prop::text(format!("/{folder}"))),
            ("FolderId", Prop::text(guid(self.seed, index, FOLDER + number as u64).simple().to_string())),
            ("FolderType", Prop::text(folders::TYPES[number])),
            ("ItemsInFolder", items.clone()),
            ("DeletedItemsInFolder", Prop::Int(0)),
            ("FolderSize", bytes.clone()),
            ("ItemsInFolderAndSubfolders", items),
            ("FolderAndSubfolderSize", bytes),
            ("OldestItemReceivedDate", date(self.created(index))),
            ("NewestItemReceivedDate", date(newest)),
            ("IsValid", Prop::Bool(true)),
            ("ObjectState", Prop::text("Unchanged")),
        ])
    }

    /// A few mailboxes have rules, and some of those forward outside.
    pub(super) fn inbox_rules(&self, index: u64) -> Vec<Object> {
        let random = mix(self.seed, index, RULES);
        let other = (index + 1) % self.mailboxes.max(1);
        let rule =
            |number: u64, name: &'static str, forward: Vec<String>, redirect: Vec<String>, folder: Prop| {
                let id = guid(self.seed, index, RULES + number).as_u128() as u64;
                Object::new(vec![
                    ("Identity", Prop::text(format!("{}\\{id}", self.name(index)))),
                    ("RuleIdentity", Prop::text(id.to_string())),
                    ("Name", Prop::text(name)),
                    ("Enabled", Prop::Bool(number != 3)),
                    ("Priority", Prop::Int(i32::try_from(number).expect("a handful"))),
                    ("MailboxOwnerId", Prop::text(self.name(index))),
                    ("Description", Prop::text(format!("The rule \"{name}\""))),
                    ("ForwardTo", if forward.is_empty() { Prop::Null } else { Prop::List(forward) }),
                    ("ForwardAsAttachmentTo", Prop::Null),
                    ("RedirectTo", if redirect.is_empty() { Prop::Null } else { Prop::List(redirect) }),
                    ("MoveToFolder", folder),
                    ("DeleteMessage", Prop::Bool(false)),
                    ("StopProcessingRules", Prop::Bool(true)),
                    ("From", Prop::Null),
                    ("SubjectContainsWords", Prop::Null),
                    ("InError", Prop::Bool(false)),
                    ("IsValid", Prop::Bool(true)),
                    ("ObjectState", Prop::text("Unchanged")),
                ])
            };
        let outside = format!("\"Drop Box\" [SMTP:dropbox.{index}@{OUTSIDE}]");
        let inside = format!("\"{}\" [EX:{}]", self.person(other).display, self.legacy_dn(other));
        match random % 12 {
            0 => vec![
                rule(1, "forward", vec![outside], Vec::new(), Prop::Null),
                rule(2, "整理", Vec::new(), Vec::new(), Prop::text("Newsletters")),
            ],
            1 => vec![rule(1, "to a colleague", vec![inside], Vec::new(), Prop::Null)],
            2 => vec![rule(3, "old redirect", Vec::new(), vec![outside], Prop::Null)],
            3 => vec![rule(2, "tidy", Vec::new(), Vec::new(), Prop::text("Later"))],
            _ => Vec::new(),
        }
    }
}
