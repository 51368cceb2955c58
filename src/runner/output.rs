//! A step's items as a file: CSV or NDJSON, written beside the place and moved there when complete.

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

/// Writes `items` to `path`: mode 0600, replaced only when everything is written, columns as `columns` names them.
///
/// # Errors
/// The text names the file and the mend. The file that was there before is still there then.
pub(super) fn write(
    path: &Path,
    format: OutputFormat,
    columns: &[String],
    items: &Items,
) -> Result<(), String> {
    let failed = |error: io::Error| format!("output {}: {error}", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed)?;
    let fill = |file: &mut File| {
        let writer = BufWriter::new(file);
        match format {
            OutputFormat::Csv => write_csv(writer, columns, items),
            OutputFormat::Ndjson => write_ndjson(writer, items),
        }
    };
    whole_file::write_whole(path, whole_file::PRIVATE, fill).map_err(|error| failed(error.source))
}

fn write_csv(writer: impl Write, columns: &[String], items: &Items) -> io::Result<()> {
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(writer);
    csv.write_record(columns.iter().map(|column| csv_cell(column).into_owned()))?;
    for item in items.iter() {
        let item = item?;
        csv.write_record(columns.iter().map(|column| cell(item.get(column))))?;
    }
    csv.flush()
}

/// Unset is empty, a list is joined, and what a spreadsheet would calculate is marked as text.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => csv_cell(&one_line(text, CELL_CHARS_MAX)).into_owned(),
        Some(Value::Array(members)) => {
            let members: Vec<String> = members
                .iter()
                .map(|member| member.as_str().map_or_else(|| member.to_string(), str::to_owned))
                .collect();
            csv_cell(&one_line(&members.join("; "), CELL_CHARS_MAX)).into_owned()
        }
        Some(Value::Object(_)) => {
            csv_cell(&one_line(&value.map(Value::to_string).unwrap_or_default(), CELL_CHARS_MAX)).into_owned()
        }
        Some(other) => other.to_string(),
    }
}

fn write_ndjson(mut writer: impl Write, items: &Items) -> io::Result<()> {
    // serde_json escapes control characters itself; a line is one item.
    for item in items.iter() {
        serde_json::to_writer(&mut writer, &item?)?;
        writer.write_all(b"\n")?;
    }
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
            spool.push(value).unwrap();
        }
        spool.finish().unwrap()
    }

    #[test]
    fn csv_has_the_named_columns_and_no_formulas() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/report.csv");
        let items = items(&[
            json!({"Name": "=HYPERLINK(\"x\")", "Flag": true, "List": ["a", "b"], "Hidden": 1}),
            json!({"Name": "Łódź, \"quoted\"\r\nline", "Flag": null, "List": [], "Hidden": 2}),
        ]);
        let columns = ["Name", "Flag", "List"].map(str::to_owned);
        write(&path, OutputFormat::Csv, &columns, &items).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        insta::assert_snapshot!(text, @r#"
        Name,Flag,List
        "'=HYPERLINK(""x"")",true,a; b
        "Łódź, ""quoted""\r\nline",,
        "#);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn ndjson_keeps_values_and_one_line_an_item() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.ndjson");
        let values = [json!({"Name": "line\nbreak"}), json!({"Name": "=1"})];
        write(&path, OutputFormat::Ndjson, &[], &items(&values)).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let read: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(read, values);
    }

    #[test]
    fn a_file_that_cannot_be_written_keeps_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let error = write(folder.path(), OutputFormat::Csv, &[], &items(&[])).unwrap_err();
        assert!(error.contains("is a folder"), "{error}");
        let error = write(Path::new("/dev/full/x.csv"), OutputFormat::Csv, &[], &items(&[])).unwrap_err();
        assert!(error.contains("/dev/full/x.csv"), "{error}");
    }
}
