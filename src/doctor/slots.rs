//! Is one of the account's five places free? Source: protocol reference, 3.14.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Account, Climb, Finding, Name, Parts};
use crate::clocks::Clocks;
use crate::exit::Exit;
use crate::observe::escape::one_line;
use crate::rules::time::BootTime;
use crate::session::Sessions;
use crate::signin::{AccessToken, TokenSource};
use crate::slots::{AccountKey, ListedSlot, ListedState};

/// The sessions of the account, if one could be opened.
pub(super) async fn climb<A: Account>(
    parts: &Parts<A>,
    climb: &mut Climb<'_>,
    tokens: Arc<dyn TokenSource>,
    token: &AccessToken,
) -> Option<(Sessions, AccountKey)> {
    let mut joined = None;
    let work = async {
        let (sessions, account) = match parts.account.sessions(tokens, token) {
            Ok(joined) => joined,
            Err(error) => {
                return Finding::failed_as(
                    super::exit_of(&error),
                    &error.message,
                    "mend the setting that is named",
                );
            }
        };
        match parts.store.list(Some(account.clone())).await {
            Ok(taken) => {
                joined = Some((sessions, account));
                look(&taken, parts.session_limit, &parts.clocks)
            }
            Err(error) => {
                let mend = "look at `state_dir`: it must be a folder of your own on a local disk";
                Finding::failed(Exit::BadInput, error.to_string(), mend)
            }
        }
    };
    climb.rung(Name::Slots, parts.limits.connect, work).await;
    joined.filter(|_| climb.goes_on())
}

fn look(taken: &[ListedSlot], limit: u32, clocks: &Clocks) -> Finding {
    let free = limit.saturating_sub(u32::try_from(taken.len()).unwrap_or(u32::MAX));
    let shown: Vec<String> = taken.iter().map(|slot| shown(slot, clocks)).collect();
    let counted = format!("{free} of {limit} sessions are free on this host");
    let seen = if shown.is_empty() { counted } else { format!("{counted}: {}", shown.join("; ")) };
    if free > 0 {
        return Finding::ok(seen);
    }
    let mend = "wait for one of them, end a run, or lower `max_sessions` of the jobs; a slot in quarantine comes back by itself";
    Finding::failed(Exit::NoSession, seen, mend)
}

fn shown(slot: &ListedSlot, clocks: &Clocks) -> String {
    let number = slot.slot.0;
    match &slot.state {
        ListedState::Held { holder, pid, since, .. } => {
            let (job, since) = (one_line(&holder.job, 80), wall(*since, clocks));
            format!("{number} is held by job {job} (process {pid}, since {since})")
        }
        ListedState::Quarantined { until } => {
            format!("{number} is in quarantine until {}", wall(*until, clocks))
        }
    }
}

/// When that is, to the second.
fn wall(at: BootTime, clocks: &Clocks) -> Timestamp {
    let (wall, boot) = (clocks.wall(), clocks.boot());
    let millis =
        i64::try_from(at.as_millis()).unwrap_or(i64::MAX) - i64::try_from(boot.as_millis()).unwrap_or(0);
    let there = wall.saturating_add(SignedDuration::from_millis(millis)).unwrap_or(wall);
    Timestamp::from_second(there.as_second()).unwrap_or(there)
}
