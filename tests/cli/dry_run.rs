//! `--dry-run`: says what a run would do, and does none of it.

use super::program::{Tenant, requests, shipped};
use super::{HARDENING, HEAD, write_log};

/// Ids and times out, so that two runs print the same.
fn redacted() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "[id]");
    settings.add_filter(r" +\d+\.\d s", " [time]");
    settings
}

/// One session, so that objects come in the listing's order.
const IN_ORDER: (&str, &str) = ("EXORUN_SESSION_LIMIT", "1");

#[tokio::test(flavor = "multi_thread")]
async fn it_prints_what_a_run_then_changes_and_finds_nothing_afterwards() {
    let tenant = Tenant::with(12, &[]).await;
    let job = shipped(HARDENING);
    let dry_run = ["run", job.to_str().unwrap(), "--dry-run"];

    let pending = tenant.said(&dry_run, &[IN_ORDER]).await;
    pending.assert_code(2);
    redacted().bind(|| insta::assert_snapshot!("pending", pending.stdout));
    assert!(pending.stdout.contains("\n  ~ PopEnabled: true -> false\n"), "{}", pending.stdout);
    assert_eq!(tenant.writes_seen(), [""; 0], "a dry run only reads");
    assert_eq!(tenant.emulator.counters().changed_objects, 0);
    assert_eq!(write_log(&pending.stderr), [""; 0]);
    tenant.assert_all_closed();

    let announced = pending.stdout.matches("\n  ~ ").count();
    let (run, report) = tenant.reported(&job, &[]).await;
    run.assert_code(0);
    assert_eq!(report["steps"][1]["changes"], announced as u64, "as many changes as were announced");
    assert!(requests(&tenant.emulator.counters(), "Set-CASMailbox") > 0);

    let synced = tenant.said(&dry_run, &[IN_ORDER]).await;
    synced.assert_code(0);
    redacted().bind(|| insta::assert_snapshot!("in_sync", synced.stdout));
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_writing_cmdlet_is_printed_with_its_parameters_and_not_sent() {
    let tenant = Tenant::with(3, &[]).await;
    let text = format!(
        "{HEAD}steps:\n  - name: quota\n    cmdlet: Set-Mailbox\n    parameters:\n      \
         Identity: someone@contoso.example\n      ProhibitSendQuota: 10GB\n"
    );
    std::fs::write(tenant.path("job.yaml"), text).unwrap();
    let run = tenant.run(&tenant.path("job.yaml"), &["--dry-run"]).await;
    run.assert_code(2);
    assert!(
        run.stdout.contains("! Set-Mailbox -Identity someone@contoso.example -ProhibitSendQuota 10GB"),
        "{}",
        run.stdout
    );
    assert_eq!(tenant.writes_seen(), [""; 0]);
}
