//! A key for secrets as the service's module file holds one, made and used by `openssl`.

use std::path::PathBuf;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A key pair in a folder of its own.
pub(crate) struct ModuleKey {
    folder: tempfile::TempDir,
}

impl ModuleKey {
    pub(crate) fn new() -> ModuleKey {
        let key = ModuleKey { folder: tempfile::tempdir().unwrap() };
        let path = key.private();
        openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out"], &path);
        key
    }

    fn private(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    /// The answer of the module's address, whose text holds the public key.
    pub(crate) fn module_file(&self) -> String {
        let modulus = openssl(&["rsa", "-noout", "-modulus", "-in"], &self.private());
        let modulus = String::from_utf8(modulus).unwrap();
        let hex = modulus.trim().trim_start_matches("Modulus=");
        let bytes: Vec<u8> =
            (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect();
        let xml = format!(
            "<RSAKeyValue><Modulus>{}</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>",
            STANDARD.encode(bytes)
        );
        let text = format!("function Set-Mailbox {{ }}\r\n$PublicKey = '{xml}'\r\n");
        serde_json::json!({"value": [{"exportedCmdlets": "Set-Mailbox", "ModuleText": text}]}).to_string()
    }

    /// What was encrypted under the key, if it was.
    pub(crate) fn opened(&self, sealed: &str) -> Option<String> {
        let input = self.folder.path().join("sealed");
        std::fs::write(&input, STANDARD.decode(sealed).ok()?).unwrap();
        let output = Command::new("openssl")
            .args(["pkeyutl", "-decrypt", "-pkeyopt", "rsa_padding_mode:pkcs1", "-inkey"])
            .arg(self.private())
            .arg("-in")
            .arg(&input)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).ok().filter(|_| output.status.success())
    }
}

fn openssl(arguments: &[&str], path: &std::path::Path) -> Vec<u8> {
    let output = Command::new("openssl").args(arguments).arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
