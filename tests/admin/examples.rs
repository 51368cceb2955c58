//! Answers in the documented shapes, three jobs' worth: what the real program would say on a quiet morning.

use exorun::observe::admin::{Answer, AskError, Asked, Query, Resource};
use serde_json::{Value, json};

const RUN: &str = "0194f2a0-1111-7222-8333-0000000000aa";

pub(crate) struct Examples;

#[async_trait::async_trait]
impl Asked for Examples {
    async fn answer(&self, query: Query) -> Result<Answer, AskError> {
        let body = match &query.resource {
            Resource::Jobs => page(vec![job("a-report"), job("harden"), job("nightly")], &query)?,
            Resource::Job(name) if name == "harden" => job(name),
            Resource::Run(id) if id == RUN => run(),
            Resource::Job(_) | Resource::Run(_) => return Err(AskError::NotFound),
            Resource::Runs => {
                let mut run = run();
                run.as_object_mut().unwrap().remove("steps");
                page(chosen(vec![run], "outcome", &query), &query)?
            }
            Resource::Occurrences => {
                page(chosen(vec![occurrence("ran"), occurrence("skipped")], "result", &query), &query)?
            }
            Resource::Sessions => json!({
                "version": 1, "at": "2026-03-02T09:00:00Z", "reach": "on this host", "accounts": []
            }),
        };
        Ok(Answer { body })
    }
}

/// The rows that the query wants.
fn chosen(rows: Vec<Value>, ended: &str, query: &Query) -> Vec<Value> {
    let wanted = |row: &Value| {
        let is = |key: &str, value: &Option<String>| value.as_deref().is_none_or(|value| row[key] == *value);
        is("job", &query.job) && is(ended, &query.outcome)
    };
    rows.into_iter().filter(wanted).collect()
}

/// One page; a cursor is the number of rows before it.
fn page(rows: Vec<Value>, query: &Query) -> Result<Value, AskError> {
    let bad = |_| AskError::BadQuery("`page` is no `next` of an answer".to_owned());
    let start: usize = query.page.as_deref().unwrap_or("0").parse().map_err(bad)?;
    let limit = usize::try_from(query.limit).unwrap();
    let next = start.saturating_add(limit);
    let next = (next < rows.len()).then(|| next.to_string());
    Ok(json!({ "items": rows.into_iter().skip(start).take(limit).collect::<Vec<_>>(), "next": next }))
}

fn job(name: &str) -> Value {
    json!({ "name": name })
}

fn occurrence(result: &str) -> Value {
    json!({ "job": "harden", "due": "2026-03-02T02:00:00Z", "result": result })
}

fn run() -> Value {
    json!({ "run": RUN, "job": "harden", "outcome": "done", "steps": [] })
}
