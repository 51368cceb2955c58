//! Named connections: what their file may hold, how a job finds its target in it, and a run that does.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
#![expect(clippy::disallowed_methods, reason = "tests wait for real processes")]

#[path = "support/program.rs"]
mod program;

use std::path::{Path, PathBuf};

use exorun::emulator::Options;
use exorun::spec::{self, Connections, Targets};
use program::{Ended, Tenant, ended, shipped};

const CONNECTIONS: &str = "version: 1
kind: Connections
connections:
  contoso-prod:
    tenant: contoso.onmicrosoft.com
    auth:
      method: client_secret
      client_id: 11111111-2222-3333-4444-555555555555
      credential:
        env: EXORUN_CLIENT_SECRET
  contoso-test:
    tenant: test.onmicrosoft.com
    environment: O365USGovDoD
    auth: {method: device}
    delegated_organizations: [Customer.onmicrosoft.com]
";

/// The shipped job, on a connection instead of its own tenant.
fn job_on(connection: &str) -> String {
    let text = std::fs::read_to_string(shipped("shared-mailbox-hardening.yaml")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.iter().position(|line| line.starts_with("tenant:")).unwrap();
    let last = lines.iter().position(|line| line.starts_with("service:")).unwrap();
    let target = format!("connection: {connection}");
    [&lines[..first], &[&target], &lines[last..]].concat().join("\n")
}

fn written(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_job_on_a_connection_gets_the_connections_target() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), "connections.yaml", CONNECTIONS);
    let connections = spec::read_connections(&file).unwrap();
    let target = |name: &str| {
        let jobs = spec::read_jobs(&written(folder.path(), "job.yaml", &job_on(name))).unwrap();
        connections
            .target(&jobs[0], Targets::Open)
            .map_err(|error| error.to_string().replace(file.to_str().unwrap(), "FILE"))
    };
    let prod = format!("{:?}", target("contoso-prod").unwrap());
    let spelled = spec::read_jobs(&shipped("shared-mailbox-hardening.yaml")).unwrap();
    assert_eq!(prod, format!("{:?}", Connections::none().target(&spelled[0], Targets::Open).unwrap()));
    let test = target("contoso-test").unwrap();
    assert_eq!((test.tenant.as_str(), test.environment.as_str()), ("test.onmicrosoft.com", "O365USGovDoD"));
    insta::assert_snapshot!(target("contoso-prd").unwrap_err(), @"FILE has no connection `contoso-prd`, which the job `shared-mailbox-hardening` runs on; did you mean `contoso-prod`?");
    insta::assert_snapshot!(target("fabrikam").unwrap_err(), @"FILE has no connection `fabrikam`, which the job `shared-mailbox-hardening` runs on; it has contoso-prod, contoso-test");
}

#[test]
fn a_customer_is_for_a_connection_with_a_user() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), "connections.yaml", CONNECTIONS);
    let connections = spec::read_connections(&file).unwrap();
    let target = |name: &str| {
        let text = job_on(&format!("{name}\ndelegated_organization: Customer.onmicrosoft.com"));
        let jobs = spec::read_jobs(&written(folder.path(), "job.yaml", &text)).unwrap();
        connections
            .target(&jobs[0], Targets::Open)
            .map_err(|error| error.to_string().replace(file.to_str().unwrap(), "FILE"))
    };
    let test = target("contoso-test").unwrap();
    assert_eq!(
        (test.tenant.as_str(), test.organization()),
        ("test.onmicrosoft.com", "customer.onmicrosoft.com")
    );
    insta::assert_snapshot!(target("contoso-prod").unwrap_err(), @"the job `shared-mailbox-hardening` has `delegated_organization`, and the connection `contoso-prod` of FILE signs in as an application, which has no partner access (GDAP): use a connection with a user, or one with the customer's own `tenant` and no `delegated_organization`");
}

#[test]
fn without_a_file_the_setting_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = spec::read_jobs(&written(folder.path(), "job.yaml", &job_on("contoso-prod"))).unwrap();
    insta::assert_snapshot!(Connections::none().target(&jobs[0], Targets::Open).unwrap_err().to_string(), @"the job `shared-mailbox-hardening` runs on the connection `contoso-prod`, and no file of connections is known: name it with --connections-file FILE, EXORUN_CONNECTIONS_FILE or the setting `connections_file`");
}

#[test]
fn a_file_of_the_other_kind_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let shown =
        |problems: spec::Problems| problems.render_plain().replace(folder.path().to_str().unwrap(), "FOLDER");
    let file = written(folder.path(), "connections.yaml", CONNECTIONS);
    insta::assert_snapshot!(shown(spec::read_jobs(&file).unwrap_err()), @r#"
    error: this document holds connections, and a job is expected here
     --> FOLDER/connections.yaml:2:7
      |
    2 | kind: Connections
      |       ^^^^^^^^^^^
      |
      = help: connections stand in a file of their own, which the setting `connections_file` names
    "#);
    let file = written(folder.path(), "job.yaml", &job_on("contoso-prod"));
    insta::assert_snapshot!(shown(spec::read_connections(&file).unwrap_err()), @r#"
    error: this document is the job `shared-mailbox-hardening`, and connections are expected here
      --> FOLDER/job.yaml:12:1
       |
    12 | version: 1
       | ^^^^^^^
       |
       = help: jobs stand in files of their own; documents of connections say `kind: Connections`
    "#);
    let file = written(folder.path(), "empty.yaml", "# nothing yet\n");
    insta::assert_snapshot!(shown(spec::read_connections(&file).unwrap_err()), @r#"
    error: the file holds no connections
    --> FOLDER/empty.yaml
     = help: a file of connections starts with `version: 1` and `kind: Connections`
    "#);
}

#[test]
fn documents_of_connections_add_up() {
    let second = CONNECTIONS.replace("contoso-", "fabrikam-");
    let checked = spec::check_text(Path::new("c.yaml"), &format!("{CONNECTIONS}---\n{second}"));
    assert!(checked.problems.is_empty(), "{}", checked.problems);
    assert_eq!(checked.connections.unwrap().len(), 4);
    let none = spec::check_text(Path::new("c.yaml"), "version: 1\nkind: Connections\nconnections: {}\n");
    assert!(none.problems.is_empty() && none.connections.unwrap().is_empty());
}

#[test]
fn the_documented_connections_are_right() {
    let page = std::fs::read_to_string("docs/connections.md").unwrap();
    let sample = page.split("```yaml file=connections.yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let checked = spec::check_text(Path::new("docs/connections.md"), sample);
    assert!(checked.problems.is_empty(), "{}", checked.problems);
    assert_eq!(checked.connections.unwrap().len(), 3);
}

async fn tenant() -> Tenant {
    let tenant = Tenant::start(Options::default()).await;
    written(tenant.folder.path(), "connections.yaml", CONNECTIONS);
    tenant
}

async fn exorun(tenant: &Tenant, arguments: &[&str]) -> Ended {
    ended(tenant.exorun(arguments).spawn().unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_on_a_connection() {
    let tenant = tenant().await;
    let job = written(tenant.folder.path(), "job.yaml", &job_on("contoso-prod"));
    let files = ["--connections-file", "connections.yaml", "--report", "r.json", "--metrics-file", "m.prom"];
    let run = tenant.run(&job, &files).await;
    run.assert_code(0);
    tenant.assert_all_closed();
    assert!(tenant.emulator.counters().changed_objects > 0);
    let report = std::fs::read_to_string(tenant.path("r.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["tenant"], "contoso.onmicrosoft.com");
    let metrics = std::fs::read_to_string(tenant.path("m.prom")).unwrap();
    assert!(metrics.contains("target=\"contoso.onmicrosoft.com\""), "{metrics}");
    assert!(run.stderr.contains("contoso.onmicrosoft.com"), "{}", run.stderr);

    let unknown = written(tenant.folder.path(), "unknown.yaml", &job_on("contoso-prd"));
    let run = tenant.run(&unknown, &["--connections-file", "connections.yaml"]).await;
    run.assert_code(64);
    assert!(run.stderr.contains("did you mean `contoso-prod`?"), "{}", run.stderr);
    let run = tenant.run(&job, &[]).await;
    run.assert_code(64);
    assert!(run.stderr.contains("EXORUN_CONNECTIONS_FILE"), "{}", run.stderr);
    let run = tenant.run(&job, &["--connections-file", "none.yaml"]).await;
    run.assert_code(64);
    assert!(run.stderr.contains("none.yaml") && run.stderr.contains("cannot be read"), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emulator_beside_the_run_is_the_connections_tenant() {
    let tenant = tenant().await;
    let text = CONNECTIONS.replace("contoso.onmicrosoft.com", "fabrikam.onmicrosoft.com");
    written(tenant.folder.path(), "connections.yaml", &text);
    let job = written(tenant.folder.path(), "job.yaml", &job_on("contoso-prod"));
    let arguments = ["run", job.to_str().unwrap(), "--emulate", "--report", "r.json"];
    let mut command = tenant.exorun(&arguments);
    // The emulator beside the run takes the place of this one.
    for gone in ["EXORUN_LOGIN_ENDPOINT", "EXORUN_EXCHANGE_ENDPOINT", "EXORUN_CA_FILE"] {
        command.env_remove(gone);
    }
    command.env("EXORUN_CONNECTIONS_FILE", "connections.yaml");
    ended(command.spawn().unwrap()).await.assert_code(0);
    let report = std::fs::read_to_string(tenant.path("r.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["tenant"], "fabrikam.onmicrosoft.com");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cmdlet_is_invoked_on_a_connection() {
    let tenant = tenant().await;
    let domains = ["invoke", "Get-AcceptedDomain", "--connections-file", "connections.yaml"];
    let run = exorun(&tenant, &[&domains[..], &["--connection", "contoso-prod"]].concat()).await;
    run.assert_code(0);
    assert!(run.stdout.contains("contoso.onmicrosoft.com"), "{}", run.stdout);
    tenant.assert_all_closed();

    let job = shipped("shared-mailbox-hardening.yaml");
    let job = job.to_str().unwrap();
    for (more, told) in [
        (&[][..], "--connection <NAME>"),
        (&["--connection", "contoso-prod", "--job", job], "cannot be used with"),
        (&["--connection", "Contoso"], "DNS label"),
        (&["--connection", "contoso-prd"], "did you mean `contoso-prod`?"),
        (&["--job", job, "--service", "SecurityCompliance"], "cannot be used with"),
        (&["--connection", "contoso-prod", "--job-name", "x"], "cannot be used with"),
        (&["--connection", "contoso-prod", "--service", "SecurityCompliance"], "does not exist in Security"),
    ] {
        let run = exorun(&tenant, &[&domains[..], more].concat()).await;
        run.assert_code(64);
        assert!(run.stderr.contains(told), "{more:?}: {}", run.stderr);
    }
    assert_eq!(tenant.emulator.counters().sessions.opened, 1);
}
