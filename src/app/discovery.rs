//! Which tenant a target means and in which cloud it lives, before anybody signs in.

use tracing::warn;

use super::{App, http};
use crate::exchange::environment::cloud;
use crate::rules::retry::RetryPolicy;
use crate::settings::Discovery;
use crate::signin::discovery::{Tenant, check_cloud, elsewhere, is_unknown};
use crate::signin::endpoint::LoginEndpoint;
use crate::signin::{SigninError, SigninErrorKind};
use crate::spec::job::{Environment, Method, Service, TargetSpec};

impl App {
    /// Where and for what a target's tokens are asked for, with the tenant that they must be of. `method` is the target's,
    /// as its secret spells it out.
    ///
    /// # Errors
    /// As [`App::discover`]; [`SigninErrorKind::Unfit`] where a token comes from elsewhere and nobody knows the tenant's id.
    pub(super) async fn discovered_endpoint(
        &self,
        target: &TargetSpec,
        service: Service,
        method: &Method,
    ) -> Result<LoginEndpoint, SigninError> {
        let mut endpoint = self.login_endpoint(target, service)?;
        endpoint.expected.tenant_id = self.discover(&endpoint, target, method).await?.id;
        if !asks_the_login_service(method) && !endpoint.knows_the_tenant() {
            return Err(nobodys(&endpoint, target, service));
        }
        Ok(endpoint)
    }

    /// What the sign-in service says of the tenant; nothing where the settings do not want it asked.
    ///
    /// # Errors
    /// For a tenant that is not known, or lives in another cloud; and without an answer, unless tokens of `method` come from
    /// elsewhere.
    pub(super) async fn discover(
        &self,
        endpoint: &LoginEndpoint,
        target: &TargetSpec,
        method: &Method,
    ) -> Result<Tenant, SigninError> {
        if self.settings.discovery == Discovery::Off {
            return Ok(Tenant::default());
        }
        let found = match self.discoveries.tenant(endpoint).await {
            Ok(found) => found,
            Err(error) if is_unknown(&error) => {
                let others = self.other_clouds(endpoint, target);
                return Err(elsewhere(others, &target.environment).await.unwrap_or(error));
            }
            // These never speak to the sign-in service, and may not be able to.
            Err(error) if !asks_the_login_service(method) && error.kind != SigninErrorKind::Refused => {
                warn!(%error, "the tenant's cloud and id are not known from discovery: its token comes from elsewhere");
                return Ok(Tenant::default());
            }
            Err(error) => return Err(error),
        };
        check_cloud(&found, target.organization(), &target.environment)?;
        Ok(found)
    }

    /// The sign-in services of the other clouds, each to be asked once; none where a setting says which one is right.
    fn other_clouds(
        &self,
        endpoint: &LoginEndpoint,
        target: &TargetSpec,
    ) -> Vec<(Environment, LoginEndpoint)> {
        if self.settings.login_endpoint.is_some() {
            return Vec::new();
        }
        let mut asked = vec![endpoint.base.as_str()];
        let mut others = Vec::new();
        for environment in Environment::ALL.into_iter().filter(|own| *own != target.environment) {
            let Ok(cloud) = cloud(&environment) else { continue };
            // Two clouds of the US government share one.
            if asked.contains(&cloud.login) {
                continue;
            }
            asked.push(cloud.login);
            let other = LoginEndpoint {
                base: cloud.login.to_owned(),
                proxy: http::proxy_to(&self.settings, cloud.login),
                retry: RetryPolicy { attempts_max: 1, ..endpoint.retry },
                ..endpoint.clone()
            };
            others.push((environment, other));
        }
        others
    }
}

/// Whether tokens of this method come from the tenant's own address at the sign-in service, which gives them for no other.
fn asks_the_login_service(method: &Method) -> bool {
    !matches!(method, Method::ManagedIdentity { .. } | Method::AccessToken { .. })
}

/// A token from elsewhere may be of any tenant, and a domain alone does not say which is right.
fn nobodys(endpoint: &LoginEndpoint, target: &TargetSpec, service: Service) -> SigninError {
    let key = if target.delegated_organization.is_some() { "delegated_organization" } else { "tenant" };
    let discovery = format!("let discovery reach {} (setting `discovery`)", endpoint.base);
    let mend = match service {
        // It finds a tenant by its domain only.
        Service::SecurityCompliance => discovery,
        _ => format!("write `{key}` as the GUID, or {discovery}"),
    };
    let message = format!(
        "the GUID of {} is not known, and a token that does not come from its sign-in service may be of another tenant: {mend}",
        endpoint.tenant
    );
    SigninError::new(SigninErrorKind::Unfit, message)
}
