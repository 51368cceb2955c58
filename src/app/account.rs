//! From a target to an account with sessions: endpoints, sign-in, slots, service.

use std::sync::Arc;

use super::{Access, App, CONNECT_TIMEOUT};
use crate::emulator;
use crate::exchange::anchor::{Caller, anchor};
use crate::exchange::client::{RestRemote, ServiceConfig};
use crate::exchange::environment::cloud;
use crate::exchange::transport::{Connector, Origin};
use crate::observe::escape::one_line;
use crate::rules::retry::{Repeated, RetryPolicy};
use crate::runner::Actor;
use crate::runner::ledger::SessionLedger;
use crate::session::{SessionTimes, Sessions, SessionsParts};
use crate::settings::Settings;
use crate::signin::client_secret::ClientSecretGrant;
use crate::signin::device_code::{DeviceCodeGrant, LogPrompt};
use crate::signin::endpoint::LoginEndpoint;
use crate::signin::held::HeldToken;
use crate::signin::{AccessToken, SigninError, SigninErrorKind, TokenSource};
use crate::slots::{AccountKey, LocalStore};
use crate::spec::job::{Auth, Service, TargetSpec};

/// The surface of the service that the module uses. Source: protocol reference, 3.2.
const API_VERSION: &str = "beta";

/// An account that has signed in.
pub struct SignedIn {
    /// Its sessions.
    pub sessions: Sessions,
    /// Who it is.
    pub actor: Actor,
    /// What happens to its sessions.
    pub ledger: SessionLedger,
}

/// Where a target signs in and answers.
struct Addresses {
    login: String,
    origin: Origin,
    scope: String,
}

/// Where sign-in and calls of a target would go, for who only wants to know it: base addresses of both.
///
/// # Errors
/// The reason, for an environment that no longer exists or a setting that is no address.
pub fn endpoints(settings: &Settings, target: &TargetSpec) -> Result<(String, String), String> {
    let Addresses { login, origin, .. } = addresses(settings, target).map_err(|error| error.to_string())?;
    Ok((login, origin.to_string()))
}

/// The target's addresses: the settings' where they name any, else its cloud's.
fn addresses(settings: &Settings, target: &TargetSpec) -> Result<Addresses, SigninError> {
    let overridden = settings.login_endpoint.is_some() && settings.exchange_endpoint.is_some();
    let cloud = match cloud(target.environment) {
        Ok(cloud) => Some(cloud),
        Err(_) if overridden => None,
        Err(why) => return Err(bad(why)),
    };
    let login = settings.login_endpoint.as_ref().map(|endpoint| endpoint.as_str().to_owned());
    let login = login.or_else(|| cloud.map(|cloud| cloud.login.to_owned())).unwrap_or_default();
    let exchange = settings.exchange_endpoint.as_ref().map(|endpoint| endpoint.as_str().to_owned());
    let exchange = exchange.or_else(|| cloud.map(|cloud| cloud.exchange.to_owned())).unwrap_or_default();
    let origin = Origin::parse(&exchange).map_err(|why| bad(format!("exchange endpoint: {why}")))?;
    let scope = settings.exchange_scope.clone().or_else(|| cloud.map(|cloud| cloud.scope.to_owned()));
    let scope = scope.ok_or_else(|| bad("this environment needs the setting `exchange_scope`".to_owned()))?;
    Ok(Addresses { login, origin, scope })
}

fn bad(message: String) -> SigninError {
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
        // Its address is found by a redirect that is not built yet, and Exchange Online would refuse its cmdlets.
        if service == Service::SecurityCompliance {
            let why = "service SecurityCompliance can be checked, but not run by this version yet";
            return Err(bad(why.to_owned()));
        }
        let Addresses { login, origin, scope } = addresses(&self.settings, target)?;
        let endpoint = LoginEndpoint {
            base: login.clone(),
            tenant: target.organization().to_owned(),
            scope,
            http: self.http.clone(),
            retry: self.retry(),
            clocks: self.clocks.clone(),
        };
        let tokens = self.tokens(endpoint, &target.auth);
        let token = tokens
            .token()
            .await
            .inspect_err(|error| self.metrics.signin_finished(signin_word(error.kind)))?;
        self.metrics.signin_finished("ok");
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
        let remote = self.remote(origin, &token, access, target.delegated_organization.is_some());
        let ledger = SessionLedger::new(self.metrics.clone());
        let sessions = self.sessions(account, tokens, remote, &ledger)?;
        let actor = Actor {
            name: one_line(&token.facts.actor, 120),
            tenant_id: one_line(&token.facts.tenant_id, 64),
        };
        Ok(SignedIn { sessions, actor, ledger })
    }

    fn remote(&self, origin: Origin, token: &AccessToken, access: Access, partner: bool) -> RestRemote {
        let caller = match token.facts.delegated {
            true if partner => Caller::Partner,
            true => Caller::Person(&token.facts.actor),
            false => Caller::Application,
        };
        RestRemote::new(ServiceConfig {
            origin,
            anchor: anchor(caller, &token.facts.tenant_id),
            tenant_id: token.facts.tenant_id.clone(),
            api_version: API_VERSION.to_owned(),
            page_size: self.settings.page_size,
            access,
            retry: self.retry(),
            connector: Connector::new(
                Arc::clone(&self.tls),
                self.tracker.clone(),
                self.clocks.clone(),
                CONNECT_TIMEOUT,
                self.settings.close_deadline,
            ),
            clocks: self.clocks.clone(),
        })
    }

    fn sessions(
        &self,
        account: AccountKey,
        tokens: Arc<dyn TokenSource>,
        remote: RestRemote,
        ledger: &SessionLedger,
    ) -> Result<Sessions, SigninError> {
        let times = self.session_times();
        let (folder, limit) = (self.settings.state_dir.clone(), self.settings.session_limit);
        let store = LocalStore::new(folder, limit, times.slots(), self.clocks.clone());
        let store = store.map_err(|error| bad(error.to_string()))?;
        Ok(Sessions::new(SessionsParts {
            account,
            store: Arc::new(store),
            remote: Arc::new(remote),
            tokens,
            clocks: self.clocks.clone(),
            times,
            reaper: self.reaper.handle(),
            events: Arc::new(ledger.clone()),
        }))
    }

    fn tokens(&self, endpoint: LoginEndpoint, auth: &Auth) -> Arc<dyn TokenSource> {
        match auth {
            Auth::ClientSecret { client_id, credential } => {
                let grant = ClientSecretGrant {
                    endpoint,
                    client_id: client_id.clone(),
                    credential: credential.clone(),
                    secrets: Arc::clone(&self.secrets),
                };
                Arc::new(HeldToken::new(grant, self.clocks.clone()))
            }
            Auth::DeviceCode { client_id, user_principal_name } => {
                let grant = DeviceCodeGrant::new(
                    endpoint,
                    client_id.clone(),
                    user_principal_name.clone(),
                    self.settings.device_wait,
                    Arc::new(LogPrompt),
                );
                Arc::new(HeldToken::new(grant, self.clocks.clone()))
            }
        }
    }

    fn retry(&self) -> RetryPolicy {
        RetryPolicy {
            attempts_max: self.settings.retry_attempts,
            delay_first: self.settings.retry_delay_first,
            delay_max: self.settings.retry_delay_max,
            total_max: self.settings.retry_total,
            on: Repeated::ALL,
        }
    }

    fn session_times(&self) -> SessionTimes {
        SessionTimes {
            lease: self.settings.lease,
            quarantine: self.settings.quarantine,
            opens_per_minute: self.settings.opens_per_minute,
            close_deadline: self.settings.close_deadline,
            ..SessionTimes::default()
        }
    }
}

fn signin_word(kind: SigninErrorKind) -> &'static str {
    match kind {
        SigninErrorKind::Refused => "refused",
        SigninErrorKind::BadInput => "bad_input",
        SigninErrorKind::Throttled => "throttled",
        SigninErrorKind::Unavailable => "unavailable",
        SigninErrorKind::NobodyThere => "nobody_there",
    }
}
