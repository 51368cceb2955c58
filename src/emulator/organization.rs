//! The tenant's own settings: transport, organization, domains.

use super::mailbox::Tenant;
use super::prop::{Object, Prop, size};
use super::random::guid;

const CONFIG: u64 = 40;
const REMOTE_DOMAIN: u64 = 41;
const ACCEPTED_DOMAIN: u64 = 42;

/// Organization objects are numbered far away from the mailboxes, so that their made-up dates differ.
const FAR: u64 = 1 << 40;

impl Tenant {
    pub(super) fn transport_config(&self) -> Object {
        let mut p = self.directory_properties(
            FAR,
            "Transport Settings",
            guid(self.seed, 0, CONFIG),
            "msExchTransportSettings",
        );
        p.extend([
            ("AdminDisplayName", Prop::text("")),
            ("SmtpClientAuthenticationDisabled", Prop::Bool(false)),
            ("AllowLegacyTLSClients", Prop::Null),
            ("MessageExpiration", Prop::text("1.00:00:00")),
            ("MaxSendSize", Prop::text("Unlimited")),
            ("MaxReceiveSize", Prop::text("Unlimited")),
            ("MaxRecipientEnvelopeLimit", Prop::text("Unlimited")),
            ("ExternalPostmasterAddress", Prop::Null),
            ("JournalingReportNdrTo", Prop::text("<>")),
            ("ClearCategories", Prop::Bool(true)),
            ("ConvertDisclaimerWrapperToEml", Prop::Bool(false)),
            ("AddressBookPolicyRoutingEnabled", Prop::Bool(false)),
            ("ExternalDelayDsnEnabled", Prop::Bool(true)),
            ("InternalDelayDsnEnabled", Prop::Bool(true)),
            ("Rfc2231EncodingEnabled", Prop::Bool(false)),
            ("HeaderPromotionModeSetting", Prop::text("NoCreate")),
            ("ReplyAllStormProtectionEnabled", Prop::Bool(true)),
            ("ReplyAllStormBlockDurationHours", Prop::Int(6)),
            ("ReplyAllStormDetectionMinimumRecipients", Prop::Int(2500)),
            ("ReplyAllStormDetectionMinimumReplies", Prop::Int(10)),
            ("DSNConversionMode", Prop::text("UseExchangeDSNs")),
            ("JournalMessageExpirationDays", Prop::Int(0)),
        ]);
        Object::new(p)
    }

    pub(super) fn organization_config(&self) -> Object {
        let name = self.initial_domain.clone();
        let mut p = self.directory_properties(
            FAR + 1,
            &name,
            guid(self.seed, 1, CONFIG),
            "msExchOrganizationContainer",
        );
        p.extend([
            ("DisplayName", Prop::text("Contoso コントソ")),
            ("ExternalDirectoryOrganizationId", Prop::text(self.id.to_string())),
            ("AuditDisabled", Prop::Bool(false)),
            ("OAuth2ClientProfileEnabled", Prop::Bool(true)),
            ("MailTipsAllTipsEnabled", Prop::Bool(true)),
            ("MailTipsExternalRecipientsTipsEnabled", Prop::Bool(false)),
            ("MailTipsGroupMetricsEnabled", Prop::Bool(true)),
            ("MailTipsMailboxSourcedTipsEnabled", Prop::Bool(true)),
            ("MailTipsLargeAudienceThreshold", Prop::Int(25)),
            ("DefaultAuthenticationPolicy", Prop::Null),
            ("EwsEnabled", Prop::Null),
            ("EwsAllowList", Prop::List(Vec::new())),
            ("EwsBlockList", Prop::List(Vec::new())),
            ("EwsApplicationAccessPolicy", Prop::Null),
            ("SendFromAliasEnabled", Prop::Bool(false)),
            ("FocusedInboxOn", Prop::Null),
            ("BookingsEnabled", Prop::Bool(true)),
            ("AutoExpandingArchiveEnabled", Prop::Bool(false)),
            ("ActivityBasedAuthenticationTimeoutEnabled", Prop::Bool(true)),
            ("ActivityBasedAuthenticationTimeoutInterval", Prop::text("06:00:00")),
            ("AutodiscoverPartialDirSync", Prop::Bool(false)),
            ("ConnectorsEnabled", Prop::Bool(true)),
            ("CustomerLockboxEnabled", Prop::Bool(false)),
            ("DirectReportsGroupAutoCreationEnabled", Prop::Bool(false)),
            ("IPListBlocked", Prop::List(Vec::new())),
            ("IsDehydrated", Prop::Bool(false)),
            ("LeanPopoutEnabled", Prop::Bool(false)),
            ("OutlookMobileGCCRestrictionsEnabled", Prop::Bool(false)),
            ("PublicFoldersEnabled", Prop::text("Local")),
            ("ReadTrackingEnabled", Prop::Bool(false)),
            ("RejectDirectSend", Prop::Bool(false)),
            ("DefaultPublicFolderProhibitPostQuota", Prop::text(size(2 << 30))),
        ]);
        Object::new(p)
    }

    pub(super) fn remote_domain(&self) -> Object {
        let mut p = self.directory_properties(
            FAR + 2,
            "Default",
            guid(self.seed, 0, REMOTE_DOMAIN),
            "msExchDomainContentConfig",
        );
        p.extend([
            ("DomainName", Prop::text("*")),
            ("IsInternal", Prop::Bool(false)),
            ("TargetDeliveryDomain", Prop::Bool(false)),
            ("AllowedOOFType", Prop::text("External")),
            ("AutoReplyEnabled", Prop::Bool(true)),
            ("AutoForwardEnabled", Prop::Bool(true)),
            ("DeliveryReportEnabled", Prop::Bool(true)),
            ("NDREnabled", Prop::Bool(true)),
            ("MeetingForwardNotificationEnabled", Prop::Bool(false)),
            ("ContentType", Prop::text("MimeHtmlText")),
            ("DisplaySenderName", Prop::Bool(true)),
            ("TNEFEnabled", Prop::Null),
            ("LineWrapSize", Prop::text("Unlimited")),
            ("CharacterSet", Prop::text("iso-8859-1")),
            ("NonMimeCharacterSet", Prop::text("iso-8859-1")),
            ("TrustedMailOutboundEnabled", Prop::Bool(false)),
            ("TrustedMailInboundEnabled", Prop::Bool(false)),
        ]);
        Object::new(p)
    }

    pub(super) fn accepted_domains(&self) -> Vec<String> {
        let label = self.domain.split('.').next().unwrap_or("contoso");
        vec![
            self.initial_domain.clone(),
            self.domain.clone(),
            format!("{label}.mail.onmicrosoft.com"),
            format!("{label}-relay.example"),
        ]
    }

    pub(super) fn accepted_domain(&self, index: u64) -> Object {
        let name = usize::try_from(index)
            .ok()
            .and_then(|i| self.accepted_domains().into_iter().nth(i))
            .unwrap_or_default();
        let id = guid(self.seed, index, ACCEPTED_DOMAIN);
        let mut p = self.directory_properties(FAR + 10 + index, &name, id, "msExchAcceptedDomain");
        p.extend([
            ("DomainName", Prop::text(name)),
            ("DomainType", Prop::text(if index == 3 { "InternalRelay" } else { "Authoritative" })),
            ("Default", Prop::Bool(index == 1)),
            ("InitialDomain", Prop::Bool(index == 0)),
            ("IsCoexistenceDomain", Prop::Bool(index == 2)),
            ("MatchSubDomains", Prop::Bool(false)),
            ("SendingFromDomainDisabled", Prop::Bool(false)),
            ("OutboundOnly", Prop::Bool(false)),
            ("AuthenticationType", Prop::text("Managed")),
        ]);
        Object::new(p)
    }
}
