//! Groups whose members follow from a filter: `Get-`, `New-`, `Set-` and `Remove-DynamicDistributionGroup`.

use super::super::errors::Failure;
use super::super::filter::Filter;
use super::super::groups::{self, CONDITIONS, DYNAMIC};
use super::super::prop::{Object, Prop};
use super::change::Changes;
use super::group::{CUSTOM, RECIPIENTS};
use super::parameters::{Kind, Parameter, all, own, owns, p};
use super::{Answer, Call, Cmdlet, Effect};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet { name: "Get-DynamicDistributionGroup", effect: Effect::Read, parameters: &[GET], run: get },
    Cmdlet {
        name: "New-DynamicDistributionGroup",
        effect: Effect::Write,
        parameters: &[NEW, RULES, CONDITIONAL],
        run: new,
    },
    Cmdlet {
        name: "Set-DynamicDistributionGroup",
        effect: Effect::Write,
        parameters: &[SET, RULES, CONDITIONAL, SET_BOOLS, RECIPIENTS, CUSTOM],
        run: set,
    },
    Cmdlet {
        name: "Remove-DynamicDistributionGroup",
        effect: Effect::Write,
        parameters: &[REMOVE],
        run: remove,
    },
];

const GET: &[Parameter] = &owns(["Identity", "Filter", "ResultSize"]);

const NEW: &[Parameter] = &owns(["Name", "Alias", "DisplayName", "PrimarySmtpAddress", "OrganizationalUnit"]);

const RULES: &[Parameter] = &[own("RecipientFilter"), own("IncludedRecipients")];

const CONDITIONAL: &[Parameter] = &all(CONDITIONS, Kind::List);

const SET: &[Parameter] = &[
    own("Identity"),
    own("ForceUpgrade"),
    own("ForceMembershipRefresh"),
    own("UpdateMemberCount"),
    own("PrimarySmtpAddress"),
    own("WindowsEmailAddress"),
    p("Name", Kind::Text),
    p("Alias", Kind::Text),
    p("DisplayName", Kind::Text),
    p("SimpleDisplayName", Kind::Text),
    p("EmailAddresses", Kind::ProxyAddresses),
    p("MailTip", Kind::NullableText),
    p("ManagedBy", Kind::Recipient),
    p("Notes", Kind::Text),
    p("SendModerationNotifications", Kind::Word),
];

const SET_BOOLS: &[Parameter] = &all(
    [
        "HiddenFromAddressListsEnabled",
        "ModerationEnabled",
        "ReportToManagerEnabled",
        "ReportToOriginatorEnabled",
        "RequireSenderAuthenticationEnabled",
        "SendOofMessageToOriginatorEnabled",
    ],
    Kind::Bool,
);

const REMOVE: &[Parameter] = &owns(["Identity"]);

/// What the service adds to each filter, so that none of its own mailboxes are members.
const SYSTEM: &str = "(-not(Name -like 'SystemMailbox{*')) -and (-not(Name -like 'CAS_{*')) -and \
                      (-not(RecipientTypeDetailsValue -eq 'MailboxPlan')) -and \
                      (-not(RecipientTypeDetailsValue -eq 'DiscoveryMailbox')) -and \
                      (-not(RecipientTypeDetailsValue -eq 'PublicFolderMailbox')) -and \
                      (-not(RecipientTypeDetailsValue -eq 'ArbitrationMailbox')) -and \
                      (-not(RecipientTypeDetailsValue -eq 'AuditLogMailbox')) -and \
                      (-not(RecipientTypeDetailsValue -eq 'AuxAuditLogMailbox')) -and \
                      (-not(RecipientTypeDetailsValue -eq 'SupervisoryReviewPolicyMailbox'))";

/// The filter as it is read back: never what was written. Source: protocol reference, 6.2.
fn rewritten(filter: &str) -> String {
    format!("(({filter}) -and {SYSTEM})")
}

fn get(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.one_or_all_on_shelf(DYNAMIC)
}

/// What `IncludedRecipients` and the conditions say as a filter.
fn precanned(included: &str, conditions: &[(&str, Vec<String>)]) -> String {
    let of = |included: &str| match included {
        "MailboxUsers" => "(RecipientType -eq 'UserMailbox')",
        "MailContacts" => "(RecipientType -eq 'MailContact')",
        "MailUsers" => "(RecipientType -eq 'MailUser')",
        "MailGroups" => {
            "((RecipientType -eq 'MailUniversalDistributionGroup') -or (RecipientType -eq 'MailUniversalSecurityGroup'))"
        }
        "Resources" => "((RecipientType -eq 'UserMailbox') -and (ResourceMetaData -like 'ResourceType:*'))",
        _ => "(Alias -ne $null)",
    };
    let kinds: Vec<&str> = included.split(", ").map(of).collect();
    let mut parts = vec![format!("({})", kinds.join(" -or "))];
    for (name, values) in conditions.iter().filter(|(_, values)| !values.is_empty()) {
        let property = name.strip_prefix("Conditional").unwrap_or(name);
        let tests: Vec<String> =
            values.iter().map(|value| format!("({property} -eq '{}')", value.replace('\'', "''"))).collect();
        parts.push(format!("({})", tests.join(" -or ")));
    }
    parts.join(" -and ")
}

/// The filter and what goes with it, from the parameters.
fn rules(call: &Call<'_>, old: &Object, changes: &mut Changes) -> Result<(), Failure> {
    let filter = call.given.text("RecipientFilter")?;
    let included = match call.words("IncludedRecipients")? {
        Some(words) if words.iter().any(|word| word == "None") => None,
        Some(words) => Some(words.join(", ")),
        None => None,
    };
    let conditional = CONDITIONS.iter().any(|name| call.given.value(name).is_some());
    if let Some(filter) = filter {
        if included.is_some() || conditional {
            return Err(Failure::ambiguous(
                "RecipientFilter cannot be used with IncludedRecipients or conditions.",
            ));
        }
        Filter::parse(&filter).map_err(|problem| {
            Failure::invalid("Microsoft.Exchange.Configuration.Tasks.InvalidFilterException", &problem)
        })?;
        // The same filter again is no change.
        if old.text("RecipientFilter") != filter {
            changes.insert("RecipientFilter", Prop::text(rewritten(&filter)));
        }
        changes.insert("RecipientFilterType", Prop::text("Custom"));
        changes.insert("IncludedRecipients", Prop::Null);
        return Ok(());
    }
    if included.is_none() && !conditional {
        return Ok(());
    }
    let included =
        included.or_else(|| old.get("IncludedRecipients")?.as_text().map(|text| text.into_owned()));
    let included = included.ok_or_else(|| Failure::missing_parameter("IncludedRecipients"))?;
    let list = |name: &str| match changes.get(name).or_else(|| old.get(name)) {
        Some(Prop::List(items)) => items.clone(),
        _ => Vec::new(),
    };
    let conditions: Vec<(&str, Vec<String>)> = CONDITIONS.iter().map(|name| (*name, list(name))).collect();
    let filter = rewritten(&precanned(&included, &conditions));
    changes.insert("RecipientFilter", Prop::text(filter));
    changes.insert("RecipientFilterType", Prop::text("Precanned"));
    changes.insert("IncludedRecipients", Prop::text(included));
    Ok(())
}

fn new(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let name = call.new_name()?;
    let names = call.new_names(&name)?;
    let always = call.newborn(DYNAMIC, &name);
    let mut object = groups::dynamic(always, &names);
    let mut changes = call.converted(&object)?;
    rules(call, &object, &mut changes)?;
    if !changes.contains_key("RecipientFilter") {
        return Err(Failure::missing_parameter("RecipientFilter or IncludedRecipients"));
    }
    for (name, prop) in changes {
        object.set(name, prop);
    }
    if let Some(answer) = call.asked(&name)? {
        return Ok(answer);
    }
    let when = call.when();
    call.directory.shelf.add(DYNAMIC, object.clone(), when);
    Ok(Answer::Objects(vec![object]))
}

fn set(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let number = call.on_shelf(DYNAMIC)?;
    call.set_on_shelf(DYNAMIC, number, |call, old, changes| {
        rules(call, old, changes)?;
        call.refine_recipient(old, changes, &["WindowsEmailAddress", "PrimarySmtpAddress"])
    })
}

fn remove(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.remove_from_shelf(DYNAMIC)
}

impl Call<'_> {
    /// Removes the object that `Identity` names.
    pub(super) fn remove_from_shelf(&mut self, noun: &'static str) -> Result<Answer, Failure> {
        let number = self.on_shelf(noun)?;
        let object = self.directory.shelf.current(noun, number).cloned().unwrap_or_default();
        if let Some(answer) = self.asked(&object.text("Identity"))? {
            return Ok(answer);
        }
        let when = self.when();
        self.directory.shelf.remove(noun, number, when);
        Ok(Answer::Done { warnings: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_become_tests_that_can_be_read() {
        let conditions = [("ConditionalDepartment", vec!["R'n'D".to_owned(), "IT".to_owned()])];
        let filter = precanned("MailboxUsers, MailContacts", &conditions);
        assert_eq!(
            filter,
            "((RecipientType -eq 'UserMailbox') -or (RecipientType -eq 'MailContact')) -and \
             ((Department -eq 'R''n''D') -or (Department -eq 'IT'))"
        );
        Filter::parse(&rewritten(&filter)).expect("a filter");
    }
}
