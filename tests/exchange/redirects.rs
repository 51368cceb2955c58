//! Redirects of both services: by the real names of their hosts, which detours lead to loopback.

use exorun::exchange::reach::Detour;

use super::*;
use crate::strange_service::{Answers, StrangeService};

const TOKEN: &str = "canary-token-of-the-redirects";
const GLOBAL: &str = "ps.compliance.protection.outlook.com";
const REGION: &str = "nam12b.ps.compliance.protection.outlook.com";

fn detour(host: &str, service: &StrangeService) -> Detour {
    let (to_host, to_port) = ("127.0.0.1".to_owned(), service.port());
    Detour { host: host.to_owned(), port: 443, to_host, to_port }
}

/// A client of `base`; each named host is one of the services.
fn client_of_hosts(base: &str, hosts: &[(&str, &StrangeService)]) -> Client {
    let authorities: String = hosts.iter().map(|(_, service)| service.ca_pem()).collect();
    let detours = hosts.iter().map(|(host, service)| detour(host, service)).collect();
    Client::new(&format!("https://{base}"), &authorities, "t", Http::One, |config| {
        config.family = Family::of([base.to_owned()]);
        config.connector = config.connector.clone().with_detours(detours);
    })
}

/// Lines of a request's head, in lower case.
fn head(request: &str) -> Vec<String> {
    request.split("\r\n\r\n").next().unwrap().lines().map(str::to_lowercase).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_global_compliance_host_is_asked_for_the_region_once_and_calls_go_there() {
    let admin = "https://nam12b.admin.protection.outlook.com:446/adminapi/v1.0/t/EXOModuleFile";
    let global = StrangeService::start(Answers::redirect(302, admin)).await;
    let region = StrangeService::start(Answers::page(json!([{"Name": "there"}]), None)).await;
    let client = client_of_hosts(GLOBAL, &[(GLOBAL, &global), (REGION, &region)]);
    for _ in 0..2 {
        let (mut connection, _) = client.open().await;
        for _ in 0..2 {
            let mut items = Items::default();
            connection
                .call(&SecretString::from(TOKEN), &request("Get-DlpCompliancePolicy", json!({})), &mut items)
                .await
                .unwrap();
            assert_eq!(items.items, [json!({"Name": "there"})]);
        }
        assert_eq!(connection.endpoint(), format!("https://{REGION}"));
        assert_eq!(connection.close().await, Closed::Cleanly);
    }
    let asked = global.requests();
    assert_eq!(asked.len(), 1, "two sessions, four calls: {asked:?}");
    let probe = head(&asked[0]);
    assert!(probe[0].starts_with("get /adminapi/v1.0/t/exomodulefile?version="), "{}", probe[0]);
    assert!(probe.contains(&format!("host: {GLOBAL}")), "{probe:?}");
    let calls = region.requests();
    assert_eq!(calls.len(), 4);
    for call in calls.iter().map(|call| head(call)) {
        assert_eq!(call[0], "post /adminapi/beta/t/invokecommand http/1.1");
        assert!(call.contains(&format!("host: {REGION}")), "{call:?}");
    }
    client.assert_over().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_the_front_door_redirects_is_sent_once_more_to_the_region_and_only_there() {
    let (front, europe) = ("outlook.office365.com", "eurprd04.outlook.office365.com");
    for status in [302, 307, 308] {
        let door = StrangeService::start(Answers::redirect(
            status,
            &format!("https://{europe}/adminapi/beta/t/InvokeCommand"),
        ))
        .await;
        let there = StrangeService::start(Answers::page(json!([]), None)).await;
        let client = client_of_hosts(front, &[(front, &door), (europe, &there)]);
        let (mut connection, _) = client.open().await;
        let write = request("Set-CASMailbox", json!({"Identity": "a", "PopEnabled": false}));
        let summary =
            connection.call(&SecretString::from(TOKEN), &write, &mut Items::default()).await.unwrap();
        assert_eq!((summary.requests, summary.retries), (2, 0), "following is no repeat");
        let bodies: Vec<String> = [door.requests(), there.requests()]
            .concat()
            .iter()
            .map(|request| request.split("\r\n\r\n").nth(1).unwrap().to_owned())
            .collect();
        assert_eq!(bodies.len(), 2);
        assert_eq!(bodies[0], bodies[1], "the same body");
        connection.close().await;
        client.assert_over().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_without_an_end_are_given_up_and_strangers_see_no_token() {
    let (front, other) = ("outlook.office365.com", "eurprd04.outlook.office365.com");
    let there =
        StrangeService::start(Answers::redirect(302, "https://eurprd05.outlook.office365.com/")).await;
    let back = StrangeService::start(Answers::redirect(302, &format!("https://{other}/"))).await;
    let hosts = [(front, &back), (other, &there), ("eurprd05.outlook.office365.com", &back)];
    let client = client_of_hosts(front, &hosts);
    let (mut connection, _) = client.open().await;
    let call = request("Get-AcceptedDomain", json!({}));
    let error = connection.call(&SecretString::from(TOKEN), &call, &mut Items::default()).await.unwrap_err();
    assert_eq!((error.kind, error.happened), (ErrorKind::Protocol, Happened::No), "{error}");
    assert_eq!(back.requests().len() + there.requests().len(), 4, "one request and three redirects");
    connection.close().await;

    let stranger = StrangeService::start(Answers::page(json!([]), None)).await;
    let door =
        StrangeService::start(Answers::redirect(302, "https://outlook.office365.com.evil.example/")).await;
    let client = client_of_hosts(front, &[(front, &door), ("outlook.office365.com.evil.example", &stranger)]);
    let (mut connection, _) = client.open().await;
    let error = connection.call(&SecretString::from(TOKEN), &call, &mut Items::default()).await.unwrap_err();
    assert!(
        error.message.contains("outlook.office365.com.evil.example is no host of this service"),
        "{error}"
    );
    assert_eq!(stranger.connections(), 0);
    connection.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_that_cannot_be_asked_leaves_a_write_undone_for_certain() {
    let busy = "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n";
    let global = StrangeService::start(Answers::once(busy)).await;
    let client = client_of_hosts(GLOBAL, &[(GLOBAL, &global)]);
    let (mut connection, _) = client.open().await;
    let write = request("Set-Label", json!({"Identity": "a"}));
    let error = connection.call(&SecretString::from(TOKEN), &write, &mut Items::default()).await.unwrap_err();
    assert_eq!(
        (error.kind, error.happened),
        (ErrorKind::Transient, Happened::No),
        "only a GET was sent: {error}"
    );
    assert_eq!(global.requests().len(), 3, "the question is repeated");
    connection.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_never_answered_is_left_again_and_no_other_session_goes_there() {
    let (front, dead) = ("outlook.office365.com", "eurprd99.outlook.office365.com");
    let door = StrangeService::start(Answers::redirect(302, &format!("https://{dead}/x"))).await;
    // A port where nobody listens.
    let gone = StrangeService::start(Answers::once("")).await.port();
    let nowhere = Detour { host: dead.to_owned(), port: 443, to_host: "127.0.0.1".to_owned(), to_port: gone };
    let client = Client::new(&format!("https://{front}"), door.ca_pem(), "t", Http::One, |config| {
        config.family = Family::of([front.to_owned()]);
        config.connector = config.connector.clone().with_detours(vec![detour(front, &door), nowhere]);
    });
    let (mut connection, _) = client.open().await;
    let read = request("Get-CASMailbox", json!({"Identity": "a"}));
    connection.call(&SecretString::from(TOKEN), &read, &mut Items::default()).await.unwrap_err();
    connection.close().await;
    let (further, _) = client.open().await;
    assert_eq!(further.endpoint(), format!("https://{front}"));
    further.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_303_says_that_it_was_done_and_is_not_followed() {
    let (front, europe) = ("outlook.office365.com", "eurprd04.outlook.office365.com");
    let door = StrangeService::start(Answers::redirect(303, &format!("https://{europe}/done"))).await;
    let there = StrangeService::start(Answers::page(json!([]), None)).await;
    let client = client_of_hosts(front, &[(front, &door), (europe, &there)]);
    let (mut connection, _) = client.open().await;
    let write = request("New-InboxRule", json!({"Name": "a"}));
    connection.call(&SecretString::from(TOKEN), &write, &mut Items::default()).await.unwrap_err();
    assert_eq!((door.requests().len(), there.requests().len()), (1, 0));
    connection.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirected_batch_names_the_new_host_in_its_members() {
    let (front, europe) = ("outlook.office365.com", "eurprd04.outlook.office365.com");
    let door = StrangeService::start(Answers::redirect(302, &format!("https://{europe}/x"))).await;
    let answers = json!({"responses": [
        {"id": "0", "status": 200, "body": {"value": []}},
        {"id": "1", "status": 200, "body": {"value": []}},
    ]});
    let answers = answers.to_string();
    let good = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{answers}", answers.len());
    let there = StrangeService::start(Answers::once(good)).await;
    let client = client_of_hosts(front, &[(front, &door), (europe, &there)]);
    let (mut connection, _) = client.open().await;
    let two = ["a", "b"].map(|name| request("Get-CASMailbox", json!({"Identity": name})));
    let mut sinks = [Items::default(), Items::default()];
    let mut members: Vec<_> = two
        .iter()
        .zip(&mut sinks)
        .map(|(request, sink)| exorun::exchange::Member { request, sink })
        .collect();
    for result in connection.batch(&SecretString::from(TOKEN), &mut members).await {
        result.unwrap();
    }
    let seen = there.requests();
    let body: Value = serde_json::from_str(seen[0].split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert!(
        body["requests"][0]["url"].as_str().unwrap().starts_with(&format!("https://{europe}/")),
        "{body}"
    );
    connection.close().await;
}
