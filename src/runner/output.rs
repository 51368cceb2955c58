//! A step's items as a file: CSV, NDJSON or JSON, written beside the place and moved there when complete.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde_json::Value;

use super::items::Items;
use crate::observe::escape::{csv_cell, one_line};
use crate::observe::whole_file;
use crate::spec::job::OutputFormat;

/// One cell of a spreadsheet holds no more.
const CELL_CHARS_MAX: usize = 32_767;

/// What a spreadsheet knows UTF-8 by.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Writes `items` to `path`: mode 0600, replaced only when everything is written, columns as `columns` names them, at
/// most `bytes_max` bytes.
///
/// # Errors
/// The text names the file and the mend. The file that was there before is still there then.
pub(super) fn write(
    path: &Path,
    format: OutputFormat,
    columns: &[String],
    items: &Items,
    bytes_max: u64,
) -> Result<(), String> {
    let failed = |error: io::Error| format!("output {}: {error}", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed)?;
    let fill = |file: &mut File| {
        let writer = BufWriter::new(Bounded { inner: file, bytes_max, written: 0 });
        match format {
            OutputFormat::Csv { bom, raw } => write_csv(writer, columns, items, bom, raw),
            OutputFormat::Ndjson => write_ndjson(writer, items),
            OutputFormat::Json => write_json(writer, items),
        }
    };
    whole_file::write_whole(path, whole_file::PRIVATE, fill).map_err(|error| failed(error.source))
}

/// Takes no more than a number of bytes: a listing gone wrong must not fill the host's disk.
struct Bounded<W> {
    inner: W,
    bytes_max: u64,
    written: u64,
}

impl<W: Write> Write for Bounded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.written + bytes.len() as u64 > self.bytes_max {
            let text = format!(
                "it would have more than {} bytes (OUTPUT_BYTES_MAX); select fewer properties, or list in several steps",
                self.bytes_max
            );
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        let written = self.inner.write(bytes)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn write_csv(
    mut writer: impl Write,
    columns: &[String],
    items: &Items,
    bom: bool,
    raw: bool,
) -> io::Result<()> {
    if bom {
        writer.write_all(BYTE_ORDER_MARK)?;
    }
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(writer);
    csv.write_record(columns.iter().map(|column| csv_cell(column).into_owned()))?;
    for item in items.iter() {
        let item = item?;
        csv.write_record(columns.iter().map(|column| cell(item.get(column), raw)))?;
    }
    csv.flush()
}

/// Unset is empty, a list is joined, and what a spreadsheet would calculate is marked as text unless it is `raw`.
fn cell(value: Option<&Value>, raw: bool) -> String {
    let text = match value {
        None | Some(Value::Null) => return String::new(),
        Some(number_or_boolean @ (Value::Number(_) | Value::Bool(_))) => {
            return number_or_boolean.to_string();
        }
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(members)) => {
            let members: Vec<String> = members
                .iter()
                .map(|member| member.as_str().map_or_else(|| member.to_string(), str::to_owned))
                .collect();
            members.join("; ")
        }
        Some(object @ Value::Object(_)) => object.to_string(),
    };
    if raw { text } else { csv_cell(&one_line(&text, CELL_CHARS_MAX)).into_owned() }
}

fn write_ndjson(mut writer: impl Write, items: &Items) -> io::Result<()> {
    // JSON escapes control characters itself; a line is one item.
    items.write_lines(&mut writer)?;
    writer.flush()
}

/// One array, one item a line.
fn write_json(mut writer: impl Write, items: &Items) -> io::Result<()> {
    let mut before: &[u8] = b"[\n";
    for item in items.iter() {
        writer.write_all(before)?;
        serde_json::to_writer(&mut writer, &item?)?;
        before = b",\n";
    }
    writer.write_all(if before == b"[\n" { b"[]\n" } else { b"\n]\n" })?;
    writer.flush()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use serde_json::json;

    use super::super::items::Spool;
    use super::*;

    fn items(values: &[Value]) -> Items {
        let mut spool = Spool::default();
        for value in values {
            spool.push(value.to_string().as_bytes()).unwrap();
        }
        spool.finish().unwrap()
    }

    const CSV: OutputFormat = OutputFormat::Csv { bom: false, raw: false };

    fn written(path: &Path, format: OutputFormat, columns: &[&str], values: &[Value]) -> String {
        let columns: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
        write(path, format, &columns, &items(values), u64::MAX).unwrap();
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn csv_has_the_named_columns_and_no_formulas() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/report.csv");
        let values = [
            json!({"Name": "=HYPERLINK(\"x\")", "Flag": true, "List": ["a", "b"], "Hidden": 1}),
            json!({"Name": "Łódź, \"quoted\"\r\nline", "Flag": null, "List": [], "Hidden": 2}),
        ];
        let text = written(&path, CSV, &["Name", "Flag", "List"], &values);
        insta::assert_snapshot!(text, @r#"
        Name,Flag,List
        "'=HYPERLINK(""x"")",true,a; b
        "Łódź, ""quoted""\r\nline",,
        "#);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn raw_text_is_the_services_and_a_byte_order_mark_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.csv");
        let long = "x".repeat(CELL_CHARS_MAX + 1);
        let values = [
            json!({"Name": "=1+1", "List": ["-a", "b"], "Map": {"a": 1}, "Flag": false}),
            json!({"Name": "two\r\nlines\u{202e}", "List": [], "Map": null, "Flag": null}),
            json!({"Name": long}),
        ];
        let format = OutputFormat::Csv { bom: true, raw: true };
        let text = written(&path, format, &["Name", "List", "Map", "Flag"], &values);
        let expected = format!(
            "\u{feff}Name,List,Map,Flag\r\n=1+1,-a; b,\"{{\"\"a\"\":1}}\",false\r\n\"two\r\nlines\u{202e}\",,,\r\n{long},,,\r\n"
        );
        assert_eq!(text, expected);
        let marked = written(&path, OutputFormat::Csv { bom: true, raw: false }, &["Name"], &values[..1]);
        assert_eq!(marked, "\u{feff}Name\r\n'=1+1\r\n");
    }

    #[test]
    fn ndjson_keeps_values_and_one_line_an_item() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.ndjson");
        let values = [json!({"Name": "line\nbreak"}), json!({"Name": "=1"})];
        let text = written(&path, OutputFormat::Ndjson, &[], &values);
        let read: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(read, values);
    }

    #[test]
    fn json_is_one_array_whatever_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        let values = [json!({"Name": "line\nbreak"}), json!({"Name": "=1"}), json!({})];
        for count in 0..=values.len() {
            let text = written(&path, OutputFormat::Json, &[], &values[..count]);
            let read: Vec<Value> = serde_json::from_str(&text).unwrap();
            assert_eq!(read, values[..count], "{text}");
            assert!(text.ends_with("]\n"), "{text}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_written_keeps_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let error = write(folder.path(), CSV, &[], &items(&[]), u64::MAX).unwrap_err();
        assert!(error.contains("is a folder"), "{error}");
        let error = write(Path::new("/dev/full/x.csv"), CSV, &[], &items(&[]), u64::MAX).unwrap_err();
        assert!(error.contains("/dev/full/x.csv"), "{error}");
    }

    #[test]
    fn a_file_has_no_more_bytes_than_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report");
        let values = [json!({"Name": "a"}), json!({"Name": "b"})];
        for (format, size) in [
            (OutputFormat::Csv { bom: true, raw: false }, 15),
            (OutputFormat::Ndjson, 26),
            (OutputFormat::Json, 31),
        ] {
            let columns = ["Name".to_owned()];
            fs::write(&path, "of yesterday").unwrap();
            let error = write(&path, format, &columns, &items(&values), size - 1).unwrap_err();
            assert!(error.contains(&format!("more than {} bytes (OUTPUT_BYTES_MAX)", size - 1)), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), "of yesterday");
            write(&path, format, &columns, &items(&values), size).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().len(), size);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }
}
