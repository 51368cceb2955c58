//! One rung after the other: each within its time, none above a broken one.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::report::{Finding, Name, Rung, State};
use crate::clocks::Clocks;
use crate::exit::Exit;
use crate::rules::duration::show;

/// A climb that is going on.
pub struct Climb<'a> {
    clocks: Clocks,
    stop: CancellationToken,
    told: &'a mut (dyn FnMut(&Rung) + Send),
    rungs: Vec<Rung>,
    exit: Exit,
    /// Why nothing further is climbed.
    blocked: Option<String>,
}

/// How a climb ended.
pub struct Ended {
    /// All rungs, in their order.
    pub rungs: Vec<Rung>,
    /// The exit code of the first broken one.
    pub exit: Exit,
}

impl<'a> Climb<'a> {
    /// Nothing is climbed yet; each rung is told when it is done.
    pub fn new(
        clocks: Clocks,
        stop: CancellationToken,
        told: &'a mut (dyn FnMut(&Rung) + Send),
    ) -> Climb<'a> {
        Climb { clocks, stop, told, rungs: Vec::new(), exit: Exit::Done, blocked: None }
    }

    /// Climbs a rung for at most `limit`, unless one below it is broken.
    pub async fn rung(&mut self, name: Name, limit: Duration, work: impl Future<Output = Finding>) -> State {
        if self.blocked.is_some() {
            return self.pass(name);
        }
        let began = self.clocks.boot();
        let finding = self.timed(limit, work).await;
        let took = self.clocks.boot().since(began);
        self.found(name, &finding, took)
    }

    /// `work` for at most `limit`, or what came in its way.
    async fn timed(&mut self, limit: Duration, work: impl Future<Output = Finding>) -> Finding {
        let outcome = tokio::select! {
            outcome = self.clocks.timeout(limit, work) => outcome,
            () = self.stop.cancelled() => {
                return Finding::failed(Exit::Interrupted, "interrupted", "start it again");
            }
        };
        outcome.unwrap_or_else(|_| {
            let seen = format!("nothing was seen in {}", show(limit));
            Finding::failed(
                Exit::Failed,
                seen,
                "look at firewalls and proxies on the way: something drops packets",
            )
        })
    }

    /// Notes what a rung found that was climbed elsewhere.
    pub fn found(&mut self, name: Name, finding: &Finding, took: Duration) -> State {
        if finding.state == State::Failed && self.exit == Exit::Done {
            self.exit = finding.exit;
            self.blocked.get_or_insert_with(|| format!("`{}` is broken", name.word()));
        }
        let rung = Rung::new(name, finding, took);
        (self.told)(&rung);
        let state = rung.state;
        self.rungs.push(rung);
        state
    }

    /// Nothing further is climbed, for a reason that breaks nothing.
    pub(super) fn block(&mut self, why: impl Into<String>) {
        self.blocked.get_or_insert_with(|| why.into());
    }

    /// Whether rungs are still climbed.
    pub(super) fn goes_on(&self) -> bool {
        self.blocked.is_none()
    }

    /// Time since boot, for rungs that are climbed elsewhere.
    pub(super) fn clocks(&self) -> &Clocks {
        &self.clocks
    }

    fn pass(&mut self, name: Name) -> State {
        let why = self.blocked.clone().unwrap_or_default();
        self.found(name, &Finding::skipped(why), Duration::ZERO)
    }

    /// The end: what was not climbed is passed by.
    pub fn end(mut self) -> Ended {
        for name in Name::ALL {
            if !self.rungs.iter().any(|rung| rung.name == name) {
                self.pass(name);
            }
        }
        self.rungs.sort_by_key(|rung| rung.name as usize);
        Ended { rungs: self.rungs, exit: self.exit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn climbed(stop: &CancellationToken) -> (Ended, usize) {
        let clocks = Clocks::simulated(Duration::ZERO, "2026-11-22T02:00:00Z".parse().unwrap(), 1.0);
        let mut told = 0;
        let mut count = |_: &Rung| told += 1;
        let mut climb = Climb::new(clocks, stop.clone(), &mut count);
        climb.rung(Name::Job, Duration::from_secs(1), async { Finding::ok("yes") }).await;
        climb.rung(Name::Dns, Duration::from_secs(1), std::future::pending()).await;
        climb.rung(Name::Tcp, Duration::from_secs(1), async { panic!("above a broken rung") }).await;
        let ended = climb.end();
        (ended, told)
    }

    #[tokio::test(start_paused = true)]
    async fn a_rung_that_hangs_breaks_and_nothing_above_it_is_climbed() {
        let (ended, told) = climbed(&CancellationToken::new()).await;
        assert_eq!((ended.exit, ended.rungs.len(), told), (Exit::Failed, Name::ALL.len(), Name::ALL.len()));
        assert_eq!(ended.rungs[1].seen, "nothing was seen in 1s");
        assert!(
            ended.rungs[2..]
                .iter()
                .all(|rung| rung.state == State::Skipped && rung.seen == "`dns` is broken")
        );
        assert_eq!(ended.rungs.iter().map(|rung| rung.name).collect::<Vec<_>>(), Name::ALL);
    }

    #[tokio::test(start_paused = true)]
    async fn asked_to_stop_it_says_so() {
        let stop = CancellationToken::new();
        stop.cancel();
        let (ended, _) = climbed(&stop).await;
        assert_eq!(ended.exit, Exit::Interrupted);
    }
}
