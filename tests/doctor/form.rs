//! The JSON form.

use exorun::emulator::Options;
use serde_json::Value;

use super::{APPLICATION, climbed, tenant};

#[tokio::test(flavor = "multi_thread")]
async fn json_is_one_object_of_the_documented_shape() {
    let tenant = tenant(Options::default()).await;
    let climb =
        climbed(&tenant, APPLICATION, &["--format", "json"], &[("EXORUN_CLIENT_SECRET", "wrong")]).await;
    climb.assert_code(77);
    let report: Value = serde_json::from_str(&climb.stdout).unwrap();
    insta::assert_json_snapshot!("json", report, {
        ".began_at" => "TIME", ".source" => "PATH", ".program" => "exorun/VERSION",
        ".rungs[].ids.correlation_id" => "GUID", ".rungs[].ids.trace_id" => "GUID", ".rungs[].millis" => 0, ".rungs[].seen" => "TEXT",
    });
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/doctor.md")).unwrap();
    for member in report.as_object().unwrap().keys() {
        assert!(page.contains(&format!("| `{member}` |")), "docs/doctor.md has no row for `{member}`");
    }
    for rung in report["rungs"].as_array().unwrap() {
        let name = rung["name"].as_str().unwrap();
        assert!(page.contains(&format!("| `{name}` |")), "docs/doctor.md has no row for the rung `{name}`");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_with_mistakes_is_told_as_check_tells_it() {
    let tenant = tenant(Options::default()).await;
    let climb = climbed(&tenant, &APPLICATION.replace("Get-EXOMailbox", "Get-Mailboxx"), &[], &[]).await;
    climb.assert_code(64);
    assert!(climb.stderr.contains("Get-Mailboxx"), "{}", climb.stderr);
    assert_eq!(climb.stdout, "");
}
