//! `exorun doctor`: climbs from the job to a harmless read, and names the first broken rung with its mend.
//!
//! A rung is a file. It looks at one thing, within a time of its own, and writes nothing: what it cannot know by looking
//! it says. The composition root gives the parts, the same ones that a run is made of, so that what holds here holds for
//! the run. Source: protocol reference, 8 (the ladder).

pub mod bundle;
mod certificate;
mod climb;
mod clock;
mod cmdlets;
mod credential;
mod discovery;
mod dns;
pub mod job;
mod module_access;
mod needs;
mod noted;
mod port80;
mod proxy;
mod read;
mod realm;
mod report;
mod rights;
mod role_groups;
mod session;
mod slots;
mod tcp;
mod tls;
mod token;
mod vault;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

pub use climb::{Climb, Ended};
pub use needs::can_read;
pub use noted::Noting;
pub use report::{FORM, Finding, Name, Report, Rung, State};

use crate::clocks::Clocks;
use crate::exchange::transport::{Connector, Origin};
use crate::exit::Exit;
use crate::secrets::SecretSource;
use crate::session::Sessions;
use crate::signin::certificate::Term;
use crate::signin::discovery::Tenant;
use crate::signin::endpoint::LoginEndpoint;
use crate::signin::{AccessToken, SigninError, TokenSource};
use crate::slots::{AccountKey, SlotStore};
use crate::spec::job::{Job, TargetSpec};

/// A host that the job needs.
pub struct Site {
    /// `sign-in` or `service`.
    pub what: &'static str,
    /// Its name and port.
    pub origin: Origin,
    /// The setting that names it.
    pub setting: &'static str,
}

/// What the composition root does for the climb: the steps of a run's sign-in, one by one.
#[async_trait]
pub trait Account: Send + Sync {
    /// What the sign-in service says of the tenant.
    ///
    /// # Errors
    /// It is not known, or lives in another cloud.
    async fn tenant(&self) -> Result<Tenant, SigninError>;

    /// How long the application's certificate is good; `None` if there is none that is known beforehand.
    ///
    /// # Errors
    /// What keeps it from being read or used.
    async fn certificate(&self) -> Result<Option<Term>, SigninError>;

    /// The source of tokens that a run would use; nothing is fetched.
    ///
    /// # Errors
    /// As the way to sign in says.
    async fn tokens(&self) -> Result<Arc<dyn TokenSource>, SigninError>;

    /// The account's sessions, as a run would have them.
    ///
    /// # Errors
    /// The token is not to be used with these settings, or the slots cannot be kept.
    async fn sessions(
        &self,
        tokens: Arc<dyn TokenSource>,
        token: &AccessToken,
    ) -> Result<(Sessions, AccountKey), SigninError>;
}

/// Whether a person may be asked to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// A job that needs a person is climbed up to the sign-in.
    Nobody,
    /// The person at the terminal.
    ThePerson,
}

/// How long rungs may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// One name, one connection, one handshake.
    pub connect: Duration,
    /// One request to the sign-in service, or a sign-in without a person.
    pub signin: Duration,
    /// A person's sign-in.
    pub person: Duration,
    /// One request to the service.
    pub call: Duration,
}

/// Everything a climb needs. Made by the composition root.
pub struct Parts<A> {
    /// What is to be run.
    pub job: Arc<Job>,
    /// Where, and as whom.
    pub target: TargetSpec,
    /// The sign-in service and the service.
    pub sites: Vec<Site>,
    /// The way to both, as sessions go it.
    pub connector: Connector,
    /// The TLS of both, which notes what it is shown.
    pub tls: Noting,
    /// The sign-in service, as the way to sign in speaks to it.
    pub endpoint: LoginEndpoint,
    /// Where credentials are.
    pub secrets: Arc<dyn SecretSource>,
    /// The slots of this host.
    pub store: Arc<dyn SlotStore>,
    /// Who shares them: `on this host`.
    pub reach: String,
    /// Slots an account has here.
    pub session_limit: u32,
    /// The steps of a sign-in.
    pub account: A,
    /// Whether a person may be asked.
    pub asking: Asking,
    /// How long rungs may take.
    pub limits: Limits,
    /// Cancelled when the command is asked to stop.
    pub stop: CancellationToken,
    /// Time.
    pub clocks: Clocks,
}

impl<A: Account> Parts<A> {
    /// Climbs from the network up; `climb` has the rung of the job already. Returns who signed in, if somebody did.
    ///
    /// # Cancel safety
    /// May be dropped at any time: a session that is open is closed by the reaper.
    pub async fn climb(&self, climb: &mut Climb<'_>) -> Option<String> {
        let connect = self.limits.connect;
        climb.rung(Name::Dns, connect, dns::look(&self.sites, &self.connector)).await;
        climb
            .rung(Name::Tcp, connect * 2, tcp::look(&self.sites, &self.connector, connect, &self.clocks))
            .await;
        climb.rung(Name::Port80, connect, port80::look(&self.sites, &self.connector, &self.clocks)).await;
        climb.rung(Name::Proxy, connect * 2, proxy::look(&self.sites, &self.connector)).await;
        let tls = tls::look(&self.sites, &self.connector, &self.tls, &self.clocks);
        climb.rung(Name::Tls, connect * 2, tls).await;
        climb.rung(Name::Clock, self.limits.signin, clock::look(&self.endpoint)).await;
        climb.rung(Name::Discovery, self.limits.signin, discovery::look(self)).await;
        climb.rung(Name::Realm, self.limits.signin, realm::look(self)).await;
        climb.rung(Name::Vault, self.limits.signin, vault::look(self)).await;
        climb.rung(Name::Credential, self.limits.signin, credential::look(self)).await;
        climb.rung(Name::Certificate, self.limits.signin, certificate::look(self)).await;
        let (tokens, token) = token::climb(self, climb).await?;
        let actor = Some(crate::observe::escape::one_line(&token.facts.actor, 120));
        if let Some((sessions, account)) = slots::climb(self, climb, tokens, &token).await {
            session::climb(self, climb, &sessions, &account, &token).await;
        }
        actor
    }
}

/// A failed sign-in, or an answer that never came; `mend` is said if the message names none.
fn refused(error: &SigninError, mend: &str) -> Finding {
    let (message, ids) = without_ids(&error.message);
    let finding = Finding::failed_as(exit_of(error), message, mend);
    ids.into_iter().fold(finding, |finding, (name, id)| finding.with_id(name, Some(id)))
}

/// A message of the sign-in, and the ids that stand in brackets at its end: a rung has a place of its own for them.
fn without_ids(message: &str) -> (&str, Vec<(&'static str, String)>) {
    let inside = message.strip_suffix(')').and_then(|rest| rest.rsplit_once(" ("));
    let Some((before, inside)) = inside else { return (message, Vec::new()) };
    let names = [("correlation id ", "correlation_id"), ("trace id ", "trace_id")];
    let ids: Option<Vec<(&'static str, String)>> = inside
        .split(", ")
        .map(|part| {
            names.iter().find_map(|(label, name)| Some((*name, part.strip_prefix(label)?.to_owned())))
        })
        .collect();
    match ids {
        Some(ids) => (before, ids),
        None => (message, Vec::new()),
    }
}

/// How a failed sign-in ends the command.
fn exit_of(error: &SigninError) -> Exit {
    use crate::signin::SigninErrorKind as Kind;
    match error.kind {
        Kind::Refused | Kind::Unfit | Kind::NobodyThere => Exit::SigninRefused,
        Kind::BadInput => Exit::BadInput,
        Kind::Forbidden => Exit::RefusedByPolicy,
        Kind::Throttled => Exit::NoSession,
        Kind::Unavailable => Exit::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_at_the_end_of_a_message_get_a_place_of_their_own() {
        let ids = vec![("correlation_id", "1-2".to_owned()), ("trace_id", "3-4".to_owned())];
        assert_eq!(without_ids("no -> yes (correlation id 1-2, trace id 3-4)"), ("no -> yes", ids));
        for other in ["no (HTTP 403)", "no", "(correlation id 1) no", "no (correlation id 1, HTTP 403)"] {
            assert_eq!(without_ids(other), (other, Vec::new()));
        }
    }
}
