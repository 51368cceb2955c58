//! The documented examples of `Connect-ExchangeOnline` as shipped jobs, each against a tenant of its name in its cloud, by
//! the services' own names: only `connect_to` and `ca_file` are set.

use std::path::PathBuf;
use std::time::Duration;

use exorun::emulator::{DeviceApproval, Options};
use serde_json::Value;

use super::program::{Ended, Tenant, ended, requests, shipped};
use super::{Cloud, job};

/// A tenant in which `user` confirms each device code.
async fn tenant(cloud: Cloud, domain: &str, user: &str, partner: bool) -> Tenant {
    let (_, user_domain) = user.split_once('@').unwrap();
    let options = Options {
        cloud,
        tenant_domain: domain.to_owned(),
        device_user: Some(user.to_owned()),
        device_approval: DeviceApproval::AfterPolls(0),
        device_interval: Duration::from_secs(1),
        mailboxes: 4,
        ..Options::default()
    };
    Tenant::start(match partner {
        true => Options { partner_users: vec![user.to_owned()], ..options },
        false => Options {
            domains: vec![user_domain.to_owned()],
            accounts: vec![user.parse().unwrap()],
            ..options
        },
    })
    .await
}

/// A shipped example in the tenant's folder; its customer's id becomes this tenant's.
fn example(tenant: &Tenant, name: &str) -> PathBuf {
    let text = std::fs::read_to_string(shipped("examples").join(format!("{name}.yaml"))).unwrap();
    let id = tenant.emulator.tenant_id().to_string();
    let path = tenant.path("example.yaml");
    std::fs::write(&path, text.replace("3b0cf5d5-0d9e-4d4e-9d5e-000000000001", &id)).unwrap();
    path
}

async fn run(tenant: &Tenant, job: &std::path::Path, more: &[(&str, &str)]) -> Ended {
    let mut command = tenant.exorun(&["run", job.to_str().unwrap(), "--report", "report.json"]);
    for name in ["LOGIN_ENDPOINT", "EXCHANGE_ENDPOINT", "COMPLIANCE_ENDPOINT"] {
        command.env_remove(format!("EXORUN_{name}"));
    }
    ended(command.envs(more.iter().copied()).spawn().unwrap()).await
}

fn report(tenant: &Tenant) -> Value {
    serde_json::from_str(&std::fs::read_to_string(tenant.path("report.json")).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_cloud_is_signed_in_to_and_asked_by_its_own_names() {
    for (name, cloud, domain, user, exchange) in [
        (
            "worldwide",
            Cloud::Worldwide,
            "contoso.onmicrosoft.com",
            "navin@contoso.com",
            "outlook.office365.com",
        ),
        ("worldwide", Cloud::Gcc, "contoso.onmicrosoft.com", "navin@contoso.com", "outlook.office365.com"),
        (
            "gcc-high",
            Cloud::GccHigh,
            "blueyonderairlines.onmicrosoft.us",
            "laura@blueyonderairlines.us",
            "outlook.office365.us",
        ),
        ("dod", Cloud::Dod, "adatum.onmicrosoft.us", "julia@adatum.mil", "outlook-dod.office365.us"),
    ] {
        let tenant = tenant(cloud, domain, user, false).await;
        run(&tenant, &example(&tenant, name), &[]).await.assert_code(0);
        let report = report(&tenant);
        assert_eq!((&report["actor"], &report["tenant"]), (&user.into(), &domain.into()), "{report}");
        assert_eq!(report["tenant_id"], tenant.emulator.tenant_id().to_string());
        assert_eq!(report["sessions"][0]["endpoint"], format!("https://{exchange}"), "{report}");
        tenant.assert_all_closed();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_closed_cloud_is_refused_with_its_reason_unless_endpoints_are_given() {
    let user = "lukas@fabrikam.de";
    let tenant = tenant(Cloud::Germany, "fabrikam.onmicrosoft.de", user, false).await;
    let job = example(&tenant, "germany");
    let refused = run(&tenant, &job, &[]).await;
    refused.assert_code(64);
    assert!(refused.stdout.contains("closed on 2021-10-29"), "{}", refused.stdout);
    assert_eq!(tenant.emulator.counters().requests, 0);
    let given = [
        ("EXORUN_LOGIN_ENDPOINT", "https://login.microsoftonline.de/organizations"),
        ("EXORUN_EXCHANGE_ENDPOINT", "https://outlook.office.de/PowerShell-LiveID"),
        ("EXORUN_EXCHANGE_SCOPE", "https://outlook.office.de/.default"),
    ];
    run(&tenant, &job, &given).await.assert_code(0);
    let report = report(&tenant);
    assert_eq!(
        (&report["actor"], &report["environment"]),
        (&user.into(), &"O365GermanyCloud".into()),
        "{report}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partners_user_works_for_the_customer_by_domain_and_by_id() {
    let user = "navin@contoso.com";
    for name in ["partner-by-domain", "partner-by-id"] {
        let customer = tenant(Cloud::Worldwide, "adatum.onmicrosoft.com", user, true).await;
        run(&customer, &example(&customer, name), &[]).await.assert_code(0);
        let (report, id) = (report(&customer), customer.emulator.tenant_id().to_string());
        assert_eq!((&report["actor"], &report["tenant_id"]), (&user.into(), &id.clone().into()), "{report}");
        let requests = customer.emulator.requests();
        let call =
            requests.as_array().unwrap().iter().find(|call| call["what"] == "Get-AcceptedDomain").unwrap();
        let anchor = format!("UPN:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{id}");
        assert_eq!(call["headers"]["x-anchormailbox"], anchor, "{call}");
        assert!(call["target"].as_str().unwrap().contains(&id), "{call}");
        customer.assert_all_closed();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_a_relationship_is_refused_with_what_to_do() {
    let user = "navin@contoso.com";
    let options = Options {
        tenant_domain: "adatum.onmicrosoft.com".to_owned(),
        device_user: Some(user.to_owned()),
        device_approval: DeviceApproval::AfterPolls(0),
        device_interval: Duration::from_secs(1),
        ..Options::default()
    };
    let customer = Tenant::start(options).await;
    let refused = run(&customer, &example(&customer, "partner-by-domain"), &[]).await;
    refused.assert_code(77);
    assert!(refused.stdout.contains("AADSTS50020"), "{}", refused.stdout);
    assert_eq!(customer.emulator.counters().sessions.opened, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inline_credential_without_a_terminal_asks_nobody() {
    let tenant = tenant(Cloud::Worldwide, "contoso.onmicrosoft.com", "navin@contoso.com", false).await;
    let refused = run(&tenant, &example(&tenant, "inline-credential"), &[]).await;
    refused.assert_code(77);
    assert!(refused.stdout.contains("terminal"), "{}", refused.stdout);
    assert_eq!(requests(&tenant.emulator.counters(), "token"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn security_and_compliance_follows_its_own_clouds_region() {
    for (cloud, environment) in
        [(Cloud::GccHigh, "O365USGovGCCHigh"), (Cloud::Dod, "O365USGovDoD"), (Cloud::China, "O365China")]
    {
        let tenant = super::tenant(cloud, "contoso.onmicrosoft.com").await;
        let target = format!(
            "tenant: contoso.onmicrosoft.com\nenvironment: {environment}\nservice: SecurityCompliance"
        );
        let path = job(&tenant, &target);
        let text =
            std::fs::read_to_string(&path).unwrap().replace("Get-AcceptedDomain", "Get-ProtectionAlert");
        std::fs::write(&path, text).unwrap();
        run(&tenant, &path, &[]).await.assert_code(0);
        assert_eq!(report(&tenant)["environment"], environment);
        tenant.assert_all_closed();
    }
}
