//! A stop: nothing new, calls in hand end, sessions close, and what was cut short is named.

use std::time::Duration;

use exorun::emulator::Options;
use rustix::process::Signal;

use crate::program::{Tenant, requests};
use crate::server::{Server, command, job, long_job, occurrences, runs, write};

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_during_three_runs_closes_their_sessions_and_names_them() {
    let options = Options { mailboxes: 200, latency: Duration::from_millis(30), ..Options::default() };
    let tenant = Tenant::start(options).await;
    for name in ["one", "two", "three"] {
        write(&tenant, &format!("{name}.yaml"), &long_job(name, "every: 1s", ""));
    }
    let server = Server::start(&mut command(&tenant, &[]));
    tenant.until("three live sessions", |counters| counters.sessions.live == 3).await;
    tenant.calls("Set-CASMailbox", 3).await;
    server.signal(Signal::TERM);
    let (code, said) = server.ended().await;
    println!("{said}");
    assert_eq!(code, Some(75), "{said}");
    tenant.assert_all_closed();
    let place = |words: &str| said.find(words).unwrap_or_else(|| panic!("nobody says `{words}`:\n{said}"));
    assert!(place("asked to stop: what is in hand ends first") < place("in hand: asked to stop"));
    assert_eq!(said.matches("in hand: asked to stop").count(), 3, "{said}");
    assert_eq!(said.matches("cut short by the stop").count(), 3, "{said}");
    assert!(place("session closed") < place("cut short by the stop"));
    assert!(!said.contains("outcome=unknown"), "no write is in doubt");
    // The cut runs are in the history, and nothing is left open in it.
    let occurrences = occurrences(&tenant);
    let cut: Vec<&str> = occurrences
        .iter()
        .filter(|one| one.reason.as_deref() == Some("interrupted"))
        .map(|one| one.job.as_str())
        .collect();
    assert_eq!(cut.len(), 3, "{occurrences:#?}");
    assert!(runs(&tenant).iter().all(|run| run.outcome == "interrupted" && run.sessions == 1));
    let book = exorun::history::Book::open(&tenant.path("history.sqlite")).unwrap();
    assert_eq!(book.law().unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_while_nothing_runs_ends_well() {
    let tenant = Tenant::start(Options { mailboxes: 20, ..Options::default() }).await;
    write(&tenant, "a.yaml", &job("a", "every: 1s", ""));
    let server = Server::start(&mut command(&tenant, &[]));
    tenant.calls("Get-Mailbox", 2).await;
    write(&tenant, "a.yaml", &job("a", "every: 1s", "run_policy:\n  suspend: true\n"));
    server.says("job loaded").await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let calls = requests(&tenant.emulator.counters(), "Get-Mailbox");
    let (code, said) = server.stopped().await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("nothing was cut short"), "{said}");
    assert_eq!(requests(&tenant.emulator.counters(), "Get-Mailbox"), calls);
    tenant.assert_all_closed();
    assert!(occurrences(&tenant).iter().any(|one| one.reason.as_deref() == Some("suspended")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_hurries_the_stop() {
    let faults = vec![crate::program::fault("slow:ms=60000:cmdlet=Get-Mailbox")];
    let tenant = Tenant::start(Options { faults, ..Options::default() }).await;
    write(&tenant, "a.yaml", &job("a", "every: 1s", ""));
    let server = Server::start(command(&tenant, &["--drain-grace", "50s"]).env("EXORUN_CALL_TIMEOUT", "50s"));
    tenant.until("a live session", |counters| counters.sessions.live == 1).await;
    server.signal(Signal::TERM);
    server.says("in hand: asked to stop").await;
    server.signal(Signal::INT);
    let (code, said) = server.ended().await;
    assert_eq!(code, Some(75), "{said}");
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_replaced_is_not_cut_short_by_a_later_stop() {
    let options = Options { mailboxes: 200, latency: Duration::from_millis(30), ..Options::default() };
    let tenant = Tenant::start(options).await;
    write(&tenant, "a.yaml", &long_job("a", "every: 1s", "run_policy:\n  overlap: replace\n"));
    let server = Server::start(&mut command(&tenant, &[]));
    server.says("serving").await;
    let is_replaced = || occurrences(&tenant).iter().any(|one| one.reason.as_deref() == Some("replaced"));
    let waited = tokio::time::timeout(Duration::from_secs(30), async {
        while !is_replaced() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert!(waited.await.is_ok(), "{}", server.said());
    let (_, said) = server.stopped().await;
    let in_hand = said.matches("in hand: asked to stop").count();
    assert_eq!(said.matches("cut short by the stop").count(), in_hand, "{said}");
    tenant.assert_all_closed();
}
