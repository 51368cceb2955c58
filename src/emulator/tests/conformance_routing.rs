//! Section 9 of the protocol reference, "Routing" and "Auth on API": hosts, audiences, anchors, plans; 1.2, 1.3, 3.3.

use super::*;

const COMPLIANCE: &str = "https://ps.compliance.protection.outlook.com/.default";

/// The anchor that Security & Compliance wants.
const DOMAIN_ANCHOR: &str = APP;

impl Bench {
    async fn token_for(&self, scope: &str) -> String {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", CLIENT_ID),
            ("client_secret", self.emulator.client_secret()),
            ("scope", scope),
        ];
        let answer: Value = sign_in(&self.emulator, &self.client, &form).await.json().await.unwrap();
        answer["access_token"].as_str().expect("a token").to_owned()
    }

    fn path(&self, operation: &str) -> String {
        format!("/adminapi/beta/{}/{operation}", self.emulator.tenant_id())
    }
}

/// A client that does not follow the way it is sent.
fn steady(emulator: &Emulator) -> Client {
    let ca = reqwest::Certificate::from_pem(emulator.ca_pem().as_bytes()).unwrap();
    let builder = Client::builder().tls_certs_only([ca]).no_proxy();
    builder.redirect(reqwest::redirect::Policy::none()).timeout(Duration::from_secs(20)).build().unwrap()
}

fn cmdlet(name: &str) -> Value {
    json!({"CmdletInput": {"CmdletName": name, "Parameters": {}}})
}

#[tokio::test]
async fn the_global_host_of_compliance_sends_the_first_request_on_and_fails_the_cmdlets_after_it() {
    let bench = start(Options { compliance_region: "eur02b".to_owned(), ..Options::default() }).await;
    let token = bench.token_for(COMPLIANCE).await;
    let client = steady(&bench.emulator);
    let path = bench.path("EXOModuleFile?Version=3.9.2");
    let url = format!("{}{path}", bench.emulator.compliance_endpoint());
    let bare = client.get(&url).send().await.unwrap();
    assert_eq!(bare.status(), 401, "only who has a token is sent on");
    let sent_on = steady(&bench.emulator).get(&url).bearer_auth(&token).send().await.unwrap();
    assert_eq!(sent_on.status(), 302);
    assert_eq!(
        sent_on.headers()["location"],
        format!("https://eur02b.admin.protection.outlook.com:446{path}")
    );
    let client = steady(&bench.emulator);
    let invoke = format!("{}{}", bench.emulator.compliance_endpoint(), bench.path("InvokeCommand"));
    let ask = async || {
        let request = client.post(&invoke).bearer_auth(&token).header("X-AnchorMailbox", DOMAIN_ANCHOR);
        request.json(&cmdlet("Get-User")).send().await.unwrap()
    };
    assert_eq!(ask().await.status(), 302, "the first of a transport");
    let failed = ask().await;
    assert_eq!(failed.status(), 500);
    assert!(failed.text().await.unwrap().contains("organization container"));
    assert_eq!(bench.emulator.counters().sessions.opened, 0, "nobody was let in");
}

#[tokio::test]
async fn the_region_serves_the_cmdlets_of_compliance_only() {
    let bench = start(Options::default()).await;
    let token = bench.token_for(COMPLIANCE).await;
    let url = format!("{}{}", bench.emulator.compliance_region_endpoint(), bench.path("InvokeCommand"));
    let ask = async |name: &str, anchor: &str| {
        let request = bench.client.post(&url).bearer_auth(&token).header("X-AnchorMailbox", anchor);
        let answer = request.json(&cmdlet(name)).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (status, users) = ask("Get-User", DOMAIN_ANCHOR).await;
    assert_eq!((status, users["value"].as_array().unwrap().len()), (200, 50));
    for hidden in ["Get-Mailbox", "Get-Nothing"] {
        let (status, body) = ask(hidden, DOMAIN_ANCHOR).await;
        assert_eq!((status, &body["error"]["code"]), (403, &json!("Forbidden")));
        assert_eq!(body["error"]["message"], format!("The user is not allowed to call {hidden}."));
    }
    let by_id = APP.replace("contoso.onmicrosoft.com", &bench.emulator.tenant_id().to_string());
    for bad in [by_id.as_str(), "APP:nobody@contoso.example"] {
        let (status, body) = ask("Get-User", bad).await;
        assert!(status == 500 && body.to_string().contains("organization container"), "{bad}: {body}");
    }
}

#[tokio::test]
async fn each_door_takes_tokens_of_its_own_audience_only() {
    let bench = start(Options::default()).await;
    let compliance = bench.token_for(COMPLIANCE).await;
    for (endpoint, token, status) in [
        (bench.emulator.exchange_endpoint(), &bench.token, 200),
        (bench.emulator.exchange_endpoint(), &compliance, 401),
        (bench.emulator.compliance_region_endpoint(), &bench.token, 401),
        (bench.emulator.compliance_region_endpoint(), &compliance, 200),
    ] {
        let url = format!("{endpoint}{}", bench.path("InvokeCommand"));
        let request = bench.client.post(url).bearer_auth(token).header("X-AnchorMailbox", DOMAIN_ANCHOR);
        let answer = request.json(&cmdlet("Get-User")).send().await.unwrap();
        assert_eq!(answer.status(), status, "{endpoint}");
        assert_eq!(answer.headers().contains_key("www-authenticate"), status == 401);
    }
}

#[tokio::test]
async fn an_accounts_sessions_are_counted_over_all_doors() {
    let bench = start(Options { session_limit: 2, ..Options::default() }).await;
    let compliance = bench.token_for(COMPLIANCE).await;
    let region = bench.emulator.compliance_region_endpoint();
    let exchange = bench.emulator.exchange_endpoint();
    let mut statuses = Vec::new();
    for (endpoint, token, id) in
        [(&exchange, &bench.token, "a"), (&region, &compliance, "b"), (&exchange, &bench.token, "c")]
    {
        let url = format!("{endpoint}{}", bench.path("InvokeCommand"));
        let request = bench.client.post(url).bearer_auth(token).header("X-AnchorMailbox", DOMAIN_ANCHOR);
        let answer = request.header("connection-id", id).json(&cmdlet("Get-User")).send().await.unwrap();
        statuses.push(answer.status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 429]);
}

#[tokio::test]
async fn the_first_transport_of_each_door_is_a_session_of_its_own() {
    let bench = start(Options::default()).await;
    let compliance = bench.token_for(COMPLIANCE).await;
    let doors = [
        (bench.emulator.exchange_endpoint(), &bench.token),
        (bench.emulator.compliance_region_endpoint(), &compliance),
    ];
    for (endpoint, token) in doors {
        let url = format!("{endpoint}{}", bench.path("InvokeCommand"));
        let request = bench.client.post(url).bearer_auth(token).header("X-AnchorMailbox", DOMAIN_ANCHOR);
        assert_eq!(request.json(&cmdlet("Get-User")).send().await.unwrap().status(), 200);
    }
    assert_eq!(bench.emulator.counters().sessions.opened, 2, "both are transport 1 of their port");
}

#[tokio::test]
async fn a_front_door_sends_callers_to_its_regional_name() {
    let bench = start(Options { front_door: Some("eur05".to_owned()), ..Options::default() }).await;
    let path = bench.path("InvokeCommand?$select=Guid");
    let client = steady(&bench.emulator);
    let address = bench.emulator.exchange.address();
    let sent_on = client.post(format!("https://{address}{path}")).bearer_auth(&bench.token);
    let sent_on = sent_on.json(&cmdlet("Get-User")).send().await.unwrap();
    assert_eq!(sent_on.status(), 302);
    assert_eq!(sent_on.headers()["location"], format!("https://eur05.outlook.office365.com{path}"));
    // The certificate is good for the real names, for clients that are told where to connect.
    let ca = reqwest::Certificate::from_pem(bench.emulator.ca_pem().as_bytes()).unwrap();
    let client = Client::builder().tls_certs_only([ca]).no_proxy();
    let client = client.resolve("eur05.outlook.office365.com", address).build().unwrap();
    let url = format!("https://eur05.outlook.office365.com:{}{path}", address.port());
    let answer = client.post(url).bearer_auth(&bench.token).json(&cmdlet("Get-User")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let body: Value = answer.json().await.unwrap();
    let context = body["@odata.context"].as_str().unwrap();
    assert!(context.starts_with("https://eur05.outlook.office365.com:"), "the host that was used: {context}");
}

#[tokio::test]
async fn protection_alone_has_fewer_cmdlets() {
    let bench = start(Options { plan: Plan::Eop, ..Options::default() }).await;
    assert_eq!(bench.send("Get-AcceptedDomain", json!({})).await.status(), 200);
    assert_eq!(bench.send("Get-Mailbox", json!({})).await.status(), 403);
    assert_eq!(bench.send("Get-TransportConfig", json!({})).await.status(), 403);
}

#[tokio::test]
async fn the_audit_configuration_is_written_through_its_own_mailbox_only() {
    let bench = start(Options::default()).await;
    let set = json!({"CmdletInput": {
        "CmdletName": "Set-AdminAuditLogConfig",
        "Parameters": {"UnifiedAuditLogIngestionEnabled": false},
    }});
    for (anchor, status) in [(APP, 403), (AUDIT, 200)] {
        let request =
            bench.client.post(bench.url()).bearer_auth(&bench.token).header("X-AnchorMailbox", anchor);
        assert_eq!(request.json(&set).send().await.unwrap().status(), status, "{anchor}");
    }
}

#[tokio::test]
async fn both_versions_and_both_names_of_the_tenant_are_answered_and_others_are_not() {
    let bench = start(Options::default()).await;
    let exchange = bench.emulator.exchange_endpoint();
    let id = bench.emulator.tenant_id();
    for (path, status) in [
        (format!("/AdminApi/v1.0/{id}/InvokeCommand"), 200),
        ("/adminapi/beta/contoso.onmicrosoft.com/InvokeCommand".to_owned(), 200),
        ("/adminapi/beta/other.example/InvokeCommand".to_owned(), 403),
        (format!("/adminapi/v9/{id}/InvokeCommand"), 404),
        (format!("/adminapi/beta/{id}/Nothing"), 404),
    ] {
        let answer =
            bench.request(&format!("{exchange}{path}"), "Get-User", &json!({})).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
    }
}
