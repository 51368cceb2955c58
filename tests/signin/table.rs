//! Each way to sign in once as it should be and once as it should not, in one tenant; printed as a table with
//! `cargo test --test signin table -- --nocapture`.
#![expect(
    clippy::print_stdout,
    reason = "the table is for people: `cargo test --test signin table -- --nocapture`"
)]

use exorun::emulator::{DeviceApproval, Options, stand_in};
use serde_json::{Value, json};
use tokio::process::Command;

use super::desk::{Desk, NAVIN, PASSWORD, end, end_of, options};
use super::openssl::{pair, text};
use super::program::Ended;
use super::vault::{Kept, certify};
use super::walker::Walker;
use super::{CLIENT_ID, components, token};

/// What methods say that have to ask and cannot.
const NO_BROWSER: &str = "there is no terminal: sign in once";
const NO_TERMINAL: &str = "on a terminal, and there is none";

/// A row: the method, what is wrong in its bad case, and the words and exit code that it ends with.
struct Row {
    method: &'static str,
    good: Vec<String>,
    wrong: &'static str,
    bad: Vec<String>,
    words: &'static str,
    code: i32,
}

fn lines(more: &[&str]) -> Vec<String> {
    more.iter().map(|line| (*line).to_owned()).collect()
}

/// What is the same for every unattended method.
fn rows() -> Vec<Row> {
    let client = format!("client_id: {CLIENT_ID}");
    let client = client.as_str();
    let navin = format!("user_principal_name: {NAVIN}");
    let navin = navin.as_str();
    let row = |method, good: &[&str], wrong, bad: &[&str], words, code| Row {
        method,
        good: lines(good),
        wrong,
        bad: lines(bad),
        words,
        code,
    };
    vec![
        row(
            "device",
            &["user_principal_name: admin@contoso.onmicrosoft.com"],
            "another person confirms",
            &["user_principal_name: other@contoso.onmicrosoft.com"],
            "the job expects other@",
            77,
        ),
        row("vault", &["path: exorun/contoso"], "no such secret", &["path: exorun/none"], "exorun/none", 64),
        row(
            "certificate",
            &[client, "credential: {file: own.key}", "certificate: {file: own.crt}"],
            "the certificate is not uploaded",
            &[client, "credential: {file: other.key}", "certificate: {file: other.crt}"],
            "AADSTS700027",
            77,
        ),
        row(
            "client_secret",
            &[client, "credential: {env: EXORUN_CLIENT_SECRET}"],
            "another secret",
            &[client, "credential: {file: text}"],
            "AADSTS7000215",
            77,
        ),
        row(
            "transit",
            &[client, "transit: {key: app}", "certificate: {file: transit.crt}"],
            "the certificate of another key",
            &[client, "transit: {key: app}", "certificate: {file: own.crt}"],
            "does not fit the certificate",
            64,
        ),
        row(
            "workload_identity",
            &[client, "token_file: federated"],
            "an empty token file",
            &[client, "token_file: empty"],
            "is empty",
            64,
        ),
        row(
            "managed_identity",
            &[],
            "an identity of another machine",
            &["object_id: 00000000-0000-0000-0000-000000000009"],
            "Identity not found",
            77,
        ),
        row(
            "password",
            &[navin, "credential: {file: password}"],
            "a wrong password",
            &[navin, "credential: {file: text}"],
            "AADSTS50126",
            77,
        ),
        row(
            "access_token",
            &["credential: {file: ready}"],
            "a token that is none",
            &["credential: {file: text}"],
            "holds no access token",
            64,
        ),
    ]
}

fn shown(method: &str, good: &Ended, wrong: &str, bad: &Ended, words: &str) {
    println!(
        "| {method:<18} | {:>4} | {wrong:<34} | {:>4} | {words:<33} |",
        good.code.unwrap(),
        bad.code.unwrap()
    );
}

/// Signs in on the emulator's pages, at the address that the program has opened.
async fn in_the_browser(desk: &Desk) {
    let mut browser = Walker::new(Some(desk.tenant.emulator.ca_pem()));
    browser.open(&desk.opened().await).await;
    if browser.html.contains("name=\"loginfmt\"") {
        browser.fill(&[("loginfmt", NAVIN)]).await;
    }
    browser.fill(&[("passwd", PASSWORD)]).await;
    browser.fill(&[("answer", "no")]).await;
}

/// Each request that leads to a token says that claims challenges are understood: else the service sends none.
fn all_declare_themselves(requests: &Value) {
    for (path, of_us) in
        [("/token", "grant_type"), ("/devicecode", "client_id"), ("/authorize", "redirect_uri")]
    {
        let place = format!("/oauth2/v2.0{path}");
        let asked = requests.as_array().unwrap().iter();
        let asked = asked.filter(|request| request["target"].as_str().unwrap().contains(&place));
        let asked: Vec<String> =
            asked.map(Value::to_string).filter(|request| request.contains(of_us)).collect();
        assert!(!asked.is_empty(), "{place}: {requests}");
        for request in asked {
            assert!(["claims", "xms_cc", "cp1"].iter().all(|word| request.contains(word)), "{request}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn table_of_the_ten_methods() {
    let test = "table_of_the_ten_methods";
    let Some(kept) = Kept::start(test).await else { return };
    if !components::has("openssl", test) || !components::has("python3", test) {
        return;
    }
    let made = tempfile::tempdir().unwrap();
    pair(made.path(), "own");
    let desk = Desk::new(Options {
        certificates: vec![text(made.path(), "own.crt")],
        federated: vec![stand_in::federated_credential()],
        device_approval: DeviceApproval::AfterPolls(0),
        ..options()
    })
    .await;
    let folder = desk.tenant.folder.path();
    pair(folder, "other");
    for name in ["own.key", "own.crt"] {
        std::fs::copy(made.path().join(name), folder.join(name)).unwrap();
    }
    for (name, text) in [
        ("text", "canary-that-is-wrong".to_owned()),
        ("empty", String::new()),
        ("password", format!("{PASSWORD}\n")),
        ("federated", desk.tenant.emulator.federated_token()),
        ("ready", token(&desk.tenant, None)),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    kept.transit().await;
    certify(&desk.tenant, &kept, "transit", "1").await;
    kept.keep(json!({"client_id": CLIENT_ID, "client_secret": super::program::CLIENT_SECRET})).await;

    let identity = desk.tenant.emulator.identity_endpoint();
    let run = async |method: &str, auth: &[String]| {
        let method = format!("method: {method}");
        let auth: Vec<&str> =
            std::iter::once(method.as_str()).chain(auth.iter().map(String::as_str)).collect();
        let job = desk.job(&auth);
        let mut command: Command =
            desk.unattended(&["run", job.to_str().unwrap(), "--credential-settle-wait", "0s"]);
        command.envs(kept.variables()).env("EXORUN_IDENTITY_ENDPOINT", &identity);
        end(command).await
    };
    println!(
        "| method             | good | what is wrong in the bad case      |  bad | words                             |"
    );
    for Row { method, good, wrong, bad, words, code } in rows() {
        let (good, bad) = (run(method, &good).await, run(method, &bad).await);
        shown(method, &good, wrong, &bad, words);
        assert_eq!(good.code, Some(0), "{method}\n{}{}", good.stdout, good.stderr);
        assert_eq!(bad.code, Some(code), "{method}\n{}{}", bad.stdout, bad.stderr);
        assert!(bad.stdout.contains(words), "{method} wants {words}\n{}", bad.stdout);
        assert!(!format!("{}{}", bad.stdout, bad.stderr).contains("canary-that"), "{method}");
    }

    // The two that somebody has to be there for.
    let job = desk.job(&["method: browser"]);
    let job = job.to_str().unwrap();
    let child = desk.attended(&["run", job], &[]).spawn().unwrap();
    in_the_browser(&desk).await;
    let (good, bad) = (end_of(child).await, end(desk.unattended(&["run", job])).await);
    shown("browser", &good, "nobody is there", &bad, NO_BROWSER);
    good.assert_code(0);
    bad.assert_code(77);
    assert!(bad.stdout.contains(NO_BROWSER), "{}", bad.stdout);

    let job = desk.job(&["method: inline_credential"]);
    let job = job.to_str().unwrap();
    let (name, password) = (format!("{NAVIN}\n"), format!("{PASSWORD}\n"));
    let answers = [("User name", Some(name.as_str())), ("Password of navin", Some(password.as_str()))];
    let good = end(desk.attended(&["run", job], &answers)).await;
    let bad = end(desk.unattended(&["run", job])).await;
    shown("inline_credential", &good, "nobody is there", &bad, NO_TERMINAL);
    good.assert_code(0);
    bad.assert_code(77);
    assert!(bad.stdout.contains(NO_TERMINAL), "{}", bad.stdout);
    desk.tenant.assert_all_closed();
    all_declare_themselves(&desk.tenant.emulator.requests());
}
