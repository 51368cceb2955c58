//! Services that misbehave: links, redirects, endless answers, and a certificate that nobody vouches for.

use super::*;
use crate::strange_service::{Answers, StrangeService};

const STRANGE_TOKEN: &str = "canary-token-of-a-strange-service";

#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_another_host_is_refused_and_the_token_stays_here() {
    let other = StrangeService::start(Answers::page(json!([{"Guid": "from-elsewhere"}]), None)).await;
    let port = other.endpoint().rsplit(':').next().unwrap().to_owned();
    let links = [
        format!("{}/adminapi/beta/t/InvokeCommand?$skiptoken=x", other.endpoint()),
        // Another name and the same port, another scheme, no scheme, a name hidden behind user information.
        "https://localhost:1/x".to_owned(),
        format!("http://127.0.0.1:{port}/x"),
        format!("//127.0.0.1:{port}/x"),
        format!("https://HERE@127.0.0.1:{port}/x"),
        "not a link at all".to_owned(),
    ];
    for link in links {
        let here = StrangeService::start(Answers::page(json!([{"Guid": "first"}]), Some(&link))).await;
        let client = Client::new(&here.endpoint(), here.ca_pem(), "t", Http::One, |_| ());
        let (mut connection, _) = client.open().await;
        let token = SecretString::from(STRANGE_TOKEN);
        let error = connection.call(&token, &everything(), &mut Items::default()).await.unwrap_err();
        assert_eq!((error.kind, error.happened), (ErrorKind::Protocol, Happened::No), "{link}: {error}");
        assert!(error.message.contains("points at another host; it is not followed"), "{link}: {error}");
        assert_eq!(here.requests().len(), 1, "{link}: {:?}", here.requests());
        assert_eq!(other.connections(), 0, "{link}: nobody even connected there");
        connection.close().await;
        client.assert_over().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_leads_to_its_own_page_ends_the_listing() {
    let page = Answers::page(json!([{"Guid": "again"}]), Some("/adminapi/beta/t/InvokeCommand?$skiptoken=1"));
    let here = StrangeService::start(page).await;
    let client = Client::new(&here.endpoint(), here.ca_pem(), "t", Http::One, |_| ());
    let (mut connection, _) = client.open().await;
    let token = SecretString::from(STRANGE_TOKEN);
    let (asked, mut items) = (everything(), Items::default());
    let call = connection.call(&token, &asked, &mut items);
    let error = tokio::time::timeout(Duration::from_secs(10), call).await.expect("it goes round and round");
    let error = error.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Protocol, "{error}");
    assert_eq!(here.requests().len(), 2);
    connection.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed() {
    let other = StrangeService::start(Answers::page(json!([]), None)).await;
    for status in [301, 302, 307, 308] {
        let here = StrangeService::start(Answers::redirect(status, &format!("{}/x", other.endpoint()))).await;
        let client = Client::new(&here.endpoint(), here.ca_pem(), "t", Http::One, |_| ());
        let (mut connection, _) = client.open().await;
        let token = SecretString::from(STRANGE_TOKEN);
        let error = connection.call(&token, &everything(), &mut Items::default()).await.unwrap_err();
        assert_eq!((error.kind, error.status), (ErrorKind::Protocol, Some(status)), "{error}");
        assert!(error.message.contains("redirected to https://127.0.0.1"), "{error}");
        assert_eq!((here.requests().len(), other.connections()), (1, 0), "neither followed nor repeated");
        connection.close().await;
        client.assert_over().await;
    }
}

fn packed(bytes: impl std::io::Read) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::copy(&mut std::io::BufReader::new(bytes), &mut packer).unwrap();
    packer.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_an_end_or_a_measure_is_given_up_with_its_reason() {
    use std::io::Read;
    let spaces = || std::io::repeat(b' ').take(64 << 20);
    let json = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let begun = |body: &str| format!("{json}transfer-encoding: chunked\r\n\r\n{}", chunk(body));
    let one = |head: &str, body: &[u8]| {
        [format!("{head}content-length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
    };
    let bomb = packed(b"{\"value\":[{\"Name\":\"".chain(spaces()));
    let items = packed(b"{\"value\":[".chain("{\"N\":1},".repeat(4 << 20).as_bytes()));
    let bad_gzip = "HTTP/1.1 400 Bad\r\ncontent-encoding: gzip\r\n";
    let packed_json = format!("{json}content-encoding: gzip\r\n");
    let cases: [(&str, Answers, ErrorKind, &str); 9] = [
        (
            "items",
            Answers::endless(begun("{\"value\":["), chunk(&"{\"N\":1},".repeat(500))),
            ErrorKind::Protocol,
            "a page of the answer takes more than",
        ),
        (
            "an item",
            Answers::endless(begun("{\"value\":[{\"N\":\""), chunk(&"x".repeat(9999))),
            ErrorKind::Protocol,
            "an item is longer than",
        ),
        (
            "an envelope",
            Answers::endless(begun("{\"w\":\""), chunk(&"x".repeat(9999))),
            ErrorKind::Protocol,
            "the envelope is longer than",
        ),
        ("headers", Answers::endless(json, "set-cookie: a=1\r\n"), ErrorKind::Network, "too large"),
        (
            "a header",
            Answers::endless(format!("{json}x: "), "x".repeat(999)),
            ErrorKind::Network,
            "too large",
        ),
        (
            "a refusal",
            Answers::endless(
                begun("x").replace("200 OK", "400 Bad"),
                "400\r\n".to_owned() + &"x".repeat(0x400) + "\r\n",
            ),
            ErrorKind::InvalidInput,
            "",
        ),
        (
            "a packed item",
            Answers::once(one(&packed_json, &bomb)),
            ErrorKind::Protocol,
            "an item is longer than",
        ),
        (
            "packed items",
            Answers::once(one(&packed_json, &items)),
            ErrorKind::Protocol,
            "a page of the answer takes more than",
        ),
        ("a packed refusal", Answers::once(one(bad_gzip, &packed(spaces()))), ErrorKind::InvalidInput, ""),
    ];
    for (what, answers, kind, message) in cases {
        let here = StrangeService::start(answers).await;
        let client = Client::new(&here.endpoint(), here.ca_pem(), "t", Http::One, |config| {
            config.retry.attempts_max = 1
        });
        let (mut connection, _) = client.open().await;
        let (token, asked, mut items) = (SecretString::from(STRANGE_TOKEN), everything(), Items::default());
        let call = connection.call(&token, &asked, &mut items);
        let error = tokio::time::timeout(Duration::from_secs(60), call).await.expect(what).unwrap_err();
        assert_eq!(error.kind, kind, "{what}: {error}");
        assert!(error.message.contains(message), "{what}: {error}");
        assert!(items.items.is_empty(), "{what}");
        connection.close().await;
        client.assert_over().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_nobody_vouches_for_gets_no_request() {
    let stranger = StrangeService::start(Answers::page(json!([]), None)).await;
    let friend = StrangeService::start(Answers::page(json!([]), None)).await;
    // Another authority than the one that made the service's certificate.
    let client = Client::new(&stranger.endpoint(), friend.ca_pem(), "t", Http::Two, |_| ());
    let error = client.remote.open(ConnectionId(Uuid::new_v4()), never()).await.err().unwrap();
    assert_eq!((error.kind, error.happened), (ErrorKind::Refused, Happened::No));
    assert!(error.message.contains("ca_file"), "{error}");
    assert_eq!(stranger.requests(), [""; 0]);
    client.assert_over().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_in_the_answer_to_a_write_is_not_followed() {
    let page = Answers::page(json!([]), Some("/adminapi/beta/t/InvokeCommand?$skiptoken=x"));
    let here = StrangeService::start(page).await;
    let client = Client::new(&here.endpoint(), here.ca_pem(), "t", Http::One, |_| ());
    let (mut connection, _) = client.open().await;
    let write = request("Set-CASMailbox", json!({"Identity": "a", "PopEnabled": false}));
    connection.call(&SecretString::from(STRANGE_TOKEN), &write, &mut Items::default()).await.unwrap();
    assert_eq!(here.requests().len(), 1, "it would be done once more");
    connection.close().await;
}
