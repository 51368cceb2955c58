//! What follows from a write on a shelf, and what the service refuses. Source: protocol reference, 6.3 and 6.4.

use super::super::errors::Failure;
use super::super::prop::{Object, Prop};
use super::super::{nouns, policies};
use super::{Call, rules};

/// What is done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    New,
    Set,
    Remove,
}

/// Nouns that a tenant may write once `Enable-OrganizationCustomization` was called.
const CUSTOMIZED: [&str; 6] = [
    "AdminAuditLogConfig",
    "AuthenticationPolicy",
    "OwaMailboxPolicy",
    "RetentionPolicy",
    "RoleAssignmentPolicy",
    "SharingPolicy",
];

/// Brings the new properties into the form that reads show, or refuses them.
pub(super) fn settle(
    call: &mut Call<'_>,
    verb: Verb,
    old: Option<&Object>,
    new: &mut Object,
) -> Result<(), Failure> {
    let noun = call.noun();
    if CUSTOMIZED.contains(&noun) {
        customized(call)?;
    }
    if verb == Verb::Remove {
        return if nouns::noun(noun).is_some() { removable(new) } else { Ok(()) };
    }
    match noun {
        "TransportRule" => rules::transport(call, verb, new),
        _ if rules::policy_of(noun).is_some() => rules::policy_rule(call, verb, new),
        "OrganizationConfig" => {
            // A switch that cannot be taken back.
            if call.given.switch("AutoExpandingArchive")? {
                new.set("AutoExpandingArchiveEnabled", Prop::Bool(true));
            }
            Ok(())
        }
        "ExternalInOutlook" => {
            if matches!(new.get("AllowList"), Some(Prop::List(items)) if items.is_empty()) {
                new.set("AllowList", Prop::List(vec![String::new()]));
            }
            Ok(())
        }
        "InboundConnector" => each(new, "SenderDomains", |domain| Ok(address_space(domain))),
        "SharingPolicy" => each(new, "Domains", sharing_domain),
        "AntiPhishPolicy" => anti_phish(call, new),
        "RoleAssignmentPolicy" => {
            // The roles are given as `Roles` and read as `AssignedRoles`.
            if let Some(roles) = call.given.list("Roles")? {
                new.set("AssignedRoles", Prop::List(roles));
            }
            Ok(())
        }
        "QuarantinePolicy" => quarantine_policy(call, new),
        "RetentionPolicy" => {
            call.begin("RetentionPolicyTag");
            let shelf = &call.directory.shelf;
            each(new, "RetentionPolicyTagLinks", |tag| {
                let found = shelf
                    .find("RetentionPolicyTag", &tag, call.now)
                    .ok_or_else(|| Failure::not_found(&tag))?;
                let object = shelf.read("RetentionPolicyTag", found, call.now);
                Ok(object.map_or(tag, |object| object.text("Name").into_owned()))
            })
        }
        "RetentionPolicyTag" => retention_tag(new),
        "DkimSigningConfig" => signing(call, verb, old, new),
        _ => Ok(()),
    }
}

fn refuse(text: &str) -> Failure {
    Failure::invalid("System.InvalidOperationException", text)
}

fn customized(call: &mut Call<'_>) -> Result<(), Failure> {
    call.begin("OrganizationConfig");
    let config = call.directory.shelf.list("OrganizationConfig", call.now).next();
    if config.is_some_and(|(_, config)| config.get("IsDehydrated") == Some(&Prop::Bool(true))) {
        return Err(Failure::invalid(
            "Microsoft.Exchange.Configuration.Tasks.InvalidOperationInDehydratedContextException",
            "The command you tried to run isn't currently allowed in your organization. To run this command, you first \
             need to run the command: Enable-OrganizationCustomization.",
        ));
    }
    Ok(())
}

/// What a tenant has by default stays.
fn removable(object: &Object) -> Result<(), Failure> {
    let is_set = |name| object.get(name) == Some(&Prop::Bool(true));
    let stays = ["IsDefault", "Default", "IsBuiltInProtection"].into_iter().any(is_set)
        || object.text("DomainName") == "*";
    if stays {
        return Err(refuse(&format!("The default object '{}' can't be removed.", object.text("Identity"))));
    }
    Ok(())
}

/// Puts each item of a list through `change`.
pub(super) fn each(
    object: &mut Object,
    name: &'static str,
    change: impl FnMut(String) -> Result<String, Failure>,
) -> Result<(), Failure> {
    if let Some(Prop::List(items)) = object.get(name).cloned() {
        object.set(name, Prop::List(items.into_iter().map(change).collect::<Result<_, _>>()?));
    }
    Ok(())
}

/// A connector's domain is shown with its type and its cost.
fn address_space(domain: String) -> String {
    let (kind, rest) = domain.split_once(':').unwrap_or(("smtp", &domain));
    let (name, cost) = rest.rsplit_once(';').unwrap_or((rest, "1"));
    format!("{}:{name};{cost}", kind.to_ascii_lowercase())
}

/// `domain:Action, Action`
fn sharing_domain(text: String) -> Result<String, Failure> {
    match text.split_once(':') {
        Some((domain, actions)) if !domain.is_empty() && !actions.trim().is_empty() => {
            let actions: Vec<&str> = actions.split(',').map(str::trim).collect();
            Ok(format!("{domain}:{}", actions.join(", ")))
        }
        _ => Err(Failure::transformation("Domains", &format!("\"{text}\" isn't domain:Action[, Action]."))),
    }
}

/// `Display name;address`
fn protected_user(text: String) -> Result<String, Failure> {
    match text.split_once(';') {
        Some((name, address)) if !name.is_empty() && address.contains('@') => Ok(text),
        _ => Err(refuse(&format!(
            "The user to protect \"{text}\" isn't in the format DisplayName;EmailAddress."
        ))),
    }
}

/// Parameters that a tenant without the licence of Defender does not have.
const IMPERSONATION: [&str; 9] = [
    "EnableMailboxIntelligence",
    "EnableMailboxIntelligenceProtection",
    "EnableOrganizationDomainsProtection",
    "EnableTargetedDomainsProtection",
    "EnableTargetedUserProtection",
    "PhishThresholdLevel",
    "TargetedDomainsToProtect",
    "TargetedUserProtectionAction",
    "TargetedUsersToProtect",
];

fn anti_phish(call: &Call<'_>, new: &mut Object) -> Result<(), Failure> {
    if call.directory.shelf.no_defender {
        let unknown = IMPERSONATION.into_iter().find(|name| call.given.value(name).is_some());
        if let Some(unknown) = unknown {
            return Err(Failure::unknown_parameter(call.cmdlet.name, unknown));
        }
    }
    if !matches!(new.get("PhishThresholdLevel"), Some(Prop::Int(1..=4))) {
        return Err(refuse("PhishThresholdLevel is a number from 1 to 4."));
    }
    each(new, "TargetedUsersToProtect", protected_user)
}

fn quarantine_policy(call: &Call<'_>, new: &mut Object) -> Result<(), Failure> {
    let Some(text) = call.given.text("EndUserQuarantinePermissionsValue")? else { return Ok(()) };
    let number = text
        .parse::<i32>()
        .ok()
        .filter(|number| (0..256).contains(number))
        .ok_or_else(|| refuse("EndUserQuarantinePermissionsValue is a number from 0 to 255."))?;
    new.set("EndUserQuarantinePermissions", Prop::text(policies::permissions(number)));
    Ok(())
}

fn retention_tag(new: &Object) -> Result<(), Failure> {
    let moves = new.text("RetentionAction") == "MoveToArchive";
    let may_move = ["All", "Personal", "RecoverableItems"].contains(&new.text("Type").as_ref());
    if moves && !may_move {
        return Err(refuse(
            "MoveToArchive is for tags of the types All, Personal and RecoverableItems only.",
        ));
    }
    Ok(())
}

/// The keys have to be in the domain's DNS, which nobody can change from here.
fn signing(call: &Call<'_>, verb: Verb, old: Option<&Object>, new: &mut Object) -> Result<(), Failure> {
    let turned_on = new.get("Enabled") == Some(&Prop::Bool(true))
        && old.is_none_or(|old| old.get("Enabled") != Some(&Prop::Bool(true)));
    if verb == Verb::New {
        let domain = new.text("DomainName").into_owned();
        for (name, prop) in call.directory.tenant.signing(&domain, false) {
            if name != "Enabled" {
                new.set(name, prop);
            }
        }
    }
    if turned_on && new.text("Status") != "Valid" {
        return Err(Failure::invalid(
            "Microsoft.Exchange.Management.SystemConfigurationTasks.ValidationException",
            &format!(
                "CNAME record does not exist for this config. Please publish the following two CNAME records first. \
                 {} and {}",
                new.text("Selector1CNAME"),
                new.text("Selector2CNAME")
            ),
        ));
    }
    Ok(())
}
