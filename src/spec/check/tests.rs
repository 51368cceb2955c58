//! Values, loops and what is kept, checked through whole jobs.

use std::path::Path;

use serde_json::{Value, json};

use crate::spec::job::{Action, Job, Keep};
use crate::spec::template::{Scope, Template};
use crate::spec::{Checked, check_text};

const HEAD: &str = "version: 1\nname: x\ntenant: contoso.onmicrosoft.com\nauth:\n  method: device\n";

fn check(steps: &str) -> Checked {
    check_text(Path::new("job.yaml"), &format!("{HEAD}{steps}"))
}

fn job(steps: &str) -> Job {
    let mut checked = check(steps);
    assert!(checked.problems.is_empty(), "{}", checked.problems);
    checked.jobs.remove(0)
}

/// The value that `Set-Mailbox -NAME TEXT` sends, or the title of the problem.
fn sent(parameter: &str, text: &str) -> Result<Value, String> {
    let steps = format!(
        "steps:\n  - name: a\n    cmdlet: Set-Mailbox\n    parameters:\n      Identity: anna\n      {parameter}: {text}\n"
    );
    let checked = check(&steps);
    if let Some(problem) = checked.problems.iter().next() {
        return Err(problem.title());
    }
    let Action::Cmdlet { parameters, .. } = &checked.jobs[0].steps[0].action else { panic!("is a cmdlet") };
    Ok(parameters[1].1.eval(&Scope::default()).expect("has no names"))
}

#[test]
fn text_stays_as_it_was_written() {
    for text in [
        "no",
        "on",
        "yes",
        "1e3",
        "012",
        "0x1F",
        "1_000",
        "true",
        "2026-01-31",
        "12:30:00",
        ".5",
        "-1",
        "nullable",
    ] {
        assert_eq!(sent("DisplayName", text), Ok(json!(text)));
        assert_eq!(sent("DisplayName", &format!("'{text}'")), Ok(json!(text)));
    }
    assert_eq!(sent("DisplayName", "''"), Ok(json!("")));
    for null in ["null", "~", "Null"] {
        assert_eq!(sent("ForwardingSmtpAddress", null), Ok(Value::Null));
    }
    assert_eq!(sent("DisplayName", "'null'"), Ok(json!("null")));
    assert!(sent("DisplayName", "").is_err_and(|title| title.contains("has no value")));
}

#[test]
fn booleans_and_numbers_are_only_what_nobody_can_mistake() {
    for (text, value) in [("true", true), ("True", true), ("FALSE", false)] {
        assert_eq!(sent("AuditEnabled", text), Ok(json!(value)));
    }
    for text in ["no", "on", "0", "'true'", "tRue", "$true", "[true]"] {
        assert!(sent("AuditEnabled", text).is_err(), "{text}");
    }
    assert_eq!(sent("RecipientLimits", "500"), Ok(json!("500")), "an Unlimited travels as text");
    assert_eq!(sent("RecipientLimits", "unlimited"), Ok(json!("unlimited")));
    assert!(sent("RecipientLimits", "1e3").is_err());
    let number = |text: &str| {
        let steps = format!(
            "steps:\n  - name: a\n    cmdlet: Set-HostedContentFilterPolicy\n    parameters:\n      Identity: x\n      BulkThreshold: {text}\n"
        );
        check(&steps).problems.is_empty()
    };
    assert!(number("7") && number("0"));
    for text in ["07", "0x7", "7.0", "1e1", "1_0", "'7'", "+7", "99999999999999999999", "- 7"] {
        assert!(!number(text), "{text}");
    }
}

#[test]
fn lists_replace_or_edit() {
    assert_eq!(sent("EmailAddresses", "smtp:a@x.example"), Ok(json!("smtp:a@x.example")));
    assert_eq!(sent("EmailAddresses", "[no, 012]"), Ok(json!(["no", "012"])));
    assert_eq!(sent("EmailAddresses", "{Add: [a], remove: b}"), Ok(json!({"add": ["a"], "remove": "b"})));
    for wrong in ["{}", "{add: {add: [a]}}", "[[a]]", "[{a: b}]", "[~]", "{append: [a]}"] {
        assert!(sent("EmailAddresses", wrong).is_err(), "{wrong}");
    }
}

#[test]
fn expressions_keep_their_type_only_as_a_whole() {
    assert_eq!(sent("AuditEnabled", "${{ 1 == 1 }}"), Ok(json!(true)));
    assert_eq!(sent("DisplayName", "${{ [1, 2] | length }} boxes"), Ok(json!("2 boxes")));
    assert!(
        sent("AuditEnabled", "x${{ 1 == 1 }}")
            .is_err_and(|title| title.contains("text around an expression"))
    );
}

#[test]
fn ensure_compares_lists_as_lists() {
    let steps = "steps:\n  - name: a\n    ensure: casmailbox\n    identity: anna\n    properties:\n      ewsallowlist: Outlook*\n      SmtpClientAuthenticationDisabled: null\n";
    let job = job(steps);
    let Action::Ensure { noun, properties, .. } = &job.steps[0].action else { panic!("is an ensure") };
    assert_eq!(noun, "CASMailbox");
    assert_eq!(
        (properties[0].0.as_str(), properties[1].0.as_str()),
        ("EwsAllowList", "SmtpClientAuthenticationDisabled")
    );
    assert_eq!(properties[0].1.eval(&Scope::default()).expect("is a literal"), json!(["Outlook*"]));
    assert!(matches!(properties[1].1, Template::Literal(Value::Null)));
}

/// What is kept of the items of a first step, given the rest of a second one.
fn kept(second: &str) -> Keep {
    let steps = format!(
        "inputs:\n  one: {{type: string, default: x}}\nsteps:\n  - name: boxes\n    cmdlet: Get-Mailbox\n  - name: then\n    cmdlet: Get-Mailbox\n{second}"
    );
    job(&steps).steps[0].keep.clone()
}

#[test]
fn only_what_is_named_is_kept() {
    let only = |names: &[&str]| Keep::Properties(names.iter().map(|name| (*name).to_owned()).collect());
    let in_loop = |rest: &str| kept(&format!("    for_each: steps.boxes.items\n{rest}"));
    assert_eq!(kept(""), only(&[]));
    assert_eq!(kept("    when: steps.boxes.count > 0\n"), only(&[]));
    assert_eq!(kept("    when: (steps.boxes.items | length) > 0\n"), only(&[]));
    assert_eq!(in_loop("    parameters:\n      Identity: ${{ item.Guid }}\n"), only(&["Guid"]));
    assert_eq!(in_loop("    when: item['A B'] == 1 and item.Nested.Key is none\n"), only(&["A B", "Nested"]));
    assert_eq!(in_loop("    when: item is defined\n"), Keep::All);
    assert_eq!(in_loop("    when: \"'x' in [item]\"\n"), Keep::All);
    assert_eq!(
        kept("    for_each: steps.boxes.items | selectattr('A') | list\n    when: item.B == 1\n"),
        only(&["A", "B"])
    );
    assert_eq!(
        kept("    for_each: steps.boxes.items | map(attribute='A') | list\n    when: item == 1\n"),
        only(&["A"])
    );
    assert_eq!(kept("    for_each: (steps.boxes.items)\n    when: item.B == 1\n"), Keep::All);
    assert_eq!(
        kept("    for_each: steps.boxes.items + steps.boxes.items\n    when: item.B == 1\n"),
        Keep::All
    );
    assert_eq!(kept("    when: steps.boxes.items[0].A == 1\n"), Keep::All);
    assert_eq!(kept("    when: steps.boxes.first.A == inputs.one\n"), only(&["A"]));
    assert_eq!(kept("    when: steps.boxes.first is defined\n"), Keep::All);
    assert_eq!(kept("    when: (steps.boxes.items | map('string') | list) == []\n"), Keep::All);
}

#[test]
fn ensure_knows_what_its_cmdlets_need() {
    let problem = |step: &str| {
        let checked = check(&format!("steps:\n  - name: a\n{step}"));
        checked.problems.iter().next().map(|problem| problem.title()).unwrap_or_default()
    };
    let of = |noun: &str, rest: &str| problem(&format!("    ensure: {noun}\n{rest}"));
    let bypass = "    identity: anna\n    properties:\n      AuditBypassEnabled: false\n";
    assert_eq!(of("MailboxAuditBypassAssociation", bypass), "");
    let other = of("MailboxFolderPermission", "    identity: anna\n    properties: {AccessRights: Owner}\n");
    assert_eq!(other, "`Set-MailboxFolderPermission` also needs `User`");
    let list = of("TenantAllowBlockListItems", "    properties: {Notes: x}\n");
    assert_eq!(list, "`Get-TenantAllowBlockListItems` also needs `ListType`");
    assert_eq!(of("IRMConfiguration", "    properties: {InternalLicensingEnabled: true}\n"), "");
    let one = of("TransportConfig", "    properties: {SmtpClientAuthenticationDisabled: true}\n");
    assert_eq!(one, "");
    assert!(of("CASMailbox", "    properties: {PopEnabled: true}\n").contains("needs `identity`"));
    assert!(of("CASMailbox", "    identity: a\n").contains("no `properties`"));
    assert!(
        of("CASMailbox", "    identity: a\n    properties: {Identity: a}\n").contains("says which object")
    );
    assert!(
        of("Mailbox", "    identity: a\n    properties: {Force: true}\n").contains("nothing that can hold")
    );
}
