//! The schema in software that nobody here wrote: two validators, and the language server behind editors.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::components::{has, skip};
use super::{schema_file, yaml_files};

/// Bad specs that a validator takes for right: what is wrong with them hangs together over several places, stands in
/// an expression or a comment, or is only a warning.
const KNOWS_LESS: [&str; 9] = [
    "compliance-by-id",
    "device-with-schedule",
    "escaped-cron",
    "expression-with-comment",
    "forward-reference",
    "unclosed-expression",
    "unknown-names",
    // Right where it stands; the checker knows which other documents are beside it.
    "connections-in-job-file",
    "job-in-connections-file",
];

/// Where `tests/run` has put packages of npm; `None`, and the skip is shown, if it has not run.
fn node_modules(test: &str) -> Option<PathBuf> {
    let modules = std::env::var_os("EXORUN_TEST_NODE_MODULES").map(PathBuf::from);
    let modules =
        modules.filter(|modules| modules.join("yaml-language-server").is_dir() && has("node", test));
    if modules.is_none() {
        skip(test, "the packages of npm are not installed: start the tests by tests/run");
    }
    modules
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

/// The shipped jobs and the bad specs, with whether a validator should take them.
fn judged() -> Vec<(PathBuf, bool)> {
    let shipped = yaml_files("jobs").into_iter().map(|path| (path, true));
    let bad = yaml_files("tests/bad-specs").into_iter().map(|path| {
        let valid = KNOWS_LESS.contains(&name(&path).as_str());
        (path, valid)
    });
    shipped.chain(bad).collect()
}

#[test]
fn check_jsonschema_takes_the_shipped_jobs_and_refuses_what_it_can_know() {
    let test = "check_jsonschema_takes_the_shipped_jobs_and_refuses_what_it_can_know";
    if !has("check-jsonschema", test) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let schema = schema_file(folder.path());
    let output = Command::new("check-jsonschema").arg("--check-metaschema").arg(&schema).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    // It refuses files of several documents, whatever they hold.
    let several = |path: &Path| std::fs::read(path).unwrap().windows(4).any(|bytes| bytes == b"\n---");
    let judged = judged().into_iter().filter(|(path, _)| !several(path));
    let output = Command::new("check-jsonschema")
        .args(["--output-format", "json", "--schemafile"])
        .arg(&schema)
        .args(judged.clone().map(|(path, _)| path))
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let named = |list: &Value, key: &str| -> Vec<String> {
        list.as_array()
            .into_iter()
            .flatten()
            .map(|entry| entry[key].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    let refused = [named(&report["errors"], "filename"), named(&report["parse_errors"], "filename")].concat();
    for (path, valid) in judged {
        let is_refused = refused.iter().any(|name| Path::new(name) == path);
        assert_eq!(!is_refused, valid, "{}", path.display());
    }
}

#[test]
fn ajv_takes_the_shipped_jobs_and_refuses_what_it_can_know() {
    let Some(modules) = node_modules("ajv_takes_the_shipped_jobs_and_refuses_what_it_can_know") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let schema = schema_file(folder.path());
    let output = Command::new("node")
        .arg("tests/schema/validate.mjs")
        .args([&modules, &schema])
        .args(judged().iter().map(|(path, _)| path))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    // The library `yaml` finds no document in an empty file, and so nothing to refuse.
    for (path, valid) in judged().into_iter().filter(|(path, _)| name(path) != "empty") {
        let wanted = format!("{} {}", if valid { "valid" } else { "refused" }, path.display());
        assert!(lines.lines().any(|line| line == wanted), "{wanted}\n{lines}");
    }
}

const HEAD: &str =
    "version: 1\nname: a\ntenant: contoso.onmicrosoft.com\nauth:\n  method: device\nsteps:\n  - name: s\n";

/// What the language server says to each text; `|` is the cursor.
fn answers(modules: &Path, texts: &[String]) -> Vec<Vec<String>> {
    // The server's patterns pass over folders whose name starts with a dot.
    let folder = tempfile::Builder::new().prefix("schema").tempdir().unwrap();
    let mut server = Command::new("node")
        .arg("tests/schema/complete.mjs")
        .args([modules, &schema_file(folder.path())])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut questions = server.stdin.take().unwrap();
    for text in texts {
        writeln!(questions, "{}", json!({ "text": text })).unwrap();
    }
    drop(questions);
    let output = server.wait_with_output().unwrap();
    assert!(output.status.success());
    let answers: Vec<Vec<String>> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), texts.len());
    answers
}

#[test]
fn an_editor_completes_keys_cmdlets_parameters_and_words() {
    let Some(modules) = node_modules("an_editor_completes_keys_cmdlets_parameters_and_words") else { return };
    let step = |text: &str| format!("{HEAD}{text}");
    let shipped = std::fs::read_to_string("jobs/shared-mailbox-hardening.yaml").unwrap();
    let answers = answers(
        &modules,
        &[
            shipped,
            "version: 1\nname: a\n|".to_owned(),
            step("    cmdlet: |"),
            step("    cmdlet: Get-Mailbox\n    parameters:\n      Re|"),
            step("    cmdlet: Get-Mailbox\n    parameters:\n      RecipientTypeDetails: |"),
            step("    ensure: CASMailbox\n    identity: x\n    properties:\n      |"),
            step("    cmdlet: Get-Mailbox\n    on_error: |"),
            step("    cmdlet: Get-Mailbox\n    parameters:\n      ResultSizes: 4\n"),
        ],
    );
    let offers = |at: usize, wanted: &[&str]| {
        for name in wanted {
            assert!(answers[at].iter().any(|label| label == name), "{name}: {:?}", answers[at]);
        }
    };
    assert_eq!(answers[0], Vec::<String>::new(), "a shipped job has no mistakes");
    offers(1, &["steps", "tenant", "limits", "schedules"]);
    offers(2, &["Get-Mailbox", "Set-CASMailbox", "New-ComplianceSearch"]);
    assert!(answers[2].len() > 930, "{}", answers[2].len());
    offers(3, &["RecipientTypeDetails", "ResultSize", "Identity"]);
    // Parameters of this cmdlet, not of others that start alike.
    let others = ["Database", "Folder", "Confirm", "GetChildren"];
    assert!(!answers[3].iter().any(|label| others.contains(&label.as_str())), "{:?}", answers[3]);
    offers(4, &["SharedMailbox", "UserMailbox"]);
    offers(5, &["PopEnabled", "ImapEnabled"]);
    assert!(!answers[5].iter().any(|label| label == "Identity"), "{:?}", answers[5]);
    offers(6, &["stop", "continue"]);
    assert!(answers[7].iter().any(|message| message.contains("ResultSizes")), "{:?}", answers[7]);
}
