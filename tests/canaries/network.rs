//! What a proxy is paid with.

use exorun::emulator::Options;

use crate::canary::Canary;
use crate::forwarding::{Answers, Forwarding};
use crate::scene::{Ends, Scene};

const DENIED: &str =
    "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n";

/// A run that knows no other way than the services' own names, through a proxy; to end badly, one that takes nobody.
async fn scene(ends: Ends) -> (Scene, String) {
    let mut scene = Scene::new(ends, Options::default()).await;
    let names = scene.tenant.emulator.real_names().into_iter().map(|(name, to)| (name, to.port())).collect();
    let answers =
        if ends == Ends::Well { Answers::Tunnels { authorization: None } } else { Answers::Says(DENIED) };
    let proxy = Forwarding::start(answers, names).await;
    scene.without = vec![
        "EXORUN_LOGIN_ENDPOINT",
        "EXORUN_EXCHANGE_ENDPOINT",
        "EXORUN_COMPLIANCE_ENDPOINT",
        "EXORUN_CONNECT_TO",
    ];
    scene.by(
        "{method: client_secret, client_id: 11111111-2222-3333-4444-555555555555, credential: {env: EXORUN_CLIENT_SECRET}}",
    );
    (scene, proxy.url())
}

pub(crate) async fn proxy_password_in_a_file(ends: Ends) -> Option<Scene> {
    let (mut scene, url) = scene(ends).await;
    let password = Canary::plain("the password of a proxy");
    let file = scene.planted_file("proxy-credentials", &format!("anna:{}\n", password.text));
    scene.canaries.push(password);
    scene.variables.push(("EXORUN_PROXY", url));
    scene.variables.push(("EXORUN_PROXY_CREDENTIALS_FILE", file.display().to_string()));
    Some(scene)
}

pub(crate) async fn proxy_password_in_a_variable(ends: Ends) -> Option<Scene> {
    let (mut scene, url) = scene(ends).await;
    let password = Canary::plain("the password of a proxy");
    let with_password = url.replace("http://", &format!("http://anna:{}@", password.text));
    scene.canaries.push(password);
    scene.variables.push(("HTTPS_PROXY", with_password));
    Some(scene)
}
