//! The emulator through real sockets and TLS, by a client that shares nothing with it.

#[path = "../../../tests/support/components.rs"]
mod components;

mod cmdlets;
mod conformance_auth;
mod conformance_batch;
mod conformance_discovery;
mod conformance_faults;
mod conformance_invoke;
mod conformance_odata;
mod conformance_routing;
mod faults;
mod mailboxes;
mod managed_identity;
mod organization;
mod paging;
mod protection;
mod recipients;
mod sessions;
mod signin;
mod signin_assertion;
mod signin_code;
mod signin_people;
mod synthesized;
mod traces;

use std::time::Duration;

use reqwest::{Client, Response};
use serde_json::{Value, json};

use super::*;

const APP: &str = "APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@contoso.onmicrosoft.com";

/// The anchor of the one cmdlet that has to reach the audit mailbox.
const AUDIT: &str = "UPN:SystemMailbox{8cc370d3-822a-4ab8-a926-bb94bd0641a9}@contoso.onmicrosoft.com";

struct Bench {
    emulator: Emulator,
    client: Client,
    token: String,
}

fn client(emulator: &Emulator) -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ca = reqwest::Certificate::from_pem(emulator.ca_pem().as_bytes()).unwrap();
    Client::builder()
        .tls_certs_only([ca])
        .retry(reqwest::retry::never())
        .timeout(Duration::from_secs(20))
        .no_proxy()
        .build()
        .unwrap()
}

async fn sign_in(emulator: &Emulator, client: &Client, form: &[(&str, &str)]) -> Response {
    let url = format!("{}/contoso.onmicrosoft.com/oauth2/v2.0/token", emulator.login_endpoint());
    client.post(url).form(form).send().await.unwrap()
}

/// An emulator with the default tenant and these faults.
async fn faulty(faults: &[&str]) -> Bench {
    let faults = faults.iter().map(|spec| spec.parse().unwrap()).collect();
    start(Options { faults, ..Options::default() }).await
}

async fn start(options: Options) -> Bench {
    let emulator = Emulator::start(options).await.unwrap();
    let client = client(&emulator);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT_ID),
        ("client_secret", emulator.client_secret()),
        ("scope", "https://outlook.office365.com/.default"),
    ];
    let answer: Value = sign_in(&emulator, &client, &form).await.json().await.unwrap();
    let token = answer["access_token"].as_str().expect("a token").to_owned();
    Bench { emulator, client, token }
}

impl Bench {
    fn url(&self) -> String {
        format!(
            "{}/adminapi/beta/{}/InvokeCommand",
            self.emulator.exchange_endpoint(),
            self.emulator.tenant_id()
        )
    }

    fn request(&self, url: &str, cmdlet: &str, parameters: &Value) -> reqwest::RequestBuilder {
        let anchor = if cmdlet == "Set-AdminAuditLogConfig" { AUDIT } else { APP };
        self.client
            .post(url)
            .bearer_auth(&self.token)
            .header("X-AnchorMailbox", anchor)
            .header("connection-id", "c1")
            .json(&json!({"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}}))
    }

    /// A GET of the control endpoint.
    async fn control(&self, path: &str) -> Value {
        let url = format!("{}/{path}", self.emulator.control_url());
        self.client.get(url).send().await.unwrap().json().await.unwrap()
    }

    async fn send(&self, cmdlet: &str, parameters: Value) -> Response {
        self.request(&self.url(), cmdlet, &parameters).send().await.unwrap()
    }

    /// A cmdlet that must succeed.
    async fn call(&self, cmdlet: &str, parameters: Value) -> Value {
        let answer = self.send(cmdlet, parameters).await;
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// A cmdlet that must fail: status, and the useful text.
    async fn fails(&self, cmdlet: &str, parameters: Value) -> (u16, String) {
        let answer = self.send(cmdlet, parameters).await;
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.unwrap();
        let detail = &body["error"]["details"][0]["message"];
        let internal = &body["error"]["innererror"]["internalexception"]["message"];
        (status, detail.as_str().or(internal.as_str()).unwrap_or_default().to_owned())
    }
}
