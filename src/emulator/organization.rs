//! The tenant's own settings and its mail flow, as far as more is known than parameters. Source: protocol reference, 6.3.

use super::mailbox::Tenant;
use super::nouns::Value::{InitialDomain, Is, List, Null, Number, TenantId, Text};
use super::nouns::{INITIAL_DOMAIN, Noun, Start, Values};
use super::prop::Prop;

pub(super) const NOUNS: &[Noun] = &[
    Noun::new("OrganizationConfig", ORGANIZATION)
        .starts(&[(INITIAL_DOMAIN, &[])])
        .words(&[("EwsApplicationAccessPolicy", &["EnforceAllowList", "EnforceBlockList"])])
        .without(&["AutoExpandingArchive"]),
    Noun::new("TransportConfig", TRANSPORT).starts(&[("Transport Settings", &[])]),
    Noun::new("TransportRule", TRANSPORT_RULE).without(&["Enabled"]),
    Noun::new("RemoteDomain", REMOTE_DOMAIN).starts(&[("Default", &[("DomainName", Text("*"))])]),
    Noun { start: Start::Domains, ..Noun::new("AcceptedDomain", ACCEPTED_DOMAIN) },
    Noun::new("InboundConnector", INBOUND).words(CONNECTOR_WORDS),
    Noun::new("OutboundConnector", OUTBOUND).words(CONNECTOR_WORDS),
    Noun::new("AdminAuditLogConfig", AUDIT_LOG).starts(&[("Admin Audit Log Settings", &[])]),
    Noun::new("ExternalInOutlook", EXTERNAL).starts(&[("ExternalInOutlook", &[])]),
    Noun::new("OwaMailboxPolicy", OWA).starts(&[("OwaMailboxPolicy-Default", &[("IsDefault", Is(true))])]),
    Noun::new("SharingPolicy", SHARING).starts(&[("Default Sharing Policy", DEFAULT_SHARING)]),
    Noun::new("AuthenticationPolicy", &[]),
    Noun::new("RoleAssignmentPolicy", &[("IsDefault", Is(false)), ("AssignedRoles", List(&[]))])
        .starts(&[(
            "Default Role Assignment Policy",
            &[("IsDefault", Is(true)), ("AssignedRoles", List(&["MyBaseOptions", "MyContactInformation"]))],
        )])
        .without(&["Roles"]),
    Noun::new("JournalRule", &[("Enabled", Is(true)), ("Scope", Text("Global"))]),
];

const CONNECTOR_WORDS: &[(&str, &[&str])] = &[
    ("ConnectorType", &["OnPremises", "Partner"]),
    ("ConnectorSource", &["AdminUI", "Default", "HybridWizard", "Migrated"]),
    ("TlsSettings", &["EncryptionOnly", "CertificateValidation", "DomainValidation"]),
];

const ORGANIZATION: Values = &[
    ("DisplayName", Text("Contoso コントソ")),
    ("ExternalDirectoryOrganizationId", TenantId),
    ("AuditDisabled", Is(false)),
    ("OAuth2ClientProfileEnabled", Is(true)),
    ("MailTipsAllTipsEnabled", Is(true)),
    ("MailTipsGroupMetricsEnabled", Is(true)),
    ("MailTipsMailboxSourcedTipsEnabled", Is(true)),
    ("MailTipsLargeAudienceThreshold", Number(25)),
    ("DefaultAuthenticationPolicy", Null),
    ("EwsEnabled", Null),
    ("EwsApplicationAccessPolicy", Null),
    ("FocusedInboxOn", Null),
    ("BookingsEnabled", Is(true)),
    ("AutoExpandingArchiveEnabled", Is(false)),
    ("ActivityBasedAuthenticationTimeoutEnabled", Is(true)),
    ("ActivityBasedAuthenticationTimeoutInterval", Text("06:00:00")),
    ("AutodiscoverPartialDirSync", Is(false)),
    ("ConnectorsEnabled", Is(true)),
    ("IPListBlocked", List(&[])),
    ("IsDehydrated", Is(false)),
    ("PublicFoldersEnabled", Text("Local")),
    ("DefaultPublicFolderProhibitPostQuota", Text("2 GB (2,147,483,648 bytes)")),
    ("InitialDomain", InitialDomain),
];

const TRANSPORT: Values = &[
    ("AllowLegacyTLSClients", Null),
    ("MessageExpiration", Text("1.00:00:00")),
    ("MaxRecipientEnvelopeLimit", Text("Unlimited")),
    ("MaxSendSize", Text("Unlimited")),
    ("MaxReceiveSize", Text("Unlimited")),
    ("ExternalPostmasterAddress", Null),
    ("JournalingReportNdrTo", Text("<>")),
    ("ClearCategories", Is(true)),
    ("ExternalDelayDsnEnabled", Is(true)),
    ("InternalDelayDsnEnabled", Is(true)),
    ("HeaderPromotionModeSetting", Text("NoCreate")),
    ("ReplyAllStormProtectionEnabled", Is(true)),
    ("ReplyAllStormBlockDurationHours", Number(6)),
    ("ReplyAllStormDetectionMinimumRecipients", Number(2500)),
    ("ReplyAllStormDetectionMinimumReplies", Number(10)),
    ("DSNConversionMode", Text("UseExchangeDSNs")),
];

const TRANSPORT_RULE: Values = &[
    ("State", Text("Enabled")),
    ("Mode", Text("Enforce")),
    ("RuleErrorAction", Text("Ignore")),
    ("SenderAddressLocation", Text("Header")),
    ("RuleVersion", Text("14.0.0.0")),
    ("Conditions", List(&[])),
    ("Exceptions", List(&[])),
    ("Actions", List(&[])),
];

const REMOTE_DOMAIN: Values = &[
    ("IsInternal", Is(false)),
    ("AllowedOOFType", Text("External")),
    ("AutoReplyEnabled", Is(true)),
    ("AutoForwardEnabled", Is(true)),
    ("DeliveryReportEnabled", Is(true)),
    ("NDREnabled", Is(true)),
    ("ContentType", Text("MimeHtmlText")),
    ("DisplaySenderName", Is(true)),
    ("TNEFEnabled", Null),
    ("LineWrapSize", Text("Unlimited")),
    ("CharacterSet", Text("iso-8859-1")),
    ("NonMimeCharacterSet", Text("iso-8859-1")),
];

const ACCEPTED_DOMAIN: Values = &[("AuthenticationType", Text("Managed"))];

const INBOUND: Values = &[
    ("Enabled", Is(true)),
    ("ConnectorType", Text("Partner")),
    ("ConnectorSource", Text("Default")),
    ("EFSkipLastIP", Is(false)),
];

const OUTBOUND: Values = &[
    ("Enabled", Is(true)),
    ("ConnectorType", Text("Partner")),
    ("ConnectorSource", Text("Default")),
    ("TlsSettings", Null),
    ("IsValidated", Is(false)),
];

const AUDIT_LOG: Values = &[
    ("AdminAuditLogEnabled", Is(true)),
    ("AdminAuditLogAgeLimit", Text("90.00:00:00")),
    ("UnifiedAuditLogIngestionEnabled", Is(true)),
];

const EXTERNAL: Values = &[("Identity", TenantId), ("Enabled", Is(false)), ("AllowList", List(&[""]))];

const OWA: Values = &[
    ("ActionForUnknownFileAndMIMETypes", Text("Allow")),
    ("AllowOfflineOn", Text("AllComputers")),
    ("ConditionalAccessPolicy", Text("Off")),
    ("OutboundCharset", Text("AutoDetect")),
    ("IsDefault", Is(false)),
    ("CalendarEnabled", Is(true)),
    ("ContactsEnabled", Is(true)),
    ("TasksEnabled", Is(true)),
    ("RulesEnabled", Is(true)),
    ("ClassicAttachmentsEnabled", Is(true)),
    ("AdditionalStorageProvidersAvailable", Is(true)),
    ("WacViewingOnPrivateComputersEnabled", Is(true)),
    ("WacViewingOnPublicComputersEnabled", Is(true)),
];

const SHARING: Values = &[("Enabled", Is(true)), ("Default", Is(false))];

const DEFAULT_SHARING: Values = &[
    ("Default", Is(true)),
    (
        "Domains",
        List(&[
            "Anonymous:CalendarSharingFreeBusyReviewer, ContactsSharing",
            "*:CalendarSharingFreeBusyReviewer, ContactsSharing",
        ]),
    ),
];

impl Tenant {
    pub(super) fn accepted_domains(&self) -> Vec<String> {
        let label = self.domain.split('.').next().unwrap_or("contoso");
        let mut domains = vec![
            self.initial_domain.clone(),
            self.domain.clone(),
            format!("{label}.mail.onmicrosoft.com"),
            format!("{label}-relay.example"),
        ];
        domains.extend(self.more_domains.iter().cloned());
        domains
    }

    /// How mail of a domain is signed: keys are read from two names in its DNS, which only the initial domain has.
    pub(super) fn signing(&self, domain: &str, valid: bool) -> Vec<(&'static str, Prop)> {
        let dashed = domain.replace('.', "-");
        let name = |selector: u8| format!("selector{selector}-{dashed}._domainkey.{}", self.initial_domain);
        vec![
            ("Domain", Prop::text(domain.to_owned())),
            ("Enabled", Prop::Bool(valid)),
            ("Status", Prop::text(if valid { "Valid" } else { "CnameMissing" })),
            ("Selector1CNAME", Prop::text(name(1))),
            ("Selector2CNAME", Prop::text(name(2))),
        ]
    }

    /// The tenant's domains with what sets each apart, as the noun shows it.
    pub(super) fn domains(&self, noun: &str) -> Vec<(String, Vec<(&'static str, Prop)>)> {
        let is = |index: usize, wanted: usize| Prop::Bool(index == wanted);
        let own = |index: usize, name: &str| match noun {
            "AcceptedDomain" => vec![
                ("DomainName", Prop::text(name.to_owned())),
                ("DomainType", Prop::text(if index == 3 { "InternalRelay" } else { "Authoritative" })),
                ("Default", is(index, 1)),
                ("InitialDomain", is(index, 0)),
                ("IsCoexistenceDomain", is(index, 2)),
            ],
            _ => self.signing(name, index == 0),
        };
        let named = self.accepted_domains().into_iter().enumerate();
        named.map(|(index, name)| (name.clone(), own(index, &name))).collect()
    }
}
