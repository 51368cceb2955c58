//! The one loop that repeats: what a failure means for the next try, and the wait before it.

use secrecy::SecretString;
use tracing::{debug, warn};
use uuid::Uuid;

use super::classify::MESSAGE_CHARS_MAX;
use super::client::{RestConnection, Tally};
use super::errors::{ErrorKind, Happened, RemoteError};
use super::locate::REDIRECTS_MAX;
use super::page::{Asked, Page};
use super::{CmdletRequest, Intent, Repeats};
use crate::observe::escape::one_line;
use crate::rules::duration::show_about;
use crate::rules::retry::{Failure, GiveUp, Next, RetryPolicy};

/// What a redirect that was followed means for the request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AfterRedirect {
    /// It is sent again, to the new host.
    Again,
    /// Its answer was only wanted for the redirect.
    Enough,
}

impl RestConnection {
    /// One request, repeated as the policy says, also where a redirect leads.
    pub(super) async fn repeated(
        &mut self,
        token: &SecretString,
        request: &CmdletRequest,
        asked: &Asked,
        after_redirect: AfterRedirect,
        tally: &mut Tally,
    ) -> Result<Page, RemoteError> {
        let clocks = self.config.clocks.clone();
        let policy = policy_of(&self.config.retry, request.repeats);
        let began = clocks.boot();
        let mut attempt = 1;
        let mut redirects = 0;
        loop {
            tally.requests += 1;
            let timed = clocks.timeout(request.timeout, self.once(token, request, asked)).await;
            let mut error = match timed {
                Ok(Ok(page)) => {
                    self.noted_host(true);
                    return Ok(page);
                }
                Ok(Err(error)) => error,
                Err(elapsed) => {
                    let why = format!("{elapsed}, waiting for {}", self.origin);
                    RemoteError::new(ErrorKind::Timeout, Happened::Unknown, why)
                }
            };
            let may_follow = redirects < REDIRECTS_MAX && error.happened == Happened::No;
            if let Some(location) = error.location.clone().filter(|_| may_follow) {
                redirects += 1;
                // Nothing happened where the redirect came from: following it is no repeat.
                match self.go_to(&location).await {
                    Ok(()) if after_redirect == AfterRedirect::Enough => return Ok(Page::default()),
                    Ok(()) => continue,
                    Err(why) => {
                        error.message = one_line(&format!("{}: {why}", error.message), MESSAGE_CHARS_MAX)
                    }
                }
            }
            if matches!(error.kind, ErrorKind::Throttled | ErrorKind::SessionLimit) {
                tally.throttled += 1;
            }
            if breaks_transport(error.kind) {
                self.end_transport().await;
            }
            self.noted_host(error.status.is_some());
            let elapsed = clocks.boot().since(began);
            let failure = meaning(&error, request.intent);
            match policy.next(attempt, failure, elapsed, jitter()) {
                Next::After(wait) if !request.stop.is_cancelled() => {
                    warn!(
                        cmdlet = %request.cmdlet, client_request_id = %request.client_request_id, attempt,
                        attempts_max = policy.attempts_max, wait_ms = wait.as_millis() as u64,
                        error = %error, "the call failed, trying again in {}", show_about(wait)
                    );
                    tokio::select! {
                        () = clocks.sleep(wait) => {}
                        () = request.stop.cancelled() => return Err(interrupted(&format!("while it waited to try again after: {error}"))),
                    }
                    attempt += 1;
                    tally.retries += 1;
                }
                Next::After(_) => {
                    return Err(interrupted(&format!("before it could try again after: {error}")));
                }
                Next::GiveUp(why) => {
                    debug!(cmdlet = %request.cmdlet, attempt, reason = ?why, error = %error, "no further try");
                    return Err(given_up(error, why, attempt));
                }
            }
        }
    }
}

/// The connection's policy, or what the caller says in its place.
pub(super) fn policy_of(own: &RetryPolicy, repeats: Option<Repeats>) -> RetryPolicy {
    match repeats {
        Some(Repeats { attempts_max, on }) => RetryPolicy { attempts_max, on, ..*own },
        None => *own,
    }
}

/// The run was asked to stop before the call was complete; nothing is in doubt.
pub(super) fn interrupted(place: &str) -> RemoteError {
    let why = format!("the run was asked to stop {place}");
    RemoteError::new(ErrorKind::Interrupted, Happened::No, why)
}

/// After these the transport's state is not known; the next request gets a new one.
pub(super) fn breaks_transport(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Network | ErrorKind::Timeout | ErrorKind::Protocol)
}

/// What a failure means for the next try: reads are repeated freely, writes only when nothing happened for certain.
pub(super) fn meaning(error: &RemoteError, intent: Intent) -> Failure {
    match error.kind {
        ErrorKind::Throttled | ErrorKind::SessionLimit => {
            Failure::Throttled { retry_after: error.retry_after }
        }
        ErrorKind::Transient | ErrorKind::Network | ErrorKind::Timeout => match (intent, error.happened) {
            (Intent::Read, _) | (Intent::Write, Happened::No) => Failure::Transient,
            (Intent::Write, Happened::Unknown) => Failure::InDoubt,
        },
        // A page that was cut off is read again; what a proxy invented comes back the same.
        ErrorKind::Protocol => match (intent, error.happened) {
            (Intent::Read, Happened::Unknown) => Failure::Transient,
            (Intent::Write, Happened::Unknown) => Failure::InDoubt,
            (_, Happened::No) => Failure::Permanent,
        },
        _ => Failure::Permanent,
    }
}

pub(super) fn given_up(mut error: RemoteError, why: GiveUp, attempt: u32) -> RemoteError {
    match why {
        GiveUp::Permanent | GiveUp::InDoubt | GiveUp::NotWanted => {}
        GiveUp::AttemptsUsed => error.message.push_str(&format!(" (given up after {attempt} tries)")),
        GiveUp::TimeUsed => {
            error.message.push_str(&format!(" (given up after {attempt} tries: no time left)"))
        }
    }
    error
}

/// A number in 0..1 that differs between processes. Spreading is all it is for.
pub(super) fn jitter() -> f64 {
    f64::from(Uuid::new_v4().as_u64_pair().0 as u32) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: ErrorKind, happened: Happened, intent: Intent) -> Failure {
        meaning(&RemoteError::new(kind, happened, "x"), intent)
    }

    #[test]
    fn a_write_is_repeated_only_when_nothing_happened_for_certain() {
        for kind in [ErrorKind::Transient, ErrorKind::Network, ErrorKind::Timeout] {
            assert_eq!(of(kind, Happened::Unknown, Intent::Write), Failure::InDoubt, "{kind:?}");
            assert_eq!(of(kind, Happened::No, Intent::Write), Failure::Transient, "{kind:?}");
            assert_eq!(of(kind, Happened::Unknown, Intent::Read), Failure::Transient, "{kind:?}");
        }
        assert_eq!(of(ErrorKind::Protocol, Happened::Unknown, Intent::Write), Failure::InDoubt);
    }

    #[test]
    fn throttling_is_waited_out_for_writes_too_and_refusals_are_final() {
        let throttled = of(ErrorKind::Throttled, Happened::No, Intent::Write);
        assert_eq!(throttled, Failure::Throttled { retry_after: None });
        for kind in [ErrorKind::NotFound, ErrorKind::Forbidden, ErrorKind::InvalidInput, ErrorKind::Server] {
            assert_eq!(of(kind, Happened::No, Intent::Read), Failure::Permanent, "{kind:?}");
        }
    }
}
