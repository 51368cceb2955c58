//! Tokens in hand: what is known of them, and when something is to be done about them. Nothing here waits.

use std::sync::Arc;
use std::time::Duration;

use super::door::Door;
use super::login::LoggedIn;
use crate::rules::renewal::{Life, Tend};
use crate::rules::time::BootTime;

/// Between two tries to renew or replace a token that is still good: a quarter of what is left of it, in these bounds.
const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// The tokens of a process.
#[derive(Default)]
pub(super) struct Tokens {
    held: Option<Held>,
    /// Tokens of ours that were replaced and have not ended: what they lease lives on.
    replaced: Vec<Held>,
    /// What was leased by tokens that are not ours to revoke.
    leases: Vec<String>,
    /// Logins so far.
    logins: u64,
    /// Whether a task watches over the token's life.
    watched: bool,
}

/// What is to be given back at the end.
#[derive(Default)]
pub(super) struct Owed {
    /// Leases, and the way to give them back.
    pub(super) leases: Vec<String>,
    pub(super) door: Option<Arc<Door>>,
    /// Tokens that logins gave, each with its own way in.
    pub(super) tokens: Vec<(Arc<Door>, String)>,
}

/// What there is to do before a token is lent.
pub(super) enum Plan {
    Lend(Lent),
    Renew(Lent),
    LogIn,
}

impl Tokens {
    /// The token in hand, if it has not ended: whether it is due for another is not the borrower's matter.
    pub(super) fn lend(&self, now: BootTime) -> Option<Lent> {
        self.held.as_ref().filter(|held| held.tend(now) != Tend::Over).map(Held::lent)
    }

    pub(super) fn plan(&self, now: BootTime) -> Plan {
        let Some(held) = &self.held else { return Plan::LogIn };
        let paused = held.not_before.is_some_and(|pause| now < pause);
        match held.tend(now) {
            Tend::Use => Plan::Lend(held.lent()),
            Tend::Renew | Tend::Replace if paused => Plan::Lend(held.lent()),
            Tend::Renew => Plan::Renew(held.lent()),
            Tend::Replace | Tend::Over => Plan::LogIn,
        }
    }

    /// A new token in the old one's place; `true`: nothing watches over its life yet.
    pub(super) fn take(&mut self, new: LoggedIn, life: Option<Life>, now: BootTime) -> (Lent, bool) {
        let LoggedIn { door, accessor, revocable, .. } = new;
        self.logins += 1;
        let (login, door) = (self.logins, Arc::new(door));
        let held = Held { door, accessor, login, since: now, life, revocable, dead: false, not_before: None };
        let lent = held.lent();
        self.replaced.retain(|old| old.tend(now) != Tend::Over);
        if let Some(old) = self.held.replace(held)
            && old.is_owed(now)
        {
            self.replaced.push(old);
        }
        let unwatched = life.is_some() && !std::mem::replace(&mut self.watched, true);
        (lent, unwatched)
    }

    /// It was renewed, asked for at `since`; its life from now on, if it is still in hand.
    pub(super) fn renewed(
        &mut self,
        login: u64,
        since: BootTime,
        granted: Duration,
        renewable: bool,
    ) -> Option<Life> {
        let held = self.of_login(login)?;
        let first = held.life.map_or(Duration::ZERO, |life| life.first);
        held.life = (!granted.is_zero()).then_some(Life { first, granted, renewable });
        (held.since, held.not_before) = (since, None);
        held.life
    }

    /// Nothing is tried for a while; the token in hand, if it is still good.
    pub(super) fn pause(&mut self, now: BootTime) -> Option<Lent> {
        self.held.as_mut()?.pause(now);
        self.lend(now)
    }

    /// Vault does not know it any more.
    pub(super) fn give_up(&mut self, login: u64) {
        if let Some(held) = self.of_login(login) {
            held.dead = true;
        }
    }

    /// A lease to give back at the end; those of our own tokens die with their token.
    pub(super) fn leased(&mut self, lease: String) {
        if self.held.as_ref().is_some_and(|held| !held.revocable) {
            self.leases.push(lease);
        }
    }

    /// When something is to be done about the token in hand; `None`: nobody has to watch.
    pub(super) fn due(&mut self) -> Option<BootTime> {
        let due = self.held.as_ref().and_then(Held::due);
        self.watched = due.is_some();
        due
    }

    /// Everything that is to be given back; nothing is in hand then.
    pub(super) fn owed(&mut self, now: BootTime) -> Owed {
        let held = self.held.take();
        let door = held.as_ref().map(|held| Arc::clone(&held.door));
        let tokens = held.into_iter().chain(self.replaced.drain(..)).filter(|token| token.is_owed(now));
        let tokens = tokens.map(|token| (token.door, token.accessor)).collect();
        Owed { leases: std::mem::take(&mut self.leases), door, tokens }
    }

    /// Whether a token would be left behind now.
    pub(super) fn is_owed(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.revocable)
    }

    fn of_login(&mut self, login: u64) -> Option<&mut Held> {
        self.held.as_mut().filter(|held| held.login == login)
    }
}

/// A token that a login gave, or a file.
struct Held {
    door: Arc<Door>,
    accessor: String,
    /// Which login gave it.
    login: u64,
    /// When its life was granted.
    since: BootTime,
    /// `None`: it does not end, as far as is known.
    life: Option<Life>,
    revocable: bool,
    /// It was refused, and does not know itself any more.
    dead: bool,
    /// Nothing is tried before, because the last try failed.
    not_before: Option<BootTime>,
}

/// The way in, for one request.
pub(super) struct Lent {
    pub(super) door: Arc<Door>,
    pub(super) login: u64,
}

impl Held {
    fn tend(&self, now: BootTime) -> Tend {
        match self.life {
            _ if self.dead => Tend::Over,
            Some(life) => life.tend(now.since(self.since)),
            None => Tend::Use,
        }
    }

    /// Whether it is ours to revoke, and has not ended.
    fn is_owed(&self, now: BootTime) -> bool {
        self.revocable && self.tend(now) != Tend::Over
    }

    fn lent(&self) -> Lent {
        Lent { door: Arc::clone(&self.door), login: self.login }
    }

    /// When something is to be done about it.
    fn due(&self) -> Option<BootTime> {
        // A token whose file is not replaced is looked at ever more often towards its end; not more often than this.
        let due = self.since + self.life?.due().max(PAUSE_MIN);
        Some(self.not_before.map_or(due, |pause| pause.max(due)))
    }

    fn pause(&mut self, now: BootTime) {
        let left = self.life.map_or(PAUSE_MAX, |life| life.granted.saturating_sub(now.since(self.since)));
        self.not_before = Some(now + (left / 4).clamp(PAUSE_MIN, PAUSE_MAX));
    }
}
