//! A secret in a file: a mounted Kubernetes Secret, say.

use std::path::Path;

use secrecy::SecretString;
use tokio::io::AsyncReadExt;

/// More than any client secret or key; a larger file is a mistake.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

pub(super) async fn read(path: &Path) -> Result<SecretString, String> {
    let file = tokio::fs::File::open(path).await.map_err(|error| format!("cannot be opened: {error}"))?;
    let mut bytes = Vec::new();
    file.take(SECRET_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .await
        .map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > SECRET_BYTES_MAX {
        return Err(format!("holds more than {SECRET_BYTES_MAX} bytes; that is no credential"));
    }
    let text = String::from_utf8(bytes).map_err(|_| "the content is not UTF-8".to_owned())?;
    checked(text)
}

/// A secret without its trailing line end, refused if it is empty or could not stand in a header or form.
pub(super) fn checked(mut text: String) -> Result<SecretString, String> {
    while text.ends_with(['\n', '\r']) {
        text.pop();
    }
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    if text.chars().any(|character| character.is_control() && character != '\n' && character != '\r') {
        return Err("holds control characters; was it written as UTF-16 or binary?".to_owned());
    }
    Ok(SecretString::from(text))
}
