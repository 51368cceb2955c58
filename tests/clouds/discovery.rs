//! The tenant's own discovery document, before anybody signs in.

use super::program::{Ended, Tenant, ended, requests};
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

/// A run against emulators that are the clouds' sign-in services each, and the job's tenant is known in one of them.
struct Clouds {
    own: Tenant,
    other: Tenant,
    /// What answers for the clouds that nobody plays.
    hanging: std::net::TcpListener,
}

impl Clouds {
    /// The tenant lives in `own`; `other` is the cloud that jobs name wrongly.
    async fn start(own: Cloud, other: Cloud) -> Clouds {
        let hanging = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (own, other) =
            (tenant(own, "contoso.onmicrosoft.com").await, tenant(other, "fabrikam.onmicrosoft.com").await);
        Clouds { own, other, hanging }
    }

    /// Runs a job of `target` that signs in where the names of the clouds lead.
    async fn run(&self, target: &str) -> Ended {
        let authorities = [&self.own, &self.other].map(|tenant| tenant.emulator.ca_pem().to_owned());
        std::fs::write(self.own.path("cas.pem"), authorities.concat()).unwrap();
        let mut ways: Vec<(String, std::net::SocketAddr)> = Vec::new();
        for tenant in [&self.own, &self.other] {
            ways.extend(tenant.emulator.real_names());
        }
        for login in
            ["login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"]
        {
            if !ways.iter().any(|(name, _)| name == login) {
                ways.push((login.to_owned(), self.hanging.local_addr().unwrap()));
            }
        }
        let ways: Vec<String> =
            ways.iter().map(|(name, to)| format!("{name}:443:{}:{}", to.ip(), to.port())).collect();
        let job = job(&self.own, target);
        let mut command = self.own.exorun(&["run", job.to_str().unwrap()]);
        for name in ["LOGIN_ENDPOINT", "EXCHANGE_ENDPOINT", "COMPLIANCE_ENDPOINT"] {
            command.env_remove(format!("EXORUN_{name}"));
        }
        command.env("EXORUN_CONNECT_TO", ways.join(",")).env("EXORUN_CA_FILE", self.own.path("cas.pem"));
        ended(command.spawn().unwrap()).await
    }

    fn asked(&self, what: &str) -> (u64, u64) {
        let [own, other] = [&self.own, &self.other].map(|tenant| tenant.emulator.counters());
        (requests(&own, what), requests(&other, what))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_does_not_know_the_tenant_is_told_which_one_does() {
    for (own, wrong, written, right) in [
        (Cloud::Worldwide, Cloud::China, "O365China", "O365Default"),
        (Cloud::Gcc, Cloud::China, "O365China", "O365Default"),
        (Cloud::GccHigh, Cloud::China, "O365China", "O365USGovGCCHigh"),
        (Cloud::Dod, Cloud::China, "O365China", "O365USGovDoD"),
        (Cloud::China, Cloud::Worldwide, "O365Default", "O365China"),
        (Cloud::China, Cloud::GccHigh, "O365USGovDoD", "O365China"),
        (Cloud::Worldwide, Cloud::GccHigh, "O365USGovGCCHigh", "O365Default"),
    ] {
        let clouds = Clouds::start(own, wrong).await;
        let run = clouds.run(&format!("tenant: contoso.onmicrosoft.com\nenvironment: {written}")).await;
        run.assert_code(64);
        let words = format!(
            "contoso.onmicrosoft.com lives in {right}, and {written} does not know it: write `environment: {right}`"
        );
        assert!(run.stdout.contains(&words), "{words}\n{}", run.stdout);
        assert_eq!(clouds.asked("openid-configuration"), (1, 1), "each is asked once");
        assert_eq!(clouds.asked("token"), (0, 0), "no credential leaves");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_no_cloud_knows_is_said_to_be_unknown() {
    let clouds = Clouds::start(Cloud::Worldwide, Cloud::China).await;
    let run = clouds.run("tenant: contozo.onmicrosoft.com\nenvironment: O365China").await;
    run.assert_code(77);
    assert!(run.stdout.contains("AADSTS90002"), "{}", run.stdout);
    assert_eq!((clouds.asked("openid-configuration"), clouds.asked("token")), ((1, 1), (0, 0)));
}
