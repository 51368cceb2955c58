//! The authorization code flow with PKCE.

use super::signin::{PERSON_SCOPE, claims, control, granted, refusal};
use super::*;

const REDIRECT: &str = "http://localhost:41234";
/// Verifier and challenge of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The answer to an authorize request with some fields changed; an empty value leaves the field out.
async fn authorize(emulator: &Emulator, changed: &[(&str, &str)]) -> Response {
    let mut fields = vec![
        ("client_id", CLIENT_ID),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("response_mode", "query"),
        ("scope", PERSON_SCOPE),
        ("state", "a state & more"),
        ("nonce", "n-1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in changed {
        fields.retain(|(own, _)| own != name);
        fields.push((name, value));
    }
    fields.retain(|(_, value)| !value.is_empty());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ca = reqwest::Certificate::from_pem(emulator.ca_pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([ca])
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap();
    let url = format!("{}/contoso.onmicrosoft.com/oauth2/v2.0/authorize", emulator.login_endpoint());
    client.get(url).query(&fields).send().await.unwrap()
}

/// The fields of the redirect.
async fn redirected(emulator: &Emulator, changed: &[(&str, &str)]) -> Vec<(String, String)> {
    let answer = authorize(emulator, changed).await;
    assert_eq!(answer.status(), 302);
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    let (at, fields) = location.split_once(['?', '#']).unwrap();
    assert!(at.starts_with("http://localhost"), "{location}");
    super::super::form::parse(fields.as_bytes())
}

fn field(fields: &[(String, String)], name: &str) -> String {
    fields.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone()).unwrap_or_default()
}

fn redeem<'a>(code: &'a str, verifier: &'a str, redirect: &'a str) -> [(&'a str, &'a str); 6] {
    [
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT_ID),
        ("code", code),
        ("redirect_uri", redirect),
        ("code_verifier", verifier),
        ("scope", PERSON_SCOPE),
    ]
}

#[tokio::test]
async fn a_code_is_redeemed_once_with_its_verifier_and_its_redirect() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let fields = redirected(&emulator, &[("login_hint", "admin@contoso.onmicrosoft.com")]).await;
    assert_eq!(field(&fields, "state"), "a state & more");
    let code = field(&fields, "code");
    let no = |code| (400, "invalid_grant".to_owned(), code);
    assert_eq!(refusal(&emulator, &redeem(&code, CHALLENGE, REDIRECT)).await, no(501_481));
    assert_eq!(refusal(&emulator, &redeem(&code, "", REDIRECT)).await, no(501_481));
    assert_eq!(refusal(&emulator, &redeem(&code, VERIFIER, "http://localhost:1")).await, no(50_011));
    let answer = granted(&emulator, &redeem(&code, VERIFIER, REDIRECT)).await;
    assert_eq!(claims(&answer["id_token"])["nonce"], "n-1");
    assert_eq!(claims(&answer["access_token"])["upn"], "admin@contoso.onmicrosoft.com");
    let refresh = [
        ("grant_type", "refresh_token"),
        ("client_id", CLIENT_ID),
        ("refresh_token", answer["refresh_token"].as_str().unwrap()),
        ("scope", PERSON_SCOPE),
    ];
    let renewed = granted(&emulator, &refresh).await;
    assert_eq!(claims(&renewed["id_token"])["nonce"], Value::Null, "it belongs to the sign-in");
    assert_eq!(refusal(&emulator, &redeem(&code, VERIFIER, REDIRECT)).await, no(54_005));
    assert_eq!(refusal(&emulator, &redeem("made-up", VERIFIER, REDIRECT)).await, no(70_000));
    let record = emulator.requests().to_string();
    assert!(!record.contains(&code) && !record.contains(VERIFIER), "a secret is in the record");

    let emulator =
        Emulator::start(Options { code_life: Duration::ZERO, ..Options::default() }).await.unwrap();
    let code = field(&redirected(&emulator, &[]).await, "code");
    assert_eq!(refusal(&emulator, &redeem(&code, VERIFIER, REDIRECT)).await, no(70_008), "codes end");
}

#[tokio::test]
async fn plain_challenges_and_other_ways_back_work() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let plain =
        [("code_challenge", VERIFIER), ("code_challenge_method", "plain"), ("response_mode", "fragment")];
    let code = field(&redirected(&emulator, &plain).await, "code");
    granted(&emulator, &redeem(&code, VERIFIER, REDIRECT)).await;
    let page = authorize(&emulator, &[("response_mode", "form_post"), ("state", "\"><x")]).await;
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    assert!(page.contains("action=\"http://localhost:41234\"") && page.contains("name=\"code\""), "{page}");
    assert!(page.contains("value=\"&quot;&gt;&lt;x\""), "{page}");
}

#[tokio::test]
async fn what_is_wrong_with_a_request_comes_back_on_the_redirect() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    for (changed, error, code) in [
        (("response_type", "token"), "unsupported_response_type", 70_005),
        (("response_mode", "web_message"), "unsupported_response_mode", 70_007),
        (("scope", "openid"), "invalid_scope", 70_011),
        (("code_challenge", "short"), "invalid_request", 501_491),
        (("code_challenge_method", "S512"), "invalid_request", 50_147),
        (("login_hint", "nobody@contoso.onmicrosoft.com"), "access_denied", 50_034),
    ] {
        let fields = redirected(&emulator, &[changed]).await;
        assert_eq!(field(&fields, "error"), error, "{changed:?}");
        assert!(field(&fields, "error_description").starts_with(&format!("AADSTS{code}: ")), "{fields:?}");
        assert_eq!(
            (field(&fields, "state").as_str(), field(&fields, "code").as_str()),
            ("a state & more", "")
        );
    }
    for (trouble, error) in [("AADSTS53003", "access_denied"), ("AADSTS50076", "interaction_required")] {
        let line = format!("admin@contoso.onmicrosoft.com={trouble}");
        assert_eq!(control(&emulator, "signin-trouble", &line).await, 204);
        let fields = redirected(&emulator, &[]).await;
        assert_eq!(field(&fields, "error"), error);
        assert!(field(&fields, "error_description").starts_with(trouble));
    }
}

#[tokio::test]
async fn nobody_is_sent_to_a_redirect_that_is_not_registered() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    for good in ["http://localhost", "http://localhost/", "http://localhost:1/"] {
        assert_eq!(authorize(&emulator, &[("redirect_uri", good)]).await.status(), 302, "{good}");
    }
    for bad in [
        "https://evil.example",
        "http://localhost.evil.example",
        "http://localhost:80@evil.example",
        "http://localhost/path",
        "http://127.0.0.1:80",
    ] {
        let answer = authorize(&emulator, &[("redirect_uri", bad)]).await;
        assert_eq!(super::signin::refused(answer).await, (400, "invalid_request".into(), 50_011), "{bad}");
    }
}
