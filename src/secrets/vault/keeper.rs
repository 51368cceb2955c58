//! The token in hand: one login at a time, renewed at two thirds of its life, replaced where it cannot be, revoked at
//! the end.

use std::sync::{Arc, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use jiff::SignedDuration;
use rustify::endpoint::Endpoint;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, info, warn};
use vaultrs::api::token::requests::LookupTokenSelfRequest;

use super::door::{Answer, Request};
use super::held::{Lent, Owed, Plan, Tokens};
use super::login::{Entrance, LoggedIn};
use super::patience::Patience;
use super::trouble::{Failed, Trouble};
use crate::clocks::Clocks;
use crate::observe::metrics::Metrics;
use crate::rules::duration::show_about;
use crate::rules::renewal::Life;
use crate::rules::retry::Failure;
use crate::secrets::SecretErrorKind;

/// Holds the token for the whole process.
///
/// What is known of it is looked at for moments; a login or renewal goes on beside that, so that nobody who has a good
/// token waits for the next one.
pub(super) struct Keeper {
    pub(super) entrance: Entrance,
    patience: Patience,
    clocks: Clocks,
    metrics: Metrics,
    tokens: std::sync::Mutex<Tokens>,
    /// Whose turn it is to renew or to log in.
    turn: tokio::sync::Mutex<()>,
    tasks: TaskTracker,
    ending: CancellationToken,
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
            tokens: std::sync::Mutex::default(),
            turn: tokio::sync::Mutex::default(),
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
                    self.tokens().give_up(lent.login);
                }
                asked => return asked,
            }
        }
    }

    /// A lease to give back at the end.
    pub(super) fn leased(&self, lease: String) {
        self.tokens().leased(lease);
    }

    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token in hand as long as it is good, also while another is being got; else the one of a login.
    ///
    /// # Cancel safety
    /// A login that was begun is ended by a task of its own, so that no token is got that nobody knows of.
    async fn lend(self: &Arc<Self>) -> Result<Lent, Failed> {
        // What is due for renewal has a task that watches over it.
        if let Some(lent) = self.tokens().lend(self.clocks.boot()) {
            return Ok(lent);
        }
        let keeper = Arc::clone(self);
        let tending = self.tasks.spawn(async move { keeper.tend().await }.in_current_span());
        tending.await.unwrap_or_else(|_| Err(Failed::wrong("the login to Vault broke off")))
    }

    /// Does what there is to do about the token, and lends it.
    async fn tend(self: &Arc<Self>) -> Result<Lent, Failed> {
        let _turn = self.turn.lock().await;
        // In a statement of its own: a guard that a `match` keeps would be held over its arms.
        let plan = self.tokens().plan(self.clocks.boot());
        match plan {
            Plan::Lend(lent) => return Ok(lent),
            Plan::Renew(lent) => {
                if self.renewed(&lent).await {
                    return Ok(lent);
                }
            }
            Plan::LogIn => {}
        }
        if self.ending.is_cancelled() {
            let reason = "the program is ending".to_owned();
            return Err(Failed { reason, kind: SecretErrorKind::Unavailable });
        }
        let failed = match self.entrance.log_in().await {
            Ok(new) => return Ok(self.take(new)),
            Err(failed) => failed,
        };
        self.metrics.vault_login(outcome(failed.kind));
        let old = self.tokens().pause(self.clocks.boot());
        let lent = old.ok_or_else(|| failed.clone())?;
        warn!(error = %failed.reason, "Vault: no new token yet; the old one is still good");
        Ok(lent)
    }

    /// Whether the token may be used further, renewed or not: a passing failure is tried again later.
    async fn renewed(&self, lent: &Lent) -> bool {
        let asked_at = self.clocks.boot();
        let answer = lent.door.ask(&Request::post("auth/token/renew-self", None)).await;
        let trouble = match answer {
            Ok(answer) => {
                let granted = answer.auth.map_or((0, false), |auth| (auth.lease_duration, auth.renewable));
                let (granted, renewable) = (Duration::from_secs(granted.0), granted.1);
                let life = self.tokens().renewed(lent.login, asked_at, granted, renewable);
                self.metrics.vault_renewal("ok");
                self.ends_in(life);
                info!(ttl = %show_about(granted), "the token of Vault is renewed");
                return true;
            }
            Err(trouble) => trouble,
        };
        let passing = trouble.failure() != Failure::Permanent;
        let failed = trouble.told("renew the token", &self.entrance.parts.address);
        self.metrics.vault_renewal(outcome(failed.kind));
        warn!(error = %failed.reason, "the token of Vault is not renewed");
        let still_good = self.tokens().pause(self.clocks.boot()).is_some();
        passing && still_good
    }

    fn take(self: &Arc<Self>, new: LoggedIn) -> Lent {
        let life = new.life.map(|first| Life { first, granted: first, renewable: new.renewable });
        self.metrics.vault_login("ok");
        self.ends_in(life);
        let method = self.entrance.parts.login.word();
        let ttl = life.map_or_else(|| "without end".to_owned(), |life| show_about(life.granted));
        info!(method, accessor = %new.accessor, ttl = %ttl, renewable = new.renewable, "logged in to Vault");
        let (lent, unwatched) = self.tokens().take(new, life, self.clocks.boot());
        if unwatched {
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
        matches!(looked, Err(Trouble::Refused(refusal)) if refusal.is_of_the_token())
    }

    /// Revokes the tokens that logins gave, and what else was leased, within `deadline`. What fails is a line in the
    /// log: it ends by itself later.
    pub(super) async fn close(&self, deadline: Duration) {
        self.ending.cancel();
        self.tasks.close();
        let work = async {
            // First what there is: a login that is under way may last, and may bring one more.
            self.give_back().await;
            self.tasks.wait().await;
            self.give_back().await;
        };
        if self.clocks.timeout(deadline, work).await.is_err() {
            warn!("Vault did not revoke everything in time; what is left ends by itself");
        }
        self.metrics.vault_token_ends(None);
    }

    async fn give_back(&self) {
        let Owed { leases, door, tokens } = self.tokens().owed(self.clocks.boot());
        for lease in leases {
            let Some(door) = &door else { break };
            let body = serde_json::json!({"lease_id": lease});
            let asked = door.ask(&Request::post("sys/leases/revoke", Some(body))).await;
            self.say(asked, "a lease of Vault", &lease);
        }
        for (door, accessor) in tokens {
            let asked = door.ask(&Request::post("auth/token/revoke-self", None)).await;
            self.say(asked, "a token of Vault", &accessor);
        }
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
        if self.tokens().is_owed() {
            warn!("a token of Vault was not revoked; it ends by itself");
        }
    }
}

/// Renews and replaces the token in time as long as there is one that ends: what it leases dies with it, also while
/// nobody asks for anything.
async fn watch(keeper: Weak<Keeper>, clocks: Clocks, ending: CancellationToken) {
    while let Some(alive) = keeper.upgrade() {
        let due = alive.tokens().due();
        drop(alive);
        let Some(due) = due else { return };
        tokio::select! {
            () = clocks.sleep_until(due) => {}
            () = ending.cancelled() => return,
        }
        let Some(alive) = keeper.upgrade() else { return };
        if let Err(failed) = alive.tend().await
            && !ending.is_cancelled()
        {
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
