//! The service's public key, and RSA PKCS#1 v1.5 encryption under it. Source: protocol reference, 3.6.
//!
//! Only encryption with a public key is done here: no private key, and so nothing whose time could tell of one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigUint;
use regex::Regex;
use ring::rand::SecureRandom;
use zeroize::Zeroizing;

/// What a 2048-bit key takes: 256 bytes without the padding's eleven.
pub(super) const VALUE_BYTES_MAX: usize = 245;
/// Zero, the block's type, at least eight bytes of chance, zero.
const PADDING_BYTES: usize = 11;
/// The service's keys have 2048 bits; a shorter one is not the service's.
const KEY_BITS_MIN: u64 = 2048;
const KEY_BITS_MAX: u64 = 8192;

/// A public key of RSA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PublicKey {
    modulus: BigUint,
    exponent: BigUint,
}

impl PublicKey {
    /// The key in a generated module's text: the `RSAKeyValue` given to `$PublicKey`, else the only one there is.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub(super) fn find(module: &str) -> Result<PublicKey, String> {
        let assigned =
            expression(r#"(?is)\$(?:\w+:)?PublicKey\s*=[\s@'"\w\[\].:]*<RSAKeyValue>(.*?)</RSAKeyValue>"#);
        let any = expression(r"(?is)<RSAKeyValue>(.*?)</RSAKeyValue>");
        if let Some(found) = assigned.captures(module) {
            return PublicKey::read(&found[1]);
        }
        let mut all: Vec<&str> = any.captures_iter(module).map(|found| found.extract::<1>().1[0]).collect();
        all.dedup();
        match all[..] {
            [] => Err("it holds no public key".to_owned()),
            [one] => PublicKey::read(one),
            _ => Err("it holds several public keys".to_owned()),
        }
    }

    /// A key of the inside of `RSAKeyValue`.
    fn read(xml: &str) -> Result<PublicKey, String> {
        let number = |element: &str| {
            let text = expression(&format!("(?is)<{element}>(.*?)</{element}>"));
            let found = text.captures(xml).ok_or_else(|| format!("its public key has no {element}"))?;
            let base64: String = found[1].split_whitespace().collect();
            let bytes = STANDARD.decode(base64);
            let bytes = bytes.map_err(|_| format!("its public key's {element} is not Base64"))?;
            Ok::<_, String>(BigUint::from_bytes_be(&bytes))
        };
        let (modulus, exponent) = (number("Modulus")?, number("Exponent")?);
        if !(KEY_BITS_MIN..=KEY_BITS_MAX).contains(&modulus.bits()) {
            return Err(format!("its public key has {} bits, not {KEY_BITS_MIN}", modulus.bits()));
        }
        // The usual 65537; 1 would send the secret as it is.
        if exponent < BigUint::from(3u8) || !exponent.bit(0) || exponent.bits() > 64 {
            return Err("its public key has an exponent that no key has".to_owned());
        }
        Ok(PublicKey { modulus, exponent })
    }

    /// `secret` encrypted, as Base64.
    ///
    /// The padded block is wiped; the numbers of the calculation are freed by their library without that.
    ///
    /// # Errors
    /// If it is too long for the key, or if the system gives no chance.
    pub(super) fn encrypt(&self, secret: &[u8], random: &dyn SecureRandom) -> Result<String, String> {
        let size = self.modulus.bits().div_ceil(8) as usize;
        let padding = size.checked_sub(secret.len() + 3).filter(|bytes| bytes + 3 >= PADDING_BYTES);
        let padding = padding.ok_or_else(|| format!("it has more than {} bytes", size - PADDING_BYTES))?;
        let mut block = Zeroizing::new(vec![0u8; size]);
        block[1] = 2;
        for byte in &mut block[2..2 + padding] {
            while *byte == 0 {
                random
                    .fill(std::slice::from_mut(byte))
                    .map_err(|_| "the system's random source failed".to_owned())?;
            }
        }
        block[size - secret.len()..].copy_from_slice(secret);
        let cipher = BigUint::from_bytes_be(&block).modpow(&self.exponent, &self.modulus).to_bytes_be();
        let mut whole = vec![0u8; size - cipher.len()];
        whole.extend_from_slice(&cipher);
        Ok(STANDARD.encode(whole))
    }
}

fn expression(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a fixed pattern is right")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    struct Pair {
        _folder: tempfile::TempDir,
        private: std::path::PathBuf,
        xml: String,
    }

    /// A key made by a program that nobody here wrote.
    fn pair(bits: &str) -> Pair {
        let folder = tempfile::tempdir().unwrap();
        let private = folder.path().join("key.pem");
        let openssl = |arguments: &[&str]| {
            let output = Command::new("openssl").args(arguments).output().unwrap();
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        let path = private.to_str().unwrap();
        openssl(&[
            "genpkey",
            "-algorithm",
            "RSA",
            "-pkeyopt",
            &format!("rsa_keygen_bits:{bits}"),
            "-out",
            path,
        ]);
        let modulus = openssl(&["rsa", "-in", path, "-noout", "-modulus"]);
        let modulus =
            BigUint::parse_bytes(modulus.trim().trim_start_matches("Modulus=").as_bytes(), 16).unwrap();
        let xml = format!(
            "<RSAKeyValue><Modulus>{}</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>",
            STANDARD.encode(modulus.to_bytes_be())
        );
        Pair { _folder: folder, private, xml }
    }

    fn decrypted(pair: &Pair, sealed: &str) -> String {
        let input = pair.private.with_extension("sealed");
        std::fs::write(&input, STANDARD.decode(sealed).unwrap()).unwrap();
        let output = Command::new("openssl")
            .args(["pkeyutl", "-decrypt", "-pkeyopt", "rsa_padding_mode:pkcs1", "-inkey"])
            .arg(&pair.private)
            .arg("-in")
            .arg(&input)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn openssl_reads_what_was_encrypted_under_its_key() {
        let pair = pair("2048");
        let module =
            format!("function a {{ $x.FromXmlString($PublicKey) }}\n$script:PublicKey = '{}'\n", pair.xml);
        let key = PublicKey::find(&module).unwrap();
        let random = ring::rand::SystemRandom::new();
        let longest = "k".repeat(VALUE_BYTES_MAX);
        for secret in ["p\u{e4}ssword-f\u{fc}r-anna", "x", &longest] {
            let (one, two) =
                (key.encrypt(secret.as_bytes(), &random), key.encrypt(secret.as_bytes(), &random));
            assert_ne!(one, two, "the padding is chance");
            assert_eq!(decrypted(&pair, &one.unwrap()), secret);
        }
        let longer = "k".repeat(VALUE_BYTES_MAX + 1);
        assert_eq!(key.encrypt(longer.as_bytes(), &random), Err("it has more than 245 bytes".to_owned()));
    }

    #[test]
    fn a_key_that_cannot_be_the_services_is_refused() {
        let pair = pair("2048");
        let refused = |module: &str| PublicKey::find(module).unwrap_err();
        assert!(refused("no key here").contains("no public key"));
        assert!(refused(&pair.xml.replace("AQAB", "AQ==")).contains("exponent"));
        assert!(
            refused("<RSAKeyValue><Modulus>AQAB</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>")
                .contains("17 bits")
        );
        assert!(refused("<RSAKeyValue><Modulus>?</Modulus></RSAKeyValue>").contains("Modulus is not Base64"));
        let other = pair.xml.replacen("<Modulus>", "<Modulus>AA", 1);
        assert!(refused(&format!("{}{other}", pair.xml)).contains("several"));
    }
}
