//! `exorun login`, the runs after it, and `exorun logout`, with a real OpenBao.

use exorun::emulator::{Options, Reuse};
use reqwest::Method;
use serde_json::json;

use super::browser::signed_in;
use super::components;
use super::desk::{MFA, NAVIN, end_of};
use super::vaulted::{PLACE, Vaulted, options};

#[tokio::test(flavor = "multi_thread")]
async fn one_login_serves_silent_runs_that_keep_the_token_rotating() {
    let test = "one_login_serves_silent_runs_that_keep_the_token_rotating";
    let refuse = Options { refresh_reuse: Reuse::Refuse, ..options() };
    let Some(vaulted) = Vaulted::start(test, refuse).await else { return };
    let job = vaulted.job("device", &[]);
    let login = vaulted.login(&job, NAVIN).await;
    login.assert_code(0);
    assert!(
        login
            .stdout
            .contains(&format!("{NAVIN} is signed in; the sign-in is kept at vault:secret/people/navin"))
    );
    let (fields, version) = vaulted.kept().await;
    assert_eq!(version, 1);
    assert_eq!(
        (fields["user_principal_name"].as_str(), fields["client_id"].as_str()),
        (Some(NAVIN), Some("fb78d390-0c51-40cd-8e17-fdbfab77341b"))
    );
    assert!(fields["tenant"].is_string() && fields["stored_at"].is_string(), "{fields}");
    let mut tokens = vec![fields["refresh_token"].as_str().unwrap().to_owned()];
    for version in 2..=4 {
        let run = vaulted.unattended(&["run", &job, "--log-level", "trace"]).await;
        run.assert_code(0);
        let (fields, now) = vaulted.kept().await;
        assert_eq!(now, version, "each use is written back");
        tokens.push(fields["refresh_token"].as_str().unwrap().to_owned());
        for token in &tokens {
            assert!(
                !run.stdout.contains(token.as_str()) && !run.stderr.contains(token.as_str()),
                "a token is shown"
            );
        }
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 4);
    assert_eq!(vaulted.asked(), 1, "a person was asked once");
    vaulted.desk.tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_in_the_browser_is_kept_and_replaces_what_was_there() {
    let test = "a_login_in_the_browser_is_kept_and_replaces_what_was_there";
    let Some(vaulted) = Vaulted::start(test, options()).await.filter(|_| components::has("python3", test))
    else {
        return;
    };
    let job = vaulted.job("browser", &[]);
    vaulted.login(&job, NAVIN).await.assert_code(0);
    // Where there is a display, the browser is the default.
    let mut command = vaulted.with_vault(vaulted.desk.attended(&["login", &job], &[]));
    let child = command.env("DISPLAY", ":0").spawn().unwrap();
    signed_in(&vaulted.desk, MFA, "no").await;
    let login = end_of(child).await;
    login.assert_code(0);
    let (fields, version) = vaulted.kept().await;
    assert_eq!((fields["user_principal_name"].as_str(), version), (Some(MFA), 2));
    vaulted.unattended(&["run", &job]).await.assert_code(0);
    vaulted.desk.tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_kept_sign_in_and_a_terminal_a_run_fails_at_once() {
    let test = "without_a_kept_sign_in_and_a_terminal_a_run_fails_at_once";
    let Some(vaulted) = Vaulted::start(test, options()).await else { return };
    for method in ["device", "browser"] {
        let run = vaulted.unattended(&["run", &vaulted.job(method, &[])]).await;
        run.assert_code(77);
        assert!(run.stdout.contains("no sign-in is kept at vault:secret/people/navin"), "{}", run.stdout);
        assert!(run.stdout.contains("`exorun login JOB`"), "{}", run.stdout);
    }
    assert_eq!(vaulted.asked(), 0);
    // At a terminal the run asks, and keeps the answer.
    if !components::has("python3", test) {
        return;
    }
    let job = vaulted.job("device", &[]);
    let child = vaulted.with_vault(vaulted.desk.attended(&["run", &job], &[])).spawn().unwrap();
    let code = vaulted.desk.user_code().await;
    vaulted.desk.tenant.control(&format!("device/{code}"), &format!("approve {NAVIN}")).await;
    end_of(child).await.assert_code(0);
    vaulted.unattended(&["run", &job]).await.assert_code(0);
    assert_eq!(vaulted.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_a_kept_sign_in_says_to_log_in_again_where_that_helps() {
    let test = "what_ends_a_kept_sign_in_says_to_log_in_again_where_that_helps";
    let Some(vaulted) = Vaulted::start(test, options()).await else { return };
    let job = vaulted.job("device", &[]);
    vaulted.login(&job, NAVIN).await.assert_code(0);
    for (code, again) in [
        (50_173, true),
        (50_133, true),
        (53_003, false),
        (50_057, false),
        (53_000, false),
        (90_072, false),
        (530_034, false),
        (500_021, false),
    ] {
        vaulted.desk.tenant.control("signin-trouble", &format!("{NAVIN}=AADSTS{code}")).await;
        let run = vaulted.unattended(&["run", &job]).await;
        run.assert_code(77);
        assert!(run.stdout.contains(&format!("AADSTS{code}")), "{}", run.stdout);
        assert_eq!(run.stdout.contains("`exorun login JOB`"), again, "{code}: {}", run.stdout);
    }
    vaulted.desk.tenant.control("signin-trouble", &format!("{NAVIN}=none")).await;
    vaulted.unattended(&["run", &job]).await.assert_code(0);
    // Somebody else's, and another application's.
    let run =
        vaulted.unattended(&["run", &vaulted.job("device", &[&format!("user_principal_name: {MFA}")])]).await;
    run.assert_code(77);
    assert!(
        run.stdout.contains("navin@contoso.onmicrosoft.com signed in, the job expects mfa@"),
        "{}",
        run.stdout
    );
    let other = "client_id: 22222222-2222-3333-4444-555555555555";
    let run = vaulted.unattended(&["run", &vaulted.job("device", &[other])]).await;
    run.assert_code(64);
    assert!(run.stdout.contains("belongs to application fb78d390"), "{}", run.stdout);
    let counters = vaulted.desk.tenant.emulator.counters();
    assert_eq!(counters.sessions.opened, counters.sessions.closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_sign_in_that_nobody_used_for_too_long_is_over() {
    let unused = Options { refresh_life: std::time::Duration::ZERO, ..options() };
    let test = "a_kept_sign_in_that_nobody_used_for_too_long_is_over";
    let Some(vaulted) = Vaulted::start(test, unused).await else { return };
    let job = vaulted.job("device", &[]);
    vaulted.login(&job, NAVIN).await.assert_code(0);
    let run = vaulted.unattended(&["run", &job]).await;
    run.assert_code(77);
    assert!(
        run.stdout.contains("AADSTS700082") && run.stdout.contains("`exorun login JOB`"),
        "{}",
        run.stdout
    );
    assert_eq!(vaulted.kept().await.1, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_cannot_keep_a_token_is_told_before_anybody_is_asked() {
    let test = "a_place_that_cannot_keep_a_token_is_told_before_anybody_is_asked";
    let Some(vaulted) = Vaulted::start(test, options()).await else { return };
    let login = |job: String| {
        let vaulted = &vaulted;
        async move { vaulted.unattended(&["login", &job, "--method", "device"]).await }
    };
    // Another secret lies there.
    vaulted.bao.write(PLACE, json!({"data": {"client_secret": "canary-7e55-of-others"}})).await;
    let refused = login(vaulted.job("device", &[])).await;
    refused.assert_code(64);
    assert!(
        refused.stderr.contains("has no field `refresh_token`; it has client_secret"),
        "{}",
        refused.stderr
    );
    assert!(!refused.stderr.contains("canary"), "{}", refused.stderr);
    // No check-and-set.
    vaulted.bao.mount("old", "kv", json!({"version": "1"})).await;
    vaulted.bao.write("old/people/navin", json!({"refresh_token": "canary-7e55-of-others"})).await;
    vaulted
        .bao
        .policy("people", "path \"old/*\" { capabilities = [\"create\", \"read\", \"update\"] }")
        .await;
    let auth = ["method: device", "credential:", "  vault: {mount: old, path: people/navin}"];
    let refused = login(vaulted.desk.job(&auth).to_str().unwrap().to_owned()).await;
    refused.assert_code(64);
    assert!(refused.stderr.contains("version 1") && !refused.stderr.contains("canary"), "{}", refused.stderr);
    // Nothing is kept at all.
    let refused = login(vaulted.desk.job(&["method: device"]).to_str().unwrap().to_owned()).await;
    refused.assert_code(64);
    assert!(refused.stderr.contains("keeps no sign-in: add `credential:`"), "{}", refused.stderr);
    let auth = [
        "method: client_secret",
        "client_id: 11111111-2222-3333-4444-555555555555",
        "credential:",
        "  env: X",
    ];
    let refused = login(vaulted.desk.job(&auth).to_str().unwrap().to_owned()).await;
    refused.assert_code(64);
    assert!(refused.stderr.contains("needs no person"), "{}", refused.stderr);
    assert_eq!(vaulted.asked(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_replaces_the_newest_version_whatever_the_job_pins() {
    let test = "a_login_replaces_the_newest_version_whatever_the_job_pins";
    let Some(vaulted) = Vaulted::start(test, options()).await else { return };
    let pinned = |version: u32| {
        let version = format!("  vault: {{path: people/navin, version: {version}}}");
        let user = format!("user_principal_name: {NAVIN}");
        let auth = ["method: vault", &user, "credential:", &version];
        vaulted.desk.job(&auth).to_str().unwrap().to_owned()
    };
    vaulted.login(&pinned(1), NAVIN).await.assert_code(0);
    vaulted.login(&pinned(1), NAVIN).await.assert_code(0);
    assert_eq!(vaulted.kept().await.1, 2);
    let login = vaulted.login(&pinned(1), NAVIN).await;
    login.assert_code(0);
    assert!(login.stdout.contains("kept at vault:secret/people/navin\n"), "{}", login.stdout);
    assert_eq!(vaulted.kept().await.1, 3);
    // A version that is gone for good.
    vaulted.bao.write("secret/destroy/people/navin", json!({"versions": [1]})).await;
    vaulted.login(&pinned(1), NAVIN).await.assert_code(0);
    vaulted.unattended(&["run", &pinned(1)]).await.assert_code(0);
    assert_eq!(vaulted.kept().await.1, 5, "the run has renewed the newest");
    let logout = vaulted.unattended(&["logout", &pinned(1), "--yes"]).await;
    logout.assert_code(0);
    assert!(logout.stdout.contains("with all its versions"), "{}", logout.stdout);
    vaulted.desk.tenant.assert_all_closed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_is_confirmed_and_says_what_it_did_not_do() {
    let test = "a_logout_is_confirmed_and_says_what_it_did_not_do";
    let Some(vaulted) = Vaulted::start(test, options()).await else { return };
    let job = vaulted.job("device", &[]);
    vaulted.login(&job, NAVIN).await.assert_code(0);
    vaulted.unattended(&["run", &job]).await.assert_code(0);
    let unsure = vaulted.unattended(&["logout", &job]).await;
    unsure.assert_code(64);
    assert!(unsure.stderr.contains("say --yes if that is meant"), "{}", unsure.stderr);
    if components::has("python3", test) {
        let no = vaulted.attended(&["logout", &job], &[("[y/N]", Some("n\n"))]).await;
        no.assert_code(78);
        assert_eq!(vaulted.kept().await.1, 2, "nothing was deleted");
    }
    let logout = vaulted.unattended(&["logout", &job, "--yes", "--log-level", "off"]).await;
    logout.assert_code(0);
    assert!(
        logout
            .stdout
            .contains(&format!("the sign-in of {NAVIN} kept at vault:secret/people/navin is deleted"))
    );
    assert!(logout.stdout.contains("no way to revoke one refresh token"), "{}", logout.stdout);
    let line =
        logout.stderr.lines().find(|line| line.contains("action=logout")).expect("a line of the write log");
    assert!(line.contains("revoked=no_way") && line.contains("outcome=done"), "{line}");
    let (status, _) = vaulted.bao.ask(Method::GET, "secret/metadata/people/navin", None).await;
    assert_eq!(status, 404, "no version is left");
    let again = vaulted.unattended(&["logout", &job, "--yes"]).await;
    again.assert_code(0);
    assert!(again.stdout.contains("no sign-in is kept"), "{}", again.stdout);
    vaulted.unattended(&["run", &job]).await.assert_code(77);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_keeps_a_sign_in_for_all_of_its_jobs() {
    let test = "a_connection_keeps_a_sign_in_for_all_of_its_jobs";
    let Some(vaulted) = Vaulted::start(test, options()).await else { return };
    let connections = vaulted.desk.tenant.path("connections.yaml");
    let text = "version: 1\nkind: Connections\nconnections:\n  contoso-navin:\n    tenant: contoso.onmicrosoft.com\n    auth:\n      \
                method: device\n      credential:\n        vault: {path: people/navin}\n    jobs:\n      - name: nightly-*\n";
    std::fs::write(&connections, text).unwrap();
    let connections = ["--connections-file", connections.to_str().unwrap()];
    let login = vaulted.login_with("contoso-navin", NAVIN, &connections).await;
    login.assert_code(0);
    assert_eq!(vaulted.kept().await.1, 1);
    let job = vaulted.desk.tenant.path("nightly.yaml");
    let text = "version: 1\nname: nightly-mailboxes\nconnection: contoso-navin\nsteps:\n  - name: some\n    \
                cmdlet: Get-Mailbox\n    parameters:\n      ResultSize: 3\n";
    std::fs::write(&job, text).unwrap();
    let with = |arguments: &[&str]| {
        arguments.iter().chain(&connections).map(|word| (*word).to_owned()).collect::<Vec<_>>()
    };
    let run = async |arguments: &[&str]| {
        let arguments = with(arguments);
        vaulted.unattended(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).await
    };
    run(&["run", job.to_str().unwrap()]).await.assert_code(0);
    let unknown = run(&["logout", "contoso-nobody", "--yes"]).await;
    unknown.assert_code(64);
    assert!(
        unknown.stderr.contains("contoso-nobody") && unknown.stderr.contains("contoso-navin"),
        "{}",
        unknown.stderr
    );
    let logout = run(&["logout", "contoso-navin", "--yes"]).await;
    logout.assert_code(0);
    assert!(logout.stdout.contains("is deleted with all its versions"), "{}", logout.stdout);
    run(&["run", job.to_str().unwrap()]).await.assert_code(77);
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_an_emulator_a_sign_in_is_kept_already() {
    let folder = tempfile::tempdir().unwrap();
    let job = "version: 1\nname: by-a-person\ntenant: contoso.onmicrosoft.com\nauth:\n  method: device\n  \
               user_principal_name: navin@contoso.com\n  credential:\n    vault: {path: people/navin}\nsteps:\n  - name: some\n    \
               cmdlet: Get-Mailbox\n    parameters:\n      ResultSize: 3\n";
    std::fs::write(folder.path().join("job.yaml"), job).unwrap();
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_exorun"));
    command
        .args(["run", "job.yaml", "--emulate", "--refresh-reuse", "refuse", "--report", "report.json"])
        .env_clear()
        .current_dir(folder.path())
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true);
    end_of(command.spawn().unwrap()).await.assert_code(0);
    let report = std::fs::read_to_string(folder.path().join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["actor"], "navin@contoso.com");
}
