//! `run --record` and `emulate --replay`: what a recording holds, what it must not, and that it runs again.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use exorun::emulator::{Compression, DeviceApproval, Options};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::HEAD;
use super::program::{CLIENT_SECRET, Ended, SHORT_TIMES, Tenant, ended, fault, signal};

const STEPS: &str = "  - name: all
    cmdlet: Get-Mailbox
    parameters:
      ResultSize: Unlimited
    output:
      path: canary-output.json
  - name: missing
    cmdlet: Get-Mailbox
    parameters:
      Identity: canary-nobody@contoso.example
    on_error: continue
  - name: office
    for_each: steps.all.items
    when: item.DisplayName != \"Canary Somebody\" and not item.IsDirSynced
    ensure: Mailbox
    identity: ${{ item.ExternalDirectoryObjectId }}
    properties:
      CustomAttribute1: canary-office
  - name: renamed
    for_each: steps.all.items
    when: item_index == 0
    cmdlet: Set-Mailbox
    parameters:
      Identity: ${{ item.PrimarySmtpAddress }}
      DisplayName: Canary Renamed
";

/// A listing of three pages, a throttled call, a missing object, an `ensure` and a plain write.
async fn recorded(more: &[&str]) -> (Tenant, Ended, Value) {
    let faults =
        ["429:nth=2:retry_after=0.1:cmdlet=Get-Mailbox", "reset_after_commit:cmdlet=Set-Mailbox:nth=3"];
    let tenant = Tenant::with(12, &faults).await;
    let job = tenant.job(
        "description: canary-description\nlabels:\n  team: canary-team\n",
        &format!("  # canary-comment\n{STEPS}"),
    );
    let mut arguments = vec!["--page-size", "5", "--record", "recording"];
    arguments.extend(more);
    let (run, report) = tenant.reported(&job, &arguments).await;
    run.assert_code(3);
    tenant.assert_all_closed();
    (tenant, run, report)
}

fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut files: Vec<(PathBuf, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), std::fs::read_to_string(path).unwrap()))
        .collect();
    files.sort();
    files
}

fn pairs(folder: &Path) -> Vec<Value> {
    let numbered =
        |path: &Path| path.file_stem().unwrap().to_str().unwrap().bytes().all(|byte| byte.is_ascii_digit());
    let files = files(folder).into_iter().filter(|(path, _)| numbered(path));
    files.map(|(_, text)| serde_json::from_str(&text).unwrap()).collect()
}

/// A canary as it is, as a URL spells it, and the middles of its Base64 at each of the three offsets.
fn forms(canary: &str) -> Vec<String> {
    let escaped: String =
        canary
            .bytes()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            })
            .collect();
    let mut forms = vec![canary.to_lowercase(), escaped.to_lowercase()];
    for offset in 0..3 {
        let shifted = format!("{}{canary}", "x".repeat(offset));
        for encoded in [STANDARD_NO_PAD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)] {
            forms.push(encoded[4..encoded.len() - 2].to_lowercase());
        }
    }
    forms
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_a_recording_names_anybody_or_opens_anything() {
    let (tenant, _, _) = recorded(&[]).await;
    let folder = tenant.path("recording");
    let mut canaries = vec![CLIENT_SECRET.to_owned(), tenant.emulator.tenant_id().to_string()];
    canaries.extend(["contoso", "canary", "Canary Renamed", "11111111-2222-3333"].map(str::to_owned));
    let mailboxes: Value =
        serde_json::from_str(&std::fs::read_to_string(tenant.path("canary-output.json")).unwrap()).unwrap();
    let mailboxes = mailboxes.as_array().unwrap();
    assert_eq!(mailboxes.len(), 12);
    for mailbox in mailboxes {
        for name in [
            "DisplayName",
            "Name",
            "Alias",
            "PrimarySmtpAddress",
            "DistinguishedName",
            "Guid",
            "ExternalDirectoryObjectId",
        ] {
            canaries.push(mailbox[name].as_str().unwrap_or_else(|| panic!("{name}: {mailbox}")).to_owned());
        }
        canaries.extend(
            mailbox["EmailAddresses"].as_array().unwrap().iter().map(|a| a.as_str().unwrap().to_owned()),
        );
    }
    canaries.retain(|canary| canary.len() >= 5);
    assert!(canaries.len() > 80, "{canaries:?}");
    let files = files(&folder);
    assert!(files.len() > 30, "{}", files.len());
    for (path, text) in &files {
        let mode = std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", path.display());
        assert!(!text.contains("eyJ"), "a token in {}:\n{text}", path.display());
        assert!(!text.to_lowercase().contains("cookie"), "{}:\n{text}", path.display());
        let text = text.to_lowercase();
        for canary in &canaries {
            for form in forms(canary) {
                assert!(!text.contains(&form), "`{canary}` as `{form}` in {}:\n{text}", path.display());
            }
        }
    }
    assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_keeps_what_a_test_needs() {
    let (tenant, _, _) = recorded(&[]).await;
    let pairs = pairs(&tenant.path("recording"));
    let numbers: Vec<u64> = pairs.iter().map(|pair| pair["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=pairs.len() as u64).collect::<Vec<_>>());
    assert_eq!((&pairs[0]["peer"], &pairs[1]["peer"]), (&"login".into(), &"login".into()));
    let discovery = &pairs[0]["answer"]["body"]["json"];
    let tid = &pairs[1]["answer"]["body"]["json"]["access_token"]["claims"]["tid"];
    assert_eq!(discovery["issuer"], format!("https://service.invalid/{}/v2.0", tid.as_str().unwrap()));
    assert_eq!(pairs[1]["request"]["body"]["form"]["client_secret"], "(removed)");
    assert_eq!(pairs[1]["request"]["body"]["form"]["grant_type"], "client_credentials");
    let statuses: Vec<u64> = pairs.iter().filter_map(|pair| pair["answer"]["status"].as_u64()).collect();
    for status in [200, 404, 429] {
        assert!(statuses.contains(&status), "{statuses:?}");
    }
    let throttled = pairs.iter().find(|pair| pair["answer"]["status"] == 429).unwrap();
    assert_eq!(throttled["answer"]["headers"]["retry-after"], "0.1");
    let missing = pairs.iter().find(|pair| pair["answer"]["status"] == 404).unwrap();
    let message = missing["answer"]["body"]["json"]["error"]["details"][0]["message"].as_str().unwrap();
    assert!(message.starts_with(
        "Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|The operation"
    ));
    let asked = &missing["request"]["body"]["json"]["CmdletInput"]["Parameters"]["Identity"];
    assert!(
        message.contains(asked.as_str().unwrap()),
        "the same stand-in in question and answer: {missing:#}"
    );
    let broken: Vec<&Value> = pairs.iter().filter(|pair| pair["end"] == "broken").collect();
    assert_eq!(broken.len(), 1, "{broken:?}");
    assert_eq!(broken[0]["answer"], Value::Null);
    let page =
        pairs.iter().find(|pair| pair["answer"]["body"]["json"]["@odata.nextLink"].is_string()).unwrap();
    let mailbox = &page["answer"]["body"]["json"]["value"][0];
    assert!(mailbox["PrimarySmtpAddress"].as_str().unwrap().ends_with(".example.invalid"), "{mailbox:#}");
    assert!(mailbox["EmailAddresses"][0].as_str().unwrap().starts_with("SMTP:user"), "{mailbox:#}");
    assert!(mailbox["RecipientTypeDetails"].as_str().unwrap().ends_with("Mailbox"), "{mailbox:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn identities_are_kept_only_with_a_loud_warning_and_credentials_never() {
    let (tenant, run, _) = recorded(&["--record-identities", "keep"]).await;
    assert!(run.stderr.contains("THE RECORDING HOLDS IDENTITIES"), "{}", run.stderr);
    let files = files(&tenant.path("recording"));
    assert!(files.iter().any(|(_, text)| text.contains("canary-office")));
    for (path, text) in files {
        assert!(!text.contains("eyJ") && !text.contains(CLIENT_SECRET), "{}", path.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_holds_something_is_refused_before_anything_connects() {
    let tenant = Tenant::with(3, &[]).await;
    std::fs::create_dir(tenant.path("recording")).unwrap();
    std::fs::write(tenant.path("recording/mine"), "").unwrap();
    let job = tenant.job("", STEPS);
    let run = tenant.run(&job, &["--record", "recording"]).await;
    run.assert_code(64);
    assert!(run.stderr.contains("the folder is not empty"), "{}", run.stderr);
    assert_eq!(tenant.emulator.counters().requests, 0);
}

/// A process of its own that serves a recording, with the files that point at it.
struct Replayed {
    folder: tempfile::TempDir,
    emulator: Child,
}

impl Replayed {
    async fn of(recording: &Path) -> Replayed {
        let folder = tempfile::tempdir().unwrap();
        let arguments = ["emulate", "--out", "out", "--replay", recording.to_str().unwrap()];
        let mut emulator = program(folder.path(), &arguments).spawn().unwrap();
        let mut lines = BufReader::new(emulator.stderr.take().unwrap()).lines();
        while !lines.next_line().await.unwrap().expect("the emulator ended").contains("EMULATED: serving") {}
        // Drained, so that the emulator never meets a closed pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Replayed { folder, emulator }
    }

    /// Runs a job against it.
    async fn run(&self, job: &Path, more: &[&str]) -> (Ended, Value) {
        let settings = self.folder.path().join("out/settings.yaml");
        let state = self.folder.path().join("state");
        let mut arguments = vec!["run", job.to_str().unwrap(), "--settings", settings.to_str().unwrap()];
        arguments.extend(["--state-dir", state.to_str().unwrap(), "--report", "report.json"]);
        arguments.extend(more);
        let mut command = program(self.folder.path(), &arguments);
        let run = ended(command.env("EXORUN_CLIENT_SECRET", "not looked at").spawn().unwrap()).await;
        let report = std::fs::read_to_string(self.folder.path().join("report.json"))
            .unwrap_or_else(|error| panic!("no report: {error}\n{}\n{}", run.stdout, run.stderr));
        (run, serde_json::from_str(&report).unwrap())
    }

    async fn stop(self) {
        signal(&self.emulator, Signal::TERM);
        ended(self.emulator).await.assert_code(0);
    }
}

fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_exorun"));
    command
        .args(arguments)
        .env_clear()
        .envs(SHORT_TIMES)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// What a report says without ids and times.
fn gist(report: &Value) -> Value {
    let steps = report["steps"].as_array().unwrap().iter().map(|step| {
        let mut step = step.clone();
        let kinds: Vec<Value> = step["failures"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|failure| failure["kind"].clone())
            .collect();
        step["failures"] = kinds.into();
        for name in ["seconds", "output"] {
            step.as_object_mut().unwrap().remove(name);
        }
        step
    });
    // How many sessions a loop gets beyond its first depends on who is quicker.
    let mut sessions = report["sessions"].as_array().unwrap().iter();
    let closed =
        sessions.all(|session| session["closed"] == "cleanly" || session["closed"] == "nothing_opened");
    json!({"outcome": report["outcome"], "exit_code": report["exit_code"], "closed": closed, "steps": steps.collect::<Vec<_>>()})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_run_ends_the_same_when_it_is_replayed() {
    let (tenant, _, report) = recorded(&[]).await;
    let again = assert_ends_the_same(&tenant, &report, &["--page-size", "5"]).await;
    assert_eq!(again["peer"], "EMULATED");
}

/// Runs the recording `DIR` of `tenant` against itself; `more` goes to the run.
async fn assert_ends_the_same(tenant: &Tenant, report: &Value, more: &[&str]) -> Value {
    let recording = tenant.path("recording");
    let replayed = Replayed::of(&recording).await;
    // As it was recorded, one call a request; and in batches, which the replay takes apart.
    let together = replayed.run(&recording.join("job.yaml"), more).await.0;
    assert!(!together.stderr.contains("cannot be made together"), "{}", together.stderr);
    replayed.stop().await;
    let replayed = Replayed::of(&recording).await;
    let more = [&["--batch-size", "1"], more].concat();
    let (run, again) = replayed.run(&recording.join("job.yaml"), &more).await;
    assert_eq!(gist(&again), gist(report), "{}\n{}", run.stdout, run.stderr);
    replayed.stop().await;
    again
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shipped_job_ends_the_same_in_a_replay() {
    let jobs = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs")).unwrap();
    let jobs = jobs.map(|entry| entry.unwrap().path());
    for job in jobs.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")) {
        let tenant = Tenant::with(30, &[]).await;
        let (run, report) = tenant.reported(&job, &["--record", "recording"]).await;
        run.assert_code(0);
        assert_ends_the_same(&tenant, &report, &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_end_is_recorded_and_comes_back() {
    let faults = [
        "truncate:cmdlet=Get-Mailbox:nth=1",
        "html502:cmdlet=Get-Mailbox:nth=2",
        "slow:ms=60000:cmdlet=Get-Mailbox:nth=3",
        "401:cmdlet=Get-Mailbox:nth=4",
        "badpage:cmdlet=Get-Mailbox:nth=6",
        "nul403:cmdlet=Set-Mailbox:nth=2",
        "500:exception=DCOverloadedException:cmdlet=Set-Mailbox:nth=4",
    ];
    let faults = faults.map(fault).into();
    let tenant =
        Tenant::start(Options { mailboxes: 6, faults, compression: Compression::Off, ..Options::default() })
            .await;
    let steps = STEPS.replace("    ensure: Mailbox", "    on_error: continue\n    ensure: Mailbox");
    let job = tenant.job("", &steps);
    let more = ["--page-size", "4", "--call-timeout", "1s"];
    let (run, report) = tenant.reported(&job, &[&more[..], &["--record", "recording"]].concat()).await;
    run.assert_code(3);
    let pairs = pairs(&tenant.path("recording"));
    let had = |pointer: &str, value: Value| {
        assert!(pairs.iter().any(|pair| pair.pointer(pointer) == Some(&value)), "{pointer}: {value}");
    };
    let body = |kind: &str| pairs.iter().filter(|pair| pair["answer"]["body"].get(kind).is_some()).count();
    assert_eq!((body("cut_json"), body("html"), body("nul")), (1, 1, 1));
    had("/end", "given_up".into());
    for status in [400, 401, 403, 404, 500, 502] {
        had("/answer/status", status.into());
    }
    had("/answer/body/text", "Expired or Invalid pagination request. Default Expiry time is 00:30:00".into());
    assert_ends_the_same(&tenant, &report, &more).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_to_a_replay_without_being_in_it() {
    let device_approval = DeviceApproval::AfterPolls(1);
    let device_interval = std::time::Duration::from_secs(1);
    let options = Options { mailboxes: 5, device_approval, device_interval, ..Options::default() };
    let tenant = Tenant::start(options).await;
    let head =
        "version: 1\nname: by-a-person\ntenant: contoso.onmicrosoft.com\nauth:\n  method: device\nsteps:\n";
    let job = tenant.path("job.yaml");
    std::fs::write(&job, format!("{head}{}", super::some_mailboxes(3))).unwrap();
    let (run, report) = tenant.reported(&job, &["--record", "recording"]).await;
    run.assert_code(0);
    let (_, code) = run.stderr.split_once("enter the code ").unwrap();
    let code: String = code.chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
    let person = report["actor"].as_str().unwrap();
    for (path, text) in files(&tenant.path("recording")) {
        assert!(!text.contains(person) && !text.contains(&code), "{}:\n{text}", path.display());
    }
    let again = assert_ends_the_same(&tenant, &report, &[]).await;
    assert!(again["actor"].as_str().unwrap().ends_with(".example.invalid"), "{again:#}");
}

fn shipped_recording(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings").join(name)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_from_elsewhere_is_served_as_it_says() {
    let replayed = Replayed::of(&shipped_recording("strange-answers")).await;
    let (run, report) = replayed.run(&shipped_recording("strange-answers").join("job.yaml"), &[]).await;
    run.assert_code(69);
    let steps = report["steps"].as_array().unwrap();
    assert_eq!((&steps[0]["items"], &steps[0]["retries"]), (&json!(2), &json!(4)), "{report:#}");
    assert_eq!(steps[1]["failures"][0]["kind"], "forbidden", "{report:#}");
    assert_eq!(steps[2]["failures"][0]["kind"], "throttled", "{report:#}");
    replayed.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_recorded_is_answered_with_the_nearest_that_was() {
    let recording = shipped_recording("one-mailbox");
    let replayed = Replayed::of(&recording).await;
    let (run, _) = replayed.run(&recording.join("job.yaml"), &[]).await;
    run.assert_code(0);

    // The same write once more is one more than there was.
    let (run, report) = replayed.run(&recording.join("job.yaml"), &[]).await;
    run.assert_code(0);
    assert_eq!(report["steps"][0]["unchanged"], 1, "what is read stays as it was seen last: {report:#}");

    let job = replayed.folder.path().join("other.yaml");
    for (step, words) in [
        (
            "    cmdlet: Set-Mailbox\n    parameters:\n      Identity: user0001@example.invalid\n      CustomAttribute1: other\n",
            "the nearest is request 3, which differs in customattribute1.",
        ),
        (
            "    cmdlet: Set-Mailbox\n    parameters:\n      Identity: user0001@example.invalid\n      CustomAttribute1: Name 0001\n",
            "is in the recording 1 times, and was asked for once more",
        ),
        (
            "    cmdlet: Get-CASMailbox\n",
            "Get-CASMailbox is not in the recording, which has Get-Mailbox, Set-Mailbox",
        ),
    ] {
        std::fs::write(&job, format!("{HEAD}steps:\n  - name: other\n{step}")).unwrap();
        let (run, report) = replayed.run(&job, &[]).await;
        run.assert_code(1);
        let message = report["steps"][0]["failures"][0]["message"].as_str().unwrap();
        assert!(message.contains(words), "{message}");
    }
    replayed.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let refused = async || {
        let run =
            ended(program(folder.path(), &["emulate", "--out", "out", "--replay", "rec"]).spawn().unwrap())
                .await;
        run.assert_code(64);
        run.stderr
    };
    assert!(refused().await.contains("rec/recording.json: No such file"));
    std::fs::create_dir(folder.path().join("rec")).unwrap();
    std::fs::write(folder.path().join("rec/recording.json"), "{\"format\": 2}").unwrap();
    assert!(refused().await.contains("format 2 is not known, only 1"));
    std::fs::write(folder.path().join("rec/recording.json"), "{\"format\": 1}").unwrap();
    assert!(refused().await.contains("rec: there is no request in it"));
    std::fs::write(folder.path().join("rec/000001.json"), "{\"format\": 1}").unwrap();
    assert!(refused().await.contains("rec/000001.json: missing field `number`"));
}
