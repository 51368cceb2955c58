//! The head of a job in words: what it is, who signs in, where, when, what it allows itself, what it can be given.

use super::page::{Page, listed};
use super::{Addresses, Place, schedule};
use crate::catalog::Service;
use crate::rules::duration::show;
use crate::spec::job::{InputKind, InputSpec, Job, Limits};

use super::who::who;

pub(super) fn write(page: &mut Page, job: &Job, place: &Place) {
    page.section(&format!("job {}", job.name));
    if let Some(description) = &job.description {
        page.fact("description", description);
    }
    page.fact("file", &job.source.display().to_string());
    page.fact("SHA-256", &format!("{} (of the job's text; the write log names it)", job.hash));
    for (name, text) in &job.labels {
        page.fact("label", &format!("{name}: {text}"));
    }
    who(page, job, place);
    where_to(page, job, place);
    when(page, job);
    limits(page, job);
    for refusal in &place.refusals {
        page.fact("refused", refusal);
    }
    inputs(page, job);
}

fn where_to(page: &mut Page, job: &Job, place: &Place) {
    page.section("where");
    match &place.target {
        None => page.fact("tenant", "the connection says so"),
        Some(target) => {
            page.fact("tenant", &target.tenant);
            if let Some(customer) = &target.delegated_organization {
                page.fact("works in", &format!("{customer}, a customer's tenant, as a partner's user"));
            }
            page.fact("environment", target.environment.as_str());
        }
    }
    page.fact("service", job.service.as_str());
    match &place.addresses {
        None => {}
        Some(Err(why)) => page.fact("addresses", why),
        Some(Ok(Addresses { login, login_is_set, exchange, exchange_is_set })) => {
            let by = |is_set: &bool, setting: &str| {
                if *is_set { format!(" (the setting `{setting}` says so)") } else { String::new() }
            };
            page.fact("sign-in at", &format!("{login}{}", by(login_is_set, "login_endpoint")));
            let (setting, region) = match job.service {
                Service::ExchangeOnline | Service::ExchangeOnlineProtection => ("exchange_endpoint", ""),
                Service::SecurityCompliance => ("compliance_endpoint", ", or in the region that it names"),
            };
            page.fact("calls at", &format!("{exchange}{region}{}", by(exchange_is_set, setting)));
        }
    }
}

fn when(page: &mut Page, job: &Job) {
    page.section("when");
    for schedule in &job.schedules {
        page.fact("due", &schedule::words(schedule));
    }
    if !job.schedules.is_empty() {
        schedule::policy(page, &job.run_policy);
    }
    let by_whom = if job.schedules.is_empty() {
        "the job has no schedule: it runs when somebody or something starts it"
    } else {
        "`exorun serve` runs it by its schedules; `exorun run` and others (a CronJob, a pipeline) start it at any time"
    };
    page.fact("started by", by_whom);
}

fn limits(page: &mut Page, job: &Job) {
    let Limits { max_sessions, max_changes, max_duration, session_wait } = &job.limits;
    page.section("what it may do");
    let writing: Vec<&str> =
        job.steps.iter().filter(|step| !step.action.only_reads()).map(|step| step.name.as_str()).collect();
    let plural = if writing.len() == 1 { "step" } else { "steps" };
    match &writing[..] {
        [] => page.fact("access", "it only reads"),
        writing => page.fact("access", &format!("it may write: {plural} {}", listed(writing))),
    }
    match max_sessions {
        1 => page.fact("sessions", "1; it is closed whatever happens"),
        several => page.fact(
            "sessions",
            &format!(
                "at most {several} at once; only the first is waited for, and each is closed whatever happens"
            ),
        ),
    }
    match session_wait {
        None => page.fact(
            "waiting",
            "for the first session as long as the setting `session_wait` says (then exit code 69)",
        ),
        Some(wait) => page
            .fact("waiting", &format!("for the first session at most {} (then exit code 69)", show(*wait))),
    }
    match max_changes {
        None => page.fact("changes", "no limit"),
        Some(0) => page.fact("changes", "none: before the first change the run stops with exit code 78"),
        Some(most) => page.fact(
            "changes",
            &format!(
                "at most {most}, counting each property that `ensure` changes and each writing call; before the \
                 next one the run stops with exit code 78"
            ),
        ),
    }
    match max_duration {
        None => page.fact("duration", "no limit"),
        Some(most) => page.fact(
            "duration",
            &format!("at most {}; then the run is asked to stop (exit code 78)", show(*most)),
        ),
    }
}

fn inputs(page: &mut Page, job: &Job) {
    page.section("inputs");
    if job.inputs.is_empty() {
        page.note("none");
    }
    for InputSpec { name, kind, description, default } in &job.inputs {
        let kind = match kind {
            InputKind::String => "text",
            InputKind::Integer => "a whole number",
            InputKind::Boolean => "true or false",
            InputKind::List => "a list of texts",
        };
        match default {
            None => page.fact(name, &format!("{kind}, required: --input {name}=…")),
            Some(default) => page.fact(name, &format!("{kind}, by default {default}")),
        }
        if let Some(description) = description {
            page.more(description);
        }
    }
}
