//! What a connection may be used for: `jobs`, `services`, `delegated_organizations`, `secrets`.

use std::collections::BTreeMap;

use super::{Checker, Fields};
use crate::catalog::Service;
use crate::spec::escape::quote;
use crate::spec::form::{Form, PERMITTED_JOBS};
use crate::spec::limits::PERMITS_MAX;
use crate::spec::permits::{Permits, PermittedJobs, PermittedSecret};
use crate::spec::problem::Problem;
use crate::spec::tree::Node;

impl Checker<'_> {
    pub(super) fn permits(&mut self, fields: Fields<'_>) -> Permits {
        Permits {
            jobs: fields.get("jobs").map(|node| self.permitted_jobs(node)),
            services: fields.get("services").map(|node| self.permitted_services(fields, node)),
            customers: match fields.get("delegated_organizations") {
                Some(node) => self.permitted_texts(node, "delegated_organizations"),
                None => Vec::new(),
            },
            secrets: fields.get("secrets").map(|node| self.permitted_secrets(node)),
        }
    }

    fn permitted_jobs(&mut self, node: &Node) -> Vec<PermittedJobs> {
        let items = self.permitted(node, "jobs");
        items.iter().filter_map(|item| self.permitted_job(item)).collect()
    }

    fn permitted_job(&mut self, node: &Node) -> Option<PermittedJobs> {
        let fields = self.fields(node, &PERMITTED_JOBS)?;
        let name = match fields.get("name") {
            Some(node) => Some(self.text(node, "name")?.to_owned()),
            None => None,
        };
        let mut labels = BTreeMap::new();
        if let Some(node) = fields.get("labels") {
            for entry in self.map(node, "`labels`")? {
                labels.insert(entry.key.clone(), self.text(&entry.value, &entry.key)?.to_owned());
            }
        }
        if name.is_none() && labels.is_empty() {
            let title = "an entry of `jobs` names no job";
            self.report(
                Problem::error(node.span.clone(), title)
                    .help("write `name: PATTERN`, `labels:` or both; `name: \"*\"` is every job"),
            );
            return None;
        }
        Some(PermittedJobs { name, labels })
    }

    fn permitted_services(&mut self, fields: Fields<'_>, node: &Node) -> Vec<Service> {
        let Form::Words(words) = fields.form("services") else { unreachable!("`services` takes words") };
        let items = self.permitted(node, "services");
        let named: Vec<&str> = items.iter().filter_map(|item| self.word(item, "services", words)).collect();
        Service::ALL.into_iter().filter(|service| named.contains(&service.as_str())).collect()
    }

    fn permitted_secrets(&mut self, node: &Node) -> Vec<PermittedSecret> {
        let mut permitted = Vec::new();
        for item in self.permitted(node, "secrets") {
            let Some(text) = self.text(item, "secrets") else { continue };
            match PermittedSecret::new(text) {
                Some(pattern) => permitted.push(pattern),
                None => {
                    let title =
                        format!("an entry of `secrets` says of which kind it is, found {}", quote(text));
                    self.report(Problem::error(item.span.clone(), title).help(
                        "write `vault:MOUNT/PATH`, `file:PATH` or `env:NAME`; `*` stands for any characters: `vault:kv/exo/*`",
                    ));
                }
            }
        }
        permitted
    }

    fn permitted_texts(&mut self, node: &Node, key: &str) -> Vec<String> {
        let items = self.permitted(node, key);
        // Tenants of jobs are kept in lower case.
        items.iter().filter_map(|item| self.text(item, key)).map(str::to_ascii_lowercase).collect()
    }

    /// The entries of a list that permits something. An empty one permits nothing, which is worth writing.
    fn permitted<'a>(&mut self, node: &'a Node, key: &str) -> &'a [Node] {
        let Some(items) = self.list(node, &format!("`{key}`")) else { return &[] };
        if items.len() > PERMITS_MAX {
            let title = format!("`{key}` has more than {PERMITS_MAX} entries (PERMITS_MAX)");
            self.report(
                Problem::error(node.span.clone(), title).help("use patterns: `*` stands for any characters"),
            );
        }
        items
    }
}
