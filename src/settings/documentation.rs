//! The page on settings, made from the table, so that it cannot say something else than the program does.

use super::table::{TABLE, flag_name, variable_name};

/// The page `docs/settings.md`; a test compares the two.
pub fn documentation() -> String {
    let mut page = String::from(
        "# Settings\n\n\
         Made from `src/settings/table.rs`; `EXORUN_TEST_UPDATE=1 cargo test --lib settings` writes it anew.\n\n\
         A flag wins over a variable, this over the file of `--settings` (or `EXORUN_SETTINGS`), that over the default.\n\
         The file is a flat YAML map of the keys below. A variable that is set to nothing counts as not set.\n\
         `exorun settings` prints each value with its origin. Durations are whole numbers with units, as `1h30m`:\n\
         d, h, m, s, ms.\n\n\
         | Key, flag, variable | Value | Default | What it does |\n\
         | --- | --- | --- | --- |\n",
    );
    for row in TABLE {
        let default = row.default.map_or_else(|| "none".to_owned(), |default| format!("`{default}`"));
        page.push_str(&format!(
            "| `{}`<br>`{}`<br>`{}` | {} | {default} | {} |\n",
            row.key,
            flag_name(row.key),
            variable_name(row.key),
            row.wanted(),
            row.doc.replace('|', "\\|"),
        ));
    }
    page
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::documentation;

    #[test]
    fn the_page_says_what_the_table_says() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/settings.md");
        if std::env::var_os("EXORUN_TEST_UPDATE").is_some() {
            std::fs::write(&path, documentation()).unwrap();
        }
        let page = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            page == documentation(),
            "docs/settings.md is not what the table says; run `EXORUN_TEST_UPDATE=1 cargo test --lib settings`"
        );
    }
}
