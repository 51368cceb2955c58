//! Programs that some tests run as peers or judges: `promtool`, `curl`, `openssl` and the like.
//!
//! A test whose component is missing is skipped visibly; in CI that is a failure, because a test that silently does
//! not run is worth nothing. `tests/run` installs what is missing where it may.

use std::io::Write;

/// Whether `program` is there; if not, `test` is to return, and the skip is shown.
///
/// # Panics
/// Where skips are not allowed (`CI=true` or `EXORUN_NO_SKIP=1`).
#[must_use]
pub(crate) fn has(program: &str, test: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if !there {
        skip(test, &format!("`{program}` is not installed"));
    }
    there
}

/// Shows that `test` is skipped.
///
/// # Panics
/// Where skips are not allowed (`CI=true` or `EXORUN_NO_SKIP=1`).
pub(crate) fn skip(test: &str, why: &str) {
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    assert!(!is("CI", "true") && !is("EXORUN_NO_SKIP", "1"), "{test} must not be skipped here: {why}");
    show(test, why);
}

/// Shows that `test` is skipped because of the host itself, where nothing that could be installed helps.
#[allow(dead_code, reason = "each test binary uses its own part of it")]
pub(crate) fn show(test: &str, why: &str) {
    let line = format!("SKIPPED: {test}: {why}\n");
    // Not eprintln!: the test harness would keep that to itself.
    let _ = std::io::stderr().write_all(line.as_bytes());
    // `tests/run` lists them once more at its end.
    if let Some(list) = std::env::var_os("EXORUN_TEST_SKIPPED")
        && let Ok(mut list) = std::fs::OpenOptions::new().append(true).open(list)
    {
        let _ = list.write_all(line.as_bytes());
    }
}
