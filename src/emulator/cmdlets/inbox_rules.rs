//! Inbox rules: read, made, changed, removed, switched on and off.

use super::super::directory::Class;
use super::super::errors::Failure;
use super::super::prop::{Object, Prop};
use super::super::random::mix;
use super::super::versions::Versions;
use super::change::Changes;
use super::parameters::{Kind, Parameter, all, own, owns, p};
use super::{Answer, Call, Cmdlet, Effect};

const fn write(
    name: &'static str,
    parameters: &'static [&'static [Parameter]],
    run: fn(&mut Call<'_>) -> Result<Answer, Failure>,
) -> Cmdlet {
    Cmdlet { name, effect: Effect::Write, parameters, run }
}

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet { name: "Get-InboxRule", effect: Effect::Read, parameters: &[GET], run: get },
    write("New-InboxRule", &[WRITE, BOOLS, WORDS, LISTS, RECIPIENTS, TEXTS, SIZES, DATES], new),
    write("Set-InboxRule", &[WRITE, BOOLS, WORDS, LISTS, RECIPIENTS, TEXTS, SIZES, DATES], set),
    write("Remove-InboxRule", &[ONE], remove),
    write("Enable-InboxRule", &[ONE], enable),
    write("Disable-InboxRule", &[ONE], disable),
];

const GET: &[Parameter] =
    &owns(["Identity", "Mailbox", "ResultSize", "SkipCount", "UseCustomRouting", "BypassScopeCheck"]);

const ONE: &[Parameter] = &owns(["Identity", "Mailbox", "Force", "AlwaysDeleteOutlookRulesBlob"]);

const WRITE: &[Parameter] = &[
    own("Identity"),
    own("Mailbox"),
    own("Force"),
    own("AlwaysDeleteOutlookRulesBlob"),
    own("Name"),
    own("MoveToFolder"),
    own("CopyToFolder"),
    p("Priority", Kind::Int),
];

const BOOLS: &[Parameter] = &all(BOOL_NAMES, Kind::Bool);
const BOOL_NAMES: [&str; 23] = [
    "AnyCategory",
    "BulkCategory",
    "ClearCategories",
    "ClearFlag",
    "CompleteFlag",
    "DeleteMessage",
    "ExceptIfAnyCategory",
    "ExceptIfBulkCategory",
    "ExceptIfHasAttachment",
    "ExceptIfMyNameInCcBox",
    "ExceptIfMyNameInToBox",
    "ExceptIfMyNameInToOrCcBox",
    "ExceptIfMyNameNotInToBox",
    "ExceptIfSentOnlyToMe",
    "HasAttachment",
    "MarkAsRead",
    "MyNameInCcBox",
    "MyNameInToBox",
    "MyNameInToOrCcBox",
    "MyNameNotInToBox",
    "PinMessage",
    "SentOnlyToMe",
    "StopProcessingRules",
];

const WORDS: &[Parameter] = &all(WORD_NAMES, Kind::Word);
const WORD_NAMES: [&str; 9] = [
    "ExceptIfFlaggedForAction",
    "ExceptIfMessageTypeMatches",
    "ExceptIfWithImportance",
    "ExceptIfWithSensitivity",
    "FlaggedForAction",
    "MarkImportance",
    "MessageTypeMatches",
    "WithImportance",
    "WithSensitivity",
];

const LISTS: &[Parameter] = &all(LIST_NAMES, Kind::NullableList);
const LIST_NAMES: [&str; 15] = [
    "ApplyCategory",
    "BodyContainsWords",
    "ExceptIfBodyContainsWords",
    "ExceptIfFromAddressContainsWords",
    "ExceptIfHasClassification",
    "ExceptIfHeaderContainsWords",
    "ExceptIfRecipientAddressContainsWords",
    "ExceptIfSubjectContainsWords",
    "ExceptIfSubjectOrBodyContainsWords",
    "FromAddressContainsWords",
    "HasClassification",
    "HeaderContainsWords",
    "RecipientAddressContainsWords",
    "SubjectContainsWords",
    "SubjectOrBodyContainsWords",
];

const RECIPIENTS: &[Parameter] = &all(RECIPIENT_NAMES, Kind::RuleRecipients);
const RECIPIENT_NAMES: [&str; 7] =
    ["ExceptIfFrom", "ExceptIfSentTo", "ForwardAsAttachmentTo", "ForwardTo", "From", "RedirectTo", "SentTo"];

const TEXTS: &[Parameter] = &all(["FlagMessage"], Kind::NullableText);
const SIZES: &[Parameter] = &all(SIZE_NAMES, Kind::Size);
const SIZE_NAMES: [&str; 4] = [
    "ExceptIfWithinSizeRangeMaximum",
    "ExceptIfWithinSizeRangeMinimum",
    "WithinSizeRangeMaximum",
    "WithinSizeRangeMinimum",
];
const DATES: &[Parameter] = &all(DATE_NAMES, Kind::Date);
const DATE_NAMES: [&str; 4] =
    ["ExceptIfReceivedAfterDate", "ExceptIfReceivedBeforeDate", "ReceivedAfterDate", "ReceivedBeforeDate"];

/// What a rule does; a rule without any of it is refused.
const ACTIONS: [&str; 15] = [
    "ApplyCategory",
    "ClearCategories",
    "ClearFlag",
    "CompleteFlag",
    "CopyToFolder",
    "DeleteMessage",
    "FlagMessage",
    "ForwardAsAttachmentTo",
    "ForwardTo",
    "MarkAsRead",
    "MarkImportance",
    "MoveToFolder",
    "PinMessage",
    "RedirectTo",
    "StopProcessingRules",
];

/// Every condition and action of a rule, unset.
fn unset() -> Vec<(&'static str, Prop)> {
    let mut p: Vec<(&'static str, Prop)> =
        BOOL_NAMES.into_iter().map(|name| (name, Prop::Bool(false))).collect();
    let nothing = WORD_NAMES.into_iter().chain(LIST_NAMES).chain(RECIPIENT_NAMES).chain(SIZE_NAMES);
    let nothing = nothing.chain(DATE_NAMES).chain(["FlagMessage", "MoveToFolder", "CopyToFolder"]);
    p.extend(nothing.map(|name| (name, Prop::Null)));
    p
}

/// A made-up rule with everything that it does not say.
fn whole(rule: Object) -> Object {
    let mut rule = rule;
    for (name, prop) in unset() {
        if rule.get(name).is_none() {
            rule.set(name, prop);
        }
    }
    rule
}

/// The rules as they are; `seen` as a read shows them.
fn rules(call: &Call<'_>, mailbox: u64, seen: bool) -> Vec<Object> {
    match call.directory.rules.get(&mailbox) {
        Some(versions) if seen => versions.read(call.now).clone(),
        Some(versions) => versions.current().clone(),
        None => made_up(call, mailbox),
    }
}

fn made_up(call: &Call<'_>, mailbox: u64) -> Vec<Object> {
    if mailbox >= call.directory.tenant.mailboxes {
        return Vec::new();
    }
    call.directory.tenant.inbox_rules(mailbox).into_iter().map(whole).collect()
}

/// The mailbox that `Mailbox` or the part of `Identity` before the backslash names, and the rule's own name.
fn place(call: &Call<'_>) -> Result<(u64, Option<String>), Failure> {
    let rule = call.given.text("Identity")?;
    if let Some(index) = call.named(Class::Mailbox, "Mailbox")? {
        return Ok((index, rule));
    }
    let rule = rule.ok_or_else(|| Failure::missing_parameter("Mailbox"))?;
    let Some((mailbox, name)) = rule.split_once('\\') else {
        return Err(Failure::missing_parameter("Mailbox"));
    };
    let index = call.directory.find(Class::Mailbox, mailbox);
    let index = index.filter(|index| call.directory.is_there(Class::Mailbox, *index, call.now));
    Ok((index.ok_or_else(|| Failure::not_found(&rule))?, Some(name.to_owned())))
}

fn position(rules: &[Object], wanted: &str) -> Result<usize, Failure> {
    let found = rules.iter().position(|rule| {
        ["Identity", "RuleIdentity", "Name"].iter().any(|name| rule.text(name).eq_ignore_ascii_case(wanted))
    });
    found.ok_or_else(|| Failure::not_found(wanted))
}

fn get(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let (mailbox, wanted) = place(call)?;
    let mut rules = rules(call, mailbox, true);
    if let Some(wanted) = wanted {
        let at = position(&rules, &wanted)?;
        return Ok(Answer::Objects(vec![rules.swap_remove(at)]));
    }
    let skip = match call.given.text("SkipCount")? {
        Some(text) => text.parse().map_err(|_| {
            Failure::transformation("SkipCount", "Cannot convert the value to type \"System.Int32\".")
        })?,
        None => 0,
    };
    let limit = call.given.result_size()?.limit().and_then(|limit| usize::try_from(limit).ok());
    Ok(Answer::Objects(rules.into_iter().skip(skip).take(limit.unwrap_or(usize::MAX)).collect()))
}

/// What follows from the parameters that are not simple.
fn refine(call: &Call<'_>, mailbox: u64, changes: &mut Changes) -> Result<(), Failure> {
    for parameter in ["MoveToFolder", "CopyToFolder"] {
        if let Some(value) = call.given.value(parameter) {
            let folder = if value.is_null() { None } else { call.given.text(parameter)? };
            let shown = match folder.filter(|name| !name.is_empty()) {
                Some(path) => {
                    let name = path.rsplit(['\\', ':']).next().unwrap_or(&path).to_owned();
                    let known = call.directory.folder_culture(mailbox).find(&name);
                    let number = known.ok_or_else(|| Failure::not_found(&path))?;
                    Prop::text(call.directory.folder_culture(mailbox).folder(number))
                }
                None => Prop::Null,
            };
            changes.insert(parameter, shown);
        }
    }
    Ok(())
}

/// Writes the rules, numbers them, and says what the write cost: rules that only Outlook knows are dropped at the first
/// write. Source: protocol reference, 6.1.
fn commit(call: &mut Call<'_>, mailbox: u64, mut rules: Vec<Object>) -> Result<Vec<String>, Failure> {
    rules.sort_by_key(|rule| match rule.get("Priority") {
        Some(Prop::Int(priority)) => *priority,
        _ => i32::MAX,
    });
    for (position, rule) in rules.iter_mut().enumerate() {
        rule.set("Priority", Prop::Int(i32::try_from(position + 1).unwrap_or(i32::MAX)));
    }
    let silent = call.given.switch("AlwaysDeleteOutlookRulesBlob")? || call.given.switch("Force")?;
    let first = !call.directory.rules.contains_key(&mailbox);
    let blob = first && has_outlook_rules(call, mailbox);
    let begun = made_up(call, mailbox);
    let (now, stale) = (call.now, call.stale);
    let versions = call.directory.rules.entry(mailbox).or_insert_with(|| Versions::new(begun));
    *versions.write(now, stale) = rules;
    let warning = "When the inbox rules are changed by a cmdlet, rules that were turned off in Outlook or work only in \
                   Outlook are deleted.";
    Ok(if blob && !silent { vec![warning.to_owned()] } else { Vec::new() })
}

const OUTLOOK: u64 = 26;

/// Every other mailbox has rules that only Outlook knows.
fn has_outlook_rules(call: &Call<'_>, mailbox: u64) -> bool {
    mix(call.directory.tenant.seed, mailbox, OUTLOOK).is_multiple_of(2)
}

fn new(call: &mut Call<'_>) -> Result<Answer, Failure> {
    if call.given.value("Identity").is_some() {
        return Err(Failure::unknown_parameter(call.cmdlet.name, "Identity"));
    }
    let mailbox =
        call.named(Class::Mailbox, "Mailbox")?.ok_or_else(|| Failure::missing_parameter("Mailbox"))?;
    let name = call.given.text("Name")?.ok_or_else(|| Failure::missing_parameter("Name"))?;
    let mut rules = rules(call, mailbox, false);
    if rules.iter().any(|rule| rule.text("Name").eq_ignore_ascii_case(&name)) {
        let text = format!("A rule with the name \"{name}\" already exists.");
        return Err(Failure::invalid(
            "Microsoft.Exchange.Data.Storage.InboxRuleNameAlreadyExistsException",
            &text,
        ));
    }
    let owner = call.directory.name(mailbox);
    let highest = rules.iter().filter_map(|rule| rule.text("RuleIdentity").parse::<u64>().ok()).max();
    let id = highest.unwrap_or(1 << 60).wrapping_add(1 << 16);
    let mut rule = Object::new(vec![
        ("Identity", Prop::text(format!("{owner}\\{id}"))),
        ("RuleIdentity", Prop::text(id.to_string())),
        ("Name", Prop::text(name.clone())),
        ("Enabled", Prop::Bool(true)),
        ("Priority", Prop::Int(0)),
        ("MailboxOwnerId", Prop::text(owner)),
        ("Description", Prop::text(format!("The rule \"{name}\""))),
        ("InError", Prop::Bool(false)),
        ("IsValid", Prop::Bool(true)),
        ("ObjectState", Prop::text("Unchanged")),
    ]);
    rule = whole(rule);
    let mut changes = call.converted(&rule)?;
    refine(call, mailbox, &mut changes)?;
    for (name, prop) in changes {
        rule.set(name, prop);
    }
    let acts = |name: &&str| !matches!(rule.get(name), None | Some(Prop::Null | Prop::Bool(false)));
    if !ACTIONS.iter().any(acts) {
        return Err(Failure::missing_parameter("an action such as MoveToFolder or ForwardTo"));
    }
    if let Some(answer) = call.asked(&name)? {
        return Ok(answer);
    }
    rules.push(rule);
    let warnings = commit(call, mailbox, rules)?;
    let shown = call.directory.rules.get(&mailbox).map(|versions| versions.current().clone());
    let made = shown.unwrap_or_default().into_iter().find(|rule| rule.text("Name") == name);
    Ok(Answer::Some { objects: made.into_iter().collect(), warnings })
}

/// Changes one rule; `change` gives the new values.
fn change(
    call: &mut Call<'_>,
    change: impl FnOnce(&Call<'_>, u64, &Object) -> Result<Changes, Failure>,
) -> Result<Answer, Failure> {
    let (mailbox, wanted) = place(call)?;
    let wanted = wanted.ok_or_else(|| Failure::missing_parameter("Identity"))?;
    let mut rules = rules(call, mailbox, false);
    let at = position(&rules, &wanted)?;
    let mut changes = change(call, mailbox, &rules[at])?;
    if let Some(answer) = call.nothing_to_write(&rules[at], &mut changes)? {
        return Ok(answer);
    }
    for (name, prop) in changes {
        rules[at].set(name, prop);
    }
    Ok(Answer::Done { warnings: commit(call, mailbox, rules)? })
}

fn set(call: &mut Call<'_>) -> Result<Answer, Failure> {
    change(call, |call, mailbox, rule| {
        let mut changes = call.converted(rule)?;
        if let Some(name) = call.given.text("Name")? {
            changes.insert("Name", Prop::text(name));
        }
        refine(call, mailbox, &mut changes)?;
        Ok(changes)
    })
}

fn enable(call: &mut Call<'_>) -> Result<Answer, Failure> {
    change(call, |_, _, _| Ok(Changes::from([("Enabled", Prop::Bool(true))])))
}

fn disable(call: &mut Call<'_>) -> Result<Answer, Failure> {
    change(call, |_, _, _| Ok(Changes::from([("Enabled", Prop::Bool(false))])))
}

fn remove(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let (mailbox, wanted) = place(call)?;
    let wanted = wanted.ok_or_else(|| Failure::missing_parameter("Identity"))?;
    let mut rules = rules(call, mailbox, false);
    let at = position(&rules, &wanted)?;
    if let Some(answer) = call.asked(&wanted)? {
        return Ok(answer);
    }
    rules.remove(at);
    Ok(Answer::Done { warnings: commit(call, mailbox, rules)? })
}
