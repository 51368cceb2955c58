//! Thirty runs, seven of which fail, by each of the three ways to Prometheus: the dashboard reads 23 of 30.

use std::time::{Duration, SystemTime};

use exorun::emulator::Options;

use crate::grafana::queries;
use crate::jobs::{BY_SECRET, history, job, write};
use crate::program::{Tenant, ended, fault};
use crate::prometheus::{Prometheus, Sample, pushgateway, serve_file, with_variables};
use crate::server::served;

const RUNS: usize = 30;
/// The first and the last one, and some that follow each other.
const FAILING: [usize; 7] = [1, 5, 6, 12, 18, 19, 30];

/// A tenant in which the call of each run of [`FAILING`] is refused, and the one after the last run is never answered.
async fn tenant() -> Tenant {
    let mut faults: Vec<_> =
        FAILING.iter().map(|nth| fault(&format!("403:cmdlet=Get-Mailbox:nth={nth}"))).collect();
    faults.push(fault(&format!("slow:ms=600000:cmdlet=Get-Mailbox:nth={}", RUNS + 1)));
    Tenant::start(Options { faults, ..Options::default() }).await
}

/// Runs the job thirty times. The next run begins when Prometheus has seen the last one, in another second: that is the
/// limit of what is pushed.
async fn run_thirty_times(tenant: &Tenant, prometheus: &Prometheus, name: &str, more: &[(&str, &str)]) {
    write(
        tenant,
        "job.yaml",
        &job(name, BY_SECRET, "", "cmdlet: Get-Mailbox\n    parameters: {ResultSize: 10}"),
    );
    let mut last = 0.0;
    for run in 1..=RUNS {
        let mut command = tenant.exorun(&["run", "jobs/job.yaml"]);
        if name == "filed" {
            command.args(["--metrics-file", "metrics.prom"]);
        }
        command.env("EXORUN_HISTORY", tenant.path("history.sqlite")).envs(more.iter().copied());
        let ended = ended(command.spawn().unwrap()).await;
        assert_eq!(ended.code != Some(0), FAILING.contains(&run), "run {run}:\n{}", ended.stderr);
        let newer = |samples: &[Sample]| matches!(samples, [(_, second)] if *second > last);
        let query = format!("exorun:last_completion:timestamp{{job=\"{name}\"}}");
        let seen = prometheus.until(&format!("run {run} of {name}"), &query, newer).await;
        last = seen[0].1;
        while SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64() < last + 1.0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_reads_23_of_30_served_pushed_and_from_a_file() {
    if !crate::components("the_dashboard_reads_23_of_30_served_pushed_and_from_a_file") {
        return;
    }
    let (on_server, pushing, filing) = (tenant().await, tenant().await, tenant().await);
    let head = "schedules:\n  - every: 1s\n";
    write(
        &on_server,
        "job.yaml",
        &job("served", BY_SECRET, head, "cmdlet: Get-Mailbox\n    parameters: {ResultSize: 10}"),
    );
    let (_server, address) = served(&on_server).await;
    let gateway = pushgateway().await;
    let files = serve_file(filing.path("metrics.prom")).await;
    let targets = [("serve", address.as_str()), ("gateway", &gateway.address), ("node", &files)];
    let prometheus = Prometheus::start(&targets).await;
    let url = format!("http://{}", gateway.address);
    let to_gateway = [("EXORUN_PUSHGATEWAY_URL", url.as_str()), ("EXORUN_PUSH_EMULATED", "true")];
    tokio::join!(
        run_thirty_times(&pushing, &prometheus, "pushed", &to_gateway),
        run_thirty_times(&filing, &prometheus, "filed", &[]),
        prometheus.becomes("exorun:occurrences_ended:total{job=\"served\"}", RUNS as f64),
    );

    let (all, good) = (RUNS as f64, (RUNS - FAILING.len()) as f64);
    for (tenant, name) in [(&on_server, "served"), (&pushing, "pushed"), (&filing, "filed")] {
        let runs = history(tenant, name).await;
        let done = runs.iter().filter(|run| run["exit_code"] == 0).count();
        let ended = runs.iter().filter(|run| !run["ended_at"].is_null()).count();
        assert_eq!((ended, done), (RUNS, RUNS - FAILING.len()), "{name}: {runs:?}");
        let mut asked = 0;
        for (panel, query) in queries().iter().filter(|(_, query)| query.contains("job=\"$job\"")) {
            let query = with_variables(query, name);
            if panel.starts_with("Success rate, ") {
                prometheus.becomes(&query, good / all).await;
                asked += 1;
            } else if panel == "Failures in a day, by reason" {
                prometheus.becomes(&format!("sum({query})"), all - good).await;
                asked += 1;
            }
        }
        assert_eq!(asked, 4, "the dashboard has other panels");
    }
    // Of the fleet: one value for all of them, and a row for each.
    for (panel, query) in queries().iter().filter(|(_, query)| !query.contains("job=\"$job\"")) {
        let query = with_variables(query, "");
        match panel.as_str() {
            "Success rate, 1 day" | "Success rate, 7 days" | "Success rate, 30 days" | "Success rate" => {
                prometheus.becomes(&query, good / all).await;
            }
            "Runs in a day" => {
                prometheus.becomes(&query, 3.0 * if query.contains("succeeded") { good } else { all }).await;
            }
            "Jobs" if query.contains("exorun:runs_") => {
                let value = if query.contains("succeeded") { good } else { all };
                let rows = prometheus.ask(&query).await.unwrap();
                let rows: Vec<(&str, f64)> =
                    rows.iter().map(|(labels, found)| (labels["job"].as_str(), *found)).collect();
                assert_eq!(rows, [("filed", value), ("pushed", value), ("served", value)], "{query}");
            }
            _ => {}
        }
    }
}
