//! The pipelines of deploy/, run as far as that goes without their hosts: their schemas, and their scripts with the real
//! program against the emulator.
#![allow(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
#![allow(clippy::disallowed_methods, reason = "tests wait for real processes")]

#[path = "../support/components.rs"]
mod components;
#[path = "../chart/objects.rs"]
#[allow(dead_code, reason = "only its reader of YAML is used here")]
mod objects;
#[path = "../support/program.rs"]
mod program;

use std::os::unix::fs::symlink;
use std::path::Path;

use exorun::emulator::Options;
use program::{Ended, Tenant, ended, shipped};
use serde_json::Value;

const GITHUB: &str = "deploy/github-actions/exorun.yaml";
const GITLAB: &str = "deploy/gitlab-ci/.gitlab-ci.yml";
const JOB: &str = "shared-mailbox-hardening.yaml";

fn read(path: &str) -> Value {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    objects::of(&text).remove(0)
}

/// The commands of a step of the workflow.
fn github(job: &str, step: &str) -> String {
    let workflow = read(GITHUB);
    let steps = workflow["jobs"][job]["steps"].as_array().unwrap();
    let step = steps.iter().find(|found| found["name"] == step).unwrap();
    step["run"].as_str().unwrap().to_owned()
}

/// The commands of a job of the pipeline; a runner gives them to one shell, line by line.
fn gitlab(job: &str) -> String {
    let lines = read(GITLAB)[job]["script"].as_array().unwrap().clone();
    lines.iter().map(|line| line.as_str().unwrap().to_owned() + "\n").collect()
}

/// A checkout with one job, and `exorun` in PATH.
async fn checkout() -> Tenant {
    let tenant = Tenant::start(Options { mailboxes: 20, ..Options::default() }).await;
    std::fs::create_dir(tenant.path("jobs")).unwrap();
    std::fs::create_dir(tenant.path("bin")).unwrap();
    std::fs::copy(shipped(JOB), tenant.path("jobs").join(JOB)).unwrap();
    symlink(env!("CARGO_BIN_EXE_exorun"), tenant.path("bin").join("exorun")).unwrap();
    tenant
}

/// As both hosts run a script: a shell that ends at the first failure.
async fn run(tenant: &Tenant, script: &str) -> Ended {
    let script = format!("PATH=\"{}:$PATH\"\nset -eo pipefail\n{script}", tenant.path("bin").display());
    std::fs::write(tenant.path("script.sh"), script).unwrap();
    // What follows the script's own line is the program's environment.
    let mut command = tenant.by_shell("exec bash script.sh", &[]);
    ended(command.spawn().unwrap()).await
}

fn break_the_job(tenant: &Tenant) {
    let path = tenant.path("jobs").join(JOB);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, text.replace("Get-EXOMailbox", "Get-EXOMailbxo")).unwrap();
}

#[test]
fn the_pipelines_have_their_hosts_schema() {
    let python = std::env::var("EXORUN_TEST_PYTHON").unwrap_or_default();
    let tool = Path::new(&python).with_file_name("check-jsonschema");
    if !tool.is_file() {
        return components::skip(
            "the_pipelines_have_their_hosts_schema",
            "check-jsonschema is not installed",
        );
    }
    for (schema, file) in [("vendor.github-workflows", GITHUB), ("vendor.gitlab-ci", GITLAB)] {
        let output =
            std::process::Command::new(&tool).args(["--builtin-schema", schema, file]).output().unwrap();
        assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn github_actions_checks_plans_and_runs() {
    if !components::has("kubernetes-validate", "github_actions_checks_plans_and_runs") {
        return;
    }
    let tenant = checkout().await;
    run(&tenant, &github("check", "Check")).await.assert_code(0);
    run(&tenant, &github("apply", "Dry run")).await.assert_code(0);
    assert_eq!(tenant.emulator.counters().changed_objects, 0, "a dry run changes nothing");
    run(&tenant, &github("apply", "Run")).await.assert_code(0);
    assert!(tenant.emulator.counters().changed_objects > 0);
    assert!(tenant.path("reports/shared-mailbox-hardening.json").is_file());
    tenant.assert_all_closed();

    break_the_job(&tenant);
    let broken = run(&tenant, &github("check", "Check")).await;
    broken.assert_code(64);
    assert!(
        broken.stdout.contains("::error file=jobs/shared-mailbox-hardening.yaml,line="),
        "{}",
        broken.stdout
    );
    run(&tenant, &github("apply", "Dry run")).await.assert_code(1);
    run(&tenant, &github("apply", "Run")).await.assert_code(64);
}

#[tokio::test(flavor = "multi_thread")]
async fn gitlab_checks_with_a_report_and_runs() {
    let test = "gitlab_checks_with_a_report_and_runs";
    if !components::has("kubernetes-validate", test) || !components::has("jq", test) {
        return;
    }
    let tenant = checkout().await;
    let report = || -> Value {
        let text = std::fs::read_to_string(tenant.path("gl-code-quality-report.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    run(&tenant, &gitlab("check")).await.assert_code(0);
    assert_eq!(report(), Value::Array(vec![]));
    run(&tenant, &gitlab("apply")).await.assert_code(0);
    assert!(tenant.emulator.counters().changed_objects > 0);
    tenant.assert_all_closed();

    break_the_job(&tenant);
    run(&tenant, &gitlab("check")).await.assert_code(64);
    let finding = report()[0].clone();
    assert_eq!(finding["location"]["path"], "jobs/shared-mailbox-hardening.yaml");
    assert!(finding["location"]["lines"]["begin"].as_u64().unwrap() > 1, "{finding}");
    assert!(finding["description"].as_str().unwrap().contains("Get-EXOMailbox"), "{finding}");
    assert_eq!(finding["severity"], "blocker");
    run(&tenant, &gitlab("apply")).await.assert_code(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hook_refuses_a_broken_job() {
    if !components::has("kubernetes-validate", "the_hook_refuses_a_broken_job") {
        return;
    }
    let hook = read(".pre-commit-hooks.yaml")[0].clone();
    assert_eq!(hook["id"], "exorun-check");
    // The framework appends the names of the files that are committed.
    let command = format!("{} jobs/{JOB}", hook["entry"].as_str().unwrap());
    let tenant = checkout().await;
    run(&tenant, &command).await.assert_code(0);
    break_the_job(&tenant);
    run(&tenant, &command).await.assert_code(64);
}
