//! Broken at the sign-in: credentials, people, federation.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use exorun::emulator::{DeviceApproval, Options};

use super::openbao::{OpenBao, ROOT_TOKEN};
use super::program::requests;
use super::{APPLICATION, PERSON, broken, climbed, rung, tenant, told};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret() {
    let tenant = tenant(Options::default()).await;
    let climb = climbed(&tenant, APPLICATION, &[], &[("EXORUN_CLIENT_SECRET", "canary-wrong")]).await;
    broken(&climb, 77, "token", "a_wrong_secret");
    assert!(!format!("{}{}", climb.stdout, climb.stderr).contains("canary-wrong"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secrets_id_in_place_of_its_value_is_warned_of_and_refused() {
    let tenant = tenant(Options::default()).await;
    let id = [("EXORUN_CLIENT_SECRET", "3b0cf5d5-0d9e-4d4e-9d5e-000000000001")];
    let climb = climbed(&tenant, APPLICATION, &[], &id).await;
    broken(&climb, 77, "token", "the_secrets_id_in_place_of_its_value");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_not_there() {
    let tenant = tenant(Options::default()).await;
    let climb = climbed(&tenant, &APPLICATION.replace("EXORUN_CLIENT_SECRET", "NOT_SET"), &[], &[]).await;
    broken(&climb, 64, "credential", "a_secret_that_is_not_there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_not_there() {
    let tenant = tenant(Options::default()).await;
    let (_, steps) = APPLICATION.split_once("steps:").unwrap();
    let job = format!("version: 1\nname: by-connection\nconnection: nowhere\nsteps:{steps}");
    let climb = climbed(&tenant, &job, &[], &[]).await;
    broken(&climb, 64, "job", "a_connection_that_is_not_there");
    assert_eq!(tenant.emulator.counters().requests, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_whose_rights_will_not_do() {
    let tenant = tenant(Options::default()).await;
    let scope = "https://outlook.office365.com/.default";
    let own = tenant.emulator.access_token(scope, "11111111-2222-3333-4444-555555555555", None).unwrap();
    let parts: Vec<&str> = own.split('.').collect();
    let mut claims: serde_json::Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    claims["roles"] = serde_json::json!(["full_access_as_app"]);
    let changed = format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(claims.to_string()), parts[2]);
    std::fs::write(tenant.path("token"), changed).unwrap();
    let job = APPLICATION
        .replace(
            "method: client_secret\n  client_id: 11111111-2222-3333-4444-555555555555",
            "method: access_token",
        )
        .replace("env: EXORUN_CLIENT_SECRET", "file: token");
    let climb = climbed(&tenant, &job, &[], &[]).await;
    broken(&climb, 77, "rights", "a_token_whose_rights_will_not_do");
    assert_eq!(tenant.emulator.counters().sessions.opened, 0);
    let climb = climbed(&tenant, &job, &[], &[("EXORUN_EXPECTED_RIGHTS", "any")]).await;
    let line = rung(&climb, "rights");
    assert!(line.starts_with("warning") && line.contains("none of them is known"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_asks_a_person_is_climbed_up_to_the_sign_in() {
    let tenant = tenant(Options::default()).await;
    let climb = climbed(&tenant, PERSON, &[], &[]).await;
    climb.assert_code(0);
    insta::assert_snapshot!("a_person_is_not_asked", told(&climb));
    assert!(!climb.stderr.contains("enter the code"), "{}", climb.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_federated_person_whose_sign_in_service_cannot_be_reached() {
    let tenant = tenant(Options {
        signin_trouble: vec!["admin@contoso.onmicrosoft.com=federated".parse().unwrap()],
        device_approval: DeviceApproval::AfterPolls(0),
        device_interval: Duration::from_secs(1),
        ..Options::default()
    })
    .await;
    let climb = climbed(&tenant, PERSON, &["--sign-in"], &[]).await;
    climb.assert_code(0);
    insta::assert_snapshot!("federated", told(&climb));
    tenant.assert_all_closed();
}

/// A climb uses a credential as a run does: what may not run is not climbed with.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_no_connection_permits() {
    let tenant = tenant(Options::default()).await;
    let climb = climbed(&tenant, APPLICATION, &[], &[("EXORUN_REQUIRE_CONNECTIONS", "true")]).await;
    broken(&climb, 78, "job", "a_job_that_no_connection_permits");
    assert_eq!(tenant.emulator.counters().requests, 0);
    let json =
        climbed(&tenant, APPLICATION, &["--format", "json"], &[("EXORUN_REQUIRE_CONNECTIONS", "true")]).await;
    json.assert_code(78);
    let report: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((&report["exit_code"], &report["first_broken"]), (&78.into(), &"job".into()));
}

/// A user's password, without a person.
fn by_password() -> String {
    PERSON
        .replace("method: device", "method: password")
        .replace("steps:", "  credential:\n    env: EXORUN_CANARY_PASSWORD\nsteps:")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password() {
    let tenant = tenant(Options::default()).await;
    let climb = climbed(&tenant, &by_password(), &[], &[("EXORUN_CANARY_PASSWORD", "canary-wrong")]).await;
    broken(&climb, 77, "token", "a_wrong_password");
    assert!(!format!("{}{}", climb.stdout, climb.stderr).contains("canary-wrong"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_federated_password_is_not_sent() {
    let signin_trouble = vec!["admin@contoso.onmicrosoft.com=federated".parse().unwrap()];
    let tenant = tenant(Options { signin_trouble, ..Options::default() }).await;
    let climb = climbed(&tenant, &by_password(), &[], &[("EXORUN_CANARY_PASSWORD", "canary")]).await;
    broken(&climb, 77, "realm", "a_federated_password");
    assert_eq!(requests(&tenant.emulator.counters(), "token"), 0, "nothing was sent");
}

/// Who would have to be asked is not, also where the sign-in should be kept and is not yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_should_be_kept_and_is_not() {
    let Some(bao) = OpenBao::start("a_sign_in_that_should_be_kept_and_is_not").await else { return };
    let tenant = tenant(Options::default()).await;
    let token = bao.file(ROOT_TOKEN);
    let mut variables = bao.environment();
    variables.push(("EXORUN_VAULT_AUTH", "token".to_owned()));
    variables.push(("EXORUN_VAULT_TOKEN_FILE", token.display().to_string()));
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let job = PERSON.replace("steps:", "  credential:\n    vault:\n      path: exo/person\nsteps:");
    let climb = climbed(&tenant, &job, &[], &variables).await;
    broken(&climb, 77, "token", "a_sign_in_that_is_not_kept");
    assert!(!climb.stderr.contains("enter the code"), "{}", climb.stderr);
}
