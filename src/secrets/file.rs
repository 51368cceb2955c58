//! A secret in a file: a mounted Kubernetes Secret, say.

use std::path::Path;

use tokio::io::AsyncReadExt;
use zeroize::Zeroizing;

/// More than any client secret or key; a larger file is a mistake.
const SECRET_BYTES_MAX: usize = 64 * 1024;

pub(super) async fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let file = tokio::fs::File::open(path).await.map_err(|error| format!("cannot be opened: {error}"))?;
    // All at once: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(SECRET_BYTES_MAX + 1));
    file.take(SECRET_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .await
        .map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() > SECRET_BYTES_MAX {
        return Err(format!("holds more than {SECRET_BYTES_MAX} bytes; that is no credential"));
    }
    Ok(bytes)
}
