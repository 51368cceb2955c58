//! The items of a cmdlet called by hand, for people or for programs.

use std::io;

use comfy_table::{Table, presets};
use serde_json::Value;

use super::console::shown;
use super::items::Items;

/// Columns for people, or that there is nothing: of a read nothing was found. Without a selection, the properties that tell one object from another, or the first few.
///
/// # Errors
/// If the items cannot be read again.
pub fn table(items: &Items, select: &[String], only_reads: bool) -> io::Result<String> {
    const TELLING: [&str; 5] =
        ["Name", "DisplayName", "PrimarySmtpAddress", "RecipientTypeDetails", "Identity"];
    const COLUMNS_MAX: usize = 5;
    let Some(first) = items.iter().next().transpose()? else {
        return Ok(if only_reads { "nothing found" } else { "done; the cmdlet returned nothing" }.to_owned());
    };
    let has = |name: &str| first.get(name).is_some();
    let columns: Vec<String> = match select {
        [] if TELLING.iter().any(|name| has(name)) => {
            TELLING.iter().filter(|name| has(name)).map(|name| (*name).to_owned()).collect()
        }
        [] => first.as_object().into_iter().flat_map(|item| item.keys().take(COLUMNS_MAX).cloned()).collect(),
        select => select.to_vec(),
    };
    let mut table = Table::new();
    table.load_style(presets::ASCII_BORDERS_ONLY_CONDENSED);
    table.set_header(&columns);
    for item in items.iter() {
        let item = item?;
        table.add_row(columns.iter().map(|column| item.get(column).map_or_else(String::new, shown)));
    }
    Ok(table.to_string())
}

/// A JSON list, one object a line.
///
/// # Errors
/// If the items cannot be read again.
pub fn json(items: &Items) -> io::Result<String> {
    let lines: io::Result<Vec<String>> =
        items.iter().map(|item| item.map(|item: Value| item.to_string())).collect();
    Ok(format!("[{}]", lines?.join(",\n ")))
}
