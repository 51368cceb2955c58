//! What of the sign-in service's answers is asked again, and what is final. Source: protocol reference, 2.12.

use std::collections::BTreeSet;
use std::time::Duration;

use exorun::rules::retry::{Repeated, RetryPolicy};
use exorun::signin::application::ApplicationGrant;
use exorun::signin::endpoint::LoginEndpoint;
use exorun::signin::held::Grant;
use exorun::signin::{AccessToken, SigninError};
use exorun::spec::job::Signature;
use serde_json::json;

use super::assertions::{endpoint, proof};
use super::openssl::pair;
use super::program::Tenant;
use super::scripted_service::ScriptedService;
use super::{CLIENT_ID, components, small, token};

const RETRY: RetryPolicy = RetryPolicy {
    attempts_max: 4,
    delay_first: Duration::from_millis(1),
    delay_max: Duration::from_millis(5),
    total_max: Duration::from_secs(20),
    on: Repeated::ALL,
};

fn no(error: &str, code: u32) -> String {
    json!({"error": error, "error_description": format!("AADSTS{code}: No."), "error_codes": [code]})
        .to_string()
}

/// The answer to a sign-in by certificate where the service answers like this in turn, and how often it was asked; each
/// time with an assertion of its own.
async fn asked(
    answers: Vec<(u16, String)>,
    settle_wait: Duration,
) -> (Result<AccessToken, SigninError>, usize) {
    let made = tempfile::tempdir().unwrap();
    pair(made.path(), "own");
    let service =
        ScriptedService::start(move |_, number| answers.get(number).or(answers.last()).cloned().unwrap())
            .await;
    let common = endpoint();
    let ca = reqwest::Certificate::from_pem(service.ca_pem.as_bytes()).unwrap();
    let endpoint = LoginEndpoint {
        base: service.endpoint.clone(),
        http: reqwest::Client::builder().no_proxy().tls_certs_only([ca]).build().unwrap(),
        retry: RETRY,
        ..common
    };
    let proof = proof(made.path(), Signature::Ps256);
    let grant = ApplicationGrant::new(endpoint, CLIENT_ID.to_owned(), proof, settle_wait);
    let outcome = grant.fetch(None).await;
    let seen = service.seen();
    let assertions: BTreeSet<&str> =
        seen.iter().map(|request| request.body.split("client_assertion=").nth(1).unwrap()).collect();
    assert_eq!(assertions.len(), seen.len(), "an assertion is good for one request");
    (outcome, seen.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_by_itself_is_asked_again_with_an_assertion_of_its_own() {
    if !components::has("openssl", "what_passes_by_itself_is_asked_again_with_an_assertion_of_its_own") {
        return;
    }
    let tenant = Tenant::start(small()).await;
    let good = (200, json!({"access_token": token(&tenant, None), "expires_in": 3599}).to_string());
    let hiccups = [
        (503, String::new()),
        (400, no("invalid_request", 50_196)),
        (400, no("temporarily_unavailable", 90_033)),
    ];
    let (outcome, times) = asked(hiccups.into_iter().chain([good.clone()]).collect(), Duration::ZERO).await;
    assert!(outcome.is_ok() && times == 4, "{outcome:?}");
    let young = [(401, no("invalid_client", 700_027)), (400, no("unauthorized_client", 700_016)), good];
    let (outcome, times) = asked(young.into(), Duration::from_secs(1)).await;
    assert!(outcome.is_ok() && times == 3, "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_else_is_final() {
    if !components::has("openssl", "everything_else_is_final") {
        return;
    }
    for (error, code) in [
        ("invalid_client", 7_000_215),
        ("invalid_client", 700_024),
        ("invalid_grant", 53_003),
        ("invalid_request", 90_002),
    ] {
        let (outcome, times) = asked(vec![(401, no(error, code))], Duration::from_secs(1)).await;
        let error = outcome.unwrap_err();
        assert_eq!((times, error.code), (1, Some(code)), "{error}");
        assert!(error.message.contains(" -> "), "{error}");
    }
    // The code may stand in `error_codes` alone.
    let bare =
        |code: u32| json!({"error": "invalid_client", "error_description": "No.", "error_codes": [code]});
    let (outcome, times) = asked(vec![(401, bare(7_000_215).to_string())], Duration::from_secs(1)).await;
    let error = outcome.unwrap_err();
    assert_eq!((times, error.code), (1, Some(7_000_215)), "{error}");
    assert!(error.message.contains("AADSTS7000215: No. -> the client secret is wrong"), "{error}");
    assert_eq!(asked(vec![(400, bare(50_196).to_string())], Duration::ZERO).await.1, 4);
    // A service that calls this client a loop is left alone at last.
    let (outcome, times) = asked(vec![(400, no("invalid_request", 50_196))], Duration::from_secs(1)).await;
    assert_eq!((times, outcome.unwrap_err().code), (4, Some(50_196)));
}
