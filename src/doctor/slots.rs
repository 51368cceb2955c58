//! Is one of the account's five places free? Source: protocol reference, 3.14.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Account, Climb, Finding, Name, Parts};
use crate::exit::Exit;
use crate::observe::escape::one_line;
use crate::session::Sessions;
use crate::signin::{AccessToken, TokenSource};
use crate::slots::{AccountKey, ListedSlot, ListedState, SlotError};

/// What to do about a store that fails.
pub(super) const STORE_MEND: &str = "see where slots are kept: settings `slot_store`, `state_dir` (a folder on a local disk) and `lease_namespace`";

/// The sessions of the account, if one could be opened.
pub(super) async fn climb<A: Account>(
    parts: &Parts<A>,
    climb: &mut Climb<'_>,
    tokens: Arc<dyn TokenSource>,
    token: &AccessToken,
) -> Option<(Sessions, AccountKey)> {
    let mut joined = None;
    let work = async {
        let (sessions, account) = match parts.account.sessions(tokens, token).await {
            Ok(joined) => joined,
            Err(error) => {
                return Finding::failed_as(
                    super::exit_of(&error),
                    &error.message,
                    "mend the setting that is named",
                );
            }
        };
        match parts.store.list(Some(&account)).await {
            Ok(listed) => {
                joined = Some((sessions, account));
                let taken = listed.into_iter().flat_map(|listed| listed.slots).collect::<Vec<_>>();
                look(&taken, parts.session_limit, &parts.reach)
            }
            Err(error) => Finding::failed(exit_of(&error), error.to_string(), STORE_MEND),
        }
    };
    climb.rung(Name::Slots, parts.limits.connect, work).await;
    joined.filter(|_| climb.goes_on())
}

/// As a run would end.
pub(super) fn exit_of(error: &SlotError) -> Exit {
    match error {
        SlotError::Unavailable { .. } => Exit::NoSession,
        SlotError::Store { .. } | SlotError::Lost { .. } => Exit::BadInput,
    }
}

fn look(taken: &[ListedSlot], limit: u32, reach: &str) -> Finding {
    let free = limit.saturating_sub(u32::try_from(taken.len()).unwrap_or(u32::MAX));
    let shown: Vec<String> = taken.iter().map(shown).collect();
    let counted = format!("{free} of {limit} sessions are free {reach}");
    let seen = if shown.is_empty() { counted } else { format!("{counted}: {}", shown.join("; ")) };
    if free > 0 {
        return Finding::ok(seen);
    }
    let mend = "wait for one of them, end a run, or lower `max_sessions` of the jobs; a slot in quarantine comes back by itself";
    Finding::failed(Exit::NoSession, seen, mend)
}

fn shown(slot: &ListedSlot) -> String {
    let number = slot.slot.0;
    match &slot.state {
        ListedState::Held { holder, place, since, .. } => {
            let (job, place) = (one_line(&holder.job, 80), one_line(place, 80));
            format!("{number} is held by job {job} ({place}, since {})", second(*since))
        }
        ListedState::Quarantined { until, .. } => {
            format!("{number} is in quarantine until {}", second(*until))
        }
    }
}

/// To the second.
fn second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
