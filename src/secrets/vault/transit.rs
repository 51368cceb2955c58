//! Signatures by a key of the transit engine.

use std::sync::PoisonError;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tracing::{debug, warn};

use super::Vault;
use super::door::Request;
use super::places::{check_names, is_place_wrong};
use super::trouble::{Failed, Trouble};
use crate::observe::escape::one_line;
use crate::secrets::SecretError;
use crate::spec::job::{Signature, TransitRef};

impl Vault {
    /// The signature of SHA-256 over `message`.
    ///
    /// # Errors
    /// No such key, no right to it, or a key that cannot sign what Entra accepts.
    pub(in crate::secrets) async fn sign(
        &self,
        key: &TransitRef,
        message: &[u8],
        signature: Signature,
    ) -> Result<Vec<u8>, SecretError> {
        self.sign_by(key, message, signature).await.map_err(|failed| failed.at(key))
    }

    async fn sign_by(
        &self,
        key: &TransitRef,
        message: &[u8],
        signature: Signature,
    ) -> Result<Vec<u8>, Failed> {
        check_names(&key.mount, &key.key)?;
        self.look_at(key).await?;
        let mut body = json!({"input": STANDARD.encode(message), "hash_algorithm": "sha2-256"});
        match signature {
            // Entra wants a salt as long as the hash; Vault's default is the longest that fits.
            Signature::Ps256 => {
                body["signature_algorithm"] = json!("pss");
                body["salt_length"] = json!("hash");
            }
            Signature::Rs256 => body["signature_algorithm"] = json!("pkcs1v15"),
        }
        if let Some(version) = key.version {
            body["key_version"] = json!(version);
        }
        let path = format!("{}/sign/{}", key.mount, key.key);
        let answer = self.keeper.ask("sign", &Request::post(path.clone(), Some(body))).await;
        let answer = answer.map_err(|trouble| match trouble {
            Trouble::Refused(refusal) if refusal.status == 403 => {
                self.forbidden(&["update"], &path, &refusal)
            }
            Trouble::Refused(refusal) if is_place_wrong(&refusal) => self.misplaced(&key.mount, &refusal),
            Trouble::Refused(refusal) if refusal.says("key not found") => Failed::absent(format!(
                "there is no such key{}: `vault write -f {}/keys/{} type=rsa-2048` makes it",
                self.in_namespace(),
                key.mount,
                key.key
            )),
            other => other.told("sign with it", &self.parts().address),
        })?;
        let text = answer.data.as_ref().and_then(|data| data.get("signature")?.as_str()).unwrap_or_default();
        // `vault:v1:BASE64`; the middle is the key's version.
        let bytes = text.rsplit(':').next().and_then(|text| STANDARD.decode(text).ok());
        bytes.filter(|bytes| !bytes.is_empty()).ok_or_else(|| {
            Failed::wrong("Vault's answer holds no signature; is a transit engine mounted there?")
        })
    }

    /// Looks once whether the key is what it should be, if the token may.
    async fn look_at(&self, key: &TransitRef) -> Result<(), Failed> {
        let seen = |keys: &std::sync::Mutex<std::collections::BTreeSet<String>>, insert: bool| {
            let mut keys = keys.lock().unwrap_or_else(PoisonError::into_inner);
            if insert { keys.insert(key.to_string()) } else { keys.contains(&key.to_string()) }
        };
        if seen(&self.keys, false) {
            return Ok(());
        }
        let path = format!("{}/keys/{}", key.mount, key.key);
        let found = match self.keeper.ask("look at a key", &Request::get(path)).await {
            Ok(answer) => answer.data.unwrap_or_default(),
            // Signing is the right that is needed; without the one to look, Vault itself refuses a key that does not fit.
            Err(Trouble::Refused(refusal)) if matches!(refusal.status, 403 | 404) => {
                debug!(key = %key, status = refusal.status, "the key cannot be looked at");
                return Ok(());
            }
            Err(trouble) => return Err(trouble.told("look at it", &self.parts().address)),
        };
        let kind = found.get("type").and_then(Value::as_str).unwrap_or_default();
        if !kind.starts_with("rsa-") {
            return Err(Failed::wrong(format!(
                "the key is of type `{}`; Entra wants RSA: make one of type `rsa-2048` or larger",
                one_line(kind, 40)
            )));
        }
        if found.get("exportable").and_then(Value::as_bool) == Some(true) {
            warn!(key = %key, "this key can be exported: its private half may leave Vault; make one that is not exportable");
        }
        seen(&self.keys, true);
        Ok(())
    }
}
