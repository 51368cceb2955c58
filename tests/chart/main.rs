//! The Helm chart, rendered by Helm 3 and Helm 4, judged by what Kubernetes asks of it, and tried with the real program.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, reason = "a real API server is waited for in real time")]

#[path = "../support/components.rs"]
mod components;
mod cron_jobs;
mod deploy;
#[path = "../support/folder.rs"]
mod folder;
mod helm;
mod many;
mod monitoring;
mod objects;
mod pod_security;
mod program;
mod readme;
#[path = "../support/real_api.rs"]
mod real_api;
mod refused;
mod schema;
mod value_sets;
mod zones;

use std::path::{Path, PathBuf};

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(package().join(path)).unwrap()
}

/// The value sets that the chart brings, by name.
fn value_sets() -> Vec<PathBuf> {
    let folder = package().join("charts/exorun/ci");
    let mut sets: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with("-values.yaml"))
        .collect();
    sets.sort();
    assert_eq!(sets.len(), 6, "{sets:?}");
    sets
}

/// Compares a file that is made from something else, or writes it anew with `EXORUN_TEST_UPDATE=1`.
fn is_up_to_date(path: &str, wanted: &str) {
    if std::env::var_os("EXORUN_TEST_UPDATE").is_some() {
        std::fs::write(package().join(path), wanted).unwrap();
    }
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&read(path)), lines(wanted), "EXORUN_TEST_UPDATE=1 writes {path} anew");
}
