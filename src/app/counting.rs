//! What of jobs and runs is counted.

use std::time::Duration;

use super::App;
use crate::observe::metrics::ObjectResult;
use crate::rules::schedule::longest_gap;
use crate::runner::Mode;
use crate::runner::report::RunReport;
use crate::spec::job::{Job, TargetSpec};

impl App {
    /// A job is about to run on `target`, by hand.
    pub fn loaded(&self, job: &Job, target: &TargetSpec) {
        let now = self.clocks.wall();
        let interval = longest_gap(&job.schedules, now);
        self.metrics.job_loaded(job.name.as_str(), target.organization(), now, interval);
    }

    /// Counts a run that is over, with all that was asked for beside it.
    pub fn count(&self, report: &RunReport) {
        let (job, target) = (&report.job, &report.tenant);
        // A look is no success of the job: a dashboard that counts it would call a job healthy that never writes.
        if report.mode == Mode::Apply.word() {
            let took = Duration::from_secs_f64(report.seconds);
            self.metrics.run_finished(job, target, report.exit(), took, report.ended_at);
            self.metrics.run_objects(job, target, objects(report));
        } else {
            self.metrics.run_looked(job);
        }
    }
}

fn objects(report: &RunReport) -> [(ObjectResult, u64); 4] {
    let mut objects =
        [ObjectResult::Changed, ObjectResult::Unchanged, ObjectResult::Pending, ObjectResult::Failed]
            .map(|result| (result, 0));
    for counts in report.steps.iter().map(|step| &step.counts) {
        let of_step = [counts.changed, counts.unchanged, counts.pending, counts.failed];
        for ((_, sum), count) in objects.iter_mut().zip(of_step) {
            *sum += count;
        }
    }
    objects
}
