//! Directory roles, and which cmdlets and parameters exist for them.
//!
//! Source: protocol reference, 2.1 (the roles), 3.10 (what a role does not include does not exist), 3.13 (the list is
//! trimmed by it). Which role includes what is a table of our own: the service's has some hundred entries and is not
//! published as one. It keeps the coarse lines of Microsoft's pages on role groups: readers read, recipient
//! administrators change recipients, but not their holds, security administrators change protection.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use crate::catalog::{self, Service};

/// A directory role of Entra that Exchange knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    GlobalAdministrator,
    ExchangeAdministrator,
    ExchangeRecipientAdministrator,
    GlobalReader,
    SecurityReader,
    SecurityAdministrator,
    ComplianceAdministrator,
    HelpdeskAdministrator,
}

/// Each role, its name and its template's id, which tokens carry as `wids`.
const ROLES: [(Role, &str, &str); 8] = [
    (Role::GlobalAdministrator, "GlobalAdministrator", "62e90394-69f5-4237-9190-012177145e10"),
    (Role::ExchangeAdministrator, "ExchangeAdministrator", "29232cdf-9323-42fd-ade2-1d097af3e4de"),
    (
        Role::ExchangeRecipientAdministrator,
        "ExchangeRecipientAdministrator",
        "31392ffb-586c-42d1-9346-e59415a2cc4e",
    ),
    (Role::GlobalReader, "GlobalReader", "f2ef992c-3afb-46b9-b7cf-a126ee74c451"),
    (Role::SecurityReader, "SecurityReader", "5d6b6bb7-de71-4623-b4af-96380a352509"),
    (Role::SecurityAdministrator, "SecurityAdministrator", "194ae4cb-b126-40b2-bd5b-6091b380977d"),
    (Role::ComplianceAdministrator, "ComplianceAdministrator", "17315797-102d-40b4-93e0-432062caca18"),
    (Role::HelpdeskAdministrator, "HelpdeskAdministrator", "729827e3-9c14-49f7-bb1b-9608f156bbb8"),
];

/// Beginnings of nouns that are about recipients.
const RECIPIENTS: &[&str] = &[
    "ActiveSyncDevice",
    "CalendarProcessing",
    "CASMailbox",
    "Clutter",
    "Contact",
    "DistributionGroup",
    "DynamicDistributionGroup",
    "EligibleDistributionGroup",
    "FocusedInbox",
    "Group",
    "InboxRule",
    "Mailbox",
    "MailContact",
    "MailUser",
    "MobileDevice",
    "Place",
    "Recipient",
    "SweepRule",
    "UnifiedGroup",
    "User",
];

/// Beginnings of nouns that are about protection.
const PROTECTION: &[&str] = &[
    "AntiPhish",
    "ATP",
    "AtpPolicy",
    "DkimSigningConfig",
    "EOPProtection",
    "HostedConnectionFilter",
    "HostedContentFilter",
    "HostedOutboundSpamFilter",
    "MalwareFilter",
    "PhishSimOverride",
    "Quarantine",
    "ReportSubmission",
    "SafeAttachment",
    "SafeLinks",
    "SecOpsOverride",
    "TenantAllowBlockList",
];

/// Beginnings of nouns of Exchange that are about retention and compliance.
const COMPLIANCE: &[&str] =
    &["AdminAuditLogConfig", "Compliance", "DataClassification", "Dlp", "Journal", "Label", "Retention"];

/// Nouns of a user's own options.
const USER_OPTIONS: &[&str] = &[
    "InboxRule",
    "MailboxAutoReplyConfiguration",
    "MailboxCalendarConfiguration",
    "MailboxJunkEmailConfiguration",
    "MailboxMessageConfiguration",
    "MailboxRegionalConfiguration",
];

/// Parameters of recipients' cmdlets that belong to legal holds.
const HOLDS: &[&str] = &["LitigationHold", "RemoveDelayHold", "RetentionHold", "InactiveMailbox"];

fn begins(noun: &str, beginnings: &[&str]) -> bool {
    beginnings.iter().any(|start| noun.get(..start.len()).is_some_and(|own| own.eq_ignore_ascii_case(start)))
}

impl Role {
    /// The id of the role's template.
    pub(super) fn wid(self) -> &'static str {
        ROLES.iter().find(|(role, ..)| *role == self).map_or("", |(_, _, wid)| wid)
    }

    pub(super) fn of_wid(wid: &str) -> Option<Role> {
        ROLES.iter().find(|(_, _, own)| own.eq_ignore_ascii_case(wid)).map(|(role, ..)| *role)
    }

    fn includes(self, service: Service, cmdlet: &str) -> bool {
        let noun = cmdlet.split_once('-').map_or("", |(_, noun)| noun);
        let reads =
            catalog::cmdlet(cmdlet).map_or_else(|| begins(cmdlet, &["Get-"]), |cmdlet| cmdlet.is_read());
        let compliance = service == Service::SecurityCompliance;
        match self {
            Role::GlobalAdministrator | Role::ExchangeAdministrator => true,
            Role::GlobalReader | Role::SecurityReader => reads,
            Role::ComplianceAdministrator => compliance || reads || begins(noun, COMPLIANCE),
            Role::SecurityAdministrator => reads || begins(noun, PROTECTION),
            Role::ExchangeRecipientAdministrator => !compliance && (reads || begins(noun, RECIPIENTS)),
            Role::HelpdeskAdministrator => {
                !compliance && ((reads && begins(noun, RECIPIENTS)) || begins(noun, USER_OPTIONS))
            }
        }
    }

    fn includes_parameter(self, service: Service, cmdlet: &str, parameter: &str) -> bool {
        let hidden = self == Role::ExchangeRecipientAdministrator && begins(parameter, HOLDS);
        !hidden && self.includes(service, cmdlet)
    }
}

/// What exists for a caller.
#[derive(Clone, Debug)]
pub(super) struct Access {
    pub(super) service: Service,
    pub(super) roles: Vec<Role>,
}

impl Access {
    /// Whether the cmdlet exists here and for these roles. What the catalog does not know is not held against anyone.
    pub(super) fn cmdlet(&self, name: &str) -> bool {
        catalog::cmdlet(name).is_none_or(|cmdlet| cmdlet.available_in(self.service))
            && self.roles.iter().any(|role| role.includes(self.service, name))
    }

    /// The same for a parameter of a cmdlet that exists.
    pub(super) fn parameter(&self, cmdlet: &str, name: &str) -> bool {
        catalog::cmdlet(cmdlet)
            .and_then(|cmdlet| cmdlet.parameter(name))
            .is_none_or(|parameter| parameter.available_in(self.service))
            && self.roles.iter().any(|role| role.includes_parameter(self.service, cmdlet, name))
    }
}

/// The roles of one account, written `ACCOUNT=ROLE[,ROLE]`: a client id or a user name, and for example `GlobalReader`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleAssignment {
    account: String,
    roles: Vec<Role>,
}

/// An assignment that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("role `{spec}`: {problem}")]
pub struct BadRole {
    spec: String,
    problem: String,
}

impl RoleAssignment {
    pub(super) fn new<'a>(
        account: &str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<RoleAssignment, String> {
        let role = |name: &str| {
            let found = ROLES.iter().find(|(_, own, _)| own.eq_ignore_ascii_case(name.trim()));
            found.map(|(role, ..)| *role).ok_or_else(|| {
                let known: Vec<&str> = ROLES.iter().map(|(_, name, _)| *name).collect();
                format!("there is no role `{}`; the roles are {}", name.trim(), known.join(", "))
            })
        };
        let roles = names.into_iter().map(role).collect::<Result<_, _>>()?;
        Ok(RoleAssignment { account: account.trim().to_owned(), roles })
    }
}

impl FromStr for RoleAssignment {
    type Err = BadRole;

    fn from_str(spec: &str) -> Result<RoleAssignment, BadRole> {
        let bad = |problem: String| BadRole { spec: spec.to_owned(), problem };
        match spec.split_once('=') {
            Some((account, roles)) if !account.trim().is_empty() => {
                RoleAssignment::new(account, roles.split(',')).map_err(bad)
            }
            _ => Err(bad("it is not ACCOUNT=ROLE[,ROLE]".to_owned())),
        }
    }
}

/// Who has which roles. A token keeps the roles that it was made with.
#[derive(Debug)]
pub(super) struct RoleBook(Mutex<BTreeMap<String, Vec<Role>>>);

impl RoleBook {
    pub(super) fn new(assignments: &[RoleAssignment]) -> RoleBook {
        let book = RoleBook(Mutex::default());
        for assignment in assignments {
            book.assign(assignment.clone());
        }
        book
    }

    /// From now on; no roles at all means every right again.
    pub(super) fn assign(&self, assignment: RoleAssignment) {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let account = assignment.account.to_lowercase();
        if assignment.roles.is_empty() {
            book.remove(&account);
        } else {
            book.insert(account, assignment.roles);
        }
    }

    pub(super) fn of(&self, account: &str) -> Vec<Role> {
        let book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        book.get(&account.to_lowercase()).cloned().unwrap_or_else(|| vec![Role::ExchangeAdministrator])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(service: Service, roles: &[Role]) -> Access {
        Access { service, roles: roles.to_vec() }
    }

    #[test]
    fn readers_read_and_administrators_of_recipients_change_recipients_only() {
        let reader = access(Service::ExchangeOnline, &[Role::GlobalReader]);
        assert!(reader.cmdlet("Get-Mailbox") && !reader.cmdlet("Set-Mailbox"));
        let recipients = access(Service::ExchangeOnline, &[Role::ExchangeRecipientAdministrator]);
        assert!(recipients.cmdlet("set-mailbox") && !recipients.cmdlet("Set-TransportConfig"));
        assert!(recipients.parameter("Set-Mailbox", "DisplayName"));
        assert!(!recipients.parameter("Set-Mailbox", "LitigationHoldEnabled"));
        let both = access(
            Service::ExchangeOnline,
            &[Role::ExchangeRecipientAdministrator, Role::ExchangeAdministrator],
        );
        assert!(both.parameter("Set-Mailbox", "LitigationHoldEnabled"), "roles add up");
        let security = access(Service::ExchangeOnline, &[Role::SecurityAdministrator]);
        assert!(security.cmdlet("Set-HostedOutboundSpamFilterPolicy") && !security.cmdlet("Set-Mailbox"));
        let helpdesk = access(Service::ExchangeOnline, &[Role::HelpdeskAdministrator]);
        assert!(helpdesk.cmdlet("Set-MailboxAutoReplyConfiguration") && !helpdesk.cmdlet("Set-Mailbox"));
        assert!(!access(Service::ExchangeOnline, &[]).cmdlet("Get-Mailbox"), "nobody has nothing");
    }

    #[test]
    fn each_service_has_its_own_cmdlets() {
        let all = [Role::ExchangeAdministrator];
        let compliance = access(Service::SecurityCompliance, &all);
        assert!(compliance.cmdlet("Get-User") && !compliance.cmdlet("Get-Mailbox"));
        assert!(!access(Service::ExchangeOnlineProtection, &all).cmdlet("Get-Mailbox"));
        assert!(!access(Service::ExchangeOnline, &all).cmdlet("New-ComplianceCase"));
    }

    #[test]
    fn assignments_are_read_and_mistakes_are_named() {
        let book = RoleBook::new(&["Admin@X.example=globalreader, SecurityReader".parse().unwrap()]);
        assert_eq!(book.of("admin@x.example"), [Role::GlobalReader, Role::SecurityReader]);
        assert_eq!(book.of("other"), [Role::ExchangeAdministrator]);
        book.assign(RoleAssignment::new("admin@x.example", []).unwrap());
        assert_eq!(book.of("admin@x.example"), [Role::ExchangeAdministrator]);
        let problem = |spec: &str| spec.parse::<RoleAssignment>().unwrap_err().to_string();
        assert_eq!(problem("x"), "role `x`: it is not ACCOUNT=ROLE[,ROLE]");
        assert!(
            problem("x=Chef").starts_with("role `x=Chef`: there is no role `Chef`; the roles are Global")
        );
        assert!(ROLES.iter().all(|(role, _, wid)| Role::of_wid(wid) == Some(*role) && role.wid() == *wid));
    }
}
