//! The mailboxes of the tenant, as `Get-Mailbox` shows them before any change.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::people::{self, Kind, Person};
use super::prop::{Object, Prop, size};
use super::random::{guid, mix};
use super::wanted::{Wanted, add};

/// Purposes of made-up GUIDs.
pub(super) const EXTERNAL_ID: u64 = 10;
pub(super) const GUID: u64 = 11;
pub(super) const EXCHANGE_GUID: u64 = 12;

const CREATED: u64 = 20;
const FORWARDS: u64 = 21;
const SYNCED: u64 = 27;

pub(super) const GIB: u64 = 1 << 30;

/// Where the external forwards go.
pub(super) const OUTSIDE: &str = "fabrikam.example";

/// What the tenant's objects have in common.
#[derive(Clone, Debug)]
pub(super) struct Tenant {
    pub(super) seed: u64,
    pub(super) mailboxes: u64,
    pub(super) id: Uuid,
    /// `contoso.onmicrosoft.com`
    pub(super) initial_domain: String,
    /// `contoso.example`
    pub(super) domain: String,
    /// Further accepted domains.
    pub(super) more_domains: Vec<String>,
}

impl Tenant {
    pub(super) fn new(seed: u64, mailboxes: u64, initial_domain: &str) -> Tenant {
        let label = initial_domain.split('.').next().unwrap_or("contoso");
        Tenant {
            seed,
            mailboxes,
            id: guid(seed, 0, 1),
            initial_domain: initial_domain.to_owned(),
            domain: format!("{label}.example"),
            more_domains: Vec::new(),
        }
    }

    pub(super) fn person(&self, index: u64) -> Person {
        people::person(self.seed, index)
    }

    /// `Name` and `Identity` of a mailbox: the display name and a number that makes it unique.
    pub(super) fn name(&self, index: u64) -> String {
        format!("{} {index}", self.person(index).display)
    }

    pub(super) fn address(&self, index: u64) -> String {
        format!("{}@{}", self.person(index).alias, self.domain)
    }

    pub(super) fn dn(&self, name: &str) -> String {
        let escaped = name.replace('\\', "\\\\").replace(',', "\\,").replace('+', "\\+").replace('"', "\\\"");
        let escaped = if escaped.starts_with('=') { format!("\\{escaped}") } else { escaped };
        format!(
            "CN={escaped},OU={},OU=Microsoft Exchange Hosted Organizations,DC=EMUPR01A001,DC=PROD,DC=OUTLOOK,DC=COM",
            self.initial_domain
        )
    }

    pub(super) fn created(&self, index: u64) -> Timestamp {
        let start: Timestamp = "2021-03-01T08:00:00Z".parse().expect("a literal");
        let seconds = mix(self.seed, index, CREATED) % (4 * 365 * 24 * 3600);
        start + SignedDuration::from_secs(i64::try_from(seconds).expect("four years of seconds"))
    }

    /// The properties that every directory object has.
    pub(super) fn directory_properties(
        &self,
        index: u64,
        name: &str,
        id: Uuid,
        class: &'static str,
    ) -> Vec<(&'static str, Prop)> {
        self.some_directory_properties(index, name, id, class, Wanted::ALL)
    }

    pub(super) fn some_directory_properties(
        &self,
        index: u64,
        name: &str,
        id: Uuid,
        class: &'static str,
        wanted: Wanted<'_>,
    ) -> Vec<(&'static str, Prop)> {
        let created = self.created(index);
        let changed = created + SignedDuration::from_hours(30);
        let mut p = Vec::new();
        add!(
            wanted,
            p,
            [
                ("Identity", Prop::text(name.to_owned())),
                ("Id", Prop::text(name.to_owned())),
                ("Name", Prop::text(name.to_owned())),
                ("Guid", Prop::Guid(id)),
                ("ExchangeObjectId", Prop::Guid(id)),
                ("DistinguishedName", Prop::text(self.dn(name))),
                ("ObjectCategory", Prop::text("EMUPR01A001.PROD.OUTLOOK.COM/Configuration/Schema/Person")),
                ("ObjectClass", Prop::List(vec!["top".into(), class.into()])),
                ("ObjectState", Prop::text("Unchanged")),
                ("IsValid", Prop::Bool(true)),
                ("WhenCreated", Prop::Date(created)),
                ("WhenCreatedUTC", Prop::DateUtc(created)),
                ("WhenChanged", Prop::Date(changed)),
                ("WhenChangedUTC", Prop::DateUtc(changed)),
                (
                    "OrganizationId",
                    Prop::text(format!(
                        "EMUPR01A001.PROD.OUTLOOK.COM/Microsoft Exchange Hosted Organizations/{0} - \
                     EMUPR01A001.PROD.OUTLOOK.COM/ConfigurationUnits/{0}/Configuration",
                        self.initial_domain
                    )),
                ),
                ("OriginatingServer", Prop::text("EMUPR01A01DC001.EMUPR01A001.PROD.OUTLOOK.COM")),
            ]
        );
        p
    }

    pub(super) fn legacy_dn(&self, index: u64) -> String {
        let id = guid(self.seed, index, EXTERNAL_ID).simple();
        format!("/o=ExchangeLabs/ou=Exchange Administrative Group/cn=Recipients/cn={id}")
    }

    /// Whether an untouched mailbox goes by this name or address, without making up all of it.
    pub(super) fn goes_by(&self, index: u64, identity: &str) -> bool {
        let same = |own: &str| own.to_lowercase() == identity.to_lowercase();
        let alias = self.person(index).alias;
        match identity.split_once('@') {
            Some((local, domain)) => {
                let ours = [&self.domain, &self.initial_domain];
                local.eq_ignore_ascii_case(&alias) && ours.iter().any(|own| own.eq_ignore_ascii_case(domain))
            }
            None => same(&alias) || same(&self.name(index)) || same(&self.dn(&self.name(index))),
        }
    }

    /// Whether the mailbox's user comes from a directory on premises.
    pub(super) fn is_synced(&self, index: u64) -> bool {
        index < self.mailboxes
            && people::kind(self.seed, index) == Kind::User
            && mix(self.seed, index, SYNCED) % 16 == 5
    }

    pub(super) fn mailbox(&self, index: u64, wanted: Wanted<'_>) -> Object {
        let person = self.person(index);
        let name = self.name(index);
        let primary = self.address(index);
        let external_id = guid(self.seed, index, EXTERNAL_ID);
        let addresses = || {
            let mut addresses = vec![
                format!("SMTP:{primary}"),
                format!("smtp:{}@{}", person.alias, self.initial_domain),
                format!("SPO:SPO_{external_id}@SPO_{}", self.id),
            ];
            if person.kind == Kind::User {
                addresses.push(format!("SIP:{primary}"));
            }
            addresses
        };
        let (forward_smtp, forward_recipient, deliver) = self.forward(index);
        let max_quota = if person.kind == Kind::User { 99 } else { 49 };
        let mut p =
            self.some_directory_properties(index, &name, guid(self.seed, index, GUID), "user", wanted);
        add!(
            wanted,
            p,
            [
                ("ExternalDirectoryObjectId", Prop::text(external_id.to_string())),
                ("ExchangeGuid", Prop::Guid(guid(self.seed, index, EXCHANGE_GUID))),
                ("Alias", Prop::text(person.alias.clone())),
                ("DisplayName", Prop::text(person.display)),
                ("SimpleDisplayName", Prop::text("")),
                ("UserPrincipalName", Prop::text(format!("{}@{}", person.alias, self.initial_domain))),
                ("WindowsLiveID", Prop::text(format!("{}@{}", person.alias, self.initial_domain))),
                (
                    "MicrosoftOnlineServicesID",
                    Prop::text(format!("{}@{}", person.alias, self.initial_domain))
                ),
                ("PrimarySmtpAddress", Prop::text(primary.clone())),
                ("WindowsEmailAddress", Prop::text(primary.clone())),
                ("EmailAddresses", Prop::List(addresses())),
                ("EmailAddressPolicyEnabled", Prop::Bool(false)),
                ("RecipientType", Prop::text("UserMailbox")),
                ("RecipientTypeDetails", Prop::text(person.kind.details())),
                ("IsShared", Prop::Bool(person.kind == Kind::Shared)),
                ("IsResource", Prop::Bool(person.kind == Kind::Room)),
                ("ResourceType", if person.kind == Kind::Room { Prop::text("Room") } else { Prop::Null }),
                ("IsMailboxEnabled", Prop::Bool(true)),
                ("AccountDisabled", Prop::Bool(person.kind != Kind::User)),
                ("ForwardingAddress", forward_recipient),
                ("ForwardingSmtpAddress", forward_smtp),
                ("DeliverToMailboxAndForward", Prop::Bool(deliver)),
                ("HiddenFromAddressListsEnabled", Prop::Bool(false)),
                ("GrantSendOnBehalfTo", Prop::List(Vec::new())),
                ("MaxSendSize", Prop::text(size(35 << 20))),
                ("MaxReceiveSize", Prop::text(size(36 << 20))),
                ("RecipientLimits", Prop::text("500")),
                ("UseDatabaseQuotaDefaults", Prop::Bool(false)),
                ("IssueWarningQuota", Prop::text(size((max_quota - 1) * GIB))),
                ("ProhibitSendQuota", Prop::text(size(max_quota * GIB))),
                ("ProhibitSendReceiveQuota", Prop::text(size((max_quota + 1) * GIB))),
                ("RecoverableItemsQuota", Prop::text(size(30 * GIB))),
                ("RecoverableItemsWarningQuota", Prop::text(size(20 * GIB))),
                ("ArchiveQuota", Prop::text(size(100 * GIB))),
                ("ArchiveStatus", Prop::text("None")),
                ("ArchiveState", Prop::text("None")),
                ("ArchiveName", Prop::List(Vec::new())),
                ("AutoExpandingArchiveEnabled", Prop::Bool(false)),
                ("RetainDeletedItemsFor", Prop::text("14.00:00:00")),
                ("SingleItemRecoveryEnabled", Prop::Bool(true)),
                ("RetentionHoldEnabled", Prop::Bool(false)),
                ("RetentionPolicy", Prop::text("Default MRM Policy")),
                ("LitigationHoldEnabled", Prop::Bool(false)),
                ("LitigationHoldDuration", Prop::text("Unlimited")),
                ("LitigationHoldDate", Prop::Null),
                ("LitigationHoldOwner", Prop::text("")),
                ("StartDateForRetentionHold", Prop::Null),
                ("EndDateForRetentionHold", Prop::Null),
                ("RetentionComment", Prop::text("")),
                ("RetentionUrl", Prop::text("")),
                ("ElcProcessingDisabled", Prop::Bool(false)),
                ("UseDatabaseRetentionDefaults", Prop::Bool(false)),
                ("CalendarRepairDisabled", Prop::Bool(false)),
                ("CalendarVersionStoreDisabled", Prop::Bool(false)),
                ("MessageTrackingReadStatusEnabled", Prop::Bool(true)),
                ("MessageCopyForSMTPClientSubmissionEnabled", Prop::Bool(false)),
                ("ExternalOofOptions", Prop::text("External")),
                ("ImmutableId", Prop::text("")),
                ("JournalArchiveAddress", Prop::text("")),
                ("MailboxRegion", Prop::Null),
                ("RulesQuota", Prop::text(size(256 << 10))),
                ("ResourceCapacity", Prop::Null),
                ("ResourceCustom", Prop::List(Vec::new())),
                ("StsRefreshTokensValidFrom", Prop::Null),
                ("DefaultAuditSet", Prop::List(["Admin", "Delegate", "Owner"].map(String::from).to_vec())),
                ("AuditEnabled", Prop::Bool(true)),
                ("AuditLogAgeLimit", Prop::text("90.00:00:00")),
                (
                    "AuditAdmin",
                    Prop::List(["Update", "MoveToDeletedItems", "SendAs"].map(String::from).to_vec())
                ),
                (
                    "AuditDelegate",
                    Prop::List(["Update", "SendAs", "SendOnBehalf"].map(String::from).to_vec())
                ),
                ("AuditOwner", Prop::List(["Update", "SoftDelete", "HardDelete"].map(String::from).to_vec())),
                ("MessageCopyForSentAsEnabled", Prop::Bool(false)),
                ("MessageCopyForSendOnBehalfEnabled", Prop::Bool(false)),
                ("RequireSenderAuthenticationEnabled", Prop::Bool(false)),
                ("ModerationEnabled", Prop::Bool(false)),
                ("ModeratedBy", Prop::List(Vec::new())),
                ("AcceptMessagesOnlyFrom", Prop::List(Vec::new())),
                ("AcceptMessagesOnlyFromDLMembers", Prop::List(Vec::new())),
                ("AcceptMessagesOnlyFromSendersOrMembers", Prop::List(Vec::new())),
                ("BypassModerationFromSendersOrMembers", Prop::List(Vec::new())),
                ("RejectMessagesFrom", Prop::List(Vec::new())),
                ("RejectMessagesFromDLMembers", Prop::List(Vec::new())),
                ("RejectMessagesFromSendersOrMembers", Prop::List(Vec::new())),
                ("SendModerationNotifications", Prop::text("Always")),
                ("MailTip", Prop::Null),
                ("MailTipTranslations", Prop::List(Vec::new())),
                ("Office", Prop::text("")),
                ("Languages", Prop::List(vec!["en-US".into()])),
                ("RoleAssignmentPolicy", Prop::text("Default Role Assignment Policy")),
                ("SharingPolicy", Prop::text("Default Sharing Policy")),
                ("AddressBookPolicy", Prop::Null),
                ("MailboxPlan", Prop::text("ExchangeOnlineEnterprise-emulator")),
                ("Database", Prop::text("EMUPR01DG001-db001")),
                ("ServerName", Prop::text("emupr01mb0001")),
                ("LegacyExchangeDN", Prop::text(self.legacy_dn(index))),
                ("IsDirSynced", Prop::Bool(self.is_synced(index))),
                ("IsSoftDeletedByRemove", Prop::Bool(false)),
                ("SKUAssigned", if person.kind == Kind::User { Prop::Bool(true) } else { Prop::Null }),
            ]
        );
        let custom = CUSTOM_ATTRIBUTES.into_iter().filter(|name| wanted.wants(name));
        p.extend(custom.map(|name| (name, Prop::text(""))));
        let extensions = EXTENSION_ATTRIBUTES.into_iter().filter(|name| wanted.wants(name));
        p.extend(extensions.map(|name| (name, Prop::List(Vec::new()))));
        Object::new(p)
    }

    /// ForwardingSmtpAddress, ForwardingAddress, DeliverToMailboxAndForward: a few forward, some of them outside.
    fn forward(&self, index: u64) -> (Prop, Prop, bool) {
        let other = (index + 1) % self.mailboxes.max(1);
        match mix(self.seed, index, FORWARDS) % 40 {
            0 => (Prop::text(format!("smtp:someone.{index}@{OUTSIDE}")), Prop::Null, false),
            1 => (Prop::text(format!("smtp:someone.{index}@{OUTSIDE}")), Prop::Null, true),
            2 => (Prop::text(format!("smtp:{}", self.address(other))), Prop::Null, true),
            3 => (Prop::Null, Prop::text(self.name(other)), true),
            _ => (Prop::Null, Prop::Null, false),
        }
    }
}

pub(super) const EXTENSION_ATTRIBUTES: [&str; 5] = [
    "ExtensionCustomAttribute1",
    "ExtensionCustomAttribute2",
    "ExtensionCustomAttribute3",
    "ExtensionCustomAttribute4",
    "ExtensionCustomAttribute5",
];

pub(super) const CUSTOM_ATTRIBUTES: [&str; 15] = [
    "CustomAttribute1",
    "CustomAttribute2",
    "CustomAttribute3",
    "CustomAttribute4",
    "CustomAttribute5",
    "CustomAttribute6",
    "CustomAttribute7",
    "CustomAttribute8",
    "CustomAttribute9",
    "CustomAttribute10",
    "CustomAttribute11",
    "CustomAttribute12",
    "CustomAttribute13",
    "CustomAttribute14",
    "CustomAttribute15",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wanted_is_made_and_it_is_the_same() {
        let tenant = Tenant::new(1, 50, "contoso.onmicrosoft.com");
        let names = ["identity".to_owned(), "EmailAddresses".to_owned(), "CustomAttribute3".to_owned()];
        let wanted = Wanted::only(Some(&names));
        for index in 0..50 {
            let (whole, some) = (tenant.mailbox(index, Wanted::ALL), tenant.mailbox(index, wanted));
            let write = |object: &Object| {
                let mut out = Vec::new();
                object.write(Some(&names), &mut out);
                out
            };
            assert_eq!(write(&whole), write(&some));
            assert!(some.get("Alias").is_none() && whole.get("Alias").is_some());
        }
    }
}
