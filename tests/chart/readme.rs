//! The table of values in the chart's README is made from values.yaml.

use crate::{is_up_to_date, read};

const BEGIN: &str = "| Value | Default | Meaning |\n| --- | --- | --- |\n";

/// A row for each key of values.yaml that has a comment of its own. A map with such a comment is one row with what is in it.
fn rows(values: &str) -> Vec<(String, String, String)> {
    let mut rows: Vec<(String, String, String)> = Vec::new();
    let (mut path, mut meaning): (Vec<String>, Option<String>) = (Vec::new(), None);
    // The indentation of a map that has its row already.
    let mut inside: Option<usize> = None;
    for line in values.lines() {
        let text = line.trim_start();
        let depth = (line.len() - text.len()) / 2;
        if let Some(comment) = text.strip_prefix("# -- ") {
            meaning = Some(comment.to_owned());
            inside = None;
            continue;
        }
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (key, value) = text.split_once(':').unwrap();
        if let Some(outer) = inside {
            if depth > outer {
                let row = rows.last_mut().unwrap();
                let name = [&path[outer + 1..depth.min(path.len())], &[key.to_owned()]].concat().join(".");
                path.truncate(depth);
                path.push(key.to_owned());
                if !value.is_empty() {
                    row.1 =
                        format!("{}{}`{name}:{value}`", row.1, if row.1.is_empty() { "" } else { "<br>" });
                }
                continue;
            }
            inside = None;
        }
        path.truncate(depth);
        path.push(key.to_owned());
        match (meaning.take(), value.trim()) {
            (Some(meaning), "") => {
                rows.push((path.join("."), String::new(), meaning));
                inside = Some(depth);
            }
            (Some(meaning), value) => rows.push((path.join("."), format!("`{value}`"), meaning)),
            (None, "") => {}
            (None, _) => panic!("{} has no comment that begins with `# --`", path.join(".")),
        }
    }
    rows
}

#[test]
fn the_readme_lists_the_values() {
    let rows = rows(&read("charts/exorun/values.yaml"));
    assert!(rows.len() > 80, "{}", rows.len());
    let table: String = rows
        .iter()
        .map(|(path, default, meaning)| {
            format!("| `{path}` | {default} | {} |\n", meaning.replace('|', "\\|"))
        })
        .collect();
    let readme = read("charts/exorun/README.md");
    let (before, rest) = readme.split_once(BEGIN).expect("the README has the table");
    let after: String =
        rest.lines().skip_while(|line| line.starts_with('|')).map(|line| format!("{line}\n")).collect();
    is_up_to_date("charts/exorun/README.md", &format!("{before}{BEGIN}{table}{after}"));
}
