//! The settings file: a flat YAML map of keys to scalars, read from the parser's events.
//!
//! Job files are read by `spec` into a located tree of any depth. This reader is separate because settings stand
//! below `spec` and need one level only; what does not fit that level is an error with its place.

use std::io::Read;
use std::path::Path;

use granit_parser::{Event, Parser, ScalarStyle, Span};

use super::problem::{Origin, SettingProblem};

/// Far more than all settings with comments; a larger file is the wrong file.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// One line of the file.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    /// Where the key stands.
    pub(super) key_origin: Origin,
    pub(super) text: String,
    /// Where the value stands.
    pub(super) origin: Origin,
}

/// All entries in the order of the file, duplicates included. Reading ends at a syntax error; what came before it
/// is returned, so that its mistakes are reported too.
pub(super) fn read(path: &Path, problems: &mut Vec<SettingProblem>) -> Vec<Entry> {
    match load(path) {
        Ok(text) => entries(path, &text, problems),
        Err(why) => {
            let origin = Origin::File { path: path.to_owned(), line: 1, column: 1 };
            problems.push(SettingProblem::general(origin, why));
            Vec::new()
        }
    }
}

fn load(path: &Path) -> Result<String, String> {
    let file =
        std::fs::File::open(path).map_err(|error| format!("the settings file cannot be opened: {error}"))?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("the settings file cannot be read: {error}"))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("holds more than {FILE_BYTES_MAX} bytes; is this a settings file?"));
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())
}

fn entries(path: &Path, text: &str, problems: &mut Vec<SettingProblem>) -> Vec<Entry> {
    let at = |span: &Span| Origin::File {
        path: path.to_owned(),
        line: span.start.line(),
        column: span.start.col() + 1,
    };
    let mut entries = Vec::new();
    let mut key: Option<(String, Origin)> = None;
    let mut depth = 0_usize; // 1 inside the map, more inside a value that should not be there.
    let mut documents = 0_usize;
    for next in Parser::new_from_str(text) {
        let (event, span) = match next {
            Ok(next) => next,
            Err(error) => {
                let marker = error.marker();
                let origin =
                    Origin::File { path: path.to_owned(), line: marker.line(), column: marker.col() + 1 };
                problems.push(SettingProblem::general(origin, format!("is no YAML: {}", error.info())));
                return entries;
            }
        };
        let mut refuse = |why: &str| problems.push(SettingProblem::general(at(&span), why));
        match event {
            Event::DocumentStart(..) => {
                documents += 1;
                if documents == 2 {
                    refuse("a settings file holds one document");
                }
            }
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                match (&event, depth) {
                    (Event::MappingStart(..), 0) => {}
                    (_, 0) => refuse("a settings file is a map of keys to values"),
                    (_, 1) => match key.take() {
                        Some((key, _)) => problems.push(SettingProblem::new(
                            at(&span),
                            &key,
                            "wants one value, not a list or map",
                        )),
                        None => refuse("a key is a plain word"),
                    },
                    _ => {}
                }
                depth += 1;
            }
            Event::MappingEnd | Event::SequenceEnd => depth = depth.saturating_sub(1),
            Event::Alias(_) if depth <= 1 => {
                key = None;
                refuse("aliases are not read in a settings file");
            }
            // An empty document is a null; a file of comments is not a mistake.
            Event::Scalar(text, style, ..) if depth == 0 && !is_null(&text, style) => {
                refuse("a settings file is a map of keys to values");
            }
            Event::Scalar(text, style, ..) if depth == 1 => match key.take() {
                None => key = Some((text.into_owned(), at(&span))),
                Some((key, key_origin)) if is_null(&text, style) => {
                    problems.push(SettingProblem::new(key_origin, &key, "has no value"));
                }
                Some((key, key_origin)) => {
                    entries.push(Entry { key, key_origin, text: text.into_owned(), origin: at(&span) });
                }
            },
            _ => {}
        }
    }
    entries
}

/// The parser gives `~` where nothing is written.
fn is_null(text: &str, style: ScalarStyle) -> bool {
    style == ScalarStyle::Plain && matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::entries;

    fn read(text: &str) -> (Vec<String>, Vec<String>) {
        let mut problems = Vec::new();
        let entries = entries(Path::new("s.yaml"), text, &mut problems);
        let entries =
            entries.iter().map(|entry| format!("{} {}={}", entry.origin, entry.key, entry.text)).collect();
        (entries, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn scalars_come_with_their_places() {
        let (entries, problems) = read("# ours\nlease: 30s\n\nlog_level: \"warn\" # quiet\n");
        assert_eq!(entries, ["s.yaml:2:8 lease=30s", "s.yaml:4:12 log_level=warn"]);
        assert_eq!(problems, [""; 0]);
    }

    #[test]
    fn an_empty_file_is_no_mistake() {
        for text in ["", "# nothing yet\n", "---\n", "{}\n"] {
            assert_eq!(read(text), (vec![], vec![]), "{text:?}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_its_place_and_reading_goes_on() {
        let (entries, problems) = read("lease: {a: [1, 2]}\nlogin_endpoint:\n  - x\nquarantine: 1m\n");
        assert_eq!(entries, ["s.yaml:4:13 quarantine=1m"]);
        assert_eq!(
            problems,
            [
                "s.yaml:1:8: `lease` wants one value, not a list or map",
                "s.yaml:3:3: `login_endpoint` wants one value, not a list or map",
            ]
        );
        assert_eq!(read("- a\n- b\n").1, ["s.yaml:1:1: a settings file is a map of keys to values"]);
        assert_eq!(read("just words\n").1, ["s.yaml:1:1: a settings file is a map of keys to values"]);
        assert_eq!(read("a: 1\n---\nb: 2\n").1, ["s.yaml:2:1: a settings file holds one document"]);
        assert_eq!(
            read("ca_file:\nlease: ~\n").1,
            ["s.yaml:1:1: `ca_file` has no value", "s.yaml:2:1: `lease` has no value"]
        );
        assert_eq!(read("a: &x 1\nb: *x\nc: 2\n").0, ["s.yaml:1:7 a=1", "s.yaml:3:4 c=2"]);
        let (entries, problems) = read("lease: 30s\nlog_level: \"open\n");
        assert_eq!(entries, ["s.yaml:1:8 lease=30s"]);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].starts_with("s.yaml:"), "{problems:?}");
    }
}
