//! Section 9 of the protocol reference, "Auth on API": the challenge once per token, roles, users who are kept out; 2.1, 2.11.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::tokens::{Rights, Subject};
use super::*;

const EXCHANGE: &str = "https://outlook.office365.com/.default";

impl Bench {
    async fn token_with_claims(&self, claims: &Value) -> String {
        let claims = claims.to_string();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", CLIENT_ID),
            ("client_secret", self.emulator.client_secret()),
            ("scope", EXCHANGE),
            ("claims", &claims),
        ];
        let answer: Value = sign_in(&self.emulator, &self.client, &form).await.json().await.unwrap();
        answer["access_token"].as_str().expect("a token").to_owned()
    }

    async fn status_with(&self, token: &str, cmdlet: &str, parameters: Value) -> u16 {
        let request = self.client.post(self.url()).bearer_auth(token).header("X-AnchorMailbox", APP);
        let body = json!({"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}});
        request.json(&body).send().await.unwrap().status().as_u16()
    }

    /// Gives the application of the bench these roles, and a new token.
    async fn with_roles(&mut self, roles: &[&str]) {
        let url = format!("{}/roles", self.emulator.control_url());
        let answer = self.client.post(url).json(&json!({CLIENT_ID: roles})).send().await.unwrap();
        assert_eq!(answer.status(), 204);
        self.token = self.token_with_claims(&json!({})).await;
    }
}

/// What a challenge asks for; `None` if the answer is none.
fn challenge(answer: &Response) -> Option<Value> {
    let header = answer.headers().get("www-authenticate")?.to_str().ok()?;
    assert!(header.starts_with("Bearer realm=\"\", authorization_uri=\"https://127.0.0.1:"), "{header}");
    assert!(header.contains("error=\"insufficient_claims\""), "{header}");
    let (_, claims) = header.split_once("claims=\"")?;
    serde_json::from_slice(&STANDARD.decode(claims.strip_suffix('"')?).ok()?).ok()
}

/// The challenge's claims, with the declaration that a client adds.
fn merged(challenge: &Value) -> Value {
    let mut claims = challenge.clone();
    claims["access_token"]["xms_cc"] = json!({"values": ["cp1"]});
    claims
}

#[tokio::test]
async fn a_token_is_challenged_until_one_comes_that_was_asked_for_with_the_claims() {
    let bench = faulty(&["cae"]).await;
    let refused = bench.send("Get-TransportConfig", json!({})).await;
    assert_eq!(refused.status(), 401);
    let claims = challenge(&refused).expect("a challenge");
    assert_eq!(refused.bytes().await.unwrap().len(), 0, "no body");
    let deaf = bench.token_with_claims(&json!({"access_token": {"xms_cc": {"values": ["cp1"]}}})).await;
    assert_eq!(bench.status_with(&deaf, "Get-TransportConfig", json!({})).await, 401);
    let good = bench.token_with_claims(&merged(&claims)).await;
    assert_eq!(bench.status_with(&good, "Get-TransportConfig", json!({})).await, 200);
}

#[tokio::test]
async fn a_challenge_can_spare_clients_that_never_declared_themselves() {
    let bench = faulty(&["cae:clients=declared"]).await;
    assert_eq!(bench.send("Get-TransportConfig", json!({})).await.status(), 200);
    let declared = bench.token_with_claims(&json!({"access_token": {"xms_cc": {"values": ["cp1"]}}})).await;
    assert_eq!(bench.status_with(&declared, "Get-TransportConfig", json!({})).await, 401);
}

#[tokio::test]
async fn what_is_asked_of_a_user_no_application_can_answer() {
    let bench = faulty(&["cae:asks=user"]).await;
    let claims = challenge(&bench.send("Get-TransportConfig", json!({})).await).expect("a challenge");
    let again = bench.token_with_claims(&merged(&claims)).await;
    assert_eq!(bench.status_with(&again, "Get-TransportConfig", json!({})).await, 401);
}

#[tokio::test]
async fn a_missing_token_is_a_401_with_a_challenge_but_without_claims() {
    let bench = start(Options::default()).await;
    for token in ["", "junk"] {
        let answer = bench.client.post(bench.url()).bearer_auth(token).body("{}").send().await.unwrap();
        let header = answer.headers()["www-authenticate"].to_str().unwrap().to_owned();
        assert_eq!(answer.status(), 401);
        assert!(header.contains("error=\"invalid_token\"") && !header.contains("claims="), "{header}");
    }
}

#[tokio::test]
async fn roles_decide_which_cmdlets_and_parameters_exist() {
    let mut bench = start(Options::default()).await;
    let identity = bench.call("Get-Mailbox", json!({"ResultSize": 1})).await["value"][0]["Guid"].clone();
    let name = json!({"Identity": identity, "Office": "1"});
    bench.with_roles(&["GlobalReader"]).await;
    assert_eq!(bench.send("Get-Mailbox", json!({"Identity": identity})).await.status(), 200);
    let hidden = bench.send("Set-Mailbox", name.clone()).await;
    let unknown = bench.send("Set-Nothing", json!({})).await;
    for name in ["content-encoding", "content-type", "x-ms-diagnostics"] {
        assert_eq!(hidden.headers().get(name), unknown.headers().get(name), "{name}");
    }
    assert_eq!((hidden.status().as_u16(), unknown.status().as_u16()), (403, 403));
    bench.with_roles(&["ExchangeRecipientAdministrator"]).await;
    assert_eq!(bench.send("Set-Mailbox", name).await.status(), 200);
    assert_eq!(bench.send("Set-TransportConfig", json!({"ClearCategories": false})).await.status(), 403);
    let hold = json!({"Identity": identity, "LitigationHoldEnabled": true});
    let (status, text) = bench.fails("Set-Mailbox", hold.clone()).await;
    let (_, unknown) = bench.fails("Set-Mailbox", json!({"Identity": identity, "Nonsense": true})).await;
    assert_eq!((status, text.replace("LitigationHoldEnabled", "Nonsense")), (400, unknown));
    bench.with_roles(&[]).await;
    assert_eq!(bench.send("Set-Mailbox", hold).await.status(), 200, "every right again");
    let url = format!("{}/roles", bench.emulator.control_url());
    for bad in [json!({CLIENT_ID: ["Chef"]}), json!({CLIENT_ID: "GlobalReader"}), json!([])] {
        assert_eq!(bench.client.post(&url).json(&bad).send().await.unwrap().status(), 400, "{bad}");
    }
}

#[tokio::test]
async fn roles_can_be_there_from_the_start() {
    let roles = vec![format!("{CLIENT_ID}=GlobalReader").parse().unwrap()];
    let bench = start(Options { roles, ..Options::default() }).await;
    assert_eq!(bench.send("Set-TransportConfig", json!({"ClearCategories": false})).await.status(), 403);
}

#[tokio::test]
async fn a_user_whose_module_is_off_is_refused() {
    let bench = start(Options::default()).await;
    let user = bench.call("Get-User", json!({"ResultSize": 1})).await["value"][0].clone();
    let upn = user["UserPrincipalName"].as_str().unwrap().to_owned();
    let state = &bench.emulator.state;
    let subject = Subject {
        client_id: CLIENT_ID.to_owned(),
        oid: Uuid::new_v4(),
        upn: Some(upn),
        rights: Rights::Full,
    };
    let token = state.tokens.issue(&subject, "https://outlook.office365.com", state.wall(), 600);
    assert_eq!(bench.status_with(&token, "Get-TransportConfig", json!({})).await, 200);
    bench
        .call("Set-User", json!({"Identity": user["Guid"], "EXOModuleEnabled": false, "Confirm": false}))
        .await;
    assert_eq!(bench.status_with(&token, "Get-TransportConfig", json!({})).await, 403);
    assert_eq!(bench.send("Get-TransportConfig", json!({})).await.status(), 200, "others are not");
}
