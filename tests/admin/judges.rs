//! Others' tools judge what the server says: Prometheus' own, the strict parser of its client for Python, and two that
//! know OpenAPI.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use exorun::clocks::Clocks;

use exorun::observe::admin::AdminConfig;

use crate::components;
use crate::house::{config, file, get, send, start};

/// The interpreter that has what tests/run installs.
fn python(test: &str) -> Option<PathBuf> {
    let python = std::env::var_os("EXORUN_TEST_PYTHON").map(PathBuf::from).filter(|python| python.is_file());
    if python.is_none() {
        components::skip(test, "EXORUN_TEST_PYTHON names no interpreter; `tests/run` installs it");
    }
    python
}

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/admin").join(name)
}

/// The page in both forms.
async fn pages() -> (String, String) {
    let server = start(config()).await;
    let text = get(server.address(), "/metrics").await.body;
    let wanted = "accept: application/openmetrics-text; version=1.0.0\r\n";
    let openmetrics = send(server.address(), "GET", "/metrics", wanted).await.body;
    server.stop().await;
    (text, openmetrics)
}

#[tokio::test]
async fn promtool_accepts_what_is_served_without_a_remark() {
    if !components::has("promtool", "promtool_accepts_what_is_served_without_a_remark") {
        return;
    }
    let (text, _) = pages().await;
    let mut tool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    tool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = tool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert_eq!((output.status.success(), String::from_utf8_lossy(&said).as_ref()), (true, ""));
}

#[tokio::test]
async fn the_strict_parser_reads_openmetrics_as_it_reads_the_text() {
    let test = "the_strict_parser_reads_openmetrics_as_it_reads_the_text";
    let Some(python) = python(test) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (text, openmetrics) = pages().await;
    let judge = |text: &str, openmetrics: &str| {
        let (old, new) = (file(folder.path(), "old", text), file(folder.path(), "new", openmetrics));
        let output = Command::new(&python).arg(here("judge.py")).arg(old).arg(new).output().unwrap();
        (
            output.status.success(),
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
        )
    };
    let (accepted, said) = judge(&text, &openmetrics);
    assert!(accepted && said.trim().parse::<u32>().unwrap() > 20, "{said}");
    // The judge does refuse.
    for (broken, words) in [
        (openmetrics.replace("# EOF\n", ""), "EOF"),
        (openmetrics.replace("# TYPE exorun_runs counter", "# TYPE exorun_runs_total counter"), "Clashing"),
        (openmetrics.replace("le=\"1.0\"", "le=\"one\""), "le"),
        (
            openmetrics.replace(
                "exorun_session_wait_seconds_count{emulated=\"true\"} 1",
                "exorun_session_wait_seconds_count{emulated=\"true\"} 2",
            ),
            "do not match",
        ),
        (
            openmetrics.replace(
                "exorun_call_retries_total{emulated=\"true\"} 0",
                "exorun_call_retries_total{emulated=\"true\"} 1",
            ),
            "the forms differ",
        ),
    ] {
        assert_ne!(broken, openmetrics, "{words}: nothing was broken");
        let (accepted, said) = judge(&text, &broken);
        assert!(!accepted, "{words}: {said}");
    }
}

#[test]
fn the_document_is_openapi() {
    let test = "the_document_is_openapi";
    let Some(python) = python(test) else { return };
    let judge = |path: &Path| {
        let output = Command::new(&python).args(["-m", "openapi_spec_validator"]).arg(path).output().unwrap();
        (
            output.status.success(),
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
        )
    };
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    let (valid, said) = judge(&document);
    assert!(valid, "{said}");
    // The judge does refuse.
    let folder = tempfile::tempdir().unwrap();
    let broken = std::fs::read_to_string(document)
        .unwrap()
        .replace("#/components/schemas/Run\"", "#/components/schemas/Rum\"");
    let (valid, said) = judge(&file(folder.path(), "broken.json", &broken));
    assert!(!valid, "{said}");
}

/// Whatever schemathesis thinks of, the server answers as the document says; with a token and without.
#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_nothing() {
    let test = "schemathesis_finds_nothing";
    if !components::has("schemathesis", test) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let token_file = file(folder.path(), "token", "a-token");
    let server = start(AdminConfig { token_file: Some(token_file), ..config() }).await;
    let url = format!("http://{}", server.address());
    let judged = tokio::process::Command::new("schemathesis")
        .arg("run")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json"))
        .args(["--url", &url, "--header", "Authorization: Bearer a-token", "--checks", "all"])
        .args(["--max-time", "45", "--seed", "1", "--no-color", "--warnings", "off"])
        // It would leave its notes where it works.
        .current_dir(folder.path())
        .kill_on_drop(true)
        .output();
    let output = Clocks::system().timeout(Duration::from_secs(300), judged).await.expect("it ends").unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("passed"), "{said}");
    server.stop().await;
}
