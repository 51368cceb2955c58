//! Rules: their state, their order, what they look at and do, and the policy that they apply.

use super::super::directory::Class;
use super::super::errors::Failure;
use super::super::prop::{Object, Prop};
use super::Call;
use super::settle::{Verb, each};
use crate::catalog;

/// What a transport rule does; all other parameters of it, but for [`NEITHER`], are conditions and exceptions.
const ACTIONS: [&str; 31] = [
    "AddManagerAsRecipientType",
    "AddToRecipients",
    "ApplyClassification",
    "ApplyHtmlDisclaimerText",
    "ApplyOME",
    "ApplyRightsProtectionCustomizationTemplate",
    "ApplyRightsProtectionTemplate",
    "BlindCopyTo",
    "CopyTo",
    "DeleteMessage",
    "Disconnect",
    "GenerateIncidentReport",
    "GenerateNotification",
    "LogEventText",
    "ModerateMessageByManager",
    "ModerateMessageByUser",
    "NotifySender",
    "PrependSubject",
    "Quarantine",
    "RedirectMessageTo",
    "RejectMessageReasonText",
    "RemoveHeader",
    "RemoveOME",
    "RemoveOMEv2",
    "RemoveRMSAttachmentEncryption",
    "RouteMessageOutboundConnector",
    "RouteMessageOutboundRequireTls",
    "SetAuditSeverity",
    "SetHeaderName",
    "SetSCL",
    "SmtpRejectMessageRejectText",
];

const NEITHER: [&str; 23] = [
    "ActivationDate",
    "ADComparisonOperator",
    "ApplyHtmlDisclaimerFallbackAction",
    "ApplyHtmlDisclaimerLocation",
    "Comments",
    "DlpPolicy",
    "Enabled",
    "ExceptIfADComparisonOperator",
    "ExpiryDate",
    "IncidentReportContent",
    "Mode",
    "Name",
    "Priority",
    "RecipientAddressType",
    "RejectMessageEnhancedStatusCode",
    "RuleErrorAction",
    "RuleSubType",
    "SenderAddressLocation",
    "SetHeaderValue",
    "SmtpRejectMessageRejectStatusCode",
    "StopRuleProcessing",
    "UseLegacyRegex",
    "WhatIf",
];

/// The noun of the policies that a rule of this noun applies.
pub(super) fn policy_of(noun: &str) -> Option<&'static str> {
    [
        ("AntiPhishRule", "AntiPhishPolicy"),
        ("SafeLinksRule", "SafeLinksPolicy"),
        ("SafeAttachmentRule", "SafeAttachmentPolicy"),
        ("HostedContentFilterRule", "HostedContentFilterPolicy"),
        ("HostedOutboundSpamFilterRule", "HostedOutboundSpamFilterPolicy"),
        ("MalwareFilterRule", "MalwareFilterPolicy"),
    ]
    .into_iter()
    .find(|(rule, _)| *rule == noun)
    .map(|(_, policy)| policy)
}

/// `Enabled` of New is shown as `State`.
fn state(call: &Call<'_>, verb: Verb, rule: &mut Object) -> Result<(), Failure> {
    if verb == Verb::New && call.given.value("Enabled").is_some() {
        let on = call.given.switch("Enabled")?;
        rule.set("State", Prop::text(if on { "Enabled" } else { "Disabled" }));
    }
    Ok(())
}

/// A rule names a policy that is there and not the default one.
pub(super) fn policy_rule(call: &mut Call<'_>, verb: Verb, rule: &mut Object) -> Result<(), Failure> {
    state(call, verb, rule)?;
    let Some(noun) = policy_of(call.noun()) else { return Ok(()) };
    call.begin(noun);
    let wanted = rule.text(noun).into_owned();
    let found =
        call.directory.shelf.find(noun, &wanted, call.now).ok_or_else(|| Failure::not_found(&wanted))?;
    let Some(policy) = call.directory.shelf.read(noun, found, call.now) else {
        return Err(Failure::not_found(&wanted));
    };
    if ["IsDefault", "IsBuiltInProtection"]
        .into_iter()
        .any(|name| policy.get(name) == Some(&Prop::Bool(true)))
    {
        return Err(Failure::invalid(
            "System.InvalidOperationException",
            &format!("The policy '{wanted}' applies to all; it can't have a rule."),
        ));
    }
    let name = policy.text("Name").into_owned();
    rule.set(noun, Prop::text(name));
    Ok(())
}

pub(super) fn transport(call: &Call<'_>, verb: Verb, rule: &mut Object) -> Result<(), Failure> {
    state(call, verb, rule)?;
    let Some(cmdlet) = catalog::cmdlet("New-TransportRule") else { return Ok(()) };
    let (mut conditions, mut exceptions, mut actions) = (Vec::new(), Vec::new(), Vec::new());
    for parameter in cmdlet.parameters() {
        let name = parameter.name();
        if parameter.type_name().starts_with("RecipientIdParameter") {
            each(rule, name, |recipient| address(call, recipient))?;
        }
        if NEITHER.contains(&name) || !rule.get(name).is_some_and(is_set) {
            continue;
        }
        let class =
            |name: &str, kind: &str| format!("Microsoft.Exchange.MessagingPolicies.Rules.Tasks.{name}{kind}");
        match name.strip_prefix("ExceptIf") {
            Some(name) => exceptions.push(class(name, "Predicate")),
            None if ACTIONS.contains(&name) => actions.push(class(name, "Action")),
            None => conditions.push(class(name, "Predicate")),
        }
    }
    for (name, classes) in [("Conditions", conditions), ("Exceptions", exceptions), ("Actions", actions)] {
        rule.set(name, Prop::List(classes));
    }
    Ok(())
}

fn is_set(prop: &Prop) -> bool {
    match prop {
        Prop::Null | Prop::Bool(false) => false,
        Prop::List(items) => !items.is_empty(),
        prop => prop.as_text().is_some_and(|text| !text.is_empty() && text != "0 B (0 bytes)"),
    }
}

/// A transport rule shows its recipients and groups by their addresses.
fn address(call: &Call<'_>, recipient: String) -> Result<String, Failure> {
    if let Some(index) = call.directory.find(Class::Mailbox, &recipient) {
        return Ok(call.directory.current(Class::Mailbox, index).text("PrimarySmtpAddress").into_owned());
    }
    for noun in ["DistributionGroup", "DynamicDistributionGroup", "UnifiedGroup", "MailContact", "MailUser"] {
        let shelf = &call.directory.shelf;
        let found =
            shelf.find(noun, &recipient, call.now).and_then(|found| shelf.read(noun, found, call.now));
        if let Some(found) = found {
            return Ok(found.text("PrimarySmtpAddress").into_owned());
        }
    }
    if recipient.contains('@') {
        return Ok(recipient);
    }
    Err(Failure::invalid(
        "Microsoft.Exchange.Configuration.Tasks.RecipientTaskException",
        &format!("Couldn't find object \"{recipient}\". Please make sure that it was spelled correctly."),
    ))
}

/// The noun's rules in their order, but for one. Only rules with a state have an order.
fn others(call: &Call<'_>, noun: &str, but: Option<u64>) -> Vec<u64> {
    let shelf = &call.directory.shelf;
    let mut order: Vec<(i32, u64)> = (0..shelf.len(noun))
        .filter(|number| Some(*number) != but)
        .filter_map(|number| shelf.current(noun, number).map(|object| (number, object)))
        .filter_map(|(number, object)| match (object.get("Priority"), object.get("State")) {
            (Some(Prop::Int(priority)), Some(_)) => Some((*priority, number)),
            _ => None,
        })
        .collect();
    order.sort_unstable();
    order.into_iter().map(|(_, number)| number).collect()
}

fn renumber(call: &mut Call<'_>, noun: &'static str, order: &[u64]) {
    let when = call.when();
    for (priority, number) in (0..).zip(order) {
        let prop = Prop::Int(priority);
        let old = call.directory.shelf.current(noun, *number).and_then(|object| object.get("Priority"));
        if old.is_some_and(|old| *old != prop) {
            call.directory.shelf.write(noun, *number, [("Priority", prop)], when);
        }
    }
}

/// Puts a new or moved rule at its priority; without one it is the last. The rules behind it move.
pub(super) fn place(call: &mut Call<'_>, noun: &'static str, number: u64) {
    let rule = call.directory.shelf.current(noun, number);
    let Some(Prop::Int(priority)) =
        rule.filter(|rule| rule.get("State").is_some()).and_then(|rule| rule.get("Priority"))
    else {
        return;
    };
    let wanted = call.given.value("Priority").map(|_| usize::try_from(*priority).unwrap_or(0));
    let mut order = others(call, noun, Some(number));
    let place = wanted.map_or(order.len(), |wanted| wanted.min(order.len()));
    order.insert(place, number);
    renumber(call, noun, &order);
}

/// Closes the gap of a rule that is gone.
pub(super) fn close_up(call: &mut Call<'_>, noun: &'static str) {
    let order = others(call, noun, None);
    renumber(call, noun, &order);
}
