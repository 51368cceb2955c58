//! `exorun sessions release`: an operator takes a slot away from a run, or out of quarantine.

use clap::Args;
use tracing::info;

use super::{failed, is_meant, listed};
use crate::app::{People, Terminal};
use crate::cli::start;
use crate::clocks::Clocks;
use crate::exit::Exit;
use crate::observe::logs::WRITE_TARGET;
use crate::settings::{Settings, for_programs};
use crate::slots::{ListedState, Meant, Released, SlotError, SlotId};

/// Take one slot away from whoever has it: from a run that holds it, into quarantine; out of quarantine, at once.
///
/// A slot in quarantine comes back by itself. Only who knows that the service has forgotten its session (its run ended
/// cleanly elsewhere, say) may take it out earlier: else the account may have one session too many.
#[derive(Debug, Args)]
pub(super) struct ReleaseArgs {
    /// The account: its object id, its tenant id, or the beginning of its name in the list.
    #[arg(long, value_name = "ACCOUNT")]
    account: String,
    /// The slot's number.
    #[arg(long, value_name = "NUMBER")]
    slot: u32,
    /// Has to be said, so that nobody does it by accident.
    #[arg(long, required = true)]
    force: bool,
    /// Do not ask: for where no terminal is.
    #[arg(long)]
    yes: bool,
}

pub(super) async fn main(args: ReleaseArgs, settings: &Settings, clocks: &Clocks) -> Exit {
    let ReleaseArgs { account: name, slot: number, yes, .. } = args;
    let (slots, accounts) = match listed(settings, clocks).await {
        Ok(listed) => listed,
        Err(exit) => return exit,
    };
    let mut meant = accounts.iter().filter(|listed| is_meant(listed, &name));
    let listed = match (meant.next(), meant.next()) {
        (Some(listed), None) => listed,
        (None, _) => {
            let reach = &slots.reach;
            return start::refuse(&format!(
                "no account `{name}` has had a session {reach}: see `exorun sessions`"
            ));
        }
        (Some(_), Some(_)) => {
            return start::refuse(&format!(
                "`{name}` is several accounts: give one's object id or more of its name"
            ));
        }
    };
    let is_listed = listed.slots.iter().any(|slot| slot.slot.0 == number);
    if number == 0 || (number > listed.limit && !is_listed) {
        return start::refuse(&format!(
            "there is no slot {number}: the account has {} of them",
            listed.limit
        ));
    }
    let Some(slot) = listed.slots.iter().find(|slot| slot.slot.0 == number) else {
        return start::print(&format!("slot {number} is free\n"));
    };
    let (meant, consequence) = consequence(&slot.state);
    if !yes && let Err(exit) = confirmed(number, consequence, clocks).await {
        return exit;
    }
    let account = &listed.account;
    let (run, job) = whose(&slot.state);
    let write = |outcome: &'static str| {
        info!(
            target: WRITE_TARGET, action = "release_slot", operator = %operator(), tenant_id = %account.tenant_id,
            object_id = %account.object_id, slot = number, run, job, outcome, "slot {number} is released by force"
        );
    };
    // Before it is done too: whatever happens to this process then, somebody can see what it was about to do.
    write("begun");
    let released = match slots.store.release(account, SlotId(number), &meant).await {
        Ok(released) => released,
        Err(error) => {
            write(if matches!(error, SlotError::Unavailable { .. }) { "unknown" } else { "refused" });
            return failed(&error);
        }
    };
    let (word, said, exit) = match released {
        Released::Quarantined => (
            "quarantined",
            "was held; it is in quarantine now, and its run makes no further call",
            Exit::Done,
        ),
        Released::Free => ("free", "was in quarantine; anybody may take it now", Exit::Done),
        Released::WasFree => ("was_free", "is free: it has come back meanwhile", Exit::Done),
        Released::Changed => {
            ("changed", "is not as it was any more: nothing was done, look again", Exit::RefusedByPolicy)
        }
    };
    write(word);
    match start::print(&format!("slot {number} {said}\n")) {
        Exit::Done => exit,
        failed => failed,
    }
}

/// What a release means for the slot as it was listed.
fn consequence(state: &ListedState) -> (Meant, &'static str) {
    match state {
        ListedState::Held { holder, .. } => (
            Meant::Holder(holder.connection_id.clone()),
            "A run holds it: that run fails, what it was writing is in doubt, and the slot goes into quarantine.",
        ),
        ListedState::Quarantined { .. } => (
            Meant::Quarantine,
            "It is in quarantine, because the service may still count its session: the account may have one too many then.",
        ),
    }
}

/// Run and job of the holder, if it has one.
fn whose(state: &ListedState) -> (Option<&str>, Option<&str>) {
    match state {
        ListedState::Held { holder, .. } => (Some(&holder.run_id), Some(&holder.job)),
        ListedState::Quarantined { .. } => (None, None),
    }
}

async fn confirmed(number: u32, consequence: &str, clocks: &Clocks) -> Result<(), Exit> {
    let asked = match Terminal::attended(clocks.clone(), for_programs()) {
        Some(terminal) => terminal.line(&format!("{consequence} Release slot {number}? [y/N] ")).await,
        None => Err("nobody is there to confirm it".to_owned()),
    };
    match asked {
        Ok(answer) if matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes") => Ok(()),
        Ok(_) => {
            start::refuse("nothing was released");
            Err(Exit::RefusedByPolicy)
        }
        Err(why) => Err(start::refuse(&format!("{why}: say --yes if that is meant"))),
    }
}

/// Who does it, as the system knows: names of variables can be set to anything.
fn operator() -> String {
    format!("uid {}", rustix::process::getuid().as_raw())
}
