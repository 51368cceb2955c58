//! Every exit code, from the outside.

use std::time::Duration;

use exorun::emulator::Options;

use super::program::{Tenant, ended, requests, shipped};
use super::{HARDENING, HEAD, ensure_office, some_mailboxes};

#[tokio::test(flavor = "multi_thread")]
async fn bad_usage_ends_with_64_and_connects_to_nothing() {
    let tenant = Tenant::with(3, &[]).await;
    let good = shipped(HARDENING);
    let good = good.to_str().unwrap();
    std::fs::write(tenant.path("bad.yaml"), format!("{HEAD}steps:\n  - name: a\n    cmdlet: Get-Mailbx\n"))
        .unwrap();
    std::fs::write(
        tenant.path("asks.yaml"),
        format!("{HEAD}inputs:\n  who:\n    type: string\nsteps:\n{}", some_mailboxes(1)),
    )
    .unwrap();
    let two =
        format!("{HEAD}steps:\n{0}---\n{HEAD}steps:\n{0}", some_mailboxes(1)).replacen("a-job", "b-job", 1);
    std::fs::write(tenant.path("two.yaml"), two).unwrap();
    std::fs::write(tenant.path("settings.yaml"), "sesion_limit: 3\n").unwrap();
    for (arguments, said) in [
        (&["run", "bad.yaml"][..], "Get-Mailbox"),
        (&["run", "none.yaml"], "none.yaml"),
        (&["run", "asks.yaml"], "the input `who` is required: give --input who="),
        (&["run", "asks.yaml", "--input", "whom=x"], "whom"),
        (&["run", "asks.yaml", "--input", "who"], "NAME=VALUE"),
        (&["run", good, "--no-such-flag"], "--no-such-flag"),
        (&["run", good, "--lease", "banana"], "--lease"),
        (&["run", good, "--session-limit", "6"], "--session-limit"),
        (&["run", good, "--settings", "settings.yaml"], "session_limit"),
        (&["run", good, "--job", "no-such-job"], "has no job `no-such-job`; it has shared-mailbox-hardening"),
        (&["run", "two.yaml"], "has several jobs (b-job, a-job): say which with --job"),
        (&["run", good, "--ca-file", "no-such.pem"], "no-such.pem"),
        (&["invoke", "Get-Mailbx", "--job", good], "Get-Mailbox"),
        (&["invoke", "Get-Mailbox", "Identit=x", "--job", good], "Identity"),
        (&["check", "bad.yaml"], "bad.yaml"),
        (&["emulate", "--out", "x", "--fault", "430"], "there is no kind `430`"),
        (&["frobnicate"], "frobnicate"),
        (&[], "Usage"),
    ] {
        let run = tenant.said(arguments, &[]).await;
        assert_eq!(run.code, Some(64), "{arguments:?}\n{}\n{}", run.stdout, run.stderr);
        assert!(run.stderr.contains(said), "{arguments:?} does not say `{said}`:\n{}", run.stderr);
        assert_eq!(run.stdout, "", "{arguments:?}");
    }
    let run = tenant.said(&["run", good], &[("EXORUN_QUARANTINE", "soon")]).await;
    run.assert_code(64);
    assert!(run.stderr.contains("EXORUN_QUARANTINE"), "{}", run.stderr);
    let counters = tenant.emulator.counters();
    assert_eq!((counters.requests, counters.sessions.opened), (0, 0), "{counters:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_parameter_is_masked_and_a_missing_secret_fails_its_step_by_name() {
    let tenant = Tenant::with(3, &[]).await;
    let steps = "  - name: password\n    cmdlet: Set-Mailbox\n    parameters:\n      Identity: anna@contoso.example\n      \
                 Password:\n        env: NEW_PASSWORD\n";
    let job = tenant.job("", steps);
    tenant.said(&["check", job.to_str().unwrap()], &[]).await.assert_code(0);
    let run = tenant.run(&job, &["--dry-run"]).await;
    run.assert_code(2);
    let line = "! Set-Mailbox -Identity anna@contoso.example -Confirm false -Password ***";
    assert!(run.stdout.contains(line), "{}", run.stdout);
    let run = tenant.run(&job, &[]).await;
    run.assert_code(1);
    let said = "Password: credential env:NEW_PASSWORD: the variable is not set";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    assert!(tenant.recorded("Set-Mailbox").is_empty(), "nothing was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn help_and_version_end_with_0() {
    let tenant = Tenant::with(1, &[]).await;
    for arguments in [&["--help"][..], &["--version"], &["run", "--help"], &["settings"]] {
        let run = tenant.said(arguments, &[]).await;
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        assert!(!run.stdout.is_empty());
    }
    // Which commit runs is the first question of a support case.
    let version = format!("{} ({})\n", env!("CARGO_PKG_VERSION"), exorun::observe::metrics::REVISION);
    assert_eq!(tenant.said(&["--version"], &[]).await.stdout, format!("exorun {version}"));
    assert_eq!(tenant.said(&["run", "--version"], &[]).await.stdout, format!("exorun-run {version}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_credential_ends_with_64_and_names_the_variable() {
    let tenant = Tenant::with(3, &[]).await;
    let job = shipped(HARDENING);
    let mut command = tenant.exorun(&["run", job.to_str().unwrap()]);
    let run = ended(command.env_remove("EXORUN_CLIENT_SECRET").spawn().unwrap()).await;
    run.assert_code(64);
    assert!(run.stdout.contains("EXORUN_CLIENT_SECRET"), "{}", run.stdout);
    let asked = tenant.emulator.counters();
    assert_eq!(asked.requests, requests(&asked, "openid-configuration"), "only what needs no credential");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_free_session_in_time_ends_with_69() {
    let tenant = Tenant::with(10, &["slow:ms=3500:cmdlet=Get-Mailbox"]).await;
    let job = shipped(HARDENING);
    let five: Vec<_> =
        (0..5).map(|_| tenant.exorun(&["run", job.to_str().unwrap()]).spawn().unwrap()).collect();
    tenant.until("five sessions", |counters| counters.sessions.live == 5).await;
    let (sixth, report) = tenant.reported(&job, &["--session-wait", "200ms"]).await;
    sixth.assert_code(69);
    assert_eq!((&report["outcome"], &report["exit_code"]), (&"no_session".into(), &69.into()));
    assert_eq!(report["sessions"], serde_json::json!([]));
    assert!(sixth.stderr.contains("waiting for a session slot"), "{}", sixth.stderr);
    for run in futures_util::future::join_all(five.into_iter().map(ended)).await {
        run.assert_code(0);
    }
    tenant.assert_all_closed();
    let sessions = tenant.emulator.counters().sessions;
    assert_eq!((sessions.peak_of_one_account, sessions.refused), (5, 0), "{sessions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn throttled_past_the_budget_ends_with_69() {
    let tenant = Tenant::with(10, &["429:retry_after=0.05"]).await;
    let (run, report) = tenant.reported(&shipped(HARDENING), &["--retry-attempts", "3"]).await;
    run.assert_code(69);
    assert!(report["reason"].as_str().unwrap().contains("given up after 3 tries"), "{report}");
    assert_eq!(requests(&tenant.emulator.counters(), "Get-Mailbox"), 3);
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_sign_in_ends_with_77_and_says_what_to_do() {
    let tenant = Tenant::with(3, &[]).await;
    let job = shipped(HARDENING);
    let wrong = "canary-of-a-wrong-secret";
    let run = tenant.said(&["run", job.to_str().unwrap()], &[("EXORUN_CLIENT_SECRET", wrong)]).await;
    run.assert_code(77);
    for part in ["AADSTS7000215", "use the secret's value, not its id"] {
        assert!(run.stdout.contains(part) && run.stderr.contains(part), "{}\n{}", run.stdout, run.stderr);
    }
    assert!(!run.stdout.contains(wrong) && !run.stderr.contains(wrong));

    let text =
        std::fs::read_to_string(&job).unwrap().replace("contoso.onmicrosoft.com", "fabrikam.onmicrosoft.com");
    std::fs::write(tenant.path("job.yaml"), text).unwrap();
    let run = tenant.run(&tenant.path("job.yaml"), &[]).await;
    run.assert_code(77);
    for part in ["AADSTS90002", "the tenant is not known: check `tenant` and `environment`"] {
        assert!(run.stdout.contains(part), "{}", run.stdout);
    }
    assert_eq!(tenant.emulator.counters().sessions.opened, 0, "nobody signed in, so nothing was opened");
}

#[tokio::test(flavor = "multi_thread")]
async fn max_changes_ends_with_78_before_the_change_that_is_too_many() {
    let tenant = Tenant::with(60, &[]).await;
    let text = std::fs::read_to_string(shipped(HARDENING)).unwrap();
    let text = text.replace("max_changes: 200 ", "max_changes: 3 ");
    assert!(text.contains("max_changes: 3 "));
    std::fs::write(tenant.path("job.yaml"), text).unwrap();
    let (run, report) = tenant.reported(&tenant.path("job.yaml"), &[]).await;
    run.assert_code(78);
    assert!(report["reason"].as_str().unwrap().contains("limits.max_changes is 3"), "{report}");
    let bodies = tenant.recorded("Set-CASMailbox");
    let properties = |request: &serde_json::Value| {
        let parameters = request["body"]["CmdletInput"]["Parameters"].as_object().unwrap().clone();
        parameters.keys().filter(|name| !matches!(name.as_str(), "Identity" | "Confirm")).count()
    };
    let sent: usize = bodies.iter().map(properties).sum();
    assert!((2..=3).contains(&sent), "{sent} properties were written");
    assert_eq!(report["steps"][1]["changes"], sent as u64, "{report}");
    assert_eq!(tenant.emulator.counters().changed_objects, bodies.len());
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn max_duration_ends_with_78_and_disconnects() {
    let latency = Duration::from_millis(150);
    let tenant = Tenant::start(Options { mailboxes: 60, latency, ..Options::default() }).await;
    let text = std::fs::read_to_string(shipped(HARDENING)).unwrap();
    std::fs::write(tenant.path("job.yaml"), text.replace("max_duration: 30m", "max_duration: 1s")).unwrap();
    let (run, report) = tenant.reported(&tenant.path("job.yaml"), &[]).await;
    run.assert_code(78);
    assert_eq!(report["reason"], "limits.max_duration of 1s is over");
    assert!(!run.stderr.contains("outcome=unknown"), "the cmdlet in hand ended: {}", run.stderr);
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_object_that_fails_ends_with_3_or_at_once_with_1() {
    for (on_error, code, tried) in [("continue", 3, 5), ("stop", 1, 2)] {
        let tenant = Tenant::with(10, &["403:cmdlet=Set-Mailbox:nth=2"]).await;
        let steps = some_mailboxes(5) + &ensure_office(&format!("    on_error: {on_error}\n"));
        let (run, report) = tenant.reported(&tenant.job("", &steps), &[]).await;
        run.assert_code(code);
        let step = &report["steps"][1];
        assert_eq!((&step["failed"], &step["changed"]), (&1.into(), &(tried - 1).into()), "{report}");
        assert_eq!(step["failures"][0]["kind"], "forbidden", "{report}");
        assert_eq!(requests(&tenant.emulator.counters(), "Set-Mailbox"), tried);
        tenant.assert_all_closed();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_run_of_a_job_that_writes_is_refused_before_anything_connects() {
    let tenant = Tenant::with(10, &[]).await;
    let plain = "  - name: write\n    cmdlet: Set-Mailbox\n    parameters:\n      Identity: x\n      CustomAttribute1: y\n";
    let job = tenant.job("", plain);
    let run = tenant.run(&job, &["--read-only"]).await;
    run.assert_code(78);
    assert!(run.stderr.contains("--read-only: step write may change something"), "{}", run.stderr);

    let job = tenant.job("", &(some_mailboxes(3) + &ensure_office("")));
    let run = tenant.run(&job, &["--read-only"]).await;
    run.assert_code(78);
    assert_eq!(tenant.emulator.counters().requests, 0, "not even a token was asked for");

    let job = tenant.job("", &some_mailboxes(3));
    tenant.run(&job, &["--read-only"]).await.assert_code(0);
    tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_emulator_is_refused_where_nobody_said_that_one_answers() {
    let tenant = Tenant::with(3, &[]).await;
    let job = shipped(HARDENING);
    let run = tenant.said(&["run", job.to_str().unwrap()], &[("EXORUN_EMULATED", "false")]).await;
    run.assert_code(64);
    assert!(run.stdout.contains("the token comes from exorun's emulator"), "{}", run.stdout);
    assert_eq!(tenant.emulator.counters().sessions.opened, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn options_of_the_emulator_without_emulate_are_refused_before_anything_connects() {
    let tenant = Tenant::with(3, &[]).await;
    let job = shipped(HARDENING);
    for option in ["--mailboxes=3", "--fault=reset", "--latency=1s", "--sessions=off", "--seed=2"] {
        let run = tenant.run(&job, &[option]).await;
        run.assert_code(64);
        assert!(run.stderr.contains("--emulate"), "{}", run.stderr);
    }
    assert_eq!(tenant.emulator.counters().requests, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_service_that_nobody_vouches_for_is_bad_input_at_once() {
    let tenant = Tenant::with(1, &[]).await;
    let job = tenant.job("", &some_mailboxes(1));
    let mut command = tenant.exorun(&["run", job.to_str().unwrap()]);
    command
        .env_remove("EXORUN_CA_FILE")
        .env("EXORUN_RETRY_DELAY_FIRST", "30s")
        .env("EXORUN_RETRY_DELAY_MAX", "30s");
    let run = ended(command.spawn().unwrap()).await;
    run.assert_code(64);
    assert!(
        run.stdout.contains("ca_file") && !run.stderr.contains("trying again"),
        "{}{}",
        run.stdout,
        run.stderr
    );
    assert_eq!(tenant.emulator.counters().requests, 0);
}
