//! Sign-in and sessions through a forward proxy, by the services' own names: a right one, a real one, and wrong ones.

use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::forwarding::{Answers, Forwarding};
use super::program::{Ended, Tenant, ended, requests};
use super::{Cloud, components, job, tenant};

const LOGIN: &str = "login.microsoftonline.com";
const EXCHANGE: &str = "outlook.office365.com";
/// `anna:canary-proxy-password`
const AUTHORIZATION: &str = "Basic YW5uYTpjYW5hcnktcHJveHktcGFzc3dvcmQ=";

async fn worldwide() -> Tenant {
    tenant(Cloud::Worldwide, "contoso.onmicrosoft.com").await
}

fn names(tenant: &Tenant) -> Vec<(String, u16)> {
    tenant.emulator.real_names().into_iter().map(|(name, to)| (name, to.port())).collect()
}

/// A run that knows no other way than the services' own names.
fn command(tenant: &Tenant, more: &[(&str, &str)]) -> Command {
    let job = job(tenant, "tenant: contoso.onmicrosoft.com");
    let mut command = tenant.exorun(&["run", job.to_str().unwrap()]);
    for name in ["LOGIN_ENDPOINT", "EXCHANGE_ENDPOINT", "COMPLIANCE_ENDPOINT", "CONNECT_TO"] {
        command.env_remove(format!("EXORUN_{name}"));
    }
    command
        .env("EXORUN_RETRY_ATTEMPTS", "2")
        .env("EXORUN_CONNECT_TIMEOUT", "2s")
        .env("EXORUN_SIGNIN_TIMEOUT", "3s")
        .envs(more.iter().copied());
    command
}

async fn run(tenant: &Tenant, more: &[(&str, &str)]) -> Ended {
    let run = ended(command(tenant, more).spawn().unwrap()).await;
    for text in [&run.stdout, &run.stderr] {
        assert!(!text.contains("canary-proxy") && !text.contains("YW5uYTpj"), "{text}");
    }
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_and_sessions_go_through_the_proxy_of_a_setting_or_a_variable() {
    for by_setting in [true, false] {
        let tenant = worldwide().await;
        let answers = Answers::Tunnels { authorization: Some(AUTHORIZATION) };
        let proxy = Forwarding::start(answers, names(&tenant)).await;
        let file = tenant.path("proxy-credentials");
        std::fs::write(&file, "anna:canary-proxy-password\n").unwrap();
        let (address, file) = (proxy.url(), file.display().to_string());
        let in_variable = address.replace("http://", "http://anna:canary-proxy-password@");
        let more = match by_setting {
            true => {
                vec![("EXORUN_PROXY", address.as_str()), ("EXORUN_PROXY_CREDENTIALS_FILE", file.as_str())]
            }
            false => vec![("HTTPS_PROXY", in_variable.as_str())],
        };
        run(&tenant, &more).await.assert_code(0);
        let heads = proxy.heads();
        for name in [LOGIN, EXCHANGE] {
            let asked = format!("CONNECT {name}:443 HTTP/1.1\r\n");
            assert!(heads.iter().any(|head| head.starts_with(&asked)), "{heads:?}");
        }
        tenant.assert_all_closed();
        let mut settings = tenant.exorun(&["settings"]);
        let settings = ended(settings.envs(more.iter().copied()).spawn().unwrap()).await;
        assert!(settings.stdout.contains(&address), "{}", settings.stdout);
        assert!(!settings.stdout.contains("canary-proxy"), "{}", settings.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_named_or_on_this_machine_is_reached_without_it() {
    let tenant = worldwide().await;
    let proxy = Forwarding::start(Answers::Closes, Vec::new()).await;
    // The tenant's own settings: 127.0.0.1, and a detour for the rest.
    let job = job(&tenant, "tenant: contoso.onmicrosoft.com");
    let mut on_this_machine = tenant.exorun(&["run", job.to_str().unwrap()]);
    on_this_machine.env("HTTPS_PROXY", proxy.url());
    ended(on_this_machine.spawn().unwrap()).await.assert_code(0);
    assert_eq!(proxy.heads(), Vec::<String>::new());
    // Excepted, a name is resolved here, and this one cannot exist.
    let (url, login) = (proxy.url(), "https://login.exorun.invalid");
    for no_proxy in ["*", ".exorun.invalid", "login.exorun.invalid"] {
        let more = [("HTTPS_PROXY", url.as_str()), ("NO_PROXY", no_proxy), ("EXORUN_LOGIN_ENDPOINT", login)];
        let run = run(&tenant, &more).await;
        run.assert_code(1);
        assert!(!run.stdout.contains("proxy"), "{}", run.stdout);
    }
    assert_eq!(proxy.heads(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_none_is_named_with_the_mend_in_time() {
    let denied = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n";
    for (answers, code, words, tries) in [
        (Answers::Says(denied), 64, "`proxy_credentials_file`", 1),
        (Answers::Says("HTTP/1.1 403 Forbidden\r\n\r\n"), 1, "have the host allowed there", 2),
        (
            Answers::Says("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html></html>"),
            1,
            "through the proxy",
            2,
        ),
        (Answers::Says("<html>Welcome</html>"), 1, "is no HTTP proxy", 2),
        (Answers::Nothing, 1, "through the proxy", 2),
        (Answers::Closes, 1, "through the proxy", 2),
    ] {
        let tenant = worldwide().await;
        let proxy = Forwarding::start(answers.clone(), Vec::new()).await;
        let began = Instant::now();
        let run = run(&tenant, &[("EXORUN_PROXY", &proxy.url())]).await;
        run.assert_code(code);
        assert!(
            run.stdout.contains(words) && run.stdout.contains(&proxy.url()),
            "{answers:?}: {}",
            run.stdout
        );
        assert_eq!(proxy.heads().len(), tries, "{answers:?}: {:?}", proxy.heads());
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        assert_eq!(tenant.emulator.counters().requests, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_a_proxy_does_not_let_through_says_so_too() {
    let denied = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
    for (answers, words) in [
        (Answers::Says(denied), "wants a user name and a password (HTTP 407)"),
        (Answers::Says("HTTP/1.1 403 Forbidden\r\n\r\n"), "(HTTP 403): have the host allowed there"),
        (Answers::Says("HTTP/1.1 200 OK\r\n\r\n<html></html>"), "a page instead of a tunnel"),
        (Answers::Says("<html>Welcome</html>"), "does not answer as an HTTP proxy"),
        (Answers::Nothing, "timed out after 2s (setting `connect_timeout`), through the proxy"),
        (Answers::Closes, "closed the connection before it answered"),
    ] {
        let tenant = worldwide().await;
        let proxy = Forwarding::start(answers.clone(), Vec::new()).await;
        let login = tenant.emulator.login_endpoint();
        let run = run(&tenant, &[("EXORUN_PROXY", &proxy.url()), ("EXORUN_LOGIN_ENDPOINT", &login)]).await;
        run.assert_code(1);
        assert!(
            run.stdout.contains(words) && run.stdout.contains(&proxy.url()),
            "{answers:?}: {}",
            run.stdout
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mitmproxy_passes_both_on_to_those_whom_it_knows() {
    let test = "mitmproxy_passes_both_on_to_those_whom_it_knows";
    if !components::has("mitmdump", test) {
        return;
    }
    let tenant = worldwide().await;
    let folder = tenant.path("mitmproxy");
    let mut mitmproxy = Command::new("mitmdump");
    mitmproxy
        .args([
            "--listen-host",
            "127.0.0.1",
            "--listen-port",
            "0",
            "--proxyauth",
            "anna:canary-proxy-password",
        ])
        .args(["--set", "connection_strategy=lazy", "--set", "keep_host_header=true"])
        .args(["--set", &format!("confdir={}", folder.display())])
        .args(["--set", &format!("ssl_verify_upstream_trusted_ca={}", tenant.path("ca.pem").display())])
        .env("PYTHONUNBUFFERED", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    for (name, port) in names(&tenant) {
        mitmproxy.args(["--map-remote", &format!("|//{name}/|//127.0.0.1:{port}/")]);
    }
    let mut mitmproxy = mitmproxy.spawn().unwrap();
    let mut lines = BufReader::new(mitmproxy.stdout.take().unwrap()).lines();
    let address = tokio::time::timeout(Duration::from_secs(60), async {
        loop {
            let line = lines.next_line().await.unwrap().expect("mitmdump ended");
            if let Some((_, address)) = line.split_once("listening at ") {
                break format!("http://{}", address.trim_end_matches('.'));
            }
        }
    });
    let address = address.await.expect("mitmdump does not listen");
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    let ca_file = folder.join("mitmproxy-ca-cert.pem").display().to_string();
    let with = |user: &str| address.replace("http://", &format!("http://{user}@"));

    let unknown =
        run(&tenant, &[("HTTPS_PROXY", &with("anna:canary-proxy-wrong")), ("EXORUN_CA_FILE", &ca_file)])
            .await;
    unknown.assert_code(64);
    assert!(unknown.stdout.contains("(HTTP 407)"), "{}", unknown.stdout);
    let known = with("anna:canary-proxy-password");
    let untrusted = run(&tenant, &[("HTTPS_PROXY", &known)]).await;
    untrusted.assert_code(64);
    assert!(untrusted.stdout.contains("`ca_file`"), "{}", untrusted.stdout);
    assert_eq!(tenant.emulator.counters().requests, 0);
    run(&tenant, &[("HTTPS_PROXY", &known), ("EXORUN_CA_FILE", &ca_file)]).await.assert_code(0);
    let counters = tenant.emulator.counters();
    assert_eq!((requests(&counters, "token"), requests(&counters, "Get-AcceptedDomain")), (1, 1));
}
