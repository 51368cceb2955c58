//! `method: managed_identity`: the instance metadata service and App Service.

use std::net::{IpAddr, UdpSocket};

use serde_json::json;

use super::components::show;
use super::program::Tenant;
use super::responder::{serve, serve_at};
use super::{run_with, small, token};

const OWN: &str = "99999999-8888-7777-6666-555555555555";
const OTHER: &str = "99999999-8888-7777-6666-000000000000";

fn auth(more: &str) -> String {
    format!("  method: managed_identity\n{more}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_signs_in_as_itself() {
    let tenant = Tenant::start(small()).await;
    let endpoint = tenant.emulator.identity_endpoint();
    let variables = [("EXORUN_IDENTITY_ENDPOINT", endpoint.as_str())];
    for more in [String::new(), format!("  client_id: {OWN}\n")] {
        let good = run_with(&tenant, &auth(&more), &variables).await;
        good.assert_code(0);
        assert!(good.stderr.contains(OWN), "{}", good.stderr);
    }
    let unknown = run_with(&tenant, &auth(&format!("  client_id: {OTHER}\n")), &variables).await;
    unknown.assert_code(77);
    assert!(
        unknown.stdout.contains("Identity not found -> assign the identity with this client_id"),
        "{}",
        unknown.stdout
    );
}

/// By which this host is reached from elsewhere: no rule keeps proxies away from it, as from loopback. Nothing is sent.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.connect("198.51.100.1:9").ok()?;
    Some(socket.local_addr().unwrap().ip()).filter(|address| !address.is_loopback())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_is_never_asked_through_a_proxy() {
    let Some(address) = own_address() else {
        return show("a_machine_is_never_asked_through_a_proxy", "this host has no address besides loopback");
    };
    let tenant = Tenant::start(small()).await;
    let (proxy, through) = serve(vec![(502, "a proxy's page".to_owned())]).await;
    let good = json!({"access_token": token(&tenant, None), "expires_in": "86000", "token_type": "Bearer"});
    let (endpoint, asked) = serve_at(address, vec![(200, good.to_string())]).await;
    let endpoint = format!("{endpoint}/msi/token");
    let variables = [
        ("IDENTITY_ENDPOINT", endpoint.as_str()),
        ("IDENTITY_HEADER", "made-up"),
        ("EXORUN_PROXY", &proxy),
        ("http_proxy", &proxy),
        ("HTTP_PROXY", &proxy),
    ];
    let run = run_with(&tenant, &auth(""), &variables).await;
    assert_eq!(*through.lock().unwrap(), [""; 0], "the proxy was asked");
    run.assert_code(0);
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn app_service_is_asked_with_its_header() {
    let tenant = Tenant::start(small()).await;
    let endpoint = format!("{}/msi/token", tenant.emulator.identity_endpoint());
    let header = tenant.emulator.identity_header();
    let good =
        run_with(&tenant, &auth(""), &[("IDENTITY_ENDPOINT", &endpoint), ("IDENTITY_HEADER", &header)]).await;
    good.assert_code(0);
    assert!(!good.stderr.contains(&header));
    let canary = "canary-of-another-service";
    let refused =
        run_with(&tenant, &auth(""), &[("IDENTITY_ENDPOINT", &endpoint), ("IDENTITY_HEADER", canary)]).await;
    refused.assert_code(77);
    assert!(
        refused.stdout.contains("managed identity (App Service at http://127.0.0.1"),
        "{}",
        refused.stdout
    );
    assert!(!refused.stdout.contains(canary) && !refused.stderr.contains(canary));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_by_itself_is_asked_again_and_an_absent_service_is_named() {
    let tenant = Tenant::start(small()).await;
    let good = json!({"access_token": token(&tenant, None), "expires_in": "86000", "token_type": "Bearer"});
    let hiccups = [404, 410, 429, 503].map(|status| (status, "{}".to_owned()));
    let (endpoint, asked) = serve(hiccups.into_iter().chain([(200, good.to_string())]).collect()).await;
    let run = run_with(&tenant, &auth(""), &[("EXORUN_IDENTITY_ENDPOINT", &endpoint)]).await;
    run.assert_code(0);
    let heads = asked.lock().unwrap().clone();
    assert_eq!(heads.len(), 5, "{heads:?}");
    assert!(heads.iter().all(|head| head.contains("metadata: true")), "{heads:?}");
    let target = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Foutlook.office365.com%2F HTTP";
    assert!(heads[0].contains(target), "{}", heads[0]);

    let nobody = run_with(&tenant, &auth(""), &[("EXORUN_IDENTITY_ENDPOINT", "http://127.0.0.1:9")]).await;
    nobody.assert_code(1);
    assert!(nobody.stdout.contains("is this a machine in Azure with an identity"), "{}", nobody.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_knows_the_tenants_guid_a_machines_token_is_not_taken() {
    let tenant = Tenant::start(small()).await;
    let endpoint = tenant.emulator.identity_endpoint();
    let off = [("EXORUN_IDENTITY_ENDPOINT", endpoint.as_str()), ("EXORUN_DISCOVERY", "off")];
    let refused = run_with(&tenant, &auth(""), &off).await;
    refused.assert_code(77);
    assert!(refused.stdout.contains("write `tenant` as the GUID"), "{}", refused.stdout);
    assert_eq!(tenant.emulator.counters().sessions.opened, 0);
}
