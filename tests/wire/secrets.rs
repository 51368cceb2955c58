//! Secrets among the parameters, as they leave: `openssl` opens them with the private key.

use std::sync::{Arc, Mutex};

use exorun::exchange::errors::{ErrorKind, Happened};
use exorun::exchange::{SecretParameter, SecretParameterValue};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::components::has;
use super::module_key::ModuleKey;
use super::nothing;
use super::scripted_service::{ScriptedService, Seen};
use super::wire::{Asking, told};

pub(crate) const PASSWORD: &str = "canary-p\u{e4}ssword-5e1d";

fn password(text: &str) -> SecretParameter {
    let value = SecretParameterValue::Text(SecretString::from(text.to_owned()));
    SecretParameter { name: "Password".to_owned(), value }
}

pub(crate) fn set_password(text: &str) -> Asking {
    Asking::new("Set-Mailbox", json!({"Identity": "anna@contoso.example"})).secret(password(text))
}

fn sent(seen: &Seen, name: &str) -> String {
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    body["CmdletInput"]["Parameters"][name].as_str().unwrap().to_owned()
}

/// A service whose module file holds the newest of `keys`, and that takes a value under that key only.
async fn service_of(keys: &Arc<Mutex<Vec<ModuleKey>>>) -> ScriptedService {
    let keys = Arc::clone(keys);
    ScriptedService::start(move |seen, _| {
        let keys = keys.lock().unwrap();
        let newest = keys.last().unwrap();
        if seen.method == "GET" {
            return (200, newest.module_file());
        }
        // Under another key, the padding does not come out and openssl makes something else of it.
        if newest.opened(&sent(seen, "Password")).as_deref() == Some(PASSWORD) {
            (200, nothing())
        } else {
            (
                400,
                json!({"error": {"code": "BadRequest", "message": "The password cannot be read."}})
                    .to_string(),
            )
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_encrypted_under_the_key_of_the_module_file() {
    if !has("openssl", "a_password_is_encrypted_under_the_key_of_the_module_file") {
        return;
    }
    let keys = Arc::new(Mutex::new(vec![ModuleKey::new()]));
    let service = service_of(&keys).await;
    let outcomes = set_password(PASSWORD).call(&service, 2).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let seen = service.seen();
    let methods: Vec<&str> = seen.iter().map(|seen| seen.method.as_str()).collect();
    assert_eq!(methods, ["GET", "POST", "POST"], "the key is asked for once a session");
    assert_ne!(sent(&seen[1], "Password"), sent(&seen[2], "Password"), "the padding is chance");
    assert!(seen.iter().all(|seen| !seen.body.contains("canary")));
    let shown = told(&seen[..2]).replace(&sent(&seen[1], "Password"), "{256 bytes in Base64}");
    insta::assert_snapshot!("secret", shown);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_changed_is_asked_for_once_more() {
    if !has("openssl", "a_key_that_was_changed_is_asked_for_once_more") {
        return;
    }
    let keys = Arc::new(Mutex::new(vec![ModuleKey::new()]));
    let (old, new) = (Arc::clone(&keys), ModuleKey::new());
    let new = Mutex::new(Some(new));
    let service = ScriptedService::start(move |seen, _| {
        let mut keys = old.lock().unwrap();
        if seen.method == "GET" {
            return (200, keys.last().unwrap().module_file());
        }
        let is_good = keys.last().unwrap().opened(&sent(seen, "Password")).as_deref() == Some(PASSWORD);
        // After the first good value, the service's key is another one.
        if let Some(new) = new.lock().unwrap().take() {
            keys.push(new);
        }
        let refusal = json!({"error": {"code": "BadRequest", "message": "The password cannot be read."}});
        if is_good { (200, nothing()) } else { (400, refusal.to_string()) }
    })
    .await;
    let outcomes = set_password(PASSWORD).call(&service, 2).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let methods: Vec<String> = service.seen().into_iter().map(|seen| seen.method).collect();
    assert_eq!(methods, ["GET", "POST", "POST", "GET", "POST"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_refused_under_the_right_key_is_not_sent_again() {
    if !has("openssl", "a_value_that_is_refused_under_the_right_key_is_not_sent_again") {
        return;
    }
    let keys = Arc::new(Mutex::new(vec![ModuleKey::new()]));
    let service = service_of(&keys).await;
    let outcomes = set_password("another-password").call(&service, 2).await;
    assert!(
        outcomes.iter().all(|outcome| matches!(outcome, Err(error) if error.kind == ErrorKind::InvalidInput))
    );
    let methods: Vec<String> = service.seen().into_iter().map(|seen| seen.method).collect();
    assert_eq!(
        methods,
        ["GET", "POST", "POST", "GET"],
        "the second refusal asks for the key, and it is the same"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_is_user_name_and_password_in_one() {
    if !has("openssl", "a_credential_is_user_name_and_password_in_one") {
        return;
    }
    let key = Arc::new(ModuleKey::new());
    let served = Arc::clone(&key);
    let service = ScriptedService::start(move |seen, _| match seen.method.as_str() {
        "GET" => (200, served.module_file()),
        _ => (200, nothing()),
    })
    .await;
    let value = SecretParameterValue::Credential {
        user_name: "old\\anna".to_owned(),
        password: SecretString::from(PASSWORD),
    };
    let secret = SecretParameter { name: "Credentials".to_owned(), value };
    let asking = Asking::new("New-MigrationEndpoint", json!({"Name": "old", "IMAP": true})).secret(secret);
    assert!(asking.call(&service, 1).await[0].is_ok());
    let opened = key.opened(&sent(&service.seen()[1], "Credentials")).unwrap();
    let opened: Value = serde_json::from_str(&opened).unwrap();
    assert_eq!(opened, json!({"UserName": "old\\anna", "Password": PASSWORD}));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_no_secret_is_sent() {
    for (file, said) in [
        (nothing(), "the answer is empty"),
        (
            json!({"value": [{"ModuleText": "function Set-Mailbox { }"}]}).to_string(),
            "it holds no public key",
        ),
    ] {
        let service = ScriptedService::start(move |_, _| (200, file.clone())).await;
        let error = set_password(PASSWORD).call(&service, 1).await.pop().unwrap().unwrap_err();
        assert_eq!((error.kind, error.happened), (ErrorKind::Refused, Happened::No), "{error}");
        assert!(error.message.contains(said) && !error.message.contains("canary"), "{error}");
        assert_eq!(service.seen().len(), 1, "only the file was asked for");
    }
    let service = ScriptedService::start(|_, _| (403, String::new())).await;
    let error = set_password(PASSWORD).call(&service, 1).await.pop().unwrap().unwrap_err();
    assert_eq!((error.kind, error.happened), (ErrorKind::Forbidden, Happened::No), "{error}");
    let long = set_password(&"canary".repeat(41)).call(&service, 1).await.pop().unwrap().unwrap_err();
    assert!(long.message.contains("246 bytes") && !long.message.contains("canary"), "{long}");
    assert_eq!(service.seen().len(), 1, "what is too long asks for nothing");
}
