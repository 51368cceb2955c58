//! Several reads in one request: outcomes, repeats and pages are each member's own.

use exorun::exchange::Member;

use super::*;
use crate::strange_service::{Answers, StrangeService};

/// Asks for all of them together; each answer is in its place.
async fn together(
    connection: &mut Box<dyn Connection>,
    token: &SecretString,
    requests: &[CmdletRequest],
) -> Vec<Result<(exorun::exchange::CallSummary, Vec<Value>), exorun::exchange::errors::RemoteError>> {
    let mut sinks: Vec<Items> = requests.iter().map(|_| Items::default()).collect();
    let mut members: Vec<Member<'_>> =
        requests.iter().zip(&mut sinks).map(|(request, sink)| Member { request, sink }).collect();
    let results = connection.batch(token, &mut members).await;
    drop(members);
    results.into_iter().zip(sinks).map(|(result, sink)| result.map(|summary| (summary, sink.items))).collect()
}

/// Identities of the first mailboxes, asked for one by one.
async fn identities(connection: &mut Box<dyn Connection>, token: &SecretString, count: u32) -> Vec<String> {
    let mut items = Items::default();
    let listing = request("Get-Mailbox", json!({"ResultSize": count.to_string()}));
    connection.call(token, &listing, &mut items).await.unwrap();
    items.items.iter().map(|item| item["Guid"].as_str().unwrap().to_owned()).collect()
}

fn protocols_of(identity: &str) -> CmdletRequest {
    request("Get-CASMailbox", json!({"Identity": identity}))
}

/// Requests by what they were, without the members of batches.
fn sent(emulator: &Emulator) -> Vec<String> {
    recorded(emulator)
        .iter()
        .filter(|request| request["batch"].is_null())
        .map(|request| last_part(request["target"].as_str().unwrap()))
        .collect()
}

/// `InvokeCommand` or `$batch`.
fn last_part(target: &str) -> String {
    target.split('?').next().unwrap().rsplit('/').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_reads_are_one_request_and_a_missing_object_is_only_its_own_failure() {
    for http in BOTH {
        let emulator = emulator(20, &[]).await;
        let client = client_of(&emulator, http, |_| ());
        let token = token(&emulator).await;
        let (mut connection, _) = client.open().await;
        let mut names = identities(&mut connection, &token, 9).await;
        names.insert(4, "nobody@contoso.onmicrosoft.com".to_owned());
        let requests: Vec<CmdletRequest> = names.iter().map(|name| protocols_of(name)).collect();
        let results = together(&mut connection, &token, &requests).await;
        for (position, (name, result)) in names.iter().zip(results).enumerate() {
            match result {
                Err(error) => {
                    assert_eq!((position, error.kind), (4, ErrorKind::NotFound), "{name}: {error}");
                    assert!(error.request_id.is_some(), "{error}");
                }
                Ok((_, items)) => assert_eq!(items[0]["Guid"], name.as_str(), "in its own place"),
            }
        }
        let batches = sent(&emulator).iter().filter(|path| path.as_str() == "$batch").count();
        assert_eq!(batches, 1, "{:?}", sent(&emulator));
        connection.close().await;
        assert_closed(&emulator, 1).await;
        client.assert_over().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_fails_for_a_moment_is_repeated_alone_and_the_others_are_not() {
    for fault in [
        "503:cmdlet=Get-CASMailbox:nth=2",
        "429:cmdlet=Get-CASMailbox:nth=2:retry_after=0.05",
        "500:cmdlet=Get-CASMailbox:nth=2",
    ] {
        let emulator = emulator(20, &[fault]).await;
        let client = client_of(&emulator, Http::Two, |_| ());
        let token = token(&emulator).await;
        let (mut connection, _) = client.open().await;
        let names = identities(&mut connection, &token, 5).await;
        let requests: Vec<CmdletRequest> = names.iter().map(|name| protocols_of(name)).collect();
        let results = together(&mut connection, &token, &requests).await;
        let summaries: Vec<_> = results.into_iter().map(|result| result.unwrap()).collect();
        for (name, (_, items)) in names.iter().zip(&summaries) {
            assert_eq!((items.len(), &items[0]["Guid"]), (1, &json!(name)), "{fault}");
        }
        let retries: u32 = summaries.iter().map(|(summary, _)| summary.retries).sum();
        let requests: u32 = summaries.iter().map(|(summary, _)| summary.requests).sum();
        assert_eq!((retries, requests), (1, 2), "{fault}: one batch and one repeat");
        assert_eq!(sent(&emulator), ["InvokeCommand", "$batch", "InvokeCommand"], "{fault}");
        connection.close().await;
        client.assert_over().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_members_further_pages_are_fetched_by_plain_requests() {
    let emulator = emulator(23, &[]).await;
    let client = client_of(&emulator, Http::Two, |config| config.page_size = 10);
    let token = token(&emulator).await;
    let (mut connection, _) = client.open().await;
    let requests = [everything(), request("Get-AcceptedDomain", json!({}))];
    let results = together(&mut connection, &token, &requests).await;
    let found: Vec<usize> = results.iter().map(|result| result.as_ref().unwrap().1.len()).collect();
    assert_eq!(found[0], 23);
    assert!(found[1] >= 1);
    assert_eq!(sent(&emulator).len(), 3, "a batch and two further pages: {:?}", sent(&emulator));
    connection.close().await;
    client.assert_over().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_and_cmdlets_out_of_number_are_never_in_a_batch() {
    let emulator = emulator(20, &[]).await;
    let client = client_of(&emulator, Http::Two, |_| ());
    let token = token(&emulator).await;
    let (mut connection, _) = client.open().await;
    let names = identities(&mut connection, &token, 11).await;
    let write =
        request("Set-CASMailbox", json!({"Identity": names[0], "PopEnabled": false, "Confirm": false}));
    for result in together(&mut connection, &token, &[protocols_of(&names[1]), write]).await {
        result.unwrap();
    }
    let eleven: Vec<CmdletRequest> = names.iter().map(|name| protocols_of(name)).collect();
    for result in together(&mut connection, &token, &eleven).await {
        result.unwrap();
    }
    assert!(!sent(&emulator).contains(&"$batch".to_owned()), "{:?}", sent(&emulator));
    connection.close().await;
    client.assert_over().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_batches_is_asked_one_by_one_from_then_on() {
    let refusal =
        "HTTP/1.1 405 Method Not Allowed\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nno";
    let here = StrangeService::start(Answers::once(refusal)).await;
    let client = Client::new(&here.endpoint(), here.ca_pem(), "t", Http::One, |_| ());
    let (mut connection, _) = client.open().await;
    let token = SecretString::from("canary-token-of-the-batches");
    let two = [protocols_of("a"), protocols_of("b")];
    for expected in [3, 5] {
        let results = together(&mut connection, &token, &two).await;
        assert!(results.iter().all(|result| result.is_err()));
        assert_eq!(here.requests().len(), expected, "the batch is tried once");
    }
    connection.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_the_answer_leaves_out_is_asked_for_again() {
    // The answer to everything: as a batch it lacks the second member, as a single call it has no item.
    let page = json!({"responses": [
        {"id": "0", "status": 200, "headers": {}, "body": {"value": [{"Guid": "first"}]}},
    ]});
    let page = page.to_string();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{page}",
        page.len()
    );
    let here = StrangeService::start(Answers::once(answer)).await;
    let client = Client::new(&here.endpoint(), here.ca_pem(), "t", Http::One, |_| ());
    let (mut connection, _) = client.open().await;
    let token = SecretString::from("canary-token-of-the-batches");
    let results = together(&mut connection, &token, &[protocols_of("a"), protocols_of("b")]).await;
    assert_eq!(results[0].as_ref().unwrap().1, [json!({"Guid": "first"})]);
    assert!(results[1].as_ref().unwrap().1.is_empty());
    assert_eq!(here.requests().len(), 2, "the batch, and the second by itself");
    connection.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_try_in_a_batch_is_one_of_those_that_are_allowed() {
    let emulator = emulator(20, &["503:cmdlet=Get-CASMailbox"]).await;
    let client = client_of(&emulator, Http::Two, |_| ());
    let token = token(&emulator).await;
    let (mut connection, _) = client.open().await;
    let results = together(&mut connection, &token, &[protocols_of("a"), protocols_of("b")]).await;
    assert!(results.iter().all(|result| result.is_err()));
    assert_eq!(sent(&emulator).len(), 5, "three tries: one together, two alone for each");
    connection.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_takes_too_long_is_asked_one_by_one() {
    let emulator = emulator(20, &["slow:ms=5000:cmdlet=$batch"]).await;
    let client = client_of(&emulator, Http::Two, |_| ());
    let token = token(&emulator).await;
    let (mut connection, _) = client.open().await;
    let names = identities(&mut connection, &token, 3).await;
    let requests: Vec<CmdletRequest> = names
        .iter()
        .map(|name| CmdletRequest { timeout: Duration::from_millis(700), ..protocols_of(name) })
        .collect();
    for result in together(&mut connection, &token, &requests).await {
        assert_eq!(result.unwrap().1.len(), 1);
    }
    connection.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_for_all_is_counted_once() {
    let emulator = emulator(20, &["429:cmdlet=$batch"]).await;
    let client = client_of(&emulator, Http::Two, |_| ());
    let token = token(&emulator).await;
    let (mut connection, _) = client.open().await;
    let results = together(&mut connection, &token, &[protocols_of("a"), protocols_of("b")]).await;
    let attempts: Vec<u32> = results.iter().map(|result| result.as_ref().unwrap_err().attempts).collect();
    assert_eq!(attempts, [3, 0]);
    assert_eq!(sent(&emulator).len(), 3);
    connection.close().await;
}
