//! Listings over several pages.

use super::*;

/// Follows the links to the end; returns the GUIDs and the last page.
async fn all(bench: &Bench, parameters: Value, size: u32) -> (Vec<String>, Value) {
    let mut url = bench.url();
    let mut guids = Vec::new();
    let mut cookie: Option<String> = None;
    loop {
        let mut request = bench.request(&url, "Get-Mailbox", &parameters);
        request = request.header("prefer", format!("odata.maxpagesize={size}"));
        if let Some(cookie) = &cookie {
            request = request.header("cookie", cookie);
        }
        let answer = request.send().await.unwrap();
        if let Some(set) = answer.headers().get("set-cookie") {
            cookie = Some(set.to_str().unwrap().split(';').next().unwrap().to_owned());
        }
        assert_eq!(answer.status(), 200);
        let page: Value = answer.json().await.unwrap();
        let items = page["value"].as_array().unwrap();
        guids.extend(items.iter().map(|item| item["Guid"].as_str().unwrap().to_owned()));
        match page["@odata.nextLink"].as_str() {
            Some(link) => url = link.to_owned(),
            None => return (guids, page),
        }
    }
}

#[tokio::test]
async fn pages_of_a_large_tenant_cover_it_once() {
    let bench = start(Options { mailboxes: 2_500, ..Options::default() }).await;
    let (guids, last) = all(&bench, json!({"ResultSize": "Unlimited"}), 1000).await;
    let different: std::collections::HashSet<&String> = guids.iter().collect();
    assert_eq!((guids.len(), different.len()), (2_500, 2_500));
    assert_eq!(last["@adminapi.warnings"], json!([]));
    let (guids, last) = all(&bench, json!({}), 400).await;
    assert_eq!(guids.len(), 1000, "the default");
    assert_eq!(last["@adminapi.warnings"].as_array().unwrap().len(), 2);
    let (guids, last) = all(&bench, json!({"ResultSize": 1234}), 1000).await;
    assert_eq!(guids.len(), 1234);
    assert!(last["@adminapi.warnings"][0].as_str().unwrap().contains("more results available"));
    assert_eq!(bench.emulator.counters().changed_objects, 0);
}

#[tokio::test]
async fn a_link_is_for_the_same_caller_body_and_method_only() {
    let bench = start(Options::default()).await;
    let parameters = json!({"ResultSize": "Unlimited"});
    let first =
        bench.request(&bench.url(), "Get-Mailbox", &parameters).header("prefer", "odata.maxpagesize=10");
    let first = first.send().await.unwrap();
    let cookie = first.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let first: Value = first.json().await.unwrap();
    let link = first["@odata.nextLink"].as_str().unwrap();
    let status = async |request: reqwest::RequestBuilder| request.send().await.unwrap().status().as_u16();
    let follow = |parameters: &Value| bench.request(link, "Get-Mailbox", parameters);
    assert_eq!(status(follow(&parameters).header("cookie", &cookie)).await, 200);
    assert_eq!(status(follow(&parameters)).await, 400, "without the cookie");
    assert_eq!(status(follow(&json!({})).header("cookie", &cookie)).await, 400, "another body");
    let get = bench.client.get(link).bearer_auth(&bench.token).header("cookie", &cookie);
    assert!(matches!(status(get).await, 400 | 405), "GET");
    let other = bench.client.post(link).bearer_auth(&bench.token).header("cookie", &cookie);
    let other = other.header("X-AnchorMailbox", "UPN:somebody@else.example");
    let body = json!({"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": parameters}});
    let refused = other.json(&body).send().await.unwrap();
    assert_eq!(refused.status(), 400, "another anchor");
    assert_eq!(
        refused.text().await.unwrap(),
        "Expired or Invalid pagination request. Default Expiry time is 00:30:00"
    );
}

#[tokio::test]
async fn an_expired_link_is_refused() {
    let bench = start(Options { page_life: Duration::ZERO, ..Options::default() }).await;
    let parameters = json!({"ResultSize": "Unlimited"});
    let first =
        bench.request(&bench.url(), "Get-Mailbox", &parameters).header("prefer", "odata.maxpagesize=10");
    let first = first.send().await.unwrap();
    let cookie = first.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let first: Value = first.json().await.unwrap();
    let next = bench.request(first["@odata.nextLink"].as_str().unwrap(), "Get-Mailbox", &parameters);
    assert_eq!(next.header("cookie", cookie).send().await.unwrap().status(), 400);
}
