//! `method: workload_identity`: a token file, and GitHub Actions.

use exorun::emulator::{Options, stand_in};
use serde_json::json;

use super::program::Tenant;
use super::responder::{CUT_OFF, serve};
use super::{CLIENT_ID, run_with, small};

const BARE: &str = "  method: workload_identity\n";

/// A tenant that trusts the emulator's other issuer, with a token of it in `token`.
async fn tenant() -> Tenant {
    let federated = vec![stand_in::federated_credential()];
    let tenant = Tenant::start(Options { federated, ..small() }).await;
    std::fs::write(tenant.path("token"), tenant.emulator.federated_token()).unwrap();
    tenant
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_of_aks_signs_in_by_its_token_and_the_environment_never_overrides_the_job() {
    let tenant = tenant().await;
    let file = tenant.path("token").display().to_string();
    let around = [("AZURE_CLIENT_ID", CLIENT_ID), ("AZURE_FEDERATED_TOKEN_FILE", &file)];
    let good = run_with(&tenant, BARE, &around).await;
    good.assert_code(0);
    assert!(!good.stderr.contains("the job decides"), "{}", good.stderr);
    let others = [
        ("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.us/"),
        ("AZURE_TENANT_ID", "00000000-0000-0000-0000-000000000009"),
    ];
    let elsewhere = run_with(&tenant, BARE, &[around, others].concat()).await;
    elsewhere.assert_code(0);
    for words in [
        "AZURE_AUTHORITY_HOST says https://login.microsoftonline.us/: the job decides",
        "AZURE_TENANT_ID says 0000",
    ] {
        assert!(elsewhere.stderr.contains(words), "{words}\n{}", elsewhere.stderr);
    }
    let named = format!("{BARE}  client_id: {CLIENT_ID}\n  token_file: token\n");
    run_with(&tenant, &named, &[]).await.assert_code(0);
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_of_github_asks_for_its_token() {
    let tenant = tenant().await;
    let answer = json!({"count": 1, "value": tenant.emulator.federated_token()}).to_string();
    let (url, asked) = serve(vec![(503, String::new()), (200, answer)]).await;
    let url = format!("{url}/token?api-version=2.0");
    let auth = format!("{BARE}  client_id: {CLIENT_ID}\n");
    let around =
        [("ACTIONS_ID_TOKEN_REQUEST_URL", url.as_str()), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "made-up")];
    run_with(&tenant, &auth, &around).await.assert_code(0);
    let heads = asked.lock().unwrap().clone();
    assert_eq!(heads.len(), 2, "one hiccup: {heads:?}");
    assert!(
        heads[1].starts_with("GET /token?api-version=2.0&audience=api%3A%2F%2FAzureADTokenExchange HTTP"),
        "{heads:?}"
    );
    assert!(heads[1].contains("authorization: Bearer made-up"), "{heads:?}");

    let answer = json!({"count": 1, "value": tenant.emulator.federated_token()}).to_string();
    let (url, asked) = serve(vec![(200, CUT_OFF.to_owned()), (200, answer)]).await;
    let around =
        [("ACTIONS_ID_TOKEN_REQUEST_URL", url.as_str()), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "made-up")];
    run_with(&tenant, &auth, &around).await.assert_code(0);
    assert_eq!(asked.lock().unwrap().len(), 2, "one answer was cut off");

    // A good token, and more behind it than any answer has: what is not read to the end is not used.
    let endless = json!({"value": tenant.emulator.federated_token(), "more": "x".repeat(512 * 1024)});
    let (url, _) = serve(vec![(200, endless.to_string())]).await;
    let around =
        [("ACTIONS_ID_TOKEN_REQUEST_URL", url.as_str()), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "made-up")];
    let refused = run_with(&tenant, &auth, &around).await;
    refused.assert_code(1);
    assert!(refused.stdout.contains("the answer holds no token"), "{}", refused.stdout);

    let (url, _) = serve(vec![(403, "{\"message\":\"canary\"}".to_owned())]).await;
    let around =
        [("ACTIONS_ID_TOKEN_REQUEST_URL", url.as_str()), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "canary-2")];
    let refused = run_with(&tenant, &auth, &around).await;
    refused.assert_code(77);
    assert!(refused.stdout.contains("`permissions: {id-token: write}`?"), "{}", refused.stdout);
    assert!(!refused.stdout.contains("canary") && !refused.stderr.contains("canary"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_token_or_its_place_is_said() {
    let tenant = tenant().await;
    std::fs::write(tenant.path("empty"), "").unwrap();
    std::fs::write(tenant.path("text"), "canary-that-is-no-token").unwrap();
    let strange = tenant.emulator.federated_token().replacen('.', ".e30", 1);
    std::fs::write(tenant.path("strange"), strange).unwrap();
    let client = format!("  client_id: {CLIENT_ID}\n");
    for (more, variables, code, words) in [
        ("", &[][..], 64, "nothing says where a workload's token is"),
        (
            &client,
            &[("AZURE_FEDERATED_TOKEN_FILE", "empty")],
            64,
            "credential file:empty: is empty (named by AZURE_FEDERATED_TOKEN_FILE",
        ),
        (&client, &[("AZURE_FEDERATED_TOKEN_FILE", "none")], 64, "credential file:none: cannot be opened"),
        (&client, &[("AZURE_FEDERATED_TOKEN_FILE", "text")], 64, "the workload's token is no JWT"),
        ("  token_file: token\n", &[], 64, "no `client_id` and the environment no AZURE_CLIENT_ID"),
        (&client, &[("AZURE_FEDERATED_TOKEN_FILE", "strange")], 77, "the sign-in service refused"),
    ] {
        let refused = run_with(&tenant, &format!("{BARE}{more}"), variables).await;
        assert_eq!(refused.code, Some(code), "{words}\n{}", refused.stdout);
        assert!(refused.stdout.contains(words), "{words}\n{}", refused.stdout);
        assert!(!refused.stdout.contains("canary") && !refused.stderr.contains("canary"));
    }

    // An issuer that the application does not trust.
    let stranger = Tenant::start(small()).await;
    std::fs::write(stranger.path("token"), tenant.emulator.federated_token()).unwrap();
    let refused = run_with(&stranger, &format!("{BARE}{client}  token_file: token\n"), &[]).await;
    refused.assert_code(77);
    assert!(
        refused.stdout.contains("AADSTS70021") && refused.stdout.contains("no federated credential"),
        "{}",
        refused.stdout
    );
}
