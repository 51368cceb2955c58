//! What the client puts on the wire: requests taken from a real socket, kept as snapshots that were read against the
//! protocol reference, and judged once more by a reader in another language that knows nothing of this program.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
#![expect(clippy::disallowed_methods, reason = "tests wait for real peers")]

mod calls;
#[path = "../support/components.rs"]
mod components;
mod judge;
#[path = "../support/module_key.rs"]
mod module_key;
#[path = "../support/scripted_service.rs"]
mod scripted_service;
mod secrets;
mod wire;

use serde_json::{Value, json};
use wire::{Answers, Asking, snapshot};

/// A page without entries.
fn nothing() -> String {
    json!({"value": []}).to_string()
}

fn page(entries: Vec<Value>, next: Option<&str>) -> String {
    let mut body = json!({ "value": entries });
    if let Some(next) = next {
        body["@odata.nextLink"] = next.into();
    }
    body.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_has_these_headers() {
    let sent = Asking::new("Get-OrganizationConfig", json!({})).sent(Answers::Nothing).await;
    insta::assert_snapshot!("headers", wire::whole(&sent.seen[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn values_travel_as_their_types_want() {
    insta::assert_snapshot!("values", snapshot(calls::values()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn anchors_say_where_a_request_belongs() {
    insta::assert_snapshot!("anchors", snapshot(calls::anchors()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_are_confirmed_and_the_exo_cmdlets_are_the_classic_ones() {
    insta::assert_snapshot!("confirm", snapshot(calls::confirm()).await);
    insta::assert_snapshot!("exo", snapshot(calls::exo()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_of_several_objects_are_members_of_one_request() {
    let seen = wire::together(&calls::together()).await;
    assert_eq!(seen.len(), 1);
    let mut body: Value = serde_json::from_str(&seen[0].body).unwrap();
    let host = &seen[0].headers.iter().find(|(name, _)| name == "host").unwrap().1;
    for member in body["requests"].as_array_mut().unwrap() {
        let url = member["url"].as_str().unwrap().replace(host.as_str(), "{host}");
        member["url"] = url.into();
    }
    let head = wire::told(&seen).replace(&seen[0].body, "");
    insta::assert_snapshot!("batch", format!("{}\n{:#}", head.trim(), body));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_followed_with_the_same_body_and_a_smaller_page() {
    let link =
        "/adminapi/beta/11111111-2222-3333-4444-555555555555/InvokeCommand?$select=Guid&$skiptoken=two";
    let first = page((0..1000).map(|number| json!({ "Guid": number })).collect(), Some(link));
    let asking = Asking::new("Get-Mailbox", json!({"ResultSize": "1500"})).select(&["Guid"]);
    let last = page((0..500).map(|number| json!({ "Guid": 1000 + number })).collect(), None);
    let sent = asking.sent(Answers::InTurn(vec![(200, first), (200, last)])).await;
    assert_eq!(sent.items.unwrap(), 1500);
    insta::assert_snapshot!("links", wire::told(&sent.seen));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_error_sends_a_read_to_its_mailbox_and_a_write_nowhere() {
    let proxy = json!({"error": {"code": "BadRequest", "message": "Error executing cmdlet", "details": [{
        "code": "Context", "target": "",
        "message": "|Microsoft.Exchange.Configuration.CmdletProxyException|Error on proxy command. Proxy method PSWS"
    }]}});
    let answers = || Answers::InTurn(vec![(400, proxy.to_string()), (200, nothing())]);
    let read = Asking::new("Get-MailboxStatistics", json!({"Identity": "anna@contoso.example"}));
    let sent = read.sent(answers()).await;
    sent.items.unwrap();
    insta::assert_snapshot!("proxy", wire::told(&sent.seen));
    let write = json!({"Identity": "anna@contoso.example", "Language": "de-DE"});
    let sent = Asking::new("Set-MailboxRegionalConfiguration", write).sent(answers()).await;
    assert!(sent.items.is_err());
    assert_eq!(sent.seen.len(), 1, "nobody knows what became of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn cmdlets_that_page_by_parameters_are_asked_until_they_are_done() {
    let many = |count: usize| page((0..count).map(|number| json!({ "Identity": number })).collect(), None);
    let numbered = Asking::new("Get-QuarantineMessage", json!({"PageSize": 2}))
        .sent(Answers::InTurn(vec![(200, many(2)), (200, many(2)), (200, many(1))]))
        .await;
    assert_eq!(numbered.items.unwrap(), 5);

    let entry = |number: usize| {
        json!({"MessageTraceId": number.to_string(), "RecipientAddress": format!("{number}@contoso.example"),
            "Received": format!("2026-01-31T08:{:02}:{:02}", 59 - number / 60 % 60, 59 - number % 60)})
    };
    let first: Vec<Value> = (0..5000).map(entry).collect();
    let second = vec![entry(4999), entry(5000), entry(5001)];
    let traced = Asking::new(
        "Get-MessageTraceV2",
        json!({"StartDate": "2026-01-01T00:00:00", "EndDate": "2026-02-01T00:00:00"}),
    )
    .sent(Answers::InTurn(vec![(200, page(first, None)), (200, page(second, None))]))
    .await;
    assert_eq!(traced.items.unwrap(), 5002, "the entry at the seam once");

    let dates = json!({"StartDate": "2026-01-01", "EndDate": "2026-01-31"});
    let audited = Asking::new("Search-UnifiedAuditLog", dates)
        .sent(Answers::InTurn(vec![(200, many(3)), (200, many(1)), (200, nothing())]))
        .await;
    assert_eq!(audited.items.unwrap(), 4);

    let skipped =
        Asking::new("Get-InboxRule", json!({"Mailbox": "anna@contoso.example", "ResultSize": "Unlimited"}))
            .sent(Answers::InTurn(vec![(200, many(1000)), (200, many(1))]))
            .await;
    assert_eq!(skipped.items.unwrap(), 1001);

    let told =
        [&numbered.seen, &traced.seen, &audited.seen, &skipped.seen].map(|seen| wire::told(seen)).concat();
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r#""SessionId":"[0-9a-f-]{36}""#, r#""SessionId":"{new}""#);
    settings.bind(|| insta::assert_snapshot!("by_parameters", told));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_selects_what_it_goes_on_by() {
    let dates = json!({"StartDate": "2026-01-01", "EndDate": "2026-01-31"});
    let traced = Asking::new("Get-MessageTraceV2", dates).select(&["Subject", "Received"]);
    let sent = traced.sent(Answers::Nothing).await;
    let select = sent.seen[0].target.split_once("$select=").unwrap().1;
    assert_eq!(select, "Subject,Received,MessageTraceId,RecipientAddress");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_listing_that_may_have_lost_a_page_begins_again_under_another_name() {
    let many = |count: usize| page((0..count).map(|number| json!({ "Identity": number })).collect(), None);
    let dates = json!({"StartDate": "2026-01-01", "EndDate": "2026-01-31"});
    let answers =
        vec![(200, many(3)), (503, String::new()), (200, many(1)), (200, many(2)), (200, nothing())];
    let sent = Asking::new("Search-UnifiedAuditLog", dates).sent(Answers::InTurn(answers)).await;
    assert_eq!(sent.items.unwrap(), 2, "only of the listing that is whole");
    let name = |at: usize| {
        let body: Value = serde_json::from_str(&sent.seen[at].body).unwrap();
        body["CmdletInput"]["Parameters"]["SessionId"].as_str().unwrap().to_owned()
    };
    assert_eq!((sent.seen.len(), name(0)), (5, name(2)));
    assert_ne!(name(2), name(3));
    assert_eq!(name(3), name(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_link_starts_again_once_and_no_part_is_passed_on() {
    let link = "/adminapi/beta/11111111-2222-3333-4444-555555555555/InvokeCommand?$skiptoken=two";
    let expired =
        json!({"error": {"code": "BadRequest", "message": "Expired or Invalid pagination request."}});
    let first = || (200, page(vec![json!({"Guid": 1}), json!({"Guid": 2})], Some(link)));
    let everything = || Asking::new("Get-Mailbox", json!({"ResultSize": "Unlimited"}));
    let good =
        vec![first(), (400, expired.to_string()), first(), (200, page(vec![json!({"Guid": 3})], None))];
    let sent = everything().sent(Answers::InTurn(good)).await;
    assert_eq!(sent.items.unwrap(), 3, "each object once");
    let bad = vec![first(), (400, expired.to_string()), first(), (400, expired.to_string())];
    let sent = everything().sent(Answers::InTurn(bad)).await;
    assert!(sent.items.unwrap_err().message.contains("pagination request"));
    assert_eq!(sent.seen.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_refused_before_a_byte_leaves() {
    for (cmdlet, parameters, said) in [
        ("Get-Mailbox", json!({"ResultSize": 0}), "ResultSize is 1 or more"),
        ("Get-QuarantineMessage", json!({"PageSize": 0}), "PageSize 0 returns nothing"),
        (
            "Get-MailboxPermission",
            json!({"Identity": "anna", "UseCustomRouting": true}),
            "address or its GUID",
        ),
        ("Set-Mailbox", json!({"EmailAddresses": ["a", {"b": 1}]}), "not several of them"),
        ("New-ClassificationRuleCollection", json!({"FileData": {"@bytes": "?"}}), "not Base64"),
    ] {
        let sent = Asking::new(cmdlet, parameters).sent(Answers::Nothing).await;
        let error = sent.items.unwrap_err();
        assert!(error.message.contains(said), "{error}");
        assert_eq!(sent.seen.len(), 0, "{cmdlet}");
    }
}
