//! `--bundle`: one private file, in which nobody is named and nothing opens anything.

use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;

use exorun::emulator::Options;

use super::program::CLIENT_SECRET;
use super::{APPLICATION, climbed, tenant};

/// The files of a bundle.
fn files(path: &std::path::Path) -> BTreeMap<String, String> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()));
    archive
        .entries()
        .unwrap()
        .map(|entry| {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            (name, text)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_names_nobody_and_holds_no_secret() {
    let tenant = tenant(Options::default()).await;
    // Canaries of every kind, each where somebody would really write it.
    let job = APPLICATION
        .replace(
            "name: hardening",
            "name: canary-job-name\ndescription: by Canary Anna\nlabels:\n  owner: canary-label",
        )
        .replace("      ResultSize: 3", "      ResultSize: 3\n      Anr: Canary Anna\n      # canary-comment")
        .replace("PopEnabled: false", "PopEnabled: false\n      ActiveSyncMailboxPolicy: canary-policy");
    for (secret, code) in [(CLIENT_SECRET, 0), ("canary-wrong-secret", 77)] {
        let bundle = tenant.path(&format!("case-{code}.tar.gz"));
        let variables = [("EXORUN_LOG_LEVEL", "trace"), ("EXORUN_CLIENT_SECRET", secret)];
        let climb = climbed(&tenant, &job, &["--bundle", bundle.to_str().unwrap()], &variables).await;
        climb.assert_code(code);
        assert_eq!(std::fs::metadata(&bundle).unwrap().permissions().mode() & 0o777, 0o600);
        let files = files(&bundle);
        let names: Vec<&str> = files.keys().map(String::as_str).collect();
        let expected = ["README.txt", "doctor.json", "job.yaml", "log.txt", "settings.txt"];
        assert_eq!(names, expected.map(|name| format!("exorun-doctor/{name}")));
        let folder = tenant.folder.path().file_name().unwrap().to_str().unwrap();
        let tenant_id = tenant.emulator.tenant_id().to_string();
        for (name, text) in &files {
            assert!(!text.trim().is_empty(), "{name} is empty");
            let canaries = [
                "canary",
                "Canary",
                "contoso",
                "11111111-2222",
                secret,
                tenant_id.as_str(),
                folder,
                "eyJ",
                "Bearer",
            ];
            for canary in canaries {
                assert!(!text.contains(canary), "{canary} is in {name}:\n{text}");
            }
        }
        let found: serde_json::Value = serde_json::from_str(&files["exorun-doctor/doctor.json"]).unwrap();
        assert_eq!(found["exit_code"], code);
        assert!(files["exorun-doctor/job.yaml"].contains("cmdlet: \"Get-EXOMailbox\""));
        assert!(files["exorun-doctor/settings.txt"].contains("retry_attempts: "));
        // Ids that Microsoft's support asks for are what they were.
        if code == 0 {
            let read = found["rungs"].as_array().unwrap().iter().find(|rung| rung["name"] == "read").unwrap();
            let id = read["ids"]["request_id"].as_str().unwrap();
            let requests = tenant.emulator.requests().to_string();
            assert!(
                uuid::Uuid::try_parse(id).is_ok() && !id.starts_with("00000000-0000-4"),
                "{id}\n{requests}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_stays_and_nothing_is_climbed_then() {
    let tenant = tenant(Options::default()).await;
    let bundle = tenant.path("case.tar.gz");
    std::fs::write(&bundle, "mine").unwrap();
    let climb = climbed(&tenant, APPLICATION, &["--bundle", bundle.to_str().unwrap()], &[]).await;
    climb.assert_code(64);
    assert!(climb.stderr.contains("name another file"), "{}", climb.stderr);
    assert_eq!(std::fs::read_to_string(&bundle).unwrap(), "mine");
    assert_eq!(tenant.emulator.counters().requests, 0);
}
