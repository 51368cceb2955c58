//! The admin server of a real `serve`: what it says is what happened, and the judges of its forms find nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use exorun::emulator::Options;
use tokio::process::Command;

use crate::components;
use crate::program::Tenant;
use crate::server::{Server, command, job, write};

const TOKEN: &str = "a-token-of-a-test";

/// A server with its admin server on a free port.
pub(crate) async fn started(tenant: &Tenant) -> (Server, String) {
    std::fs::write(tenant.path("token"), TOKEN).unwrap();
    let mut command = command(tenant, &["--admin-address", "127.0.0.1:0"]);
    command.env_remove("EXORUN_ADMIN_ADDRESS").env("EXORUN_ADMIN_TOKEN_FILE", tenant.path("token"));
    let server = Server::start(&mut command);
    server.says("the admin server listens").await;
    let said = server.said();
    let line = said.lines().find(|line| line.contains("the admin server listens")).unwrap();
    let address = line.split("address=").nth(1).unwrap().split_whitespace().next().unwrap();
    (server, format!("http://{}", address.trim_matches('"')))
}

async fn get(url: &str, accept: &str) -> (u16, String) {
    let _installed_already = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.get(url).header("Authorization", format!("Bearer {TOKEN}")).header("Accept", accept);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// The metrics as they are now.
pub(crate) async fn page(url: &str) -> String {
    get(&format!("{url}/metrics"), "text/plain").await.1
}

async fn json(url: &str) -> serde_json::Value {
    let (status, text) = get(url, "*/*").await;
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Feeds `text` to a program, which must find nothing wrong with it.
async fn judged(program: &str, arguments: &[&str], text: String) -> String {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stdin, text.as_bytes()).await.unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{program}: {said}\n{text}");
    said
}

fn python(test: &str) -> Option<PathBuf> {
    let python = std::env::var_os("EXORUN_TEST_PYTHON").map(PathBuf::from).filter(|python| python.is_file());
    if python.is_none() {
        components::skip(test, "EXORUN_TEST_PYTHON names no interpreter; `tests/run` installs it");
    }
    python
}

#[tokio::test(flavor = "multi_thread")]
async fn it_tells_what_ran_and_its_judges_find_nothing() {
    let test = "it_tells_what_ran_and_its_judges_find_nothing";
    let tenant = Tenant::start(Options { mailboxes: 20, ..Options::default() }).await;
    write(&tenant, "a.yaml", &job("a", "every: 1s", "description: Looks at mailboxes.\n"));
    write(&tenant, "b.yaml", &job("b", "cron: \"0 3 1 1 *\"\n    time_zone: Asia/Tokyo", ""));
    write(&tenant, "c.yaml", &job("c", "every: 1s", "run_policy:\n  suspend: true\n"));
    let (server, url) = started(&tenant).await;
    tenant.calls("Get-Mailbox", 3).await;
    let ready = tokio::time::timeout(Duration::from_secs(20), async {
        while get(&format!("{url}/readyz"), "*/*").await.0 != 200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert!(ready.await.is_ok(), "{:?}", get(&format!("{url}/readyz"), "*/*").await);

    let jobs = json(&format!("{url}/api/v1/jobs?limit=2")).await;
    let names: Vec<&str> =
        jobs["items"].as_array().unwrap().iter().map(|job| job["name"].as_str().unwrap()).collect();
    assert_eq!((names, &jobs["next"]), (vec!["a", "b"], &"b".into()));
    assert_eq!(jobs["items"][0]["description"], "Looks at mailboxes.");
    assert!(jobs["items"][0]["counts"]["ran"].as_u64().unwrap() >= 2, "{jobs:#}");
    assert_eq!(jobs["items"][0]["last_run"]["outcome"], "done");
    let last = json(&format!("{url}/api/v1/jobs?page=b")).await;
    assert_eq!((&last["items"][0]["state"], &last["next"]), (&"suspended".into(), &serde_json::Value::Null));
    let runs = json(&format!("{url}/api/v1/runs?job=a&outcome=done&limit=1")).await;
    let run = runs["items"][0]["run_id"].as_str().unwrap().to_owned();
    assert_eq!(json(&format!("{url}/api/v1/runs/{run}")).await["steps"][0]["name"], "look");
    let skipped = json(&format!("{url}/api/v1/occurrences?job=c&result=skipped")).await;
    assert_eq!(skipped["items"][0]["reason"], "suspended", "{skipped:#}");
    assert_eq!(json(&format!("{url}/api/v1/sessions")).await["accounts"][0]["limit"], 5);
    assert_eq!(get(&format!("{url}/api/v1/jobs/nobody"), "*/*").await.0, 404);

    let (_, text) = get(&format!("{url}/metrics"), "text/plain").await;
    for family in
        ["exorun_occurrences_due_total", "exorun_next_due_timestamp_seconds", "exorun_history_writable"]
    {
        assert!(text.contains(family), "{family}:\n{text}");
    }
    if components::has("promtool", test) {
        println!("promtool has no remark: {:?}", judged("promtool", &["check", "metrics"], text).await);
    }
    if let Some(python) = python(test) {
        let (_, text) = get(&format!("{url}/metrics"), "application/openmetrics-text;version=1.0.0").await;
        assert!(text.ends_with("# EOF\n"), "{text}");
        let parse = "import sys; from prometheus_client.openmetrics.parser import text_string_to_metric_families as p; \
                     print(sum(len(f.samples) for f in p(sys.stdin.read())), 'samples')";
        println!("the strict parser: {}", judged(python.to_str().unwrap(), &["-c", parse], text).await);
    }
    if components::has("schemathesis", test) {
        let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
        let header = format!("Authorization: Bearer {TOKEN}");
        let output = Command::new("schemathesis")
            .args(["run", document.to_str().unwrap(), "--url", &url, "--header", &header, "--checks", "all"])
            .args(["--max-time", "20", "--seed", "1", "--no-color", "--warnings", "off"])
            .current_dir(tenant.folder.path())
            .kill_on_drop(true)
            .output()
            .await
            .unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        println!("{said}");
        assert!(output.status.success(), "{said}");
    }
    let (_, said) = server.stopped().await;
    assert!(!said.contains(TOKEN), "the token is in the log");
}
