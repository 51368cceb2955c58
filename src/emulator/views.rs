//! The mailboxes of the tenant, as `Get-CASMailbox` and `Get-User` show them before any change.

use super::mailbox::{EXTERNAL_ID, GUID, Tenant};
use super::people::Kind;
use super::prop::{Object, Prop};
use super::random::{guid, mix};
use super::wanted::{Wanted, add};

const PROTOCOLS: u64 = 22;

impl Tenant {
    pub(super) fn cas_mailbox(&self, index: u64, wanted: Wanted<'_>) -> Object {
        let person = self.person(index);
        let name = self.name(index);
        let random = mix(self.seed, index, PROTOCOLS);
        let nullable = |random: u64| match random % 4 {
            0 => Prop::Bool(true),
            1 => Prop::Bool(false),
            _ => Prop::Null,
        };
        let mut p =
            self.some_directory_properties(index, &name, guid(self.seed, index, GUID), "user", wanted);
        add!(
            wanted,
            p,
            [
                ("ExternalDirectoryObjectId", Prop::text(guid(self.seed, index, EXTERNAL_ID).to_string())),
                ("Alias", Prop::text(person.alias.clone())),
                ("DisplayName", Prop::text(person.display)),
                ("PrimarySmtpAddress", Prop::text(self.address(index))),
                ("EmailAddresses", Prop::List(vec![format!("SMTP:{}", self.address(index))])),
                ("LinkedMasterAccount", Prop::text("")),
                ("OWAEnabled", Prop::Bool(true)),
                ("OWAforDevicesEnabled", Prop::Bool(true)),
                ("PopEnabled", Prop::Bool(!random.is_multiple_of(8))),
                ("ImapEnabled", Prop::Bool(!random.is_multiple_of(8))),
                ("MAPIEnabled", Prop::Bool(true)),
                ("ActiveSyncEnabled", Prop::Bool(random % 16 != 1)),
                ("EwsEnabled", nullable(random >> 8)),
                ("EwsAllowOutlook", Prop::Null),
                ("EwsAllowMacOutlook", Prop::Null),
                ("EwsApplicationAccessPolicy", Prop::Null),
                ("EwsAllowList", Prop::List(Vec::new())),
                ("EwsBlockList", Prop::List(Vec::new())),
                ("SmtpClientAuthenticationDisabled", nullable(random >> 16)),
                ("OneWinNativeOutlookEnabled", Prop::Bool(true)),
                ("OutlookMobileEnabled", Prop::Bool(true)),
                ("MacOutlookEnabled", Prop::Bool(true)),
                ("UniversalOutlookEnabled", Prop::Bool(true)),
                ("OwaMailboxPolicy", Prop::text("OwaMailboxPolicy-Default")),
                ("ActiveSyncMailboxPolicy", Prop::text("Default")),
                ("ActiveSyncMailboxPolicyIsDefaulted", Prop::Bool(true)),
                ("ActiveSyncAllowedDeviceIDs", Prop::List(Vec::new())),
                ("ActiveSyncBlockedDeviceIDs", Prop::List(Vec::new())),
                ("PopUseProtocolDefaults", Prop::Bool(true)),
                ("ImapUseProtocolDefaults", Prop::Bool(true)),
                ("HasActiveSyncDevicePartnership", Prop::Bool(false)),
                ("ShowGalAsDefaultView", Prop::Bool(true)),
                ("ActiveSyncDebugLogging", Prop::Bool(false)),
                ("ActiveSyncSuppressReadReceipt", Prop::Bool(false)),
                ("EwsAllowEntourage", Prop::Null),
                ("ImapForceICalForCalendarRetrievalOption", Prop::Bool(false)),
                ("ImapMessagesRetrievalMimeFormat", Prop::text("BestBodyFormat")),
                ("ImapSuppressReadReceipt", Prop::Bool(false)),
                ("PopForceICalForCalendarRetrievalOption", Prop::Bool(false)),
                ("PopMessagesRetrievalMimeFormat", Prop::text("BestBodyFormat")),
                ("PopSuppressReadReceipt", Prop::Bool(false)),
                ("IsOptimizedForAccessibility", Prop::Bool(false)),
                ("PublicFolderClientAccess", Prop::Bool(false)),
            ]
        );
        Object::new(p)
    }

    pub(super) fn user(&self, index: u64, wanted: Wanted<'_>) -> Object {
        let person = self.person(index);
        let name = self.name(index);
        let upn = format!("{}@{}", person.alias, self.initial_domain);
        let mut p =
            self.some_directory_properties(index, &name, guid(self.seed, index, GUID), "user", wanted);
        add!(
            wanted,
            p,
            [
                ("ExternalDirectoryObjectId", Prop::text(guid(self.seed, index, EXTERNAL_ID).to_string())),
                ("DisplayName", Prop::text(person.display)),
                ("FirstName", Prop::text(person.first)),
                ("LastName", Prop::text(person.last)),
                ("UserPrincipalName", Prop::text(upn)),
                ("WindowsEmailAddress", Prop::text(self.address(index))),
                ("RecipientType", Prop::text("UserMailbox")),
                ("RecipientTypeDetails", Prop::text(person.kind.details())),
                ("Title", Prop::text("")),
                ("Department", Prop::text("")),
                ("Company", Prop::text("")),
                ("Office", Prop::text("")),
                ("Phone", Prop::text("")),
                ("MobilePhone", Prop::text("")),
                ("Manager", Prop::Null),
                ("IsDirSynced", Prop::Bool(self.is_synced(index))),
                ("VIP", Prop::Bool(false)),
                ("SeniorityIndex", Prop::Null),
                ("OtherFax", Prop::List(Vec::new())),
                ("OtherHomePhone", Prop::List(Vec::new())),
                ("OtherTelephone", Prop::List(Vec::new())),
                ("PostOfficeBox", Prop::List(Vec::new())),
                ("AuthenticationPolicy", Prop::Null),
                ("StsRefreshTokensValidFrom", Prop::Null),
                ("EXOModuleEnabled", Prop::Bool(true)),
                ("RemotePowerShellEnabled", Prop::Bool(true)),
                ("AccountDisabled", Prop::Bool(person.kind != Kind::User)),
            ]
        );
        let texts = USER_TEXTS.into_iter().filter(|name| wanted.wants(name));
        p.extend(texts.map(|name| (name, Prop::text(""))));
        Object::new(p)
    }
}

/// More of what a user's card says.
pub(super) const USER_TEXTS: [&str; 14] = [
    "AssistantName",
    "City",
    "CountryOrRegion",
    "Fax",
    "HomePhone",
    "Initials",
    "Notes",
    "Pager",
    "PhoneticDisplayName",
    "PostalCode",
    "SimpleDisplayName",
    "StateOrProvince",
    "StreetAddress",
    "WebPage",
];
