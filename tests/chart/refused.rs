//! Bad values, each refused with what to write instead, and no secret repeated.

use std::fmt::Write;

use crate::cron_jobs::with_job;
use crate::helm::{Chart, Helm, helms};

/// Stands for a secret; it opens nothing.
const SECRET: &str = "canary-not-to-be-seen";

/// Those lines of a refusal that say why, without where in a template Helm was.
fn reasons(helm: Helm, chart: &Chart, values: &str) -> String {
    let said = helm.refusal(chart, values);
    assert!(!said.contains(SECRET), "{} repeats the secret: {said}", helm.0);
    let mut lines: Vec<String> = said
        .lines()
        .map(str::trim_start)
        .filter_map(|line| match line.split_once("execution error at (") {
            // Where in a template Helm was says nothing to whoever wrote the values.
            Some((_, rest)) => Some(rest.split_once("): ")?.1.to_owned()),
            None => line.starts_with("- ").then(|| line.to_owned()),
        })
        .collect();
    lines.retain(|line| !line.contains("Must validate") && !line.ends_with("validation failed"));
    // One of the two validators has no order.
    lines.sort();
    lines.dedup();
    assert!(!lines.is_empty(), "{said}");
    lines.join("\n")
}

fn table(helm: Helm, rows: &[(&str, String)]) -> String {
    let chart = Chart::copy();
    let mut shown = String::new();
    for (what, values) in rows {
        let why = reasons(helm, &chart, values);
        writeln!(shown, "{what}\n  {}", why.replace('\n', "\n  ")).unwrap();
    }
    shown
}

fn by_the_schema() -> Vec<(&'static str, String)> {
    let secret = |place: &str| format!("{place}: {SECRET}{}", "}".repeat(place.matches('{').count()));
    vec![
        ("misspelt key", "moode: scheduler".to_owned()),
        ("misspelt setting", "settings: {log_fromat: json}".to_owned()),
        ("unknown mode", "mode: daemonset".to_owned()),
        ("schedule beside the job", "jobs: {nightly: {spec: '', schedule: '0 2 * * *'}}".to_owned()),
        ("--emulate", "args: [--emulate]".to_owned()),
        ("--emulate of a job", "jobs: {nightly: {spec: '', args: [--emulate]}}".to_owned()),
        ("--emulate of a one-off run", "oneOff: {args: [--emulate=true]}".to_owned()),
        ("setting emulated", "settings: {emulated: true}".to_owned()),
        ("variable EXORUN_EMULATED", "extraEnv: [{name: EXORUN_EMULATED, value: 'true'}]".to_owned()),
        ("setting of the chart's own", "settings: {history: /tmp/x}".to_owned()),
        ("host's folder", "extraVolumes: [{name: x, hostPath: {path: /}}]".to_owned()),
        ("secret in credentials", secret("credentials: {client_secret")),
        ("secret in settings", secret("settings: {client_secret")),
        ("secret for Vault", secret("vault: {token")),
        ("secret for Git", secret("gitSync: {password")),
        ("secret for the admin server", secret("admin: {token")),
        ("secret for the Pushgateway", secret("metrics: {pushgateway: {password")),
        ("secret in a variable", format!("extraEnv: [{{name: EXORUN_CLIENT_SECRET, value: {SECRET}}}]")),
        ("secret in an address", format!("settings: {{proxy: 'http://me:{SECRET}@proxy.example:3128'}}")),
        ("secret in Git's address", format!("gitSync: {{repo: 'https://me:{SECRET}@git.example/x'}}")),
        ("secret as a Secret's name", format!("credentials: {{existingSecrets: ['{SECRET}=']}}")),
    ]
}

#[test]
fn the_schema_names_the_right_way() {
    let Some([three, four]) = helms("chart::the_schema_names_the_right_way") else { return };
    insta::assert_snapshot!("by_the_schema_of_helm3", table(three, &by_the_schema()));
    insta::assert_snapshot!("by_the_schema_of_helm4", table(four, &by_the_schema()));
}

fn by_the_templates() -> Vec<(&'static str, String)> {
    let utc = "[{cron: '0 2 * * *', time_zone: UTC}]";
    let cron = |cron: &str| with_job(&format!("[{{cron: '{cron}', time_zone: UTC}}]"), "");
    let berlin = |rest: &str| with_job(&format!("[{{cron: {rest}}}]"), "");
    let policy = |policy: &str| with_job(utc, policy);
    let good = with_job(utc, "");
    let inline = good
        .replace("connection: contoso", &format!("auth: {{method: client_secret, client_secret: {SECRET}}}"));
    let credential = good
        .replace("connection: contoso", &format!("auth: {{method: client_secret, credential: {SECRET}}}"));
    vec![
        ("no DNS label", good.replace("nightly", "Nightly_Job")),
        ("too long", good.replace("nightly", &"n".repeat(60))),
        ("another name", good.replace("name: nightly", "name: weekly")),
        ("no YAML", good.replace("version: 1", "version: [")),
        ("no connection", good.replace("connection: contoso", "tenant: contoso.onmicrosoft.com")),
        (
            "unknown connection",
            good.replace("connectionsConfigMap: {name: connections}", "connections: 'connections: {}'"),
        ),
        ("secret in a job", inline),
        ("secret as credential", credential),
        (
            "secret in connections",
            format!("connections: 'connections: {{a: {{auth: {{password: {SECRET}}}}}}}'"),
        ),
        ("every", with_job("[{every: 6h}]", "")),
        ("jitter", with_job("[{cron: '0 2 * * *', time_zone: UTC, jitter: 10m}]", "")),
        ("L", cron("0 2 L * *")),
        ("L-3", cron("0 2 L-3 * *")),
        ("W", cron("0 2 15W * *")),
        ("#", cron("0 2 * * FRI#2")),
        ("FRIL", cron("0 2 * * FRIL")),
        ("7", cron("0 2 * * 7")),
        ("FRI-SUN", cron("0 2 * * FRI-SUN")),
        ("a step in a day and a weekday", cron("0 2 */2 * FRI")),
        ("a day and a step in a weekday", cron("0 2 1 * */2")),
        ("a star in a list", cron("0 2 1,* * *")),
        ("blackout", policy("{blackout: [{from: '22:00', until: '06:00', time_zone: UTC}]}")),
        ("queue", policy("{overlap: queue}")),
        ("missed: all", policy("{overlap: allow, missed: all}")),
        ("a deadline too short", policy("{starting_deadline: 5s}")),
        ("a zone with changes", berlin("'30 2 * * *', time_zone: Europe/Berlin")),
        ("in a range", berlin("'30 1-3 * * *', time_zone: Europe/Berlin, dst: {gap: skip}")),
        ("at midnight", berlin("'@daily', time_zone: America/Havana")),
        ("no zone", berlin("'0 4 * * *', time_zone: europe/berlin")),
        ("a ConfigMap in mode cronjobs", "existingConfigMap: jobs".to_owned()),
        ("Git in mode cronjobs", "gitSync: {enabled: true}".to_owned()),
        ("a volume in mode cronjobs", "jobsVolume: {source: {emptyDir: {}}}".to_owned()),
        ("sidecars in mode cronjobs", "sidecars: [{name: x}]".to_owned()),
        ("a PodMonitor in mode cronjobs", "metrics: {podMonitor: {enabled: true}}".to_owned()),
        ("a budget in mode cronjobs", "podDisruptionBudget: {enabled: true}".to_owned()),
        ("no jobs", "mode: scheduler".to_owned()),
        ("arguments in mode scheduler", format!("mode: scheduler\nargs: [--dry-run]\n{good}")),
        ("no file", "jobFiles: nowhere/*.yaml".to_owned()),
        ("one-off run of no job", format!("oneOff: {{job: weekly, id: a}}\n{good}")),
        ("helm test of no job", format!("helmTest: {{job: weekly}}\n{good}")),
        ("a grace too short", format!("settings: {{drain_grace: 40s}}\n{good}")),
        (
            "a grace too short for a push",
            format!(
                "settings: {{pushgateway_timeout: 6s}}\nmetrics: {{pushgateway: {{url: 'https://push.example'}}}}\n{good}"
            ),
        ),
        (
            "Vault without its Secret",
            format!("vault: {{address: 'https://vault.example:8200', auth: approle}}\n{good}"),
        ),
        (
            "Git without an image",
            "mode: scheduler\ngitSync: {enabled: true, repo: 'https://git.example/x'}".to_owned(),
        ),
        (
            "two monitors",
            format!(
                "mode: scheduler\nmetrics: {{podMonitor: {{enabled: true}}, serviceMonitor: {{enabled: true}}}}\n{good}"
            ),
        ),
    ]
}

#[test]
fn the_templates_name_the_key_and_the_mend() {
    let Some([three, four]) = helms("chart::the_templates_name_the_key_and_the_mend") else { return };
    let by_three = table(three, &by_the_templates());
    assert_eq!(by_three, table(four, &by_the_templates()));
    insta::assert_snapshot!("by_the_templates", by_three);
}
