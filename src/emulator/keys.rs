//! The key pair under which secret parameters travel.
//!
//! Source: protocol reference, 3.6: RSA PKCS#1 v1.5 with the key that the module file shows, the last key good for a
//! while after it was changed.
//!
//! **The private keys below are public test data.** They stand in this source for everybody to read, they protect
//! nothing, and no other program may use them. `ring` cannot make RSA keys, and a key in the source makes runs repeatable.

use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigUint;
use serde_json::Value;

/// Bytes of a block: keys have 2048 bits.
const BLOCK: usize = 256;

/// A key pair that is public test data, in hexadecimal; the public exponent is 65537.
struct TestKey {
    modulus: &'static str,
    exponent: &'static str,
}

const TEST_KEYS: [TestKey; 2] = [
    TestKey {
        modulus: "8be006004f0eb62bb9e9149c9e7844171c9666435669aae5eff9c191d8eb7c349d0268808d52e04ecb75c458457569ec5314\
         59cc87f6411bae59032b0cac0accf04ce6fc8b28dedb8d5573a83283d414784d630f0991ffcf3008478caadf3c41d2b3c631\
         f3fa962ff1fafd489a567a087fb7b65c4f85c2d45ae5878d67984a4d2cc676f4d7e6e11b27663b4383d03b960af5ecd5c75b\
         8baf4aa3bae4df7cb54ace538a974c66600c6612df5fe9c8e0894e4e2905a0d846c4d6b42eb7aa8658ae2d0636a4392f144c\
         b84cd4181aa0b67f299b48ee5100d86aabbedbb5b1918f1ffa14fa9d1103285db89daf91c24108e21c66b419a6544bfa621d\
         4890742cd38d",
        exponent: "135c2a4547126457ba16e698c6efef8dcbe727627ff142585de74d63849a247d45e8c29f2a8a013db3852a6c40863b91e921\
         12a222fc3f6d2678d63327b8862c933833d17c605678403146d95ecf35a51723c1123a2747e307983fe8964682e5eec3f33b\
         d4a2c0e29db52837645882bebb7743243f771977d38357e1dcb09553b1a68441ccce24e4fc98fb41455f78ce32cab4286417\
         10663950042224b63dedfc1c9f38af32e299e060e4660111f2bb96bd6f248babb1cf54c36b27aabce4fd7456a48275a8e357\
         d7f89a4d9031f56b7050c2d813018b6cb5f4a89d3aa63893738c238e2dd0448ed5825b11cd5ab31eeadb70d7698f142a3738\
         85ad46758e1",
    },
    TestKey {
        modulus: "9edfbc7bf0180564a4db3ee3bef6a9b6e0827a47408e4694a349ab1045821f621b365b7d98d4e4b0404922d64d8bf9d149cc\
         533fc2d8f3584fad5d1e5776176e5cc159af1989f9ddf9673fd5a56515241d12e6720af9625f60e1fe8f44b30510a6131048\
         5b0ae9f835428f8287a0fe72e95ac9c2f3fa9dc45db9c91c824a5bdc6f864305e1076f71fb8a79c4a07f94597b023dd5c437\
         d8d3d638ff32c2fa4c85a15a76ffd90e77592f62a8a4fc2d605cd2e4a4528183f557bedd82a9e1276d8c3ef5842b7f790b1f\
         f387078fdf2e91809a2fff4987f56b97c50f112d0124d57ceeb6ba897f81b67a7a784bd6fba9806687ddc5503ba8b0ebaaa3\
         3b87bc7ddcf9",
        exponent: "413cc029e85204ccea00f9570d903dea515062a3a57786b5fc4300d262a866f8a311f409a3db2fb8cbfcfc282199abd06bcc\
         5216e98caa8805d7bb57fd3409b510b3787f352e7a02d329b985a22fdab98492c13bed13b07857d114f581913d3033f1ba0a\
         ec0f94398ead313eb930bbab35f548ca1be33a2b6b0d21eee9f55cb88716ff89e41ec9fa62665c4aa945e7eeba272b17f3a2\
         329121dacafd1bfdc614faed55836942f7fc149cc0744e3cd50ca4a72278c8d932bb9ddb6ff0fa73bd75ae9a1a4a719fdd02\
         febca91b8d71f05252604a166622866f7f4fbb7e1cfa13fc34d17e56efb56dc79330c3be658cc99aa8038ac9e2bc07afe11e\
         13fcb36be20d",
    },
];

/// The key in force, and the one before it.
#[derive(Debug, Default)]
pub(super) struct Keys {
    rotations: AtomicUsize,
}

impl Keys {
    /// Puts the other key in force; the last one stays good.
    pub(super) fn rotate(&self) {
        self.rotations.fetch_add(1, Ordering::Relaxed);
    }

    fn in_force(&self) -> (&'static TestKey, Option<&'static TestKey>) {
        let rotations = self.rotations.load(Ordering::Relaxed);
        let key = |number: usize| &TEST_KEYS[number % TEST_KEYS.len()];
        (key(rotations), rotations.checked_sub(1).map(key))
    }

    /// The public key as .NET writes it.
    pub(super) fn public_xml(&self) -> String {
        let modulus = STANDARD.encode(number(self.in_force().0.modulus).to_bytes_be());
        format!("<RSAKeyValue><Modulus>{modulus}</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>")
    }

    /// The text of a secret parameter; `Err` says what is wrong with it, without the text.
    pub(super) fn decrypt(&self, sent: &str) -> Result<String, &'static str> {
        let block = STANDARD.decode(sent).map_err(|_| "it is not Base64")?;
        if block.len() != BLOCK {
            return Err("it is not one block of RSA with 2048 bits");
        }
        let (current, last) = self.in_force();
        let plain = [Some(current), last].into_iter().flatten().find_map(|key| unpad(&raise(key, &block)));
        let plain = plain.ok_or("it was not encrypted with PKCS#1 v1.5 for the key of the module file")?;
        String::from_utf8(plain).map_err(|_| "it is not UTF-8")
    }

    /// A user name with its password: the same block around JSON.
    pub(super) fn decrypt_credential(&self, sent: &str) -> Result<Value, &'static str> {
        const SHAPE: &str = "it is not JSON with UserName and Password";
        let value: Value = serde_json::from_str(&self.decrypt(sent)?).map_err(|_| SHAPE)?;
        let has = |name: &str| value[name].is_string();
        if has("UserName") && has("Password") { Ok(value) } else { Err(SHAPE) }
    }
}

fn number(hex: &str) -> BigUint {
    BigUint::parse_bytes(hex.as_bytes(), 16).expect("the keys are hexadecimal")
}

/// The private operation. It takes a time that depends on the key; the key is no secret.
fn raise(key: &TestKey, block: &[u8]) -> Vec<u8> {
    let plain = BigUint::from_bytes_be(block).modpow(&number(key.exponent), &number(key.modulus));
    let plain = plain.to_bytes_be();
    let mut padded = vec![0; BLOCK - plain.len()];
    padded.extend(plain);
    padded
}

/// `00 02`, at least eight bytes that are not zero, `00`, and the text.
fn unpad(block: &[u8]) -> Option<Vec<u8>> {
    let rest = block.strip_prefix(&[0, 2])?;
    let end = rest.iter().position(|byte| *byte == 0)?;
    (end >= 8).then(|| rest[end + 1..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `openssl pkeyutl -encrypt` for the first and the second test key.
    const PASSWORDS: [&str; 2] = [
        "MNRYBpZt3l9s7CLz52rOnynbKHhlwKv2sKxOLaq3liGieYZrD0hOsTJHZ+mgFnJpiY63qTU/03RGVVE10IjU4WpQ6gsImCYAmIT6\
         Y6eKkhLkFpDFlMOYHE5jTPFCOq+nn8lHdNARWoPk5ZyXlhp16XYNhyIyldC7chbAZ1OAThGIFCJENZ8QjjXrtRHNO6fGEDOfZDsx\
         jlf3Abx947whGIN8rOX55mdVwms5SeLKaCeJHlSou3YVzq+blWEgau3G4p/a6oi/8o7VGIJZSdq/yO536aeBtDcb5+/x8KQVLSsn\
         ds9E/gNMV5EQn1A0fDSBHPw5o4tM2CdgycR6YEf6Bw==",
        "jFYGPp/uf3JlDftr1g5sD1LNc067QNZROue5p/hU5QdzcE3oAJOhtp89fSUBrKyypMm45//sdZ4VK3TRRbK0XengIBwhf6sBeZWN\
         abwo9cD8huz4NJp6eSY8kGErZaPdT9EfqtDvpkKLVIudRQJMBFK49JKFQwpcHIEAlJWiwMvW47/i6kJ2awUdGRHX8jo/GmdUum4F\
         EA98ftVJ2r/h2wE6IxLLp4D2YRraJnLDXEg84zdNf38Ohn/mk2kUR851Ytdu9kTZdI8vfNFYv0Nv1whFOlcEMw12I9zaowmDa/I2\
         ii1F2eqyZE+Q0cF6Iy7Co9s+4X5CctwMdnkWPwyXFg==",
    ];
    const CREDENTIAL: &str = "HmC/htFme48vJI6sQUA10OXRaXHG/tBWFX/OLMElnHwLmOqZiyXvE/EuR0TN7zl0yCtpBo4QcEiSyrbClx4XlKdU02ccWvhXzV+O\
         SJXGqQY1AX7uVUxNBJ1ezHiEcIAV14DznSqT89kd8iXcqzhbJBdypn6AHQHfV7qqBxyx1HDohrzFYAFnRvM9GARTr9unMGM+MBfY\
         5astJ561Cm69ELR+MnqgdLONMdn5Wb/2WtxP/ob00hVk176bgQs93zcJKwm+T9A0Zw905/EU6x9PT39U7xTAPyeE3HPKYO3HRohW\
         bCDpVVs3nIiqF1ESCu7+MPDmd2va4sRJuwOHdXKQrg==";

    #[test]
    fn what_openssl_encrypted_is_read() {
        let keys = Keys::default();
        assert_eq!(keys.decrypt(PASSWORDS[0]).unwrap(), "Kennwort-äöü-1");
        let credential = keys.decrypt_credential(CREDENTIAL).unwrap();
        assert_eq!(
            credential,
            serde_json::json!({"UserName": "svc@contoso.example", "Password": "pw-canary"})
        );
    }

    #[test]
    fn the_last_key_stays_good_and_the_next_one_is_not_good_before_its_time() {
        let keys = Keys::default();
        assert!(keys.decrypt(PASSWORDS[1]).is_err());
        let first = keys.public_xml();
        keys.rotate();
        assert_ne!(keys.public_xml(), first);
        assert!(PASSWORDS.iter().all(|password| keys.decrypt(password).is_ok()));
    }

    #[test]
    fn what_is_not_encrypted_is_refused() {
        let keys = Keys::default();
        assert_eq!(keys.decrypt("Kennwort-1"), Err("it is not Base64"));
        assert_eq!(keys.decrypt("AAAA"), Err("it is not one block of RSA with 2048 bits"));
        let noise = STANDARD.encode([7; BLOCK]);
        assert!(keys.decrypt(&noise).unwrap_err().starts_with("it was not encrypted"));
        assert!(keys.decrypt_credential(PASSWORDS[0]).is_err());
        assert_eq!(unpad(b"\x00\x02\x01\x01\x01\x01\x01\x01\x01\x00x"), None, "seven bytes of padding");
        assert_eq!(
            unpad(b"\x00\x01\x01\x01\x01\x01\x01\x01\x01\x01\x00x"),
            None,
            "the padding of signatures"
        );
        assert_eq!(unpad(b"\x00\x02\x01\x01\x01\x01\x01\x01\x01\x01\x00x"), Some(b"x".to_vec()));
    }
}
