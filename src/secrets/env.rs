//! A secret in an environment variable.

use secrecy::SecretString;

pub(super) fn read(name: &str) -> Result<SecretString, String> {
    match std::env::var(name) {
        Ok(value) => super::file::checked(value),
        Err(std::env::VarError::NotPresent) => {
            Err("the variable is not set; set it, or keep the secret in a file (`credential: {file: PATH}`)"
                .to_owned())
        }
        Err(std::env::VarError::NotUnicode(_)) => Err("the value is not UTF-8".to_owned()),
    }
}
