//! What a page shows as output, against what was said.
//!
//! The lines of the page must be there in their order; others may stand between. `…` is any text. Ids, ports, moments and
//! times taken differ from run to run and count as equal, as do the widths of tables.

/// The first line of `shown` that is not in `said`.
pub(crate) fn not_said<'a>(shown: &'a [String], said: &str) -> Option<&'a String> {
    let mut said = said.lines().map(plain);
    shown.iter().find(|line| {
        let wanted = plain(line);
        !wanted.is_empty() && wanted != "…" && !said.any(|line| fits(&wanted, &line))
    })
}

/// A line without what differs from run to run.
fn plain(line: &str) -> String {
    // A table's rules are as long as its columns are wide.
    let words = line.split_whitespace().filter(|word| word.contains(|one| !"+-=|".contains(one)));
    let words: Vec<String> = words.map(same).collect();
    let mut plain: Vec<&str> = Vec::new();
    for word in &words {
        // The number before a unit of time.
        if ["s", "ms", "s)", "ms)"].contains(&word.as_str())
            && let Some(number) = plain.pop()
        {
            plain.push(number.trim_end_matches(|one: char| one.is_ascii_digit() || one == '.'));
        }
        plain.push(word);
    }
    plain.join(" ")
}

fn same(word: &str) -> String {
    let hex = |part: &str, length| part.len() == length && part.bytes().all(|one| one.is_ascii_hexdigit());
    let core = word.trim_matches(|one: char| !one.is_ascii_alphanumeric());
    let parts: Vec<&str> = core.split('-').collect();
    if let [a, b, c, d, e] = parts[..]
        && hex(a, 8)
        && [b, c, d].iter().all(|part| hex(part, 4))
        && hex(e, 12)
    {
        return word.replace(core, "ID");
    }
    if hex(core, 8) {
        return word.replace(core, "ID");
    }
    if core.parse::<jiff::Timestamp>().is_ok() {
        return word.replace(core, "MOMENT");
    }
    match word.split_once("127.0.0.1:") {
        Some((before, after)) => {
            format!("{before}127.0.0.1:{}", after.trim_start_matches(|one: char| one.is_ascii_digit()))
        }
        None => word.to_owned(),
    }
}

/// Whether a line is the wanted one, in which `…` is any text.
fn fits(wanted: &str, line: &str) -> bool {
    let mut parts = wanted.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        last = Some(part);
    }
    rest.is_empty() || last.is_some_and(|part| part.is_empty() || line.ends_with(part))
}

#[test]
fn only_what_differs_by_itself_counts_as_equal() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let said = "run b37d3b3f-36c0-4233-9b7c-c0ecea0154f2\n| a  24 0.3 s |\n+---+\nat 127.0.0.1:80 (5 ms)\n2026-01-01T00:00:00Z 0b9f6c1e\nend";
    let shown =
        lines("run 00000000-36c0-4233-9b7c-c0ecea0154f2\n| a 24   7.0 s |\n+-----+\nat 127.0.0.1:443 (1 ms)");
    assert_eq!(not_said(&shown, said), None);
    for wrong in ["| a 25 0.3 s |", "a 24", "end\n| a 24 0.3 s |", "at …:443 …s", "…x", "2026-01-01 0b9f6c1e"]
    {
        assert!(not_said(&lines(wrong), said).is_some(), "{wrong}");
    }
    for right in ["…", "| a … |", "run …\n…\nend", "at 127.0.0.1:… (…)", "2025-01-01T00:00:00Z 00000000"]
    {
        assert_eq!(not_said(&lines(right), said), None, "{right}");
    }
}
