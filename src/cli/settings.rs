//! `exorun settings`: each setting with its value and where it came from.

use std::io::{self, Write};

use crate::exit::Exit;
use crate::observe::escape::one_line;
use crate::settings::Settings;

/// Prints the settings as an aligned table to `out`, secrets masked.
pub fn run(settings: &Settings, out: &mut dyn Write) -> Exit {
    match print(settings, out) {
        Ok(()) => Exit::Done,
        // `exorun settings | head`: the reader has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Err(_) => Exit::Failed,
    }
}

fn print(settings: &Settings, out: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<[String; 3]> = settings
        .origins()
        .iter()
        .map(|shown| {
            let value = shown.value.clone().unwrap_or_else(|| "-".to_owned());
            [shown.key.to_owned(), value, one_line(&shown.origin.to_string(), 300)]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (keys, values) = (width(0), width(1));
    for [key, value, origin] in &rows {
        writeln!(out, "{key:<keys$}  {value:<values$}  {origin}")?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::run;
    use crate::exit::Exit;
    use crate::settings::Settings;

    #[test]
    fn each_value_stands_with_its_origin() {
        let flags = BTreeMap::from([
            ("state_dir".to_owned(), "/var/lib/exorun".to_owned()),
            ("log_format".to_owned(), "json".to_owned()),
        ]);
        let environment = BTreeMap::from([
            ("EXORUN_LOGIN_ENDPOINT".to_owned(), "https://login.example".to_owned()),
            ("EXORUN_EXCHANGE_SCOPE".to_owned(), "a\u{202e}b".to_owned()),
        ]);
        let settings = Settings::load(flags, &environment, None).unwrap();
        let mut out = Vec::new();
        assert_eq!(run(&settings, &mut out), Exit::Done);
        insta::assert_snapshot!(String::from_utf8(out).unwrap());
    }
}
