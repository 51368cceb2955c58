//! What a run leaves of the runs before it.

use exorun::emulator::Options;

use crate::gateway::Gateway;
use crate::program::Tenant;
use crate::{TARGET, complaints, job, last, pushing, run, value};

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_after_a_good_one_leaves_the_last_success_and_sets_the_last_failure() {
    let test = "a_failed_run_after_a_good_one_leaves_the_last_success_and_sets_the_last_failure";
    let Some(gateway) = Gateway::start(test).await else { return };
    let tenant = Tenant::start(Options { mailboxes: 20, ..Options::default() }).await;
    let file = tenant.path("a.prom");
    let both = || async { [gateway.page().await, std::fs::read_to_string(&file).unwrap()] };
    let metrics_file = ["--metrics-file", "a.prom"];

    let good = run(&mut pushing(&tenant, "a", &gateway.url, &metrics_file)).await;
    good.assert_code(0);
    assert!(complaints(&good).is_empty(), "{}", good.stderr);
    let [pushed, written] = both().await.map(|page| last(&page, "a"));
    assert_eq!(pushed, written);
    let [Some(success), None, Some(completion), Some(0.0)] = pushed else { panic!("{pushed:?}") };
    assert_eq!(success, completion);

    let mut failing = pushing(&tenant, "a", &gateway.url, &metrics_file);
    let failed = run(failing.env("EXORUN_CLIENT_SECRET", "one-that-the-emulator-refuses")).await;
    failed.assert_code(77);
    for page in both().await {
        let [Some(kept), Some(failure), Some(completion), Some(77.0)] = last(&page, "a") else {
            panic!("{page}")
        };
        assert_eq!((kept, failure), (success, completion));
        assert!(failure >= success);
    }

    // A dry run moves none of it.
    let before = both().await.map(|page| last(&page, "a"));
    let dry = [&metrics_file[..], &["--dry-run"]].concat();
    run(&mut pushing(&tenant, "a", &gateway.url, &dry)).await.assert_code(0);
    assert_eq!(both().await.map(|page| last(&page, "a")), before);

    // And the other way round.
    run(&mut pushing(&tenant, "a", &gateway.url, &metrics_file)).await.assert_code(0);
    let after = both().await.map(|page| last(&page, "a"));
    for ([success, failure, completion, code], [_, failed, ..]) in after.into_iter().zip(before) {
        assert_eq!((failure, success, code), (failed, completion, Some(0.0)));
    }
    let page = gateway.page().await;
    assert_eq!(value(&page, "exorun_job_info", "a"), Some(1.0));
    // A counter in a push is that of one run.
    assert_eq!(value(&page, "exorun_runs_total", "a"), Some(1.0));
    eprintln!(
        "{}",
        page.lines().filter(|line| line.starts_with("exorun_last")).collect::<Vec<_>>().join("\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_have_groups_of_their_own_and_a_deleted_one_is_gone() {
    let test = "jobs_have_groups_of_their_own_and_a_deleted_one_is_gone";
    let Some(gateway) = Gateway::start(test).await else { return };
    let tenant = Tenant::start(Options { mailboxes: 20, ..Options::default() }).await;
    for name in ["a", "b"] {
        run(&mut pushing(&tenant, name, &gateway.url, &[])).await.assert_code(0);
    }
    let page = gateway.page().await;
    assert!(page.contains("emulated=\"true\"") && !page.contains("emulated=\"false\""), "{page}");
    assert!(value(&page, "exorun_job_info", "a").is_some() && value(&page, "exorun_job_info", "b").is_some());

    let delete = ["metrics", "delete", "a", "never-was", "--target", TARGET];
    let deleted = run(tenant.exorun(&delete).env("EXORUN_PUSHGATEWAY_URL", &gateway.url)).await;
    deleted.assert_code(0);
    assert_eq!(deleted.stdout, format!("deleted: a of {TARGET}\ndeleted: never-was of {TARGET}\n"));
    let page = gateway.page().await;
    assert!(!page.contains("job=\"a\"") && value(&page, "exorun_job_info", "b").is_some(), "{page}");

    run(&mut tenant.exorun(&delete)).await.assert_code(64);
    let nobody = run(tenant.exorun(&delete).env("EXORUN_PUSHGATEWAY_URL", "http://127.0.0.1:9")).await;
    nobody.assert_code(1);
    assert!(nobody.stderr.contains("http://127.0.0.1:9/metrics/job/a/target/"), "{}", nobody.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_against_the_emulator_is_pushed_only_if_asked_for() {
    let test = "a_run_against_the_emulator_is_pushed_only_if_asked_for";
    let Some(gateway) = Gateway::start(test).await else { return };
    let tenant = Tenant::start(Options { mailboxes: 20, ..Options::default() }).await;
    let file = job(&tenant, "a");
    // The emulator of the settings, and one that the run brings along.
    for more in [&["run", file.to_str().unwrap()][..], &["run", file.to_str().unwrap(), "--emulate"]] {
        let ended = run(tenant.exorun(more).env("EXORUN_PUSHGATEWAY_URL", &gateway.url)).await;
        ended.assert_code(0);
        assert!(ended.stderr.contains("because `push_emulated` is false"), "{}", ended.stderr);
    }
    assert!(!gateway.page().await.contains("exorun_"));
}
