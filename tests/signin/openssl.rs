//! Keys and certificates, made by OpenSSL where a test wants them.

use std::path::Path;
use std::process::{Command, Output};

/// Runs `openssl` in `folder`.
pub(crate) fn openssl(folder: &Path, arguments: &str) -> Output {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// `NAME.key` (PKCS#8) and `NAME.crt` for a year, self-signed.
pub(crate) fn pair(folder: &Path, name: &str) {
    pair_for(folder, name, 365);
}

/// As [`pair`], for some days.
pub(crate) fn pair_for(folder: &Path, name: &str, days: u32) {
    openssl(
        folder,
        &format!(
            "req -x509 -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.crt -days {days} -subj /CN={name}"
        ),
    );
}

/// A file's text.
pub(crate) fn text(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap()
}
