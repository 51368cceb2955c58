//! `Get-Mailbox`, `Set-Mailbox`.

use super::super::directory::Class;
use super::super::errors::Failure;
use super::super::filter::Filter;
use super::super::mailbox::{CUSTOM_ATTRIBUTES, EXTENSION_ATTRIBUTES};
use super::super::prop::{Object, Prop};
use super::super::shelf::Source;
use super::super::versions::after;
use super::addresses::{addresses, check_address, check_alias, checked, with_primary};
use super::change::Changes;
use super::parameters::{Kind, Parameter, all, own, owns, p};
use super::{Answer, Call, Cmdlet, Effect};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet { name: "Get-Mailbox", effect: Effect::Read, parameters: &[GET], run: get },
    Cmdlet {
        name: "Set-Mailbox",
        effect: Effect::Write,
        parameters: &[SET, CUSTOM, EXTENSIONS, BOOLS, RECIPIENTS, NO_STATE],
        run: set,
    },
];

const GET: &[Parameter] = &owns([
    "Identity",
    "Anr",
    "Filter",
    "ResultSize",
    "RecipientTypeDetails",
    "Archive",
    "MailboxPlan",
    "SoftDeletedMailbox",
    "InactiveMailboxOnly",
    "IncludeInactiveMailbox",
    "PublicFolder",
]);

const SET: &[Parameter] = &[
    own("Identity"),
    own("Type"),
    own("WindowsEmailAddress"),
    own("MicrosoftOnlineServicesID"),
    p("Name", Kind::Text),
    p("DisplayName", Kind::Text),
    p("SimpleDisplayName", Kind::Text),
    p("Alias", Kind::Text),
    p("Office", Kind::Text),
    p("EmailAddresses", Kind::ProxyAddresses),
    p("ForwardingAddress", Kind::Recipient),
    p("ForwardingSmtpAddress", Kind::SmtpAddress),
    p("MaxSendSize", Kind::Size),
    p("MaxReceiveSize", Kind::Size),
    p("RecipientLimits", Kind::Text),
    p("IssueWarningQuota", Kind::Size),
    p("ProhibitSendQuota", Kind::Size),
    p("ProhibitSendReceiveQuota", Kind::Size),
    p("RulesQuota", Kind::Size),
    p("RetainDeletedItemsFor", Kind::Span),
    p("RetentionComment", Kind::Text),
    p("RetentionUrl", Kind::Text),
    p("RetentionPolicy", Kind::NullableText),
    p("StartDateForRetentionHold", Kind::Date),
    p("EndDateForRetentionHold", Kind::Date),
    p("LitigationHoldDuration", Kind::Span),
    p("LitigationHoldDate", Kind::Date),
    p("LitigationHoldOwner", Kind::Text),
    p("AuditLogAgeLimit", Kind::Span),
    p("AuditAdmin", Kind::Words),
    p("AuditDelegate", Kind::Words),
    p("AuditOwner", Kind::Words),
    p("DefaultAuditSet", Kind::Words),
    p("ArchiveName", Kind::List),
    p("MailTip", Kind::NullableText),
    p("MailTipTranslations", Kind::List),
    p("Languages", Kind::List),
    p("RoleAssignmentPolicy", Kind::NullableText),
    p("SharingPolicy", Kind::NullableText),
    p("AddressBookPolicy", Kind::NullableText),
    p("SendModerationNotifications", Kind::Word),
    p("ExternalOofOptions", Kind::Word),
    p("ImmutableId", Kind::Text),
    p("JournalArchiveAddress", Kind::Text),
    p("MailboxRegion", Kind::NullableText),
    p("ResourceCapacity", Kind::Int),
    p("ResourceCustom", Kind::List),
    p("StsRefreshTokensValidFrom", Kind::Date),
];

const BOOLS: &[Parameter] = &all(
    [
        "AccountDisabled",
        "AuditEnabled",
        "CalendarRepairDisabled",
        "CalendarVersionStoreDisabled",
        "DeliverToMailboxAndForward",
        "ElcProcessingDisabled",
        "HiddenFromAddressListsEnabled",
        "LitigationHoldEnabled",
        "MessageCopyForSMTPClientSubmissionEnabled",
        "MessageCopyForSendOnBehalfEnabled",
        "MessageCopyForSentAsEnabled",
        "MessageTrackingReadStatusEnabled",
        "ModerationEnabled",
        "RequireSenderAuthenticationEnabled",
        "RetentionHoldEnabled",
        "SingleItemRecoveryEnabled",
        "UseDatabaseQuotaDefaults",
        "UseDatabaseRetentionDefaults",
    ],
    Kind::Bool,
);

const RECIPIENTS: &[Parameter] = &all(
    [
        "AcceptMessagesOnlyFrom",
        "AcceptMessagesOnlyFromDLMembers",
        "AcceptMessagesOnlyFromSendersOrMembers",
        "BypassModerationFromSendersOrMembers",
        "GrantSendOnBehalfTo",
        "ModeratedBy",
        "RejectMessagesFrom",
        "RejectMessagesFromDLMembers",
        "RejectMessagesFromSendersOrMembers",
    ],
    Kind::RecipientList,
);

const CUSTOM: &[Parameter] = &all(CUSTOM_ATTRIBUTES, Kind::Text);
const EXTENSIONS: &[Parameter] = &all(EXTENSION_ATTRIBUTES, Kind::List);

/// What no read shows, and what only says how to write.
const NO_STATE: &[Parameter] = &owns([
    "Password",
    "RoomMailboxPassword",
    "EnableRoomMailboxAccount",
    "ApplyMandatoryProperties",
    "Force",
    "RemoveDelayHoldApplied",
    "RemoveDelayReleaseHoldApplied",
    "RemoveComplianceTagHoldApplied",
    "RemoveDisabledArchive",
    "RemoveOrphanedHolds",
    "RecalculateInactiveMailbox",
    "ProvideConsent",
    "UpdateEnforcedTimestamp",
]);

fn get(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let (soft, inactive_only) =
        (call.given.switch("SoftDeletedMailbox")?, call.given.switch("InactiveMailboxOnly")?);
    let inactive_too = call.given.switch("IncludeInactiveMailbox")?;
    if soft || inactive_only {
        return removed(call, inactive_only);
    }
    if inactive_too && let Some(identity) = call.given.text("Identity")? {
        let found = call.directory.find(Class::Mailbox, &identity);
        if found.is_none() {
            return removed(call, true);
        }
    }
    if call.given.switch("PublicFolder")? {
        // The tenant has no public folders.
        return match call.given.text("Identity")? {
            Some(identity) => Err(Failure::not_found(&identity)),
            None => Ok(Answer::Objects(Vec::new())),
        };
    }
    let archive = call.given.switch("Archive")?;
    let plan = call.given.text("MailboxPlan")?;
    if call.given.value("Identity").is_some() || (!archive && plan.is_none()) {
        return call.one_or_all(Class::Mailbox);
    }
    let mut listing = call.listing(Source::Class(Class::Mailbox))?;
    if archive {
        listing.and(Filter::equal("ArchiveStatus", "Active"));
    }
    if let Some(plan) = plan {
        listing.and(Filter::equal("MailboxPlan", &plan));
    }
    Ok(Answer::Listing(listing))
}

/// Removed mailboxes; inactive ones are those that a litigation hold keeps.
fn removed(call: &Call<'_>, inactive: bool) -> Result<Answer, Failure> {
    let is_wanted = |mailbox: &Object| !inactive || mailbox.text("LitigationHoldEnabled") == "True";
    let show = |index: u64| {
        let mut mailbox = call.read(Class::Mailbox, index);
        mailbox.set("IsSoftDeletedByRemove", Prop::Bool(true));
        mailbox
    };
    if let Some(identity) = call.given.text("Identity")? {
        let found = call.directory.find_soft_deleted(&identity).map(show).filter(is_wanted);
        return found
            .map(|mailbox| Answer::Objects(vec![mailbox]))
            .ok_or_else(|| Failure::not_found(&identity));
    }
    let limit = call.given.result_size()?.limit().and_then(|limit| usize::try_from(limit).ok());
    let all = call.directory.soft_deleted().map(show).filter(is_wanted);
    Ok(Answer::Objects(all.take(limit.unwrap_or(usize::MAX)).collect()))
}

fn set(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let index = call.identity(Class::Mailbox)?;
    let before = call.read(Class::Mailbox, index);
    let answer = call.set(Class::Mailbox, index, |call, old, changes| {
        refuse_synced(call, old, changes, ON_PREMISES.into_iter().chain(CUSTOM_ATTRIBUTES))?;
        if let Some(kind) = call.given.text("Type")? {
            let kind = call.word("Type", &kind)?;
            changes
                .extend(type_changes(TYPES.iter().find(|(own, _)| *own == kind).map_or("Regular", |t| t.0)));
        }
        if let Some(primary) = call.given.text("WindowsEmailAddress")? {
            let all = addresses(old, changes);
            changes.insert("EmailAddresses", Prop::List(with_primary(&all, &primary)));
        }
        if let Some(upn) = call.given.text("MicrosoftOnlineServicesID")? {
            check_address(call, Some(index), &upn)?;
            for name in ["MicrosoftOnlineServicesID", "UserPrincipalName", "WindowsLiveID"] {
                changes.insert(name, Prop::text(upn.clone()));
            }
        }
        if let Some(Prop::List(all)) = changes.get("EmailAddresses") {
            let primary = checked(call, index, all)?;
            changes.insert("PrimarySmtpAddress", Prop::text(primary.clone()));
            changes.insert("WindowsEmailAddress", Prop::text(primary));
        }
        let text = |changes: &Changes, name: &str| {
            changes.get(name).map(|prop| prop.as_text().unwrap_or_default().into_owned())
        };
        if let Some(alias) = text(changes, "Alias") {
            check_alias(call, Some(index), &alias)?;
        }
        if let Some(name) = text(changes, "Name").filter(|name| *name != old.text("Name")) {
            for identity in ["Identity", "Id"] {
                changes.insert(identity, Prop::text(name.clone()));
            }
            changes.insert("DistinguishedName", Prop::text(call.directory.tenant.dn(&name)));
        }
        if changes.get("LitigationHoldEnabled") == Some(&Prop::Bool(true))
            && old.text("LitigationHoldEnabled") == "False"
        {
            changes.entry("LitigationHoldDate").or_insert(Prop::Date(call.wall));
        }
        check_quotas(old, changes)
    })?;
    if matches!(&answer, Answer::Done { warnings } if warnings.is_empty()) {
        show_type_late(call, index, &before);
        mirror(call, index);
    }
    Ok(answer)
}

/// Reads go on showing the old type for a while. Source: protocol reference, 3.12.
fn show_type_late(call: &mut Call<'_>, index: u64, before: &Object) {
    let now = call.directory.current(Class::Mailbox, index);
    let flip = call.directory.type_flip;
    if flip.is_zero() || now.get("RecipientTypeDetails") == before.get("RecipientTypeDetails") {
        return;
    }
    let names = ["RecipientTypeDetails", "IsShared", "IsResource", "ResourceType"];
    let old: Changes = names.into_iter().filter_map(|name| Some((name, before.get(name)?.clone()))).collect();
    let until = after(call.now, flip);
    call.directory.show_late(Class::Mailbox, index, old, until);
}

/// What a directory on premises is the master of, where the user comes from one.
const ON_PREMISES: [&str; 8] = [
    "Name",
    "DisplayName",
    "SimpleDisplayName",
    "Alias",
    "Office",
    "EmailAddresses",
    "HiddenFromAddressListsEnabled",
    "UserPrincipalName",
];

/// Refuses what belongs to the directory on premises. Source: protocol reference, 3.10.
pub(super) fn refuse_synced(
    call: &Call<'_>,
    old: &Object,
    changes: &Changes,
    mut names: impl Iterator<Item = &'static str>,
) -> Result<(), Failure> {
    if old.text("IsDirSynced") != "True" {
        return Ok(());
    }
    let differs = |name: &&'static str| changes.get(name).is_some_and(|new| old.get(name) != Some(new));
    let Some(name) = names.find(|name| differs(name)) else { return Ok(()) };
    let identity = old.text("Identity");
    let text = format!(
        "The operation on mailbox \"{identity}\" failed because it's out of the current user's write scope. The action \
         '{}', '{name}', can't be performed on the object '{identity}' because the object is being synchronized from your \
         on-premises organization. This action should be performed on the object in your on-premises organization.",
        call.cmdlet.name
    );
    Err(Failure::invalid("Microsoft.Exchange.Configuration.Tasks.RecipientTaskException", &text))
}

/// What the other views of the same object show too.
pub(super) fn mirror(call: &mut Call<'_>, index: u64) {
    let mailbox = call.directory.current(Class::Mailbox, index);
    for class in [Class::CasMailbox, Class::User] {
        let own = call.directory.current(class, index);
        let shared = [
            "Identity",
            "Id",
            "Name",
            "DistinguishedName",
            "UserPrincipalName",
            "IsDirSynced",
            "WhenCreated",
            "WhenCreatedUTC",
            "DisplayName",
            "Alias",
            "PrimarySmtpAddress",
            "EmailAddresses",
            "WindowsEmailAddress",
            "RecipientTypeDetails",
            "AccountDisabled",
        ];
        let changes: Changes = shared
            .into_iter()
            .filter_map(|name| Some((name, mailbox.get(name)?)))
            .filter(|(name, new)| {
                own.get(name).is_some_and(|old| {
                    old != *new
                        && (*name != "EmailAddresses" || class == Class::User || addresses_changed(old, new))
                })
            })
            .map(|(name, new)| (name, new.clone()))
            .collect();
        if !changes.is_empty() {
            call.commit(class, index, changes);
        }
    }
}

/// Get-CASMailbox shows fewer addresses than Get-Mailbox; only another primary one is a change.
fn addresses_changed(old: &Prop, new: &Prop) -> bool {
    let primary = |prop: &Prop| match prop {
        Prop::List(items) => items.iter().find(|item| item.starts_with("SMTP:")).cloned(),
        _ => None,
    };
    primary(old) != primary(new)
}

const TYPES: [(&str, &str); 7] = [
    ("Regular", "UserMailbox"),
    ("Shared", "SharedMailbox"),
    ("Room", "RoomMailbox"),
    ("Equipment", "EquipmentMailbox"),
    ("Workspace", "RoomMailbox"),
    ("Desk", "RoomMailbox"),
    ("Discovery", "DiscoveryMailbox"),
];

/// What shows the `Type` of a mailbox.
pub(super) fn type_changes(kind: &'static str) -> Changes {
    let details = TYPES.iter().find(|(own, _)| *own == kind).map_or("UserMailbox", |(_, details)| details);
    let resource = matches!(kind, "Room" | "Equipment" | "Workspace" | "Desk");
    Changes::from([
        ("RecipientTypeDetails", Prop::text(details)),
        ("IsShared", Prop::Bool(kind == "Shared")),
        ("IsResource", Prop::Bool(resource)),
        ("ResourceType", if resource { Prop::text(kind) } else { Prop::Null }),
    ])
}

/// Warn ≤ send ≤ receive.
fn check_quotas(old: &Object, changes: &Changes) -> Result<(), Failure> {
    const QUOTAS: [&str; 3] = ["IssueWarningQuota", "ProhibitSendQuota", "ProhibitSendReceiveQuota"];
    if !QUOTAS.iter().any(|name| changes.contains_key(name)) {
        return Ok(());
    }
    let defaults = changes.get("UseDatabaseQuotaDefaults").or_else(|| old.get("UseDatabaseQuotaDefaults"));
    if defaults == Some(&Prop::Bool(true)) {
        let text = "The quotas of the mailbox follow the database's while UseDatabaseQuotaDefaults is true.";
        return Err(Failure::invalid("Microsoft.Exchange.Data.DataValidationException", text));
    }
    let bytes = QUOTAS.map(|name| {
        let prop = changes.get(name).or_else(|| old.get(name));
        prop.and_then(Prop::as_text)
            .and_then(|text| super::super::prop::parse_size(&text))
            .unwrap_or(u64::MAX)
    });
    if bytes.is_sorted() {
        return Ok(());
    }
    let text = "The value of property 'ProhibitSendReceiveQuota' must be greater than or equal to that of property \
                'ProhibitSendQuota', and that to 'IssueWarningQuota'.";
    Err(Failure::invalid("Microsoft.Exchange.Data.DataValidationException", text))
}
