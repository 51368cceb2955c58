//! Section 9 of the protocol reference, "Faults"; and 3.7, 3.10, 3.11.

use super::*;

#[tokio::test]
async fn each_transient_exception_comes_as_a_500() {
    for name in [
        "ADTransientException",
        "SuitabilityDirectoryException",
        "DCOverloadedException",
        "ServerInMMException",
        "ADServerSettingsChangedException",
        "StorageTransientException",
    ] {
        let bench = faulty(&[&format!("500:exception={name}:nth=1")]).await;
        let (status, text) = bench.fails("Get-TransportConfig", json!({})).await;
        let parts: Vec<&str> = text.split('|').collect();
        assert_eq!((status, parts.len()), (500, 3), "{text}");
        assert!(parts[0].starts_with("Ex") && parts[1].ends_with(&format!(".{name}")), "{text}");
    }
}

#[tokio::test]
async fn concurrency_and_proxying_are_told_by_text() {
    let bench = faulty(&["concurrency:nth=1", "concurrency:status=400:nth=2", "proxy:nth=3"]).await;
    for status in [503, 400] {
        let failed = bench.fails("Get-TransportConfig", json!({})).await;
        assert_eq!(failed.0, status);
        assert!(failed.1.contains("maximum number of concurrent requests per tenant"), "{}", failed.1);
    }
    let (status, text) = bench.fails("Get-TransportConfig", json!({})).await;
    assert_eq!(status, 500);
    assert!(text.contains("Microsoft.Exchange.Configuration.CmdletProxyException|") && text.contains("PSWS"));
}

#[tokio::test]
async fn a_detail_can_be_json_and_a_body_can_be_missing() {
    let bench = faulty(&["json_detail:nth=1", "empty:nth=2", "empty:status=403:nth=3"]).await;
    let (status, text) = bench.fails("Get-TransportConfig", json!({})).await;
    let inner: Value = serde_json::from_str(&text).expect("JSON inside");
    assert_eq!((status, &inner["localizedString"]["stringId"]), (400, &json!("ErrorEmulated")));
    assert!(inner["ClassName"].is_string() && inner["Message"].is_string());
    for status in [500, 403] {
        let answer = bench.send("Get-TransportConfig", json!({})).await;
        assert_eq!((answer.status().as_u16(), answer.bytes().await.unwrap().len()), (status, 0));
    }
}

#[tokio::test]
async fn warnings_come_beside_the_result() {
    let bench = faulty(&["warnings:text=careful"]).await;
    let answer = bench.call("Get-TransportConfig", json!({})).await;
    assert_eq!(answer["@adminapi.warnings"], json!(["careful"]));
    assert_eq!(answer["value"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn compression_can_differ_from_what_was_agreed() {
    let bench = faulty(&["gzip:nth=1", "nogzip:nth=2"]).await;
    // This client decompresses by itself only what it asked for.
    let ca = reqwest::Certificate::from_pem(bench.emulator.ca_pem().as_bytes()).unwrap();
    let plain = Client::builder().tls_certs_only([ca]).no_proxy().gzip(false).build().unwrap();
    let body = json!({"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {}}});
    let ask = async |accept: &str| {
        let request = plain.post(bench.url()).bearer_auth(&bench.token).header("accept-encoding", accept);
        request.json(&body).send().await.unwrap().headers().contains_key("content-encoding")
    };
    assert_eq!((ask("identity").await, ask("gzip").await), (true, false));
    assert_eq!((ask("identity").await, ask("gzip").await), (false, true), "as agreed");
}

#[tokio::test]
async fn an_expired_page_says_how_long_pages_live() {
    let bench = faulty(&["badpage:nth=2"]).await;
    let parameters = json!({"ResultSize": "Unlimited"});
    let first =
        bench.request(&bench.url(), "Get-Mailbox", &parameters).header("prefer", "odata.maxpagesize=20");
    let first: Value = first.send().await.unwrap().json().await.unwrap();
    let link = first["@odata.nextLink"].as_str().unwrap();
    let second = bench.request(link, "Get-Mailbox", &parameters).send().await.unwrap();
    assert_eq!(second.status(), 400);
    let text = second.text().await.unwrap();
    assert!(text.contains("Expired or Invalid pagination request") && text.contains("00:30:00"), "{text}");
}

#[tokio::test]
async fn the_same_seed_meets_the_same_requests() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let bench = faulty(&["503:chance=0.5"]).await;
        let mut met = Vec::new();
        for _ in 0..12 {
            met.push(bench.send("Get-TransportConfig", json!({})).await.status().as_u16());
        }
        runs.push(met);
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].contains(&503) && runs[0].contains(&200), "{:?}", runs[0]);
}
