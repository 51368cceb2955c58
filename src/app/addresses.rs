//! Where a target signs in and answers: the settings' addresses where they name any, else its cloud's.

use super::account::bad;
use crate::exchange::environment::cloud;
use crate::exchange::redirect::Family;
use crate::exchange::transport::Origin;
use crate::observe::escape::one_line;
use crate::settings::{Endpoint, Settings};
use crate::signin::SigninError;
use crate::spec::job::{Environment, Service, TargetSpec};

/// Where a target signs in and answers.
#[derive(Clone)]
pub(super) struct Addresses {
    pub(super) login: String,
    pub(super) origin: Origin,
    /// Hosts that the service may send us to.
    pub(super) family: Family,
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
