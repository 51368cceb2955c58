//! Reading, keeping and forgetting.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use exorun::secrets::{Expected, Fields, Kept, SecretErrorKind, SecretSource};
use exorun::spec::job::{CredentialRef, VaultRef};
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::canned::read_whole;
use super::client::{assert_told, parts, place, reference, with_token};
use super::openbao::OpenBao;
use exorun::secrets::vault::Login;

fn fields(pairs: &[(&str, &str)]) -> Fields {
    let named =
        pairs.iter().map(|(name, value)| ((*name).to_owned(), SecretString::from((*value).to_owned())));
    Fields { named: named.collect(), ..Fields::default() }
}

#[tokio::test]
async fn both_versions_of_kv_are_found_by_themselves() {
    let Some(bao) = OpenBao::start("vault: both_versions_of_kv").await else { return };
    bao.mount("old", "kv", json!({"version": "1"})).await;
    bao.write("old/team/app", json!({"client_secret": "canary-1", "other": "x"})).await;
    bao.write("secret/data/team/app", json!({"data": {"client_secret": "canary-2"}})).await;
    bao.write("secret/data/team/app", json!({"data": {"client_secret": "canary-3\n"}})).await;
    bao.policy("reader", r#"path "old/team/*" { capabilities = ["read"] } path "secret/data/team/*" { capabilities = ["read"] }"#)
        .await;
    let client = with_token(&bao, &bao.token_file(&["reader"]).await);
    let text = async |reference: &CredentialRef| {
        let text = client.secrets.text(reference, "client_secret").await;
        text.map(|text| text.expose_secret().to_owned()).map_err(|error| error.to_string())
    };
    assert_eq!(text(&reference("old", "team/app")).await.unwrap(), "canary-1");
    assert_eq!(text(&reference("secret", "team/app")).await.unwrap(), "canary-3", "without its line end");
    let pinned = VaultRef { version: Some(1), ..place("secret", "team/app") };
    assert_eq!(text(&CredentialRef::Vault(pinned)).await.unwrap(), "canary-2");
    let field = VaultRef { field: Some("other".to_owned()), ..place("old", "team/app") };
    assert_eq!(text(&CredentialRef::Vault(field)).await.unwrap(), "x");
    let read = client.vault_read("secret", "team/app").await.unwrap();
    assert_eq!(read.version, Some(2));
    let counted = client.metrics.encode();
    let file = bao.token_file(&["reader"]).await;
    let token = std::fs::read_to_string(&file).unwrap();
    let other = with_token(&bao, &file);
    other.vault_read("old", "team/app").await.unwrap();
    other.vault.close(std::time::Duration::from_secs(10)).await;
    let (status, _) = bao.ask_as(token.trim(), Method::GET, "old/team/app", None).await;
    assert_eq!(status, 200, "a token that was given is not revoked");
    assert!(counted.contains(r#"exorun_vault_reads_total{outcome="ok",emulated="true"} 5"#), "{counted}");
}

#[tokio::test]
async fn each_thing_that_can_be_wrong_with_a_place_is_told_with_its_mend() {
    let Some(mut bao) = OpenBao::start("vault: each_thing_that_can_be_wrong").await else { return };
    bao.mount("old", "kv", json!({"version": "1"})).await;
    bao.mount("deep/mount", "kv", json!({"version": "2"})).await;
    bao.write("deep/mount/data/app", json!({"data": {"a": "canary"}})).await;
    bao.write("old/app", json!({"client_secret": "canary"})).await;
    for path in ["app", "deleted", "destroyed"] {
        let data =
            json!({"number": 7, "flag": true, "object": {"a": "canary"}, "a": "canary", "b": "canary"});
        bao.write(&format!("secret/data/{path}"), json!({"data": data})).await;
    }
    bao.ask(Method::DELETE, "secret/data/deleted", None).await;
    bao.ask(Method::PUT, "secret/destroy/destroyed", Some(json!({"versions": [1]}))).await;
    let root = with_token(&bao, &bao.file(super::openbao::ROOT_TOKEN));
    let error = async |place: VaultRef, field: &str| {
        root.secrets.text(&CredentialRef::Vault(place), field).await.expect_err("it is wrong")
    };
    let (wrong, absent) = (SecretErrorKind::Wrong, SecretErrorKind::Absent);
    let nothing = error(place("secret", "nothing"), "x").await;
    assert_told(
        &nothing,
        absent,
        &["credential vault:secret/nothing: there is no secret at this path; look with `vault kv get"],
    );
    let data = error(place("secret", "data/app"), "x").await;
    assert_told(&data, absent, &["leave `data/` out of the path (`path: app`)"]);
    let version = error(VaultRef { version: Some(9), ..place("secret", "app") }, "x").await;
    assert_told(&version, absent, &["(version 9)", "there is no secret at this path with a version 9"]);
    let deleted = error(place("secret", "deleted"), "x").await;
    assert_told(
        &deleted,
        absent,
        &["version 1 was deleted (20", "`vault kv undelete -mount=secret -versions=1 deleted`"],
    );
    let destroyed = error(place("secret", "destroyed"), "x").await;
    assert_told(&destroyed, absent, &["version 1 was destroyed for good"]);
    let pinned = error(VaultRef { version: Some(1), ..place("old", "app") }, "client_secret").await;
    assert_told(&pinned, wrong, &["version 1 is pinned, but what is mounted at `old` keeps no versions"]);
    let mount = error(place("secrets", "app"), "x").await;
    assert_told(&mount, wrong, &["nothing is mounted at `secrets`"]);
    let split = error(place("deep", "mount/app"), "a").await;
    assert_told(&split, wrong, &["the mount is `deep/mount`, not `deep`"]);
    let dots = error(place("secret", "../sys/mounts"), "a").await;
    assert_told(&dots, wrong, &["write names with one `/` between"]);
    let field = error(place("secret", "app"), "client_secret").await;
    assert_told(&field, wrong, &["has no field `client_secret`; it has a, b, flag, number, object"]);
    for (field, what) in [("number", "a number"), ("flag", "true or false"), ("object", "an object")] {
        let error = error(place("secret", "app"), field).await;
        assert_told(&error, wrong, &[&format!("the field `{field}` holds {what}"), "write it in quotes"]);
    }
    bao.policy("little", r#"path "secret/data/app" { capabilities = ["read"] }"#).await;
    let little = with_token(&bao, &bao.token_file(&["little"]).await);
    let forbidden = little.secrets.read(&reference("secret", "other")).await.err().unwrap();
    assert_told(
        &forbidden,
        wrong,
        &["permission denied", r#"path "secret/data/other" { capabilities = ["read"] }"#],
    );
    let forbidden = little.secrets.read(&reference("old", "app")).await.err().unwrap();
    assert_told(
        &forbidden,
        wrong,
        &["nothing is mounted at `old`, or the policies of the token grant nothing there"],
    );
    let forbidden =
        little.secrets.keep(&place("secret", "app"), &fields(&[("a", "canary")]), Expected::Version(1)).await;
    assert_told(
        &forbidden.unwrap_err(),
        wrong,
        &[r#"path "secret/data/app" { capabilities = ["create", "update"] }"#],
    );

    let mut elsewhere = parts(&bao, Login::Token { file: bao.file(super::openbao::ROOT_TOKEN) });
    elsewhere.namespace = Some("nowhere".to_owned());
    let error =
        super::client::client(elsewhere).secrets.read(&reference("secret", "app")).await.err().unwrap();
    assert_told(&error, wrong, &["check `vault_namespace`"]);
    bao.enter_namespace("team").await;
    bao.mount("secret", "kv", json!({"version": "2"})).await;
    bao.write("secret/data/app", json!({"data": {"a": "of-the-team"}})).await;
    let mut inside = parts(&bao, Login::Token { file: bao.file(super::openbao::ROOT_TOKEN) });
    inside.namespace = Some("team".to_owned());
    let inside = super::client::client(inside);
    let text = inside.secrets.text(&reference("secret", "app"), "a").await.unwrap();
    assert_eq!(text.expose_secret(), "of-the-team");
}

#[tokio::test]
async fn what_is_kept_is_kept_by_check_and_set() {
    let Some(bao) = OpenBao::start("vault: check_and_set").await else { return };
    bao.mount("old", "kv", json!({"version": "1"})).await;
    bao.policy(
        "keeper",
        r#"path "secret/data/login" { capabilities = ["create", "read", "update"] }
           path "secret/metadata/login" { capabilities = ["delete"] }
           path "old/login" { capabilities = ["create", "read", "update", "delete"] }"#,
    )
    .await;
    let client = with_token(&bao, &bao.token_file(&["keeper"]).await);
    let (secrets, login) = (&client.secrets, place("secret", "login"));
    let one = fields(&[("refresh_token", "canary-1"), ("user", "a@b")]);
    let two = fields(&[("refresh_token", "canary-2")]);
    assert_eq!(secrets.keep(&login, &one, Expected::Absent).await.unwrap(), Kept::Now(1));
    assert_eq!(secrets.keep(&login, &two, Expected::Absent).await.unwrap(), Kept::Conflict);
    assert_eq!(secrets.keep(&login, &two, Expected::Version(1)).await.unwrap(), Kept::Now(2));
    assert_eq!(secrets.keep(&login, &one, Expected::Version(1)).await.unwrap(), Kept::Conflict);
    let kept = client.vault_read("secret", "login").await.unwrap();
    assert_eq!(kept.version, Some(2));
    assert_eq!(kept.get("refresh_token").unwrap().expose_secret(), "canary-2");
    assert!(kept.get("user").is_none(), "a version is written whole");
    // A version that was deleted by hand is no reason to fail.
    bao.ask(Method::DELETE, "secret/data/login", None).await;
    assert_eq!(secrets.keep(&login, &one, Expected::Absent).await.unwrap(), Kept::Now(3));
    secrets.forget(&login).await.unwrap();
    secrets.forget(&login).await.unwrap();
    assert_eq!(bao.ask(Method::GET, "secret/metadata/login", None).await.0, 404, "with all versions");
    let gone = secrets.read(&reference("secret", "login")).await.err().unwrap();
    assert_eq!(gone.kind, SecretErrorKind::Absent);
    let old = secrets.keep(&place("old", "login"), &one, Expected::Absent).await.unwrap_err();
    assert_told(&old, SecretErrorKind::Wrong, &["use a mount of KV version 2"]);
    bao.write("old/login", json!({"a": "b"})).await;
    secrets.forget(&place("old", "login")).await.unwrap();
    assert_eq!(bao.ask(Method::GET, "old/login", None).await.0, 404);
}

#[tokio::test]
async fn of_two_who_keep_at_once_one_is_first() {
    let Some(bao) = OpenBao::start("vault: of_two_who_keep_at_once").await else { return };
    let file = bao.file(super::openbao::ROOT_TOKEN);
    let clients = [with_token(&bao, &file), with_token(&bao, &file)];
    let login = place("secret", "login");
    for version in 0..20 {
        let expected = if version == 0 { Expected::Absent } else { Expected::Version(version) };
        let kept = futures_util::future::join_all(clients.iter().enumerate().map(|(who, client)| {
            let fields = fields(&[("refresh_token", &format!("round-{version}-of-{who}"))]);
            let login = &login;
            async move { client.secrets.keep(login, &fields, expected).await.unwrap() }
        }))
        .await;
        let firsts = kept.iter().filter(|kept| **kept == Kept::Now(version + 1)).count();
        let late = kept.iter().filter(|kept| **kept == Kept::Conflict).count();
        assert_eq!((firsts, late), (1, 1), "round {version}: {kept:?}");
    }
}

/// A way to OpenBao that loses the answer to the first write.
async fn forgetful(bao: &OpenBao) -> (String, Arc<AtomicBool>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (target, lost) =
        (bao.address.trim_start_matches("http://").to_owned(), Arc::new(AtomicBool::new(false)));
    let loses = Arc::clone(&lost);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let (target, loses) = (target.clone(), Arc::clone(&loses));
            tokio::spawn(async move {
                let request = read_whole(&mut near).await;
                let mut far = tokio::net::TcpStream::connect(target).await.unwrap();
                // One request a connection, so that its answer ends with it.
                far.write_all(request.replacen("\r\n", "\r\nconnection: close\r\n", 1).as_bytes())
                    .await
                    .unwrap();
                let mut answer = Vec::new();
                far.read_to_end(&mut answer).await.unwrap();
                let is_write = request.starts_with("POST /v1/secret/data/");
                if !is_write || loses.swap(true, Ordering::SeqCst) {
                    let _gone = near.write_all(&answer).await;
                }
            });
        }
    });
    (address, lost)
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_recognized_as_ours() {
    let Some(bao) = OpenBao::start("vault: a_write_whose_answer_is_lost").await else { return };
    let file = bao.file(super::openbao::ROOT_TOKEN);
    let login = place("secret", "login");
    let (mine, theirs) =
        (fields(&[("refresh_token", "canary-mine")]), fields(&[("refresh_token", "canary-theirs")]));
    for (kept, expected) in [(&mine, Kept::Now(1)), (&theirs, Kept::Conflict)] {
        let (address, lost) = forgetful(&bao).await;
        let mut parts = parts(&bao, Login::Token { file: file.clone() });
        parts.address = address;
        let client = super::client::client(parts);
        // The second time somebody else's write is in the way, and is not taken for ours.
        let found = client.secrets.keep(&login, kept, Expected::Version(0)).await.unwrap();
        assert_eq!(found, expected);
        assert!(lost.load(Ordering::SeqCst), "an answer was lost");
    }
    let left = with_token(&bao, &file).vault_read("secret", "login").await.unwrap();
    assert_eq!((left.version, left.get("refresh_token").unwrap().expose_secret()), (Some(1), "canary-mine"));
}
