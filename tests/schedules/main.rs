//! Schedules as their users meet them: `exorun next`, over the nights on which clocks change, and beside the libraries of
//! others.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

#[path = "../support/components.rs"]
mod components;

mod lines;
mod nights;
mod oracles;
mod printed;

use std::io::{Seek, Write};
use std::process::{Command, Output};

use serde_json::Value;

/// The program with its arguments, in an environment of its own.
fn exorun(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_exorun"));
    command.arg("next").args(arguments).env_clear();
    command
}

/// What it wrote and how it ended.
fn next(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = exorun(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// What a command answers to this standard input, line by line.
fn answers(mut command: Command, input: &[u8]) -> Vec<Value> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(input).unwrap();
    file.rewind().unwrap();
    let Output { status, stdout, stderr } = command.stdin(file).output().unwrap();
    let told = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{status}: {told}");
    String::from_utf8(stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What `exorun next --stdin` answers to these questions.
fn asked(questions: &[Value]) -> Vec<Value> {
    let lines: String = questions.iter().map(|question| format!("{question}\n")).collect();
    let answers = answers(exorun(&["--stdin"]), lines.as_bytes());
    assert_eq!(answers.len(), questions.len(), "a line for each line");
    answers
}
