//! The emulator's pages, as a browser without scripts walks through them.

use exorun::emulator::Emulator;
use serde_json::Value;

use super::desk::{MFA, NAVIN, PASSWORD, VERIFICATION_CODE, options};
use super::walker::Walker;

const CLIENT: &str = "fb78d390-0c51-40cd-8e17-fdbfab77341b";
const SCOPE: &str = "https%3A%2F%2Foutlook.office365.com%2F.default%20openid";

async fn start() -> (Emulator, Walker) {
    let emulator = Emulator::start(options()).await.unwrap();
    let walker = Walker::new(Some(emulator.ca_pem()));
    (emulator, walker)
}

fn authorize(emulator: &Emulator, more: &str) -> String {
    format!(
        "{}/contoso.onmicrosoft.com/oauth2/v2.0/authorize?client_id={CLIENT}&response_type=code&redirect_uri=http%3A%2F%2Flocalhost%3A1\
         &scope={SCOPE}&state=s{more}",
        emulator.login_endpoint()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_on_the_page_and_may_be_tried_again() {
    let (emulator, mut walker) = start().await;
    walker.open(&authorize(&emulator, "")).await;
    assert!(walker.html.contains("EMULATED"), "{}", walker.html);
    walker.fill(&[("loginfmt", "nobody@contoso.onmicrosoft.com")]).await;
    assert!(walker.html.contains("AADSTS50034"), "{}", walker.html);
    walker.fill(&[("loginfmt", MFA)]).await.fill(&[("passwd", "wrong")]).await;
    assert!(
        walker.html.contains("AADSTS50126") && walker.html.contains("name=\"passwd\""),
        "{}",
        walker.html
    );
    walker.fill(&[("passwd", PASSWORD)]).await.fill(&[("otc", "000000")]).await;
    assert!(walker.html.contains("AADSTS500121"), "{}", walker.html);
    walker.fill(&[("otc", VERIFICATION_CODE)]).await;
    assert!(walker.html.contains("Stay signed in?"), "{}", walker.html);
    let record = emulator.requests().to_string();
    assert!(!record.contains(PASSWORD) && !record.contains(VERIFICATION_CODE), "a secret is in the record");
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_that_may_not_are_stopped() {
    let (emulator, mut walker) = start().await;
    for (user, code) in [("gone", "AADSTS50057"), ("locked", "AADSTS50053")] {
        let hint = format!("&login_hint={user}%40contoso.onmicrosoft.com");
        walker.open(&authorize(&emulator, &hint)).await.fill(&[("passwd", PASSWORD)]).await;
        assert!(walker.html.contains(code) && !walker.html.contains("<form"), "{}", walker.html);
    }
    walker.open(&authorize(&emulator, "")).await.fill(&[("loginfmt", "fed@contoso.onmicrosoft.com")]).await;
    assert!(walker.html.contains("its organization&#39;s own page"), "{}", walker.html);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_from_elsewhere_or_of_another_browser_does_nothing() {
    let (emulator, mut walker) = start().await;
    let hint = format!("&login_hint={NAVIN}");
    walker.open(&authorize(&emulator, &hint)).await;
    let form = walker.form();
    walker.forget();
    walker.post(form).await;
    assert_eq!(walker.status, 400);
    assert!(walker.html.contains("opened in another browser"), "{}", walker.html);
    // A browser that has been here, but was not given this form.
    walker.open(&authorize(&emulator, &hint)).await;
    let form = walker.form();
    walker.forget();
    walker.open(&format!("{}/devicelogin", emulator.login_endpoint())).await.post(form).await;
    assert_eq!(walker.status, 400);
    // The right browser, but the page that sends the form is somebody else's.
    walker.open(&authorize(&emulator, &hint)).await;
    let form = walker.form();
    walker.at = "https://evil.example/".parse().unwrap();
    walker.post(form).await;
    assert_eq!(walker.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_an_address_says_is_only_text_and_no_page_takes_a_script() {
    let (emulator, mut walker) = start().await;
    let nasty = "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E%40x.example";
    walker.open(&authorize(&emulator, &format!("&login_hint={nasty}"))).await;
    assert!(!walker.html.contains("<script") && walker.html.contains("&lt;script&gt;"), "{}", walker.html);
    let ca = reqwest::Certificate::from_pem(emulator.ca_pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap();
    let page = client.get(format!("{}/devicelogin", emulator.login_endpoint())).send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    for wanted in ["default-src 'none'", "form-action 'self' http://localhost:*", "frame-ancestors 'none'"] {
        assert!(policy.contains(wanted), "{policy}");
    }
    assert!(!policy.contains("script"), "{policy}");
    let cookie = page.headers()["set-cookie"].to_str().unwrap();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("Secure") && cookie.contains("SameSite"),
        "{cookie}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_or_a_silent_request_is_shown_no_page() {
    let (emulator, mut walker) = start().await;
    let ca = reqwest::Certificate::from_pem(emulator.ca_pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([ca])
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let silent = authorize(&emulator, &format!("&prompt=none&login_hint={NAVIN}"));
    let program = authorize(&emulator, &format!("&login_hint={MFA}"));
    let html = client.get(silent).header("accept", "text/html").send().await.unwrap();
    assert!(html.headers()["location"].to_str().unwrap().contains("code="));
    let answer = client.get(program).send().await.unwrap();
    let location = answer.headers()["location"].to_str().unwrap();
    assert!(location.contains("interaction_required") && location.contains("AADSTS50076"), "{location}");
    // What no person can mend is not asked about.
    walker.open(&authorize(&emulator, "").replace("localhost", "evil.example")).await;
    assert!(walker.html.contains("AADSTS50011") && !walker.html.contains("<form"), "{}", walker.html);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_code_is_confirmed_or_cancelled() {
    let (emulator, mut walker) = start().await;
    let ca = reqwest::Certificate::from_pem(emulator.ca_pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap();
    let base = format!("{}/contoso.onmicrosoft.com/oauth2/v2.0", emulator.login_endpoint());
    for (answer, title, outcome) in [
        ("continue", "You have signed in", "access_token"),
        ("cancel", "You have cancelled", "authorization_declined"),
    ] {
        let form = [("client_id", CLIENT), ("scope", "https://outlook.office365.com/.default")];
        let issued = client.post(format!("{base}/devicecode")).form(&form).send().await.unwrap();
        let issued: Value = issued.json().await.unwrap();
        walker.open(issued["verification_uri"].as_str().unwrap()).await;
        walker.fill(&[("otc", "NOSUCHCODE")]).await;
        assert!(walker.html.contains("That code didn"), "{}", walker.html);
        walker.fill(&[("otc", issued["user_code"].as_str().unwrap())]).await;
        walker.fill(&[("loginfmt", NAVIN)]).await.fill(&[("passwd", PASSWORD)]).await;
        assert!(walker.html.contains("Are you trying to sign in?"), "{}", walker.html);
        walker.fill(&[("answer", answer)]).await;
        assert!(walker.html.contains(title), "{}", walker.html);
        let poll = [
            ("client_id", CLIENT),
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", issued["device_code"].as_str().unwrap()),
        ];
        let polled: Value =
            client.post(format!("{base}/token")).form(&poll).send().await.unwrap().json().await.unwrap();
        assert!(polled.to_string().contains(outcome), "{polled}");
    }
}
