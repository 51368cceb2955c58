//! From a target to an account with sessions: endpoints, sign-in, slots, service.

use std::sync::Arc;

use tracing::warn;

use super::{Access, App, http};
use crate::emulator;
use crate::exchange::anchor::{Caller, routed};
use crate::exchange::client::{NextPage, RestRemote, ServiceConfig};
use crate::exchange::environment::cloud;
use crate::exchange::reach::Detour;
use crate::exchange::redirect::Family;
use crate::exchange::transport::{Connector, Origin};
use crate::exchange::tunnel::Proxy;
use crate::observe::escape::one_line;
use crate::rules::retry::{Repeated, RetryPolicy};
use crate::runner::Actor;
use crate::runner::ledger::{SessionLedger, WhoWhere};
use crate::session::{SessionTimes, Sessions, SessionsParts};
use crate::settings::{ApplicationAnchor, Discovery, Endpoint, NextPageMethod, Settings};
use crate::signin::discovery::{Tenant, check_cloud};
use crate::signin::endpoint::{Expected, LoginEndpoint};
use crate::signin::{AccessToken, SigninError, SigninErrorKind, TokenSource};
use crate::slots::{AccountKey, LocalStore};
use crate::spec::job::{Environment, Method, Service, TargetSpec};

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
#[derive(Clone)]
pub(super) struct Addresses {
    pub(super) login: String,
    pub(super) origin: Origin,
    /// Hosts that the service may send us to.
    family: Family,
    pub(super) scope: String,
}

/// Where sign-in and calls of a target would go, for who only wants to know it: base addresses of both.
///
/// # Errors
/// The reason, for an environment that no longer exists or a setting that is no address.
pub fn endpoints(
    settings: &Settings,
    target: &TargetSpec,
    service: Service,
) -> Result<(String, String), String> {
    let addresses = addresses(settings, target, service).map_err(|error| error.to_string())?;
    Ok((addresses.login, addresses.origin.to_string()))
}

/// What a target's tokens are asked for.
///
/// # Errors
/// As [`endpoints`].
pub fn scope(settings: &Settings, target: &TargetSpec, service: Service) -> Result<String, String> {
    addresses(settings, target, service).map(|addresses| addresses.scope).map_err(|error| error.to_string())
}

/// The setting that names where `service` answers.
pub fn endpoint_setting(settings: &Settings, service: Service) -> Option<&str> {
    let endpoint = match service {
        Service::ExchangeOnline | Service::ExchangeOnlineProtection => &settings.exchange_endpoint,
        Service::SecurityCompliance => &settings.compliance_endpoint,
    };
    endpoint.as_ref().map(Endpoint::as_str)
}

/// Users carry this address of the old protocol for DoD. Source: protocol reference, 5.
const OLD_DOD_HOST: &str = "https://webmail.apps.mil";

/// What is known of a cloud and one of its services.
struct Known {
    login: String,
    base: String,
    scope: String,
    redirect_hosts: Vec<String>,
}

/// A cloud of Microsoft's, or one of the endpoints file.
fn known(settings: &Settings, environment: &Environment, service: Service) -> Result<Known, String> {
    let Environment::Other(name) = environment else {
        let cloud = cloud(environment)?;
        let surface = cloud.surface(service);
        return Ok(Known {
            login: cloud.login.to_owned(),
            base: surface.base.to_owned(),
            scope: surface.scope.to_owned(),
            redirect_hosts: Vec::new(),
        });
    };
    let microsofts = Environment::NAMES.join(", ");
    let Some(file) = &settings.endpoints_file else {
        return Err(format!(
            "environment {name} is none of {microsofts}, and the setting `endpoints_file` names no file of other clouds"
        ));
    };
    let Some(cloud) = settings.clouds.get(name) else {
        let names: Vec<&str> = settings.clouds.keys().map(String::as_str).collect();
        let file = one_line(&file.display().to_string(), 200);
        return Err(format!(
            "environment {name} is none of {microsofts}, and none of {file}, which has {}",
            names.join(", ")
        ));
    };
    let (base, scope) = match service {
        Service::ExchangeOnline | Service::ExchangeOnlineProtection => {
            (cloud.exchange.clone(), cloud.exchange_scope.clone())
        }
        Service::SecurityCompliance => match (&cloud.compliance, &cloud.compliance_scope) {
            (Some(base), Some(scope)) => (base.clone(), scope.clone()),
            _ => {
                return Err(format!(
                    "the endpoints file has no `{name}.compliance`, where Security & Compliance answers"
                ));
            }
        },
    };
    Ok(Known { login: cloud.login.clone(), base, scope, redirect_hosts: cloud.redirect_hosts.clone() })
}

/// The target's addresses: the settings' where they name any, else its cloud's.
pub(super) fn addresses(
    settings: &Settings,
    target: &TargetSpec,
    service: Service,
) -> Result<Addresses, SigninError> {
    let set = endpoint_setting(settings, service);
    let overridden = settings.login_endpoint.is_some() && set.is_some();
    let known = known(settings, &target.environment, service);
    let known = match known {
        Ok(known) => Some(known),
        Err(_) if overridden => None,
        Err(why) => return Err(bad(why)),
    };
    let login = settings.login_endpoint.as_ref().map(|endpoint| authority(endpoint.as_str()).to_owned());
    let login = login.or_else(|| known.as_ref().map(|known| known.login.clone())).unwrap_or_default();
    let base = match (set, &known) {
        (Some(set), Some(known)) if set.starts_with(OLD_DOD_HOST) => &known.base,
        (Some(set), _) => set,
        (None, known) => known.as_ref().map_or("", |known| &known.base),
    };
    let origin = Origin::parse(base).map_err(|why| bad(format!("the service's endpoint: {why}")))?;
    let own = known.as_ref().and_then(|known| Origin::parse(&known.base).ok());
    let bases = [Some(&origin), own.as_ref()].into_iter().flatten().map(|origin| origin.host().to_owned());
    let trusted = known.iter().flat_map(|known| known.redirect_hosts.iter().cloned());
    let family = Family::of(bases.chain(trusted));
    let (set, name) = match service {
        Service::ExchangeOnline | Service::ExchangeOnlineProtection => {
            (&settings.exchange_scope, "exchange_scope")
        }
        Service::SecurityCompliance => (&settings.compliance_scope, "compliance_scope"),
    };
    let scope = set.clone().or_else(|| known.map(|known| known.scope));
    let scope = scope.ok_or_else(|| bad(format!("this environment needs the setting `{name}`")))?;
    Ok(Addresses { login, origin, family, scope })
}

/// The module's `-AzureADAuthorizationEndpointUri` names no tenant: `https://login.microsoftonline.com/organizations`.
fn authority(endpoint: &str) -> &str {
    ["/organizations", "/common"].iter().find_map(|tail| endpoint.strip_suffix(tail)).unwrap_or(endpoint)
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
        let addresses = addresses(&self.settings, target, service)?;
        let tokens = self.token_source(target, service).await?;
        let token = tokens
            .token()
            .await
            .inspect_err(|error| self.metrics.signin_finished(signin_word(error.kind)))?;
        self.metrics.signin_finished("ok");
        self.joined(addresses, tokens, &token, target, service, access)
    }

    /// A source of the target's tokens, once its tenant is known; none is fetched.
    pub(super) async fn token_source(
        &self,
        target: &TargetSpec,
        service: Service,
    ) -> Result<Arc<dyn TokenSource>, SigninError> {
        // A GUID in the wrong place is told before anybody is asked to sign in.
        routed(service, Caller::Partner, "", target.organization()).map_err(bad)?;
        let endpoint = self.discovered_endpoint(target, service).await;
        let endpoint = endpoint.inspect_err(|error| self.metrics.signin_finished(signin_word(error.kind)))?;
        let tokens = self.source(endpoint, &target.auth).await;
        tokens.inspect_err(|error| self.metrics.signin_finished(signin_word(error.kind)))
    }

    /// The sessions of the account that `token` is for.
    pub(super) fn joined(
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
        let sessions = self.sessions(account, tokens, remote, &ledger)?;
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
        Ok(LoginEndpoint {
            base: login,
            tenant: target.organization().to_owned(),
            scope,
            expected: Expected { user_principal_name, ..Expected::default() },
            proxy,
            http: self.http.clone(),
            retry: self.retry(),
            recorder: self.recorder.clone(),
            clocks: self.clocks.clone(),
        })
    }

    /// The same, after the tenant's discovery document was looked at.
    pub(super) async fn discovered_endpoint(
        &self,
        target: &TargetSpec,
        service: Service,
    ) -> Result<LoginEndpoint, SigninError> {
        let mut endpoint = self.login_endpoint(target, service)?;
        endpoint.expected.tenant_id = self.discover(&endpoint, target).await?.id;
        Ok(endpoint)
    }

    /// What the sign-in service says of the tenant; nothing where the settings do not want it asked.
    pub(super) async fn discover(
        &self,
        endpoint: &LoginEndpoint,
        target: &TargetSpec,
    ) -> Result<Tenant, SigninError> {
        if self.settings.discovery == Discovery::Off {
            return Ok(Tenant::default());
        }
        let found = match self.discoveries.tenant(endpoint).await {
            Ok(found) => found,
            // These never speak to the sign-in service, and may not be able to.
            Err(error)
                if !asks_the_login_service(&target.auth.method) && error.kind != SigninErrorKind::Refused =>
            {
                warn!(%error, "the tenant's cloud and id are not known: going on, because its token comes from elsewhere");
                return Ok(Tenant::default());
            }
            Err(error) => return Err(error),
        };
        check_cloud(&found, target.organization(), &target.environment)?;
        Ok(found)
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
        })
        .with_secrets(Arc::clone(&self.secrets)))
    }

    fn retry(&self) -> RetryPolicy {
        retry(&self.settings)
    }

    pub(super) fn session_times(&self) -> SessionTimes {
        SessionTimes {
            lease: self.settings.lease,
            quarantine: self.settings.quarantine,
            opens_per_minute: self.settings.opens_per_minute,
            close_deadline: self.settings.close_deadline,
            ..SessionTimes::default()
        }
    }
}

/// Whether tokens of this method come from the sign-in service itself.
fn asks_the_login_service(method: &Method) -> bool {
    !matches!(method, Method::ManagedIdentity { .. } | Method::AccessToken { .. })
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
