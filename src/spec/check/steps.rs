//! Steps: what each does, in which order, with which names.

use super::expressions::{Names, Place};
use super::{Checker, Fields};
use crate::catalog::Service;
use crate::spec::escape::quote;
use crate::spec::form::STEP;
use crate::spec::job::{Action, InputSpec, Keep, OnError, Output, Retry, Step, StepName};
use crate::spec::keep::Need;
use crate::spec::limits::STEPS_MAX;
use crate::spec::problem::Problem;
use crate::spec::template::Expression;
use crate::spec::tree::{Content, Node};

/// A step that was checked as far as it goes.
pub(super) struct Draft {
    name: Option<StepName>,
    action: Option<Action>,
    pub(super) for_each: Option<Expression>,
    pub(super) parallel: Option<u32>,
    when: Option<Expression>,
    select: Vec<String>,
    pub(super) on_error: OnError,
    retry: Option<Retry>,
    timeout: Option<std::time::Duration>,
    output: Option<Output>,
}

impl Checker<'_> {
    /// `steps` of a job; only complete ones are returned, and only together with no problems they count.
    pub(super) fn steps(
        &mut self,
        node: &Node,
        service: Service,
        inputs: &[InputSpec],
        max_sessions: u32,
    ) -> Vec<Step> {
        let Some(items) = self.list(node, "`steps`") else { return Vec::new() };
        if items.is_empty() {
            self.report(
                Problem::error(node.span.clone(), "the job has no steps")
                    .help("add at least one step with `name` and `cmdlet`"),
            );
        }
        if items.len() > STEPS_MAX {
            let title = format!("a job has at most {STEPS_MAX} steps (STEPS_MAX), found {}", items.len());
            self.report(Problem::error(node.span.clone(), title).help("use `for_each`, or split the job"));
            return Vec::new();
        }
        let steps: Vec<&str> = items.iter().map(name_of).collect();
        let needs = vec![Need::default(); steps.len()];
        let mut names = Names { steps, current: 0, inputs, place: Place::Step, item_of: None, needs };
        self.outputs_of_their_own(items);
        let mut drafts = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            names.current = index;
            names.item_of = None;
            drafts.push(self.step(item, service, &mut names));
        }
        self.loops(items, &drafts, max_sessions);
        drafts.into_iter().zip(names.needs).filter_map(|(draft, need)| finish(draft?, &need)).collect()
    }

    fn step(&mut self, node: &Node, service: Service, names: &mut Names<'_>) -> Option<Draft> {
        let fields = self.fields(node, &STEP)?;
        let name = self.step_name(fields, names);
        // First: what the loop goes over decides what `item` is.
        names.place = Place::ForEach;
        let for_each =
            fields.get("for_each").map(|node| (node, self.bare_expression(node, "for_each", names)));
        if let Some((node, Some(expression))) = &for_each {
            self.must_be_a_list(node, expression);
        }
        names.place = if for_each.is_some() { Place::Loop } else { Place::Step };
        let when = fields.get("when").and_then(|node| self.bare_expression(node, "when", names));
        let action = self.action(fields, service, names);
        let select = fields.get("select").map(|node| self.select(node)).unwrap_or_default();
        if let (Some(entry), Some(Action::Ensure { .. })) =
            (fields.entry("select").or(fields.entry("output")), &action)
        {
            let title = format!("`{}` belongs to a step with `cmdlet`: `ensure` returns no items", entry.key);
            self.report(
                Problem::error(entry.key_span.clone(), title)
                    .help("remove it; what was changed is in the report"),
            );
        }
        let parallel = self.integer_of(fields, "parallel");
        let on_error = match self.word_of(fields, "on_error") {
            Some("continue") => OnError::Continue,
            Some("skip_rest_of_item") => OnError::SkipRestOfItem,
            _ => OnError::Stop,
        };
        if for_each.is_none() {
            self.only_in_a_loop(fields, on_error);
        }
        let retry = fields.get("retry").and_then(|node| self.retry(node));
        let timeout = self.duration_of(fields, "timeout");
        names.place = Place::OutputPath;
        let output = fields.get("output").and_then(|node| self.output(node, &select, names));
        let for_each = for_each.and_then(|(_, expression)| expression);
        Some(Draft { name, action, for_each, parallel, when, select, on_error, retry, timeout, output })
    }

    fn step_name(&mut self, fields: Fields<'_>, names: &Names<'_>) -> Option<StepName> {
        let Some(node) = fields.get("name") else {
            let problem = Problem::error(fields.head(), format!("step {} has no `name`", names.current + 1));
            self.report(
                problem.help("add `name: something`: it is used in expressions, logs and the report"),
            );
            return None;
        };
        let text = self.text(node, "name")?;
        let name = StepName::new(text);
        if name.is_none() {
            let title = format!("the name of a step is an identifier, found {}", quote(text));
            let help = "lower-case letters, digits and `_`, starting with a letter, at most 63: it occurs in expressions";
            self.report(Problem::error(node.span.clone(), title).help(help));
        } else if names.steps[..names.current].contains(&text) {
            let title = format!("two steps are called {}", quote(text));
            self.report(Problem::error(node.span.clone(), title).help("give each step a name of its own"));
        }
        name
    }

    fn action(&mut self, fields: Fields<'_>, service: Service, names: &mut Names<'_>) -> Option<Action> {
        let (wrong, mend): (&[&str], &str) = match (fields.entry("cmdlet"), fields.entry("ensure")) {
            (Some(_), Some(ensure)) => {
                let title = "a step has `cmdlet` or `ensure`, not both";
                self.report(Problem::error(ensure.key_span.clone(), title).help("make two steps of it"));
                return None;
            }
            (None, None) => {
                let problem = Problem::error(
                    fields.head(),
                    "the step does nothing: it has neither `cmdlet` nor `ensure`",
                );
                self.report(problem.help("add `cmdlet: Get-Mailbox` to call a cmdlet, or `ensure: CASMailbox` to make properties hold"));
                return None;
            }
            (Some(_), None) => (&["identity", "properties"], "`ensure`; a cmdlet takes `parameters`"),
            (None, Some(_)) => (&["parameters"], "`cmdlet`; `ensure` takes `identity` and `properties`"),
        };
        for entry in wrong.iter().filter_map(|key| fields.entry(key)) {
            let title = format!("`{}` belongs to a step with {mend}", entry.key);
            self.report(
                Problem::error(entry.key_span.clone(), title).help("move what is below it to the right key"),
            );
        }
        match fields.get("cmdlet") {
            Some(node) => self.cmdlet_step(node, fields, service, names),
            None => self.ensure_step(fields, service, names),
        }
    }

    fn select(&mut self, node: &Node) -> Vec<String> {
        let Some(items) = self.list(node, "`select`") else { return Vec::new() };
        let mut select: Vec<String> = Vec::with_capacity(items.len());
        for item in items {
            let Some(name) = self.text(item, "select") else { continue };
            if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                let title =
                    format!("`select` names properties as the service returns them, found {}", quote(name));
                self.report(
                    Problem::error(item.span.clone(), title)
                        .help("write one name an entry: `- PrimarySmtpAddress`"),
                );
            } else if select.iter().any(|known| known == name) {
                let title = format!("`select` names {} twice", quote(name));
                self.report(Problem::error(item.span.clone(), title).help("remove one"));
            } else {
                select.push(name.to_owned());
            }
        }
        select
    }
}

/// The name a step was given, before it is checked; empty if there is none.
fn name_of(node: &Node) -> &str {
    let Content::Map(entries) = &node.content else { return "" };
    entries.iter().find(|entry| entry.key == "name").map_or("", |entry| match &entry.value.content {
        Content::Scalar { text, .. } => text,
        _ => "",
    })
}

fn finish(draft: Draft, need: &Need) -> Option<Step> {
    let keep: Keep = need.keep(&draft.select, draft.output.is_some());
    Some(Step {
        name: draft.name?,
        action: draft.action?,
        for_each: draft.for_each,
        parallel: draft.parallel,
        when: draft.when,
        select: draft.select,
        keep,
        on_error: draft.on_error,
        retry: draft.retry,
        timeout: draft.timeout,
        output: draft.output,
    })
}
