//! Where a job runs and as whom: tenant, environment and auth, or a connection.

use super::{Checker, Fields};
use crate::catalog::nearest;
use crate::spec::escape::quote;
use crate::spec::form::{ENVIRONMENTS, TARGET_KEYS};
use crate::spec::names::ConnectionName;
use crate::spec::problem::Problem;
use crate::spec::target::{Environment, Target, TargetSpec, Who};
use crate::spec::tree::{Content, Entry, Node};

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
            if let (Some(entry), Who::Application) = (customer, spec.auth.method.who()) {
                let title = "`delegated_organization` is for a partner's users: an application has no partner access (GDAP)";
                self.report(
                    Problem::error(entry.key_span.clone(), title)
                        .help("remove it and set `tenant` to the customer's, where the application needs consent and a role"),
                );
            }
            return Some(Target::Spelled(Box::new(TargetSpec { delegated_organization, ..spec })));
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
        if let Content::Scalar { text, .. } = &node.content
            && ConnectionName::new(text).is_some()
            && nearest(text, ENVIRONMENTS.iter().copied()).is_empty()
        {
            return Some(Environment::Other(text.clone()));
        }
        let name = self.word(node, "environment", ENVIRONMENTS)?;
        let found = Environment::ALL.into_iter().find(|environment| environment.as_str() == name)?;
        if found == Environment::O365GermanyCloud {
            let title = "`O365GermanyCloud` was closed on 2021-10-29: a run is refused, unless the settings name endpoints for it";
            self.report(
                Problem::warning(node.span.clone(), title).help("its tenants were moved: use `O365Default`"),
            );
        }
        Some(found)
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
