//! The three services through the real program and its own emulator, by the real names of their hosts.

use serde_json::Value;

use super::program::{Ended, Tenant, ended, shipped};

/// Runs a job file with an emulator of its own, whose addresses win over the tenant's, and reads its report.
async fn emulated(tenant: &Tenant, job: &str, flags: &[&str]) -> (Ended, Value) {
    let report = tenant.path("report.json");
    let mut arguments = vec!["run", job, "--emulate", "--report", report.to_str().unwrap()];
    arguments.extend_from_slice(flags);
    let mut command = tenant.exorun(&arguments);
    let run = ended(command.spawn().unwrap()).await;
    let report = std::fs::read(report).map(|bytes| serde_json::from_slice(&bytes).unwrap());
    (run, report.unwrap_or_default())
}

fn endpoints(report: &Value) -> Vec<&str> {
    let sessions = report["sessions"].as_array().unwrap();
    assert!(sessions.iter().all(|session| session["closed"] == "cleanly"), "{report}");
    sessions.iter().map(|session| session["endpoint"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compliance_job_runs_in_the_region_that_the_global_host_names() {
    let tenant = Tenant::with(1, &[]).await;
    for (region, flags) in [("nam12b", vec![]), ("eur02b", vec!["--compliance-region", "eur02b"])] {
        let job = shipped("alert-policies-on.yaml");
        let (run, report) = emulated(&tenant, job.to_str().unwrap(), &flags).await;
        run.assert_code(0);
        let expected = format!("https://{region}.ps.compliance.protection.outlook.com");
        assert_eq!(endpoints(&report), [expected.as_str()]);
        assert_eq!(report["sessions"][0]["service"], "SecurityCompliance");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_compliance_job_ensures_is_written_once() {
    let tenant = Tenant::with(1, &[]).await;
    let job = std::fs::read_to_string(shipped("alert-policies-on.yaml")).unwrap();
    let made = "steps:\n  - name: made\n    cmdlet: New-ProtectionAlert\n    parameters:\n      Name: off at noon\n      \
                Category: ThreatManagement\n      ThreatType: Activity\n      NotifyUser:\n        - someone@contoso.com\n      Disabled: true\n";
    let path = tenant.path("alerts.yaml");
    std::fs::write(&path, job.replace("steps:\n", made)).unwrap();
    let (run, report) = emulated(&tenant, path.to_str().unwrap(), &[]).await;
    run.assert_code(0);
    let step = &report["steps"][2];
    assert_eq!((&step["changed"], &step["failed"]), (&1.into(), &0.into()), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_front_door_sends_an_exchange_job_to_its_region() {
    let tenant = Tenant::with(1, &[]).await;
    let job = shipped("shared-mailbox-hardening.yaml");
    let (run, report) = emulated(&tenant, job.to_str().unwrap(), &["--front-door", "eurprd04"]).await;
    run.assert_code(0);
    assert!(endpoints(&report).iter().all(|at| *at == "https://eurprd04.outlook.office365.com"), "{report}");
    assert!(report["steps"][1]["changed"].as_u64().unwrap() > 0, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_for_standalone_protection_runs_where_nothing_else_is() {
    let tenant = Tenant::with(1, &[]).await;
    let job = shipped("outbound-spam-baseline.yaml");
    let (run, report) = emulated(&tenant, job.to_str().unwrap(), &["--plan", "eop"]).await;
    run.assert_code(0);
    assert!(report["steps"][0]["changes"].as_u64().unwrap() > 0, "{report}");
    let hardening = shipped("shared-mailbox-hardening.yaml");
    let (run, _) = emulated(&tenant, hardening.to_str().unwrap(), &["--plan", "eop"]).await;
    run.assert_code(1);
    assert!(run.stderr.contains("forbidden"), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_speaks_the_version_of_http_that_it_is_told() {
    for (version, expected) in [("auto", "HTTP/2.0"), ("1.1", "HTTP/1.1")] {
        let tenant = Tenant::with(10, &[]).await;
        let job = shipped("shared-mailbox-hardening.yaml");
        tenant.run(&job, &["--http-version", version]).await.assert_code(0);
        let requests = tenant.emulator.requests();
        let spoken: std::collections::BTreeSet<&str> = requests
            .as_array()
            .unwrap()
            .iter()
            .filter(|request| request["batch"].is_null())
            .map(|request| request["protocol"].as_str().unwrap())
            .collect();
        assert_eq!(spoken.into_iter().collect::<Vec<_>>(), [expected]);
        tenant.assert_all_closed();
    }
}
