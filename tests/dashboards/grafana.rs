//! `dashboard.json`, read and written by Grafana's own models.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::components;

/// The dashboard, as the chart and Grafana read it.
const DASHBOARD: &str = include_str!("../../charts/exorun/files/dashboard.json");

/// The dashboard's parts.
pub(crate) fn dashboard() -> Value {
    serde_json::from_str(DASHBOARD).unwrap()
}

/// Title of the panel and query, of each query.
pub(crate) fn queries() -> Vec<(String, String)> {
    let dashboard = dashboard();
    let mut queries = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            queries.push((text(&panel["title"]), text(&target["expr"])));
        }
    }
    queries
}

/// Reads and writes a dashboard, and says what differs then.
fn lost(dashboard: &Value) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), dashboard.to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dashboards/roundtrip.py");
    let python = std::env::var_os("EXORUN_TEST_PYTHON").unwrap();
    let output = Command::new(python).arg(script).arg(file.path()).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.is_empty(), "{errors}");
    let differences = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.success(), differences.is_empty());
    differences
}

#[test]
fn grafanas_models_lose_nothing_of_the_dashboard() {
    let test = "grafanas_models_lose_nothing_of_the_dashboard";
    let there = std::env::var_os("EXORUN_TEST_PYTHON").is_some_and(|python| {
        let import = Command::new(python).args(["-c", "import grafana_foundation_sdk"]).output();
        import.is_ok_and(|output| output.status.success())
    });
    if !there {
        components::skip(test, "`grafana-foundation-sdk` is not installed");
        return;
    }
    assert_eq!(lost(&dashboard()), "");
    // What the models do not know does not come back.
    let mut broken = dashboard();
    broken["panels"][1]["titel"] = json!("Success");
    broken["panels"][2]["targets"][0]["expression"] = json!("up");
    broken["panels"][3]["targets"][0]["datasource"]["type"] = json!("loki");
    broken["templating"]["list"][0]["querry"] = json!("prometheus");
    for place in
        ["/panels/1/titel: lost", "/panels/2/targets/0/expression: lost", "/templating/list/0/querry: lost"]
    {
        assert!(lost(&broken).contains(place), "{place}:\n{}", lost(&broken));
    }
}

#[test]
fn the_dashboard_asks_for_one_peer_by_its_variables_and_fits_its_grid() {
    let dashboard = dashboard();
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let names: Vec<&str> = variables.iter().map(|variable| variable["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["datasource", "emulated", "job"]);
    assert_eq!(variables[1]["current"]["value"], "false", "an emulator's runs are shown on demand only");
    for (panel, query) in queries() {
        let selectors = query.matches('{').count();
        assert!(selectors > 0, "{panel}: `{query}` has no selector");
        assert_eq!(query.matches("emulated=\"$emulated\"").count(), selectors, "{panel}: {query}");
    }
    let panels = dashboard["panels"].as_array().unwrap();
    let mut ids: Vec<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    ids.dedup();
    assert_eq!(ids.len(), panels.len());
    let mut taken = std::collections::BTreeSet::new();
    for panel in panels {
        let at = |side: &str| panel["gridPos"][side].as_u64().unwrap();
        assert!(at("x") + at("w") <= 24, "{}", panel["title"]);
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(taken.insert((x, y)), "{} lies over another panel", panel["title"]);
            }
        }
    }
}
