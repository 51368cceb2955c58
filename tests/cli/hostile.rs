//! Text from the tenant never breaks a line, a terminal or a table.

use serde_json::Value;

use super::program::{Ended, Tenant, shipped};
use super::{HARDENING, some_mailboxes};

/// Ends a line, clears a terminal, turns text around, and begins a line of its own.
const FORGED: &str =
    "x\n2026-11-22T02:00:01.123Z INFO  run=0 forged\r\u{1b}[2J\u{1b}]0;t\u{7}\u{202e}\u{2028}y";

#[track_caller]
fn assert_harmless(text: &str) {
    let harmful = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{2028}');
    assert!(!text.contains(harmful), "{text:?}");
    assert!(!text.lines().any(|line| line.starts_with("2026-11-22T02:00:01.123Z")), "a forged line:\n{text}");
}

async fn write_forged(tenant: &Tenant, property: &str) -> (String, Ended) {
    let items =
        tenant.invoked(&["Get-Mailbox", "ResultSize=1", "--select", "ExternalDirectoryObjectId"]).await;
    let identity = items[0]["ExternalDirectoryObjectId"].as_str().unwrap().to_owned();
    let job = shipped(HARDENING);
    let (who, what) = (format!("Identity={identity}"), format!("{property}={FORGED}"));
    let set = ["invoke", "Set-Mailbox", &who, &what, "--allow-write", "--job", job.to_str().unwrap()];
    let run = tenant.said(&set, &[]).await;
    run.assert_code(0);
    assert_harmless(&run.stderr);
    (identity, run)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_property_of_the_tenant_stays_in_its_place() {
    let tenant = Tenant::with(10, &[]).await;
    let (identity, _) = write_forged(&tenant, "DisplayName").await;
    let who = format!("Identity={identity}");
    let items = tenant.invoked(&["Get-Mailbox", &who, "--select", "DisplayName"]).await;
    assert_eq!(items[0]["DisplayName"], FORGED, "the tenant holds it as it is");

    let job = shipped(HARDENING);
    let table = ["invoke", "Get-Mailbox", &who, "--job", job.to_str().unwrap()];
    let run = tenant.said(&table, &[]).await;
    run.assert_code(0);
    assert_harmless(&run.stdout);
    let widths: std::collections::BTreeSet<usize> =
        run.stdout.lines().filter(|line| line.starts_with('+')).map(str::len).collect();
    assert_eq!(widths.len(), 1, "{}", run.stdout);

    let ensure = format!(
        "{}  - name: names\n    for_each: steps.some.items\n    ensure: Mailbox\n    \
         identity: ${{{{ item.ExternalDirectoryObjectId }}}}\n    properties:\n      DisplayName: plain\n",
        some_mailboxes(1)
    );
    let run = tenant.run(&tenant.job("", &ensure), &["--dry-run"]).await;
    run.assert_code(2);
    assert_harmless(&run.stdout);
    assert!(
        run.stdout.contains(r"~ DisplayName: x\n2026-11-22T02:00:01.123Z INFO  run=0 forged\r\u{1b}[2J"),
        "{}",
        run.stdout
    );

    let listing = "  - name: all\n    cmdlet: Get-Mailbox\n    select: [DisplayName, Alias]\n    output:\n      path: all.csv\n";
    tenant.run(&tenant.job("", listing), &[]).await.assert_code(0);
    let csv = std::fs::read_to_string(tenant.path("all.csv")).unwrap();
    assert_eq!(csv.lines().count(), 11, "{csv}");
    assert_harmless(&csv.replace("\r\n", "\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_that_quotes_such_a_text_is_one_line_in_every_form() {
    let tenant = Tenant::with(10, &[]).await;
    let job = tenant.job(
        "inputs:\n  who:\n    type: string\n",
        "  - name: one\n    cmdlet: Get-Mailbox\n    parameters:\n      Identity: ${{ inputs.who }}\n",
    );
    let who = format!("who={FORGED}");
    for format in ["human", "json"] {
        let (run, report) = tenant.reported(&job, &["--input", &who, "--log-format", format]).await;
        run.assert_code(1);
        assert_harmless(&run.stderr);
        assert_harmless(&run.stdout);
        assert!(run.stderr.contains("ManagementObjectNotFoundException"), "{}", run.stderr);
        let failure = &report["steps"][0]["failures"][0];
        for text in [&failure["message"], &failure["object"], &report["reason"]] {
            let text = text.as_str().unwrap();
            assert!(!text.contains(char::is_control), "{text:?}");
        }
        if format == "json" {
            for line in run.stderr.lines() {
                let event: Value = serde_json::from_str(line).unwrap();
                assert!(!event.to_string().contains("\\u001b"), "{line}");
            }
        }
    }
    let job = job.to_str().unwrap();
    let identity = format!("Identity={FORGED}");
    let run = tenant.said(&["invoke", "Get-Mailbox", &identity, "--job", job], &[]).await;
    run.assert_code(1);
    assert_harmless(&run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_pass_to_the_program_is_shown_harmlessly_too() {
    let tenant = Tenant::with(3, &[]).await;
    let job = shipped(HARDENING);
    let job = job.to_str().unwrap();
    for arguments in [
        &["run", FORGED][..],
        &["check", FORGED],
        &["run", job, "--job", FORGED],
        &["run", job, "--input", &format!("{FORGED}=1")],
        &["run", job, "--settings", FORGED],
        &["run", job, "--ca-file", FORGED],
        &["invoke", FORGED, "--job", job],
        &["invoke", "Get-Mailbox", FORGED, "--job", job],
        &["invoke", "Get-Mailbox", &format!("{FORGED}=1"), "--job", job],
        &["emulate", "--out", &format!("{job}/{FORGED}")],
    ] {
        let run = tenant.said(arguments, &[]).await;
        assert_eq!(run.code, Some(64), "{arguments:?}\n{}", run.stderr);
        assert_harmless(&run.stderr);
    }
}
