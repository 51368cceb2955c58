//! Redirects of both services: by the real names of their hosts, which detours lead to loopback.

use exorun::exchange::transport::Detour;

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
