//! What the documentation says is checked against the program and the files, as far as a test can.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use exorun::exit::Exit;
use exorun::observe::metrics::{ClockStep, Ending, FinishedCall, Metrics, ObjectResult, Peer, Reload};

/// Every way a command can end; the compiler names the place to add a new one.
const EXITS: [Exit; 9] = [
    Exit::Done,
    Exit::Failed,
    Exit::ChangesPending,
    Exit::PartlyFailed,
    Exit::BadInput,
    Exit::NoSession,
    Exit::Interrupted,
    Exit::SigninRefused,
    Exit::RefusedByPolicy,
];

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(package().join(path)).unwrap()
}

/// The lines between fences whose opening line is ```` ```sh ````.
fn shell_lines(page: &str) -> Vec<&str> {
    let mut inside = false;
    page.lines()
        .filter(|line| {
            if line.starts_with("```") {
                inside = *line == "```sh" || line.starts_with("```sh ");
                return false;
            }
            inside
        })
        .collect()
}

/// Targets of `[text](target)` outside of code, without those that leave the package and those into the crate
/// (`[`Exit`](exit::Exit)`), which `cargo doc` checks.
fn relative_links(page: &str) -> Vec<String> {
    let mut fenced = false;
    let mut links = Vec::new();
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for (at, _) in line.match_indices("](") {
            let target = line[at + 2..].split(')').next().unwrap_or_default();
            let leaves = target.contains("://") || target.starts_with('#') || target.starts_with("mailto:");
            if !leaves && !target.contains("::") {
                links.push(target.split('#').next().unwrap_or_default().to_owned());
            }
        }
    }
    links
}

/// Links of the page at `path` that point at nothing.
fn broken_links(path: &Path, page: &str) -> Vec<String> {
    let folder = path.parent().unwrap();
    let mut links = relative_links(page);
    links.retain(|target| target.is_empty() || !folder.join(target).exists());
    links.into_iter().map(|target| format!("{}: `{target}` is not there", path.display())).collect()
}

/// The rows of the table whose header begins with `| header |`: cells without their backticks.
fn table(page: &str, header: &str) -> Vec<Vec<String>> {
    let start = format!("| {header} |");
    page.lines()
        .skip_while(|line| !line.starts_with(&start))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            line.trim_matches('|').split(" | ").map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
        })
        .collect()
}

/// Name, type and labels of every family on the page, sorted; `emulated` and `le` are on all or made by Prometheus.
fn families(page: &str) -> Vec<[String; 3]> {
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let mut families: Vec<[String; 3]> = types
        .map(|(name, kind)| {
            let series = page.lines().filter(|line| {
                let rest = line.strip_prefix(name).unwrap_or_default();
                ["", "_bucket", "_sum", "_count"]
                    .iter()
                    .any(|end| rest.strip_prefix(end).is_some_and(|rest| rest.starts_with('{')))
            });
            let labels: BTreeSet<&str> = series
                .flat_map(|line| line.split_once('{').unwrap().1.split("\","))
                .filter_map(|label| Some(label.split_once("=\"")?.0))
                .filter(|label| !matches!(*label, "emulated" | "le"))
                .collect();
            [name.to_owned(), kind.to_owned(), labels.into_iter().collect::<Vec<_>>().join(", ")]
        })
        .collect();
    families.sort();
    families
}

/// Metrics in which every family has a series.
fn busy() -> Metrics {
    let metrics = Metrics::new(Peer::Service);
    let at = "2026-11-22T02:00:00Z".parse().unwrap();
    metrics.run_finished("job", "contoso.onmicrosoft.com", Exit::Done, Duration::from_secs(1), at);
    metrics.call_finished(&FinishedCall {
        job: "job",
        step: "step",
        cmdlet: "Get-Mailbox",
        outcome: "ok",
        took: Duration::from_secs(1),
        retries: 1,
        throttled: 1,
    });
    metrics.object("job", "step", ObjectResult::Changed);
    metrics.session_waited(Duration::ZERO);
    metrics.session_opened();
    metrics.session_closed("cleanly");
    metrics.lease_lost("lost");
    metrics.session_refused();
    metrics.signin_finished("ok");
    metrics.vault_login("ok");
    metrics.vault_renewal("ok");
    metrics.vault_read("ok");
    metrics.certificate_ends("contoso.onmicrosoft.com", "client", at);
    metrics.token_ends("contoso.onmicrosoft.com", "client", at);
    metrics.run_finished("job", "contoso.onmicrosoft.com", Exit::Failed, Duration::from_secs(1), at);
    let objects =
        [ObjectResult::Changed, ObjectResult::Unchanged, ObjectResult::Pending, ObjectResult::Failed];
    metrics.run_objects("job", "contoso.onmicrosoft.com", objects.map(|result| (result, 1)));
    metrics.job_loaded("job", "contoso.onmicrosoft.com", at, Some(Duration::from_secs(60)));
    metrics.oldest_waiting("job", Some(at));
    metrics.next_due("job", Some(at));
    metrics.occurrences_due("job", 1);
    metrics.occurrences_ended("job", Ending { result: "ran", reason: "" }, 1);
    metrics.occurrence_started(Duration::ZERO);
    metrics.runs_in_hand(1, 0);
    metrics.reloaded(Reload::Whole, 1, 0, at);
    metrics.history_works();
    metrics.history_failed("full");
    metrics.clock_stepped(ClockStep::Back);
    metrics
}

#[test]
fn the_readme_begins_with_the_two_commands() {
    let readme = read("README.md");
    let lines = shell_lines(&readme);
    let first = "cargo run --release -- run jobs/shared-mailbox-hardening.yaml --emulate";
    assert_eq!(lines.get(..2), Some(&[first, "tests/run"][..]));
    assert!(package().join("jobs/shared-mailbox-hardening.yaml").is_file());
    assert!(package().join("tests/run").is_file());
    // What CI runs as the first command is the first command.
    assert!(
        read(".ci/run")
            .contains("cargo run --release --locked -- run jobs/shared-mailbox-hardening.yaml --emulate")
    );
}

#[test]
fn the_readmes_job_is_the_shipped_one() {
    let readme = read("README.md");
    let shown = readme.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let bare = |text: &str| -> Vec<String> {
        let without_comment = |line: &str| line.split(" #").next().unwrap_or_default().trim_end().to_owned();
        text.lines()
            .filter(|line| !line.trim_start().starts_with('#'))
            .map(without_comment)
            .filter(|line| !line.is_empty())
            .collect()
    };
    assert_eq!(bare(shown), bare(&read("jobs/shared-mailbox-hardening.yaml")));
}

#[test]
fn relative_links_point_at_files() {
    let mut pages: Vec<PathBuf> =
        ["README.md", "CHANGELOG.md", "src/ARCHITECTURE.md", "charts/exorun/README.md", "benches/README.md"]
            .map(PathBuf::from)
            .to_vec();
    for entry in std::fs::read_dir(package().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path.strip_prefix(package()).unwrap().to_owned());
        }
    }
    assert!(pages.len() >= 8, "only {pages:?} were found");
    let broken: Vec<String> = pages
        .iter()
        .flat_map(|page| broken_links(&package().join(page), &read(page.to_str().unwrap())))
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(relative_links(&read("README.md")).len() > 5, "links are not found any more");
}

#[test]
fn exit_codes_are_the_programs() {
    for exit in EXITS {
        // No default arm: a new code must be added to the list above.
        match exit {
            Exit::Done
            | Exit::Failed
            | Exit::ChangesPending
            | Exit::PartlyFailed
            | Exit::BadInput
            | Exit::NoSession
            | Exit::Interrupted
            | Exit::SigninRefused
            | Exit::RefusedByPolicy => {}
        }
    }
    let said: Vec<(String, String)> =
        table(&read("README.md"), "Code").into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    let are: Vec<(String, String)> =
        EXITS.iter().map(|exit| (exit.code().to_string(), exit.word().to_owned())).collect();
    assert_eq!(said, are);
}

#[test]
fn metrics_are_the_programs() {
    let mut said: Vec<[String; 3]> = table(&read("docs/metrics.md"), "Metric")
        .into_iter()
        .map(|row| {
            let mut labels: Vec<&str> = row[2].split(", ").filter(|label| *label != "–").collect();
            labels.sort_unstable();
            [row[0].clone(), row[1].clone(), labels.join(", ")]
        })
        .collect();
    said.sort();
    assert_eq!(said, families(&busy().encode()));
}

/// `EXORUN_TEST_UPDATE=1` writes the page anew.
fn is_the_programs(path: &str, wanted: &str) {
    if std::env::var_os("EXORUN_TEST_UPDATE").is_some() {
        std::fs::write(package().join(path), wanted).unwrap();
    }
    let lines = |page: &str| page.lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&read(path)), lines(wanted), "EXORUN_TEST_UPDATE=1 writes {path} anew");
}

#[test]
fn the_reference_of_the_form_is_the_programs() {
    is_the_programs("docs/job-reference.md", &exorun::spec::reference());
}

#[test]
fn the_reference_of_the_command_line_is_the_programs() {
    is_the_programs("docs/command-line.md", &exorun::cli::documentation());
}

/// Tests that a page names as `path::name`, and that are no function of that file.
fn tests_that_are_not_there(page: &str) -> (usize, Vec<String>) {
    let named: Vec<(&str, &str)> = page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|code| code.split_once(".rs::"))
        .filter(|(path, _)| path.starts_with("src/") || path.starts_with("tests/"))
        .collect();
    let missing = named.iter().filter(|(path, name)| {
        let source = std::fs::read_to_string(package().join(format!("{path}.rs"))).unwrap_or_default();
        !source.lines().any(|line| line.trim_end().ends_with(&format!("fn {name}() {{")))
    });
    (named.len(), missing.map(|(path, name)| format!("{path}.rs::{name}")).collect())
}

#[test]
fn every_test_of_the_conformance_list_is_there() {
    let (named, missing) = tests_that_are_not_there(&read("docs/conformance.md"));
    assert!(named > 40, "only {named} tests are named");
    assert!(
        missing.is_empty(),
        "docs/conformance.md names tests that are not there:\n{}",
        missing.join("\n")
    );
}

#[test]
fn the_checks_see_planted_mistakes() {
    let page = "[a](docs/none.md) [b](https://x.example) `c` [`d`] [e](#f) [k](l::M)\n```text\n[g](h)\n```\n[i](README.md#j)";
    assert_eq!(relative_links(page), ["docs/none.md", "README.md"]);
    assert_eq!(broken_links(&package().join("README.md"), page).len(), 1);
    assert_eq!(
        table("x\n| Code | Word |\n| --- | --- |\n| 0 | `done` |\n\n| 1 | y |", "Code"),
        [["0", "done"]]
    );
    let page =
        "`tests/docs.rs::metrics_are_the_programs` `tests/docs.rs::no_such` `src/none.rs::x` `a.rs::b`";
    assert_eq!(
        tests_that_are_not_there(page),
        (3, vec!["tests/docs.rs::no_such".to_owned(), "src/none.rs::x".to_owned()])
    );
    assert_eq!(shell_lines("```text\na\n```\n```sh needs=x\nb\n```\nc"), ["b"]);
    let series = "# TYPE a counter\na{job=\"x,y=\\\"\",emulated=\"true\"} 1\nab{no=\"x\"} 1\n";
    assert_eq!(families(series), [["a", "counter", "job"]]);
}

/// The settings that a page names: "the setting `x`", and `x: …` where x is one.
fn settings_named(page: &str) -> Vec<String> {
    let after = |text: &str| page.split(text).skip(1).map(first_word).collect::<Vec<_>>();
    fn first_word(text: &str) -> String {
        text.chars().take_while(|one| one.is_ascii_lowercase() || *one == '_').collect()
    }
    ["the setting `", "the settings `"].into_iter().flat_map(after).collect()
}

#[test]
fn every_option_of_powershell_has_its_row_and_every_setting_is_one() {
    const OPTIONS: [&str; 62] = [
        "AccessToken",
        "AppId",
        "AzureADAuthorizationEndpointUri",
        "BypassMailboxAnchoring",
        "Certificate",
        "CertificateFilePath",
        "CertificatePassword",
        "CertificateThumbprint",
        "CommandName",
        "ConnectionUri",
        "Credential",
        "DelegatedOrganization",
        "Device",
        "DisableWAM",
        "EnableErrorReporting",
        "EnableSearchOnlySession",
        "ExchangeEnvironmentName",
        "FormatTypeName",
        "InlineCredential",
        "LoadCmdletHelp",
        "LogDirectoryPath",
        "LogLevel",
        "ManagedIdentity",
        "ManagedIdentityAccountId",
        "Organization",
        "PageSize",
        "Prefix",
        "PSSessionOption",
        "ShowBanner",
        "ShowProgress",
        "SigningCertificate",
        "SkipLoadingCmdletHelp",
        "SkipLoadingFormatData",
        "TrackPerformance",
        "UseMultithreading",
        "UserPrincipalName",
        "UseRPSSession",
        // Of New-PSSessionOption.
        "ProxyAccessType IEConfig",
        "ProxyAccessType WinHttpConfig",
        "ProxyAccessType AutoDetect",
        "ProxyAccessType NoProxyServer",
        "ProxyAccessType None",
        "ProxyCredential",
        "ProxyAuthentication",
        "OperationTimeout",
        "OpenTimeout",
        "CancelTimeout",
        "IdleTimeout",
        "OutputBufferingMode",
        "MaximumReceivedDataSizePerCommand",
        "MaximumReceivedObjectSize",
        "MaxConnectionRetryCount",
        "MaximumRedirection",
        "SkipCACheck",
        "SkipCNCheck",
        "SkipRevocationCheck",
        "NoCompression",
        "NoEncryption",
        "UseUTF16",
        "Culture",
        "UICulture",
        "NoMachineProfile",
    ];
    let page = read("docs/from-powershell.md");
    for option in OPTIONS {
        assert!(page.contains(&format!("`-{option}`")), "-{option}");
    }
    for page in ["docs/from-powershell.md", "docs/connections.md"] {
        let named = settings_named(&read(page));
        assert!(named.len() > 1, "{page}: {named:?}");
        for name in named {
            assert!(
                exorun::settings::TABLE.iter().any(|row| row.key == name),
                "{page}: there is no setting `{name}`"
            );
        }
    }
}
