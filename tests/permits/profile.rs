//! The profile `production`: what it refuses, and what `allow` allows again.

use super::{SPELLED, connection, ended, exorun, refused, run, tenant, written};
use crate::openbao::OpenBao;
use crate::program::{Tenant, requests};

const PRODUCTION: &[&str] = &["--profile", "production"];

/// A head that signs in by `method` with `more` keys.
fn by(method: &str, more: &str) -> String {
    format!("tenant: contoso.onmicrosoft.com\nauth: {{method: {method}, {more}}}\n")
}

/// Runs the job with `allow` and this in its environment.
async fn in_production(tenant: &Tenant, more: &[&str], environment: &[(&str, &str)]) -> super::Ended {
    let mut command = tenant.exorun(&[&["run", "job.yaml"][..], PRODUCTION, more].concat());
    command.envs(environment.iter().copied());
    ended(command.spawn().unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_practice_is_refused_by_its_name() {
    let unknown = format!("{SPELLED}unknown: allow\n");
    let password =
        by("password", "user_principal_name: anna@contoso.onmicrosoft.com, credential: {env: PASSWORD}");
    let inline = by("inline_credential", "user_principal_name: anna@contoso.onmicrosoft.com");
    let token = by("access_token", "credential: {env: TOKEN}");
    let pod = [("KUBERNETES_SERVICE_HOST", "10.0.0.1"), ("EXORUN_SLOT_STORE", "local")];
    let plain = [("EXORUN_EXCHANGE_ENDPOINT", "http://127.0.0.1:9")];
    let webhook = [("EXORUN_DEVICE_WEBHOOK", "https://127.0.0.1:9/hook")];
    let device = by("device", "user_principal_name: anna@contoso.onmicrosoft.com");
    let vault = [
        ("EXORUN_VAULT_ADDRESS", "http://127.0.0.1:9"),
        ("EXORUN_VAULT_AUTH", "token"),
        ("EXORUN_VAULT_TOKEN_FILE", "token"),
    ];
    let mut told = Vec::new();
    for (name, head, more, environment) in [
        ("unknown_cmdlets", unknown.as_str(), &[][..], &[][..]),
        ("password", &password, &[], &[]),
        ("password", &inline, &[], &[]),
        ("environment_access_token", &token, &[], &[]),
        ("recorded_bodies", SPELLED, &["--record", "recording"], &[]),
        ("device_webhook", &device, &[], &webhook),
        ("local_slots_in_pod", SPELLED, &[], &pod),
        ("plain_http", SPELLED, &[], &plain),
        ("plain_http", SPELLED, &[], &vault),
    ] {
        let tenant = tenant("").await;
        written(&tenant, head, "");
        let lines = refused(&tenant, &in_production(&tenant, more, environment).await);
        let [line] = &lines[..] else { panic!("{name}: {lines:?}") };
        assert!(line.ends_with(&format!("or add `{name}` to the setting `allow`")), "{line}");
        told.push(line.clone());
        // Another name does not allow it.
        let other = if name == "password" { "plain_http" } else { "password" };
        let more = [more, &["--allow", other]].concat();
        assert_eq!(refused(&tenant, &in_production(&tenant, &more, environment).await), lines);
        assert!(!tenant.path("recording").exists(), "nothing was begun");
    }
    insta::assert_snapshot!(told.join("\n"), @r#"
    the job `mail-report` says `unknown: allow`, which the profile `production` refuses: use a version of exorun whose catalog has what the job calls, or add `unknown_cmdlets` to the setting `allow`
    the job `mail-report` signs in by `method: password`, which the profile `production` refuses: sign in an application with a certificate, or a person once with `exorun login`, or add `password` to the setting `allow`
    the job `mail-report` signs in by `method: inline_credential`, which the profile `production` refuses: sign in an application with a certificate, or a person once with `exorun login`, or add `password` to the setting `allow`
    the job `mail-report` signs in by `method: access_token` from the environment, which the profile `production` refuses: keep the token in a file or in Vault, or let exorun sign in, or add `environment_access_token` to the setting `allow`
    --record writes the service's answers to disk, which the profile `production` refuses: record against a test tenant, or add `recorded_bodies` to the setting `allow`
    the setting `device_webhook` has device codes posted, which the profile `production` refuses: let the person who signs in start `exorun login`, or add `device_webhook` to the setting `allow`
    this is a pod, and `slot_store` keeps the slots of its accounts inside it, which the profile `production` refuses: leave out the setting `slot_store`, so that pods share their slots as Leases, or add `local_slots_in_pod` to the setting `allow`
    the setting `exchange_endpoint` is http, which the profile `production` refuses: use https, or add `plain_http` to the setting `allow`
    the setting `vault_address` is http, which the profile `production` refuses: use https, or add `plain_http` to the setting `allow`
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_of_the_endpoints_file_is_judged_by_its_own_address() {
    let tenant = tenant("").await;
    let cloud = "lab.login: http://127.0.0.1:9\nlab.exchange: https://127.0.0.1:9\n";
    std::fs::write(tenant.path("clouds.yaml"), cloud).unwrap();
    written(&tenant, &format!("{SPELLED}environment: lab\n"), "");
    for (command, code) in [("run", 78), ("check", 64)] {
        let arguments = [&[command, "job.yaml", "--endpoints-file", "clouds.yaml"], PRODUCTION].concat();
        let mut program = tenant.exorun(&arguments);
        program.env_remove("EXORUN_LOGIN_ENDPOINT").env_remove("EXORUN_EXCHANGE_ENDPOINT");
        let told = ended(program.spawn().unwrap()).await;
        told.assert_code(code);
        let why = "`lab.login` of the endpoints file, where the job `mail-report` signs in, is http";
        assert!(told.stderr.contains(why), "{}", told.stderr);
        assert!(told.stderr.contains("`plain_http`"), "{}", told.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_allowed_by_name_runs_and_stands_in_the_log() {
    let tenant = tenant("").await;
    written(&tenant, &format!("{SPELLED}unknown: allow\n"), "");
    let pod = [("KUBERNETES_SERVICE_HOST", "10.0.0.1"), ("EXORUN_SLOT_STORE", "local")];
    let all = ["--allow", "local_slots_in_pod, unknown_cmdlets,recorded_bodies", "--record", "recording"];
    assert_eq!(refused(&tenant, &in_production(&tenant, &[], &pod).await).len(), 2, "all at once");
    let run = in_production(&tenant, &[&all[..], &["--log-level", "warn"]].concat(), &pod).await;
    run.assert_code(0);
    for name in ["unknown_cmdlets", "recorded_bodies", "local_slots_in_pod"] {
        let line = format!("the setting `allow` allows it by the name `{name}`");
        let found =
            run.stderr.lines().filter(|found| found.contains("WARN") && found.contains(&line)).count();
        assert_eq!(found, 1, "{name}: {}", run.stderr);
    }
    // Without the profile nothing is refused, and nobody is warned.
    let run = exorun(&tenant, &["run", "job.yaml", "--allow", "password"]).await;
    run.assert_code(0);
    assert!(!run.stderr.contains("the setting `allow`"), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_secret_of_vault_turns_out_to_be_is_judged_too() {
    let Some(bao) = OpenBao::start("what_a_secret_of_vault_turns_out_to_be_is_judged_too").await else {
        return;
    };
    let password =
        serde_json::json!({"data": {"username": "anna@contoso.onmicrosoft.com", "password": "made-up"}});
    bao.write("secret/data/people/anna", password).await;
    bao.policy("reader", "path \"secret/data/people/*\" { capabilities = [\"read\"] }").await;
    let token = bao.token_file(&["reader"]).await.display().to_string();
    let mut environment = bao.environment();
    environment.extend([("EXORUN_VAULT_AUTH", "token".to_owned()), ("EXORUN_VAULT_TOKEN_FILE", token)]);
    let environment: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let tenant = tenant("").await;
    written(&tenant, &by("vault", "path: people/anna"), "");
    let run = in_production(&tenant, &["--allow", "plain_http"], &environment).await;
    run.assert_code(78);
    let told = "the secret at vault:secret/people/anna declares `method: password`, which the profile `production` refuses";
    assert!(run.stdout.contains(told), "{}", run.stdout);
    let counters = tenant.emulator.counters();
    assert_eq!((requests(&counters, "token"), counters.sessions.opened), (0, 0), "nobody signed in");
    // Allowed by its name, it goes on to a sign-in that the made-up password does not pass.
    let run = in_production(&tenant, &["--allow", "plain_http,password"], &environment).await;
    run.assert_code(77);
    assert!(run.stderr.contains("the setting `allow` allows it by the name `password`"), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn production_runs_what_is_meant_for_it() {
    let tenant = tenant(&connection("    jobs: [{name: \"mail-*\"}]\n")).await;
    written(&tenant, super::ON_CONNECTION, "");
    let run = run(&tenant, &[PRODUCTION, &["--require-connections"]].concat()).await;
    run.assert_code(0);
    assert!(!run.stderr.contains("`allow`"), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_and_profile_refuse_together_and_check_knows_both() {
    let tenant = tenant("").await;
    let token = by("access_token", "credential: {env: TOKEN}");
    written(&tenant, &format!("{token}unknown: allow\n"), "");
    let lines = refused(&tenant, &in_production(&tenant, &["--require-connections"], &[]).await);
    assert_eq!(lines.len(), 3, "{lines:?}");
    let check =
        exorun(&tenant, &[&["check", "job.yaml", "--require-connections"][..], PRODUCTION].concat()).await;
    check.assert_code(64);
    for line in lines {
        assert!(check.stderr.contains(&line), "{line}\n{}", check.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_profiles_and_practices_are_checked() {
    let tenant = tenant("").await;
    written(&tenant, SPELLED, "");
    for (flag, value, told) in [
        ("--profile", "prodution", "did you mean `production`?"),
        ("--allow", "password,unknown-cmdlets", "did you mean `unknown_cmdlets`?"),
        ("--allow", "all", "`device_webhook`"),
    ] {
        let run = exorun(&tenant, &["run", "job.yaml", flag, value]).await;
        run.assert_code(64);
        assert!(run.stderr.contains(told), "{}", run.stderr);
    }
}
