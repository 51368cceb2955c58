//! Job files that change while they are served.

use std::time::Duration;

use exorun::emulator::Options;
use rustix::process::Signal;

use crate::program::{Tenant, requests};
use crate::server::{Server, command, job, occurrences, write};

async fn tenant() -> Tenant {
    Tenant::start(Options { mailboxes: 20, ..Options::default() }).await
}

/// Whether the job still runs, as the service sees it.
async fn runs_on(tenant: &Tenant) {
    let calls = requests(&tenant.emulator.counters(), "Get-Mailbox");
    tenant.calls("Get-Mailbox", calls + 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_keeps_the_version_before_and_is_told_once() {
    let tenant = tenant().await;
    write(&tenant, "a.yaml", &job("a", "every: 1s", ""));
    let server = Server::start(&mut command(&tenant, &[]));
    runs_on(&tenant).await;
    write(&tenant, "a.yaml", &job("a", "cron: \"0 25 * * *\"\n    time_zone: UTC", ""));
    server.says("job file is broken").await;
    runs_on(&tenant).await;
    write(&tenant, "a.yaml", &job("a", "every: 1s", "description: Mended.\n"));
    server.says("job file is right again").await;
    runs_on(&tenant).await;
    let (_, said) = server.stopped().await;
    assert_eq!(said.matches("job file is broken").count(), 1, "{said}");
    assert!(said.contains("hour"), "the log says what is wrong:\n{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_come_and_go_with_their_files() {
    let tenant = tenant().await;
    write(&tenant, "a.yaml", &job("a", "every: 1s", ""));
    let server = Server::start(&mut command(&tenant, &[]));
    runs_on(&tenant).await;
    write(&tenant, "b.yaml", &job("b", "every: 1s", ""));
    server.says("job=b").await;
    std::fs::remove_file(tenant.path("jobs/a.yaml")).unwrap();
    server.says("job removed").await;
    runs_on(&tenant).await;
    let (_, said) = server.stopped().await;
    assert!(said.contains("job removed"), "{said}");
    assert!(occurrences(&tenant).iter().any(|one| one.job == "b" && one.result == "ran"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_gone_changes_nothing() {
    let tenant = tenant().await;
    write(&tenant, "a.yaml", &job("a", "every: 1s", ""));
    let server = Server::start(&mut command(&tenant, &[]));
    runs_on(&tenant).await;
    std::fs::rename(tenant.path("jobs"), tenant.path("away")).unwrap();
    server.says("job file is broken").await;
    runs_on(&tenant).await;
    std::fs::rename(tenant.path("away"), tenant.path("jobs")).unwrap();
    server.says("job file is right again").await;
    runs_on(&tenant).await;
    server.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sighup_has_every_file_read_at_once() {
    let tenant = tenant().await;
    write(&tenant, "a.yaml", &job("a", "every: 1s", ""));
    let server = Server::start(&mut command(&tenant, &["--reload-interval", "1h"]));
    runs_on(&tenant).await;
    write(&tenant, "b.yaml", &job("b", "every: 1s", ""));
    server.signal(Signal::HUP);
    server.says("job=b").await;
    server.says("SIGHUP: every job file was read again").await;
    runs_on(&tenant).await;
    let (code, said) = server.stopped().await;
    assert!(matches!(code, Some(0 | 75)), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_map_is_swapped_as_a_whole() {
    let tenant = tenant().await;
    // As the kubelet mounts it: a hidden folder a version, a link to the newest, and links to its files.
    let mount = tenant.path("jobs");
    let version = |name: &str, text: &str| {
        std::fs::create_dir_all(mount.join(name)).unwrap();
        std::fs::write(mount.join(name).join("a.yaml"), text).unwrap();
        std::os::unix::fs::symlink(name, mount.join("..data_tmp")).unwrap();
        std::fs::rename(mount.join("..data_tmp"), mount.join("..data")).unwrap();
    };
    version("..2026_01", &job("a", "every: 1s", ""));
    std::os::unix::fs::symlink("..data/a.yaml", mount.join("a.yaml")).unwrap();
    let server = Server::start(&mut command(&tenant, &[]));
    runs_on(&tenant).await;
    version("..2026_02", &job("a", "every: 2s", ""));
    tokio::time::sleep(Duration::from_millis(100)).await;
    std::fs::remove_dir_all(mount.join("..2026_01")).unwrap();
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        while server.said().matches("job loaded").count() < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(waited.await.is_ok(), "{}", server.said());
    runs_on(&tenant).await;
    let (_, said) = server.stopped().await;
    assert!(!said.contains("job file is broken"), "{said}");
}
