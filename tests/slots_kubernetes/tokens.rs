//! A token that rotates, and ways to the API server that are none.

use exorun::slots::kubernetes::connect;
use exorun::slots::{Returned, SlotError};

use crate::cluster::{Cluster, attempt, fails, secs, take};
use crate::lease_server::Fault;

#[tokio::test(start_paused = true)]
async fn a_token_that_has_rotated_is_read_anew() {
    let cluster = Cluster::used().await;
    let store = cluster.store("pod").await;
    let mut lease = take(&store, "a").await;
    cluster.server.accept(&["second-token"]);
    cluster.write_token("second-token");
    lease.renew(secs(1)).await.unwrap();
    cluster.server.accept(&["third-token"]);
    let error = lease.renew(secs(1)).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, SlotError::Store { .. }) && !text.contains("-token"), "{text}");
    cluster.write_token("third-token");
    lease.renew(secs(1)).await.unwrap();
    lease.give_back(Returned::Free).await.unwrap();
}

/// As a pod has it: a file that the kubelet replaces.
#[tokio::test(start_paused = true)]
async fn a_token_file_that_has_rotated_is_read_anew() {
    let cluster = Cluster::used().await;
    let token = cluster.dir.path().join("token");
    std::fs::write(&token, "first-token").unwrap();
    let kubeconfig =
        cluster.server.kubeconfig("x").replace("token: x", &format!("tokenFile: '{}'", token.display()));
    std::fs::write(cluster.dir.path().join("kubeconfig"), kubeconfig).unwrap();
    let store = cluster.store("pod").await;
    let mut lease = take(&store, "a").await;
    std::fs::write(&token, "second-token").unwrap();
    cluster.server.accept(&["second-token"]);
    lease.renew(secs(1)).await.unwrap();
    std::fs::write(&token, "not\na token").unwrap();
    cluster.server.accept(&["third-token"]);
    let text = lease.renew(secs(1)).await.unwrap_err().to_string();
    assert!(!text.contains("a token\"") && !text.contains("second-token"), "{text}");
    std::fs::remove_file(&token).unwrap();
    assert!(lease.renew(secs(1)).await.is_err());
    std::fs::write(&token, "third-token").unwrap();
    lease.renew(secs(1)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn another_servers_certificate_is_not_trusted() {
    let (cluster, other) = (Cluster::used().await, Cluster::new().await);
    let text =
        cluster.server.kubeconfig("first-token").replace(&cluster.server.endpoint, &other.server.endpoint);
    std::fs::write(cluster.dir.path().join("kubeconfig"), text).unwrap();
    let error = cluster.hurry(async { fails(&cluster.store("pod").await).await }).await.to_string();
    assert!(error.contains("certificate"), "{error}");
    assert_eq!(other.server.asked(), []);
}

#[tokio::test]
async fn a_kubeconfig_that_is_none_is_told_without_its_content() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kubeconfig");
    let good = "apiVersion: v1\nkind: Config\ncurrent-context: x\nclusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\n\
                users: [{name: u, user: {token: canary}}]\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n";
    for (text, needle) in [
        (None, "cannot be read"),
        (Some("users: [{name: u, user: {token: canary}}".to_owned()), "is not one"),
        (Some("canary".to_owned()), "is not one"),
        (Some(good.replace("current-context: x\n", "")), "no current context"),
        (Some(good.replace("current-context: x", "current-context: y")), "no context y"),
        (Some(good.replace("cluster: c,", "cluster: d,")), "no cluster d"),
        (Some(good.replace("'https://127.0.0.1:1'", "'https://not an address canary'")), "no server"),
        (Some(good.replace("token: canary", "token: \"canary\\n1\"")), "no header takes"),
        (Some(good.replace("token: canary", "tokenFile: /nowhere/token")), "/nowhere/token"),
        (Some(good.replace("token: canary", "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: sh, args: ['-c', 'echo canary; echo canary >&2; exit 1']}")), "credential program has failed"),
        (Some(good.replace("token: canary", "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: sh, args: ['-c', 'echo canary']}")), "way to a token"),
        (Some(good.replace("token: canary", "auth-provider: {name: oidc, config: {id-token: canary}}")), "use exec"),
        (Some(good.replace("token: canary", "client-certificate: /nowhere/client.pem")), "cannot be read from"),
        (Some(good.replace("token: canary", "client-key-data: Y2FuYXJ5")), "without the other"),
        (Some(good.replace("token: canary", "client-certificate-data: Y2FuYXJ5, client-key-data: Y2FuYXJ5")), "is no PEM"),
        (Some(good.replace("cluster: {", "cluster: {insecure-skip-tls-verify: true, ")), "certificate-authority in the kubeconfig"),
        (Some(good.replace("cluster: {", "cluster: {tls-server-name: api, ")), "tls-server-name is not supported"),
        (Some(good.replace("cluster: {", "cluster: {proxy-url: 'ftp://proxy', ")), "proxy-url"),
    ] {
        if let Some(text) = &text {
            std::fs::write(&path, text).unwrap();
        }
        let error = match connect(Some(&path), None).await {
            Ok(_) => panic!("{needle}: there is no way"),
            Err(error) => error,
        };
        let words = format!("{error} {error:?}");
        assert!(words.contains(needle) && words.contains("kubeconfig"), "{needle}: {words}");
        assert!(!words.contains("canary"), "{words}");
    }
    std::fs::write(&path, good).unwrap();
    assert_eq!(connect(Some(&path), None).await.unwrap().namespace(), "default");
    assert_eq!(connect(Some(&path), Some("mine".into())).await.unwrap().namespace(), "mine");
}

#[tokio::test]
async fn outside_a_pod_and_without_a_kubeconfig_there_is_no_way() {
    let error = connect(None, None).await.err().expect("tests do not run in a pod").to_string();
    assert!(error.contains("name a kubeconfig"), "{error}");
}

/// A user of a workstation: a credential program may ask that user, so it is asked when its token is refused and not before.
#[tokio::test(start_paused = true)]
async fn a_credential_program_is_asked_again_when_its_token_is_refused() {
    let cluster = Cluster::used().await;
    let [token, asked, kubeconfig] =
        ["token", "asked", "kubeconfig"].map(|name| cluster.dir.path().join(name));
    std::fs::write(&token, "first-token").unwrap();
    let script = format!(
        "echo >> {}; echo {{\\\"status\\\": {{\\\"token\\\": \\\"$(cat {})\\\"}}}}",
        asked.display(),
        token.display()
    );
    let exec = format!(
        "exec: {{apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: sh, args: ['-c', '{script}']}}"
    );
    std::fs::write(&kubeconfig, cluster.server.kubeconfig("x").replace("token: x", &exec)).unwrap();
    let asked = || std::fs::read_to_string(&asked).unwrap().lines().count();
    let store = cluster.store("workstation").await;
    take(&store, "a").await.give_back(Returned::Free).await.unwrap();
    cluster.pass(secs(61)).await;
    take(&store, "b").await.give_back(Returned::Free).await.unwrap();
    cluster.server.fail("list", "", 1, Fault::Refused(503));
    drop(attempt(&store, "c").await);
    let mut lease = take(&store, "d").await;
    assert_eq!(asked(), 1);
    std::fs::write(&token, "second-token").unwrap();
    cluster.server.accept(&["second-token"]);
    lease.renew(secs(1)).await.unwrap();
    assert_eq!(asked(), 2);
    lease.give_back(Returned::Free).await.unwrap();
}

/// A certificate authority and a token are replaced in place; nothing has to be refused before they are seen.
#[tokio::test(start_paused = true)]
async fn after_a_minute_everything_is_read_anew() {
    let cluster = Cluster::used().await;
    let store = cluster.store("pod").await;
    let mut lease = take(&store, "a").await;
    cluster.server.accept(&["first-token", "second-token"]);
    cluster.write_token("second-token");
    cluster.pass(secs(61)).await;
    // The answer tells how late it is by the server's clock; the request after it goes the new way.
    let _gone = lease.renew(secs(1)).await;
    cluster.server.accept(&["second-token"]);
    let refused = cluster.server.refused();
    drop(take(&store, "b").await);
    assert_eq!(cluster.server.refused(), refused, "the new token was used before the old one was refused");
}
