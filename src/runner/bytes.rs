//! Bytes that a parameter takes: read from their file when the call is made.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::catalog::BYTES;
use crate::spec::template::BytesValue;

/// The service takes no more in a request than a few tens of megabytes, and each byte becomes up to four.
const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// The value that stands for the bytes in a call.
///
/// # Errors
/// The file cannot be read; the text names it.
pub(super) fn value(bytes: &BytesValue) -> Result<Value, String> {
    let text = match bytes {
        BytesValue::Base64(text) => text.clone(),
        BytesValue::File(path) => read(path).map_err(|why| format!("the file {} {why}", path.display()))?,
    };
    Ok(json!({ BYTES: text }))
}

fn read(path: &Path) -> Result<String, String> {
    let unopened = |error: std::io::Error| format!("cannot be opened: {error}");
    // A pipe or a terminal would be waited for here, with a session open, and no signal would be heard.
    if !std::fs::metadata(path).map_err(unopened)?.is_file() {
        return Err("is a pipe, a device or a folder: name a regular file".to_owned());
    }
    let file = File::open(path).map_err(unopened)?;
    let mut bytes = Vec::new();
    let read = file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("has more than {FILE_BYTES_MAX} bytes, which no request takes"));
    }
    Ok(STANDARD.encode(bytes))
}

/// How many bytes a value stands for, if it does; for people, who are shown the number.
pub(super) fn counted(value: &Value) -> Option<usize> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    let text = members.get(BYTES)?.as_str()?;
    Some(text.trim_end_matches('=').len() * 3 / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_its_bytes_and_one_that_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rules.xml");
        for bytes in [&b""[..], b"\x00", b"\x00\x01\xff", b"\x00\x01\xff/"] {
            std::fs::write(&path, bytes).unwrap();
            let value = value(&BytesValue::File(path.clone())).unwrap();
            assert_eq!(value, json!({ "@bytes": STANDARD.encode(bytes) }));
            assert_eq!(counted(&value), Some(bytes.len()));
        }
        let missing = folder.path().join("missing");
        let why = value(&BytesValue::File(missing.clone())).unwrap_err();
        assert!(why.contains(&missing.display().to_string()) && why.contains("cannot be opened"), "{why}");
        for strange in ["/dev/zero", "/dev/stdin", "/"] {
            let why = value(&BytesValue::File(strange.into())).unwrap_err();
            assert!(why.contains("name a regular file"), "{strange}: {why}");
        }
        std::fs::File::create(&path).unwrap().set_len(FILE_BYTES_MAX + 1).unwrap();
        assert!(value(&BytesValue::File(path)).unwrap_err().contains("has more than 8388608 bytes"));
        assert_eq!(counted(&json!({"add": ["a"]})), None);
    }
}
