//! The KV engine, version 1 and 2, found by itself; and other engines whose secrets are read by path.

use std::sync::PoisonError;

use rustify::endpoint::Endpoint;
use rustify::enums::RequestMethod;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use vaultrs::api::kv2::requests::ReadSecretRequest;

use super::Vault;
use super::door::{Answer, Request};
use super::places::{check_names, is_place_wrong};
use super::trouble::{Failed, Trouble};
use super::wrapping;
use crate::observe::escape::one_line;
use crate::secrets::{Expected, Fields, Kept, SecretError, SecretErrorKind};
use crate::spec::job::VaultRef;

/// What is mounted at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    /// KV version 2: versions, check-and-set.
    Kv2,
    /// KV version 1, or another engine that gives secrets at a path.
    Plain,
    /// The token may not ask.
    Unknown,
}

/// Vault's words for a write that came too late.
const CAS_TEXT: &str = "check-and-set parameter did not match";

impl Vault {
    /// The fields at `place`.
    ///
    /// # Errors
    /// Each with the path and the mend, never with a value.
    pub(in crate::secrets) async fn read(&self, place: &VaultRef) -> Result<Fields, SecretError> {
        let read = self.read_at(place).await;
        self.parts().metrics.vault_read(read.as_ref().map_or_else(|failed| word(failed.kind), |_| "ok"));
        read.map_err(|failed| failed.at(place))
    }

    async fn read_at(&self, place: &VaultRef) -> Result<Fields, Failed> {
        check_names(&place.mount, &place.path)?;
        match self.engine(&place.mount, &place.path).await? {
            Engine::Kv2 => self.read_versioned(place).await.map_err(|trouble| self.unread(place, trouble)),
            Engine::Plain => self.read_plain(place).await,
            Engine::Unknown => match self.read_versioned(place).await {
                Ok(fields) => {
                    self.learn(&place.mount, Engine::Kv2);
                    Ok(fields)
                }
                Err(Trouble::Refused(refusal))
                    if matches!(refusal.status, 403 | 404) && refusal.data.is_none() =>
                {
                    let fields = self.read_plain(place).await.map_err(|failed| match failed.kind {
                        SecretErrorKind::Unavailable => failed,
                        _ => self.no_mount(place, &refusal),
                    })?;
                    self.learn(&place.mount, Engine::Plain);
                    Ok(fields)
                }
                Err(trouble) => Err(self.unread(place, trouble)),
            },
        }
    }

    async fn read_versioned(&self, place: &VaultRef) -> Result<Fields, Trouble> {
        let request = ReadSecretRequest::builder()
            .mount(&place.mount)
            .path(&place.path)
            .version(place.version)
            .build()
            .expect("all fields are set");
        let answer = self.fetch(&request).await?;
        let mut data = answer.data.unwrap_or_default();
        let version = data.pointer("/metadata/version").and_then(Value::as_u64);
        Ok(fields(data.get_mut("data").map(Value::take), version))
    }

    /// Gets an answer with a secret, wrapped on its way if that is wished.
    async fn fetch<E: Endpoint>(&self, request: &E) -> Result<Answer, Trouble> {
        let answer = self.keeper.ask_for("read a secret", request, self.parts().wrap_ttl).await?;
        let Some(wrapped) = answer.wrap_info else { return Ok(answer) };
        let from = request.path();
        let opened = wrapping::open(&self.keeper.entrance, &wrapped.token, |path| path == from, &from).await;
        opened.map_err(Trouble::Known)
    }

    async fn read_plain(&self, place: &VaultRef) -> Result<Fields, Failed> {
        if let Some(version) = place.version {
            return Err(Failed::wrong(format!(
                "version {version} is pinned, but what is mounted at `{}` keeps no versions: leave `version` out",
                place.mount
            )));
        }
        let request = Request::get(format!("{}/{}", place.mount, place.path));
        let answer = self.fetch(&request).await;
        let Answer { data, lease_id, .. } = answer.map_err(|trouble| self.unread(place, trouble))?;
        if !lease_id.is_empty() {
            self.keeper.leased(lease_id);
        }
        Ok(fields(data, None))
    }

    /// Writes `fields` to `place`, if it is as `expected`.
    pub(in crate::secrets) async fn keep(
        &self,
        place: &VaultRef,
        fields: &Fields,
        expected: Expected,
    ) -> Result<Kept, SecretError> {
        self.keep_at(place, fields, expected).await.map_err(|failed| failed.at(place))
    }

    async fn keep_at(&self, place: &VaultRef, fields: &Fields, expected: Expected) -> Result<Kept, Failed> {
        check_names(&place.mount, &place.path)?;
        if self.engine(&place.mount, &place.path).await? == Engine::Plain {
            return Err(Failed::wrong(format!(
                "what is kept needs check-and-set, which the engine at `{}` has not: use a mount of KV version 2",
                place.mount
            )));
        }
        let cas = match expected {
            Expected::Version(version) => version,
            Expected::Absent => match self.newest_deleted(place).await? {
                Some(version) => version,
                None => return Ok(Kept::Conflict),
            },
        };
        let next = cas.saturating_add(1);
        let named =
            fields.named.iter().map(|(name, value)| (name.clone(), Value::from(value.expose_secret())));
        let body = json!({"data": named.collect::<Map<_, _>>(), "options": {"cas": cas}});
        let request = Request::post(format!("{}/data/{}", place.mount, place.path), Some(body));
        let refusal = match self.keeper.ask("keep a secret", &request).await {
            Ok(answer) => {
                let version = answer.data.as_ref().and_then(|data| data.get("version")?.as_u64());
                return Ok(Kept::Now(version.unwrap_or(next)));
            }
            Err(Trouble::Refused(refusal)) if refusal.says(CAS_TEXT) => refusal,
            Err(trouble) => return Err(self.unwritten(place, trouble)),
        };
        // An earlier try whose answer was lost may have been the one that was first.
        if refusal.after_doubt {
            let now = self.read_at(&VaultRef { version: None, ..place.clone() }).await?;
            if now.version == Some(next) && same(&now, fields) {
                return Ok(Kept::Now(next));
            }
        }
        Ok(Kept::Conflict)
    }

    /// The version to which check-and-set counts where there is nothing to read: zero, or a deleted one's. `None`:
    /// there is something.
    async fn newest_deleted(&self, place: &VaultRef) -> Result<Option<u64>, Failed> {
        match self.read_versioned(&VaultRef { version: None, ..place.clone() }).await {
            Ok(_) => Ok(None),
            Err(Trouble::Refused(refusal)) if refusal.status == 404 && !is_place_wrong(&refusal) => {
                let version =
                    refusal.data.as_ref().and_then(|data| data.pointer("/metadata/version")?.as_u64());
                Ok(Some(version.unwrap_or(0)))
            }
            Err(trouble) => Err(self.unread(place, trouble)),
        }
    }

    /// Deletes `place` with all of its versions.
    pub(in crate::secrets) async fn forget(&self, place: &VaultRef) -> Result<(), SecretError> {
        self.forget_at(place).await.map_err(|failed| failed.at(place))
    }

    async fn forget_at(&self, place: &VaultRef) -> Result<(), Failed> {
        check_names(&place.mount, &place.path)?;
        let path = match self.engine(&place.mount, &place.path).await? {
            Engine::Plain => format!("{}/{}", place.mount, place.path),
            Engine::Kv2 | Engine::Unknown => format!("{}/metadata/{}", place.mount, place.path),
        };
        let request = Request { method: RequestMethod::DELETE, path: path.clone().into(), body: None };
        match self.keeper.ask("delete a secret", &request).await {
            Ok(_) => Ok(()),
            Err(Trouble::Refused(refusal)) if refusal.status == 404 && !is_place_wrong(&refusal) => Ok(()),
            Err(Trouble::Refused(refusal)) if refusal.status == 403 => {
                Err(self.forbidden(&["delete"], &path, &refusal))
            }
            Err(trouble) => Err(trouble.told("delete it", &self.parts().address)),
        }
    }

    /// What is mounted, by the question that every token may ask that has any right there.
    async fn engine(&self, mount: &str, path: &str) -> Result<Engine, Failed> {
        if let Some(engine) = self.known_engine(mount) {
            return Ok(engine);
        }
        let request = Request::get(format!("sys/internal/ui/mounts/{mount}/{path}"));
        let data = match self.keeper.ask("look at a mount", &request).await {
            Ok(answer) => answer.data.unwrap_or_default(),
            Err(Trouble::Refused(refusal)) if refusal.status == 403 => return Ok(Engine::Unknown),
            Err(Trouble::Refused(refusal)) if is_place_wrong(&refusal) => {
                return Err(self.misplaced(mount, &refusal));
            }
            Err(trouble) => return Err(trouble.told("read it", &self.parts().address)),
        };
        let found = data.get("path").and_then(Value::as_str).unwrap_or(mount).trim_matches('/');
        if found != mount {
            let found = one_line(found, 100);
            return Err(Failed::wrong(format!(
                "the mount is `{found}`, not `{mount}`: write `mount: {found}` and the rest of the path as `path`"
            )));
        }
        let kind = data.get("type").and_then(Value::as_str).unwrap_or_default();
        let version = data.pointer("/options/version").and_then(Value::as_str);
        let engine = if kind == "kv" && version == Some("2") { Engine::Kv2 } else { Engine::Plain };
        self.learn(mount, engine);
        Ok(engine)
    }

    pub(super) fn known_engine(&self, mount: &str) -> Option<Engine> {
        self.engines.lock().unwrap_or_else(PoisonError::into_inner).get(mount).copied()
    }

    fn learn(&self, mount: &str, engine: Engine) {
        self.engines.lock().unwrap_or_else(PoisonError::into_inner).insert(mount.to_owned(), engine);
    }
}

/// The texts of a secret, each moved out of its JSON, and what the others are.
fn fields(data: Option<Value>, version: Option<u64>) -> Fields {
    let mut fields = Fields { version, ..Fields::default() };
    let Some(Value::Object(data)) = data else { return fields };
    for (name, value) in data {
        let what = match value {
            Value::String(text) => {
                fields.named.insert(name, SecretString::from(text));
                continue;
            }
            Value::Null => "nothing (null)",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        fields.no_texts.insert(name, what);
    }
    fields
}

fn same(one: &Fields, other: &Fields) -> bool {
    one.no_texts.is_empty()
        && one.named.len() == other.named.len()
        && one.named.iter().all(|(name, value)| {
            other.get(name).is_some_and(|found| found.expose_secret() == value.expose_secret())
        })
}

pub(super) fn word(kind: SecretErrorKind) -> &'static str {
    match kind {
        SecretErrorKind::Wrong => "wrong",
        SecretErrorKind::Absent => "absent",
        SecretErrorKind::Unavailable => "unavailable",
    }
}
