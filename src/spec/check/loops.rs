//! Loops: what they go over, how many calls at once, and which items they leave out.

use super::steps::Draft;
use super::{Checker, Fields};
use crate::spec::job::OnError;
use crate::spec::problem::Problem;
use crate::spec::template::Expression;
use crate::spec::tree::{Content, Entry, Node};
use crate::spec::words;

impl Checker<'_> {
    /// What can be told before the run: some expressions never give a list.
    pub(super) fn must_be_a_list(&mut self, node: &Node, expression: &Expression) {
        let words = words::words(expression.source());
        let paths = words::paths(&words);
        let [path] = &paths[..] else { return };
        let is_whole = path.words == (0..words.len());
        if let (true, "steps", [step, last @ ("count" | "first")]) = (is_whole, path.root, &path.names[..]) {
            let title = format!("`for_each` goes over a list; `steps.{step}.{last}` is none");
            self.report(
                Problem::error(node.span.clone(), title)
                    .help(format!("write `for_each: steps.{step}.items`")),
            );
        }
    }

    /// What says how a loop is done, in a step without one.
    pub(super) fn only_in_a_loop(&mut self, fields: Fields<'_>, on_error: OnError) {
        if let Some(entry) = fields.entry("parallel") {
            let title = "`parallel` is for steps with `for_each`: this one makes one call";
            self.report(Problem::error(entry.key_span.clone(), title).help("remove it, or add `for_each`"));
        }
        if let (OnError::SkipRestOfItem, Some(node)) = (on_error, fields.get("on_error")) {
            let title = "`skip_rest_of_item` is for steps with `for_each`: this one has no items";
            self.report(Problem::error(node.span.clone(), title).help("write `continue`, or add `for_each`"));
        }
    }

    /// What a loop has to do with the job's sessions and with the loops after it. `nodes` are the steps as written.
    pub(super) fn loops(&mut self, nodes: &[Node], drafts: &[Option<Draft>], max_sessions: u32) {
        for (index, (node, draft)) in nodes.iter().zip(drafts).enumerate() {
            let Some(draft) = draft else { continue };
            let Some(for_each) = &draft.for_each else { continue };
            if let (Some(parallel), Some(entry)) = (draft.parallel, entry(node, "parallel"))
                && parallel > max_sessions
            {
                let title = format!(
                    "`parallel` is {parallel}, and the job may have {max_sessions} of the account's sessions"
                );
                let help = format!(
                    "a session does one call at a time: write `max_sessions: {parallel}` below `limits`, or a smaller `parallel`"
                );
                self.report(Problem::warning(entry.value.span.clone(), title).help(help));
            }
            let same = |later: &Option<Draft>| {
                let later = later.as_ref().and_then(|later| later.for_each.as_ref());
                later.is_some_and(|later| later.source() == for_each.source())
            };
            if draft.on_error == OnError::SkipRestOfItem
                && !drafts[index + 1..].iter().any(same)
                && let Some(entry) = entry(node, "on_error")
            {
                let title = "no later step has the same `for_each`: there is nothing to skip";
                let help =
                    "write `continue`, or the same `for_each` in the steps that are to leave the item out";
                self.report(Problem::warning(entry.value.span.clone(), title).help(help));
            }
        }
    }
}

fn entry<'a>(node: &'a Node, key: &str) -> Option<&'a Entry> {
    let Content::Map(entries) = &node.content else { return None };
    entries.iter().find(|entry| entry.key == key)
}
