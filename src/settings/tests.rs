//! Settings as a whole: order of the sources, every mistake at once, and the table against the struct.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Origin, Settings, Strings, TABLE, flag_name, variable_name};
use crate::observe::logs::Format;
use crate::rules::duration::show;

fn map<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn problems(settings: Result<Settings, Vec<super::SettingProblem>>) -> Vec<String> {
    settings.expect_err("these settings are wrong").iter().map(ToString::to_string).collect()
}

#[test]
fn without_anything_there_are_the_defaults() {
    let settings = Settings::load(map([]), &map([]), None).unwrap();
    assert_eq!(settings.session_limit, 5);
    assert_eq!(settings.lease, Duration::from_secs(60));
    assert_eq!(settings.quarantine, Duration::from_secs(16 * 60));
    assert_eq!(settings.call_timeout, Duration::from_secs(960));
    assert_eq!(settings.retry_attempts, 6);
    assert_eq!(settings.log_format, Format::Human);
    assert!(settings.login_endpoint.is_none() && !settings.emulated);
    assert!(settings.state_dir.is_absolute());
    assert!(settings.drain_grace < Duration::from_secs(30), "a pod is killed after 30 s");
}

#[test]
fn flags_win_over_variables_over_the_file_over_defaults() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "lease: 10s\nquarantine: 10s\nsession_wait: 10s\n").unwrap();
    let environment = map([("EXORUN_LEASE", "20s"), ("EXORUN_QUARANTINE", "20s"), ("EXORUN_PAGE_SIZE", "")]);
    let settings = Settings::load(map([("lease", "30s")]), &environment, Some(file.path())).unwrap();

    let expected = [
        ("lease", "30s", Origin::Flag("--lease".to_owned())),
        ("quarantine", "20s", Origin::Variable("EXORUN_QUARANTINE".to_owned())),
        ("session_wait", "10s", Origin::File { path: file.path().to_owned(), line: 3, column: 15 }),
        ("page_size", "1000", Origin::Default),
    ];
    for (key, value, origin) in expected {
        let shown = settings.origins().iter().find(|shown| shown.key == key).unwrap();
        assert_eq!((shown.value.as_deref(), &shown.origin), (Some(value), &origin));
    }
    assert_eq!(settings.lease, Duration::from_secs(30));
    assert_eq!(settings.quarantine, Duration::from_secs(20));
    assert_eq!(settings.session_wait, Duration::from_secs(10));
}

#[test]
fn a_variable_may_name_the_settings_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "session_limit: 2\n").unwrap();
    let environment = map([("EXORUN_SETTINGS", file.path().to_str().unwrap())]);
    assert_eq!(Settings::load(map([]), &environment, None).unwrap().session_limit, 2);
}

#[test]
fn every_mistake_is_reported_at_once_and_no_value_is_quoted() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "leas: 10s\nsession_limit: 6\nlease: 1m\nlease: 2m\n").unwrap();
    let environment = map([
        ("EXORUN_LOGIN_ENDPOINT", "http://canary-host"),
        ("EXORUN_LOG_FORMAT", "jsn"),
        ("EXORUN_EXCHANGE_ENDPOINT", "https://user:canary-password@host"),
        ("EXORUN_DRAIN_GRACE", "25"),
    ]);
    let flags = map([("log_level", "canary"), ("no_such_thing", "1")]);
    let found = problems(Settings::load(flags, &environment, Some(file.path())));
    let name = file.path().to_str().unwrap();
    let found: Vec<String> = found.iter().map(|problem| problem.replace(name, "s.yaml")).collect();
    assert_eq!(
        found,
        [
            "s.yaml:1:1: `leas` is no setting; did you mean `lease`?",
            "s.yaml:4:1: `lease` stands here a second time",
            "EXORUN_LOGIN_ENDPOINT: is http; a token would cross the network readable. Write https",
            "EXORUN_EXCHANGE_ENDPOINT: holds a user name or password; an endpoint takes none",
            "s.yaml:2:16: `session_limit` wants a whole number from 1 to 5",
            "EXORUN_DRAIN_GRACE: wants a duration from 0s to 1h, such as `90s` or `1h30m`: a number has no unit (ms, s, m, h, d)",
            "EXORUN_LOG_FORMAT: wants `human` or `json`; did you mean `json`?",
            "--log-level: wants a level (off, error, warn, info, debug, trace) or levels by target, `warn,exorun::session=debug`",
            "--no-such-thing: is no setting",
        ]
    );
    assert!(!found.join("\n").contains("canary"));
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let flags = map([
        ("retry_delay_first", "2m"),
        ("close_deadline", "31s"),
        ("retry_total", "10s"),
        ("state_dir", "state"),
    ]);
    assert_eq!(
        problems(Settings::load(flags, &map([]), None)),
        [
            "--state-dir: wants an absolute path",
            "--retry-delay-first: is longer than `retry_delay_max` (1m)",
            "--close-deadline: is longer than half of `lease` (1m); the slot must stay ours while we close",
            "--retry-total: is shorter than one pause, `retry_delay_max` (1m)",
        ]
    );
}

#[test]
fn a_file_that_cannot_be_read_is_a_problem() {
    let found = problems(Settings::load(map([]), &map([]), Some("/no/such/file.yaml".as_ref())));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("/no/such/file.yaml:1:1: the settings file cannot be opened"), "{found:?}");
}

#[test]
fn unknown_variables_are_named_but_not_credentials_and_service_links() {
    let environment = map([
        ("EXORUN_SESION_LIMIT", "2"),
        ("EXORUN_WHATEVER", "2"),
        ("EXORUN_CLIENT_SECRET", "x"),
        ("EXORUN_CONTOSO_PASSWORD", "x"),
        ("EXORUN_SERVICE_HOST", "10.0.0.1"),
        ("EXORUN_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
        ("OTHER", "x"),
    ]);
    let settings = Settings::load(map([]), &environment, None).unwrap();
    let unknown: Vec<String> = settings.unknown_variables().iter().map(ToString::to_string).collect();
    assert_eq!(
        unknown,
        [
            "EXORUN_SESION_LIMIT is no setting; did you mean EXORUN_SESSION_LIMIT?",
            "EXORUN_WHATEVER is no setting"
        ]
    );
}

#[test]
fn a_variable_that_is_not_utf8_is_a_problem() {
    struct Broken;
    impl Strings for Broken {
        fn get(&self, name: &str) -> Option<String> {
            (name == "EXORUN_STATE_DIR").then(|| String::from_utf8_lossy(b"/tmp/\xff").into_owned())
        }
        fn names(&self) -> Vec<String> {
            Vec::new()
        }
    }
    assert_eq!(problems(Settings::load(map([]), &Broken, None)), ["EXORUN_STATE_DIR: is not UTF-8"]);
}

#[test]
fn each_row_of_the_table_is_sound() {
    let settings = Settings::load(map([]), &map([]), None).unwrap();
    assert_eq!(settings.origins().len(), TABLE.len());
    let mut names = std::collections::BTreeSet::new();
    for row in TABLE {
        assert!(names.insert(row.key), "{} stands twice in the table", row.key);
        assert!(row.key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{}", row.key);
        assert!(row.doc.ends_with('.'), "{}: the documentation is sentences", row.key);
        assert!(flag_name(row.key).starts_with("--") && variable_name(row.key).starts_with("EXORUN_"));
        // A Service named `exorun` makes Kubernetes set these in every pod of the namespace.
        assert!(!row.key.starts_with("service_") && !row.key.starts_with("port"), "{}", row.key);
        // A field of this name must be read with the row's kind; the struct's own output shows that it is there. Those of
        // Vault, of the admin server and of the Pushgateway become one field each, and are checked together in files of their own.
        let together = ["vault", "admin", "pushgateway"]
            .into_iter()
            .find(|group| row.key.starts_with(&format!("{group}_")));
        let field = together.unwrap_or(row.key);
        assert!(format!("{settings:?}").contains(&format!("{field}: ")), "{field} is no field");
        assert!(!row.wanted().is_empty());
    }
}

#[test]
fn a_row_refuses_what_lies_outside_its_bounds() {
    for (key, value) in [
        ("lease", "100ms"),
        ("lease", "2h"),
        ("session_limit", "0"),
        ("session_limit", "+1"),
        ("page_size", "1001"),
    ] {
        assert_eq!(problems(Settings::load(map([(key, value)]), &map([]), None)).len(), 1, "{key} {value}");
    }
    assert_eq!(show(Settings::load(map([("lease", "1h")]), &map([]), None).unwrap().lease), "1h");
}
