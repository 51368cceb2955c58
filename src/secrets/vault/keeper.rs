//! The token in hand: one login at a time, renewed at two thirds of its life, replaced where it cannot be, revoked at
//! the end.

use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::SignedDuration;
use rustify::endpoint::Endpoint;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, info, warn};
use vaultrs::api::token::requests::LookupTokenSelfRequest;

use super::door::{Answer, Request};
use super::held::{Held, Lent};
use super::login::{Entrance, LoggedIn};
use super::patience::Patience;
use super::trouble::{Failed, Trouble};
use crate::clocks::Clocks;
use crate::observe::metrics::Metrics;
use crate::rules::duration::show_about;
use crate::rules::renewal::{Life, Tend};
use crate::rules::retry::Failure;
use crate::secrets::SecretErrorKind;

/// Holds the token for the whole process.
pub(super) struct Keeper {
    pub(super) entrance: Entrance,
    patience: Patience,
    clocks: Clocks,
    metrics: Metrics,
    state: Mutex<State>,
    tasks: TaskTracker,
    ending: CancellationToken,
}

#[derive(Default)]
struct State {
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

impl Keeper {
    pub(super) fn new(entrance: Entrance) -> Arc<Keeper> {
        let patience = entrance.patience.clone();
        Arc::new(Keeper {
            clocks: patience.clocks.clone(),
            metrics: entrance.parts.metrics.clone(),
            ending: patience.ending.clone(),
            patience,
            entrance,
            state: Mutex::default(),
            tasks: TaskTracker::new(),
        })
    }

    /// Asks with the token in hand; if Vault does not know it any more, once more with a new one.
    pub(super) async fn ask<E: Endpoint>(
        self: &Arc<Self>,
        doing: &str,
        endpoint: &E,
    ) -> Result<Answer, Trouble> {
        self.ask_for(doing, endpoint, None).await
    }

    /// As [`Keeper::ask`], for an answer that is wrapped for `wrap`, if it is.
    pub(super) async fn ask_for<E: Endpoint>(
        self: &Arc<Self>,
        doing: &str,
        endpoint: &E,
        wrap: Option<Duration>,
    ) -> Result<Answer, Trouble> {
        let mut first = true;
        loop {
            let lent = self.lend().await.map_err(Trouble::Known)?;
            let once = || async {
                match wrap {
                    Some(ttl) => lent.door.ask_wrapped(endpoint, ttl).await,
                    None => lent.door.ask(endpoint).await,
                }
            };
            let asked = self.patience.ask(doing, once).await;
            match asked {
                Err(Trouble::Refused(refusal))
                    if first && refusal.status == 403 && self.is_dead(&lent).await =>
                {
                    first = false;
                    info!("Vault does not know the token any more, logging in again");
                    self.give_up(&lent).await;
                }
                asked => return asked,
            }
        }
    }

    /// A lease to give back at the end.
    pub(super) async fn leased(&self, lease: String) {
        let mut state = self.state.lock().await;
        // The others die with their token.
        if state.held.as_ref().is_some_and(|held| !held.revocable) {
            state.leases.push(lease);
        }
    }

    /// # Cancel safety
    /// A login that was begun is ended by a task of its own, so that no token is got that nobody knows of.
    async fn lend(self: &Arc<Self>) -> Result<Lent, Failed> {
        if let Some(held) = &self.state.lock().await.held
            && held.tend(self.clocks.boot()) == Tend::Use
        {
            return Ok(held.lent());
        }
        let keeper = Arc::clone(self);
        let tending = self.tasks.spawn(async move { keeper.tend().await }.in_current_span());
        tending.await.unwrap_or_else(|_| Err(Failed::wrong("the login to Vault broke off")))
    }

    /// Does what there is to do about the token, and lends it.
    async fn tend(self: &Arc<Self>) -> Result<Lent, Failed> {
        let mut state = self.state.lock().await;
        let now = self.clocks.boot();
        if let Some(held) = &mut state.held {
            let plan = held.tend(now);
            let paused = held.not_before.is_some_and(|pause| now < pause);
            if plan == Tend::Use || (paused && plan != Tend::Over) {
                return Ok(held.lent());
            }
            if plan == Tend::Renew && self.renewed(held).await {
                return Ok(held.lent());
            }
        }
        let failed = match self.entrance.log_in().await {
            Ok(new) => return Ok(self.take(&mut state, new)),
            Err(failed) => failed,
        };
        self.metrics.vault_login(outcome(failed.kind));
        let now = self.clocks.boot();
        match &mut state.held {
            Some(held) => {
                held.pause(now);
                if held.tend(now) == Tend::Over {
                    return Err(failed);
                }
                warn!(error = %failed.reason, "Vault: no new token yet; the old one is still good");
                Ok(held.lent())
            }
            None => Err(failed),
        }
    }

    /// Whether the token may be used further, renewed or not: a passing failure is tried again later.
    async fn renewed(&self, held: &mut Held) -> bool {
        let asked_at = self.clocks.boot();
        let answer = held.door.ask(&Request::post("auth/token/renew-self", None)).await;
        let trouble = match answer {
            Ok(answer) => {
                let granted = answer.auth.map_or((0, false), |auth| (auth.lease_duration, auth.renewable));
                let first = held.life.map_or(Duration::ZERO, |life| life.first);
                let (granted, renewable) = (Duration::from_secs(granted.0), granted.1);
                held.life = (!granted.is_zero()).then_some(Life { first, granted, renewable });
                (held.since, held.not_before) = (asked_at, None);
                self.metrics.vault_renewal("ok");
                self.ends_in(held.life);
                info!(ttl = %show_about(granted), "the token of Vault is renewed");
                return true;
            }
            Err(trouble) => trouble,
        };
        let passing = trouble.failure() != Failure::Permanent;
        let failed = trouble.told("renew the token", &self.entrance.parts.address);
        self.metrics.vault_renewal(outcome(failed.kind));
        warn!(error = %failed.reason, "the token of Vault is not renewed");
        held.pause(asked_at);
        passing && held.tend(self.clocks.boot()) != Tend::Over
    }

    fn take(self: &Arc<Self>, state: &mut State, new: LoggedIn) -> Lent {
        let LoggedIn { door, accessor, life, renewable, revocable } = new;
        state.logins += 1;
        let life = life.map(|first| Life { first, granted: first, renewable });
        self.metrics.vault_login("ok");
        self.ends_in(life);
        let method = self.entrance.parts.login.word();
        let ttl = life.map_or_else(|| "without end".to_owned(), |life| show_about(life.granted));
        info!(method, accessor = %accessor, ttl = %ttl, renewable, "logged in to Vault");
        let now = self.clocks.boot();
        let held = Held {
            door: Arc::new(door),
            accessor,
            login: state.logins,
            since: now,
            life,
            revocable,
            dead: false,
            not_before: None,
        };
        let lent = held.lent();
        state.replaced.retain(|old| old.tend(now) != Tend::Over);
        if let Some(old) = state.held.replace(held)
            && old.revocable
            && old.tend(now) != Tend::Over
        {
            state.replaced.push(old);
        }
        if life.is_some() && !std::mem::replace(&mut state.watched, true) {
            self.tasks.spawn(watch(Arc::downgrade(self), self.clocks.clone(), self.ending.clone()));
        }
        lent
    }

    fn ends_in(&self, life: Option<Life>) {
        let end = life.and_then(|life| {
            self.clocks.wall().checked_add(SignedDuration::try_from(life.granted).ok()?).ok()
        });
        self.metrics.vault_token_ends(end);
    }

    /// Whether Vault knows the token that it refused something.
    async fn is_dead(&self, lent: &Lent) -> bool {
        let look = LookupTokenSelfRequest::builder().build().expect("it has no fields");
        let looked = lent.door.ask(&look).await;
        matches!(looked, Err(Trouble::Refused(refusal)) if refusal.status == 403)
    }

    async fn give_up(&self, lent: &Lent) {
        if let Some(held) = &mut self.state.lock().await.held
            && held.login == lent.login
        {
            held.dead = true;
        }
    }

    /// Revokes the tokens that logins gave, and what else was leased, within `deadline`. What fails is a line in the
    /// log: it ends by itself later.
    pub(super) async fn close(&self, deadline: Duration) {
        self.ending.cancel();
        self.tasks.close();
        let work = async {
            self.tasks.wait().await;
            let mut state = self.state.lock().await;
            let now = self.clocks.boot();
            let leases = std::mem::take(&mut state.leases);
            if let Some(held) = &state.held {
                for lease in leases {
                    let body = serde_json::json!({"lease_id": lease});
                    let asked = held.door.ask(&Request::post("sys/leases/revoke", Some(body))).await;
                    self.say(asked, "a lease of Vault", &lease);
                }
            }
            let held = state.held.take().into_iter().chain(state.replaced.drain(..));
            for token in held.filter(|token| token.revocable && token.tend(now) != Tend::Over) {
                let asked = token.door.ask(&Request::post("auth/token/revoke-self", None)).await;
                self.say(asked, "a token of Vault", &token.accessor);
            }
        };
        if self.clocks.timeout(deadline, work).await.is_err() {
            warn!("Vault did not revoke everything in time; what is left ends by itself");
        }
        self.metrics.vault_token_ends(None);
    }

    fn say(&self, asked: Result<Answer, Trouble>, what: &str, which: &str) {
        match asked {
            Ok(_) => info!(which, "{what} is revoked"),
            Err(trouble) => {
                let failed = trouble.told("revoke it", &self.entrance.parts.address);
                warn!(which, error = %failed.reason, "{what} is not revoked; it ends by itself");
            }
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if self.state.get_mut().held.as_ref().is_some_and(|held| held.revocable) {
            warn!("a token of Vault was not revoked; it ends by itself");
        }
    }
}

/// Renews and replaces the token in time as long as there is one that ends: what it leases dies with it, also while
/// nobody asks for anything.
async fn watch(keeper: Weak<Keeper>, clocks: Clocks, ending: CancellationToken) {
    while let Some(alive) = keeper.upgrade() {
        let due = {
            let mut state = alive.state.lock().await;
            let due = state.held.as_ref().and_then(Held::due);
            state.watched = due.is_some();
            due
        };
        drop(alive);
        let Some(due) = due else { return };
        tokio::select! {
            () = clocks.sleep_until(due) => {}
            () = ending.cancelled() => return,
        }
        let Some(alive) = keeper.upgrade() else { return };
        if let Err(failed) = alive.tend().await {
            warn!(error = %failed.reason, "Vault: there is no token any more");
        }
    }
}

fn outcome(kind: SecretErrorKind) -> &'static str {
    match kind {
        SecretErrorKind::Wrong | SecretErrorKind::Absent => "refused",
        SecretErrorKind::Unavailable => "unavailable",
    }
}
