//! Where a secret is kept: `env`, `file` or `vault`.

use std::path::PathBuf;

use super::Checker;
use crate::spec::escape::quote;
use crate::spec::form::{CREDENTIAL, VAULT};
use crate::spec::problem::Problem;
use crate::spec::target::{CredentialRef, VaultRef};
use crate::spec::tree::{Content, Node};

impl Checker<'_> {
    /// Where the secret of `key` is kept: `env: NAME`, `file: PATH` or `vault: {path: PATH}`.
    pub(super) fn reference(&mut self, key: &str, node: &Node) -> Option<CredentialRef> {
        if let Content::Map(entries) = &node.content {
            self.hide_unknown(entries, &CREDENTIAL, &[]);
        }
        let fields = self.fields_besides(node, &format!("`{key}`"), &CREDENTIAL, &[])?;
        let named: Vec<&str> = CREDENTIAL.names().filter(|name| fields.get(name).is_some()).collect();
        match named[..] {
            ["env"] => fields.get("env").and_then(|node| self.variable(node)),
            ["file"] => fields
                .get("file")
                .and_then(|node| Some(CredentialRef::File(PathBuf::from(self.text(node, "file")?)))),
            ["vault"] => {
                fields.get("vault").and_then(|node| self.vault_reference(node)).map(CredentialRef::Vault)
            }
            [] => {
                let title = format!("`{key}` does not say where the secret is");
                let problem = Problem::error(node.span.clone(), title);
                self.report(
                    problem.help("write `vault: {path: PATH}`, `file: PATH` or `env: NAME_OF_A_VARIABLE`"),
                );
                None
            }
            [.., last] => {
                let title = format!("`{key}` has both `{}`", named.join("` and `"));
                let at = fields.entry(last).map_or(node.span.clone(), |entry| entry.key_span.clone());
                self.report(Problem::error(at, title).help("keep one of them"));
                None
            }
        }
    }

    fn variable(&mut self, node: &Node) -> Option<CredentialRef> {
        let name = self.text(node, "env")?;
        let fits = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !name.starts_with(|first: char| first.is_ascii_digit());
        if fits {
            return Some(CredentialRef::Env(name.to_owned()));
        }
        // What does not look like a name may be the secret itself: it is not quoted.
        self.secrets.push(node.span.clone());
        let title = "`env` is the name of an environment variable, found something else (not shown: it may be a secret)";
        self.report(
            Problem::error(node.span.clone(), title).help("write its name, in letters, digits and `_`"),
        );
        None
    }

    fn vault_reference(&mut self, node: &Node) -> Option<VaultRef> {
        if let Content::Map(entries) = &node.content {
            self.hide_unknown(entries, &VAULT, &[]);
        }
        let fields = self.fields(node, &VAULT)?;
        if fields.get("path").is_none() {
            let title = "`vault` has no `path`: it does not say which secret";
            self.report(
                Problem::error(fields.head(), title).help("add `path: PATH`, the path below the mount"),
            );
            return None;
        }
        let place = self.vault_path(fields.get("path"), fields.get("mount"));
        let field = match fields.get("field") {
            Some(node) => Some(self.text(node, "field")?.to_owned()),
            None => None,
        };
        let version = match fields.get("version") {
            Some(_) => Some(self.integer_of(fields, "version")?),
            None => None,
        };
        Some(VaultRef { field, version, ..place? })
    }

    /// A path below a mount, as it goes into Vault's addresses.
    pub(super) fn vault_path(&mut self, path: Option<&Node>, mount: Option<&Node>) -> Option<VaultRef> {
        let mount = self.vault_name(mount, "mount", VaultRef::MOUNT_DEFAULT);
        let path = self.vault_name(path, "path", "");
        Some(VaultRef { mount: mount?, path: path?, field: None, version: None })
    }

    /// A name or path of Vault without what would lead somewhere else.
    pub(super) fn vault_name(&mut self, node: Option<&Node>, key: &str, default: &str) -> Option<String> {
        let Some(node) = node else { return Some(default.to_owned()) };
        let text = self.text(node, key)?.trim_matches('/');
        if is_path(text) {
            return Some(text.to_owned());
        }
        let title = format!("`{key}` is a path of Vault, found {}", quote(text));
        self.report(
            Problem::error(node.span.clone(), title)
                .help("write names with `/` between, without `..`, `?` or `#`: exo/contoso"),
        );
        None
    }
}

/// Names with `/` between, without what would lead somewhere else in Vault's addresses.
pub(super) fn is_path(text: &str) -> bool {
    text.split('/').all(|part| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && part.chars().all(|one| one.is_alphanumeric() || "-_.@+=~ ".contains(one))
    })
}
