//! The sign-in service.

use super::*;

const SCOPE: &str = "https://outlook.office365.com/.default";

async fn refusal(emulator: &Emulator, form: &[(&str, &str)]) -> (u16, String, u64) {
    let answer = sign_in(emulator, &client(emulator), form).await;
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    let code = body["error_codes"][0].as_u64().unwrap();
    let description = body["error_description"].as_str().unwrap();
    assert!(description.starts_with(&format!("AADSTS{code}: ")) && description.contains("\r\nTrace ID: "));
    (status, body["error"].as_str().unwrap().to_owned(), code)
}

fn secret_form<'a>(client_id: &'a str, secret: &'a str, scope: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("grant_type", "client_credentials"),
        ("client_id", client_id),
        ("client_secret", secret),
        ("scope", scope),
    ]
}

#[tokio::test]
async fn mistakes_get_their_codes() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let secret = emulator.client_secret().to_owned();
    for (form, expected) in [
        (secret_form(CLIENT_ID, "wrong", SCOPE), (401, "invalid_client", 7_000_215)),
        (secret_form(CLIENT_ID, "", SCOPE), (401, "invalid_client", 7_000_218)),
        (secret_form("not-a-guid", &secret, SCOPE), (400, "unauthorized_client", 700_016)),
        (secret_form(CLIENT_ID, &secret, "openid"), (400, "invalid_scope", 70_011)),
        (secret_form(CLIENT_ID, &secret, "https://127.0.0.1/.default"), (400, "invalid_resource", 500_011)),
        (secret_form(CLIENT_ID, &secret, ""), (400, "invalid_request", 900_144)),
    ] {
        let (status, error, code) = refusal(&emulator, &form).await;
        assert_eq!((status, error.as_str(), code), expected);
    }
    let url = format!("{}/nobody.example/oauth2/v2.0/token", emulator.login_endpoint());
    let form = secret_form(CLIENT_ID, &secret, SCOPE);
    let answer = client(&emulator).post(url).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert_eq!(answer.json::<Value>().await.unwrap()["error_codes"], json!([90_002]));
}

#[tokio::test]
async fn discovery_names_the_tenant_and_the_endpoints() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let (client, login) = (client(&emulator), emulator.login_endpoint());
    let id = emulator.tenant_id().to_string();
    for name in ["contoso.onmicrosoft.com", "CONTOSO.example", id.as_str(), "organizations"] {
        let url = format!("{login}/{name}/v2.0/.well-known/openid-configuration");
        let found: Value = client.get(url).send().await.unwrap().json().await.unwrap();
        assert_eq!(found["issuer"], format!("{login}/{id}/v2.0"));
        let device = found["device_authorization_endpoint"].as_str().unwrap();
        assert!(device.starts_with(&login) && device.ends_with("/devicecode"));
    }
    let url = format!("{login}/nobody.example/v2.0/.well-known/openid-configuration");
    assert_eq!(client.get(url).send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn a_device_code_is_approved_and_refreshed() {
    let options = Options { device_interval: Duration::from_millis(20), ..Options::default() };
    let emulator = Emulator::start(options).await.unwrap();
    let client = client(&emulator);
    let url = format!("{}/organizations/oauth2/v2.0/devicecode", emulator.login_endpoint());
    let form = [("client_id", CLIENT_ID), ("scope", "https://outlook.office365.com/.default offline_access")];
    let issued: Value = client.post(url).form(&form).send().await.unwrap().json().await.unwrap();
    let code = issued["device_code"].as_str().unwrap();
    let poll = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", CLIENT_ID),
        ("device_code", code),
    ];
    assert_eq!(refusal(&emulator, &poll).await, (400, "authorization_pending".to_owned(), 70_016));
    let control = format!("{}/device/{}", emulator.control_url(), issued["user_code"].as_str().unwrap());
    assert_eq!(client.post(control).body("approve").send().await.unwrap().status(), 204);
    Options::default().clocks.sleep(Duration::from_millis(30)).await;
    let answer: Value = sign_in(&emulator, &client, &poll).await.json().await.unwrap();
    let first = answer["refresh_token"].as_str().expect("offline_access was asked for").to_owned();
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", CLIENT_ID),
        ("refresh_token", &first),
        ("scope", SCOPE),
    ];
    let answer: Value = sign_in(&emulator, &client, &form).await.json().await.unwrap();
    assert_ne!(answer["refresh_token"].as_str().unwrap(), first, "rotated");
    let bench = Bench { token: answer["access_token"].as_str().unwrap().to_owned(), emulator, client };
    bench.call("Get-OrganizationConfig", json!({})).await;
    let record = bench.control("requests").await.to_string();
    for canary in [code, &first, &bench.token] {
        assert!(!record.contains(canary), "a secret is in the record");
    }
}

#[tokio::test]
async fn tokens_and_roles_are_checked() {
    let mut bench = start(Options { token_life: Duration::from_secs(3600), ..Options::default() }).await;
    let good = std::mem::take(&mut bench.token);
    for bad in ["", "junk", &good[..good.len() - 4], &good.replace('.', "..")] {
        bench.token = bad.to_owned();
        let answer = bench.send("Get-OrganizationConfig", json!({})).await;
        assert_eq!(answer.status(), 401, "{bad}");
        assert!(answer.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer "));
        assert_eq!(answer.text().await.unwrap(), "");
    }
    assert_eq!(bench.emulator.counters().sessions.opened, 0, "without a token there is no session");
    let secret = bench.emulator.client_secret().to_owned();
    for (id, status) in [(CLIENT_ID_WITHOUT_DIRECTORY_ROLE, 403), (CLIENT_ID_WITHOUT_APP_ROLE, 401)] {
        let answer = sign_in(&bench.emulator, &bench.client, &secret_form(id, &secret, SCOPE)).await;
        let answer: Value = answer.json().await.unwrap();
        bench.token = answer["access_token"].as_str().unwrap().to_owned();
        let refused = bench.send("Get-OrganizationConfig", json!({})).await;
        assert_eq!(refused.status(), status);
        assert!(refused.text().await.unwrap().contains("isn't supported in this scenario"));
    }
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let bench = start(Options { token_life: Duration::ZERO, ..Options::default() }).await;
    assert_eq!(bench.send("Get-OrganizationConfig", json!({})).await.status(), 401);
}
