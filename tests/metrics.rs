//! Prometheus' own tool judges the metrics page.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/components.rs"]
mod components;

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use exorun::exit::Exit;
use exorun::observe::metrics::{FinishedCall, Metrics, ObjectResult, Peer};

fn page() -> String {
    let metrics = Metrics::new(Peer::Emulator);
    metrics.signin_finished("ok");
    metrics.session_waited(Duration::from_millis(20));
    metrics.session_opened();
    metrics.call_finished(&FinishedCall {
        job: "harden",
        step: "shared",
        cmdlet: "Get-EXOMailbox",
        outcome: "ok",
        took: Duration::from_millis(300),
        retries: 2,
        throttled: 1,
    });
    metrics.object("harden", "fix", ObjectResult::Pending);
    metrics.session_closed("finished");
    metrics.session_refused();
    let at = "2026-11-22T02:00:30Z".parse().unwrap();
    metrics.run_finished("harden", "quo\"te\\.example", Exit::Done, Duration::from_secs(30), at);
    metrics.encode()
}

/// What `promtool check metrics` says of `page`, and whether it accepts it.
fn promtool(page: &str) -> (bool, String) {
    let mut tool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    tool.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = tool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn promtool_accepts_the_page_without_a_remark() {
    if !components::has("promtool", "promtool_accepts_the_page_without_a_remark") {
        return;
    }
    assert_eq!(promtool(&page()), (true, String::new()));
    // The judge does refuse: a counter without `_total`, a metric without help.
    let (accepted, said) = promtool("# TYPE exorun_runs counter\nexorun_runs 1\n");
    assert!(!accepted && said.contains("_total"), "{said}");
}
