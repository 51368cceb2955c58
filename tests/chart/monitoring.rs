//! Rules, dashboard and monitors as they are rendered.

use std::process::Command;

use serde_json::{Value, json};

use crate::components::has;
use crate::cron_jobs::with_job;
use crate::helm::{Chart, helms};
use crate::objects::{self, kind};
use crate::{package, read};

fn rendered(chart: &Chart, set: &str) -> Option<Vec<Value>> {
    let [_, helm] = helms("chart::monitoring")?;
    Some(objects::of(&helm.text(chart, &package().join("charts/exorun/ci").join(set))))
}

/// Prometheus takes the rules, which are those of files/rules.yaml, and in mode cronjobs one more for each job, so that a job that has
/// never run is known.
#[test]
fn the_rules_are_the_files_and_the_jobs() {
    let chart = Chart::copy();
    let Some(by_jobs) = rendered(&chart, "cronjobs-everything-values.yaml") else { return };
    let Some(by_scheduler) = rendered(&chart, "scheduler-values.yaml") else { return };
    let beside = objects::of(&read("charts/exorun/files/rules.yaml")).remove(0);
    let groups = |objects: &[Value]| kind(objects, "PrometheusRule")[0]["spec"]["groups"].clone();
    assert_eq!(groups(&by_scheduler), beside["groups"]);
    let with_jobs = groups(&by_jobs);
    let (own, files) = with_jobs.as_array().unwrap().split_last().unwrap();
    assert_eq!(json!(files), beside["groups"]);
    let job = |name: &str, due: &str| {
        let target = "contoso.onmicrosoft.com";
        let labels = json!({"job": name, "target": target, "emulated": "false", "due": due});
        json!({"record": "exorun_job_info", "expr": "vector(1)", "labels": labels})
    };
    // `mailbox-once` has no schedule: nobody waits for it.
    assert_eq!(own["rules"], json!([job("mailbox-domains", "daily"), job("mailbox-hardening", "weekly")]));
    if has("promtool", "chart::the_rules_are_the_files_and_the_jobs") {
        let file = chart.path().join("../rules.json");
        std::fs::write(&file, json!({"groups": with_jobs}).to_string()).unwrap();
        let output = Command::new("promtool").args(["check", "rules"]).arg(&file).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

const CONNECTIONS: &str = "connections: |\n  version: 1\n  kind: Connections\n  connections:\n    contoso:\n      \
    tenant: contoso.onmicrosoft.com\n      auth:\n        method: managed_identity\n      jobs:\n        - name: nightly\n";

/// The longest that it may be until a job's first due time, which its alert waits for.
#[test]
fn a_job_is_due_as_often_as_its_most_frequent_schedule() {
    let Some(helms) = helms("a_job_is_due_as_often_as_its_most_frequent_schedule") else { return };
    for (due, crons) in [
        ("daily", &["*/5 8-17 * * *"][..]),
        ("weekly", &["0 2 * * MON-FRI"]),
        ("weekly", &["0 2 1 * MON"]),
        ("monthly", &["0 2 1,15 * *"]),
        ("yearly", &["0 2 1 1 *"]),
        ("monthly", &["@monthly", "@yearly"]),
        ("daily", &["0 2 1 1 *", "@daily"]),
    ] {
        let schedules: Vec<String> =
            crons.iter().map(|cron| format!("{{cron: '{cron}', time_zone: UTC}}")).collect();
        // The chart says where a job runs, which it knows of connections that are its own.
        let values = with_job(&format!("[{}]", schedules.join(", ")), "")
            .replace("connectionsConfigMap: {name: connections}", CONNECTIONS)
            + "metrics: {prometheusRule: {enabled: true}}\n";
        for helm in helms {
            let objects = helm.objects(&Chart::copy(), &values);
            let groups = &kind(&objects, "PrometheusRule")[0]["spec"]["groups"];
            let own = groups.as_array().unwrap().last().unwrap();
            assert_eq!(own["rules"][0]["labels"]["due"], due, "{}: {crons:?}", helm.0);
        }
    }
}

#[test]
fn the_dashboard_arrives_whole() {
    let chart = Chart::copy();
    let Some(objects) = rendered(&chart, "cronjobs-everything-values.yaml") else { return };
    let map = objects.iter().find(|object| objects::name(object) == "ConfigMap/exorun.dashboard").unwrap();
    let [arrived, beside] =
        [map["data"]["exorun.json"].as_str().unwrap(), &read("charts/exorun/files/dashboard.json")]
            .map(|text| serde_json::from_str::<Value>(text).unwrap());
    assert_eq!(arrived, beside);
    assert_eq!(map["metadata"]["labels"]["grafana_dashboard"], "1");
}

/// The label `job` is exorun's own and must arrive; a token and TLS are asked for as the scheduler wants them.
#[test]
fn the_scheduler_is_scraped_with_its_own_labels() {
    let chart = Chart::copy();
    let Some(plain) = rendered(&chart, "scheduler-values.yaml") else { return };
    let endpoint = &kind(&plain, "PodMonitor")[0]["spec"]["podMetricsEndpoints"][0];
    assert_eq!((&endpoint["honorLabels"], &endpoint["scheme"]), (&json!(true), &json!("http")));
    let Some(guarded) = rendered(&chart, "scheduler-existing-values.yaml") else { return };
    let endpoint = &kind(&guarded, "ServiceMonitor")[0]["spec"]["endpoints"][0];
    assert_eq!((&endpoint["honorLabels"], &endpoint["scheme"]), (&json!(true), &json!("https")));
    assert_eq!(endpoint["authorization"]["credentials"], json!({"name": "exorun-admin", "key": "token"}));
    // What they select is the scheduler's pod and its Service, and nothing that a job runs in.
    for (objects, monitor) in [(&plain, "PodMonitor"), (&guarded, "ServiceMonitor")] {
        let wanted = kind(objects, monitor)[0]["spec"]["selector"]["matchLabels"].as_object().unwrap();
        let pod = &kind(objects, "Deployment")[0]["spec"]["template"]["metadata"]["labels"];
        let service = &kind(objects, "Service")[0]["metadata"]["labels"];
        for labels in [pod, service] {
            assert!(wanted.iter().all(|(key, value)| labels[key] == *value), "{monitor}: {labels}");
        }
        assert_eq!(wanted["app.kubernetes.io/component"], "scheduler");
    }
}
