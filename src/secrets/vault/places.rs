//! What Vault says of a path, in our words: the path, and the mend.

use serde_json::Value;

use super::Vault;
use super::kv::Engine;
use super::trouble::{Failed, Refusal, Trouble};
use crate::observe::escape::one_line;
use crate::spec::job::VaultRef;

impl Vault {
    /// Why it could not be read, with the mend.
    pub(super) fn unread(&self, place: &VaultRef, trouble: Trouble) -> Failed {
        let refusal = match trouble {
            Trouble::Refused(refusal) if matches!(refusal.status, 403 | 404) => refusal,
            other => return other.told("read it", &self.parts().address),
        };
        if is_place_wrong(&refusal) {
            return self.misplaced(&place.mount, &refusal);
        }
        if refusal.status == 403 {
            let infix = if self.known_engine(&place.mount) == Some(Engine::Plain) { "" } else { "data/" };
            return self.forbidden(&["read"], &format!("{}/{infix}{}", place.mount, place.path), &refusal);
        }
        if let Some(gone) = refusal.data.as_ref().and_then(|data| data.get("metadata")) {
            return gone_version(place, gone);
        }
        let wanted = place.version.map_or_else(String::new, |version| format!(" with a version {version}"));
        let hint = match place.path.split_once('/') {
            Some(("data", rest)) => format!("; leave `data/` out of the path (`path: {rest}`)"),
            _ => format!("; look with `vault kv get -mount={} {}`", place.mount, place.path),
        };
        Failed::absent(format!("there is no secret at this path{wanted}{}{hint}", self.in_namespace()))
    }

    pub(super) fn unwritten(&self, place: &VaultRef, trouble: Trouble) -> Failed {
        let doubt = if trouble.in_doubt() { " (it may have been written all the same)" } else { "" };
        match trouble {
            Trouble::Refused(refusal) if is_place_wrong(&refusal) => self.misplaced(&place.mount, &refusal),
            Trouble::Refused(refusal) if refusal.status == 403 => {
                let path = format!("{}/data/{}", place.mount, place.path);
                self.forbidden(&["create", "update"], &path, &refusal)
            }
            other => {
                let failed = other.told("keep it", &self.parts().address);
                Failed { reason: format!("{}{doubt}", failed.reason), ..failed }
            }
        }
    }

    pub(super) fn forbidden(&self, capabilities: &[&str], path: &str, refusal: &Refusal) -> Failed {
        let capabilities = capabilities.join("\", \"");
        Failed::wrong(format!(
            "Vault forbids it ({}): the policies of the token{} want `path \"{path}\" {{ capabilities = [\"{capabilities}\"] }}`",
            refusal.said(),
            self.in_namespace(),
        ))
    }

    pub(super) fn misplaced(&self, mount: &str, refusal: &Refusal) -> Failed {
        if refusal.says("namespace not found") {
            return Failed::wrong(format!(
                "there is no such namespace{}: check `vault_namespace`",
                self.in_namespace()
            ));
        }
        Failed::wrong(format!("nothing is mounted at `{mount}`{}: check `mount`", self.in_namespace()))
    }

    /// Neither version of KV gives it, and the token may not ask what is mounted.
    pub(super) fn no_mount(&self, place: &VaultRef, refusal: &Refusal) -> Failed {
        let VaultRef { mount, path, .. } = place;
        Failed::wrong(format!(
            "nothing is mounted at `{mount}`{}, or the policies of the token grant nothing there ({}): it was looked for at \
             `{mount}/data/{path}` (KV version 2) and `{mount}/{path}` (version 1)",
            self.in_namespace(),
            refusal.said(),
        ))
    }
}

/// Whether a 404 means the place and not the secret.
pub(super) fn is_place_wrong(refusal: &Refusal) -> bool {
    refusal.says("namespace not found") || refusal.says("no handler for route")
}

/// Names that would lead to another path than the policies' authors read.
pub(super) fn check_names(mount: &str, path: &str) -> Result<(), Failed> {
    let bad = |text: &str| {
        text.split('/').any(|name| matches!(name, "" | "." | "..") || name.chars().any(char::is_control))
    };
    if bad(mount) || bad(path) {
        return Err(Failed::wrong(
            "its path holds an empty name, `.` or `..`: write names with one `/` between, and none at the ends",
        ));
    }
    Ok(())
}

fn gone_version(place: &VaultRef, metadata: &Value) -> Failed {
    let version = metadata.get("version").and_then(Value::as_u64).unwrap_or_default();
    let VaultRef { mount, path, .. } = place;
    if metadata.get("destroyed").and_then(Value::as_bool) == Some(true) {
        return Failed::absent(format!(
            "version {version} was destroyed for good: write a new one, or name another"
        ));
    }
    let when = one_line(metadata.get("deletion_time").and_then(Value::as_str).unwrap_or_default(), 40);
    Failed::absent(format!(
        "version {version} was deleted ({when}): `vault kv undelete -mount={mount} -versions={version} {path}` brings it back"
    ))
}
