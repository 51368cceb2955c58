//! Canaries: neither the client secret nor a token is anywhere it can be read afterwards, or by others meanwhile.

use std::path::Path;

use exorun::emulator::{DeviceApproval, Options};

use super::HARDENING;
use super::program::{CLIENT_SECRET, Tenant, ended, fault, shipped};

/// How every token of the emulator begins: base64 of `{"`.
const TOKEN: &str = "eyJ";

fn assert_clean(place: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for canary in [CLIENT_SECRET, TOKEN, "1.emulator."] {
        assert!(!text.contains(canary), "{canary} is in {place}");
    }
    // Nor in a form that is easily read back.
    use base64::Engine;
    let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(CLIENT_SECRET);
    assert!(!text.contains(&encoded), "the secret is in {place}, in base64");
}

fn files_under(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files_under(&path, found) } else { found.push(path) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_a_run_writes_holds_a_secret_or_a_token() {
    // Failures of every sort, because error texts are where secrets leak.
    let faults = [
        "503:at=token:nth=1",
        "401:nth=3",
        "reset:cmdlet=Set-CASMailbox:nth=2",
        "truncate:cmdlet=Get-CASMailbox:nth=2",
        "500:cmdlet=Get-CASMailbox:nth=5",
        "403:cmdlet=Set-CASMailbox:nth=4",
    ];
    for format in ["human", "json"] {
        let faults = faults.iter().map(|spec| fault(spec)).collect();
        let tenant = Tenant::start(Options { mailboxes: 30, faults, ..Options::default() }).await;
        let job = shipped(HARDENING);
        let arguments =
            ["run", job.to_str().unwrap(), "--report", "report.json", "--metrics-file", "run.prom"];
        let mut arguments = arguments.to_vec();
        arguments.extend(["--log-level", "trace", "--log-format", format]);
        let run = ended(tenant.exorun(&arguments).spawn().unwrap()).await;
        run.assert_code(1);
        assert!(run.stderr.contains("TRACE"), "the finest logs are written");
        assert_clean("standard output", run.stdout.as_bytes());
        assert_clean("standard error", run.stderr.as_bytes());
        let mut files = Vec::new();
        files_under(tenant.folder.path(), &mut files);
        let names: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
        assert!(names.iter().any(|name| name.ends_with("report.json")) && names.len() > 4, "{names:?}");
        for file in files.iter().filter(|file| !file.ends_with("ca.pem")) {
            assert_clean(&file.display().to_string(), &std::fs::read(file).unwrap());
        }
        // The emulator's own record redacts as well, or the test would be blind to what is sent where.
        assert_clean("the emulator's record", tenant.emulator.requests().to_string().as_bytes());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_process_list_shows_a_secret_while_a_run_works() {
    let tenant = Tenant::with(10, &["slow:ms=1500:cmdlet=Get-Mailbox"]).await;
    let job = shipped(HARDENING);
    let child = tenant.exorun(&["run", job.to_str().unwrap()]).spawn().unwrap();
    tenant.until("a call in hand", |counters| counters.sessions.live == 1).await;
    let process = std::path::PathBuf::from(format!("/proc/{}", child.id().unwrap()));
    let command_line = std::fs::read(process.join("cmdline")).unwrap();
    assert!(String::from_utf8_lossy(&command_line).contains("run"), "the right process");
    assert_clean("the command line", &command_line);
    let children = std::fs::read_to_string(process.join(format!("task/{}/children", child.id().unwrap())));
    assert_eq!(children.unwrap_or_default().trim(), "", "a run starts no other program");
    let mut files = Vec::new();
    files_under(&tenant.path("state"), &mut files);
    assert!(!files.is_empty());
    for file in &files {
        assert_clean(&file.display().to_string(), &std::fs::read(file).unwrap());
    }
    ended(child).await.assert_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_is_not_written_either() {
    let options = Options {
        mailboxes: 10,
        device_approval: DeviceApproval::AfterPolls(0),
        faults: vec![fault("401:nth=2")],
        ..Options::default()
    };
    let tenant = Tenant::start(options).await;
    let text = "version: 1\nname: d\ntenant: contoso.onmicrosoft.com\nauth:\n  method: device\nsteps:\n";
    std::fs::write(
        tenant.path("d.yaml"),
        format!("{text}{0}{1}", super::some_mailboxes(2), "  - name: b\n    cmdlet: Get-AcceptedDomain\n"),
    )
    .unwrap();
    let run = tenant.run(&tenant.path("d.yaml"), &["--log-level", "trace"]).await;
    run.assert_code(0);
    assert_clean("standard output", run.stdout.as_bytes());
    assert_clean("standard error", run.stderr.as_bytes());
    let grants = tenant.recorded("token");
    let last = grants.last().unwrap();
    assert_eq!(last["body"]["grant_type"], "refresh_token", "renewed without asking the person: {grants:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_in_a_wrong_place_is_not_shown() {
    let tenant = Tenant::with(3, &[]).await;
    let canary = "canary-51d2";
    let job = shipped(HARDENING);
    let job = job.to_str().unwrap();
    for arguments in [
        &["run", job, "--lease", canary][..],
        &["run", job, "--log-level", &format!("exorun={canary}")],
        &["run", job, "--input", &format!("allowed={canary}")],
        &["invoke", "Set-Mailbox", "Identity=x", &format!("Password={canary}"), "--job", job],
        &["invoke", "Set-CASMailbox", "Identity=x", &format!("PopEnabled={canary}"), "--job", job],
    ] {
        let run = tenant.said(arguments, &[]).await;
        run.assert_code(64);
        assert!(
            !run.stdout.contains(canary) && !run.stderr.contains(canary),
            "{arguments:?}\n{}",
            run.stderr
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_killed_leaves_no_core() {
    use std::os::unix::process::ExitStatusExt;
    let faults = ["slow:ms=60000:cmdlet=Get-Mailbox"];
    let tenant = Tenant::with(3, &faults).await;
    let job = tenant.job("", &super::some_mailboxes(1));
    let arguments = ["run", job.to_str().unwrap()];
    let script = "ulimit -c unlimited || true; exec \"$@\"";
    let mut child = tenant.by_shell(script, &arguments).spawn().unwrap();
    tenant.until("an open session", |counters| counters.sessions.live > 0).await;
    super::program::signal(&child, rustix::process::Signal::QUIT);
    let status = child.wait().await.unwrap();
    assert_eq!(status.signal(), Some(3));
    assert!(!status.core_dumped(), "a core was left");
}
