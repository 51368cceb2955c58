//! Signing in as a person: name and password, what stops people, the realm, refresh.

use super::signin::{PERSON_SCOPE, SCOPE, claims, control, granted, refusal, refused};
use super::*;

const ADMIN: &str = "admin@contoso.onmicrosoft.com";
const PASSWORD: &str = "made-up-1f7a-password";

fn options() -> Options {
    Options { user_password: Some(PASSWORD.to_owned()), ..Options::default() }
}

fn password<'a>(username: &'a str, password: &'a str) -> [(&'a str, &'a str); 5] {
    [
        ("grant_type", "password"),
        ("client_id", CLIENT_ID),
        ("scope", PERSON_SCOPE),
        ("username", username),
        ("password", password),
    ]
}

fn refresh(token: &Value, client_id: &'static str, scope: &'static str) -> [(&'static str, &'static str); 4] {
    [
        ("grant_type", "refresh_token"),
        ("client_id", client_id),
        ("refresh_token", String::leak(token.as_str().unwrap().to_owned())),
        ("scope", scope),
    ]
}

/// The user principal names of a mailbox that a person holds, and of one that nobody signs in to.
async fn holders(emulator: &Emulator) -> (String, String) {
    let bench = start(Options::default()).await;
    assert_eq!(bench.emulator.tenant_id(), emulator.tenant_id(), "the same seed, the same people");
    let users = bench.call("Get-User", json!({"ResultSize": "Unlimited"})).await;
    let of = |kind: &str| {
        let all = users["value"].as_array().unwrap();
        let user = all.iter().find(|user| user["RecipientTypeDetails"] == kind).unwrap();
        user["UserPrincipalName"].as_str().unwrap().to_owned()
    };
    (of("UserMailbox"), of("SharedMailbox"))
}

#[tokio::test]
async fn a_password_is_right_wrong_or_nobodys() {
    let emulator = Emulator::start(options()).await.unwrap();
    let (person, shared) = holders(&emulator).await;
    let answer = granted(&emulator, &password(ADMIN, PASSWORD)).await;
    let access = claims(&answer["access_token"]);
    assert_eq!(
        (access["upn"].as_str(), access["aud"].as_str()),
        (Some(ADMIN), Some("https://outlook.office365.com"))
    );
    let answer = granted(&emulator, &password(&person, PASSWORD)).await;
    let access = claims(&answer["access_token"]);
    assert_eq!(access["upn"], person);
    assert_eq!(access["wids"], Value::Null, "who only holds a mailbox has no directory role");
    for (user, word, code) in [
        (ADMIN, "wrong", 50_126),
        (&shared, PASSWORD, 50_057),
        ("nobody@contoso.onmicrosoft.com", PASSWORD, 50_034),
    ] {
        assert_eq!(refusal(&emulator, &password(user, word)).await, (400, "invalid_grant".into(), code));
    }
    let client = client(&emulator);
    let url = |tenant: &str| format!("{}/{tenant}/oauth2/v2.0/token", emulator.login_endpoint());
    let form = password(ADMIN, PASSWORD);
    let answer = client.post(url("common")).form(&form).send().await.unwrap();
    assert_eq!(
        refused(answer).await,
        (400, "invalid_request".into(), 9_001_023),
        "ROPC is refused on /common"
    );
    assert_eq!(client.post(url("organizations")).form(&form).send().await.unwrap().status(), 200);
    let record: Value = client
        .get(format!("{}/requests", emulator.control_url()))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(!record.to_string().contains(PASSWORD), "a password is in the record");
}

#[tokio::test]
async fn scopes_by_name_are_of_one_known_resource() {
    let emulator = Emulator::start(options()).await.unwrap();
    let asked = |scope: &'static str| {
        let mut form = password(ADMIN, PASSWORD);
        form[2].1 = scope;
        form
    };
    let answer = granted(&emulator, &asked("https://outlook.office365.com/Exchange.Manage")).await;
    assert!(answer["scope"].as_str().unwrap().contains("/Exchange.Manage"), "{answer}");
    assert_eq!((&answer["refresh_token"], &answer["id_token"]), (&Value::Null, &Value::Null));
    for (scope, error, code) in [
        ("openid", "invalid_scope", 70_011),
        ("https://outlook.office365.com/a https://outlook.office365.us/a", "invalid_scope", 70_011),
        ("https://127.0.0.1/Exchange.Manage", "invalid_resource", 500_011),
    ] {
        assert_eq!(refusal(&emulator, &asked(scope)).await, (400, error.to_owned(), code), "{scope}");
    }
}

#[tokio::test]
async fn a_person_meets_the_trouble_of_the_trigger() {
    let trouble = |text: &str| text.parse::<SigninTrouble>().unwrap();
    let emulator = Emulator::start(Options {
        signin_trouble: vec![trouble("admin@contoso.onmicrosoft.com=AADSTS50076")],
        ..options()
    })
    .await
    .unwrap();
    let answer = sign_in(&emulator, &client(&emulator), &password(ADMIN, PASSWORD)).await;
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(
        (answer["error"].as_str(), answer["suberror"].as_str()),
        (Some("invalid_grant"), Some("basic_action"))
    );
    let claims: Value = serde_json::from_str(answer["claims"].as_str().unwrap()).unwrap();
    assert!(claims["access_token"].is_object());
    let wrong = refusal(&emulator, &password(ADMIN, "wrong")).await;
    assert_eq!(wrong.2, 50_126, "a wrong password comes before a second factor");
    for code in [50_053, 50_034, 50_057, 50_079, 53_003] {
        let line = format!("{ADMIN}=AADSTS{code}");
        assert_eq!(control(&emulator, "signin-trouble", &line).await, 204);
        assert_eq!(refusal(&emulator, &password(ADMIN, PASSWORD)).await, (400, "invalid_grant".into(), code));
    }
    assert_eq!(control(&emulator, "signin-trouble", &format!("{ADMIN}=AADSTS50053")).await, 204);
    assert_eq!(
        refusal(&emulator, &password(ADMIN, "wrong")).await.2,
        50_053,
        "a locked account says nothing else"
    );
    assert_eq!(control(&emulator, "signin-trouble", &format!("{ADMIN}=none")).await, 204);
    granted(&emulator, &password(ADMIN, PASSWORD)).await;
}

#[tokio::test]
async fn the_realm_tells_managed_federated_and_unknown_people() {
    let emulator = Emulator::start(options()).await.unwrap();
    let client = client(&emulator);
    let realm = async |path: &str| -> Value {
        let url = format!("{}/{path}", emulator.login_endpoint());
        client.get(url).send().await.unwrap().json().await.unwrap()
    };
    let managed = realm("common/UserRealm/admin%40contoso.onmicrosoft.com?api-version=1.0").await;
    assert_eq!((managed["ver"].as_str(), managed["account_type"].as_str()), (Some("1.0"), Some("Managed")));
    assert_eq!(managed["domain_name"], "contoso.onmicrosoft.com");
    assert_eq!(managed["cloud_audience_urn"], "urn:federation:MicrosoftOnline");
    assert_eq!(managed["federation_protocol"], Value::Null);
    let unknown = realm("common/userrealm/a@elsewhere.example?api-version=1.0").await;
    assert_eq!(unknown["account_type"], "Unknown");
    assert_eq!(control(&emulator, "signin-trouble", &format!("{ADMIN}=federated")).await, 204);
    let federated = realm("common/UserRealm/admin@contoso.onmicrosoft.com?api-version=1.0").await;
    assert_eq!(federated["account_type"], "Federated");
    assert_eq!(federated["federation_protocol"], "WSTrust");
    assert!(
        federated["federation_metadata_url"].is_string()
            && federated["federation_active_auth_url"].is_string()
    );
    let line = "a+b@contoso.onmicrosoft.com=federated";
    assert_eq!(control(&emulator, "signin-trouble", line).await, 204);
    let plus = realm("common/UserRealm/a+b@contoso.onmicrosoft.com?api-version=1.0").await;
    assert_eq!(plus["account_type"], "Federated", "in a path a plus is only a plus");
    let newer = realm(&format!("common/userrealm/?user={ADMIN}&api-version=2.1")).await;
    assert_eq!(
        (newer["NameSpaceType"].as_str(), newer["DomainName"].as_str()),
        (Some("Federated"), Some("contoso.onmicrosoft.com"))
    );
    assert!(newer["AuthURL"].is_string() && newer["CloudInstanceName"].is_string());
    let newer = realm("common/userrealm/?user=b@contoso.example&api-version=2.1").await;
    assert_eq!((newer["NameSpaceType"].as_str(), newer["AuthURL"].is_null()), (Some("Managed"), true));
    let none = realm("common/UserRealm/a@b?api-version=9").await;
    assert_eq!(none["error"], "invalid_request");
    assert_eq!(
        refusal(&emulator, &password(ADMIN, PASSWORD)).await.2,
        50_056,
        "Entra has no password of theirs"
    );
}

#[tokio::test]
async fn a_refresh_token_rotates_is_bound_to_its_client_and_reaches_another_resource() {
    let emulator = Emulator::start(options()).await.unwrap();
    let first = granted(&emulator, &password(ADMIN, PASSWORD)).await["refresh_token"].clone();
    let second = granted(&emulator, &refresh(&first, CLIENT_ID, SCOPE)).await["refresh_token"].clone();
    assert_ne!(first, second);
    granted(&emulator, &refresh(&first, CLIENT_ID, SCOPE)).await;
    let compliance = "https://ps.compliance.protection.outlook.com/.default";
    let other = granted(&emulator, &refresh(&second, CLIENT_ID, compliance)).await;
    assert_eq!(claims(&other["access_token"])["aud"], "https://ps.compliance.protection.outlook.com");
    let foreign = "22222222-3333-4444-5555-666666666666";
    assert_eq!(
        refusal(&emulator, &refresh(&second, foreign, SCOPE)).await,
        (400, "invalid_grant".into(), 70_000)
    );
    assert_eq!(control(&emulator, "signin-trouble", &format!("{ADMIN}=AADSTS50173")).await, 204);
    assert_eq!(
        refusal(&emulator, &refresh(&second, CLIENT_ID, SCOPE)).await,
        (400, "invalid_grant".into(), 50_173)
    );

    let emulator = Emulator::start(Options { refresh_reuse: Reuse::Refuse, ..options() }).await.unwrap();
    let first = granted(&emulator, &password(ADMIN, PASSWORD)).await["refresh_token"].clone();
    granted(&emulator, &refresh(&first, CLIENT_ID, SCOPE)).await;
    assert_eq!(
        refusal(&emulator, &refresh(&first, CLIENT_ID, SCOPE)).await,
        (400, "invalid_grant".into(), 70_000)
    );
    let emulator = Emulator::start(Options { refresh_life: Duration::ZERO, ..options() }).await.unwrap();
    let first = granted(&emulator, &password(ADMIN, PASSWORD)).await["refresh_token"].clone();
    assert_eq!(
        refusal(&emulator, &refresh(&first, CLIENT_ID, SCOPE)).await,
        (400, "invalid_grant".into(), 700_082)
    );
}

#[tokio::test]
async fn claims_of_a_token_request_are_taken_and_recorded() {
    let emulator = Emulator::start(options()).await.unwrap();
    let wanted = r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#;
    let form = [&password(ADMIN, PASSWORD)[..], &[("claims", wanted)]].concat();
    granted(&emulator, &form).await;
    assert_eq!(emulator.requests()[0]["body"]["claims"], wanted);
}
