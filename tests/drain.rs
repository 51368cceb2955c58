//! However a run ends, its sessions are closed: real processes, real signals, and the emulator as the witness.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
#![expect(clippy::disallowed_methods, reason = "tests wait for real processes")]

#[path = "support/program.rs"]
mod program;

use std::time::{Duration, Instant};

use exorun::emulator::Options;
use program::{SLOT_COMES_BACK, Tenant, ended, fault, requests, shipped, signal};
use rustix::process::Signal;

const HARDENING: &str = "shared-mailbox-hardening.yaml";

async fn slow_tenant() -> Tenant {
    Tenant::start(Options { mailboxes: 60, latency: Duration::from_millis(40), ..Options::default() }).await
}

async fn stopped_by(asked: Signal) {
    let tenant = slow_tenant().await;
    let job = shipped(HARDENING);
    let child = tenant.exorun(&["run", job.to_str().unwrap(), "--report", "report.json"]).spawn().unwrap();
    tenant.calls("Set-CASMailbox", 4).await;
    signal(&child, asked);
    let run = ended(child).await;
    run.assert_code(75);
    tenant.assert_all_closed();
    let report = std::fs::read_to_string(tenant.path("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!((&report["outcome"], &report["exit_code"]), (&"interrupted".into(), &75.into()));
    let harden = &report["steps"][1];
    // The cmdlet in hand ended: no write is in doubt, and the report counts each that was made.
    assert!(!run.stderr.contains("outcome=unknown"), "{}", run.stderr);
    let written = tenant.emulator.counters().changed_objects as u64;
    assert!(written >= 3);
    assert_eq!(run.stderr.matches("outcome=done").count() as u64, written, "{}", run.stderr);
    assert_eq!(harden["changed"].as_u64().unwrap(), written, "{harden}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_the_cmdlet_in_hand_and_disconnects() {
    stopped_by(Signal::TERM).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigint_ends_the_cmdlet_in_hand_and_disconnects() {
    stopped_by(Signal::INT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_terminal_ends_the_cmdlet_in_hand_and_disconnects() {
    stopped_by(Signal::HUP).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn under_nohup_a_closed_terminal_changes_nothing() {
    let tenant = slow_tenant().await;
    let job = shipped(HARDENING);
    // As nohup does it: the shell's trap is inherited as an ignored signal.
    let arguments = ["run", job.to_str().unwrap()];
    let child = tenant.by_shell("trap '' HUP; exec \"$@\"", &arguments).spawn().unwrap();
    tenant.calls("Set-CASMailbox", 2).await;
    signal(&child, Signal::HUP);
    ended(child).await.assert_code(0);
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_gives_up_the_cmdlet_in_hand_and_still_disconnects() {
    let faults = vec![fault("slow:ms=60000:cmdlet=Set-CASMailbox:nth=2")];
    let tenant = Tenant::start(Options { mailboxes: 30, faults, ..Options::default() }).await;
    let job = shipped(HARDENING);
    let child = tenant.exorun(&["run", job.to_str().unwrap(), "--drain-grace", "60s"]).spawn().unwrap();
    tenant.calls("Set-CASMailbox", 1).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let began = Instant::now();
    signal(&child, Signal::TERM);
    tokio::time::sleep(Duration::from_millis(300)).await;
    signal(&child, Signal::TERM);
    let run = ended(child).await;
    run.assert_code(75);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert!(
        run.stderr.contains("outcome=unknown"),
        "the write that was given up is in doubt:\n{}",
        run.stderr
    );
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_grace_gives_up_the_cmdlet_in_hand_and_still_disconnects() {
    let faults = vec![fault("slow:ms=60000:cmdlet=Get-Mailbox")];
    let tenant = Tenant::start(Options { faults, ..Options::default() }).await;
    let job = shipped(HARDENING);
    let child = tenant.exorun(&["run", job.to_str().unwrap(), "--drain-grace", "1s"]).spawn().unwrap();
    tenant.until("a live session", |counters| counters.sessions.live == 1).await;
    signal(&child, Signal::TERM);
    let run = ended(child).await;
    run.assert_code(75);
    assert!(run.stderr.contains("the grace is over"), "{}", run.stderr);
    tenant.assert_all_closed();
}

#[cfg(feature = "fault-points")]
#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_a_step_is_reported_and_disconnects() {
    let tenant = slow_tenant().await;
    let job = shipped(HARDENING);
    let mut command = tenant.exorun(&["run", job.to_str().unwrap(), "--report", "report.json"]);
    let run = ended(command.env("EXORUN_FAULT_POINT", "panic:harden").spawn().unwrap()).await;
    run.assert_code(1);
    assert!(run.stdout.contains("panicked: a fault point of a test in step harden"), "{}", run.stdout);
    tenant.assert_all_closed();
    let report = std::fs::read_to_string(tenant.path("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(
        report["steps"].as_array().unwrap().len(),
        2,
        "the steps before the panic are not lost: {report}"
    );
    assert_eq!(report["sessions"][0]["closed"], "cleanly", "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_timeout_gives_up_the_call_and_disconnects() {
    let faults = vec![fault("slow:ms=60000:cmdlet=Get-CASMailbox:nth=3")];
    let tenant = Tenant::start(Options { faults, ..Options::default() }).await;
    let text = std::fs::read_to_string(shipped(HARDENING)).unwrap();
    let job = tenant.path("job.yaml");
    std::fs::write(&job, text.replace("    ensure: CASMailbox", "    timeout: 2s\n    ensure: CASMailbox"))
        .unwrap();
    let began = Instant::now();
    let run = tenant.run(&job, &[]).await;
    run.assert_code(1);
    assert!(run.stdout.contains("the step's time-out of 2s is over"), "{}", run.stdout);
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_reset_in_a_write_is_read_again_and_the_run_goes_on() {
    for kind in ["reset", "reset_after_commit"] {
        let faults = vec![fault(&format!("{kind}:cmdlet=Set-CASMailbox:nth=3"))];
        let tenant = Tenant::start(Options { mailboxes: 30, faults, ..Options::default() }).await;
        let run = tenant.run(&shipped(HARDENING), &["--report", "report.json"]).await;
        run.assert_code(0);
        tenant.assert_all_closed();
        let counters = tenant.emulator.counters();
        assert_eq!(counters.sessions.cut, 1, "the emulator cut one transport: {counters:?}");
        let report = std::fs::read_to_string(tenant.path("report.json")).unwrap();
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        let changed = report["steps"][1]["changed"].as_u64().unwrap();
        assert_eq!(changed, counters.changed_objects as u64, "{kind}: {report}");
        // Done exactly once: a write that was committed is seen by the read and not sent again.
        let writes = requests(&counters, "Set-CASMailbox");
        let in_doubt = run.stderr.matches("outcome=unknown").count();
        assert_eq!(in_doubt, 1, "{kind}: {}", run.stderr);
        assert_eq!(writes, changed + u64::from(kind == "reset"), "{kind}: {counters:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_in_a_plain_write_is_reported_in_doubt_and_not_repeated() {
    let faults = vec![fault("reset_after_commit:cmdlet=Set-Mailbox:nth=1")];
    let tenant = Tenant::start(Options { mailboxes: 30, faults, ..Options::default() }).await;
    let job = tenant.path("job.yaml");
    let head = std::fs::read_to_string(shipped(HARDENING)).unwrap();
    let (head, _) = head.split_once("steps:").unwrap();
    let steps = "steps:\n  - name: one\n    cmdlet: Get-Mailbox\n    parameters:\n      ResultSize: 1\n    select: [ExternalDirectoryObjectId]\n  - name: write\n    for_each: steps.one.items\n    cmdlet: Set-Mailbox\n    parameters:\n      Identity: ${{ item.ExternalDirectoryObjectId }}\n      CustomAttribute1: x\n";
    std::fs::write(&job, format!("{head}{steps}")).unwrap();
    let run = tenant.run(&job, &[]).await;
    run.assert_code(1);
    assert!(run.stdout.contains("in doubt whether it was done, and not repeated"), "{}", run.stdout);
    let counters = tenant.emulator.counters();
    let writes = requests(&counters, "Set-Mailbox");
    assert_eq!(writes, 1, "{counters:?}");
    let sessions = counters.sessions;
    assert_eq!(
        (sessions.opened, sessions.closed, sessions.live, sessions.unclean),
        (1, 1, 0, 0),
        "{sessions:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn twelve_runs_share_five_sessions_and_three_killed_ones_only_delay_the_rest() {
    let tenant =
        Tenant::start(Options { mailboxes: 24, latency: Duration::from_millis(30), ..Options::default() })
            .await;
    let job = shipped(HARDENING);
    let start = || tenant.exorun(&["run", job.to_str().unwrap()]).spawn().unwrap();
    let twelve: Vec<_> = (0..12).map(|_| start()).collect();
    let runs = futures_util::future::join_all(twelve.into_iter().map(ended)).await;
    for run in &runs {
        run.assert_code(0);
    }
    tenant.assert_all_closed();
    let sessions = tenant.emulator.counters().sessions;
    assert!(sessions.peak_of_one_account <= 5 && sessions.refused == 0, "{sessions:?}");
    assert!(sessions.opened >= 12, "{sessions:?}");

    let mut twelve: Vec<_> = (0..12).map(|_| start()).collect();
    tenant.until("live sessions", |counters| counters.sessions.live >= 3).await;
    let killed: Vec<_> = twelve.drain(..3).collect();
    for child in &killed {
        signal(child, Signal::KILL);
    }
    let rest = futures_util::future::join_all(twelve.into_iter().map(ended)).await;
    for run in &rest {
        run.assert_code(0);
    }
    for child in killed {
        assert_eq!(ended(child).await.code, None, "it was killed");
    }
    let sessions = tenant.emulator.counters().sessions;
    assert!(sessions.peak_of_one_account <= 5 && sessions.refused == 0, "{sessions:?}");
    tenant.until("the killed ones' end", |counters| counters.sessions.live == 0).await;

    // The slots come back by themselves after lease and quarantine: five runs at once get five again.
    tokio::time::sleep(SLOT_COMES_BACK).await;
    // One session each: with a further one, four runs would already hold them all.
    let text = std::fs::read_to_string(&job).unwrap();
    let single = tenant.path("single.yaml");
    std::fs::write(&single, text.replace("max_sessions: 2", "max_sessions: 1")).unwrap();
    // Slow, and each read a request of its own: none is done before the last has its session.
    tenant.control("latency", "1500").await;
    let start = || {
        let mut command = tenant.exorun(&["run", single.to_str().unwrap()]);
        command.env("EXORUN_BATCH_SIZE", "1").spawn().unwrap()
    };
    let five: Vec<_> = (0..5).map(|_| start()).collect();
    tenant.until("five sessions at once", |counters| counters.sessions.live == 5).await;
    tenant.control("latency", "0").await;
    for run in futures_util::future::join_all(five.into_iter().map(ended)).await {
        run.assert_code(0);
    }
    let sessions = tenant.emulator.counters().sessions;
    assert!(sessions.peak_of_one_account <= 5 && sessions.refused == 0, "{sessions:?}");
}
