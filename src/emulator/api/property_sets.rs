//! Property sets: which properties a read shows.
//!
//! From Microsoft's page on the property sets of the `Get-EXO*` cmdlets. Properties that the emulator's objects do not
//! have are left out of answers.

use super::super::errors::Failure;

/// An entity set, the name of a property set, its properties with blanks between.
const SETS: &[(&str, &str, &str)] = &[
    (
        "Mailbox",
        "Minimum",
        "Alias DisplayName DistinguishedName EmailAddresses ExchangeVersion ExternalDirectoryObjectId \
         Guid Id Name OrganizationId PrimarySmtpAddress RecipientType RecipientTypeDetails \
         UserPrincipalName",
    ),
    (
        "Mailbox",
        "AddressList",
        "AddressBookPolicy AddressListMembership ExternalDirectoryObjectId GeneratedOfflineAddressBooks \
         HiddenFromAddressListsEnabled OfflineAddressBook",
    ),
    (
        "Mailbox",
        "Archive",
        "ArchiveDatabase ArchiveDomain ArchiveGuid ArchiveName ArchiveQuota ArchiveRelease ArchiveState \
         ArchiveStatus ArchiveWarningQuota AutoExpandingArchiveEnabled DisabledArchiveDatabase \
         DisabledArchiveGuid ExternalDirectoryObjectId JournalArchiveAddress",
    ),
    (
        "Mailbox",
        "Audit",
        "AuditAdmin AuditDelegate AuditEnabled AuditLogAgeLimit AuditOwner DefaultAuditSet \
         ExternalDirectoryObjectId",
    ),
    (
        "Mailbox",
        "Custom",
        "CustomAttribute1 CustomAttribute2 CustomAttribute3 CustomAttribute4 CustomAttribute5 \
         CustomAttribute6 CustomAttribute7 CustomAttribute8 CustomAttribute9 CustomAttribute10 \
         CustomAttribute11 CustomAttribute12 CustomAttribute13 CustomAttribute14 CustomAttribute15 \
         ExtensionCustomAttribute1 ExtensionCustomAttribute2 ExtensionCustomAttribute3 \
         ExtensionCustomAttribute4 ExtensionCustomAttribute5 ExternalDirectoryObjectId",
    ),
    (
        "Mailbox",
        "Delivery",
        "AcceptMessagesOnlyFrom AcceptMessagesOnlyFromDLMembers AcceptMessagesOnlyFromSendersOrMembers \
         DeliverToMailboxAndForward DowngradeHighPriorityMessagesEnabled ExternalDirectoryObjectId \
         ForwardingAddress ForwardingSmtpAddress GrantSendOnBehalfTo MaxBlockedSenders MaxReceiveSize \
         MaxSafeSenders MaxSendSize MessageCopyForSendOnBehalfEnabled MessageCopyForSentAsEnabled \
         MessageRecallProcessingEnabled MessageTrackingReadStatusEnabled RecipientLimits \
         RejectMessagesFrom RejectMessagesFromDLMembers RejectMessagesFromSendersOrMembers RulesQuota",
    ),
    (
        "Mailbox",
        "Hold",
        "ComplianceTagHoldApplied DelayHoldApplied ExternalDirectoryObjectId InPlaceHolds \
         InactiveMailboxRetireTime LitigationHoldDate LitigationHoldDuration LitigationHoldEnabled \
         LitigationHoldOwner",
    ),
    (
        "Mailbox",
        "Moderation",
        "BypassModerationFromSendersOrMembers ExternalDirectoryObjectId ModeratedBy ModerationEnabled \
         SendModerationNotifications",
    ),
    (
        "Mailbox",
        "Move",
        "ExternalDirectoryObjectId MailboxMoveBatchName MailboxMoveFlags MailboxMoveRemoteHostName \
         MailboxMoveSourceMDB MailboxMoveStatus MailboxMoveTargetMDB",
    ),
    (
        "Mailbox",
        "Policy",
        "AddressBookPolicy DataEncryptionPolicy EmailAddressPolicyEnabled ExternalDirectoryObjectId \
         ManagedFolderMailboxPolicy PoliciesExcluded PoliciesIncluded RemoteAccountPolicy \
         RetentionPolicy RetentionUrl RoleAssignmentPolicy SharingPolicy ThrottlingPolicy",
    ),
    (
        "Mailbox",
        "PublicFolder",
        "DefaultPublicFolderMailbox EffectivePublicFolderMailbox ExternalDirectoryObjectId \
         IsExcludedFromServingHierarchy IsHierarchyReady IsHierarchySyncEnabled \
         IsRootPublicFolderMailbox",
    ),
    (
        "Mailbox",
        "Quota",
        "ArchiveQuota ArchiveWarningQuota CalendarLoggingQuota ExternalDirectoryObjectId \
         IssueWarningQuota ProhibitSendQuota ProhibitSendReceiveQuota RecoverableItemsQuota \
         RecoverableItemsWarningQuota RulesQuota UseDatabaseQuotaDefaults",
    ),
    (
        "Mailbox",
        "Resource",
        "ExternalDirectoryObjectId IsResource ResourceCapacity ResourceCustom ResourceType \
         RoomMailboxAccountEnabled",
    ),
    (
        "Mailbox",
        "Retention",
        "EndDateForRetentionHold ExternalDirectoryObjectId OrphanSoftDeleteTrackingTime \
         RetainDeletedItemsFor RetainDeletedItemsUntilBackup RetentionComment RetentionHoldEnabled \
         RetentionPolicy RetentionUrl SingleItemRecoveryEnabled StartDateForRetentionHold \
         UseDatabaseRetentionDefaults",
    ),
    (
        "Mailbox",
        "SCL",
        "AntispamBypassEnabled ExternalDirectoryObjectId SCLDeleteEnabled SCLDeleteThreshold \
         SCLJunkEnabled SCLJunkThreshold SCLQuarantineEnabled SCLQuarantineThreshold SCLRejectEnabled \
         SCLRejectThreshold",
    ),
    (
        "Mailbox",
        "SoftDelete",
        "ExternalDirectoryObjectId IncludeInGarbageCollection IsInactiveMailbox IsSoftDeletedByDisable \
         IsSoftDeletedByRemove WhenSoftDeleted",
    ),
    ("Mailbox", "StatisticsSeed", "ArchiveDatabaseGuid DatabaseGuid ExchangeGuid ExternalDirectoryObjectId"),
    (
        "CasMailbox",
        "Minimum",
        "ActiveSyncEnabled DisplayName ECPEnabled EmailAddresses EwsEnabled ExchangeVersion Guid \
         Identity ImapEnabled MAPIEnabled Name OWAEnabled OrganizationId PopEnabled PrimarySmtpAddress \
         ServerLegacyDN",
    ),
    (
        "CasMailbox",
        "ActiveSync",
        "ActiveSyncAllowedDeviceIDs ActiveSyncBlockedDeviceIDs ActiveSyncEnabled ActiveSyncMailboxPolicy \
         ActiveSyncMailboxPolicyIsDefaulted ActiveSyncSuppressReadReceipt ExternalDirectoryObjectId Guid \
         HasActiveSyncDevicePartnership Identity Name OrganizationId",
    ),
    (
        "CasMailbox",
        "Ews",
        "EwsAllowMacOutlook EwsAllowOutlook EwsEnabled ExternalDirectoryObjectId Guid Identity Name \
         OrganizationId",
    ),
    (
        "CasMailbox",
        "Imap",
        "ExternalDirectoryObjectId Guid Identity ImapEnableExactRFC822Size ImapEnabled \
         ImapForceICalForCalendarRetrievalOption ImapMessagesRetrievalMimeFormat ImapSuppressReadReceipt \
         ImapUseProtocolDefaults Name OrganizationId",
    ),
    (
        "CasMailbox",
        "Mapi",
        "ExternalDirectoryObjectId Guid Identity MAPIBlockOutlookExternalConnectivity \
         MAPIBlockOutlookNonCachedMode MAPIBlockOutlookRpcHttp MAPIBlockOutlookVersions MAPIEnabled \
         MapiHttpEnabled Name OrganizationId",
    ),
    (
        "CasMailbox",
        "Pop",
        "ExternalDirectoryObjectId Guid Identity Name OrganizationId PopEnableExactRFC822Size PopEnabled \
         PopMessagesRetrievalMimeFormat PopSuppressReadReceipt PopUseProtocolDefaults",
    ),
    (
        "CasMailbox",
        "ProtocolSettings",
        "ExternalDirectoryObjectId ExternalImapSettings ExternalPopSettings ExternalSmtpSettings Guid \
         Identity InternalImapSettings InternalPopSettings InternalSmtpSettings Name OrganizationId",
    ),
    (
        "Recipient",
        "Minimum",
        "ExchangeVersion ExternalDirectoryObjectID Name OrganizationId RecipientType \
         RecipientTypeDetails",
    ),
    ("Recipient", "Archive", "ArchiveDatabase ArchiveGuid ArchiveRelease ArchiveState ArchiveStatus"),
    (
        "Recipient",
        "Custom",
        "CustomAttribute1 CustomAttribute2 CustomAttribute3 CustomAttribute4 CustomAttribute5 \
         CustomAttribute6 CustomAttribute7 CustomAttribute8 CustomAttribute9 CustomAttribute10 \
         CustomAttribute11 CustomAttribute12 CustomAttribute13 CustomAttribute14 CustomAttribute15 \
         ExtensionCustomAttribute1 ExtensionCustomAttribute2 ExtensionCustomAttribute3 \
         ExtensionCustomAttribute4 ExtensionCustomAttribute5",
    ),
    (
        "Recipient",
        "MailboxMove",
        "MailboxMoveBatchName MailboxMoveFlags MailboxMoveRemoteHostName MailboxMoveSourceMDB \
         MailboxMoveStatus MailboxMoveTargetMDB",
    ),
    (
        "Recipient",
        "Policy",
        "ActiveSyncMailboxPolicy ActiveSyncMailboxPolicyIsDefaulted AddressBookPolicy \
         EmailAddressPolicyEnabled ManagedFolderMailboxPolicy OwaMailboxPolicy PoliciesExcluded \
         PoliciesIncluded RetentionPolicy SharingPolicy ShouldUseDefaultRetentionPolicy UMMailboxPolicy",
    ),
    (
        "MailboxStatistics",
        "Minimum",
        "DeletedItemCount DisplayName ItemCount MailboxGuid TotalDeletedItemSize TotalItemSize",
    ),
];

/// What a read shows without `PropertySet` and `$select`.
const DEFAULT: &str = "Minimum";

/// The properties of these sets; `None` is all of them. An entity set without property sets always shows all.
pub(super) fn properties(entity_set: &str, names: &[String]) -> Result<Option<Vec<String>>, Failure> {
    if !SETS.iter().any(|(own, ..)| *own == entity_set)
        || names.iter().any(|name| name.eq_ignore_ascii_case("All"))
    {
        return Ok(None);
    }
    let mut all: Vec<String> = Vec::new();
    for name in names {
        let found = SETS.iter().find(|(own, set, _)| *own == entity_set && set.eq_ignore_ascii_case(name));
        let (_, _, properties) =
            found.ok_or_else(|| Failure::bad_body(&format!("{entity_set} has no property set '{name}'.")))?;
        all.extend(properties.split(' ').map(str::to_owned));
    }
    Ok(Some(all))
}

/// The same for a read that names neither sets nor properties.
pub(super) fn minimum(entity_set: &str) -> Result<Option<Vec<String>>, Failure> {
    properties(entity_set, &[DEFAULT.to_owned()])
}
