//! Clouds of the endpoints file.

use super::program::{Ended, Tenant, ended, requests};
use super::{Cloud, job, tenant};

const FILE: &str = "lab.login: https://login.microsoftonline.de/organizations\n\
                    lab.exchange: https://outlook.office.de/PowerShell-LiveID\n";

/// A run of a job that names `environment`, with this endpoints file.
async fn run(tenant: &Tenant, environment: &str, file: Option<&str>, more: &str) -> Ended {
    let job = job(tenant, &format!("tenant: contoso.onmicrosoft.com\nenvironment: {environment}{more}"));
    if more.contains("SecurityCompliance") {
        let text = std::fs::read_to_string(&job).unwrap();
        std::fs::write(&job, text.replace("Get-AcceptedDomain", "Get-ProtectionAlert")).unwrap();
    }
    let mut command = tenant.exorun(&["run", job.to_str().unwrap()]);
    for name in ["LOGIN_ENDPOINT", "EXCHANGE_ENDPOINT", "COMPLIANCE_ENDPOINT"] {
        command.env_remove(format!("EXORUN_{name}"));
    }
    if let Some(text) = file {
        std::fs::write(tenant.path("clouds.yaml"), text).unwrap();
        command.env("EXORUN_ENDPOINTS_FILE", tenant.path("clouds.yaml"));
    }
    ended(command.spawn().unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_names_a_cloud_of_the_file() {
    let tenant = tenant(Cloud::Germany, "contoso.onmicrosoft.com").await;
    run(&tenant, "lab", Some(FILE), "").await.assert_code(0);
    assert_eq!(requests(&tenant.emulator.counters(), "Get-AcceptedDomain"), 1);
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_is_nowhere_is_told_before_anything_connects() {
    let tenant = tenant(Cloud::Germany, "contoso.onmicrosoft.com").await;
    for (environment, file, more, words) in [
        ("lab", None, "", "the setting `endpoints_file` names no file of other clouds"),
        ("other", Some(FILE), "", "which has lab"),
        ("lab", Some(FILE), "\nservice: SecurityCompliance", "`lab.compliance`"),
        (
            "lab",
            Some("lab.login: http://login.example\nlab.exchange: https://x.example\n"),
            "",
            "clouds.yaml:1:12",
        ),
        (
            "lab",
            Some(
                "lab.login: https://login.microsoftonline.com.evil.example\nlab.exchange: https://x.example\n",
            ),
            "",
            "looks like a host of Microsoft's",
        ),
        ("o365default", None, "", "did you mean `O365Default`?"),
        ("O365Moon", None, "", "`environment` cannot be"),
    ] {
        let refused = run(&tenant, environment, file, more).await;
        refused.assert_code(64);
        let said = format!("{}{}", refused.stdout, refused.stderr);
        assert!(said.contains(words), "{environment}: {said}");
    }
    assert_eq!(tenant.emulator.counters().requests, 0);
}
