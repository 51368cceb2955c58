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

/// What `CMDLET -PARAMETER TEXT` is mended by; empty if it is right.
fn mended(cmdlet: &str, parameter: &str, text: &str) -> String {
    let steps = format!(
        "steps:\n  - name: a\n    cmdlet: {cmdlet}\n    parameters:\n      Identity: x\n      {parameter}: {text}\n"
    );
    let checked = check(&steps);
    let problems = checked.problems.render_plain();
    let own = problems.split("error: ").find(|problem| problem.starts_with(&format!("`{parameter}` is ")));
    let help = own.and_then(|problem| problem.split("= help: ").nth(1)).unwrap_or_default();
    help.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn quantities_are_taken_in_their_forms_and_mended_in_others() {
    for (parameter, text, value) in [
        ("ProhibitSendQuota", "50GB", json!("50GB")),
        ("ProhibitSendQuota", "1.5 TB", json!("1.5 TB")),
        ("ProhibitSendQuota", "50 GB (53,687,091,200 bytes)", json!("50 GB (53,687,091,200 bytes)")),
        ("ProhibitSendQuota", "unlimited", json!("unlimited")),
        ("RetainDeletedItemsFor", "30.00:00:00", json!("30.00:00:00")),
        ("RetainDeletedItemsFor", "12:30:00", json!("12:30:00")),
        ("RetainDeletedItemsFor", "'30'", json!("30")),
        ("LitigationHoldDuration", "Unlimited", json!("Unlimited")),
        ("StartDateForRetentionHold", "2026-01-31", json!("2026-01-31T00:00:00")),
        ("StartDateForRetentionHold", "2026-07-31T08:00:00[Europe/Berlin]", json!("2026-07-31T06:00:00")),
        ("RecipientLimits", "0", json!("0")),
    ] {
        assert_eq!(sent(parameter, text), Ok(value), "{parameter}: {text}");
    }
    for (parameter, text, mend) in [
        ("RetainDeletedItemsFor", "30d", "write 30.00:00:00"),
        ("RetainDeletedItemsFor", "8h", "write 08:00:00"),
        ("RetainDeletedItemsFor", "1 day 2 hours", "write 1.02:00:00"),
        ("RetainDeletedItemsFor", "24:00:00", "write 1.00:00:00"),
        ("RetainDeletedItemsFor", "00:90:00", "write 01:30:00"),
        (
            "RetainDeletedItemsFor",
            "Unlimited",
            "write days, hours, minutes, seconds: 30.00:00:00 (30 days), 08:00:00 (8 hours)",
        ),
        ("ProhibitSendQuota", "50 gib", "write 50GB"),
        ("ProhibitSendQuota", "1_000", "write 1000"),
        ("ProhibitSendQuota", "1e3", "write a size such as 50GB, or Unlimited"),
        ("RecipientLimits", "50GB", "write plain digits, or Unlimited"),
        ("RecipientLimits", "-1", "write Unlimited, or a number from 0 on"),
        ("ResourceCapacity", "0x1F", "write 31, without quotes"),
        ("ResourceCapacity", "012", "write 12, without quotes"),
        ("ResourceCapacity", "1_000", "write 1000, without quotes"),
        ("ResourceCapacity", "7.0", "write 7, without quotes"),
        ("ResourceCapacity", "1e3", "write plain digits, without quotes"),
        ("ResourceCapacity", "Infinity", "write plain digits, without quotes"),
        ("AuditEnabled", "off", "write false, without quotes"),
        ("AuditEnabled", "'true'", "write true, without quotes"),
    ] {
        assert_eq!(mended("Set-Mailbox", parameter, text), mend, "{parameter}: {text}");
    }
}

#[test]
fn whole_numbers_fit_their_type() {
    for (cmdlet, parameter, fits, too_many) in [
        ("Set-Mailbox", "ResourceCapacity", "2147483647", "2147483648"),
        ("Set-Mailbox", "ResourceCapacity", "-2147483648", "-2147483649"),
        ("Set-OrganizationConfig", "DLPWaitOnSendTimeout", "32767", "32768"),
        ("Set-HostedOutboundSpamFilterPolicy", "RecipientLimitPerDay", "4294967295", "4294967296"),
        ("Set-HostedOutboundSpamFilterPolicy", "RecipientLimitPerDay", "0", "-1"),
        ("Rotate-DkimSigningConfig", "KeySize", "65535", "65536"),
        ("Rotate-DkimSigningConfig", "KeySize", "2048", "123456789012345678901234567890123456789012"),
    ] {
        assert_eq!(mended(cmdlet, parameter, fits), "", "{parameter}: {fits}");
        let refused = mended(cmdlet, parameter, too_many);
        assert!(refused.starts_with("write a number from "), "{parameter}: {refused}");
    }
}

#[test]
fn a_number_with_a_fraction_is_plain_digits_too() {
    let number = |text: &str| {
        let steps = format!(
            "steps:\n  - name: a\n    cmdlet: Set-DefaultTenantMyAnalyticsFeatureConfig\n    parameters:\n      SamplingRate: {text}\n"
        );
        check(&steps).problems.is_empty()
    };
    assert!(number("0.5") && number("1") && number("-1.25"));
    for text in ["1e3", ".5", "5.", "Infinity", ".inf", "NaN", "0x1F", "1_0.5", "'0.5'", "+1.5", "01.5"] {
        assert!(!number(text), "{text}");
    }
}

#[test]
fn an_identifier_is_sent_without_braces() {
    let steps = "steps:\n  - name: a\n    cmdlet: Get-MessageTrace\n    parameters:\n      MessageTraceId: '{ABCDEF00-0000-4000-8000-00000000000A}'\n";
    let job = job(steps);
    let Action::Cmdlet { parameters, .. } = &job.steps[0].action else { panic!("is a cmdlet") };
    let Template::Literal(sent) = &parameters[0].1 else { panic!("is a literal") };
    assert_eq!(sent, "abcdef00-0000-4000-8000-00000000000a");
}

#[test]
fn a_secret_is_a_reference_that_cannot_be_evaluated() {
    let steps = "steps:\n  - name: a\n    cmdlet: Set-Mailbox\n    parameters:\n      Identity: anna\n      Password:\n        env: NEW_PASSWORD\n  - name: b\n    cmdlet: New-MigrationEndpoint\n    parameters:\n      Name: old\n      Credentials:\n        user_name: ${{ run.id }}@contoso.com\n        password:\n          file: /run/secrets/old\n";
    let job = job(steps);
    let names = job.steps.iter().flat_map(|step| match &step.action {
        Action::Cmdlet { parameters, .. } => parameters.iter().filter(|(_, value)| value.is_secret()),
        Action::Ensure { .. } => panic!("is a cmdlet"),
    });
    assert_eq!(names.map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["Password", "Credentials"]);
    let Action::Cmdlet { parameters, .. } = &job.steps[0].action else { panic!("is a cmdlet") };
    assert!(parameters[1].1.eval(&Scope::default()).is_err());
    assert!(job.steps.iter().all(|step| !step.action.only_reads()));
}

#[test]
fn lists_replace_or_edit() {
    assert_eq!(sent("EmailAddresses", "smtp:a@x.example"), Ok(json!("smtp:a@x.example")));
    assert_eq!(sent("EmailAddresses", "[no, 012]"), Ok(json!(["no", "012"])));
    assert_eq!(sent("EmailAddresses", "{Add: [a], remove: b}"), Ok(json!({"add": ["a"], "remove": "b"})));
    for wrong in [
        "{}",
        "{add: {add: [a]}}",
        "[[a]]",
        "[{a: b}]",
        "[~]",
        "{append: [a]}",
        "{add: ~}",
        "{add: [a], Add: [b]}",
        "{add: [A], remove: a}",
        "[a, A]",
    ] {
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

#[test]
fn ensure_takes_what_can_be_compared() {
    let steps = "steps:\n  - name: a\n    ensure: Mailbox\n    identity: anna\n    properties:\n      ProhibitSendQuota: 50GB\n      LitigationHoldDuration: 30\n      StartDateForRetentionHold: 2026-01-31\n      RecipientLimits: 500\n      EmailAddresses:\n        add: smtp:a@x.example\n        REMOVE:\n          - smtp:b@x.example\n";
    let job = job(steps);
    let Action::Ensure { properties, .. } = &job.steps[0].action else { panic!("is an ensure") };
    let values: Vec<Value> =
        properties.iter().map(|(_, value)| value.eval(&Scope::default()).expect("is a literal")).collect();
    assert_eq!(
        Value::from(values),
        json!(["50GB", "30", "2026-01-31T00:00:00", "500", {"add": ["smtp:a@x.example"], "remove": ["smtp:b@x.example"]}])
    );
    let refused = |property: &str| {
        let steps = format!(
            "steps:\n  - name: a\n    ensure: Mailbox\n    identity: anna\n    properties:\n      {property}\n"
        );
        check(&steps).problems.iter().next().map(|problem| problem.title()).unwrap_or_default()
    };
    assert_eq!(refused("Password: {env: X}"), "`Password` is a secret: it cannot be compared");
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

#[test]
fn a_culture_has_a_hyphen() {
    let problem = |text: &str| {
        let steps = format!(
            "steps:\n  - name: a\n    cmdlet: Set-MailboxRegionalConfiguration\n    parameters:\n      Identity: anna\n      Language: {text}\n"
        );
        check(&steps).problems.iter().next().map(|problem| problem.title())
    };
    assert_eq!(problem("de-DE"), None);
    assert_eq!(problem("no"), None, "Norwegian is no boolean");
    assert_eq!(problem("de_DE").as_deref(), Some("`Language` is a culture such as de-DE, found `de_DE`"));
}

#[test]
fn a_slip_for_a_parameter_that_takes_a_secret_does_not_show_it() {
    for steps in [
        "steps:\n  - name: a\n    cmdlet: Set-Mailbox\n    parameters:\n      Identity: x\n      Pasword: canary\n",
        "unknown: allow\nsteps:\n  - name: a\n    cmdlet: Set-Mailbox\n    parameters:\n      Identity: x\n      Passwordd: canary\n",
        "steps:\n  - name: a\n    ensure: Mailbox\n    identity: x\n    properties:\n      NewPasswrod: x\n      Passwrod: canary\n",
    ] {
        let shown = check(steps).problems.render_plain();
        assert!(shown.contains("did you mean `Password`"), "{shown}");
        assert!(!shown.contains("canary"), "{shown}");
    }
}
