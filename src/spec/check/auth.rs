//! Where a job runs and as whom: tenant, environment and auth, or a connection.

use std::path::PathBuf;

use super::{Checker, Fields};
use crate::spec::escape::quote;
use crate::spec::form::{AUTH, CREDENTIAL, ENVIRONMENTS, Object, TARGET_KEYS};
use crate::spec::problem::Problem;
use crate::spec::target::{Auth, CredentialRef, Environment, Target, TargetSpec};
use crate::spec::tree::{Content, Entry, Node};

/// The module's own public client, "Microsoft Exchange REST API Based PowerShell".
/// Source: protocol reference, 2.1.
const MODULE_CLIENT_ID: &str = "fb78d390-0c51-40cd-8e17-fdbfab77341b";

/// Keys of `auth` that would hold a secret itself.
const INLINE_SECRETS: [&str; 5] = ["client_secret", "secret", "password", "token", "certificate_password"];

/// Ways to sign in that have a name here but are not built yet.
const METHODS_LATER: [&str; 5] =
    ["certificate", "managed_identity", "workload_identity", "password", "federated_credential"];

impl Checker<'_> {
    /// A job's `connection`, or its `tenant`, `environment` and `auth`, with the customer it works for.
    pub(super) fn target(&mut self, job: Fields<'_>) -> Option<Target> {
        let customer = job.entry("delegated_organization");
        let delegated_organization =
            customer.and_then(|entry| self.tenant(&entry.value, "delegated_organization"));
        let spelled: Vec<&Entry> = TARGET_KEYS.iter().filter_map(|key| job.entry(key)).collect();
        let Some(connection) = job.entry("connection") else {
            if spelled.is_empty() {
                let title = "the job does not say where it runs and as whom";
                self.report(Problem::error(job.head(), title).help(
                    "add `tenant` and `auth`, or `connection: NAME` for one of the file that the setting `connections_file` names",
                ));
                return None;
            }
            let spec = self.target_spec(job, "the job")?;
            if let (Some(entry), Auth::ClientSecret { .. }) = (customer, &spec.auth) {
                let title = "`delegated_organization` is for a partner's users: an application has no partner access (GDAP)";
                self.report(
                    Problem::error(entry.key_span.clone(), title)
                        .help("remove it and set `tenant` to the customer's, where the application needs consent and a role"),
                );
            }
            return Some(Target::Spelled(TargetSpec { delegated_organization, ..spec }));
        };
        let name = self.text(&connection.value, "connection");
        let name = name.and_then(|name| self.connection_name(name, &connection.value.span));
        let Some(first) = spelled.first() else {
            return name.map(|name| Target::Connection { name, delegated_organization });
        };
        let keys: Vec<String> = spelled.iter().map(|entry| format!("`{}`", entry.key)).collect();
        let title = format!("the job has both `connection` and {}", keys.join(", "));
        let problem = Problem::error(connection.key_span.clone(), title).label("named here");
        self.report(
            problem
                .related(first.key_span.clone(), "spelled out here")
                .help("keep one of the two: a connection is tenant, environment and auth under one name"),
        );
        // What is spelled out is wrong or right by itself; only what is missing there is not missed.
        for entry in spelled {
            match entry.key.as_str() {
                "tenant" => drop(self.tenant(&entry.value, "tenant")),
                "environment" => drop(self.environment(&entry.value)),
                _ => drop(self.auth(&entry.value)),
            }
        }
        None
    }

    /// `tenant`, `environment` and `auth` of a job or connection.
    pub(super) fn target_spec(&mut self, fields: Fields<'_>, whose: &str) -> Option<TargetSpec> {
        let tenant = match fields.get("tenant") {
            Some(node) => self.tenant(node, "tenant"),
            None => {
                let problem = Problem::error(fields.head(), format!("{whose} has no `tenant`"));
                self.report(
                    problem.help("add `tenant: contoso.onmicrosoft.com`, the initial domain of your tenant"),
                );
                None
            }
        };
        let environment = match fields.get("environment") {
            Some(node) => self.environment(node),
            None => Some(Environment::default()),
        };
        let auth = match fields.get("auth") {
            Some(node) => self.auth(node),
            None => {
                let title = format!("{whose} has no `auth`: it does not say how to sign in");
                let problem = Problem::error(fields.head(), title);
                self.report(problem.help("add `auth:` with `method`, `client_id` and `credential`"));
                None
            }
        };
        Some(TargetSpec {
            tenant: tenant?,
            delegated_organization: None,
            environment: environment?,
            auth: auth?,
        })
    }

    fn tenant(&mut self, node: &Node, key: &str) -> Option<String> {
        let text = self.text(node, key)?;
        if is_guid(text) || is_domain(text) {
            return Some(text.to_ascii_lowercase());
        }
        let title = format!("`{key}` is a domain or a GUID, found {}", quote(text));
        self.report(
            Problem::error(node.span.clone(), title)
                .help("write the initial domain: contoso.onmicrosoft.com"),
        );
        None
    }

    fn environment(&mut self, node: &Node) -> Option<Environment> {
        let name = self.word(node, "environment", ENVIRONMENTS)?;
        let found = Environment::ALL.into_iter().find(|environment| environment.as_str() == name)?;
        if found == Environment::O365GermanyCloud {
            let title = "`O365GermanyCloud` was closed on 2021-10-29";
            self.report(
                Problem::error(node.span.clone(), title).help("its tenants were moved: use `O365Default`"),
            );
            return None;
        }
        Some(found)
    }

    fn auth(&mut self, node: &Node) -> Option<Auth> {
        let entries = self.map(node, "`auth`")?;
        for entry in entries.iter().filter(|entry| INLINE_SECRETS.contains(&entry.key.as_str())) {
            self.inline_secret(&entry.key, &entry.value);
        }
        self.hide_unknown(entries, &AUTH, &[]);
        let auth = self.fields_besides(node, AUTH.what, &AUTH, &INLINE_SECRETS)?;
        let Some(method) = auth.get("method") else {
            let problem = Problem::error(auth.head(), "`auth` has no `method`");
            self.report(
                problem.help("add `method: client_secret` (an application) or `method: device` (a person)"),
            );
            return None;
        };
        let later =
            matches!(&method.content, Content::Scalar { text, .. } if METHODS_LATER.contains(&text.as_str()));
        if later {
            let title =
                format!("the way to sign in {} is not supported by this version yet", method.describe());
            self.report(Problem::error(method.span.clone(), title).help("use `client_secret` or `device`"));
            return None;
        }
        match self.word_of(auth, "method")? {
            "client_secret" => self.client_secret(auth),
            _ => self.device(auth),
        }
    }

    fn client_secret(&mut self, auth: Fields<'_>) -> Option<Auth> {
        if let Some(entry) = auth.entry("user_principal_name") {
            let title =
                "an application signs in without a user: `user_principal_name` belongs to `method: device`";
            self.report(Problem::error(entry.key_span.clone(), title).help("remove the key"));
        }
        let client_id = match auth.get("client_id") {
            Some(node) => self.client_id(node),
            None => {
                let problem = Problem::error(auth.head(), "`auth` has no `client_id`");
                self.report(problem.help("add the application (client) ID of the app registration"));
                None
            }
        };
        let credential = match auth.get("credential") {
            Some(node) => self.credential(node),
            None if INLINE_SECRETS.iter().any(|key| auth.get(key).is_some()) => None,
            None => {
                let problem = Problem::error(
                    auth.head(),
                    "`auth` has no `credential`: it does not say where the secret is",
                );
                self.report(
                    problem.help("add `credential:` and below it `env: NAME_OF_A_VARIABLE` or `file: PATH`"),
                );
                None
            }
        };
        Some(Auth::ClientSecret { client_id: client_id?, credential: credential? })
    }

    fn device(&mut self, auth: Fields<'_>) -> Option<Auth> {
        if let Some(entry) = auth.entry("credential") {
            let title = "a person confirms in a browser: `credential` belongs to `method: client_secret`";
            self.report(Problem::error(entry.key_span.clone(), title).help("remove the key"));
        }
        let client_id = match auth.get("client_id") {
            Some(node) => self.client_id(node)?,
            None => MODULE_CLIENT_ID.to_owned(),
        };
        let user_principal_name = match auth.get("user_principal_name") {
            Some(node) => Some(self.text(node, "user_principal_name")?.to_owned()),
            None => None,
        };
        Some(Auth::DeviceCode { client_id, user_principal_name })
    }

    fn client_id(&mut self, node: &Node) -> Option<String> {
        let text = self.text(node, "client_id")?;
        if is_guid(text) {
            return Some(text.to_ascii_lowercase());
        }
        let title = format!("`client_id` is a GUID, found {}", quote(text));
        self.report(
            Problem::error(node.span.clone(), title)
                .help("copy the application (client) ID of the app registration"),
        );
        None
    }

    fn credential(&mut self, node: &Node) -> Option<CredentialRef> {
        if matches!(node.content, Content::Scalar { .. }) {
            self.inline_secret("credential", node);
            return None;
        }
        self.reference("credential", node)
    }

    /// Where the secret of `key` is kept: `env: NAME` or `file: PATH`.
    pub(super) fn reference(&mut self, key: &str, node: &Node) -> Option<CredentialRef> {
        if let Content::Map(entries) = &node.content {
            self.hide_unknown(entries, &CREDENTIAL, &["vault"]);
        }
        let fields = self.fields_besides(node, &format!("`{key}`"), &CREDENTIAL, &["vault"])?;
        if let Some(entry) = fields.entry("vault") {
            let title = "`vault` is not supported by this version yet";
            self.report(
                Problem::error(entry.key_span.clone(), title).help("use `env: NAME` or `file: PATH`"),
            );
            return None;
        }
        match (fields.get("env"), fields.entry("file")) {
            (Some(env), None) => {
                let name = self.text(env, "env")?;
                let fits = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                    && !name.starts_with(|first: char| first.is_ascii_digit());
                if !fits {
                    // What does not look like a name may be the secret itself: it is not quoted.
                    self.secrets.push(env.span.clone());
                    let title = "`env` is the name of an environment variable, found something else (not shown: it may be a secret)";
                    self.report(
                        Problem::error(env.span.clone(), title)
                            .help("write its name, in letters, digits and `_`"),
                    );
                    return None;
                }
                Some(CredentialRef::Env(name.to_owned()))
            }
            (None, Some(file)) => Some(CredentialRef::File(PathBuf::from(self.text(&file.value, "file")?))),
            (Some(_), Some(file)) => {
                let title = format!("`{key}` has both `env` and `file`");
                self.report(Problem::error(file.key_span.clone(), title).help("keep one of the two"));
                None
            }
            (None, None) => {
                let title = format!("`{key}` does not say where the secret is");
                let problem = Problem::error(node.span.clone(), title);
                self.report(problem.help("write `env: NAME_OF_A_VARIABLE` or `file: PATH`"));
                None
            }
        }
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
                .help("put it into an environment variable or a file, and name that: `credential:`, and below it `env: EXORUN_CLIENT_SECRET`")
                .help("whoever could read this file knows the secret now: replace it"),
        );
    }
}

/// 8-4-4-4-12 hexadecimal digits.
pub(super) fn is_guid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Labels of letters, digits and hyphens with dots between: what can stand in the service's URLs.
fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(label)
}
