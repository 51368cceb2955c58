//! `exorun explain` through the real program: the shipped jobs in words, connections, and what is refused.

use std::path::Path;

use super::HEAD;
use super::program::{Ended, Tenant, ended};

/// Explains a file with no setting but the given ones, and without the secret.
async fn explained(tenant: &Tenant, folder: &Path, file: &str, variables: &[(&str, &str)]) -> Ended {
    let mut command = tenant.exorun(&["explain", file]);
    command.env_clear().envs(variables.iter().copied()).current_dir(folder);
    let run = ended(command.spawn().unwrap()).await;
    assert_eq!(tenant.emulator.counters().by_cmdlet.len(), 0, "something was called");
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_jobs_are_told_in_words() {
    let tenant = Tenant::with(1, &[]).await;
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in [
        "alert-policies-on",
        "external-forwarding-report",
        "outbound-spam-baseline",
        "shared-mailbox-hardening",
        "smtp-auth-off-except",
    ] {
        let run = explained(&tenant, package, &format!("jobs/{name}.yaml"), &[]).await;
        run.assert_code(0);
        assert_eq!(run.stderr, "");
        let long: Vec<&str> = run.stdout.lines().filter(|line| line.chars().count() > 110).collect();
        assert_eq!(long, [""; 0], "{name}");
        insta::with_settings!({filters => vec![("[0-9a-f]{64}", "HASH")]}, {
            insta::assert_snapshot!(name, run.stdout);
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_looked_up_where_its_file_is_known() {
    let tenant = Tenant::with(1, &[]).await;
    let job = "version: 1\nname: x\nconnection: contoso-prod\nsteps:\n  - name: a\n    cmdlet: Get-AcceptedDomain\n";
    std::fs::write(tenant.path("job.yaml"), job).unwrap();
    let connections = "version: 1\nkind: Connections\nconnections:\n  contoso-prod:\n    tenant: contoso.onmicrosoft.com\n    \
                       environment: O365USGovDoD\n    auth:\n      method: device\n      \
                       user_principal_name: admin@contoso.com\n";
    std::fs::write(tenant.path("connections.yaml"), connections).unwrap();
    let folder = tenant.folder.path();

    let run = explained(&tenant, folder, "job.yaml", &[]).await;
    run.assert_code(0);
    assert!(run.stdout.contains("contoso-prod, whose file is not known here\n"), "{}", run.stdout);

    let file = ("EXORUN_CONNECTIONS_FILE", "connections.yaml");
    let set = ("EXORUN_LOGIN_ENDPOINT", "https://login.example");
    let run = explained(&tenant, folder, "job.yaml", &[file, set]).await;
    run.assert_code(0);
    for line in [
        "  connection   contoso-prod\n",
        "  person       admin@contoso.com; a token for somebody else is refused\n",
        "  environment  O365USGovDoD\n",
        "  sign-in at   https://login.example (the setting `login_endpoint` says so)\n",
        "  calls at     https://outlook-dod.office365.us\n",
        "    # Who is expected to sign in: admin@contoso.com\n",
        "    Connect-ExchangeOnline -Device -ExchangeEnvironmentName O365USGovDoD\n",
    ] {
        assert!(run.stdout.contains(line), "no {line:?} in\n{}", run.stdout);
    }

    std::fs::write(tenant.path("connections.yaml"), connections.replace("contoso-prod", "contoso-test"))
        .unwrap();
    let run = explained(&tenant, folder, "job.yaml", &[file]).await;
    run.assert_code(64);
    assert!(run.stderr.contains("has no connection `contoso-prod`"), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_jobs_need_a_name_and_a_bad_one_is_refused() {
    let tenant = Tenant::with(1, &[]).await;
    let step = "steps:\n  - name: a\n    cmdlet: Get-AcceptedDomain\n";
    let two = format!("{HEAD}{step}---\n{}{step}", HEAD.replace("a-job", "another"));
    std::fs::write(tenant.path("two.yaml"), two).unwrap();
    let run = tenant.said(&["explain", "two.yaml"], &[]).await;
    run.assert_code(64);
    assert!(run.stderr.contains("say which with --job"), "{}", run.stderr);
    let run = tenant.said(&["explain", "two.yaml", "--job", "another"], &[]).await;
    run.assert_code(0);
    assert!(run.stdout.starts_with("job another\n"), "{}", run.stdout);
    std::fs::write(tenant.path("bad.yaml"), format!("{HEAD}{}", step.replace("Get-A", "Get-Q"))).unwrap();
    let run = tenant.said(&["explain", "bad.yaml"], &[]).await;
    run.assert_code(64);
    assert!(run.stdout.is_empty() && run.stderr.contains("Get-AcceptedDomain"), "{}", run.stderr);
}
