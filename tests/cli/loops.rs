//! How loops are done: how many calls at once, what is repeated, and which items are left out.

use std::collections::BTreeSet;

use serde_json::Value;

use super::program::{Tenant, requests};
use super::{ensure_office, some_mailboxes};

/// A loop over the mailboxes that `some` found, which reads each.
fn read_each(name: &str, more: &str) -> String {
    format!(
        "  - name: {name}\n    for_each: steps.some.items\n    cmdlet: Get-CASMailbox\n    parameters:\n      \
         Identity: ${{{{ item.ExternalDirectoryObjectId }}}}\n{more}"
    )
}

fn counts(report: &Value, step: usize) -> [u64; 4] {
    ["calls", "items", "failed", "skipped"].map(|key| report["steps"][step][key].as_u64().unwrap())
}

/// The sessions that sent a cmdlet.
fn sessions_of(tenant: &Tenant, cmdlet: &str) -> usize {
    let sent = tenant.recorded(cmdlet);
    let ids = sent.iter().map(|request| request["headers"]["connection-id"].as_str().unwrap());
    ids.collect::<BTreeSet<_>>().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_uses_the_smaller_of_parallel_and_the_jobs_sessions() {
    for (parallel, max_sessions, used) in
        [("", 3, 3), ("    parallel: 2\n", 3, 2), ("    parallel: 5\n", 2, 2)]
    {
        let tenant = Tenant::with(12, &["slow:ms=60:cmdlet=Get-CASMailbox"]).await;
        let limits = format!("limits:\n  max_sessions: {max_sessions}\n");
        let job = tenant.job(&limits, &(some_mailboxes(12) + &read_each("each", parallel)));
        let (run, report) = tenant.reported(&job, &[]).await;
        run.assert_code(0);
        assert_eq!(counts(&report, 1), [12, 12, 0, 0], "{report}");
        assert_eq!(sessions_of(&tenant, "Get-CASMailbox"), used, "{parallel:?} with {max_sessions}");
        tenant.assert_all_closed();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_says_how_often_and_after_what_its_requests_are_repeated() {
    let step = |retry: &str| format!("  - name: boxes\n    cmdlet: Get-Mailbox\n    retry:\n{retry}");
    for (fault, retry, code, sent) in [
        ("429:count=2:retry_after=0.01", "      attempts: 3\n", 0, 3),
        ("429:count=2:retry_after=0.01", "      attempts: 2\n", 69, 2),
        ("429:count=2:retry_after=0.01", "      attempts: 1\n", 69, 1),
        ("429:count=2:retry_after=0.01", "      attempts: 5\n      on:\n        - transient\n", 69, 1),
        ("503:count=2", "      attempts: 5\n      on:\n        - throttled\n", 1, 1),
        ("503:count=2", "      attempts: 5\n      on:\n        - throttled\n        - transient\n", 0, 3),
    ] {
        let tenant = Tenant::with(3, &[&format!("{fault}:cmdlet=Get-Mailbox")]).await;
        let (run, report) = tenant.reported(&tenant.job("", &step(retry)), &[]).await;
        run.assert_code(code);
        let seen = requests(&tenant.emulator.counters(), "Get-Mailbox");
        assert_eq!(seen, sent, "{fault} with {retry}: {report}");
        tenant.assert_all_closed();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_retry_of_a_step_repeats_a_write_in_doubt() {
    let tenant = Tenant::with(3, &["reset_after_commit:cmdlet=Set-Mailbox"]).await;
    let steps = "  - name: one\n    cmdlet: Set-Mailbox\n    parameters:\n      Identity: \
                 admin@contoso.onmicrosoft.com\n      CustomAttribute1: x\n    retry:\n      attempts: 10\n";
    let steps =
        steps.replace("admin@contoso.onmicrosoft.com", "${{ steps.some.first.ExternalDirectoryObjectId }}");
    let (run, report) = tenant.reported(&tenant.job("", &(some_mailboxes(1) + &steps)), &[]).await;
    run.assert_code(1);
    assert_eq!(tenant.recorded("Set-Mailbox").len(), 1, "{report}");
    assert!(run.stderr.contains("in doubt whether it was done"), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn later_loops_leave_out_the_items_a_step_failed_on() {
    let tenant =
        Tenant::with(8, &["403:cmdlet=Get-CASMailbox:nth=2", "403:cmdlet=Get-CASMailbox:nth=4"]).await;
    let elsewhere = "  - name: elsewhere\n    for_each: steps.some.items | list\n    cmdlet: Get-Mailbox\n    \
                     parameters:\n      Identity: ${{ item.ExternalDirectoryObjectId }}\n";
    let steps = some_mailboxes(6)
        + &read_each("first", "    on_error: skip_rest_of_item\n")
        + &ensure_office("")
        + &read_each("last", "    on_error: continue\n")
        + elsewhere;
    let (run, report) = tenant.reported(&tenant.job("", &steps), &["--log-level", "debug"]).await;
    run.assert_code(3);
    assert_eq!(counts(&report, 1), [6, 4, 2, 0], "{report}");
    assert_eq!(report["steps"][2]["changed"], 4, "{report}");
    assert_eq!(report["steps"][2]["skipped"], 2, "{report}");
    assert_eq!(counts(&report, 3), [4, 4, 0, 2], "{report}");
    assert_eq!(counts(&report, 4), [6, 6, 0, 0], "another list is another list: {report}");
    assert!(run.stderr.contains("left out: an earlier step failed on this item"), "{}", run.stderr);
}
