//! From a target to an account with sessions: sign-in, slots, service.

use std::sync::Arc;

use super::addresses::{Addresses, addresses};
use super::slots::{Slots, slots};
use super::{Access, App, http};
use crate::emulator;
use crate::exchange::anchor::{Caller, routed};
use crate::exchange::client::{NextPage, RestRemote, ServiceConfig};
use crate::exchange::reach::Detour;
use crate::exchange::redirect::Family;
use crate::exchange::transport::{Connector, Origin};
use crate::exchange::tunnel::Proxy;
use crate::observe::escape::one_line;
use crate::rules::retry::{Repeated, RetryPolicy};
use crate::rules::rights;
use crate::rules::slots::Terms;
use crate::runner::Actor;
use crate::runner::ledger::{SessionLedger, WhoWhere};
use crate::session::{SessionTimes, Sessions, SessionsParts};
use crate::settings::{ApplicationAnchor, ExpectedRights, NextPageMethod, Settings};
use crate::signin::endpoint::{Expected, LoginEndpoint};
use crate::signin::{AccessToken, SigninError, SigninErrorKind, TokenSource};
use crate::slots::{AccountKey, SlotError};
use crate::spec::job::{Service, TargetSpec};

/// An account that has signed in.
pub struct SignedIn {
    /// Its sessions.
    pub sessions: Sessions,
    /// Who it is.
    pub actor: Actor,
    /// What happens to its sessions.
    pub ledger: SessionLedger,
}

pub(super) fn bad(message: String) -> SigninError {
    SigninError::new(SigninErrorKind::BadInput, message)
}

impl App {
    /// Signs in and joins the account's sessions. No session is opened.
    ///
    /// # Errors
    /// As the way to sign in says; a token of the emulator is refused where the settings do not say that one answers.
    pub async fn sign_in(
        &self,
        target: &TargetSpec,
        service: Service,
        access: Access,
    ) -> Result<SignedIn, SigninError> {
        let addresses = addresses(&self.settings, target, service)?;
        let tokens = self.token_source(target, service).await?;
        let token = tokens
            .token()
            .await
            .inspect_err(|error| self.metrics.signin_finished(signin_word(error.kind)))?;
        self.metrics.signin_finished("ok");
        self.joined(addresses, tokens, &token, target, service, access).await
    }

    /// A source of the target's tokens, once its tenant is known; none is fetched.
    pub(super) async fn token_source(
        &self,
        target: &TargetSpec,
        service: Service,
    ) -> Result<Arc<dyn TokenSource>, SigninError> {
        // A GUID in the wrong place is told before anybody is asked to sign in.
        routed(service, Caller::Partner, "", target.organization()).map_err(bad)?;
        let source = async {
            let auth = self.declared(&target.auth).await?;
            let endpoint = self.discovered_endpoint(target, service, &auth.method).await?;
            self.source(endpoint, &auth).await
        };
        source.await.inspect_err(|error| self.metrics.signin_finished(signin_word(error.kind)))
    }

    /// The sessions of the account that `token` is for.
    pub(super) async fn joined(
        &self,
        addresses: Addresses,
        tokens: Arc<dyn TokenSource>,
        token: &AccessToken,
        target: &TargetSpec,
        service: Service,
        access: Access,
    ) -> Result<SignedIn, SigninError> {
        let Addresses { login, origin, family, .. } = addresses;
        if emulator::is_issuer(&token.facts.issuer) && !self.settings.emulated {
            return Err(bad("the token comes from exorun's emulator, and the setting `emulated` is false: set it to true, \
                            so that nobody takes this run for production"
                .to_owned()));
        }
        let account = AccountKey {
            cloud: Origin::parse(&login).map_or(login, |origin| origin.to_string()),
            tenant_id: token.facts.tenant_id.clone(),
            object_id: token.facts.object_id.clone(),
        };
        let organization = target.organization();
        let caller = match token.facts.delegated {
            true if target.delegated_organization.is_some() => Caller::Partner,
            true => Caller::Person(&token.facts.actor),
            false => self.settings.application_anchor.into(),
        };
        let anchor = routed(service, caller, &token.facts.tenant_id, organization).map_err(bad)?;
        let anchor = (!self.settings.bypass_mailbox_anchoring).then_some(anchor);
        let remote = self.remote(origin, family, token, anchor, organization, access);
        let ledger = SessionLedger::new(
            self.metrics.clone(),
            WhoWhere {
                account: one_line(&token.facts.actor, 120),
                tenant: organization.to_owned(),
                tenant_id: one_line(&token.facts.tenant_id, 64),
                environment: target.environment.as_str().to_owned(),
                service: service.as_str(),
            },
        );
        let sessions = self.sessions(account, tokens, remote, &ledger).await?;
        let actor = Actor {
            name: one_line(&token.facts.actor, 120),
            tenant_id: one_line(&token.facts.tenant_id, 64),
        };
        Ok(SignedIn { sessions, actor, ledger })
    }

    /// Where and for what a target's tokens are asked for.
    pub(super) fn login_endpoint(
        &self,
        target: &TargetSpec,
        service: Service,
    ) -> Result<LoginEndpoint, SigninError> {
        let Addresses { login, scope, .. } = addresses(&self.settings, target, service)?;
        let user_principal_name = target.auth.user_principal_name.clone();
        let proxy = http::proxy_to(&self.settings, &login);
        let rights = match self.settings.expected_rights {
            ExpectedRights::Known => rights::Expected::Known,
            ExpectedRights::Any => rights::Expected::Any,
        };
        Ok(LoginEndpoint {
            base: login,
            tenant: target.organization().to_owned(),
            scope,
            expected: Expected { user_principal_name, tenant_id: None, rights },
            proxy,
            http: self.http.clone(),
            retry: self.retry(),
            recorder: self.recorder.clone(),
            clocks: self.clocks.clone(),
        })
    }

    /// Opens transports, the way that the settings say.
    pub(super) fn connector(&self) -> Connector {
        let detours = self.settings.connect_to.iter().map(|detour| Detour {
            host: detour.host.clone(),
            port: detour.port,
            to_host: detour.to_host.clone(),
            to_port: detour.to_port,
        });
        Connector::new(
            Arc::clone(&self.tls),
            self.tracker.clone(),
            self.clocks.clone(),
            self.settings.connect_timeout,
            self.settings.close_deadline,
        )
        .with_detours(detours.collect())
        .with_proxy(Proxy {
            routes: self.settings.proxy.routes.clone(),
            credentials: self.settings.proxy.credentials.clone(),
        })
    }

    fn remote(
        &self,
        origin: Origin,
        family: Family,
        token: &AccessToken,
        anchor: Option<String>,
        organization: &str,
        access: Access,
    ) -> RestRemote {
        RestRemote::new(ServiceConfig {
            origin,
            family,
            organization: organization.to_owned(),
            anchor,
            tenant_id: token.facts.tenant_id.clone(),
            api_version: self.settings.api_version.to_owned(),
            next_page: match self.settings.next_page_method {
                NextPageMethod::Post => NextPage::Post,
                NextPageMethod::Get => NextPage::Get,
            },
            page_size: self.settings.page_size,
            access,
            retry: self.retry(),
            recorder: self.recorder.clone(),
            connector: self.connector(),
            clocks: self.clocks.clone(),
        })
    }

    async fn sessions(
        &self,
        account: AccountKey,
        tokens: Arc<dyn TokenSource>,
        remote: RestRemote,
        ledger: &SessionLedger,
    ) -> Result<Sessions, SigninError> {
        self.metrics.sessions_limited(self.settings.session_limit);
        let slots = self.slots().await.map_err(|error| bad(error.to_string()))?;
        Ok(Sessions::new(SessionsParts {
            account,
            store: Arc::clone(&slots.store),
            remote: Arc::new(remote),
            tokens,
            clocks: self.clocks.clone(),
            times: session_times(&self.settings),
            reaper: self.reaper.handle(),
            events: Arc::new(ledger.clone()),
        })
        .with_secrets(Arc::clone(&self.secrets)))
    }

    fn retry(&self) -> RetryPolicy {
        retry(&self.settings)
    }

    /// Where slots are kept, for all accounts of the process.
    pub(super) async fn slots(&self) -> Result<&Slots, SlotError> {
        let made = || slots(&self.settings, session_times(&self.settings).slots(), &self.clocks);
        self.slots.get_or_try_init(made).await
    }
}

/// How long things take in the life of a session.
pub fn session_times(settings: &Settings) -> SessionTimes {
    let terms = Terms { lease: settings.lease, quarantine: settings.quarantine };
    SessionTimes {
        lease: settings.lease,
        quarantine: settings.quarantine,
        opens_per_minute: settings.opens_per_minute,
        // A session whose lease cannot be renewed is closed before the lease ends, and a renewal that hangs leaves time
        // for a second one: shorter leases have shorter deadlines.
        close_deadline: settings.close_deadline.min(terms.margin()),
        store_deadline: SessionTimes::STORE_DEADLINE.min(settings.lease / 4),
        ..SessionTimes::default()
    }
}

/// How failed requests are repeated.
pub(super) fn retry(settings: &Settings) -> RetryPolicy {
    RetryPolicy {
        attempts_max: settings.retry_attempts,
        delay_first: settings.retry_delay_first,
        delay_max: settings.retry_delay_max,
        total_max: settings.retry_total,
        on: Repeated::ALL,
    }
}

impl From<ApplicationAnchor> for Caller<'_> {
    fn from(anchor: ApplicationAnchor) -> Self {
        match anchor {
            ApplicationAnchor::SystemMailbox => Caller::Application,
            ApplicationAnchor::OAuthUser => Caller::OAuthUser,
            ApplicationAnchor::Tenant => Caller::Tenant,
        }
    }
}

fn signin_word(kind: SigninErrorKind) -> &'static str {
    match kind {
        SigninErrorKind::Refused | SigninErrorKind::Unfit => "refused",
        SigninErrorKind::Forbidden => "forbidden",
        SigninErrorKind::BadInput => "bad_input",
        SigninErrorKind::Throttled => "throttled",
        SigninErrorKind::Unavailable => "unavailable",
        SigninErrorKind::NobodyThere => "nobody_there",
    }
}
