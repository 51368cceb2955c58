//! A demonstration in which jobs succeed, fail, wait and give up: every query of the dashboard and of the alerts has data,
//! and the numbers are those of the history.

use exorun::emulator::Options;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;

use crate::grafana::queries;
use crate::jobs::{BY_CERTIFICATE, BY_SECRET, history, job, write};
use crate::openssl::{pair_for, text};
use crate::program::{Tenant, ended, fault};
use crate::prometheus::{Prometheus, pushgateway, with_variables};
use crate::server::served;

const EVERY_SECOND: &str = "schedules:\n  - every: 1s\n";
const SUSPENDED: &str = "schedules:\n  - every: 1s\nrun_policy:\n  suspend: true\n";
const LOOK: &str = "cmdlet: Get-Mailbox\n    parameters: {ResultSize: 10}";
const NOBODY: &str = "cmdlet: Get-User\n    parameters: {Identity: nobody}";

/// `flaky` fails once, `failing` always, `waiting` is never answered and has others of its kind wait, `idle` is not due,
/// and one file is broken. The certificate ends in five days.
async fn serving() -> Tenant {
    let made = tempfile::tempdir().unwrap();
    pair_for(made.path(), "own", 5);
    let faults = vec![fault("403:cmdlet=Get-Mailbox:nth=2"), fault("slow:ms=600000:cmdlet=Get-CASMailbox")];
    let certificates = vec![text(made.path(), "own.crt")];
    let tenant = Tenant::start(Options { faults, certificates, ..Options::default() }).await;
    for name in ["own.key", "own.crt"] {
        std::fs::copy(made.path().join(name), tenant.path(name)).unwrap();
    }
    write(&tenant, "flaky.yaml", &job("flaky", BY_CERTIFICATE, EVERY_SECOND, LOOK));
    write(&tenant, "failing.yaml", &job("failing", BY_SECRET, EVERY_SECOND, NOBODY));
    let queue = format!("{EVERY_SECOND}run_policy:\n  overlap: queue\n");
    let slow = "cmdlet: Get-CASMailbox\n    parameters: {ResultSize: 10}";
    write(&tenant, "waiting.yaml", &job("waiting", BY_SECRET, &queue, slow));
    write(&tenant, "idle.yaml", &job("idle", BY_SECRET, "schedules:\n  - cron: \"0 0 1 1 *\"\n", LOOK));
    write(&tenant, "broken.yaml", "version: 1\nname: broken\n");
    tenant
}

/// Runs that push: a good one, one whose sign-in is refused, one that loses its lease, and one that finds no
/// session meanwhile.
async fn pushes(tenant: &Tenant, gateway: &str) {
    let run = |name: &str, call: &str| {
        write(tenant, &format!("{name}.yaml"), &job(name, BY_SECRET, EVERY_SECOND, call));
        let mut command = tenant.exorun(&["run", &format!("jobs/{name}.yaml")]);
        command
            .env("EXORUN_HISTORY", tenant.path("history.sqlite"))
            .env("EXORUN_SESSION_LIMIT", "1")
            .env("EXORUN_CALL_TIMEOUT", "10m")
            .env("EXORUN_PUSHGATEWAY_URL", gateway)
            .env("EXORUN_PUSH_EMULATED", "true");
        command
    };
    ended(run("pushed", LOOK).spawn().unwrap()).await.assert_code(0);
    let mut refused = run("refused", LOOK);
    ended(refused.env("EXORUN_CLIENT_SECRET", "another").spawn().unwrap()).await.assert_code(77);
    let losing = run("losing", "cmdlet: Get-CASMailbox\n    parameters: {ResultSize: 10}").spawn().unwrap();
    tenant.until("its session", |counters| counters.sessions.live > 0).await;
    let mut full = run("full", LOOK);
    ended(full.env("EXORUN_SESSION_WAIT", "1s").spawn().unwrap()).await.assert_code(69);
    // Its slot is gone.
    std::fs::rename(tenant.path("state"), tenant.path("taken")).unwrap();
    let losing = ended(losing).await;
    losing.assert_code(1);
    assert!(losing.stderr.contains("the lease is lost"), "{}", losing.stderr);
}

/// The names of `exorun`'s series in a query.
fn series_of(query: &str) -> BTreeSet<&str> {
    query
        .split(|character: char| !(character.is_ascii_alphanumeric() || "_:".contains(character)))
        .filter(|word| word.starts_with("exorun"))
        .collect()
}

/// The whole seconds of the latest `ended_at` of `runs`.
fn latest<'a>(runs: impl Iterator<Item = &'a Value>) -> f64 {
    runs.map(|run| run["ended_at"].as_str().unwrap().parse::<Timestamp>().unwrap().as_second()).max().unwrap()
        as f64
}

/// Prometheus says of the job what its history says.
async fn agrees(prometheus: &Prometheus, tenant: &Tenant, name: &str) {
    let runs = history(tenant, name).await;
    let ended = runs.iter().filter(|run| !run["ended_at"].is_null());
    let done = |run: &&Value| run["exit_code"] == 0;
    let count = |wanted: &dyn Fn(&&Value) -> bool| ended.clone().filter(wanted).count() as f64;
    assert!(count(&|_| true) > 0.0, "{name} never ran");
    let of = |series: &str| format!("{series}{{job=\"{name}\"}}");
    prometheus.becomes(&of("exorun:runs_ended:1d"), count(&|_| true)).await;
    prometheus.becomes(&of("exorun:runs_succeeded:1d"), count(&done)).await;
    let reasons: BTreeSet<&str> =
        ended.clone().filter(|run| !done(run)).map(|run| run["outcome"].as_str().unwrap()).collect();
    for reason in reasons {
        let query = format!("exorun:runs_failed:1d{{job=\"{name}\", reason=\"{reason}\"}}");
        prometheus.becomes(&query, count(&|run| run["outcome"] == reason)).await;
    }
    prometheus.becomes(&of("exorun_last_completion_timestamp_seconds"), latest(ended.clone())).await;
    if ended.clone().any(|run| done(&run)) {
        prometheus
            .becomes(&of("exorun_last_success_timestamp_seconds"), latest(ended.clone().filter(done)))
            .await;
    }
    if ended.clone().any(|run| !done(&run)) {
        let failed = latest(ended.clone().filter(|run| !done(run)));
        prometheus.becomes(&of("exorun_last_failure_timestamp_seconds"), failed).await;
    }
    // Newest first.
    let last = runs.iter().find(|run| !run["ended_at"].is_null()).unwrap();
    prometheus.becomes(&of("exorun_last_exit_code"), last["exit_code"].as_f64().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_has_data_and_agrees_with_the_history() {
    let test = "every_query_has_data_and_agrees_with_the_history";
    if !crate::components(test) || !crate::components::has("openssl", test) {
        return;
    }
    let slow = vec![fault("slow:ms=600000:cmdlet=Get-CASMailbox")];
    let (on_server, pushing) =
        (serving().await, Tenant::start(Options { faults: slow, ..Options::default() }).await);
    let (_server, address) = served(&on_server).await;
    let gateway = pushgateway().await;
    let prometheus = Prometheus::start(&[("serve", &address), ("gateway", &gateway.address)]).await;
    let url = format!("http://{}", gateway.address);
    let enough = "exorun:occurrences_succeeded:total{job=\"flaky\"}";
    tokio::join!(
        pushes(&pushing, &url),
        prometheus.until("some runs", enough, |seen| matches!(seen, [(_, count)] if *count >= 5.0))
    );

    // From here on nothing more ends, so that two looks at it see the same.
    write(&on_server, "flaky.yaml", &job("flaky", BY_CERTIFICATE, SUSPENDED, LOOK));
    write(&on_server, "failing.yaml", &job("failing", BY_SECRET, SUSPENDED, NOBODY));
    for name in ["flaky", "failing"] {
        let suspended = format!("exorun_occurrences_total{{job=\"{name}\", reason=\"suspended\"}}");
        prometheus.until("the suspension", &suspended, |seen| !seen.is_empty()).await;
    }
    prometheus.becomes("exorun_runs_running", 1.0).await;
    for name in ["flaky", "failing"] {
        agrees(&prometheus, &on_server, name).await;
    }
    for name in ["pushed", "refused", "losing", "full"] {
        agrees(&prometheus, &pushing, name).await;
    }

    for (panel, query) in queries() {
        let query = with_variables(&query, "flaky");
        let answer = prometheus.ask(&query).await.unwrap();
        assert!(!answer.is_empty(), "{panel}: no data for {query}");
    }
    let mut firing = BTreeSet::new();
    let rules = prometheus.rules().await;
    for rule in &rules {
        assert_eq!((&rule["health"], &rule["lastError"]), (&Value::from("ok"), &Value::Null), "{rule}");
        let query = rule["query"].as_str().unwrap();
        let answer = prometheus.ask(query).await.unwrap();
        if rule["type"] == "alerting" {
            for series in series_of(query) {
                let there = prometheus.ask(&format!("{series}{{emulated=\"true\"}}")).await.unwrap();
                assert!(!there.is_empty(), "{}: there is no {series}", rule["name"]);
            }
            if !answer.is_empty() {
                firing.insert(rule["name"].as_str().unwrap());
            }
        } else {
            assert!(!answer.is_empty(), "{}: no data", rule["name"]);
        }
    }
    let expected = [
        "ExorunCertificateExpiring",
        "ExorunJobFailing",
        "ExorunLeaseLost",
        "ExorunSessionsExhausted",
        "ExorunSpecBroken",
    ];
    assert_eq!(firing, BTreeSet::from(expected));
    let failing = "ALERTS{alertname=\"ExorunJobFailing\", alertstate=\"firing\"}";
    let failing = prometheus.ask(failing).await.unwrap();
    let failing: BTreeSet<&str> = failing.iter().map(|(labels, _)| labels["job"].as_str()).collect();
    assert_eq!(failing, BTreeSet::from(["failing", "full", "losing", "refused"]));
}
