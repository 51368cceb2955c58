//! Secrets of people.

use exorun::emulator::{DeviceApproval, Options};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::canary::Canary;
use crate::components::has;
use crate::openbao::OpenBao;
use crate::program::ended;
use crate::scene::{Ends, Scene};

const NAVIN: &str = "navin@contoso.onmicrosoft.com";

/// Codes are confirmed by themselves.
fn confirmed() -> Options {
    Options { device_approval: DeviceApproval::AfterPolls(0), ..Options::default() }
}

/// Given by the emulator, not planted: every scene looks for what its tokens begin with.
pub(crate) async fn refresh_token(ends: Ends) -> Option<Scene> {
    let mut scene = Scene::new(ends, confirmed()).await;
    scene.by("{method: device}");
    Some(scene)
}

/// A tenant whose user has a password, and the one that the run is given: to end badly, a wrong one.
async fn with_password(ends: Ends) -> (Scene, Canary) {
    let right = Canary::new("the password of a user");
    let options = Options {
        accounts: vec![NAVIN.parse().unwrap()],
        user_password: Some(right.text.clone()),
        ..Options::default()
    };
    let scene = Scene::new(ends, options).await;
    (scene, if ends == Ends::Well { right } else { Canary::new("a wrong password of a user") })
}

pub(crate) async fn password(ends: Ends) -> Option<Scene> {
    let (mut scene, password) = with_password(ends).await;
    scene.variable("CANARY_PASSWORD", password);
    scene.by(&format!(
        "{{method: password, user_principal_name: {NAVIN}, credential: {{env: CANARY_PASSWORD}}}}"
    ));
    Some(scene)
}

/// Vault has the user's name as well.
pub(crate) async fn password_in_vault(ends: Ends) -> Option<Scene> {
    let bao = OpenBao::start("the_password_of_a_user_in_vault").await?;
    let (mut scene, password) = with_password(ends).await;
    bao.policy("reader", "path \"secret/data/people/*\" { capabilities = [\"read\"] }").await;
    let fields = json!({"data": {"username": NAVIN, "password": password.text}});
    bao.write("secret/data/people/navin", fields).await;
    scene.canaries.push(password);
    let token = Canary::of("the token of Vault", &bao.token(&["reader"]).await);
    let file = scene.file("vault-token", token);
    scene.variables.extend(bao.environment());
    scene.variables.push(("EXORUN_VAULT_AUTH", "token".to_owned()));
    scene.variables.push(("EXORUN_VAULT_TOKEN_FILE", file.display().to_string()));
    scene.by("{method: password, credential: {vault: {path: people/navin}}}");
    scene.vault = Some(bao);
    Some(scene)
}

/// At a terminal, where nothing of it may be seen.
pub(crate) async fn typed_password(ends: Ends) -> Option<Scene> {
    if !has("python3", "a_typed_password") {
        return None;
    }
    let (mut scene, password) = with_password(ends).await;
    scene.typed =
        vec![("User name", format!("{NAVIN}\n")), ("Password of navin", format!("{}\n", password.text))];
    scene.canaries.push(password);
    scene.by("{method: inline_credential}");
    Some(scene)
}

/// In its address; to end badly, nobody answers there.
pub(crate) async fn webhook(ends: Ends) -> Option<Scene> {
    let mut scene = Scene::new(ends, confirmed()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let key = Canary::plain("the key of a webhook");
    let address = format!("http://{}/{}?key={}", listener.local_addr().unwrap(), key.text, key.text);
    if ends == Ends::Well {
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _read = stream.read(&mut [0; 8192]).await;
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                let _written = stream.write_all(answer).await;
            }
        });
    }
    scene.canaries.push(key);
    scene.variables.push(("EXORUN_DEVICE_WEBHOOK", address));
    scene.by("{method: device}");
    Some(scene)
}

/// A refresh token that `exorun login` has left in Vault, and that the run replaces.
pub(crate) async fn kept_refresh_token(ends: Ends) -> Option<Scene> {
    let bao = OpenBao::start("a_kept_refresh_token").await?;
    bao.policy(
        "keeper",
        "path \"secret/data/people/*\" { capabilities = [\"create\", \"read\", \"update\"] }",
    )
    .await;
    let mut scene = Scene::new(ends, confirmed()).await;
    let token = Canary::of("the token of Vault", &bao.token(&["keeper"]).await);
    let file = scene.file("vault-token", token);
    scene.variables.extend(bao.environment());
    scene.variables.push(("EXORUN_VAULT_AUTH", "token".to_owned()));
    scene.variables.push(("EXORUN_VAULT_TOKEN_FILE", file.display().to_string()));
    scene.by("{method: device, credential: {vault: {path: people/navin}}}");
    scene.write_job();
    let mut login = scene.tenant.exorun(&["login", "job.yaml", "--method", "device", "--log-level", "trace"]);
    login.envs(scene.variables.iter().map(|(name, value)| (name, value)));
    let login = ended(login.spawn().unwrap()).await;
    // The token service fails once in a scene that ends badly, and login repeats it.
    login.assert_code(0);
    let kept = bao.read("secret/data/people/navin").await;
    let refresh_token = kept["data"]["refresh_token"].as_str().unwrap();
    scene.canaries.push(Canary::of("the kept refresh token", refresh_token));
    for said in [&login.stdout, &login.stderr] {
        scene.clean("what `exorun login` says", said.as_bytes());
    }
    assert!(kept["data"]["tenant"] != json!(null), "{kept}");
    scene.vault = Some(bao);
    Some(scene)
}
