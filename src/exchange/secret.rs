//! Secrets among the parameters: what a caller gives, and what of it is encrypted. Source: protocol reference, 3.6.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::client::{RestConnection, Tally};
use super::errors::{ErrorKind, Happened, RemoteError};
use super::public_key::VALUE_BYTES_MAX;
use super::{CallSummary, CmdletRequest, ItemSink};

/// A parameter whose value travels encrypted.
#[derive(Clone, Debug)]
pub struct SecretParameter {
    /// The parameter's name.
    pub name: String,
    /// Its value; wiped when dropped, and shown by nothing.
    pub value: SecretParameterValue,
}

/// What a secret parameter takes.
#[derive(Clone, Debug)]
pub enum SecretParameterValue {
    /// A `SecureString`.
    Text(SecretString),
    /// A `PSCredential`.
    Credential {
        /// Whose password it is.
        user_name: String,
        /// The password.
        password: SecretString,
    },
}

impl SecretParameterValue {
    /// The text that is encrypted.
    fn plain(&self) -> Zeroizing<String> {
        match self {
            SecretParameterValue::Text(text) => Zeroizing::new(text.expose_secret().to_owned()),
            SecretParameterValue::Credential { user_name, password } => {
                // Written by hand: a tree of JSON values would leave copies that are not wiped.
                let password = Zeroizing::new(quoted(password.expose_secret()));
                let user_name = quoted(user_name);
                Zeroizing::new(["{\"UserName\":", &user_name, ",\"Password\":", &password, "}"].concat())
            }
        }
    }
}

fn quoted(text: &str) -> String {
    // Room for every character escaped, so that no smaller copy is left behind by growing.
    let mut out = Vec::with_capacity(text.len() * 6 + 2);
    serde_json::to_writer(&mut out, text).expect("text can be written to memory");
    String::from_utf8(out).expect("JSON is UTF-8")
}

impl RestConnection {
    /// A call with its secrets encrypted. A value refused under a key that was in hand already is sent once more
    /// under a new one: the service's key rotates.
    pub(super) async fn with_secrets(
        &mut self,
        token: &SecretString,
        request: &CmdletRequest,
        sink: &mut dyn ItemSink,
        tally: &mut Tally,
    ) -> Result<CallSummary, RemoteError> {
        if request.secrets.is_empty() {
            return self.listing(token, request, sink, tally).await;
        }
        check_lengths(&request.secrets)?;
        let held = self.public_key.clone();
        let sealed = self.sealed(token, request, tally).await?;
        match self.listing(token, &sealed, sink, tally).await {
            Err(error)
                if held.is_some()
                    && error.kind == ErrorKind::InvalidInput
                    && error.happened == Happened::No =>
            {
                self.public_key = None;
                let sealed = self.sealed(token, request, tally).await?;
                if self.public_key == held {
                    return Err(error);
                }
                self.listing(token, &sealed, sink, tally).await
            }
            done => done,
        }
    }

    /// The request with the Base64 of each encrypted secret among its parameters.
    async fn sealed(
        &mut self,
        token: &SecretString,
        request: &CmdletRequest,
        tally: &mut Tally,
    ) -> Result<CmdletRequest, RemoteError> {
        let mut parameters: Map<String, Value> = request.parameters.clone();
        for secret in &request.secrets {
            let plain = secret.value.plain();
            let sealed = if plain.is_empty() {
                String::new()
            } else {
                let key = self.public_key(token, request, tally).await?;
                key.encrypt(plain.as_bytes(), &ring::rand::SystemRandom::new())
                    .map_err(|why| not_sent(&secret.name, &why))?
            };
            parameters.insert(secret.name.clone(), Value::String(sealed));
        }
        Ok(CmdletRequest { parameters, secrets: Vec::new(), ..request.clone() })
    }
}

/// Refuses what cannot be encrypted, before anything is sent.
fn check_lengths(secrets: &[SecretParameter]) -> Result<(), RemoteError> {
    for secret in secrets {
        let bytes = secret.value.plain().len();
        if bytes > VALUE_BYTES_MAX {
            let what = match secret.value {
                SecretParameterValue::Text(_) => "the secret has",
                SecretParameterValue::Credential { .. } => "user name and password together have",
            };
            let why = format!("{what} {bytes} bytes, and the service takes at most {VALUE_BYTES_MAX}");
            return Err(not_sent(&secret.name, &why));
        }
    }
    Ok(())
}

fn not_sent(name: &str, why: &str) -> RemoteError {
    RemoteError::new(ErrorKind::Refused, Happened::No, format!("{name} was not sent: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(password: &str) -> SecretParameter {
        let value = SecretParameterValue::Credential {
            user_name: "anna \"x\"".to_owned(),
            password: SecretString::from(password.to_owned()),
        };
        SecretParameter { name: "Credentials".to_owned(), value }
    }

    #[test]
    fn a_credential_is_json_with_both_parts() {
        let plain = credential("a\\b\"c\u{e9}").value.plain();
        let read: Value = serde_json::from_str(&plain).unwrap();
        assert_eq!(read, serde_json::json!({"UserName": "anna \"x\"", "Password": "a\\b\"c\u{e9}"}));
    }

    #[test]
    fn what_is_too_long_is_refused_by_its_name_and_length_only() {
        let text = |bytes: usize| SecretParameter {
            name: "Password".to_owned(),
            value: SecretParameterValue::Text(SecretString::from("k".repeat(bytes))),
        };
        assert!(check_lengths(&[text(VALUE_BYTES_MAX)]).is_ok());
        let error = check_lengths(&[text(VALUE_BYTES_MAX + 1)]).unwrap_err();
        assert_eq!(
            error.message,
            "Password was not sent: the secret has 246 bytes, and the service takes at most 245"
        );
        let error = check_lengths(&[credential(&"canary".repeat(40))]).unwrap_err();
        assert!(error.message.contains("together have") && !error.message.contains("canary"), "{error}");
    }

    #[test]
    fn nothing_shows_a_secret() {
        assert!(!format!("{:?}", credential("canary")).contains("canary"));
    }
}
