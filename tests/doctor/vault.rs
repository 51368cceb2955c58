//! Broken in Vault, against a real OpenBao.

use exorun::emulator::Options;
use serde_json::json;

use super::openbao::OpenBao;
use super::program::{CLIENT_SECRET, Ended, Tenant};
use super::{APPLICATION, broken, climbed, rung, tenant};

const READER: &str = r#"path "secret/data/exo/*" { capabilities = ["read"] }"#;

/// An OpenBao with the application's secret, and a token that may read it.
async fn bao(test: &str) -> Option<(OpenBao, Vec<(&'static str, String)>)> {
    let bao = OpenBao::start(test).await?;
    bao.policy("reader", READER).await;
    bao.write("secret/data/exo/contoso", json!({"data": {"client_secret": CLIENT_SECRET}})).await;
    let mut variables = bao.environment();
    let token = bao.token_file(&["reader"]).await;
    variables.push(("EXORUN_VAULT_AUTH", "token".to_owned()));
    variables.push(("EXORUN_VAULT_TOKEN_FILE", token.display().to_string()));
    Some((bao, variables))
}

async fn climb(tenant: &Tenant, path: &str, variables: &[(&str, String)]) -> Ended {
    let job = APPLICATION.replace(
        "    env: EXORUN_CLIENT_SECRET\n",
        &format!("    vault:\n      mount: secret\n      path: {path}\n"),
    );
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    climbed(tenant, &job, &[], &variables).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_is_read_and_not_shown() {
    let Some((_bao, variables)) = bao("what_is_there_is_read_and_not_shown").await else { return };
    let tenant = tenant(Options::default()).await;
    let climb = climb(&tenant, "exo/contoso", &variables).await;
    climb.assert_code(0);
    let vault = rung(&climb, "vault");
    assert!(vault.starts_with("ok ") && vault.contains("vault:secret/exo/contoso is there"), "{vault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_is_sealed() {
    let Some((bao, variables)) = bao("a_vault_that_is_sealed").await else { return };
    let tenant = tenant(Options::default()).await;
    bao.seal().await;
    let climb = climb(&tenant, "exo/contoso", &variables).await;
    broken(&climb, 1, "vault", "a_vault_that_is_sealed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_is_gone() {
    let Some((mut bao, variables)) = bao("a_vault_that_is_gone").await else { return };
    let tenant = tenant(Options::default()).await;
    bao.kill().await;
    let climb = climb(&tenant, "exo/contoso", &variables).await;
    broken(&climb, 1, "vault", "a_vault_that_is_gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_not_there_and_one_that_may_not_be_read() {
    let Some((_bao, variables)) = bao("a_secret_that_is_not_there_and_one_that_may_not_be_read").await else {
        return;
    };
    let tenant = tenant(Options::default()).await;
    let climb_there = climb(&tenant, "exo/nobody", &variables).await;
    broken(&climb_there, 64, "vault", "a_secret_that_is_not_in_vault");
    let climb_elsewhere = climb(&tenant, "other/contoso", &variables).await;
    broken(&climb_elsewhere, 64, "vault", "a_secret_that_may_not_be_read");
}
