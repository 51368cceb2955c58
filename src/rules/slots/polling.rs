//! How often a caller that waits looks again.

use std::time::Duration;

/// How often a waiting caller looks again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Polling {
    /// The first pause, and the spread where the moment is known.
    pub min: Duration,
    /// The longest pause.
    pub max: Duration,
}

/// How long to wait before the `attempt`th look (counted from 0), `jitter` being 0 to 1.
///
/// Pauses double up to the longest one; of each, half is fixed and half is chance, so that callers who were refused
/// together do not come back together. Where something changes by itself `until_change` from now, that is waited
/// for, and a little more by chance.
pub fn pause(attempt: u32, until_change: Option<Duration>, polling: Polling, jitter: f64) -> Duration {
    let jitter = if jitter.is_finite() { jitter.clamp(0.0, 1.0) } else { 0.5 };
    let backoff = polling.min.saturating_mul(2u32.saturating_pow(attempt)).min(polling.max);
    let pause = backoff / 2 + (backoff / 2).mul_f64(jitter);
    match until_change {
        Some(change) if change < pause => change + polling.min / 2 + (polling.min / 2).mul_f64(jitter),
        _ => pause,
    }
}
