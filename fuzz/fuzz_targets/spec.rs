//! Any bytes as a file of jobs or connections.
#![no_main]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use exorun::spec::{self, Checked, Severity};
use libfuzzer_sys::fuzz_target;

/// Bytes that are no text only come in by a file.
static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("exorun-fuzz-{}.yaml", std::process::id())));

fuzz_target!(|bytes: &[u8]| {
    match std::str::from_utf8(bytes) {
        Ok(text) => holds(text, &spec::check_text(Path::new("job.yaml"), text)),
        Err(error) => {
            std::fs::write(&*FILE, bytes).expect("the folder for temporary files can be written");
            let checked = spec::check_file(&FILE);
            std::fs::remove_file(&*FILE).expect("the file was just written");
            assert!(checked.problems.has_errors(), "what is no UTF-8 is taken for right");
            let valid = std::str::from_utf8(&bytes[..error.valid_up_to()]).expect("is valid up to there");
            holds(valid, &checked);
        }
    }
});

fn holds(text: &str, checked: &Checked) {
    let problems = &checked.problems;
    let errors = problems.iter().filter(|problem| problem.severity() == Severity::Error).count();
    assert_eq!(problems.has_errors(), errors > 0);
    assert!(errors > 0 || !checked.jobs.is_empty() || checked.connections.is_some(), "right, and empty");
    let lines: Vec<&str> = text.split('\n').collect();
    for problem in problems.iter() {
        let title = problem.title();
        assert!(!title.is_empty() && !title.contains(char::is_control), "{title:?}");
        if let Some((line, column)) = problems.place(problem) {
            assert!((1..=lines.len()).contains(&line), "line {line}: {title}");
            assert!((1..=lines[line - 1].chars().count() + 1).contains(&column), "column {column}: {title}");
        }
    }
    let plain = problems.render_plain();
    assert_eq!(plain.is_empty(), problems.is_empty());
    assert!(!plain.contains(|character: char| character.is_control() && character != '\n'), "{plain:?}");
    assert_eq!(without_colours(&problems.render_coloured()), plain);
}

/// The text without the sequences that set colours; any other sequence stays and is found.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|character: char| !character.is_ascii_digit() && character != ';');
        let rest = end.and_then(|end| part[end..].strip_prefix('m'));
        plain.push_str(rest.unwrap_or("\u{1b}["));
    }
    plain
}
