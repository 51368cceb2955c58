//! The one value that reads time and sleeps. Reading a clock or sleeping anywhere else is a disallowed method.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::rules::duration::show;
use crate::rules::time::BootTime;

/// Monotonic time that counts suspend, wall time, and sleeping. Cheap to clone; passed down from `app`.
#[derive(Clone)]
pub struct Clocks(Arc<Source>);

enum Source {
    System,
    Simulated {
        epoch: tokio::time::Instant,
        boot_offset: Duration,
        wall_start: Timestamp,
        rate: f64,
        /// By how many seconds somebody has set the wall clock since.
        stepped: AtomicI64,
    },
}

/// The time given to [`Clocks::timeout`] ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("timed out after {}", show(self.0))]
pub struct Elapsed(pub Duration);

impl Clocks {
    /// The host's clocks.
    pub fn system() -> Clocks {
        Clocks(Arc::new(Source::System))
    }

    /// Clocks that follow tokio's (pausable) time: boot time starts at `boot_offset`, wall time at `wall_start`,
    /// and both run `rate` times as fast as tokio's time. For tests and simulations.
    #[expect(clippy::disallowed_methods, reason = "this is the file that reads time")]
    pub fn simulated(boot_offset: Duration, wall_start: Timestamp, rate: f64) -> Clocks {
        let epoch = tokio::time::Instant::now();
        let stepped = AtomicI64::new(0);
        Clocks(Arc::new(Source::Simulated { epoch, boot_offset, wall_start, rate, stepped }))
    }

    /// Sets the wall clock of simulated clocks forward, or back; the system's are not touched.
    pub fn step_wall(&self, seconds: i64) {
        if let Source::Simulated { stepped, .. } = &*self.0 {
            stepped.fetch_add(seconds, Ordering::Relaxed);
        }
    }

    /// Time since boot, counting suspend.
    #[expect(clippy::disallowed_methods, reason = "this is the file that reads time")]
    pub fn boot(&self) -> BootTime {
        match &*self.0 {
            Source::System => {
                let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
                let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
                let millis = u64::try_from(now.tv_nsec / 1_000_000).unwrap_or(0);
                BootTime::from_millis(seconds.saturating_mul(1000).saturating_add(millis))
            }
            Source::Simulated { epoch, boot_offset, rate, .. } => {
                let elapsed = tokio::time::Instant::now().duration_since(*epoch).mul_f64(*rate);
                BootTime::default() + (*boot_offset + elapsed)
            }
        }
    }

    /// Wall time. It can jump; use it for records that people read and for schedules, never for time-outs.
    #[expect(clippy::disallowed_methods, reason = "this is the file that reads time")]
    pub fn wall(&self) -> Timestamp {
        match &*self.0 {
            Source::System => Timestamp::now(),
            Source::Simulated { epoch, wall_start, rate, stepped, .. } => {
                let elapsed = tokio::time::Instant::now().duration_since(*epoch).mul_f64(*rate);
                let elapsed = SignedDuration::try_from(elapsed).unwrap_or(SignedDuration::MAX);
                let stepped = SignedDuration::from_secs(stepped.load(Ordering::Relaxed));
                let elapsed = elapsed.saturating_add(stepped);
                wall_start.saturating_add(elapsed).unwrap_or(Timestamp::MAX)
            }
        }
    }

    /// Sleeps for `duration` of this clock's time. Cancel safe.
    #[expect(clippy::disallowed_methods, reason = "this is the file that sleeps")]
    pub async fn sleep(&self, duration: Duration) {
        let real = match &*self.0 {
            Source::System => duration,
            Source::Simulated { rate, .. } => duration.div_f64(*rate),
        };
        tokio::time::sleep(real).await;
    }

    /// Sleeps until `deadline`; returns at once if it has passed. Cancel safe.
    ///
    /// tokio's timers stand still while the host is suspended, so the clock is read again after each sleep.
    pub async fn sleep_until(&self, deadline: BootTime) {
        loop {
            let left = deadline.since(self.boot());
            if left.is_zero() {
                return;
            }
            self.sleep(left.min(Duration::from_secs(60))).await;
        }
    }

    /// Runs `work` for at most `limit` of this clock's time.
    ///
    /// # Errors
    /// [`Elapsed`] when the time ran out; `work` is dropped then.
    pub async fn timeout<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Result<T, Elapsed> {
        tokio::select! {
            biased;
            done = work => Ok(done),
            // Without a budget: work that is always ready spends the task's, and its timer would never be looked at.
            () = tokio::task::unconstrained(self.sleep(limit)) => Err(Elapsed(limit)),
        }
    }
}
