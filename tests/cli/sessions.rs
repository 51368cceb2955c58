//! `exorun sessions`: what is shown while runs work, after one was killed, and what a release does.

use std::time::Duration;

use rustix::process::Signal;

use super::*;
use crate::program::{SLOT_COMES_BACK, shipped, signal};

async fn listed(tenant: &Tenant) -> Value {
    let listed = ended(tenant.exorun(&["sessions", "--format", "json"]).spawn().unwrap()).await;
    listed.assert_code(0);
    serde_json::from_str(&listed.stdout).unwrap()
}

async fn slow_tenant() -> Tenant {
    Tenant::start(Options { mailboxes: 60, latency: Duration::from_millis(40), ..Options::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_seen_while_it_works_and_its_slot_after_it_was_killed() {
    let tenant = slow_tenant().await;
    let none = ended(tenant.exorun(&["sessions"]).spawn().unwrap()).await;
    none.assert_code(0);
    assert_eq!(none.stdout, "no account has had a session on this host\n");

    let job = shipped(HARDENING);
    let mut child = tenant.exorun(&["run", job.to_str().unwrap()]).spawn().unwrap();
    tenant.calls("Set-CASMailbox", 1).await;
    let seen = listed(&tenant).await;
    assert_eq!((&seen["version"], &seen["reach"]), (&1.into(), &"on this host".into()));
    let account = &seen["accounts"][0];
    assert_eq!((&account["limit"], &account["waiting"]), (&5.into(), &0.into()));
    let slot = &account["slots"][0];
    assert_eq!((&slot["state"], &slot["job"]), (&"held".into(), &"shared-mailbox-hardening".into()));
    assert_eq!(slot["place"], format!("process {}", child.id().unwrap()));
    let human = ended(tenant.exorun(&["sessions"]).spawn().unwrap()).await;
    assert!(human.stdout.contains("held         job shared-mailbox-hardening"), "{}", human.stdout);

    let object = account["object_id"].as_str().unwrap();
    let release = ["sessions", "release", "--account", object, "--slot", "1", "--force", "--yes"];
    let alive = ended(tenant.exorun(&release).spawn().unwrap()).await;
    alive.assert_code(64);
    assert!(alive.stderr.contains("and lives: end it"), "{}", alive.stderr);

    signal(&child, Signal::KILL);
    child.wait().await.unwrap();
    let killed = listed(&tenant).await;
    let slot = &killed["accounts"][0]["slots"][0];
    assert_eq!(slot["state"], "quarantined", "{killed}");
    let (at, until) = (&killed["at"], &slot["until"]);
    let time = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let left = Duration::try_from(time(until).duration_since(time(at))).unwrap();
    assert!(left <= SLOT_COMES_BACK + Duration::from_secs(1), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_confirmed_and_written_down() {
    let tenant = slow_tenant().await;
    let job = shipped(HARDENING);
    let mut child = tenant.exorun(&["run", job.to_str().unwrap(), "--quarantine", "10m"]).spawn().unwrap();
    tenant.calls("Set-CASMailbox", 1).await;
    signal(&child, Signal::KILL);
    child.wait().await.unwrap();
    let account = listed(&tenant).await["accounts"][0]["account"].as_str().unwrap().to_owned();
    let of = |more: &[&'static str]| {
        let mut arguments = vec!["sessions", "release", "--quarantine", "10m", "--account", &account[..6]];
        arguments.extend(more);
        tenant.exorun(&arguments)
    };
    let slot = of(&["--slot", "1"]).spawn().unwrap();
    let unforced = ended(slot).await;
    unforced.assert_code(64);
    assert!(unforced.stderr.contains("--force"), "{}", unforced.stderr);
    let unasked = ended(of(&["--slot", "1", "--force"]).spawn().unwrap()).await;
    unasked.assert_code(64);
    assert!(unasked.stderr.contains("say --yes if that is meant"), "{}", unasked.stderr);
    let ninth = ended(of(&["--slot", "9", "--force", "--yes"]).spawn().unwrap()).await;
    ninth.assert_code(64);
    assert!(ninth.stderr.contains("the account has 5 of them"), "{}", ninth.stderr);

    let freed = ended(of(&["--slot", "1", "--force", "--yes", "--log-level", "off"]).spawn().unwrap()).await;
    freed.assert_code(0);
    assert_eq!(freed.stdout, "slot 1 was in quarantine; anybody may take it now\n");
    for word in ["release_slot", "operator=\"uid", "slot=1", "outcome=begun", "outcome=free"] {
        assert!(freed.stderr.contains(word), "no {word} in {}", freed.stderr);
    }
    let again = ended(of(&["--slot", "1", "--force", "--yes"]).spawn().unwrap()).await;
    assert_eq!(again.stdout, "slot 1 is free\n");
    // The run may have had a second session.
    let left = listed(&tenant).await["accounts"][0]["slots"].clone();
    assert!(left.as_array().unwrap().iter().all(|slot| slot["slot"] != 1), "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_in_kubernetes_without_a_way_there_is_told_with_the_mend() {
    let tenant = slow_tenant().await;
    let nowhere = ended(tenant.exorun(&["sessions", "--slot-store", "kubernetes"]).spawn().unwrap()).await;
    nowhere.assert_code(64);
    assert!(nowhere.stderr.contains("kubeconfig"), "{}", nowhere.stderr);
    // What Kubernetes sets in every container: no file of the pod's own is taken silently.
    let mut command = tenant.exorun(&["run", shipped(HARDENING).to_str().unwrap()]);
    let in_pod = ended(command.env("KUBERNETES_SERVICE_HOST", "127.0.0.1").spawn().unwrap()).await;
    in_pod.assert_code(64);
    assert!(in_pod.stderr.contains("`slot_store: local`"), "{}", in_pod.stderr);
    assert_eq!(tenant.emulator.counters().sessions.opened, 0);
}
