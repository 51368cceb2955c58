//! Pages: where one ends, the next begins after its last row, however many rows came or went in between.

use std::fmt;
use std::str::FromStr;

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};
use serde::Serialize;

/// Rows that a page has at most.
pub const LIMIT_MAX: u32 = 1_000;

/// Which page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging {
    /// How many rows, up to [`LIMIT_MAX`].
    pub limit: u32,
    /// After which row; nothing: from the newest on.
    pub after: Option<After>,
}

/// A row's place in a list: an instant and what tells rows of the same instant apart. Its text is the cursor that a page
/// names for the next one; nobody else need understand it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct After {
    pub(super) instant: i64,
    pub(super) row: i64,
}

/// The text is no cursor that a page has given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no cursor; take `next` of the page before, as it is")]
pub struct NoCursor;

impl FromStr for After {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<After, NoCursor> {
        let (instant, row) = text.split_once('.').ok_or(NoCursor)?;
        let after = After {
            instant: instant.parse().map_err(|_| NoCursor)?,
            row: row.parse().map_err(|_| NoCursor)?,
        };
        // One spelling each: `+1.1` is none.
        if after.to_string() == text { Ok(after) } else { Err(NoCursor) }
    }
}

impl fmt::Display for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.instant, self.row)
    }
}

/// Some rows of a list, the newest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The cursor of the next page; nothing if this one is the last.
    pub next: Option<String>,
}

/// A query that grows by conditions.
pub(super) struct Select {
    text: String,
    values: Vec<Value>,
}

impl Select {
    /// `from` is everything up to the conditions.
    pub(super) fn new(from: &str) -> Select {
        Select { text: format!("{from} WHERE true"), values: Vec::new() }
    }

    /// Adds a condition with as many question marks as values.
    pub(super) fn and(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        self.text.push_str(" AND ");
        self.text.push_str(condition);
        self.values.extend(values);
    }

    /// One page in the order of `instant` and `row`, which are columns. `read` makes of a row an item and its place.
    pub(super) fn page<T>(
        mut self,
        connection: &Connection,
        (instant, row): (&str, &str),
        paging: Paging,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<(T, After)>,
    ) -> rusqlite::Result<Page<T>> {
        if let Some(after) = paging.after {
            let condition = format!("({instant}, {row}) < (?, ?)");
            self.and(&condition, [after.instant.into(), after.row.into()]);
        }
        let limit = paging.limit.clamp(1, LIMIT_MAX);
        // One more than asked for tells whether there is a next page.
        self.text.push_str(&format!(" ORDER BY {instant} DESC, {row} DESC LIMIT {}", limit + 1));
        let mut statement = connection.prepare_cached(&self.text)?;
        let mut rows = statement.query(params_from_iter(self.values))?;
        let mut page = Page { items: Vec::new(), next: None };
        let mut last = None;
        while let Some(row) = rows.next()? {
            if page.items.len() as u64 == u64::from(limit) {
                page.next = last.map(|after: After| after.to_string());
                break;
            }
            let (item, place) = read(row)?;
            page.items.push(item);
            last = Some(place);
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_given_and_nothing_else_is_one() {
        let after = After { instant: -5, row: 12 };
        assert_eq!("-5.12".parse(), Ok(after));
        assert_eq!(after.to_string().parse(), Ok(after));
        for text in
            ["", ".", "5", "5.", ".5", "+5.1", "5.01", " 5.1", "5.1.1", "99999999999999999999.1", "a.b"]
        {
            assert_eq!(text.parse::<After>(), Err(NoCursor), "{text}");
        }
    }
}
