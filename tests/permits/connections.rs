//! What a connection permits, and `require_connections`.

use super::{ON_CONNECTION, SPELLED, connection, exorun, refused, run, tenant, written};

const REQUIRED: &[&str] = &["--require-connections"];

/// Steps that read a secret, and a file that may be one.
const SECRETS: &str = "  - name: password
    cmdlet: Set-Mailbox
    parameters:
      Identity: anna@contoso.com
      Password: ${{ secret(\"kv/exo/people#anna\") }}
  - name: old
    cmdlet: New-MigrationEndpoint
    parameters:
      Name: old
      IMAP: true
      Credentials:
        user_name: anna
        password: {env: OLD_PASSWORD}
  - name: rules
    cmdlet: New-ClassificationRuleCollection
    parameters:
      FileData: {file: /var/run/secrets/kubernetes.io/serviceaccount/token}
";

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fits_runs_by_name_or_by_label() {
    for (permits, labels) in [
        ("    jobs: [{name: mail-report}]\n", ""),
        ("    jobs: [{name: other}, {name: \"mail-*\"}]\n    services: [ExchangeOnline]\n", ""),
        ("    jobs: [{labels: {team: messaging}}]\n    secrets: []\n", "labels: {team: messaging}\n"),
        ("    jobs: [{name: \"*\"}]\n", ""),
    ] {
        let tenant = tenant(&connection(permits)).await;
        written(&tenant, &format!("{ON_CONNECTION}{labels}"), "");
        run(&tenant, REQUIRED).await.assert_code(0);
        assert_eq!(tenant.emulator.counters().sessions.opened, 1, "{permits}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_does_not_fit_is_told_who_may() {
    for (permits, head) in [
        ("    jobs: [{name: mail}, {name: \"*-hardening\"}]\n", ""),
        ("    jobs: [{labels: {team: messaging}}]\n", ""),
        ("    jobs: [{labels: {team: messaging}}]\n", "labels: {team: Messaging}\n"),
        ("    jobs: [{name: \"mail-*\", labels: {team: messaging}}]\n", "labels: {teams: messaging}\n"),
        ("    jobs: []\n", ""),
    ] {
        let tenant = tenant(&connection(permits)).await;
        written(&tenant, &format!("{ON_CONNECTION}{head}"), "");
        // A list that is there counts whether connections are required or not.
        for more in [&[][..], REQUIRED] {
            let lines = refused(&tenant, &run(&tenant, more).await);
            assert_eq!(lines.len(), 1, "{lines:?}");
            let start = "the job `mail-report` may not use the connection `contoso` of connections.yaml, which is for ";
            assert!(lines[0].starts_with(start), "{lines:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_not_permitted_is_said_at_once() {
    let permits = "    jobs: [{name: other, labels: {team: messaging}}]\n    services: [SecurityCompliance]\n    \
                   secrets: [\"vault:kv/exo/people#bert\", \"env:NEW_*\", \"file:/etc/exorun/*\"]\n";
    let tenant = tenant(&connection(permits)).await;
    written(&tenant, ON_CONNECTION, SECRETS);
    let lines = refused(&tenant, &run(&tenant, &[]).await);
    insta::assert_snapshot!(lines.join("\n"), @r#"
    the job `mail-report` may not use the connection `contoso` of connections.yaml, which is for `other` with label `team: messaging`: its owner adds the job to `jobs`, or the job runs on another connection
    the job `mail-report` is for ExchangeOnline, and the connection `contoso` of connections.yaml is for SecurityCompliance: its owner adds the service to `services`, or the job runs on another connection
    step `password` of the job `mail-report` reads `vault:kv/exo/people#anna` for `Password`, which the connection `contoso` of connections.yaml does not list: its owner adds it to `secrets`
    step `old` of the job `mail-report` reads `env:OLD_PASSWORD` for `Credentials`, which the connection `contoso` of connections.yaml does not list: its owner adds it to `secrets`
    step `rules` of the job `mail-report` reads `file:/var/run/secrets/kubernetes.io/serviceaccount/token` for `FileData`, which the connection `contoso` of connections.yaml does not list: its owner adds it to `secrets`
    "#);
    // Exactly what is missing is added, and nothing is refused.
    let permits = "    jobs: [{name: mail-report}]\n    secrets: [\"vault:kv/exo/people#anna\", \"env:OLD_*\", \"file:/var/*\"]\n";
    std::fs::write(tenant.path("connections.yaml"), connection(permits)).unwrap();
    let run = exorun(
        &tenant,
        &["check", "job.yaml", "--require-connections", "--connections-file", "connections.yaml"],
    )
    .await;
    run.assert_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_connections_are_required_what_is_not_said_is_closed() {
    let tenant = tenant(&connection("")).await;
    written(&tenant, ON_CONNECTION, SECRETS);
    let lines = refused(&tenant, &run(&tenant, REQUIRED).await);
    insta::assert_snapshot!(lines.join("\n"), @r#"
    the connection `contoso` of connections.yaml does not say which jobs may use it, and `require_connections` is set: its owner adds `jobs:` and below it `- name: mail-report` (or `- name: "*"` for all jobs)
    step `password` of the job `mail-report` reads `vault:kv/exo/people#anna` for `Password`, which the connection `contoso` of connections.yaml does not list: its owner adds it to `secrets`
    step `old` of the job `mail-report` reads `env:OLD_PASSWORD` for `Credentials`, which the connection `contoso` of connections.yaml does not list: its owner adds it to `secrets`
    step `rules` of the job `mail-report` reads `file:/var/run/secrets/kubernetes.io/serviceaccount/token` for `FileData`, which the connection `contoso` of connections.yaml does not list: its owner adds it to `secrets`
    "#);
    // By variable and by file of settings as well.
    std::fs::write(tenant.path("settings.yaml"), "require_connections: true\n").unwrap();
    let mut command = tenant.exorun(&["run", "job.yaml", "--connections-file", "connections.yaml"]);
    command.env("EXORUN_SETTINGS", "settings.yaml");
    assert_eq!(refused(&tenant, &super::ended(command.spawn().unwrap()).await).len(), lines.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_spells_its_target_out_is_refused_where_connections_are_required() {
    let tenant = tenant(&connection("")).await;
    written(&tenant, SPELLED, SECRETS);
    let lines = refused(&tenant, &run(&tenant, REQUIRED).await);
    insta::assert_snapshot!(lines.join("\n"), @r#"
    the job `mail-report` spells out `tenant` and `auth`, and `require_connections` is set: write `connection: NAME` instead; the owner of the file of connections adds what is missing there
    step `password` of the job `mail-report` reads `vault:kv/exo/people#anna` for `Password`, and `require_connections` is set: the connection's owner has to list it in `secrets`
    step `old` of the job `mail-report` reads `env:OLD_PASSWORD` for `Credentials`, and `require_connections` is set: the connection's owner has to list it in `secrets`
    step `rules` of the job `mail-report` reads `file:/var/run/secrets/kubernetes.io/serviceaccount/token` for `FileData`, and `require_connections` is set: the connection's owner has to list it in `secrets`
    "#);
    let invoked = ["invoke", "Get-AcceptedDomain", "--job", "job.yaml", "--require-connections"];
    assert_eq!(refused(&tenant, &exorun(&tenant, &invoked).await).len(), 1);
    // An emulator beside the run is no way around it.
    assert_eq!(
        refused(&tenant, &run(&tenant, &["--require-connections", "--emulate"]).await).len(),
        lines.len()
    );
    // Not required, it runs.
    written(&tenant, SPELLED, "");
    run(&tenant, &["--require-connections=false"]).await.assert_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_listed_or_refused() {
    let by_person = |more: &str| {
        format!(
            "version: 1\nkind: Connections\nconnections:\n  contoso:\n    tenant: partner.onmicrosoft.com\n    auth: {{method: device}}\n{more}"
        )
    };
    let customer = format!("{ON_CONNECTION}delegated_organization: Adatum.onmicrosoft.com\n");
    for more in
        ["", "    delegated_organizations: []\n", "    delegated_organizations: [tailspin.onmicrosoft.com]\n"]
    {
        let tenant = tenant(&by_person(more)).await;
        written(&tenant, &customer, "");
        let lines = refused(&tenant, &run(&tenant, &[]).await);
        assert_eq!(
            lines,
            [
                "the job `mail-report` works in the customer's tenant `adatum.onmicrosoft.com`, which the connection `contoso` of \
                 connections.yaml does not list: its owner adds it to `delegated_organizations`"
            ]
        );
    }
    for listed in ["adatum.onmicrosoft.com", "ADATUM.onmicrosoft.com", "\"*.onmicrosoft.com\"", "\"*\""] {
        let tenant = tenant(&by_person(&format!("    delegated_organizations: [{listed}]\n"))).await;
        written(&tenant, &customer, "");
        let checked = ["check", "job.yaml", "--connections-file", "connections.yaml"];
        exorun(&tenant, &checked).await.assert_code(0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cmdlet_by_hand_goes_by_the_name_invoke() {
    let tenant = tenant(&connection("    jobs: [{name: mail-report}]\n")).await;
    let invoked =
        ["invoke", "Get-AcceptedDomain", "--connection", "contoso", "--connections-file", "connections.yaml"];
    let lines = refused(&tenant, &exorun(&tenant, &invoked).await);
    assert!(lines[0].starts_with("the job `invoke` may not use the connection `contoso`"), "{lines:?}");
    std::fs::write(tenant.path("connections.yaml"), connection("    jobs: [{name: invoke}]\n")).unwrap();
    exorun(&tenant, &[&invoked[..], REQUIRED].concat()).await.assert_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_and_explain_know_it_before_anything_runs() {
    let tenant = tenant(&connection("    jobs: [{name: other}]\n")).await;
    written(&tenant, ON_CONNECTION, "");
    let files = ["job.yaml", "--connections-file", "connections.yaml"];
    let check = |more: &'static [&'static str]| {
        let tenant = &tenant;
        async move { exorun(tenant, &[&["check"][..], &files[..], more].concat()).await }
    };
    let human = check(&[]).await;
    human.assert_code(64);
    insta::assert_snapshot!(human.stderr, @r#"
    error: the job `mail-report` may not use the connection `contoso` of connections.yaml, which is for `other`: its owner adds the job to `jobs`, or the job runs on another connection
    --> job.yaml:2:7

    job.yaml: 1 error; nothing was connected
    checked 1 file: 0 jobs, 1 error, 0 warnings
    "#);
    let json = check(&["--format", "json"]).await;
    json.assert_code(64);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let problem = &json["files"][0]["problems"][0];
    assert_eq!((&problem["severity"], &problem["line"]), (&"error".into(), &2.into()), "{json}");
    let github = check(&["--format", "github"]).await;
    github.assert_code(64);
    assert!(github.stdout.starts_with("::error file=job.yaml,line=2"), "{}", github.stdout);

    let explained = exorun(&tenant, &[&["explain"][..], &files[..]].concat()).await;
    explained.assert_code(0);
    assert!(explained.stdout.contains("may not use the connection `contoso`"), "{}", explained.stdout);

    // Without the file nothing is known of connections; what is spelled out is known all the same.
    let bare = exorun(&tenant, &["check", "job.yaml", "--require-connections"]).await;
    bare.assert_code(0);
    written(&tenant, SPELLED, "");
    let spelled = exorun(&tenant, &["check", "job.yaml", "--require-connections"]).await;
    spelled.assert_code(64);
    assert!(spelled.stderr.contains("write `connection: NAME` instead"), "{}", spelled.stderr);
    assert_eq!(tenant.emulator.counters().requests, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_in_the_repository_leads_out_of_no_folder_that_is_permitted() {
    use std::os::unix::fs::symlink;
    let permits = "    jobs: [{name: \"*\"}]\n    secrets: [\"file:files/*\", \"file:one.xml\"]\n";
    let tenant = tenant(&connection(permits)).await;
    let host = tempfile::tempdir().unwrap();
    std::fs::write(host.path().join("secret"), "made-up").unwrap();
    std::fs::create_dir(tenant.path("files")).unwrap();
    std::fs::write(tenant.path("files/own.xml"), "made-up").unwrap();
    symlink("own.xml", tenant.path("files/same.xml")).unwrap();
    symlink("../ca.pem", tenant.path("files/beside.xml")).unwrap();
    symlink(host.path(), tenant.path("files/folder")).unwrap();
    symlink(host.path().join("secret"), tenant.path("files/out.xml")).unwrap();
    symlink(host.path().join("secret"), tenant.path("one.xml")).unwrap();
    let step = |file: &str| {
        format!(
            "  - name: rules\n    cmdlet: New-ClassificationRuleCollection\n    parameters:\n      FileData: {{file: {file}}}\n"
        )
    };
    for file in ["files/beside.xml", "files/folder/secret", "files/out.xml", "one.xml"] {
        written(&tenant, ON_CONNECTION, &step(file));
        let lines = refused(&tenant, &run(&tenant, REQUIRED).await);
        let [line] = &lines[..] else { panic!("{file}: {lines:?}") };
        assert!(line.contains("where a symbolic link leads out of what the connection"), "{line}");
    }
    for file in ["files/own.xml", "files/same.xml"] {
        written(&tenant, ON_CONNECTION, &step(file));
        run(&tenant, REQUIRED).await.assert_code(0);
    }
}
