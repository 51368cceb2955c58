//! The examples of `docs/signin.md`.

use std::path::Path;

/// What stands around an example that is only an `auth`.
const HEAD: &str = "version: 1\nname: documented\ntenant: contoso.onmicrosoft.com\n";
const STEPS: &str = "steps:\n  - name: all\n    cmdlet: Get-Mailbox\n";

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/signin.md")).unwrap()
}

/// The YAML of a page, each as a whole job.
fn jobs(page: &str) -> Vec<String> {
    let blocks = page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    blocks
        .map(|block| match block.starts_with("auth:") {
            true => format!("{HEAD}{block}{STEPS}"),
            false => block.to_owned(),
        })
        .collect()
}

/// The examples of the page, each as a whole job.
pub(crate) fn examples() -> Vec<String> {
    jobs(&page())
}

#[test]
fn every_example_is_a_good_job() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = examples();
    assert!(jobs.len() >= 10, "the examples are not found any more");
    for text in jobs {
        let path = folder.path().join("job.yaml");
        std::fs::write(&path, &text).unwrap();
        match exorun::spec::read_jobs(&path) {
            Ok(jobs) => assert_eq!(jobs.len(), 1, "{text}"),
            Err(problems) => panic!("{}\n{text}", problems.render_plain()),
        }
    }
}

#[test]
fn every_method_has_a_section_and_an_example() {
    let page = page();
    let methods = [
        "certificate",
        "transit",
        "workload_identity",
        "managed_identity",
        "client_secret",
        "device",
        "browser",
        "password",
        "inline_credential",
        "access_token",
        "vault",
    ];
    for method in methods {
        let has_section = page.lines().any(|line| line.starts_with("## ") && line.contains(method));
        let has_example = page.lines().any(|line| line == format!("  method: {method}"));
        assert!(has_section && has_example, "{method}");
    }
}
