//! Groups and contacts that a tenant has from its beginning, and what their objects look like.

use uuid::Uuid;

use super::mailbox::{CUSTOM_ATTRIBUTES, GUID, Tenant};
use super::prop::{Object, Prop, size};
use super::random::guid;
use super::shelf::{Shelf, always};

pub(super) const GROUP: &str = "DistributionGroup";
pub(super) const DYNAMIC: &str = "DynamicDistributionGroup";
pub(super) const UNIFIED: &str = "UnifiedGroup";
pub(super) const CONTACT: &str = "MailContact";
pub(super) const MAIL_USER: &str = "MailUser";
pub(super) const ROLE_GROUP: &str = "RoleGroup";

/// The nouns of recipients that are no mailboxes.
pub(super) const NOUNS: [&str; 5] = [GROUP, DYNAMIC, UNIFIED, CONTACT, MAIL_USER];

/// What a recipient is called, and by which address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) alias: String,
    pub(super) display: String,
    pub(super) primary: String,
}

/// What every recipient that is not a mailbox shows beside the properties of a directory object.
fn recipient(object: &mut Object, names: &Names, kind: &'static str, details: &'static str) {
    let id = object.text("Guid").into_owned();
    for (name, prop) in [
        ("ExternalDirectoryObjectId", Prop::text(id.clone())),
        ("Alias", Prop::text(names.alias.clone())),
        ("DisplayName", Prop::text(names.display.clone())),
        ("SimpleDisplayName", Prop::text("")),
        ("PrimarySmtpAddress", Prop::text(names.primary.clone())),
        ("WindowsEmailAddress", Prop::text(names.primary.clone())),
        ("EmailAddresses", Prop::List(vec![format!("SMTP:{}", names.primary)])),
        ("EmailAddressPolicyEnabled", Prop::Bool(false)),
        ("RecipientType", Prop::text(kind)),
        ("RecipientTypeDetails", Prop::text(details)),
        (
            "LegacyExchangeDN",
            Prop::text(format!(
                "/o=ExchangeLabs/ou=Exchange Administrative Group/cn=Recipients/cn={}",
                id.replace('-', "")
            )),
        ),
        ("HiddenFromAddressListsEnabled", Prop::Bool(false)),
        ("RequireSenderAuthenticationEnabled", Prop::Bool(kind.starts_with("MailUniversal"))),
        ("ModerationEnabled", Prop::Bool(false)),
        ("SendModerationNotifications", Prop::text("Always")),
        ("MailTip", Prop::Null),
        ("IsDirSynced", Prop::Bool(false)),
        ("MaxSendSize", Prop::text("Unlimited")),
        ("MaxReceiveSize", Prop::text("Unlimited")),
    ] {
        object.set(name, prop);
    }
    for name in LISTS {
        object.set(name, Prop::List(Vec::new()));
    }
    for name in CUSTOM_ATTRIBUTES {
        object.set(name, Prop::text(""));
    }
}

/// Lists of recipients and the like that every recipient has.
const LISTS: [&str; 12] = [
    "GrantSendOnBehalfTo",
    "ModeratedBy",
    "AcceptMessagesOnlyFrom",
    "AcceptMessagesOnlyFromDLMembers",
    "AcceptMessagesOnlyFromSendersOrMembers",
    "BypassModerationFromSendersOrMembers",
    "RejectMessagesFrom",
    "RejectMessagesFromDLMembers",
    "RejectMessagesFromSendersOrMembers",
    "MailTipTranslations",
    "ExtensionCustomAttribute1",
    "ExtensionCustomAttribute2",
];

/// A distribution group, of `Type` Security or Distribution. Source: protocol reference, 6.2.
pub(super) fn group(mut object: Object, names: &Names, security: bool, managers: Vec<String>) -> Object {
    recipient(&mut object, names, "MailUniversalDistributionGroup", "MailUniversalDistributionGroup");
    for (name, prop) in group_type(security) {
        object.set(name, prop);
    }
    for (name, prop) in [
        ("SamAccountName", Prop::text(names.alias.clone())),
        ("ManagedBy", Prop::List(managers)),
        ("MemberJoinRestriction", Prop::text("Closed")),
        ("MemberDepartRestriction", Prop::text(if security { "Closed" } else { "Open" })),
        ("ReportToManagerEnabled", Prop::Bool(false)),
        ("ReportToOriginatorEnabled", Prop::Bool(true)),
        ("SendOofMessageToOriginatorEnabled", Prop::Bool(false)),
        ("BypassNestedModerationEnabled", Prop::Bool(false)),
        ("BccBlocked", Prop::Bool(false)),
        ("HiddenGroupMembershipEnabled", Prop::Bool(false)),
        ("Description", Prop::List(Vec::new())),
    ] {
        object.set(name, prop);
    }
    object
}

/// What shows the `Type` of a group.
pub(super) fn group_type(security: bool) -> [(&'static str, Prop); 3] {
    let (group_type, details) = if security {
        ("Universal, SecurityEnabled", "MailUniversalSecurityGroup")
    } else {
        ("Universal", "MailUniversalDistributionGroup")
    };
    [
        ("GroupType", Prop::text(group_type)),
        ("RecipientType", Prop::text(details)),
        ("RecipientTypeDetails", Prop::text(details)),
    ]
}

/// A group whose members follow from a filter.
pub(super) fn dynamic(mut object: Object, names: &Names) -> Object {
    recipient(&mut object, names, "DynamicDistributionGroup", "DynamicDistributionGroup");
    for (name, prop) in [
        ("RecipientFilter", Prop::text("")),
        ("RecipientFilterType", Prop::text("Custom")),
        ("IncludedRecipients", Prop::Null),
        ("RecipientContainer", Prop::Null),
        ("ManagedBy", Prop::Null),
        ("Notes", Prop::text("")),
        ("ReportToManagerEnabled", Prop::Bool(false)),
        ("ReportToOriginatorEnabled", Prop::Bool(true)),
        ("SendOofMessageToOriginatorEnabled", Prop::Bool(false)),
    ] {
        object.set(name, prop);
    }
    for name in CONDITIONS {
        object.set(name, Prop::List(Vec::new()));
    }
    object
}

/// What `Conditional…` parameters set, with the property that each compares.
pub(super) const CONDITIONS: [&str; 5] = [
    "ConditionalCompany",
    "ConditionalDepartment",
    "ConditionalStateOrProvince",
    "ConditionalCustomAttribute1",
    "ConditionalCustomAttribute2",
];

/// A Microsoft 365 group.
pub(super) fn unified(mut object: Object, names: &Names, managers: Vec<String>) -> Object {
    recipient(&mut object, names, "MailUniversalDistributionGroup", "GroupMailbox");
    for (name, prop) in [
        ("AccessType", Prop::text("Private")),
        ("AllowAddGuests", Prop::Bool(true)),
        ("AlwaysSubscribeMembersToCalendarEvents", Prop::Bool(false)),
        ("AutoSubscribeNewMembers", Prop::Bool(false)),
        ("CalendarMemberReadOnly", Prop::Bool(false)),
        ("Classification", Prop::text("")),
        ("ConnectorsEnabled", Prop::Bool(true)),
        ("HiddenFromExchangeClientsEnabled", Prop::Bool(false)),
        ("HiddenGroupMembershipEnabled", Prop::Bool(false)),
        ("IsMemberAllowedToEditContent", Prop::Bool(true)),
        ("Language", Prop::text("en-US")),
        ("ManagedBy", Prop::List(managers)),
        ("Notes", Prop::text("")),
        ("SubscriptionEnabled", Prop::Bool(true)),
        ("WelcomeMessageEnabled", Prop::Bool(true)),
        ("AuditLogAgeLimit", Prop::text("90.00:00:00")),
        ("MaxSendSize", Prop::text(size(35 << 20))),
        ("MaxReceiveSize", Prop::text(size(36 << 20))),
    ] {
        object.set(name, prop);
    }
    object
}

/// A contact or a user whose mail goes outside; the target address is shown with its prefix.
pub(super) fn external(mut object: Object, names: &Names, noun: &'static str, target: &str) -> Object {
    let kind = if noun == CONTACT { "MailContact" } else { "MailUser" };
    recipient(&mut object, names, kind, kind);
    for (name, prop) in [
        ("ExternalEmailAddress", Prop::text(format!("SMTP:{target}"))),
        ("MacAttachmentFormat", Prop::text("BinHex")),
        ("MessageFormat", Prop::text("Mime")),
        ("MessageBodyFormat", Prop::text("TextAndHtml")),
        ("UseMapiRichTextFormat", Prop::text("UseDefaultSettings")),
        ("UsePreferMessageFormat", Prop::Bool(false)),
    ] {
        object.set(name, prop);
    }
    if noun == MAIL_USER {
        let id = object.text("ExternalDirectoryObjectId").into_owned();
        for (name, prop) in [
            ("UserPrincipalName", Prop::text(names.primary.clone())),
            ("MicrosoftOnlineServicesID", Prop::text(names.primary.clone())),
            ("ExchangeGuid", Prop::text(id)),
            ("RecipientLimits", Prop::text("Unlimited")),
        ] {
            object.set(name, prop);
        }
    }
    object
}

const ROLE_GROUPS: [&str; 6] = [
    "Organization Management",
    "Recipient Management",
    "View-Only Organization Management",
    "Help Desk",
    "Compliance Management",
    "Records Management",
];

/// The groups and contacts of a new tenant, and who is in the groups: GUIDs of the group and of its members.
pub(super) fn begin(shelf: &mut Shelf, tenant: &Tenant) -> Vec<(Uuid, Vec<Uuid>)> {
    let member = |index: u64| guid(tenant.seed, index, GUID);
    let manager = || if tenant.mailboxes > 0 { vec![tenant.name(0)] } else { Vec::new() };
    let names = |alias: &str, display: &str| Names {
        alias: alias.to_owned(),
        display: display.to_owned(),
        primary: format!("{alias}@{}", tenant.domain),
    };
    let group_objects = || {
        let all = [("all.staff", "All Staff", false), ("finance.approvers", "経理 承認者", true)];
        (0..).zip(all).map(|(number, (alias, display, security))| {
            let object = always(tenant, GROUP, number, display, None);
            group(object, &names(alias, display), security, manager())
        })
    };
    let guid_of = |object: &Object| match object.get("Guid") {
        Some(Prop::Guid(id)) => *id,
        _ => Uuid::nil(),
    };
    let members = (0..)
        .zip(group_objects())
        .map(|(number, group): (u64, Object)| {
            let some = (number..tenant.mailboxes.min(number + 5)).map(member).collect();
            (guid_of(&group), some)
        })
        .collect();
    shelf.begin(GROUP, || group_objects().collect());
    shelf.begin(UNIFIED, || {
        let object = always(tenant, UNIFIED, 0, "Project Falcon 🦅", None);
        vec![unified(object, &names("falcon", "Project Falcon 🦅"), manager())]
    });
    shelf.begin(CONTACT, || {
        let object = always(tenant, CONTACT, 0, "Fabrikam, Inc. Desk", None);
        let names = Names {
            primary: "desk@fabrikam.example".to_owned(),
            ..names("fabrikam.desk", "Fabrikam, Inc. Desk")
        };
        vec![external(object, &names, CONTACT, "desk@fabrikam.example")]
    });
    shelf.begin(ROLE_GROUP, || {
        let all = (0..).zip(ROLE_GROUPS);
        all.map(|(number, name)| {
            let mut object = always(tenant, ROLE_GROUP, number, name, None);
            for (name, prop) in [
                ("DisplayName", Prop::text("")),
                ("Description", Prop::text("")),
                ("ManagedBy", Prop::List(vec![ROLE_GROUPS[0].to_owned()])),
                ("Roles", Prop::List(Vec::new())),
                ("RoleGroupType", Prop::text("Standard")),
            ] {
                object.set(name, prop);
            }
            object
        })
        .collect()
    });
    for noun in [DYNAMIC, MAIL_USER] {
        shelf.begin(noun, Vec::new);
    }
    members
}
