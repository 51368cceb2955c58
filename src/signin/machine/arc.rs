//! Azure Arc: whoever asks proves to be on the machine by reading a file that only its agent's group may read.
//!
//! Source: protocol reference, 2.9 (the path's checks are inferred from Microsoft's own libraries).

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use tokio::io::AsyncReadExt as _;
use zeroize::Zeroizing;

/// Where the agent puts its keys on Linux. A path elsewhere would make this program send any file to whoever answered.
const FOLDER: &str = "/var/opt/azcmagent/tokens";
const BYTES_MAX: u64 = 4096;

/// What the file that the challenge names holds.
pub(super) async fn key(challenge: &str) -> Result<SecretString, String> {
    let path = path(challenge, Path::new(FOLDER))?;
    let shown = path.display();
    let cannot = |error: std::io::Error| {
        format!("{shown} cannot be read: {error}; the user must be of the group `himds`")
    };
    let file = tokio::fs::File::open(&path).await.map_err(cannot)?;
    let mut text = Zeroizing::new(String::with_capacity(4096));
    file.take(BYTES_MAX).read_to_string(&mut text).await.map_err(cannot)?;
    Ok(SecretString::from(text.trim().to_owned()))
}

fn path(challenge: &str, folder: &Path) -> Result<PathBuf, String> {
    let realm = challenge.strip_prefix("Basic realm=").ok_or("the challenge is not the one of Azure Arc")?;
    let path = PathBuf::from(realm.trim().trim_matches('"'));
    let fits = path.parent() == Some(folder)
        && path.extension().is_some_and(|extension| extension == "key")
        && path.components().all(|part| part != std::path::Component::ParentDir);
    if fits { Ok(path) } else { Err(format!("the challenge names a file that is not below {FOLDER}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_key_of_the_agent_is_ever_read() {
        let folder = Path::new(FOLDER);
        let good = path("Basic realm=/var/opt/azcmagent/tokens/a-1.key", folder);
        assert_eq!(good.unwrap(), PathBuf::from("/var/opt/azcmagent/tokens/a-1.key"));
        for challenge in [
            "Basic realm=/etc/shadow",
            "Basic realm=/var/opt/azcmagent/tokens/../../../../etc/x.key",
            "Basic realm=/var/opt/azcmagent/tokens/a-1.txt",
            "Bearer realm=\"\"",
        ] {
            assert!(path(challenge, folder).is_err(), "{challenge}");
        }
    }
}
