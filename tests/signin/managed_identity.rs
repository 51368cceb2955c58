//! `method: managed_identity`: the instance metadata service and App Service.

use serde_json::json;

use super::program::Tenant;
use super::responder::serve;
use super::{run_with, small, token};

const OWN: &str = "99999999-8888-7777-6666-555555555555";
const OTHER: &str = "99999999-8888-7777-6666-000000000000";

fn auth(more: &str) -> String {
    format!("  method: managed_identity\n{more}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_signs_in_as_itself_and_never_through_a_proxy() {
    let tenant = Tenant::start(small()).await;
    let (proxy, asked) = serve(vec![(502, "a proxy's page".to_owned())]).await;
    let endpoint = tenant.emulator.identity_endpoint();
    let variables =
        [("EXORUN_IDENTITY_ENDPOINT", endpoint.as_str()), ("http_proxy", &proxy), ("HTTP_PROXY", &proxy)];
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
    assert!(asked.lock().unwrap().is_empty(), "the proxy was asked: {asked:?}");
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
