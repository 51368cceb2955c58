//! The reviewed list of cmdlets that only read. A run that may only read refuses every other one.
//!
//! Each `Get-` cmdlet of the catalog was looked at: all of them read, as long as they are called without the
//! parameters of [`EFFECTS`]. Of the other verbs only the named ones are reads. A new cmdlet of a verb that
//! sounds like reading is not a read until it is named here; the test below counts them.

/// Cmdlets of other verbs than `Get` that only read, with the reason.
pub(super) const READS: [(&str, &str); 20] = [
    ("Export-ActivityExplorerData", "returns rows of the activity explorer"),
    ("Export-ContentExplorerData", "returns rows of the content explorer"),
    ("Export-DlpPolicyCollection", "returns the policies as bytes"),
    ("Export-FilePlanProperty", "returns the properties as rows"),
    ("Export-MailboxDiagnosticLogs", "returns logs of a mailbox"),
    ("Export-MigrationReport", "returns a report's bytes"),
    ("Export-QuarantineMessage", "returns a message's bytes, the message stays in quarantine"),
    ("Export-TransportRuleCollection", "returns the rules as bytes"),
    ("Preview-QuarantineMessage", "returns a message's text, the message stays in quarantine"),
    (
        "Search-MailboxAuditLog",
        "returns audit records (New-MailboxAuditLogSearch is the one that mails them)",
    ),
    ("Search-MessageTrackingReport", "returns tracking reports"),
    ("Search-UnifiedAuditLog", "returns audit records"),
    ("Test-ApplicationAccessPolicy", "evaluates a policy"),
    ("Test-ArchiveConnectivity", "opens an archive and reads its state"),
    ("Test-DataClassification", "classifies the given text"),
    ("Test-M365DataAtRestEncryptionPolicy", "checks that the keys of a policy can be reached"),
    ("Test-MAPIConnectivity", "logs on to a mailbox and reads its folders"),
    ("Test-ServicePrincipalAuthorization", "evaluates the roles of an application"),
    ("Test-TextExtraction", "extracts the text of the given bytes"),
    ("Validate-RetentionRuleQuery", "checks the syntax of a query"),
];

/// Cmdlets that sound like reading and are not, with the reason; named so that the review is complete.
#[cfg(test)]
const NOT_READS: [(&str, &str); 9] = [
    ("Check-PurviewConfig", "undocumented effects"),
    ("Compare-TextMessagingVerificationCode", "a right code verifies the phone number"),
    ("Export-PurviewConfig", "undocumented effects"),
    ("Test-IRMConfiguration", "fetches templates for the organization, which may be kept"),
    ("Test-Message", "mails a report"),
    ("Test-MigrationServerAvailability", "sends credentials to the server that a parameter names"),
    ("Test-OAuthConnectivity", "sends a token to the address that a parameter names"),
    ("Test-OrganizationRelationship", "asks the partner's servers for a token as a user"),
    ("Validate-OutboundConnector", "sends a test message"),
];

/// Parameters that make a reading cmdlet act: it then mails a log to people or starts to record one.
const EFFECTS: [(&str, &str); 9] = [
    ("Get-ActiveSyncDeviceStatistics", "GetMailboxLog"),
    ("Get-ActiveSyncDeviceStatistics", "NotificationEmailAddresses"),
    ("Get-CASMailbox", "ActiveSyncDebugLogging"),
    ("Get-CASMailbox", "GetImapProtocolLog"),
    ("Get-CASMailbox", "GetPopProtocolLog"),
    ("Get-CASMailbox", "SendLogsTo"),
    ("Get-MobileDeviceStatistics", "GetMailboxLog"),
    ("Get-MobileDeviceStatistics", "NotificationEmailAddresses"),
    ("Get-CalendarDiagnosticLog", "LogLocation"),
];

/// The module's REST cmdlets and the cmdlets that give the same through InvokeCommand.
const CLASSIC: [(&str, &str); 9] = [
    ("Get-EXOCasMailbox", "Get-CASMailbox"),
    ("Get-EXOMailbox", "Get-Mailbox"),
    ("Get-EXOMailboxFolderPermission", "Get-MailboxFolderPermission"),
    ("Get-EXOMailboxFolderStatistics", "Get-MailboxFolderStatistics"),
    ("Get-EXOMailboxPermission", "Get-MailboxPermission"),
    ("Get-EXOMailboxStatistics", "Get-MailboxStatistics"),
    ("Get-EXOMobileDeviceStatistics", "Get-MobileDeviceStatistics"),
    ("Get-EXORecipient", "Get-Recipient"),
    ("Get-EXORecipientPermission", "Get-RecipientPermission"),
];

/// Whether the cmdlet with this canonical name only reads.
pub(super) fn is_read(name: &str) -> bool {
    name.starts_with("Get-") || READS.iter().any(|(read, _)| *read == name)
}

/// Whether the parameter makes a read act.
pub(super) fn has_effect(cmdlet: &str, parameter: &str) -> bool {
    let cmdlet = classic(cmdlet).unwrap_or(cmdlet);
    EFFECTS.iter().any(|(of, name)| of.eq_ignore_ascii_case(cmdlet) && name.eq_ignore_ascii_case(parameter))
}

/// The cmdlet that gives through InvokeCommand what the module's `Get-EXO*` cmdlet gives; `None` for all others.
pub fn classic(name: &str) -> Option<&'static str> {
    CLASSIC.iter().find(|(rest, _)| rest.eq_ignore_ascii_case(name)).map(|(_, classic)| *classic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{cmdlet, cmdlets};

    const SOUNDS_LIKE_READING: [&str; 8] =
        ["Get-", "Search-", "Test-", "Validate-", "Preview-", "Export-", "Check-", "Compare-"];

    #[test]
    fn every_cmdlet_that_sounds_like_reading_was_reviewed() {
        let sounds = |name: &str| SOUNDS_LIKE_READING.iter().any(|verb| name.starts_with(verb));
        let (mut gets, mut others) = (0, 0);
        for cmdlet in cmdlets().filter(|cmdlet| sounds(cmdlet.as_str())) {
            let name = cmdlet.as_str();
            if name.starts_with("Get-") {
                gets += 1;
                continue;
            }
            others += 1;
            let named = READS.iter().chain(&NOT_READS).filter(|(listed, _)| *listed == name).count();
            assert_eq!(named, 1, "`{name}` is new or named twice: look at it, then sort it in");
        }
        // A new Get- cmdlet changes this number: look whether it only reads, and whether a parameter acts.
        assert_eq!((gets, others), (321, 29));
        assert_eq!(cmdlets().filter(|cmdlet| cmdlet.is_read()).count(), 321 + READS.len());
    }

    #[test]
    fn the_lists_name_cmdlets_that_exist() {
        for name in READS.iter().chain(&NOT_READS).map(|(name, _)| name) {
            assert_eq!(cmdlet(name).map(|found| found.as_str()), Some(*name));
        }
        for (name, parameter) in EFFECTS {
            assert!(cmdlet(name).is_some_and(|cmdlet| cmdlet.is_read()), "{name} {parameter}");
        }
        for (rest, to) in CLASSIC {
            assert!(cmdlet(rest).is_some() && cmdlet(to).is_some_and(|cmdlet| cmdlet.is_read()), "{rest}");
        }
        assert_eq!(cmdlets().filter(|cmdlet| cmdlet.as_str().starts_with("Get-EXO")).count(), CLASSIC.len());
    }

    #[test]
    fn writes_are_not_reads() {
        for name in ["Set-Mailbox", "New-Mailbox", "Remove-Mailbox", "Start-ComplianceSearch", "Test-Message"]
        {
            assert!(!cmdlet(name).expect("is in the catalog").is_read(), "{name}");
        }
        assert!(has_effect("get-exocasmailbox", "sendlogsto"));
        assert!(!has_effect("Get-CASMailbox", "Identity"));
    }
}
