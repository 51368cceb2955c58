//! Broken behind the sign-in: sessions, module access, roles.

use std::time::Duration;

use exorun::clocks::Clocks;
use exorun::emulator::{
    CLIENT_ID, CLIENT_ID_WITHOUT_APP_ROLE, CLIENT_ID_WITHOUT_DIRECTORY_ROLE, DeviceApproval, Options,
};
use exorun::session::SessionTimes;
use exorun::slots::{AccountKey, Ask, Attempt, Holder, LocalStore, SlotStore};

use super::program::Tenant;
use super::{APPLICATION, PERSON, broken, climbed, tenant, told};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_broken_and_everything_is_closed() {
    let tenant = tenant(Options::default()).await;
    let climb = climbed(&tenant, APPLICATION, &[], &[]).await;
    climb.assert_code(0);
    insta::assert_snapshot!("nothing_is_broken", told(&climb));
    let counters = tenant.emulator.counters();
    assert_eq!((counters.changed_objects, counters.sessions.opened), (0, 1), "{counters:?}");
    assert!(counters.by_cmdlet.iter().all(|seen| !seen.what.starts_with("Set-")), "{counters:?}");
    tenant.assert_all_closed();
}

/// Whose slots the climb before has looked at.
fn account(tenant: &Tenant) -> AccountKey {
    let folders = std::fs::read_dir(tenant.path("state")).unwrap();
    let file = folders.map(|folder| folder.unwrap().path().join("account.json")).find(|file| file.is_file());
    let stored: serde_json::Value = serde_json::from_slice(&std::fs::read(file.unwrap()).unwrap()).unwrap();
    let text = |name: &str| stored[name].as_str().unwrap().to_owned();
    AccountKey { cloud: text("cloud"), tenant_id: text("tenant_id"), object_id: text("object_id") }
}

#[tokio::test(flavor = "multi_thread")]
async fn five_sessions_are_taken() {
    let tenant = tenant(Options::default()).await;
    climbed(&tenant, APPLICATION, &[], &[]).await.assert_code(0);
    let times =
        SessionTimes { lease: Duration::from_secs(600), opens_per_minute: 1000, ..SessionTimes::default() };
    let store = LocalStore::new(tenant.path("state"), 5, times.slots(), Clocks::system()).unwrap();
    let mut leases = Vec::new();
    for number in 1..=5 {
        let holder = Holder {
            run_id: format!("run-{number}"),
            job: format!("nightly-{number}"),
            connection_id: format!("connection-{number}"),
        };
        match store.attempt(&account(&tenant), &holder, Ask::InPassing).await.unwrap() {
            Attempt::Lease(lease) => leases.push(lease),
            Attempt::Busy(busy) => panic!("{busy:?}"),
        }
    }
    let climb = climbed(&tenant, APPLICATION, &[], &[]).await;
    broken(&climb, 69, "slots", "five_sessions_are_taken");
    assert_eq!(tenant.emulator.counters().sessions.opened, 1, "only the first climb opened one");
}

#[tokio::test(flavor = "multi_thread")]
async fn module_access_is_switched_off() {
    let tenant = tenant(Options {
        module_off: vec!["admin@contoso.onmicrosoft.com".to_owned()],
        device_approval: DeviceApproval::AfterPolls(0),
        device_interval: Duration::from_secs(1),
        ..Options::default()
    })
    .await;
    let climb = climbed(&tenant, PERSON, &["--sign-in"], &[]).await;
    broken(&climb, 1, "module_access", "module_access_is_switched_off");
    assert!(climb.stdout.contains("Set-User admin@contoso.onmicrosoft.com -EXOModuleEnabled $true"));
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_without_a_directory_role() {
    let tenant = tenant(Options::default()).await;
    let job = APPLICATION.replace(CLIENT_ID, CLIENT_ID_WITHOUT_DIRECTORY_ROLE);
    let climb = climbed(&tenant, &job, &[], &[]).await;
    broken(&climb, 1, "module_access", "an_application_without_a_directory_role");
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_without_the_app_role() {
    let tenant = tenant(Options::default()).await;
    let job = APPLICATION.replace(CLIENT_ID, CLIENT_ID_WITHOUT_APP_ROLE);
    let climb = climbed(&tenant, &job, &[], &[]).await;
    broken(&climb, 77, "rights", "an_application_without_the_app_role");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cmdlet_that_the_role_does_not_include() {
    let roles = vec![format!("{CLIENT_ID}=GlobalReader").parse().unwrap()];
    let tenant = tenant(Options { roles, ..Options::default() }).await;
    let climb = climbed(&tenant, APPLICATION, &[], &[]).await;
    broken(&climb, 1, "cmdlets", "a_cmdlet_that_the_role_does_not_include");
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_fails_a_read_is_named_with_its_request() {
    let faults = vec!["503:cmdlet=Get-OrganizationConfig".parse().unwrap()];
    let tenant = tenant(Options { faults, ..Options::default() }).await;
    let climb = climbed(&tenant, APPLICATION, &[], &[]).await;
    broken(&climb, 1, "read", "a_service_that_fails_a_read");
    tenant.assert_all_closed();
}
