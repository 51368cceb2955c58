//! A job's work, as the scheduler has it done.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tracing::warn;

use super::history::record;
use super::permitted::{Permitted, judged, target_of};
use super::practices::{Doing, Recorded};
use super::{Access, App, Company, RunOptions};
use crate::exit::Exit;
use crate::observe::escape::one_line;
use crate::rules::occurrences::{Ended, FailReason};
use crate::runner::progress::Progress;
use crate::runner::report::RunReport;
use crate::runner::{Console, Mode};
use crate::scheduler::{Done, Order, Work};
use crate::spec::job::Job;
use crate::spec::resolve_inputs;

/// One version of a job.
pub(super) struct JobWork {
    pub(super) app: Arc<App>,
    pub(super) job: Arc<Job>,
    pub(super) console: Console,
}

impl Work for JobWork {
    fn run(self: Arc<Self>, order: Order) -> BoxFuture<'static, Done> {
        async move {
            let report = self.report(&order).await;
            self.app.count(&report);
            let record = record(&report);
            Done { ended: ended(report.exit()), record: Box::new(record) }
        }
        .boxed()
    }
}

impl JobWork {
    async fn report(&self, order: &Order) -> RunReport {
        // Connections and profile are asked at each run: what they forbid now must not run because it might when it was loaded.
        let (job, settings) = (Arc::clone(&self.job), self.app.settings.clone());
        let judging = move || judged(&job, &settings, Doing::Work(Recorded::Nothing));
        let permitted = match tokio::task::spawn_blocking(judging).await {
            Ok(Ok(permitted)) => permitted,
            Ok(Err(barred)) => return self.barred(order, barred.exit(), &barred.why()),
            Err(error) => return self.barred(order, Exit::Failed, &error.to_string()),
        };
        let inputs = match resolve_inputs(&self.job, &[]) {
            Ok(inputs) => inputs,
            Err(problems) => return self.barred(order, Exit::BadInput, &problems.join("; ")),
        };
        let Permitted { target, warnings } = permitted;
        for warning in warnings {
            warn!(job = %self.job.name, "{warning}");
        }
        let options = RunOptions {
            run_id: order.run,
            company: Company::Others,
            inputs,
            mode: Mode::Apply,
            access: Access::ReadWrite,
            stop: order.stop.clone(),
            console: self.console.clone(),
            progress: Progress::hidden(),
        };
        self.app.run(Arc::clone(&self.job), target, options).await
    }

    /// A run that ended before it could begin.
    fn barred(&self, order: &Order, exit: Exit, why: &str) -> RunReport {
        let now = self.app.clocks.wall();
        let mut report = RunReport::new(self.app.peer(), &order.run.to_string(), now);
        report.job = self.job.name.to_string();
        report.job_hash.clone_from(&self.job.hash);
        report.source = one_line(&self.job.source.display().to_string(), 400);
        report.service = self.job.service.as_str();
        report.mode = Mode::Apply.word();
        if let Ok((target, _)) = target_of(&self.job, &self.app.settings) {
            target.organization().clone_into(&mut report.tenant);
        }
        report.end(exit, Some(one_line(why, 2000)), now, std::time::Duration::ZERO);
        warn!(job = %self.job.name, run = %order.run, outcome = report.outcome, "run ended before it began: {why}");
        report
    }
}

/// What an occurrence ends as whose run ended so.
fn ended(exit: Exit) -> Ended {
    Ended::Failed(match exit {
        Exit::Done | Exit::ChangesPending => return Ended::Ran,
        Exit::Failed => FailReason::Failed,
        Exit::PartlyFailed => FailReason::PartlyFailed,
        Exit::BadInput => FailReason::BadInput,
        Exit::NoSession => FailReason::NoSession,
        Exit::Interrupted => FailReason::Interrupted,
        Exit::SigninRefused => FailReason::SigninRefused,
        Exit::RefusedByPolicy => FailReason::RefusedByPolicy,
    })
}
