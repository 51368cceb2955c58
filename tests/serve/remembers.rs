//! The metrics of `serve` over runs, reloads and restarts.

use std::time::Duration;

use exorun::emulator::Options;

use crate::admin::{page, started};
use crate::program::Tenant;
use crate::server::{job, runs, write};

const YEARLY: &str = "cron: \"0 3 1 1 *\"\n    time_zone: UTC";

/// The value of `family` for the job.
fn value(page: &str, family: &str, job: &str) -> Option<i64> {
    let is_meant = |line: &&str| {
        line.strip_prefix(family).is_some_and(|rest| rest.starts_with('{'))
            && line.contains(&format!("job=\"{job}\""))
    };
    page.lines().find(is_meant)?.rsplit(' ').next()?.parse().ok()
}

/// Asks until the page is as wanted.
async fn until(url: &str, what: &str, wanted: impl Fn(&str) -> bool) -> String {
    let asked = async {
        loop {
            let page = page(url).await;
            if wanted(&page) {
                return page;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), asked).await;
    match waited {
        Ok(page) => page,
        Err(_) => panic!("waited in vain for {what}:\n{}", page(url).await),
    }
}

const SUCCESS: &str = "exorun_last_success_timestamp_seconds";
const FAILURE: &str = "exorun_last_failure_timestamp_seconds";

/// A job whose only call is refused.
fn failing(schedule: &str) -> String {
    job("a", schedule, "").replace("ResultSize: 10", "Identity: nobody-of-this-name")
}

#[tokio::test(flavor = "multi_thread")]
async fn last_success_and_failure_survive_runs_that_end_otherwise_and_a_restart() {
    let tenant = Tenant::start(Options { mailboxes: 20, ..Options::default() }).await;
    write(&tenant, "a.yaml", &job("a", "every: 1s", ""));
    write(&tenant, "never.yaml", &job("never", YEARLY, ""));
    let (server, url) = started(&tenant).await;
    let good = until(&url, "a success", |page| value(page, SUCCESS, "a").is_some()).await;
    assert_eq!(value(&good, FAILURE, "a"), None);
    assert_eq!(value(&good, "exorun_last_exit_code", "a"), Some(0));

    write(&tenant, "a.yaml", &failing("every: 1s"));
    until(&url, "a failure", |page| value(page, FAILURE, "a").is_some()).await;
    server.stopped().await;
    let ended = |good: bool| {
        let ends =
            runs(&tenant).into_iter().filter(|run| run.job == "a" && (run.exit_code == Some(0)) == good);
        ends.map(|run| run.ended.as_second()).max()
    };
    let (success, failure) = (ended(true), ended(false));
    assert!(success.is_some() && failure >= success, "{success:?} {failure:?}");

    // Nothing is due any more: what is said now is what was remembered.
    write(&tenant, "a.yaml", &failing(YEARLY));
    let (server, url) = started(&tenant).await;
    let page = until(&url, "what was remembered", |page| value(page, FAILURE, "a").is_some()).await;
    assert_eq!((value(&page, SUCCESS, "a"), value(&page, FAILURE, "a")), (success, failure));
    let code = value(&page, "exorun_last_exit_code", "a");
    assert!(code.is_some_and(|code| code != 0), "{code:?}");

    // A job that never ran is there, with all that is known of it.
    assert_eq!(value(&page, "exorun_job_info", "never"), Some(1));
    assert!(page.contains("exorun_job_info{job=\"never\",target=\"contoso.onmicrosoft.com\","), "{page}");
    let interval = value(&page, "exorun_schedule_interval_seconds", "never").unwrap();
    assert!((365 * 86_400..=366 * 86_400).contains(&interval), "{interval}");
    assert!(value(&page, "exorun_next_due_timestamp_seconds", "never").is_some());
    assert_eq!(value(&page, SUCCESS, "never"), None);
    let since = value(&page, "exorun_job_loaded_timestamp_seconds", "a").unwrap();
    assert!(Some(since) <= success, "the history knows it for longer than this process: {since}");

    // And one that is removed is not.
    std::fs::remove_file(tenant.path("jobs").join("a.yaml")).unwrap();
    until(&url, "the end of a", |page| !page.contains("job=\"a\"")).await;
    server.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_says_since_when() {
    let latency = Duration::from_millis(1500);
    let tenant = Tenant::start(Options { mailboxes: 20, latency, ..Options::default() }).await;
    write(&tenant, "a.yaml", &job("a", "every: 1s", "run_policy:\n  overlap: queue\n"));
    let (server, url) = started(&tenant).await;
    let waits = |page: &str| value(page, "exorun_oldest_waiting_timestamp_seconds", "a");
    let page = until(&url, "something that waits", |page| waits(page).is_some()).await;
    let next = value(&page, "exorun_next_due_timestamp_seconds", "a").unwrap();
    assert!(waits(&page).unwrap() < next, "{page}");
    // What waited of a schedule that is no more is skipped.
    write(&tenant, "a.yaml", &job("a", YEARLY, ""));
    until(&url, "nothing that waits", |page| waits(page).is_none()).await;
    server.stopped().await;
}
