//! A secret in an environment variable.

use zeroize::Zeroizing;

pub(super) fn read(name: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    match std::env::var(name) {
        Ok(value) => Ok(Zeroizing::new(value.into_bytes())),
        Err(std::env::VarError::NotPresent) => {
            Err("the variable is not set; set it, or keep the secret in a file (`credential: {file: PATH}`)"
                .to_owned())
        }
        Err(std::env::VarError::NotUnicode(_)) => Err("the value is not UTF-8".to_owned()),
    }
}
