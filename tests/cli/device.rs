//! `method: device`: a person confirms a code.

use std::time::Duration;

use exorun::emulator::{DeviceApproval, Options};

use super::program::{Ended, Tenant, ended, requests};
use super::some_mailboxes;

const HEAD: &str = "\
version: 1
name: by-a-person
tenant: contoso.onmicrosoft.com
auth:
  method: device
";

async fn tenant(device_approval: DeviceApproval) -> Tenant {
    let device_interval = Duration::from_secs(1);
    Tenant::start(Options { mailboxes: 5, device_approval, device_interval, ..Options::default() }).await
}

async fn run(tenant: &Tenant, more: &str, flags: &[&str]) -> Ended {
    let text = format!("{HEAD}{more}steps:\n{}", some_mailboxes(3));
    std::fs::write(tenant.path("device.yaml"), text).unwrap();
    tenant.run(&tenant.path("device.yaml"), flags).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_a_person_confirms_signs_in_as_that_person() {
    let tenant = tenant(DeviceApproval::AfterPolls(1)).await;
    let run = run(&tenant, "", &["--report", "report.json"]).await;
    run.assert_code(0);
    let asked = run.stderr.lines().find(|line| line.contains("to sign in, open https://")).unwrap();
    assert!(asked.contains("and enter the code "), "{asked}");
    let report = std::fs::read_to_string(tenant.path("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let person = report["actor"].as_str().unwrap();
    assert!(person.contains('@'), "{person}");
    let call = &tenant.recorded("Get-Mailbox")[0];
    assert_eq!(call["headers"]["x-anchormailbox"], format!("UPN:{person}"), "calls are routed by the person");
    assert_eq!(requests(&tenant.emulator.counters(), "token"), 2, "one pending, one granted");
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partners_user_works_in_the_customers_tenant() {
    let customer = tenant(DeviceApproval::AfterPolls(0)).await;
    let head = HEAD.replace("tenant: contoso", "tenant: partner");
    let job = |customer: &str| {
        let output = "    output:\n      path: ${{ target.tenant }}.json\n";
        format!("{head}delegated_organization: {customer}\nsteps:\n{}{output}", some_mailboxes(3))
    };
    std::fs::write(customer.path("partner.yaml"), job("contoso.onmicrosoft.com")).unwrap();
    let run = customer.run(&customer.path("partner.yaml"), &["--report", "report.json"]).await;
    run.assert_code(0);
    let report = std::fs::read_to_string(customer.path("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["tenant"], "contoso.onmicrosoft.com");
    assert!(customer.path("contoso.onmicrosoft.com.json").is_file());
    let id = report["tenant_id"].as_str().unwrap();
    let token = &customer.recorded("token")[0];
    assert!(token["target"].as_str().unwrap().starts_with("/contoso.onmicrosoft.com/"), "{token}");
    let call = &customer.recorded("Get-Mailbox")[0];
    assert!(call["target"].as_str().unwrap().contains(id), "{call}");
    let anchor = format!("UPN:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{id}");
    assert_eq!(call["headers"]["x-anchormailbox"], anchor, "the partner's user has no mailbox there");
    customer.assert_all_closed();

    // The authority is the customer's: one that this service does not know is refused there.
    std::fs::write(customer.path("partner.yaml"), job("fabrikam.onmicrosoft.com")).unwrap();
    let opened = customer.emulator.counters().sessions.opened;
    let run = customer.run(&customer.path("partner.yaml"), &[]).await;
    assert!(run.stdout.contains("Tenant 'fabrikam.onmicrosoft.com' not found"), "{}", run.stdout);
    assert_eq!(customer.emulator.counters().sessions.opened, opened);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_declined_or_never_confirmed_ends_with_77() {
    let declined = tenant(DeviceApproval::Declined).await;
    let ended = run(&declined, "", &[]).await;
    ended.assert_code(77);
    assert!(ended.stdout.contains("authorization_declined"), "{}", ended.stdout);
    assert_eq!(declined.emulator.counters().sessions.opened, 0);

    let ignored = tenant(DeviceApproval::Manual).await;
    let ended = run(&ignored, "", &["--device-wait", "2s"]).await;
    ended.assert_code(77);
    assert!(ended.stdout.contains("nobody confirmed the code within `device_wait` (2s)"), "{}", ended.stdout);
    assert_eq!(ignored.emulator.counters().sessions.opened, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_else_is_refused_with_77() {
    let tenant = tenant(DeviceApproval::AfterPolls(0)).await;
    let ended = run(&tenant, "  user_principal_name: somebody.else@contoso.onmicrosoft.com\n", &[]).await;
    ended.assert_code(77);
    assert!(
        ended.stdout.contains("signed in, the job expects somebody.else@contoso.onmicrosoft.com"),
        "{}",
        ended.stdout
    );
    assert_eq!(tenant.emulator.counters().sessions.opened, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waits_for_a_person_can_be_stopped() {
    let tenant = tenant(DeviceApproval::Manual).await;
    std::fs::write(tenant.path("device.yaml"), format!("{HEAD}steps:\n{}", some_mailboxes(3))).unwrap();
    let child = tenant.exorun(&["run", "device.yaml"]).spawn().unwrap();
    tenant.calls("devicecode", 1).await;
    super::program::signal(&child, rustix::process::Signal::TERM);
    let run = ended(child).await;
    run.assert_code(75);
    assert!(run.stdout.contains("told to stop while signing in"), "{}", run.stdout);
}
