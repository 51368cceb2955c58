//! What one process remembers of tenants' discovery documents.

use std::time::Duration;

use exorun::signin::discovery::Discoveries;
use exorun::signin::endpoint::LoginEndpoint;
use serde_json::json;
use tokio::net::TcpListener;

use super::assertions::endpoint;
use super::responder::serve;

const ID: &str = "3b0cf5d5-0d9e-4d4e-9d5e-000000000001";

fn document() -> (u16, String) {
    (200, json!({"issuer": format!("https://login.microsoftonline.com/{ID}/v2.0")}).to_string())
}

fn at(base: String, tenant: &str) -> LoginEndpoint {
    LoginEndpoint { base, tenant: tenant.to_owned(), ..endpoint() }
}

#[tokio::test]
async fn a_tenant_whose_answer_hangs_holds_up_no_other() {
    let hanging = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hanging = (format!("http://{}", hanging.local_addr().unwrap()), hanging);
    let (answering, _) = serve(vec![document()]).await;
    let discoveries = Discoveries::default();
    let slow = at(hanging.0, "slow.example");
    let mut waiting = std::pin::pin!(discoveries.tenant(&slow));
    // It has been asked, and no answer comes.
    let _connection = tokio::select! {
        _ = &mut waiting => panic!("nobody answers"),
        accepted = hanging.1.accept() => accepted.unwrap(),
    };
    let other = at(answering, "contoso.example");
    let found = tokio::select! {
        _ = &mut waiting => panic!("nobody answers"),
        found = tokio::time::timeout(Duration::from_secs(20), discoveries.tenant(&other)) => found,
    };
    assert_eq!(found.expect("it waits for another tenant").unwrap().id.as_deref(), Some(ID));
}

#[tokio::test]
async fn what_says_nothing_is_asked_again_and_what_is_known_is_not() {
    let (base, asked) = serve(vec![(404, "a gateway's page".to_owned()), document()]).await;
    let (discoveries, endpoint) = (Discoveries::default(), at(base, "contoso.example"));
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(discoveries.tenant(&endpoint).await.unwrap().id);
    }
    assert_eq!(ids, [None, Some(ID.to_owned()), Some(ID.to_owned())]);
    assert_eq!(asked.lock().unwrap().len(), 2);
}
