//! Long statements on several lines.

use crate::spec::escape::escape;
use crate::spec::explain::page::{CODE_COLUMN, WIDTH};

/// Further lines of a statement stand this far to the right.
const INDENT: &str = "  ";

/// A statement made of pieces that are never broken, on as few lines as they fit.
pub(super) fn lines(pieces: &[String]) -> Vec<String> {
    let room = WIDTH - CODE_COLUMN;
    let whole = pieces.join(" ");
    if whole.chars().count() <= room {
        return vec![whole];
    }
    let mut lines = Vec::new();
    let mut line = String::new();
    for piece in pieces {
        // Two columns stay free for the mark that says that the line goes on.
        let fits = !line.ends_with('|') && line.chars().count() + 1 + piece.chars().count() + 2 <= room;
        if line.is_empty() {
            line.push_str(piece);
        } else if fits {
            line.push(' ');
            line.push_str(piece);
        } else {
            // After these the statement goes on anyway.
            let goes_on = ["|", "{", " -and", " -or"].iter().any(|end| line.ends_with(end));
            lines.push(if goes_on { line } else { line + " `" });
            line = format!("{INDENT}{piece}");
        }
    }
    lines.push(line);
    lines
}

/// A comment, broken between words: every line of it is a comment, whatever the text holds.
pub(super) fn comment(text: &str) -> Vec<String> {
    let room = WIDTH - CODE_COLUMN;
    let mut lines = Vec::new();
    let mut line = "#".to_owned();
    for word in escape(text).split(' ') {
        if line != "#" && line.chars().count() + 1 + word.chars().count() > room {
            lines.push(line);
            line = "#  ".to_owned();
        }
        line.push(' ');
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_go_on_only_where_powershell_sees_it() {
        let long = |character: &str| format!("-A '{}'", character.repeat(60));
        let pieces = ["$x |".to_owned(), "ForEach-Object {".to_owned(), long("|"), long("{"), "}".to_owned()];
        let lines = lines(&pieces);
        assert_eq!(lines[0], "$x |");
        assert!(lines[1].starts_with("  ForEach-Object { -A '||") && lines[1].ends_with("|' `"), "{lines:?}");
        assert!(lines[2].starts_with("  -A '{{") && lines[2].ends_with("{' }"), "{lines:?}");
    }

    #[test]
    fn every_line_of_a_comment_is_one() {
        let lines = comment(&format!("{}\nRemove-Mailbox\r\u{85}x", "a ".repeat(80)));
        assert!(lines.len() == 2 && lines.iter().all(|line| line.starts_with("# ")), "{lines:?}");
        assert!(lines[1].ends_with("\\nRemove-Mailbox\\r\\u{85}x"), "{lines:?}");
    }
}
