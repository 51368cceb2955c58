//! Which role groups are known to grant a cmdlet: a coarse table by noun, from Microsoft's pages on role groups. It is
//! for advice; the tenant's own roles decide.

use crate::catalog::{CmdletName, Service};

/// Beginnings of nouns, and the role groups besides Organization Management that have their writing cmdlets.
const BY_NOUN: &[(&[&str], &[&str])] = &[
    (
        &[
            "Quarantine",
            "HostedContent",
            "HostedConnection",
            "HostedOutbound",
            "MalwareFilter",
            "AntiPhish",
            "SafeLinks",
            "SafeAttachment",
            "TenantAllowBlockList",
            "DkimSigning",
            "ATP",
            "AtpPolicy",
        ],
        &["Security Administrator", "Hygiene Management"],
    ),
    (
        &[
            "RetentionPolicy",
            "RetentionCompliance",
            "JournalRule",
            "Label",
            "Dlp",
            "Compliance",
            "DataClassification",
        ],
        &["Compliance Management", "Records Management"],
    ),
    (
        &[
            "Mailbox",
            "CASMailbox",
            "CalendarProcessing",
            "DistributionGroup",
            "DynamicDistributionGroup",
            "UnifiedGroup",
            "MailUser",
            "MailContact",
            "Contact",
            "User",
            "Group",
            "Recipient",
            "RecipientPermission",
            "MobileDevice",
            "InboxRule",
            "Place",
        ],
        &["Recipient Management"],
    ),
    (&["MailboxSearch", "ComplianceSearch", "ComplianceCase"], &["Discovery Management"]),
];

const ALL: &[&str] = &["Organization Management"];
const READERS: &[&str] = &["View-Only Organization Management", "Organization Management"];
const COMPLIANCE: &[&str] = &["Compliance Administrator", "Organization Management"];

/// Groups that have `cmdlet`, the narrowest first.
pub(super) fn of(cmdlet: &CmdletName, service: Service) -> &'static [&'static str] {
    if cmdlet.cmdlet().is_some_and(|cmdlet| cmdlet.is_read()) {
        return READERS;
    }
    if service == Service::SecurityCompliance {
        return COMPLIANCE;
    }
    let noun = cmdlet.as_str().split_once('-').map_or("", |(_, noun)| noun);
    let fits = |starts: &[&str]| starts.iter().any(|start| noun.starts_with(start));
    BY_NOUN.iter().find(|(starts, _)| fits(starts)).map_or(ALL, |(_, groups)| groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_read_and_recipients_are_recipient_management() {
        let groups = |name: &str| of(&CmdletName::known(name).unwrap(), Service::ExchangeOnline);
        assert_eq!(groups("Get-Mailbox"), READERS);
        assert_eq!(groups("Set-CASMailbox"), ["Recipient Management"]);
        assert_eq!(groups("Set-TransportConfig"), ALL);
        assert_eq!(
            of(&CmdletName::known("New-ComplianceCase").unwrap(), Service::SecurityCompliance),
            COMPLIANCE
        );
    }
}
