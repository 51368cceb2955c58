//! Answers in the documented shapes: what the real program would say on a quiet morning.

use exorun::observe::admin::{Answer, AskError, Asked, Query, Resource};
use serde_json::{Value, json};

const RUN: &str = "0194f2a0-1111-7222-8333-0000000000aa";
const JOBS: [&str; 3] = ["a-report", "harden", "nightly"];

pub(crate) struct Examples;

#[async_trait::async_trait]
impl Asked for Examples {
    async fn answer(&self, query: Query) -> Result<Answer, AskError> {
        let body = match &query.resource {
            Resource::Jobs => jobs(&query),
            Resource::Job(name) if JOBS.contains(&name.as_str()) => job(name),
            Resource::Run(id) if id == RUN => with_steps(run("done")),
            Resource::Job(_) | Resource::Run(_) => return Err(AskError::NotFound),
            Resource::Runs => page(chosen(vec![run("done"), run("lost")], "outcome", &query), &query)?,
            Resource::Occurrences => {
                let rows = ["running", "ran", "skipped", "failed"].map(occurrence).to_vec();
                page(chosen(rows, "result", &query), &query)?
            }
            Resource::Sessions => sessions(),
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

/// Jobs in the order of their names; a cursor is the last one's name.
fn jobs(query: &Query) -> Value {
    let after = query.page.as_deref().unwrap_or_default();
    let mut names: Vec<&str> = JOBS.into_iter().filter(|name| *name > after).collect();
    let more = names.len() > query.limit as usize;
    names.truncate(query.limit as usize);
    let items: Vec<Value> = names.iter().map(|name| job(name)).collect();
    json!({ "items": items, "next": names.last().filter(|_| more) })
}

/// One page of rows; a cursor is the number of rows before it and another number.
fn page(rows: Vec<Value>, query: &Query) -> Result<Value, AskError> {
    let bad = || AskError::BadQuery("`page` is no `next` of an answer".to_owned());
    let (before, rest) = query.page.as_deref().unwrap_or("0.1").split_once('.').ok_or_else(bad)?;
    let number = |text: &str| text.parse::<i64>().ok().filter(|number| number.to_string() == text);
    let (Some(before), Some(_)) = (number(before), number(rest)) else { return Err(bad()) };
    let start = usize::try_from(before).unwrap_or(0);
    let end = start.saturating_add(query.limit as usize);
    let next = (end < rows.len()).then(|| format!("{end}.1"));
    let items: Vec<Value> = rows.into_iter().skip(start).take(query.limit as usize).collect();
    Ok(json!({ "items": items, "next": next }))
}

fn job(name: &str) -> Value {
    json!({
        "name": name,
        "description": null,
        "source": format!("jobs/{name}.yaml"),
        "hash": "0".repeat(64),
        "state": "idle",
        "schedules": [{ "schedule": "cron 0 2 * * * Asia/Tokyo", "next_due_at": "2026-03-03T17:00:00Z" }],
        "next_due_at": "2026-03-03T17:00:00Z",
        "last_run": { "run_id": RUN, "began_at": "2026-03-02T17:00:00Z", "ended_at": null, "outcome": null },
        "counts": { "due": 5, "ran": 2, "skipped": { "missed": 1 }, "failed": { "lost": 1 }, "open": 1 },
    })
}

fn occurrence(result: &str) -> Value {
    let (reason, run) = match result {
        "ran" | "running" => (Value::Null, json!(RUN)),
        "failed" => (json!("lost"), json!(RUN)),
        _ => (json!("missed"), Value::Null),
    };
    json!({
        "job": "harden",
        "schedule": "cron 0 2 * * * Asia/Tokyo",
        "due_at": "2026-03-02T17:00:00Z",
        "last_due_at": "2026-03-02T17:00:00Z",
        "count": 1,
        "result": result,
        "reason": reason,
        "run_id": run,
        "started_at": null,
        "ended_at": "2026-03-02T17:00:41Z",
    })
}

fn run(outcome: &str) -> Value {
    json!({
        "run_id": RUN,
        "job": "harden",
        "trigger": "schedule",
        "due_at": "2026-03-02T17:00:00Z",
        "began_at": "2026-03-02T17:00:00Z",
        "ended_at": "2026-03-02T17:00:41Z",
        "seconds": 41.2,
        "outcome": outcome,
        "exit_code": 0,
        "reason": null,
        "peer": "Exchange Online",
        "tenant": "contoso.onmicrosoft.com",
        "tenant_id": null,
        "environment": "O365Default",
        "service": "ExchangeOnline",
        "actor": "11111111-2222-3333-4444-555555555555",
        "mode": "apply",
        "job_hash": "0".repeat(64),
        "source": "jobs/harden.yaml",
        "sessions": 1,
    })
}

fn with_steps(mut run: Value) -> Value {
    run["steps"] = json!([{
        "name": "shared", "action": "Get-EXOMailbox", "seconds": 1.5, "calls": 1, "items": 12, "changed": 0,
        "unchanged": 0, "pending": 0, "failed": 0, "skipped": 0,
    }]);
    run
}

fn sessions() -> Value {
    let held = json!({
        "slot": 1, "state": "held", "job": "harden", "run": RUN, "connection_id": RUN, "place": "process 4711",
        "since": "2026-03-02T17:00:00Z", "lease_ends": "2026-03-02T17:01:00Z", "call_limit_seconds": 900.0,
    });
    let quarantined = json!({
        "slot": 2, "state": "quarantined", "since": "2026-03-02T17:00:00Z", "until": "2026-03-02T17:16:00Z",
    });
    json!({
        "version": 1,
        "at": "2026-03-02T17:00:30Z",
        "reach": "on this host",
        "accounts": [{
            "account": "6a1f0c9e", "cloud": "https://login.microsoftonline.com", "tenant_id": "t", "object_id": "o",
            "limit": 5, "lowered_to": null, "opened_in_window": 1, "waiting": 0, "slots": [held, quarantined],
        }],
    })
}
