//! How long leases and quarantines last, and when a call may start under what is left of one.

use std::time::Duration;

use crate::rules::time::BootTime;

/// How long things last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// A lease's length from take or renewal.
    pub lease: Duration,
    /// How long the service may count a session after its last sign of life.
    pub quarantine: Duration,
}

impl Terms {
    /// How long before the lease's end a call is cancelled: five seconds for the cancelling itself, of a short lease a
    /// tenth.
    pub fn margin(&self) -> Duration {
        (self.lease / 10).min(Duration::from_secs(5))
    }

    /// How long to wait between two attempts to renew: a tenth of the lease, so that several fit in its second half.
    pub fn renew_retry(&self) -> Duration {
        self.lease / 10
    }

    /// When a lease that ends then is to be renewed: in the middle of its time.
    pub fn renew_at(&self, lease_ends: BootTime) -> BootTime {
        lease_ends - self.lease / 2
    }

    /// When a call is cancelled if the lease that ends then was not renewed.
    pub fn stop_at(&self, lease_ends: BootTime) -> BootTime {
        lease_ends - self.margin()
    }

    /// Whether a call may start at `now`: half of the lease's time is left, and the record names at least
    /// `call_limit` as the service's limit for the call.
    pub fn may_call(
        &self,
        now: BootTime,
        lease_ends: BootTime,
        recorded: Duration,
        limit: Duration,
    ) -> MayCall {
        if recorded >= limit && lease_ends.since(now) >= self.lease / 2 {
            MayCall::Now
        } else if recorded >= limit && now < self.stop_at(lease_ends) {
            MayCall::OnlyReads
        } else {
            MayCall::AfterRenewal
        }
    }
}

/// Whether a call may start under a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum MayCall {
    /// Any call may start.
    Now,
    /// The lease should be renewed; if the store fails, a read may start nevertheless.
    OnlyReads,
    /// Nothing may start before the lease was renewed.
    AfterRenewal,
}
