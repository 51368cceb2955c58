//! Bodies of answers that hold a token, read up to a bound and wiped when dropped.

use zeroize::Zeroizing;

/// Answers are a few kilobytes.
const BYTES_MAX: usize = 256 * 1024;

/// The body of `answer`; of one that is longer than any real one, the beginning, which then holds no token.
///
/// # Errors
/// If it is cut off.
pub(super) async fn bounded(mut answer: reqwest::Response) -> Result<Zeroizing<Vec<u8>>, reqwest::Error> {
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > BYTES_MAX {
            break;
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
