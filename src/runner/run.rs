//! The run itself: a session, the steps in order, and one end for every way there is.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use tracing::{Instrument, info, info_span};

use super::acting::Acting;
use super::budget::ChangeBudget;
use super::context::RunParts;
use super::each::label;
use super::halt::Halt;
use super::items::Items;
use super::left_out::LeftOut;
use super::output;
use super::place::{OutputPlaces, run_scope};
use super::report::StepReport;
use super::tally::{Counts, Tally};
use crate::exit::Exit;
use crate::observe::escape::one_line;
use crate::rules::duration::show;
use crate::session::{Session, Wait};
use crate::spec::job::{Action, Output, Step, StepName};
use crate::spec::template::{Scope, StepItems};

/// How a run ended.
#[derive(Debug)]
pub struct RunEnd {
    /// The outcome.
    pub exit: Exit,
    /// Why it ended before its last step.
    pub reason: Option<String>,
    /// The steps that began.
    pub steps: Vec<StepReport>,
    /// What the last step returned, if the run came so far.
    pub items: Option<Items>,
}

/// Runs a job. Whatever happens in it, a panic too, ends here with an outcome; the sessions are closed by then, or
/// handed to the reaper, which the caller waits for.
///
/// # Cancel safety
/// Not to be dropped: ask with [`super::stop::Stop`] instead. Dropped all the same, the reaper closes the sessions.
pub async fn run(run: &RunParts, drain_grace: Duration) -> RunEnd {
    let mut steps = Vec::new();
    let out_of_time = AtomicBool::new(false);
    let halted = {
        let work = in_session(run, &mut steps);
        let guarded = AssertUnwindSafe(work).catch_unwind();
        let ended = async {
            tokio::select! {
                ended = guarded => ended,
                never = time_limit(run, drain_grace, &out_of_time) => match never {},
            }
        };
        ended.await
    };
    let (halt, items) = match halted {
        Ok(Ok(items)) => (None, items),
        Ok(Err(halt)) => (Some(halt), None),
        Err(panic) => {
            let text = panic_text(panic.as_ref());
            (
                Some(Halt::new(
                    Exit::Failed,
                    format!("panicked: {text} (a defect of exorun; please report it)"),
                )),
                None,
            )
        }
    };
    let halt = halt.map(|halt| match (halt.exit, run.job.limits.max_duration) {
        (Exit::Interrupted, Some(most)) if out_of_time.load(Ordering::Relaxed) => {
            Halt::new(Exit::RefusedByPolicy, format!("limits.max_duration of {} is over", show(most)))
        }
        _ => halt,
    });
    let exit = exit_of(halt.as_ref(), &steps);
    RunEnd { exit, reason: halt.map(|halt| halt.message), steps, items }
}

enum Never {}

/// Asks the run to stop when its time is over, and insists when the grace is over too.
async fn time_limit(run: &RunParts, drain_grace: Duration, out_of_time: &AtomicBool) -> Never {
    if let Some(most) = run.job.limits.max_duration {
        run.clocks.sleep(most).await;
        out_of_time.store(true, Ordering::Relaxed);
        run.stop.ask();
        run.clocks.sleep(drain_grace).await;
        run.stop.insist();
    }
    std::future::pending().await
}

async fn in_session(run: &RunParts, steps: &mut Vec<StepReport>) -> Result<Option<Items>, Halt> {
    let wait = Wait::UpTo(run.job.limits.session_wait.unwrap_or(run.session_wait));
    let has_session = AtomicBool::new(false);
    let label = label(run);
    let working = run.sessions.with_session(&label, wait, async |session| {
        has_session.store(true, Ordering::Relaxed);
        all_steps(run, session, steps).await
    });
    // Only the wait for a session is cut off; once there is one, the steps see the request to stop themselves.
    let stopped_while_waiting = async {
        run.stop.asked().await;
        if has_session.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        biased;
        ended = working => ended,
        () = stopped_while_waiting => Err(Halt::new(Exit::Interrupted, "the run was told to stop before it had a session")),
    }
}

/// What the steps of a run share.
struct Shared {
    budget: ChangeBudget,
    left_out: LeftOut,
}

async fn all_steps(
    run: &RunParts,
    session: &mut Session,
    reports: &mut Vec<StepReport>,
) -> Result<Option<Items>, Halt> {
    let mut last = None;
    let shared =
        Shared { budget: ChangeBudget::new(run.job.limits.max_changes), left_out: LeftOut::default() };
    let mut results: BTreeMap<StepName, Arc<dyn StepItems>> = BTreeMap::new();
    for step in &run.job.steps {
        if run.stop.is_asked() {
            return Err(Halt::new(Exit::Interrupted, "the run was told to stop"));
        }
        let span = info_span!("step", step = %step.name);
        let scope = scope(run, &results);
        let ended = one_step(run, session, step, &scope, &shared, reports).instrument(span).await?;
        last = Some(ended.clone());
        results.insert(step.name.clone(), Arc::new(ended));
    }
    Ok(last)
}

async fn one_step(
    run: &RunParts,
    session: &mut Session,
    step: &Step,
    scope: &Scope,
    shared: &Shared,
    reports: &mut Vec<StepReport>,
) -> Result<Items, Halt> {
    let began = run.clocks.boot();
    let tally = Tally::default();
    let report = reports.len();
    let (name, action) = (step.name.to_string(), action_text(&step.action));
    // In the list before the work begins: a panic must not lose what the step is.
    reports.push(StepReport { name, action, seconds: 0.0, counts: Counts::default(), output: None });
    info!(action = %reports[report].action, "step begins");
    #[cfg(feature = "fault-points")]
    super::fault_points::in_step(step.name.as_str());
    let deadline = step.timeout.map(|timeout| began + timeout);
    let acting =
        Acting { run, step, tally: &tally, deadline, budget: &shared.budget, left_out: &shared.left_out };
    // An earlier step may have made a file where this one needs a folder: not found out behind an hour of calls.
    let places = &run.output_places;
    let mut ended = match step.output.as_ref().map(|wanted| places.of(wanted, scope)).transpose() {
        Ok(_) => acting.all(session, scope).await,
        Err(why) => Err(Halt::new(Exit::Failed, why)),
    };
    if let (Ok(items), Some(wanted)) = (&ended, &step.output) {
        match write_output(places, wanted, step, scope, items).await {
            Ok(path) => reports[report].output = Some(path),
            Err(why) => ended = Err(Halt::new(Exit::Failed, why)),
        }
    }
    let took = run.clocks.boot().since(began);
    let counts = tally.counts().clone();
    info!(
        calls = counts.calls,
        items = counts.items,
        changed = counts.changed,
        unchanged = counts.unchanged,
        pending = counts.pending,
        failed = counts.failed,
        skipped = counts.skipped,
        took_ms = took.as_millis() as u64,
        "step ended"
    );
    reports[report].seconds = took.as_secs_f64();
    reports[report].counts = counts;
    ended
}

/// On a thread of its own: a large file on a slow disk holds up neither transports nor signals.
async fn write_output(
    places: &OutputPlaces,
    wanted: &Output,
    step: &Step,
    scope: &Scope,
    items: &Items,
) -> Result<String, String> {
    let path = places.of(wanted, scope)?;
    let shown = one_line(&path.display().to_string(), 400);
    let (format, columns, items) = (wanted.format, step.select.clone(), items.clone());
    let write = move || output::write(&path, format, &columns, &items, Output::BYTES_MAX);
    let written = tokio::task::spawn_blocking(write).await;
    written.unwrap_or_else(|error| Err(format!("output {shown}: writing it failed: {error}")))?;
    Ok(shown)
}

fn scope(run: &RunParts, results: &BTreeMap<StepName, Arc<dyn StepItems>>) -> Scope {
    Scope { steps: Arc::new(results.clone()), ..run_scope(&run.target, &run.inputs, &run.run_id) }
}

fn action_text(action: &Action) -> String {
    match action {
        Action::Cmdlet { cmdlet, .. } => cmdlet.to_string(),
        Action::Ensure { noun, .. } => format!("ensure {noun}"),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    one_line(text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a text"), 400)
}

/// The outcome of a run: why it ended early, else what became of its objects.
fn exit_of(halt: Option<&Halt>, steps: &[StepReport]) -> Exit {
    if let Some(halt) = halt {
        return halt.exit;
    }
    let sum = |of: fn(&Counts) -> u64| steps.iter().map(|step| of(&step.counts)).sum::<u64>();
    let failed = sum(|counts| counts.failed);
    let succeeded = sum(|counts| counts.changed + counts.unchanged + counts.pending);
    let pending = sum(|counts| counts.pending);
    match (failed, succeeded, pending) {
        (0, _, 0) => Exit::Done,
        (0, _, _) => Exit::ChangesPending,
        (_, 0, _) => Exit::Failed,
        _ => Exit::PartlyFailed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(counts: Counts) -> StepReport {
        StepReport { name: "s".into(), action: "a".into(), seconds: 0.0, counts, output: None }
    }

    #[test]
    fn the_outcome_follows_from_what_became_of_the_objects() {
        let exit = |changed, unchanged, pending, failed| {
            let counts = Counts { changed, unchanged, pending, failed, ..Counts::default() };
            exit_of(None, &[step(Counts::default()), step(counts)])
        };
        assert_eq!(exit(0, 0, 0, 0), Exit::Done);
        assert_eq!(exit(3, 2, 0, 0), Exit::Done);
        assert_eq!(exit(0, 2, 1, 0), Exit::ChangesPending);
        assert_eq!(exit(1, 0, 0, 1), Exit::PartlyFailed);
        assert_eq!(exit(0, 0, 0, 1), Exit::Failed);
        assert_eq!(exit_of(Some(&Halt::new(Exit::NoSession, "x")), &[]), Exit::NoSession);
    }
}
