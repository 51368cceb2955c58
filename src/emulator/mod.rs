//! Entra and Exchange Online on loopback, for trying things out and for tests.
//!
//! [`Emulator::start`] opens five ports on 127.0.0.1, real TCP with TLS from a certificate authority of its own: the
//! sign-in service, Exchange Online, and Security & Compliance's global and regional host; the fifth, without TLS, is a
//! managed identity. It is written from the
//! description of the protocol, not from this program's client, and shares no types with it: an emulator that is
//! built from the client agrees with the client's mistakes.
//!
//! What it is honest about: every answer carries `X-Exorun-Emulator: 1`; access tokens are signed by HMAC with a key
//! of this run and come from `https://sts.exorun-emulator.invalid/`; what the real service can and the emulator
//! cannot is refused with 501 and a text that says so. The limit of five sessions is the old service's documented
//! one, counted by the rule that [`SessionCounters`] tells; the service publishes none for today's protocol.
//!
//! Faults are described in [`Fault`]; the control endpoint is `/_emulator/` on all ports:
//! `GET state`, `GET requests`, `GET ca.pem`, `POST faults`, `POST latency`, `POST roles`, `POST rotate-key`,
//! `POST device/{user_code}`, `POST certificates`, `POST signin-trouble`.

mod account;
mod api;
mod ca;
mod challenge;
mod clouds;
mod cmdlets;
mod control;
mod device;
mod directory;
mod entra;
mod errors;
mod fault_draws;
mod faults;
mod filter;
mod folders;
mod form;
mod groups;
mod keys;
mod mailbox;
mod mailbox_settings;
mod managed_identity;
mod nouns;
mod options;
mod organization;
mod paging;
mod people;
mod policies;
mod prop;
mod random;
mod record;
mod replay;
mod reports;
mod request;
mod respond;
mod roles;
mod service;
mod sessions;
mod shelf;
pub mod stand_in;
mod state;
mod synthesized;
mod tokens;
mod versions;
mod views;
mod wanted;

#[cfg(test)]
mod tests;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::net::TcpListener;
use uuid::Uuid;

/// Whether a token with this `iss` comes from an emulator: nobody may take it for production.
pub fn is_issuer(issuer: &str) -> bool {
    issuer.contains(tokens::ISSUER_HOST)
}

pub use account::{Account, SigninTrouble, Trouble};
pub use clouds::Cloud;
pub use faults::{BadFault, Fault};
pub use options::{
    AnchorRule, CLIENT_ID, CLIENT_ID_WITHOUT_APP_ROLE, CLIENT_ID_WITHOUT_DIRECTORY_ROLE, Compression,
    DeviceApproval, FederatedCredential, IdentityNames, MANAGED_IDENTITY_CLIENT_ID, Options, PageBinding,
    Plan, Reuse, SessionsMode,
};
pub use record::RequestCount;
pub use roles::{BadRole, RoleAssignment};
pub use sessions::SessionCounters;

use crate::net;
use entra::Signins;
use replay::Replay;
use service::{Door, Role};
use state::State;

/// What happened so far.
#[derive(Clone, Debug, Serialize)]
pub struct Counters {
    /// Sessions by the emulator's rule.
    pub sessions: SessionCounters,
    /// Requests to the sign-in service and to Exchange Online, refused ones too.
    pub requests: u64,
    /// The same by cmdlet and status.
    pub by_cmdlet: Vec<RequestCount>,
    /// Objects that differ from the seed's.
    pub changed_objects: usize,
}

/// A running emulator. Dropping it stops it without waiting; [`Emulator::stop`] waits.
pub struct Emulator {
    state: Arc<State>,
    login: net::Server,
    exchange: net::Server,
    compliance: net::Server,
    compliance_region: net::Server,
    identity: net::Server,
}

impl Emulator {
    /// Opens the ports and serves until [`Emulator::stop`].
    ///
    /// # Errors
    /// A port is taken, the emulator's certificates could not be made, one of the options could not be read, or the
    /// recording to replay cannot be.
    pub async fn start(options: Options) -> io::Result<Emulator> {
        let authority = ca::make()?;
        let signins =
            Signins::new(&options).map_err(|why| io::Error::new(io::ErrorKind::InvalidInput, why))?;
        let login = TcpListener::bind((Ipv4Addr::LOCALHOST, options.login_port)).await?;
        let exchange = TcpListener::bind((Ipv4Addr::LOCALHOST, options.exchange_port)).await?;
        let compliance = TcpListener::bind((Ipv4Addr::LOCALHOST, options.compliance_port)).await?;
        let compliance_region =
            TcpListener::bind((Ipv4Addr::LOCALHOST, options.compliance_region_port)).await?;
        let identity = TcpListener::bind((Ipv4Addr::LOCALHOST, options.identity_port)).await?;
        let login_endpoint = format!("https://{}", login.local_addr()?);
        let clocks = options.clocks.clone();
        // HTTP/1 counts the wait for a next request as part of its head, and an idle session must live its time.
        let header_timeout = options.session_idle.max(Duration::from_secs(60));
        let net_options =
            net::Options { tls: Some(authority.tls), header_timeout, ..net::Options::new(clocks) };
        let replay = match &options.replay {
            Some(folder) => Some(Replay::read(folder).map_err(io::Error::other)?),
            None => None,
        };
        let state = Arc::new(State::new(options, signins, login_endpoint, authority.ca_pem, replay));
        let door = |role| Arc::new(Door { role, state: state.clone() });
        // The real one is on a link-local address of the machine, without TLS.
        let identity_options = net::Options { tls: None, ..net_options.clone() };
        Ok(Emulator {
            identity: net::Server::start(identity, door(Role::Identity), identity_options)?,
            login: net::Server::start(login, door(Role::Login), net_options.clone())?,
            exchange: net::Server::start(exchange, door(Role::Exchange), net_options.clone())?,
            compliance: net::Server::start(compliance, door(Role::ComplianceGlobal), net_options.clone())?,
            compliance_region: net::Server::start(
                compliance_region,
                door(Role::ComplianceRegion),
                net_options,
            )?,
            state,
        })
    }

    /// `https://127.0.0.1:PORT` of the sign-in service.
    pub fn login_endpoint(&self) -> String {
        self.state.login.clone()
    }

    /// `https://127.0.0.1:PORT` of Exchange Online.
    pub fn exchange_endpoint(&self) -> String {
        format!("https://{}", self.exchange.address())
    }

    /// `https://127.0.0.1:PORT` of Security & Compliance's global host, which sends callers on to their region.
    pub fn compliance_endpoint(&self) -> String {
        format!("https://{}", self.compliance.address())
    }

    /// `https://127.0.0.1:PORT` of Security & Compliance's regional host, which serves.
    pub fn compliance_region_endpoint(&self) -> String {
        format!("https://{}", self.compliance_region.address())
    }

    /// The services' own names on port 443, each with the port on loopback that answers for it. The certificate is valid
    /// for them; who connects there instead meets redirects as they are.
    pub fn real_names(&self) -> Vec<(String, SocketAddr)> {
        let options = &self.state.options;
        let cloud = options.cloud.names();
        let region = format!("{}.{}", options.compliance_region, cloud.compliance_regions());
        let mut names = vec![
            (cloud.login.to_owned(), self.login.address()),
            (cloud.exchange.to_owned(), self.exchange.address()),
            (cloud.compliance.to_owned(), self.compliance.address()),
            (region, self.compliance_region.address()),
        ];
        if let Some(prefix) = &options.front_door {
            names.push((format!("{prefix}.{}", cloud.exchange), self.exchange.address()));
        }
        names
    }

    /// Exchange Online's own name in the tenant's cloud.
    pub fn exchange_name(&self) -> &'static str {
        self.state.options.cloud.names().exchange
    }

    /// The own name of Security & Compliance's global host in the tenant's cloud.
    pub fn compliance_name(&self) -> &'static str {
        self.state.options.cloud.names().compliance
    }

    /// Whether Exchange Online answers by one regional name only.
    pub fn has_front_door(&self) -> bool {
        self.state.options.front_door.is_some()
    }

    /// `https://127.0.0.1:PORT/_emulator`: the control endpoint, see the [module](self).
    pub fn control_url(&self) -> String {
        format!("{}/_emulator", self.exchange_endpoint())
    }

    /// The certificate authority that signed both services' certificate.
    pub fn ca_pem(&self) -> &str {
        &self.state.ca_pem
    }

    /// The secret that every application has here.
    pub fn client_secret(&self) -> &str {
        &self.state.secret
    }

    /// What accounts with a second factor are asked for.
    pub fn verification_code(&self) -> String {
        self.state.signins().verification_code.clone()
    }

    /// The password that every person has here.
    pub fn user_password(&self) -> String {
        self.state.signins().password.clone()
    }

    /// `http://127.0.0.1:PORT` of the managed identity.
    pub fn identity_endpoint(&self) -> String {
        format!("http://{}", self.identity.address())
    }

    /// What `X-IDENTITY-HEADER` has to say there.
    pub fn identity_header(&self) -> String {
        self.state.signins().identity_header.clone()
    }

    /// A token of the issuer that [`stand_in::federated_credential`] names.
    pub fn federated_token(&self) -> String {
        stand_in::federated_token(&self.state)
    }

    /// An access token for `scope` without a sign-in: an application's, or a person's by name. `None`: the tenant does
    /// not know what the scope is for.
    pub fn access_token(&self, scope: &str, client_id: &str, upn: Option<&str>) -> Option<String> {
        stand_in::access_token(&self.state, scope, client_id, upn)
    }

    /// A refresh token as a sign-in of this person, else of the administrator, would have left it. `None`: the tenant
    /// does not know what the scope is for, or the person.
    pub fn refresh_token(&self, scope: &str, client_id: &str, upn: Option<&str>) -> Option<String> {
        entra::kept_sign_in(&self.state, scope, client_id, upn)
    }

    /// The tenant.
    pub fn tenant_id(&self) -> Uuid {
        self.state.tenant.id
    }

    /// The tenant's initial domain, for example `contoso.onmicrosoft.com`.
    pub fn tenant_domain(&self) -> &str {
        &self.state.tenant.initial_domain
    }

    /// What happened so far.
    pub fn counters(&self) -> Counters {
        counters(&self.state)
    }

    /// The recorded requests as JSON, the oldest first; secrets are not in it.
    pub fn requests(&self) -> serde_json::Value {
        self.state.records().list()
    }

    /// Accepts nothing more, ends every transport after its requests in hand, and returns the last counters.
    pub async fn stop(self) -> Counters {
        let Emulator { state, login, exchange, compliance, compliance_region, identity } = self;
        exchange.stop().await;
        compliance.stop().await;
        compliance_region.stop().await;
        identity.stop().await;
        login.stop().await;
        counters(&state)
    }
}

fn counters(state: &State) -> Counters {
    let sessions = state.sessions().counters(state.now());
    let changed_objects = state.directory().changed();
    let records = state.records();
    Counters { sessions, requests: records.total(), by_cmdlet: records.counts(), changed_objects }
}
