//! `exorun next --stdin` with lines that nobody should send.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use serde_json::{Value, json};

use super::{answers, exorun};

fn answered(input: &[u8]) -> Vec<Value> {
    answers(exorun(&["--stdin"]), input)
}

#[test]
fn every_line_is_answered_and_none_ends_it() {
    let long = format!("{{\"cron\": \"{}\"}}", "0 ".repeat(40_000));
    let deep = "[".repeat(60_000);
    let lines = [
        r#"{"cron": "30 2 * * *", "time_zone": "Europe/Berlin", "from": "2026-03-28T12:00:00Z", "count": 2, "id": 7}"#,
        r#"{"cron": "30 2 * * *", "time_zone": "Europe/Berlin", "from": "2026-03-28", "dst": {"gap": "skip"}, "count": 2}"#,
        r#"{"every": "15m", "from": "2026-03-28T12:00:00Z", "id": "x"}"#,
        r#"{"cron": "61 2 * * *", "id": [1, {"a": null}]}"#,
        r#"{"cron": "0 0 30 2 *"}"#,
        r#"{"cron": "0 0 * * *", "time_zone": "Europe/Berlni"}"#,
        r#"{"cron": "0 0 * * *", "zone": "UTC"}"#,
        r#"{"cron": "0 0 * * *", "every": "5m"}"#,
        r#"{"every": "1500ms"}"#,
        r#"{"every": "5m", "time_zone": "UTC"}"#,
        r#"{"cron": "0 0 * * *", "count": 10001}"#,
        r#"{"cron": "0 0 * * *", "count": -1}"#,
        r#"{"cron": "0 0 * * *", "from": "soon"}"#,
        r#"{"cron": "0 0 * * *", "from": "9999-12-30T00:00:00Z", "count": 5}"#,
        r#"{"cron": "0 0 * * *\u001b[31m"}"#,
        "[]",
        "7",
        "{",
        "",
        "\u{feff}{}",
        &long,
        &deep,
        r#"{"cron": "@daily", "from": "2026-03-28T12:00:00Z"}"#,
    ];
    let mut input = lines.join("\n").into_bytes();
    input.extend_from_slice(b"\n\xff\xfe\n{\"cron\": \"@daily\", \"from\": \"2026-03-28T12:00:00Z\"}");
    let answers: Vec<String> = answered(&input).iter().map(Value::to_string).collect();
    insta::assert_snapshot!(answers.join("\n"));
    assert_eq!(answers.len(), lines.len() - 1 + 2, "an empty line is no question");
}

#[test]
fn a_line_as_long_as_may_be_is_read_and_a_longer_one_is_passed_over_whole() {
    let question = |padding: usize| format!("{{\"every\": \"5m\"{}}}", " ".repeat(padding));
    let bare = question(0).len();
    let input = [question(65_536 - bare), question(65_537 - bare), question(500_000), question(0)].join("\n");
    let answers = answered(input.as_bytes());
    let errors: Vec<bool> = answers.iter().map(|answer| answer.get("error").is_some()).collect();
    assert_eq!(errors, [false, true, true, false], "{answers:?}");
}

#[test]
fn who_asks_one_at_a_time_gets_the_answer_before_the_next_question() {
    let mut child = exorun(&["--stdin"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut to, mut from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    for id in 0..3 {
        writeln!(to, "{}", json!({"every": "1h", "from": "2026-01-01T00:30:00Z", "id": id})).unwrap();
        let mut line = String::new();
        from.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(answer, json!({"id": id, "due": ["2026-01-01T01:00:00+00:00"]}));
    }
    drop(to);
    assert!(child.wait().unwrap().success());
}
