//! `retry` of a step.

use super::Checker;
use crate::spec::escape::quote;
use crate::spec::form::{Form, RETRY};
use crate::spec::job::Retry;
use crate::spec::problem::Problem;
use crate::spec::tree::Node;

impl Checker<'_> {
    /// How a step's requests are repeated.
    pub(super) fn retry(&mut self, node: &Node) -> Option<Retry> {
        let fields = self.fields(node, &RETRY)?;
        if fields.get("attempts").is_none() {
            let problem = Problem::error(fields.head(), "`retry` has no `attempts`");
            self.report(problem.help("add `attempts: 3`: tries in all, the first one counted"));
            return None;
        }
        let attempts = self.integer_of(fields, "attempts")?;
        let Some(on) = fields.get("on") else {
            return Some(Retry { attempts, throttled: true, transient: true });
        };
        let Form::Words(words) = fields.form("on") else { unreachable!("`on` takes words") };
        let items = self.list(on, "`on`")?;
        if items.is_empty() {
            let problem = Problem::error(on.span.clone(), "`on` is empty: nothing would be repeated");
            self.report(problem.help("write `attempts: 1` for that, and remove `on`"));
            return None;
        }
        let mut named: Vec<&str> = Vec::new();
        for item in items {
            let word = self.word(item, "on", words)?;
            if named.contains(&word) {
                let title = format!("`on` names {} twice", quote(word));
                self.report(Problem::error(item.span.clone(), title).help("remove one"));
            }
            named.push(word);
        }
        Some(Retry {
            attempts,
            throttled: named.contains(&"throttled"),
            transient: named.contains(&"transient"),
        })
    }
}
