//! Protection, quarantine and retention, as far as more is known than parameters.
//! Source: protocol reference, 6.4.

use super::nouns::Value::{Is, List, NoSenders, Null, Number, Permissions, Text};
use super::nouns::{Noun, Start, Values};

/// The default policy of a noun.
const DEFAULT: Values = &[("IsDefault", Is(true))];

const IMPERSONATION: &[&str] = &["NoAction", "BccMessage", "Delete", "MoveToJmf", "Quarantine", "Redirect"];

pub(super) const NOUNS: &[Noun] = &[
    Noun::new("AntiPhishPolicy", ANTI_PHISH).starts(&[("Office365 AntiPhish Default", DEFAULT)]).words(&[
        ("TargetedUserProtectionAction", IMPERSONATION),
        ("TargetedDomainProtectionAction", IMPERSONATION),
    ]),
    Noun::new("SafeLinksPolicy", SAFE_LINKS).starts(&[("Built-In Protection Policy", BUILT_IN)]),
    Noun::new("SafeAttachmentPolicy", SAFE_ATTACHMENT)
        .starts(&[("Built-In Protection Policy", BUILT_IN_ATTACHMENT)]),
    Noun::new("HostedContentFilterPolicy", CONTENT_FILTER).starts(&[("Default", DEFAULT)]),
    Noun::new("HostedConnectionFilterPolicy", &[("EnableSafeList", Is(false)), ("IsDefault", Is(false))])
        .starts(&[("Default", DEFAULT)]),
    Noun::new("HostedOutboundSpamFilterPolicy", OUTBOUND_SPAM).starts(&[("Default", DEFAULT)]).words(&[
        ("AutoForwardingMode", &["Automatic", "Off", "On"]),
        ("ActionWhenThresholdReached", &["Alert", "BlockUser", "BlockUserForToday"]),
    ]),
    Noun::new("MalwareFilterPolicy", MALWARE).starts(&[("Default", DEFAULT)]),
    Noun::new("QuarantinePolicy", QUARANTINE)
        .starts(&[
            ("AdminOnlyAccessPolicy", &[]),
            ("DefaultFullAccessPolicy", FULL_ACCESS),
            ("DefaultFullAccessWithNotificationPolicy", FULL_ACCESS_AND_MAIL),
        ])
        .without(&["EndUserQuarantinePermissionsValue"]),
    Noun::new("AtpPolicyForO365", &[("EnableATPForSPOTeamsODB", Is(true))]).starts(&[("Default", &[])]),
    Noun::new("AntiPhishRule", RULE).without(&["Enabled"]),
    Noun::new("SafeLinksRule", RULE).without(&["Enabled"]),
    Noun::new("SafeAttachmentRule", RULE).without(&["Enabled"]),
    Noun::new("HostedContentFilterRule", RULE).without(&["Enabled"]),
    Noun::new("HostedOutboundSpamFilterRule", RULE).without(&["Enabled"]),
    Noun::new("MalwareFilterRule", RULE).without(&["Enabled"]),
    Noun::new("RetentionPolicy", &[]).starts(&[("Default MRM Policy", DEFAULT_RETENTION)]),
    Noun::new("RetentionPolicyTag", TAG).starts(&[
        (
            "Default 2 year move to archive",
            &[("Type", Text("All")), ("RetentionAction", Text("MoveToArchive"))],
        ),
        ("Deleted Items", &[("Type", Text("DeletedItems")), ("AgeLimitForRetention", Text("30.00:00:00"))]),
    ]),
    Noun { start: Start::Domains, ..Noun::new("DkimSigningConfig", DKIM) },
];

/// Source: protocol reference, 6.4: rules are shown with a `State`.
const RULE: Values = &[("State", Text("Enabled"))];

const ANTI_PHISH: Values = &[
    ("Enabled", Is(true)),
    ("IsDefault", Is(false)),
    ("PhishThresholdLevel", Number(1)),
    ("EnableMailboxIntelligence", Is(true)),
    ("EnableSpoofIntelligence", Is(true)),
    ("EnableUnauthenticatedSender", Is(true)),
    ("EnableViaTag", Is(true)),
    ("HonorDmarcPolicy", Is(true)),
    ("AuthenticationFailAction", Text("MoveToJmf")),
    ("DmarcQuarantineAction", Text("Quarantine")),
    ("DmarcRejectAction", Text("Reject")),
    ("MailboxIntelligenceProtectionAction", Text("NoAction")),
    ("TargetedUserProtectionAction", Text("NoAction")),
    ("TargetedDomainProtectionAction", Text("NoAction")),
    ("ImpersonationProtectionState", Text("Automatic")),
    ("SpoofQuarantineTag", Text("DefaultFullAccessPolicy")),
];

const SAFE_LINKS: Values = &[
    ("EnableSafeLinksForEmail", Is(true)),
    ("EnableSafeLinksForTeams", Is(true)),
    ("EnableSafeLinksForOffice", Is(true)),
    ("TrackClicks", Is(true)),
    ("IsBuiltInProtection", Is(false)),
];

const BUILT_IN: Values =
    &[("IsBuiltInProtection", Is(true)), ("ScanUrls", Is(true)), ("DeliverMessageAfterScan", Is(true))];

const SAFE_ATTACHMENT: Values = &[
    ("Action", Text("Block")),
    ("QuarantineTag", Text("AdminOnlyAccessPolicy")),
    ("IsBuiltInProtection", Is(false)),
];

const BUILT_IN_ATTACHMENT: Values = &[("IsBuiltInProtection", Is(true)), ("Enable", Is(true))];

const CONTENT_FILTER: Values = &[
    ("AllowedSenders", NoSenders),
    ("BlockedSenders", NoSenders),
    ("IsDefault", Is(false)),
    ("SpamAction", Text("MoveToJmf")),
    ("HighConfidenceSpamAction", Text("MoveToJmf")),
    ("PhishSpamAction", Text("MoveToJmf")),
    ("HighConfidencePhishAction", Text("Quarantine")),
    ("BulkSpamAction", Text("MoveToJmf")),
    ("BulkThreshold", Number(7)),
    ("QuarantineRetentionPeriod", Number(15)),
    ("MarkAsSpamBulkMail", Text("On")),
    ("SpamZapEnabled", Is(true)),
    ("PhishZapEnabled", Is(true)),
    ("InlineSafetyTipsEnabled", Is(true)),
    ("SpamQuarantineTag", Text("DefaultFullAccessPolicy")),
    ("HighConfidencePhishQuarantineTag", Text("AdminOnlyAccessPolicy")),
];

const OUTBOUND_SPAM: Values = &[
    ("Enabled", Is(true)),
    ("IsDefault", Is(false)),
    ("AutoForwardingMode", Text("Automatic")),
    ("ActionWhenThresholdReached", Text("BlockUserForToday")),
];

const MALWARE: Values = &[
    ("IsDefault", Is(false)),
    ("EnableFileFilter", Is(true)),
    ("FileTypeAction", Text("Reject")),
    ("FileTypes", List(&["ace", "apk", "app", "exe", "jar", "reg", "vbs"])),
    ("ZapEnabled", Is(true)),
    ("QuarantineTag", Text("AdminOnlyAccessPolicy")),
];

const QUARANTINE: Values = &[
    ("EndUserQuarantinePermissions", Permissions(0)),
    ("QuarantinePolicyType", Text("QuarantinePolicy")),
    ("QuarantineRetentionDays", Number(30)),
    ("EndUserSpamNotificationFrequency", Text("1.00:00:00")),
];

/// The permissions of a quarantine policy, from the highest bit of their number to the lowest.
pub(super) const PERMISSIONS: [&str; 8] = [
    "PermissionToViewHeader",
    "PermissionToDownload",
    "PermissionToAllowSender",
    "PermissionToBlockSender",
    "PermissionToRequestRelease",
    "PermissionToRelease",
    "PermissionToPreview",
    "PermissionToDelete",
];

/// The permissions of a number as the service shows them: a block of text, a line each.
pub(super) fn permissions(number: i32) -> String {
    let lines = (0..).zip(PERMISSIONS).map(|(place, name)| {
        let has = number >> (PERMISSIONS.len() - 1 - place) & 1 == 1;
        format!("{name}: {}", if has { "True" } else { "False" })
    });
    format!("[{}]", lines.collect::<Vec<_>>().join("\r\n"))
}

/// Block the sender, release, preview and delete.
const FULL: i32 = 0b1_0111;

const FULL_ACCESS: Values = &[("ESNEnabled", Is(false)), ("EndUserQuarantinePermissions", Permissions(FULL))];
const FULL_ACCESS_AND_MAIL: Values =
    &[("ESNEnabled", Is(true)), ("EndUserQuarantinePermissions", Permissions(FULL))];

const DEFAULT_RETENTION: Values = &[
    ("IsDefault", Is(true)),
    ("RetentionPolicyTagLinks", List(&["Default 2 year move to archive", "Deleted Items"])),
];

const TAG: Values = &[
    ("Type", Text("All")),
    ("RetentionEnabled", Is(true)),
    ("RetentionAction", Text("PermanentlyDelete")),
    ("AgeLimitForRetention", Text("730.00:00:00")),
    ("MessageClass", Text("*")),
    ("RetentionId", Null),
];

const DKIM: Values = &[
    ("Status", Text("CnameMissing")),
    ("HeaderCanonicalization", Text("Relaxed")),
    ("BodyCanonicalization", Text("Relaxed")),
    ("KeySize", Number(2048)),
    ("Selector1CNAME", Text("")),
    ("Selector2CNAME", Text("")),
];
