//! Rust source as the layering test reads it: code without comments and literals, and the rooms that it names.

/// `text` with comments and the content of string and character literals blanked; line ends stay, so that a line
/// number in the result is one in the file.
pub(crate) fn code_only(text: &str) -> String {
    let bytes: Vec<char> = text.chars().collect();
    let at = |place: usize| bytes.get(place).copied().unwrap_or('\0');
    let mut code = String::with_capacity(text.len());
    let mut place = 0;
    while place < bytes.len() {
        let end = match (at(place), at(place + 1)) {
            ('/', '/') => (place..bytes.len()).find(|&end| at(end) == '\n').unwrap_or(bytes.len()),
            ('/', '*') => end_of_block_comment(&bytes, place),
            ('"', _) => end_of_string(&bytes, place),
            ('r', '"' | '#') if !is_word(at(place.wrapping_sub(1))) || at(place.wrapping_sub(1)) == 'b' => {
                end_of_raw_string(&bytes, place).unwrap_or(place)
            }
            // A lifetime has no closing quote two characters on, a character literal has.
            ('\'', '\\') => {
                (place + 3..bytes.len()).find(|&end| at(end) == '\'').map_or(bytes.len(), |end| end + 1)
            }
            ('\'', _) if at(place + 2) == '\'' => place + 3,
            _ => place,
        };
        if end == place {
            code.push(at(place));
            place += 1;
        } else {
            code.extend(
                bytes[place..end].iter().map(|&character| if character == '\n' { '\n' } else { ' ' }),
            );
            place = end;
        }
    }
    code
}

fn end_of_block_comment(text: &[char], start: usize) -> usize {
    let mut depth = 0;
    let mut place = start;
    while place < text.len() {
        match (text[place], text.get(place + 1)) {
            ('/', Some('*')) => (depth, place) = (depth + 1, place + 2),
            ('*', Some('/')) => (depth, place) = (depth - 1, place + 2),
            _ => place += 1,
        }
        if depth == 0 {
            break;
        }
    }
    place
}

fn end_of_string(text: &[char], start: usize) -> usize {
    let mut place = start + 1;
    while place < text.len() && text[place] != '"' {
        place += if text[place] == '\\' { 2 } else { 1 };
    }
    (place + 1).min(text.len())
}

/// `None`: no raw string starts here (a raw identifier, say).
fn end_of_raw_string(text: &[char], start: usize) -> Option<usize> {
    let hashes = text[start + 1..].iter().take_while(|&&character| character == '#').count();
    let open = start + 1 + hashes;
    if text.get(open) != Some(&'"') {
        return None;
    }
    let closes = |&place: &usize| {
        text[place] == '"'
            && text[place + 1..].iter().take(hashes).filter(|&&character| character == '#').count() == hashes
    };
    Some((open + 1..text.len()).find(closes).map_or(text.len(), |place| place + 1 + hashes))
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// A path that starts at the crate's root, `rules::time::BootTime`, and the line it stands on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RootPath {
    pub(crate) line: usize,
    pub(crate) path: String,
}

/// Every path of `code` that starts with `root` (`crate` or the crate's name), groups taken apart, and every
/// `super` chain that leaves the room of a file which lies `depth` modules below the root.
pub(crate) fn root_paths(code: &str, root: &str, depth: usize) -> Vec<RootPath> {
    let tokens = tokens(code);
    let word = |place: usize| tokens.get(place).map_or("", |(_, token)| token.as_str());
    let mut found = Vec::new();
    // Modules written inside the file are deeper: the depth in braces at which each of them began.
    let (mut braces, mut inline) = (0_usize, Vec::new());
    let mut place = 0;
    while place < tokens.len() {
        let line = tokens[place].0;
        match word(place) {
            "{" => {
                if place >= 2 && word(place - 2) == "mod" {
                    inline.push(braces);
                }
                braces += 1;
            }
            "}" => {
                braces = braces.saturating_sub(1);
                inline.pop_if(|began| *began == braces);
            }
            _ => {}
        }
        let after_path = place > 0 && word(place - 1) == "::";
        if word(place) == root && !after_path && word(place + 1) == "::" {
            collect(&tokens, place + 2, String::new(), &mut found);
        } else if word(place) == "super" && !after_path {
            let chain =
                (place..).step_by(2).take_while(|&at| word(at) == "super" && word(at + 1) == "::").count();
            if chain >= depth + inline.len() {
                collect(&tokens, place + 2 * chain, String::new(), &mut found);
            }
            place += 2 * chain.max(1) - 1;
        } else if word(place) == root && matches!(word(place + 1), "as") {
            found.push(RootPath { line, path: format!("{root} as") });
        }
        place += 1;
    }
    found
}

/// Reads the path or group at `place` into `found`; returns the place after it.
fn collect(tokens: &[(usize, String)], place: usize, prefix: String, found: &mut Vec<RootPath>) -> usize {
    let word = |place: usize| tokens.get(place).map_or("", |(_, token)| token.as_str());
    let mut place = place;
    if word(place) == "{" {
        place += 1;
        while !matches!(word(place), "}" | "") {
            place =
                if word(place) == "," { place + 1 } else { collect(tokens, place, prefix.clone(), found) };
        }
        return place + 1;
    }
    let line = tokens.get(place).map_or(0, |(line, _)| *line);
    let path = if prefix.is_empty() { word(place).to_owned() } else { format!("{prefix}::{}", word(place)) };
    if word(place + 1) == "::" && (word(place + 2) == "{" || word(place + 2).starts_with(is_word)) {
        return collect(tokens, place + 2, path, found);
    }
    found.push(RootPath { line, path });
    if word(place + 1) == "as" { place + 3 } else { place + 1 }
}

/// Words, `::` and single signs, each with its line.
fn tokens(code: &str) -> Vec<(usize, String)> {
    let mut tokens = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let word = rest.find(|character| !is_word(character)).unwrap_or(rest.len());
            let length = if word > 0 {
                word
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            tokens.push((index + 1, rest[..length].to_owned()));
            rest = rest[length..].trim_start();
        }
    }
    tokens
}
