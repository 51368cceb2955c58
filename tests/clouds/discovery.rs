//! The tenant's own discovery document, before anybody signs in.

use super::program::{ended, requests};
use super::{Cloud, job, tenant};

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_names_the_wrong_cloud_ends_before_sign_in_and_names_the_right_one() {
    for (cloud, written, right) in [
        (Cloud::GccHigh, "O365Default", "O365USGovGCCHigh"),
        (Cloud::Dod, "O365Default", "O365USGovDoD"),
        (Cloud::Dod, "O365USGovGCCHigh", "O365USGovDoD"),
        (Cloud::Worldwide, "O365USGovGCCHigh", "O365Default"),
        (Cloud::Gcc, "O365USGovDoD", "O365Default"),
    ] {
        let tenant = tenant(cloud, "contoso.onmicrosoft.com").await;
        let job = job(&tenant, &format!("tenant: contoso.onmicrosoft.com\nenvironment: {written}"));
        let run = tenant.run(&job, &[]).await;
        run.assert_code(64);
        let words = format!("contoso.onmicrosoft.com lives in {right}, not in {written}");
        assert!(run.stdout.contains(&words), "{}", run.stdout);
        let counters = tenant.emulator.counters();
        assert_eq!(requests(&counters, "openid-configuration"), 1);
        assert_eq!(requests(&counters, "token"), 0, "no credential leaves for the wrong cloud");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_the_right_cloud_runs_and_asks_once() {
    for (cloud, written) in [
        (Cloud::Worldwide, "O365Default"),
        (Cloud::Gcc, "O365Default"),
        (Cloud::GccHigh, "O365USGovGCCHigh"),
        (Cloud::Dod, "O365USGovDoD"),
        (Cloud::China, "O365China"),
    ] {
        let tenant = tenant(cloud, "contoso.onmicrosoft.com").await;
        let job = job(&tenant, &format!("tenant: contoso.onmicrosoft.com\nenvironment: {written}"));
        tenant.run(&job, &[]).await.assert_code(0);
        assert_eq!(requests(&tenant.emulator.counters(), "openid-configuration"), 1);
        tenant.assert_all_closed();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_tenant_is_said_before_anybody_signs_in() {
    let tenant = tenant(Cloud::Worldwide, "contoso.onmicrosoft.com").await;
    let run = tenant.run(&job(&tenant, "tenant: contozo.onmicrosoft.com"), &[]).await;
    run.assert_code(77);
    assert!(run.stdout.contains("AADSTS90002"), "{}", run.stdout);
    assert!(run.stdout.contains("check `tenant` and `environment`"), "{}", run.stdout);
    assert_eq!(requests(&tenant.emulator.counters(), "token"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn discovery_that_is_off_asks_nothing() {
    let tenant = tenant(Cloud::GccHigh, "contoso.onmicrosoft.com").await;
    let job = job(&tenant, "tenant: contoso.onmicrosoft.com");
    let mut command = tenant.exorun(&["run", job.to_str().unwrap()]);
    let run = ended(command.env("EXORUN_DISCOVERY", "off").spawn().unwrap()).await;
    run.assert_code(0);
    assert_eq!(requests(&tenant.emulator.counters(), "openid-configuration"), 0);
}
