//! What can only be read: statistics and inbox rules.

use super::super::directory::Class;
use super::super::errors::Failure;
use super::parameters::{Parameter, missing, own};
use super::{Answer, Call, Cmdlet, Effect};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet {
        name: "Get-MailboxStatistics",
        effect: Effect::Read,
        parameters: &[STATISTICS],
        run: statistics,
    },
    Cmdlet { name: "Get-InboxRule", effect: Effect::Read, parameters: &[RULES], run: rules },
];

const STATISTICS: &[Parameter] = &[
    own("Identity"),
    missing("Archive"),
    missing("IncludeMoveReport"),
    missing("IncludeMoveHistory"),
    missing("IncludeSoftDeletedRecipients"),
    missing("IncludeQuarantineDetails"),
];

const RULES: &[Parameter] = &[
    own("Identity"),
    own("Mailbox"),
    missing("IncludeHidden"),
    missing("DescriptionTimeFormat"),
    missing("DescriptionTimeZone"),
    missing("SkipCount"),
    missing("SweepRules"),
    missing("BypassScopeCheck"),
];

fn statistics(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let index = call.identity(Class::Mailbox)?;
    Ok(Answer::Objects(vec![call.directory.tenant.statistics(index)]))
}

fn rules(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let index =
        call.named(Class::Mailbox, "Mailbox")?.ok_or_else(|| Failure::missing_parameter("Mailbox"))?;
    let rules = call.directory.tenant.inbox_rules(index);
    let Some(wanted) = call.given.text("Identity")? else { return Ok(Answer::Objects(rules)) };
    let found = rules.into_iter().find(|rule| {
        ["Identity", "RuleIdentity", "Name"].iter().any(|name| rule.text(name).eq_ignore_ascii_case(&wanted))
    });
    found.map(|rule| Answer::Objects(vec![rule])).ok_or_else(|| Failure::not_found(&wanted))
}
