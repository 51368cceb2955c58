//! `rules.yaml`: Prometheus accepts it, every alert fires and does not fire in a case of its own, and leads to a page.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::components;

/// The rules, as the chart and every Prometheus read them.
const RULES: &str = include_str!("../../charts/exorun/files/rules.yaml");

fn package(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Every file of cases, and what it says.
fn cases() -> Vec<(PathBuf, String)> {
    let files = std::fs::read_dir(package("tests/dashboards/rules")).unwrap();
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| (file.clone(), std::fs::read_to_string(file).unwrap())).collect()
}

/// What follows `- alert: `, with the lines up to the next one.
fn alerts() -> Vec<(&'static str, &'static str)> {
    let alerts: Vec<_> =
        RULES.split("- alert: ").skip(1).map(|text| text.split_once('\n').unwrap()).collect();
    assert!(alerts.len() >= 10, "{alerts:?}");
    alerts
}

/// Whether promtool accepts, and all it said.
fn promtool(arguments: &[&str], file: &Path) -> (bool, String) {
    let output = Command::new("promtool").args(arguments).arg(file).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn promtool_accepts_the_rules() {
    if !components::has("promtool", "promtool_accepts_the_rules") {
        return;
    }
    let check = ["check", "rules", "--lint=all", "--lint-fatal"];
    let (accepted, said) = promtool(&check, &package("charts/exorun/files/rules.yaml"));
    assert!(accepted, "{said}");
    // The judge does refuse.
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("rules.yaml");
    std::fs::write(&broken, RULES.replacen("max by (job", "max by job", 1)).unwrap();
    let (accepted, said) = promtool(&check, &broken);
    assert!(!accepted && said.contains("parse error"), "{said}");
}

#[test]
fn each_alert_fires_and_does_not_fire() {
    if !components::has("promtool", "each_alert_fires_and_does_not_fire") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().join("rules.yaml");
    let with = |case: &str, rules: &str| {
        let case = case.replace("../../../charts/exorun/files/rules.yaml", "rules.yaml");
        let file = folder.path().join("case.yaml");
        std::fs::write(&file, case).unwrap();
        std::fs::write(&here, rules).unwrap();
        promtool(&["test", "rules"], &file)
    };
    let cases = cases();
    for (file, case) in &cases {
        let (passed, said) = with(case, RULES);
        assert!(passed, "{}:\n{said}", file.display());
    }
    for (alert, text) in alerts() {
        let (file, case) = cases
            .iter()
            .find(|(_, case)| case.contains(&format!("alertname: {alert}\n")))
            .unwrap_or_else(|| panic!("no case in which {alert} fires"));
        assert!(
            case.contains(&format!("alertname: {alert}, exp_alerts: [] }}")),
            "no case in {} in which {alert} does not fire",
            file.display()
        );
        // The case notices an alert that never fires, and one without its condition on who answered.
        let never = text.replacen("emulated=\"false\"", "emulated=\"neither\"", 9);
        let always = text.replacen("emulated=\"false\"", "emulated=~\".+\"", 9);
        for broken in [never, always] {
            assert_ne!(broken, text, "{alert} does not say who must have answered");
            let (passed, _) = with(case, &RULES.replace(text, &broken));
            assert!(!passed, "{} does not notice:\n{broken}", file.display());
        }
    }
}

#[test]
fn each_alert_says_what_to_do_and_leads_to_its_heading() {
    let page = std::fs::read_to_string(package("docs/alerts.md")).unwrap();
    let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## Exorun")).collect();
    let names: Vec<&str> = alerts().iter().map(|(alert, _)| alert.strip_prefix("Exorun").unwrap()).collect();
    assert_eq!(headings, names, "docs/alerts.md has a heading for each alert, in their order");
    for (alert, text) in alerts() {
        let severity = ["severity: warning\n", "severity: critical\n"].iter().any(|line| text.contains(line));
        let annotations = ["summary: \"", "description: >-\n"].iter().all(|line| text.contains(line));
        assert!(severity && annotations, "{alert}:\n{text}");
        let runbook = format!("runbook: docs/alerts.md#{}\n", alert.to_lowercase());
        assert!(text.contains(&runbook), "{alert} has no `{runbook}`");
        // Each heading has a first command.
        let section = page.split(&format!("\n## {alert}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
        assert!(section.contains("First command:\n\n```text\n"), "{alert}:\n{section}");
    }
}
