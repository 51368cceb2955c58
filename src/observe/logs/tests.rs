//! Lines as they come out, from events as they go in.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing::{debug, error, info, info_span, warn};
use tracing_subscriber::filter::{LevelFilter, Targets};

use super::{Format, WRITE_TARGET, subscriber};
use crate::clocks::Clocks;

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn clocks() -> Clocks {
    // Hundreds of times slower than the test, so that the milliseconds on the line stand still.
    Clocks::simulated(Duration::ZERO, "2026-11-22T02:00:01.123Z".parse().unwrap(), 1e-9)
}

fn lines(format: Format, filter: Targets, work: impl FnOnce()) -> String {
    let captured = Captured::default();
    tracing::subscriber::with_default(subscriber(format, filter, &clocks(), captured.clone()), work);
    let bytes = captured.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

fn at(level: LevelFilter) -> Targets {
    Targets::new().with_default(level)
}

fn a_run() {
    let run = info_span!("run", run = "r1", job = "harden", tenant = tracing::field::Empty).entered();
    run.record("tenant", "contoso.onmicrosoft.com");
    let _step = info_span!("step", step = "list", cmdlet = "Get-EXOMailbox").entered();
    info!(items = 12_u64, took_ms = 1.5, last = true, "listed {}", "mailboxes");
    let _retry = info_span!("step", step = "again").entered();
    warn!(error = "HTTP 429: \"slow\" down", "throttled");
}

#[test]
fn a_human_line_reads_alone() {
    insta::assert_snapshot!(lines(Format::Human, at(LevelFilter::INFO), a_run), @r#"
    2026-11-22T02:00:01.123Z INFO  run=r1 job=harden tenant=contoso.onmicrosoft.com step=list cmdlet=Get-EXOMailbox listed mailboxes items=12 took_ms=1.5 last=true
    2026-11-22T02:00:01.123Z WARN  run=r1 job=harden tenant=contoso.onmicrosoft.com step=again cmdlet=Get-EXOMailbox throttled error="HTTP 429: \"slow\" down"
    "#);
}

#[test]
fn a_json_line_is_one_flat_object() {
    let text = lines(Format::Json, at(LevelFilter::INFO), a_run);
    let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let expected = serde_json::json!({
        "time": "2026-11-22T02:00:01.123Z", "level": "INFO", "target": "exorun::observe::logs::tests",
        "message": "listed mailboxes", "run": "r1", "job": "harden", "tenant": "contoso.onmicrosoft.com",
        "step": "list", "cmdlet": "Get-EXOMailbox", "items": 12, "took_ms": 1.5, "last": true,
    });
    assert_eq!(first, expected);
}

#[test]
fn no_key_stands_twice_in_json() {
    let text = lines(Format::Json, at(LevelFilter::INFO), || {
        let _span = info_span!("x", step = "outer", level = "mine").entered();
        info!(step = "inner", nan = f64::NAN, "m");
    });
    assert_eq!(text.matches("\"step\":").count(), 1);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&value["step"], &value["level"], &value["level_"]),
        (&"inner".into(), &"INFO".into(), &"mine".into())
    );
}

#[test]
fn nothing_raw_leaves_whatever_a_field_holds() {
    let evil = "a\nb\u{1b}[31m\u{202e}\u{200b}\u{9b}\u{e0041}\" run=forged";
    let events = || {
        let _span = info_span!("x", name = evil).entered();
        error!(debug = ?evil, display = %evil, "message {evil}");
    };
    for format in [Format::Human, Format::Json] {
        let text = lines(format, at(LevelFilter::INFO), events);
        let (line, rest) = text.split_once('\n').unwrap();
        assert_eq!(rest, "");
        assert!(!line.chars().any(crate::observe::escape::hides), "{line:?}");
        if format == Format::Json {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(value["name"], evil);
            assert_eq!(value["display"], evil);
        } else {
            assert!(line.contains(r#"\" run=forged""#), "{line}");
        }
    }
}

#[test]
fn nothing_inside_quotes_can_end_them() {
    let text = lines(Format::Human, at(LevelFilter::INFO), || {
        info!(a = "x\\\" run=forged\n", b = "C:\\x y\\", c = "C:\\x", "m")
    });
    assert_eq!(
        text,
        "2026-11-22T02:00:01.123Z INFO  m a=\"x\\\\\\\" run=forged\\n\" b=\"C:\\\\x y\\\\\" c=C:\\x\n"
    );
}

#[test]
fn the_write_log_and_its_spans_come_out_at_every_level() {
    let events = || {
        let _span = tracing::debug_span!(target: "exorun::runner", "run", run = "r1").entered();
        info!("not wanted");
        info!(target: WRITE_TARGET, cmdlet = "Set-CASMailbox", "changed");
        debug!(target: "h2", "not ours");
    };
    let expected = "2026-11-22T02:00:01.123Z INFO  write run=r1 changed cmdlet=Set-CASMailbox\n";
    assert_eq!(lines(Format::Human, at(LevelFilter::OFF), events), expected);
    assert_eq!(
        lines(Format::Human, at(LevelFilter::WARN).with_target(WRITE_TARGET, LevelFilter::OFF), events),
        expected
    );
}

#[test]
fn levels_go_by_target() {
    let filter = at(LevelFilter::WARN).with_target("exorun::session", LevelFilter::DEBUG);
    let text = lines(Format::Human, filter, || {
        info!(target: "exorun::runner", "no");
        debug!(target: "exorun::session::lease", "yes");
    });
    assert_eq!(text, "2026-11-22T02:00:01.123Z DEBUG yes\n");
}

#[test]
fn a_standard_error_that_is_gone_harms_nobody() {
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }
    tracing::subscriber::with_default(
        subscriber(Format::Human, at(LevelFilter::INFO), &clocks(), Gone),
        a_run,
    );
}

#[test]
fn a_long_value_is_cut() {
    let text = lines(Format::Human, at(LevelFilter::INFO), || info!(value = "x".repeat(100_000), "m"));
    assert!(text.len() < 5000 && text.contains('…'));
}
