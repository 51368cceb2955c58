//! `auth`: how a job signs in, one method and the keys that it takes.

use std::path::PathBuf;

use super::auth::is_guid;
use super::{Checker, Fields};
use crate::spec::escape::quote;
use crate::spec::form::{AUTH, METHODS, MethodForm, Object, TRANSIT};
use crate::spec::problem::Problem;
use crate::spec::target::{Auth, CredentialRef, MachineIdentity, Method, Signature, TransitRef, VaultRef};
use crate::spec::tree::{Content, Entry, Node};

/// Keys of `auth` that would hold a secret itself.
const INLINE_SECRETS: [&str; 5] = ["client_secret", "secret", "password", "token", "refresh_token"];

/// What to add where a key is missing, by the key.
fn addition(key: &str) -> &'static str {
    match key {
        "client_id" => "add the application (client) ID of the app registration",
        "credential" => {
            "add `credential:` and below it `vault: {path: PATH}`, `file: PATH` or `env: NAME_OF_A_VARIABLE`"
        }
        "certificate" => {
            "add `certificate:` and below it `file: PATH` or `vault: {path: PATH}`; it is public"
        }
        _ => "add `transit:` and below it `key: NAME` of a key of Vault's transit engine",
    }
}

impl Checker<'_> {
    pub(super) fn auth(&mut self, node: &Node) -> Option<Auth> {
        let entries = self.map(node, "`auth`")?;
        for entry in entries.iter().filter(|entry| INLINE_SECRETS.contains(&entry.key.as_str())) {
            self.inline_secret(&entry.key, &entry.value);
        }
        self.hide_unknown(entries, &AUTH, &[]);
        let auth = self.fields_besides(node, AUTH.what, &AUTH, &INLINE_SECRETS)?;
        if auth.get("method").is_none() {
            let problem = Problem::error(auth.head(), "`auth` has no `method`");
            self.report(problem.help(
                "add `method: certificate` or `method: client_secret` (an application), or `method: device` (a person)",
            ));
            return None;
        }
        let method = self.word_of(auth, "method")?;
        let form = METHODS.iter().find(|form| form.name == method)?;
        let complete = self.keys_fit(auth, entries, form);
        let client_id = self.guid_of(auth, "client_id");
        let user_principal_name = self.user_principal_name(auth);
        let method = self.method(auth, form)?;
        if let (Method::Password { credential }, None) = (&method, &user_principal_name)
            && !matches!(credential, CredentialRef::Vault(_))
        {
            let title = "`auth` has no `user_principal_name`: it does not say whose password this is";
            self.report(
                Problem::error(auth.head(), title)
                    .help("add `user_principal_name: admin@contoso.onmicrosoft.com`"),
            );
            return None;
        }
        complete.then_some(Auth { method, client_id, user_principal_name })
    }

    /// Reports keys that the method does not take, and those that it lacks.
    fn keys_fit(&mut self, auth: Fields<'_>, entries: &[Entry], form: &MethodForm) -> bool {
        let mut complete = true;
        let takes = |key: &str| key == "method" || form.needed.contains(&key) || form.may.contains(&key);
        let foreign: Vec<&Entry> = entries
            .iter()
            .filter(|entry| AUTH.names().any(|name| name == entry.key) && !takes(&entry.key))
            .collect();
        for entry in foreign {
            let title = match entry.key.as_str() {
                "user_principal_name" => {
                    format!("`{}` signs in without a user: it takes no `user_principal_name`", form.name)
                }
                key => format!("`method: {}` takes no `{key}`", form.name),
            };
            self.report(Problem::error(entry.key_span.clone(), title).help("remove the key"));
        }
        let inline = INLINE_SECRETS.iter().any(|key| auth.get(key).is_some());
        for key in form.needed.iter().filter(|key| auth.get(key).is_none()) {
            complete = false;
            // The secret that was written in its place has its own message.
            if *key == "credential" && inline {
                continue;
            }
            let title = match *key {
                "credential" => "`auth` has no `credential`: it does not say where the secret is".to_owned(),
                key => format!("`auth` has no `{key}`"),
            };
            self.report(Problem::error(auth.head(), title).help(addition(key)));
        }
        complete
    }

    fn method(&mut self, auth: Fields<'_>, form: &MethodForm) -> Option<Method> {
        Some(match form.name {
            "certificate" => {
                let credential = self.reference_of(auth, "credential");
                let certificate = self.optional_reference(auth, "certificate")?;
                let password = self.optional_reference(auth, "certificate_password")?;
                let signature = self.signature(auth)?;
                Method::Certificate { credential: credential?, certificate, password, signature }
            }
            "client_secret" => Method::ClientSecret { credential: self.reference_of(auth, "credential")? },
            "transit" => {
                let key = auth.get("transit").and_then(|node| self.transit(node));
                let certificate = self.reference_of(auth, "certificate");
                let signature = self.signature(auth)?;
                Method::Transit { key: key?, certificate: certificate?, signature }
            }
            "workload_identity" => {
                let token_file = match auth.get("token_file") {
                    Some(node) => Some(PathBuf::from(self.text(node, "token_file")?)),
                    None => None,
                };
                let audience = match auth.get("audience") {
                    Some(node) => Some(self.text(node, "audience")?.to_owned()),
                    None => None,
                };
                Method::WorkloadIdentity { token_file, audience }
            }
            "managed_identity" => Method::ManagedIdentity { identity: self.machine_identity(auth)? },
            "device" | "device_code" => Method::Device { credential: self.kept_token(auth)? },
            "browser" => Method::Browser { credential: self.kept_token(auth)? },
            "password" => Method::Password { credential: self.reference_of(auth, "credential")? },
            "inline_credential" => Method::InlineCredential,
            "access_token" => Method::AccessToken { credential: self.reference_of(auth, "credential")? },
            _ => Method::Vault { credential: self.in_vault(auth)? },
        })
    }

    fn signature(&mut self, auth: Fields<'_>) -> Option<Signature> {
        match auth.get("signature") {
            None => Some(Signature::default()),
            Some(_) => Some(match self.word_of(auth, "signature")? {
                "RS256" => Signature::Rs256,
                _ => Signature::Ps256,
            }),
        }
    }

    fn reference_of(&mut self, auth: Fields<'_>, key: &str) -> Option<CredentialRef> {
        let node = auth.get(key)?;
        if matches!(node.content, Content::Scalar { .. }) {
            self.inline_secret(key, node);
            return None;
        }
        self.reference(key, node)
    }

    /// `None`: what stands there is wrong.
    fn optional_reference(&mut self, auth: Fields<'_>, key: &str) -> Option<Option<CredentialRef>> {
        match auth.get(key) {
            Some(_) => self.reference_of(auth, key).map(Some),
            None => Some(None),
        }
    }

    /// Where a refresh token is kept: it is written back at each use, which files and variables do not allow.
    fn kept_token(&mut self, auth: Fields<'_>) -> Option<Option<VaultRef>> {
        let Some(node) = auth.get("credential") else { return Some(None) };
        match self.reference_of(auth, "credential")? {
            CredentialRef::Vault(place) if place.version.is_none() && place.field.is_none() => {
                Some(Some(place))
            }
            CredentialRef::Vault(_) => {
                let title = "a kept refresh token is the whole secret in its newest version";
                self.report(Problem::error(node.span.clone(), title).help("remove `field` and `version`"));
                None
            }
            CredentialRef::Env(_) | CredentialRef::File(_) => {
                let title = "a refresh token is kept in Vault only: it is replaced at each use";
                self.report(
                    Problem::error(node.span.clone(), title)
                        .help("write `credential:` and below it `vault: {path: PATH}`, or remove the key"),
                );
                None
            }
        }
    }

    fn in_vault(&mut self, auth: Fields<'_>) -> Option<VaultRef> {
        let help = "write `path: PATH`, or `credential:` and below it `vault: {path: PATH}`";
        match (auth.get("credential"), auth.entry("path")) {
            (Some(_), Some(path)) => {
                let title = "`auth` has both `credential` and `path`";
                self.report(Problem::error(path.key_span.clone(), title).help("keep one of the two"));
                None
            }
            (Some(node), None) => match self.reference_of(auth, "credential")? {
                CredentialRef::Vault(place) => Some(place),
                CredentialRef::Env(_) | CredentialRef::File(_) => {
                    let title = "`method: vault` reads a secret of Vault";
                    self.report(Problem::error(node.span.clone(), title).help(help));
                    None
                }
            },
            (None, Some(path)) => self.vault_path(Some(&path.value), auth.get("mount")),
            (None, None) => {
                let title = "`auth` has no `path`: it does not say which secret of Vault";
                self.report(Problem::error(auth.head(), title).help(help));
                None
            }
        }
    }

    fn transit(&mut self, node: &Node) -> Option<TransitRef> {
        let fields = self.fields(node, &TRANSIT)?;
        let mount = self.vault_name(fields.get("mount"), "mount", TransitRef::MOUNT_DEFAULT);
        let key = match fields.get("key") {
            Some(node) => self.vault_name(Some(node), "key", ""),
            None => {
                self.report(
                    Problem::error(fields.head(), "`transit` has no `key`").help(addition("transit")),
                );
                None
            }
        };
        let version = match fields.get("version") {
            Some(_) => Some(self.integer_of(fields, "version")?),
            None => None,
        };
        Some(TransitRef { mount: mount?, key: key?, version })
    }

    fn machine_identity(&mut self, auth: Fields<'_>) -> Option<MachineIdentity> {
        let named: Vec<&str> = ["client_id", "object_id", "resource_id"]
            .into_iter()
            .filter(|key| auth.get(key).is_some())
            .collect();
        if named.len() > 1 {
            let title = format!("`auth` names the identity twice: `{}`", named.join("` and `"));
            self.report(Problem::error(auth.head(), title).help("keep one of them"));
            return None;
        }
        if auth.get("object_id").is_some() {
            return self.guid_of(auth, "object_id").map(MachineIdentity::ByObjectId);
        }
        match auth.get("resource_id") {
            Some(node) => Some(MachineIdentity::ByResourceId(self.text(node, "resource_id")?.to_owned())),
            None => Some(MachineIdentity::ByClientId),
        }
    }

    fn user_principal_name(&mut self, auth: Fields<'_>) -> Option<String> {
        let node = auth.get("user_principal_name")?;
        let text = self.text(node, "user_principal_name")?;
        let fits =
            text.split_once('@').is_some_and(|(user, domain)| !user.is_empty() && domain.contains('.'));
        if !fits {
            let title = format!("`user_principal_name` is user@domain, found {}", quote(text));
            self.report(
                Problem::error(node.span.clone(), title).help("write it as Entra shows it: anna@contoso.com"),
            );
            return None;
        }
        Some(text.to_owned())
    }

    fn guid_of(&mut self, auth: Fields<'_>, key: &str) -> Option<String> {
        let node = auth.get(key)?;
        let text = self.text(node, key)?;
        if is_guid(text) {
            return Some(text.to_ascii_lowercase());
        }
        let title = format!("`{key}` is a GUID, found {}", quote(text));
        let help = if key == "client_id" {
            "copy the application (client) ID of the app registration"
        } else {
            "copy the object (principal) ID of the identity"
        };
        self.report(Problem::error(node.span.clone(), title).help(help));
        None
    }

    /// Below `auth` and in a connection, the value of a key nobody knows may be a secret.
    pub(super) fn hide_unknown(&mut self, entries: &[Entry], object: &Object, besides: &[&str]) {
        let is_known = |key: &str| object.names().any(|name| name == key) || besides.contains(&key);
        let unknown = entries.iter().filter(|entry| !is_known(&entry.key));
        self.secrets.extend(unknown.map(|entry| entry.value.span.clone()));
    }

    fn inline_secret(&mut self, key: &str, node: &Node) {
        self.secrets.push(node.span.clone());
        let title = format!("a secret is written into the file: `{key}`");
        self.report(
            Problem::error(node.span.clone(), title)
                .label("not shown")
                .help("put it into Vault, a file or an environment variable, and name that: `credential:`, and below it `vault: {path: PATH}`")
                .help("whoever could read this file knows the secret now: replace it"),
        );
    }
}
