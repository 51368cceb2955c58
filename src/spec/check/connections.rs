//! Documents of the kind `Connections`: named targets.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Checker;
use crate::spec::connections::Connection;
use crate::spec::escape::quote;
use crate::spec::form::{CONNECTION, CONNECTIONS};
use crate::spec::names::{ConnectionName, DNS_LABEL_HELP};
use crate::spec::problem::Problem;
use crate::spec::read::Document;
use crate::spec::target::Who;
use crate::spec::tree::{Content, Entry};

/// The connections of a file, as far as it has been read.
#[derive(Default)]
pub(in crate::spec) struct Found {
    /// Those that are right.
    pub(in crate::spec) named: BTreeMap<ConnectionName, Connection>,
    /// Where each name stands, also of those that are wrong.
    places: BTreeMap<ConnectionName, Range<usize>>,
}

/// Checks a document and adds its connections to `found`.
pub(in crate::spec) fn connections(checker: &mut Checker<'_>, document: &Document, found: &mut Found) {
    let Some(fields) = checker.fields(&document.root, &CONNECTIONS) else { return };
    checker.version(fields, "the document");
    let Some(node) = fields.get("connections") else {
        let problem = Problem::error(fields.head(), "the document has no `connections`");
        checker.report(
            problem.help("add `connections:` and below it a name with `tenant`, `environment` and `auth`"),
        );
        return;
    };
    let Some(entries) = checker.map(node, "`connections`") else { return };
    for entry in entries {
        checker.connection(entry, found);
    }
}

impl Checker<'_> {
    fn connection(&mut self, entry: &Entry, found: &mut Found) {
        let name = self.connection_name(&entry.key, &entry.key_span);
        let what = format!("the connection {}", quote(&entry.key));
        if let Content::Map(entries) = &entry.value.content {
            self.hide_unknown(entries, &CONNECTION, &[]);
        }
        let fields = self.fields_besides(&entry.value, &what, &CONNECTION, &[]);
        let connection = fields.and_then(|fields| {
            let target = self.target_spec(fields, &what);
            let permits = self.permits(fields);
            let target = target?;
            if let (Some(entry), Who::Application) = (fields.entry("delegated_organizations"), target.auth.method.who()) {
                let title = "`delegated_organizations` is for a partner's users: an application has no partner access (GDAP)";
                self.report(
                    Problem::error(entry.key_span.clone(), title)
                        .help("remove it; a connection for each customer has the customer's own `tenant`"),
                );
            }
            Some(Connection { target, permits })
        });
        let Some(name) = name else { return };
        if let Some(first) = found.places.get(&name) {
            let title = format!("two connections of this file are called {}", quote(name.as_str()));
            let problem = Problem::error(entry.key_span.clone(), title).label("again here");
            self.report(problem.related(first.clone(), "first here").help("give each a name of its own"));
            return;
        }
        found.places.insert(name.clone(), entry.key_span.clone());
        if let Some(connection) = connection {
            found.named.insert(name, connection);
        }
    }

    /// The name of a connection, where it is given and where it is used.
    pub(super) fn connection_name(&mut self, text: &str, at: &Range<usize>) -> Option<ConnectionName> {
        let name = ConnectionName::new(text);
        if name.is_none() {
            let title = format!("the name of a connection is a DNS label, found {}", quote(text));
            self.report(Problem::error(at.clone(), title).help(DNS_LABEL_HELP));
        }
        name
    }
}
