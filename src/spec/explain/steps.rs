//! One step in words.

use super::page::{Page, listed};
use super::references::{expressions, meaning, used_by, users_of};
use crate::catalog::classic;
use crate::rules::duration::show;
use crate::spec::job::{Action, Job, Keep, OnError, OutputFormat, Retry, Step};
use crate::spec::reads::Read;
use crate::spec::template::{Part, Template};

pub(super) fn write(page: &mut Page, job: &Job, index: usize) {
    let step = &job.steps[index];
    page.section(&format!("step {} of {}: {}", index + 1, job.steps.len(), step.name));
    does(page, &step.action);
    page.fact("how often", &how_often(job, step));
    if step.when.is_some() {
        let what =
            if step.for_each.is_some() { "an item that is not wanted" } else { "a step that is not wanted" };
        page.fact("only if", &format!("`when` below is true; {what} counts as skipped"));
    }
    page.fact("calls", &calls(step));
    let expressions = expressions(step);
    for (at, (key, expression)) in expressions.iter().enumerate() {
        let label = if at == 0 { "expressions" } else { "" };
        page.fact(label, &format!("{key}: {}", expression.source()));
        page.more(&meaning(expression));
    }
    for Read { parameter, reference, .. } in step.reads() {
        page.fact("reads", &format!("{reference}, for {parameter}, when it is called; it was not read here"));
    }
    page.fact("asks for", &asks_for(step));
    if let Action::Cmdlet { .. } = &step.action {
        page.fact("keeps", &format!("{}; {}", keeps(&step.keep), used_by(&users_of(job, &step.name))));
    }
    page.fact("on error", on_error(step));
    if let Some(Retry { attempts, throttled, transient }) = step.retry {
        let after: Vec<&str> = [("throttled", throttled), ("transient", transient)]
            .iter()
            .filter(|(_, on)| *on)
            .map(|(word, _)| *word)
            .collect();
        page.fact(
            "repeats",
            &format!("a request is tried {attempts} times at most, after: {}", listed(&after)),
        );
    }
    match step.timeout {
        None => page.fact("time-out", "none of its own"),
        Some(most) => page.fact("time-out", &format!("the step as a whole has failed after {}", show(most))),
    }
    output(page, step);
}

fn does(page: &mut Page, action: &Action) {
    match action {
        Action::Cmdlet { cmdlet, .. } => {
            let wire = classic(cmdlet.as_str()).map_or(String::new(), |wire| format!(", sent as {wire}"));
            let access = match cmdlet.cmdlet() {
                None => "it is not in the catalog, and counts as one that writes",
                Some(_) if action.only_reads() => "it only reads",
                Some(_) => "it may write",
            };
            page.fact("does", &format!("calls {cmdlet}{wire}; {access}"));
        }
        Action::Ensure { noun, get, set, properties, .. } => {
            let names: Vec<&str> = properties.iter().map(|(name, _)| name.as_str()).collect();
            page.fact(
                "does",
                &format!(
                    "ensures that {} of {noun} {}: reads {get}, compares, writes {set} only where something \
                     differs, and reads again until the change is to be seen",
                    listed(&names),
                    if names.len() == 1 { "is as declared" } else { "are as declared" }
                ),
            );
        }
    }
}

fn how_often(job: &Job, step: &Step) -> String {
    let Some(list) = &step.for_each else { return "once".to_owned() };
    let items = match list.whole_items_of() {
        Some(name) => format!("each item that step {name} returned"),
        None => "each item of the list that `for_each` below gives".to_owned(),
    };
    let most = job.limits.max_sessions.min(step.parallel.unwrap_or(u32::MAX));
    format!("once for {items}, at most {most} call{} in flight", if most == 1 { "" } else { "s" })
}

fn calls(step: &Step) -> String {
    let one = match &step.action {
        Action::Cmdlet { .. } if step.action.only_reads() => "1 call, and 1 more for each further page",
        Action::Cmdlet { .. } => "1 call",
        Action::Ensure { .. } => "1 read, and where something differs 1 write and at least 1 read",
    };
    let each = if step.for_each.is_some() { "per item: " } else { "" };
    let none = if step.when.is_some() { "; none where `when` is false" } else { "" };
    format!("{each}{one}{none}")
}

/// Which properties the service is asked for.
fn asks_for(step: &Step) -> String {
    match &step.action {
        Action::Ensure { properties, .. } => {
            let names: Vec<&str> =
                std::iter::once("Identity").chain(properties.iter().map(|(name, _)| name.as_str())).collect();
            listed(&names)
        }
        Action::Cmdlet { .. } if !step.action.only_reads() => {
            "nothing; what comes back is taken as it is".to_owned()
        }
        Action::Cmdlet { .. } => match asked(step) {
            None => "every property".to_owned(),
            Some(names) if names.is_empty() => "only Identity: nothing else is needed".to_owned(),
            Some(names) => {
                let why = if step.select.is_empty() {
                    "what expressions need"
                } else {
                    "`select`, and what expressions need"
                };
                format!("{} ({why})", listed(&names))
            }
        },
    }
}

/// The properties a listing is asked for; `None`: all of them.
pub(super) fn asked(step: &Step) -> Option<Vec<&str>> {
    let kept: &[String] = match &step.keep {
        Keep::All if step.select.is_empty() => return None,
        Keep::All => &[],
        Keep::Properties(kept) => kept,
    };
    let mut names: Vec<&str> = Vec::new();
    for name in step.select.iter().chain(kept) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    Some(names)
}

fn keeps(keep: &Keep) -> String {
    match keep {
        Keep::All => "everything that comes back".to_owned(),
        Keep::Properties(names) if names.is_empty() => "only how many items there are".to_owned(),
        Keep::Properties(names) => listed(names),
    }
}

fn on_error(step: &Step) -> &'static str {
    match (step.on_error, &step.for_each) {
        (OnError::Stop, _) => "the run stops",
        (OnError::SkipRestOfItem, _) => {
            "the run goes on with the next item, later steps with the same `for_each` leave this one out, and it ends \
             with exit code 3 or 1"
        }
        (OnError::Continue, Some(_)) => "the run goes on with the next item, and ends with exit code 3 or 1",
        (OnError::Continue, None) => "the run goes on with the next step, and ends with exit code 3 or 1",
    }
}

fn output(page: &mut Page, step: &Step) {
    let Some(output) = &step.output else { return };
    let format = match output.format {
        OutputFormat::Csv { bom, raw } => format!(
            "CSV with the columns {}{}{}",
            listed(&step.select),
            if bom { "; with a byte order mark" } else { "" },
            if raw { "; raw: cells are not protected against formulas" } else { "" }
        ),
        OutputFormat::Ndjson => "one JSON object a line".to_owned(),
        OutputFormat::Json => "one JSON array".to_owned(),
    };
    page.fact("output file", &format!("{}: {format}; replaced as a whole, mode 0600", path(&output.path)));
}

/// The path as the job says it; the checker makes no other values of it than these.
fn path(path: &Template) -> String {
    match path {
        Template::Literal(value) => value.as_str().unwrap_or_default().to_owned(),
        Template::Expression(expression) => written(expression.source()),
        Template::Text(parts) => parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Expression(expression) => written(expression.source()),
            })
            .collect(),
        Template::List(_) | Template::Map(_) | Template::Secret(_) | Template::Bytes(_) => String::new(),
    }
}

fn written(source: &str) -> String {
    format!("${{{{ {source} }}}}")
}
