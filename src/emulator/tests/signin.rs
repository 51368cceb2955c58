//! The sign-in service.

use super::*;

pub(super) const SCOPE: &str = "https://outlook.office365.com/.default";

/// Everything a person's sign-in can ask for.
pub(super) const PERSON_SCOPE: &str = "https://outlook.office365.com/.default openid profile offline_access";

/// A request of the token endpoint that must be refused: status, `error` and number.
pub(super) async fn refusal(emulator: &Emulator, form: &[(&str, &str)]) -> (u16, String, u64) {
    refused(sign_in(emulator, &client(emulator), form).await).await
}

/// Checks the form of a refusal as the protocol reference, 2.2, has it.
pub(super) async fn refused(answer: Response) -> (u16, String, u64) {
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    let code = body["error_codes"][0].as_u64().unwrap();
    let description = body["error_description"].as_str().unwrap();
    assert!(description.starts_with(&format!("AADSTS{code}: ")) && description.contains("\r\nTrace ID: "));
    for name in ["timestamp", "trace_id", "correlation_id", "error_uri"] {
        assert!(body[name].is_string(), "{name}");
    }
    (status, body["error"].as_str().unwrap().to_owned(), code)
}

/// A request of the token endpoint that must be answered with a token.
pub(super) async fn granted(emulator: &Emulator, form: &[(&str, &str)]) -> Value {
    let answer: Value = sign_in(emulator, &client(emulator), form).await.json().await.unwrap();
    assert!(answer["access_token"].is_string(), "{answer}");
    answer
}

/// The claims of a JWT.
pub(super) fn claims(jwt: &Value) -> Value {
    use base64::Engine as _;
    let claims = jwt.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

/// A POST of the control endpoint.
pub(super) async fn control(emulator: &Emulator, path: &str, body: &str) -> u16 {
    let url = format!("{}/{path}", emulator.control_url());
    client(emulator).post(url).body(body.to_owned()).send().await.unwrap().status().as_u16()
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
    for (name, at, issuer) in [
        ("contoso.onmicrosoft.com", id.as_str(), id.as_str()),
        ("CONTOSO.example", &id, &id),
        (&id, &id, &id),
        ("organizations", "organizations", "{tenantid}"),
        ("common", "common", "{tenantid}"),
    ] {
        let url = format!("{login}/{name}/v2.0/.well-known/openid-configuration");
        let found: Value = client.get(url).send().await.unwrap().json().await.unwrap();
        assert_eq!(found["issuer"], format!("{login}/{issuer}/v2.0"));
        for (member, path) in [
            ("token_endpoint", "oauth2/v2.0/token"),
            ("authorization_endpoint", "oauth2/v2.0/authorize"),
            ("device_authorization_endpoint", "oauth2/v2.0/devicecode"),
            ("jwks_uri", "discovery/v2.0/keys"),
        ] {
            assert_eq!(found[member], format!("{login}/{at}/{path}"));
        }
        let keys = client.get(found["jwks_uri"].as_str().unwrap()).send().await.unwrap();
        assert_eq!(keys.json::<Value>().await.unwrap()["keys"][0]["kty"], "EC");
        assert_eq!(found["tenant_region_scope"].is_string(), issuer == id);
        assert_eq!(found["cloud_instance_name"], "exorun-emulator.invalid");
    }
    let url = format!("{login}/nobody.example/v2.0/.well-known/openid-configuration");
    let answer = refused(client.get(url).send().await.unwrap()).await;
    assert_eq!(answer, (400, "invalid_tenant".to_owned(), 90_002));
    let url = format!("{login}/no-domain/v2.0/.well-known/openid-configuration");
    let answer = refused(client.get(url).send().await.unwrap()).await;
    assert_eq!(answer, (400, "invalid_request".to_owned(), 900_023));
}

#[tokio::test]
async fn an_application_without_its_proof_or_at_common_is_refused() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let secret = emulator.client_secret().to_owned();
    let module = "fb78d390-0c51-40cd-8e17-fdbfab77341b";
    assert_eq!(
        refusal(&emulator, &secret_form(module, &secret, SCOPE)).await,
        (401, "invalid_client".into(), 700_025)
    );
    let url = format!("{}/common/oauth2/v2.0/token", emulator.login_endpoint());
    let answer =
        client(&emulator).post(url).form(&secret_form(CLIENT_ID, &secret, SCOPE)).send().await.unwrap();
    assert_eq!(refused(answer).await, (400, "invalid_request".into(), 9_001_023));
    let granted = granted(&emulator, &secret_form(CLIENT_ID, &secret, SCOPE)).await;
    for name in ["refresh_token", "id_token", "client_info"] {
        assert_eq!(granted[name], Value::Null, "an application gets no {name}");
    }
    let compliance = "https://ps.compliance.protection.outlook.com/.default";
    let answer = sign_in(&emulator, &client(&emulator), &secret_form(CLIENT_ID, &secret, compliance)).await;
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(claims(&answer["access_token"])["aud"], "https://ps.compliance.protection.outlook.com");
}

/// A device code: what was issued, and the form that polls for its token.
async fn device_code(emulator: &Emulator, scope: &str) -> (Value, Vec<(&'static str, String)>) {
    let url = format!("{}/organizations/oauth2/v2.0/devicecode", emulator.login_endpoint());
    let form = [("client_id", CLIENT_ID), ("scope", scope)];
    let issued: Value = client(emulator).post(url).form(&form).send().await.unwrap().json().await.unwrap();
    let poll = vec![
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code".to_owned()),
        ("client_id", CLIENT_ID.to_owned()),
        ("device_code", issued["device_code"].as_str().unwrap().to_owned()),
        ("client_info", "1".to_owned()),
    ];
    (issued, poll)
}

fn borrowed(form: &[(&'static str, String)]) -> Vec<(&'static str, &'static str)> {
    form.iter().map(|(name, value)| (*name, &*String::leak(value.clone()))).collect()
}

#[tokio::test]
async fn a_device_code_is_approved_and_refreshed() {
    let options = Options { device_interval: Duration::from_millis(20), ..Options::default() };
    let emulator = Emulator::start(options).await.unwrap();
    let client = client(&emulator);
    let (issued, poll) = device_code(&emulator, PERSON_SCOPE).await;
    for name in ["user_code", "device_code", "verification_uri", "message"] {
        assert!(issued[name].is_string(), "{name}");
    }
    assert_eq!((issued["expires_in"].as_u64(), issued["interval"].as_u64()), (Some(900), Some(1)));
    assert_eq!(issued["verification_uri_complete"], Value::Null);
    let poll = borrowed(&poll);
    assert_eq!(refusal(&emulator, &poll).await, (400, "authorization_pending".to_owned(), 70_016));
    let approve = format!("device/{}", issued["user_code"].as_str().unwrap());
    assert_eq!(control(&emulator, &approve, "approve").await, 204);
    Options::default().clocks.sleep(Duration::from_millis(30)).await;
    let answer: Value = sign_in(&emulator, &client, &poll).await.json().await.unwrap();
    let first = answer["refresh_token"].as_str().expect("offline_access was asked for").to_owned();
    let scope = answer["scope"].as_str().unwrap();
    assert!(scope.contains("/.default") && scope.contains("openid"), "{scope}");
    let (id, access) = (claims(&answer["id_token"]), claims(&answer["access_token"]));
    assert_eq!(id["aud"], CLIENT_ID);
    assert_eq!(id["preferred_username"], "admin@contoso.onmicrosoft.com");
    assert_eq!((&id["oid"], &id["tid"]), (&access["oid"], &access["tid"]));
    let info = claims(&json!(format!(".{}", answer["client_info"].as_str().unwrap())));
    assert_eq!((&info["uid"], &info["utid"]), (&id["oid"], &id["tid"]));
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", CLIENT_ID),
        ("refresh_token", &first),
        ("scope", SCOPE),
    ];
    let answer: Value = sign_in(&emulator, &client, &form).await.json().await.unwrap();
    assert_ne!(answer["refresh_token"].as_str().unwrap(), first, "rotated");
    assert_eq!(answer["id_token"], Value::Null, "openid was not asked for");
    let bench = Bench { token: answer["access_token"].as_str().unwrap().to_owned(), emulator, client };
    bench.call("Get-OrganizationConfig", json!({})).await;
    let record = bench.control("requests").await.to_string();
    for canary in [issued["device_code"].as_str().unwrap(), &first, &bench.token] {
        assert!(!record.contains(canary), "a secret is in the record");
    }
}

#[tokio::test]
async fn a_device_code_is_polled_too_fast_declined_expired_and_unknown() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let (issued, poll) = device_code(&emulator, PERSON_SCOPE).await;
    let mut poll = borrowed(&poll);
    assert_eq!(refusal(&emulator, &poll).await, (400, "authorization_pending".into(), 70_016));
    assert_eq!(refusal(&emulator, &poll).await.1, "slow_down");
    poll[2].1 = "nobody-was-given-this";
    assert_eq!(refusal(&emulator, &poll).await, (400, "bad_verification_code".into(), 70_018));
    // MSAL for JavaScript names the grant in short.
    let (declined, poll) = device_code(&emulator, PERSON_SCOPE).await;
    let mut poll = borrowed(&poll);
    poll[0].1 = "device_code";
    let decline = format!("device/{}", declined["user_code"].as_str().unwrap());
    assert_eq!(control(&emulator, &decline, "decline").await, 204);
    assert_eq!(refusal(&emulator, &poll).await.1, "authorization_declined");
    assert_eq!(control(&emulator, &decline, "perhaps").await, 400);
    let approve = format!("device/{}", issued["user_code"].as_str().unwrap());
    assert_eq!(control(&emulator, &approve, "approve nobody@contoso.onmicrosoft.com").await, 204);

    let emulator =
        Emulator::start(Options { device_life: Duration::ZERO, ..Options::default() }).await.unwrap();
    let (_, poll) = device_code(&emulator, PERSON_SCOPE).await;
    assert_eq!(refusal(&emulator, &borrowed(&poll)).await, (400, "expired_token".into(), 70_019));
}

#[tokio::test]
async fn an_approved_device_code_of_a_person_with_trouble_is_an_invalid_grant() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    for (trouble, code) in [("AADSTS53003", 53_003), ("50076", 50_076), ("AADSTS65001", 65_001)] {
        let trouble = format!("ADMIN@contoso.onmicrosoft.com={trouble}");
        assert_eq!(control(&emulator, "signin-trouble", &trouble).await, 204);
        let (issued, poll) = device_code(&emulator, PERSON_SCOPE).await;
        let approve = format!("device/{}", issued["user_code"].as_str().unwrap());
        assert_eq!(control(&emulator, &approve, "approve").await, 204);
        assert_eq!(refusal(&emulator, &borrowed(&poll)).await, (400, "invalid_grant".into(), code));
    }
    for bad in ["admin@contoso.onmicrosoft.com", "admin=AADSTS50076", "a@b=AADSTS1", "a@b=x"] {
        assert_eq!(control(&emulator, "signin-trouble", bad).await, 400, "{bad}");
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
