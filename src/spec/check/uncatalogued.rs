//! What the catalog does not have: refused, or with `unknown: allow` taken as it stands. The catalog ages, and a job
//! must not wait for the next version of the program.

use super::expressions::Names;
use super::{Checker, Fields, did_you_mean};
use crate::catalog::{Cmdlet, CmdletName, suggest_cmdlet, suggest_parameter};
use crate::spec::escape::quote;
use crate::spec::job::Action;
use crate::spec::problem::Problem;
use crate::spec::template::Template;
use crate::spec::tree::{Entry, Node};

/// Said where no known name is near.
pub(super) const NEWER_THAN_THE_CATALOG: &str =
    "if it is newer than this version of exorun, write `unknown: allow` at the top of the job";

impl Checker<'_> {
    /// A step whose cmdlet is not in the catalog.
    pub(super) fn uncatalogued_cmdlet(
        &mut self,
        node: &Node,
        text: &str,
        fields: Fields<'_>,
        names: &mut Names<'_>,
    ) -> Option<Action> {
        let name = CmdletName::uncatalogued(text);
        let near = did_you_mean(&suggest_cmdlet(text));
        let Some(cmdlet) = name.as_ref().filter(|_| self.allows_unknown) else {
            let problem = Problem::error(node.span.clone(), format!("there is no cmdlet {}", quote(text)));
            self.report(match near {
                _ if text.contains("${{") => {
                    problem.help("the cmdlet is written out: what a job does is known before it runs")
                }
                Some(near) => problem.help(near),
                None => {
                    let problem = problem
                        .help("write a cmdlet of Exchange Online or Security & Compliance: `Get-Mailbox`");
                    if name.is_some() { problem.help(NEWER_THAN_THE_CATALOG) } else { problem }
                }
            });
            return None;
        };
        let title = format!("{} is not in the catalog: nothing about it is checked", quote(text));
        let problem = Problem::warning(node.span.clone(), title);
        let problem = near.into_iter().fold(problem, Problem::help);
        self.report(problem.help("it counts as a cmdlet that writes, and returns no items"));
        let entries = match fields.get("parameters") {
            Some(node) => self.map(node, "`parameters`")?,
            None => &[],
        };
        let mut parameters = Vec::with_capacity(entries.len());
        for entry in entries {
            let value = self.uncatalogued_value(entry, &parameters, names);
            parameters.extend(value.map(|value| (entry.key.clone(), value)));
        }
        Some(Action::Cmdlet { cmdlet: cmdlet.clone(), parameters })
    }

    /// A parameter that the catalog does not have, of a cmdlet that it has; `given` are those before it.
    pub(super) fn uncatalogued_parameter(
        &mut self,
        cmdlet: Cmdlet,
        entry: &Entry,
        given: &[(String, Template)],
        names: &mut Names<'_>,
    ) -> Option<(String, Template)> {
        let value = self.uncatalogued_value(entry, given, names)?;
        let title = format!(
            "{} of `{}` is not in the catalog: its value is not checked",
            quote(&entry.key),
            cmdlet.as_str()
        );
        let near = did_you_mean(&suggest_parameter(&cmdlet, &entry.key));
        let problem = Problem::warning(entry.key_span.clone(), title);
        self.report(problem.help(near.unwrap_or_else(|| "it is sent as it stands here".to_owned())));
        Some((entry.key.clone(), value))
    }

    fn uncatalogued_value(
        &mut self,
        entry: &Entry,
        given: &[(String, Template)],
        names: &mut Names<'_>,
    ) -> Option<Template> {
        let fits = entry.key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let (title, help) = if !fits || entry.key.is_empty() {
            let title =
                format!("the name of a parameter has letters and digits only, found {}", quote(&entry.key));
            (title, "correct the name, or remove it")
        } else if given.iter().any(|(name, _)| name.eq_ignore_ascii_case(&entry.key)) {
            (format!("the parameter {} is given twice", quote(&entry.key)), "keep one of the two")
        } else if entry.value.is_absent() {
            (
                format!("{} has no value", quote(&entry.key)),
                "write a value, '' for empty text, or null to clear it",
            )
        } else {
            return self.free(&entry.value, names);
        };
        self.report(Problem::error(entry.key_span.clone(), title).help(help));
        None
    }
}
