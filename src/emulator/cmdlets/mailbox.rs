//! `Get-Mailbox`, `Set-Mailbox`, `Get-Recipient`.

use super::super::directory::Class;
use super::super::errors::Failure;
use super::super::prop::{Object, Prop};
use super::change::Changes;
use super::parameters::{Kind, Parameter, missing, own, p};
use super::{Answer, Call, Cmdlet, Effect};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet { name: "Get-Mailbox", effect: Effect::Read, parameters: &[GET, GET_MISSING], run: get },
    Cmdlet { name: "Set-Mailbox", effect: Effect::Write, parameters: &[SET, CUSTOM, SET_MISSING], run: set },
    Cmdlet {
        name: "Get-Recipient",
        effect: Effect::Read,
        parameters: &[GET, RECIPIENT_MISSING],
        run: recipient,
    },
];

const GET: &[Parameter] =
    &[own("Identity"), own("Anr"), own("Filter"), own("ResultSize"), own("RecipientTypeDetails")];

const GET_MISSING: &[Parameter] = &[
    missing("SortBy"),
    missing("Archive"),
    missing("GroupMailbox"),
    missing("InactiveMailboxOnly"),
    missing("IncludeInactiveMailbox"),
    missing("SoftDeletedMailbox"),
    missing("PublicFolder"),
    missing("MailboxPlan"),
    missing("Migration"),
    missing("Monitoring"),
    missing("Async"),
];

const RECIPIENT_MISSING: &[Parameter] = &[
    missing("SortBy"),
    missing("Properties"),
    missing("RecipientType"),
    missing("RecipientPreviewFilter"),
    missing("IncludeSoftDeletedRecipients"),
    missing("Capabilities"),
];

const SET: &[Parameter] = &[
    own("Identity"),
    own("Type"),
    own("Force"),
    p("DisplayName", Kind::Text),
    p("SimpleDisplayName", Kind::Text),
    p("Alias", Kind::Text),
    p("Office", Kind::Text),
    p("EmailAddresses", Kind::ProxyAddresses),
    own("WindowsEmailAddress"),
    p("HiddenFromAddressListsEnabled", Kind::Bool),
    p("ForwardingAddress", Kind::Recipient),
    p("ForwardingSmtpAddress", Kind::SmtpAddress),
    p("DeliverToMailboxAndForward", Kind::Bool),
    p("GrantSendOnBehalfTo", Kind::RecipientList),
    p("MaxSendSize", Kind::Size),
    p("MaxReceiveSize", Kind::Size),
    p("RecipientLimits", Kind::Text),
    p("UseDatabaseQuotaDefaults", Kind::Bool),
    p("IssueWarningQuota", Kind::Size),
    p("ProhibitSendQuota", Kind::Size),
    p("ProhibitSendReceiveQuota", Kind::Size),
    p("RetainDeletedItemsFor", Kind::Span),
    p("SingleItemRecoveryEnabled", Kind::Bool),
    p("RetentionHoldEnabled", Kind::Bool),
    p("RetentionComment", Kind::Text),
    p("RetentionPolicy", Kind::NullableText),
    p("LitigationHoldEnabled", Kind::Bool),
    p("LitigationHoldDuration", Kind::Span),
    p("AuditEnabled", Kind::Bool),
    p("AuditLogAgeLimit", Kind::Span),
    p("AuditAdmin", Kind::List),
    p("AuditDelegate", Kind::List),
    p("AuditOwner", Kind::List),
    p("MessageCopyForSentAsEnabled", Kind::Bool),
    p("MessageCopyForSendOnBehalfEnabled", Kind::Bool),
    p("RequireSenderAuthenticationEnabled", Kind::Bool),
    p("ModerationEnabled", Kind::Bool),
    p("ModeratedBy", Kind::RecipientList),
    p("AcceptMessagesOnlyFrom", Kind::RecipientList),
    p("RejectMessagesFrom", Kind::RecipientList),
    p("MailTip", Kind::NullableText),
    p("Languages", Kind::List),
    p("RoleAssignmentPolicy", Kind::NullableText),
    p("SharingPolicy", Kind::NullableText),
    p("AddressBookPolicy", Kind::NullableText),
    p("AccountDisabled", Kind::Bool),
];

const CUSTOM: &[Parameter] = &[
    p("CustomAttribute1", Kind::Text),
    p("CustomAttribute2", Kind::Text),
    p("CustomAttribute3", Kind::Text),
    p("CustomAttribute4", Kind::Text),
    p("CustomAttribute5", Kind::Text),
    p("CustomAttribute6", Kind::Text),
    p("CustomAttribute7", Kind::Text),
    p("CustomAttribute8", Kind::Text),
    p("CustomAttribute9", Kind::Text),
    p("CustomAttribute10", Kind::Text),
    p("CustomAttribute11", Kind::Text),
    p("CustomAttribute12", Kind::Text),
    p("CustomAttribute13", Kind::Text),
    p("CustomAttribute14", Kind::Text),
    p("CustomAttribute15", Kind::Text),
];

const SET_MISSING: &[Parameter] = &[
    missing("Password"),
    missing("RoomMailboxPassword"),
    missing("MicrosoftOnlineServicesID"),
    missing("RemoveDelayHoldApplied"),
    missing("ApplyMandatoryProperties"),
    missing("InactiveMailbox"),
    missing("GroupMailbox"),
    missing("ResourceCapacity"),
    missing("MailTipTranslations"),
];

fn get(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.one_or_all(Class::Mailbox)
}

const RECIPIENT: &[&str] = &[
    "Identity",
    "Id",
    "Name",
    "Guid",
    "ExchangeObjectId",
    "DistinguishedName",
    "ObjectClass",
    "ObjectState",
    "IsValid",
    "WhenCreated",
    "WhenCreatedUTC",
    "WhenChanged",
    "WhenChangedUTC",
    "OrganizationId",
    "OriginatingServer",
    "ExternalDirectoryObjectId",
    "Alias",
    "DisplayName",
    "PrimarySmtpAddress",
    "EmailAddresses",
    "RecipientType",
    "RecipientTypeDetails",
    "HiddenFromAddressListsEnabled",
    "Office",
    "CustomAttribute1",
];

fn recipient(call: &mut Call<'_>) -> Result<Answer, Failure> {
    match call.named(Class::Mailbox, "Identity")? {
        Some(index) => {
            let mut object = call.read(Class::Mailbox, index);
            object.keep(RECIPIENT);
            Ok(Answer::Objects(vec![object]))
        }
        None => {
            let mut listing = call.listing(Class::Mailbox)?;
            listing.only = Some(RECIPIENT);
            Ok(Answer::Listing(listing))
        }
    }
}

fn set(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let index = call.identity(Class::Mailbox)?;
    let answer = call.set(Class::Mailbox, index, |call, old, changes| {
        if let Some(kind) = call.given.text("Type")? {
            change_type(&kind, changes)?;
        }
        if let Some(primary) = call.given.text("WindowsEmailAddress")? {
            let all = addresses(old, changes);
            changes.insert("EmailAddresses", Prop::List(with_primary(&all, &primary)));
        }
        if let Some(Prop::List(all)) = changes.get("EmailAddresses") {
            let primary = checked(call, index, all)?;
            changes.insert("PrimarySmtpAddress", Prop::text(primary.clone()));
            changes.insert("WindowsEmailAddress", Prop::text(primary));
        }
        if let Some(alias) =
            changes.get("Alias").map(|alias| alias.as_text().unwrap_or_default().into_owned())
        {
            check_alias(call, index, &alias)?;
        }
        check_quotas(old, changes)
    })?;
    if matches!(&answer, Answer::Done { warnings } if warnings.is_empty()) {
        mirror(call, index);
    }
    Ok(answer)
}

/// What the other views of the same object show too.
fn mirror(call: &mut Call<'_>, index: u64) {
    let mailbox = call.directory.current(Class::Mailbox, index);
    for class in [Class::CasMailbox, Class::User] {
        let own = call.directory.current(class, index);
        let shared = [
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

fn change_type(kind: &str, changes: &mut Changes) -> Result<(), Failure> {
    const TYPES: [(&str, &str); 4] = [
        ("Regular", "UserMailbox"),
        ("Shared", "SharedMailbox"),
        ("Room", "RoomMailbox"),
        ("Equipment", "EquipmentMailbox"),
    ];
    let Some((name, details)) = TYPES.into_iter().find(|(own, _)| own.eq_ignore_ascii_case(kind)) else {
        return Err(super::values::not_one_of("Type", kind, &TYPES.map(|(own, _)| own)));
    };
    let resource = matches!(name, "Room" | "Equipment");
    changes.insert("RecipientTypeDetails", Prop::text(details));
    changes.insert("IsShared", Prop::Bool(name == "Shared"));
    changes.insert("IsResource", Prop::Bool(resource));
    changes.insert("ResourceType", if resource { Prop::text(name) } else { Prop::Null });
    Ok(())
}

/// The addresses after the changes so far.
fn addresses(old: &Object, changes: &Changes) -> Vec<String> {
    match changes.get("EmailAddresses").or_else(|| old.get("EmailAddresses")) {
        Some(Prop::List(items)) => items.clone(),
        _ => Vec::new(),
    }
}

/// Makes one address the primary one, and the former an alias.
fn with_primary(all: &[String], primary: &str) -> Vec<String> {
    let mut new = vec![format!("SMTP:{primary}")];
    for item in all {
        let Some((kind, rest)) = item.split_once(':') else { continue };
        if kind.eq_ignore_ascii_case("smtp") {
            if !rest.eq_ignore_ascii_case(primary) {
                new.push(format!("smtp:{rest}"));
            }
        } else {
            new.push(item.clone());
        }
    }
    new
}

/// Exactly one primary address, known domains, nobody else's address. Returns the primary one.
fn checked(call: &Call<'_>, index: u64, all: &[String]) -> Result<String, Failure> {
    let recipient =
        |text: &str| Failure::invalid("Microsoft.Exchange.Configuration.Tasks.RecipientTaskException", text);
    let primaries: Vec<&str> = all.iter().filter_map(|item| item.strip_prefix("SMTP:")).collect();
    let [primary] = primaries[..] else {
        return Err(recipient("There must be exactly one primary SMTP address (SMTP:) in EmailAddresses."));
    };
    let domains = call.directory.tenant.accepted_domains();
    let smtp = all
        .iter()
        .filter_map(|item| item.split_once(':'))
        .filter(|(kind, _)| kind.eq_ignore_ascii_case("smtp"));
    for (_, address) in smtp {
        let domain = address.rsplit_once('@').map(|(_, domain)| domain).unwrap_or_default();
        if !domains.iter().any(|own| own.eq_ignore_ascii_case(domain)) {
            return Err(Failure::invalid(
                "Microsoft.Exchange.Management.Tasks.NotAcceptedDomainException",
                &format!(
                    "You can't use the domain {domain} because it's not an accepted domain for your organization."
                ),
            ));
        }
        if call.directory.find(Class::Mailbox, address).is_some_and(|other| other != index) {
            return Err(Failure::invalid(
                "Microsoft.Exchange.Data.Directory.ProxyAddressExistsException",
                &format!(
                    "The proxy address \"SMTP:{address}\" is already being used by another recipient. Please choose another proxy address."
                ),
            ));
        }
    }
    Ok(primary.to_owned())
}

fn check_alias(call: &Call<'_>, index: u64, alias: &str) -> Result<(), Failure> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    if alias.is_empty() || alias.len() > 64 || !alias.chars().all(allowed) {
        let text = format!(
            "\"{alias}\" isn't valid for Alias. Valid values are strings of ASCII letters, digits and some punctuation."
        );
        return Err(Failure::invalid("Microsoft.Exchange.Data.DataValidationException", &text));
    }
    match call.directory.find(Class::Mailbox, alias) {
        Some(other) if other != index => Err(Failure::invalid(
            "Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException",
            &format!("The alias \"{alias}\" is already being used by another recipient."),
        )),
        _ => Ok(()),
    }
}

/// Warn ≤ send ≤ receive.
fn check_quotas(old: &Object, changes: &Changes) -> Result<(), Failure> {
    const QUOTAS: [&str; 3] = ["IssueWarningQuota", "ProhibitSendQuota", "ProhibitSendReceiveQuota"];
    if !QUOTAS.iter().any(|name| changes.contains_key(name)) {
        return Ok(());
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
