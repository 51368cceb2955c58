//! Broken in Vault, against a real OpenBao.

use exorun::emulator::Options;
use serde_json::json;

use super::openbao::OpenBao;
use super::program::{CLIENT_SECRET, Ended, Tenant};
use super::{APPLICATION, PERSON, broken, climbed, rung, tenant};

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
    climb_with(tenant, &job, variables).await
}

async fn climb_with(tenant: &Tenant, job: &str, variables: &[(&str, String)]) -> Ended {
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    climbed(tenant, job, &[], &variables).await
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

/// The job of a person whose sign-in is kept at `path`.
fn kept(method: &str, path: &str) -> String {
    let method = PERSON.replace("method: device", &format!("method: {method}"));
    method.replace("steps:", &format!("  credential:\n    vault:\n      path: {path}\nsteps:"))
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_sign_in_is_kept_is_looked_at() {
    let Some((bao, variables)) = bao("where_a_sign_in_is_kept_is_looked_at").await else { return };
    let tenant = tenant(Options::default()).await;
    for method in ["device", "browser", "vault"] {
        let climb = climb_with(&tenant, &kept(method, "exo/person"), &variables).await;
        climb.assert_code(77);
        let vault = rung(&climb, "vault");
        let words =
            "nobody has signed in yet: `exorun login JOB` keeps the sign-in at vault:secret/exo/person";
        assert!(vault.starts_with("information ") && vault.contains(words), "{vault}");
        assert!(climb.stdout.contains("first broken rung: token"), "{}", climb.stdout);
        let climb = climb_with(&tenant, &kept(method, "other/person"), &variables).await;
        climb.assert_code(64);
        assert!(rung(&climb, "vault").contains("Vault forbids it"), "{}", climb.stdout);
    }
    // Whose sign-in it would be is not said: a run takes it for a secret that is missing, and so does the climb.
    let anybodys =
        kept("vault", "exo/person").replace("  user_principal_name: admin@contoso.onmicrosoft.com\n", "");
    let climb = climb_with(&tenant, &anybodys, &variables).await;
    climb.assert_code(64);
    assert!(rung(&climb, "vault").starts_with("FAILED "), "{}", climb.stdout);
    bao.seal().await;
    let climb = climb_with(&tenant, &kept("device", "exo/person"), &variables).await;
    broken(&climb, 1, "vault", "a_vault_that_is_sealed_before_a_kept_sign_in");
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_of_steps_are_looked_at_and_not_shown() {
    let Some((bao, variables)) = bao("secrets_of_steps_are_looked_at_and_not_shown").await else { return };
    let tenant = tenant(Options::default()).await;
    let step = "  - name: password\n    cmdlet: Set-Mailbox\n    parameters:\n      Identity: anna@contoso.onmicrosoft.com\n      \
                Password: ${{ secret(\"secret/exo/anna#new\") }}\n";
    let job = format!("{APPLICATION}{step}");
    let climb = climb_with(&tenant, &job, &variables).await;
    broken(&climb, 64, "vault", "a_secret_of_a_step_that_is_not_in_vault");
    bao.write("secret/data/exo/anna", json!({"data": {"old": "canary-3f1c-of-anna"}})).await;
    let climb = climb_with(&tenant, &job, &variables).await;
    climb.assert_code(64);
    let vault = rung(&climb, "vault");
    assert!(
        vault.contains("step `password`, `Password`: ") && vault.contains("has no field `new`"),
        "{vault}"
    );
    bao.write("secret/data/exo/anna", json!({"data": {"new": "canary-3f1c-of-anna"}})).await;
    let climb = climb_with(&tenant, &job, &variables).await;
    climb.assert_code(0);
    let vault = rung(&climb, "vault");
    assert!(vault.starts_with("ok ") && vault.contains("vault:secret/exo/anna#new is there"), "{vault}");
    assert!(!climb.stdout.contains("canary-3f1c"), "{}", climb.stdout);
    // What is on this host has the rung of what `credential` names.
    let here = job.replace("${{ secret(\"secret/exo/anna#new\") }}", "\n        env: EXORUN_OF_ANNA");
    let climb = climb_with(&tenant, &here, &variables).await;
    climb.assert_code(64);
    let seen = rung(&climb, "credential");
    assert!(seen.contains("step `password`, `Password`: credential env:EXORUN_OF_ANNA"), "{seen}");
}
