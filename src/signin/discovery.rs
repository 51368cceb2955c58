//! Which tenant a name means and where it lives, asked of the tenant's own discovery document before anybody signs in.
//!
//! The document is public: no credential leaves for it. What it says of the tenant's cloud is weakly documented, so only
//! what is known to be wrong ends a run; what is missing does not. Source: protocol reference, 1.1.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use oauth2::http::{Method, Request, header};
use serde_json::Value;
use tracing::{info, warn};

use super::endpoint::LoginEndpoint;
use super::refusal::Refusal;
use super::{SigninError, SigninErrorKind, advice};
use crate::observe::escape::one_line;
use crate::rules::tenancy::{Asked, Region, Verdict, home_at, verdict};
use crate::spec::job::Environment;

/// Longest word of a document that is kept: they are codes and host names.
const WORD_CHARS_MAX: usize = 64;

/// How long another cloud's sign-in service is waited for: whether it answers only makes a message better.
const ELSEWHERE_WAIT: Duration = Duration::from_secs(5);

/// A tenant as the sign-in service knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tenant {
    /// Its GUID; `None` where the answer was no discovery document of a tenant.
    pub id: Option<String>,
    /// What is said of its cloud.
    pub region: Region,
}

/// Which sign-in service, and which tenant there.
type Key = (String, String);
/// A tenant, once it is known; locked while it is asked for.
type Found = Arc<tokio::sync::Mutex<Option<Tenant>>>;

/// Tenants that were asked for in this process: each once, unless nothing was learnt of it.
#[derive(Clone, Default)]
pub struct Discoveries(Arc<Mutex<HashMap<Key, Found>>>);

impl Discoveries {
    /// The tenant that `endpoint` names, known already or asked for now. Many runs of a tenant ask once, and wait for no
    /// other tenant's answer.
    ///
    /// # Errors
    /// As [`LoginEndpoint::discover`]; a failure is not remembered, and neither is an answer without an id: a gateway's page
    /// would otherwise be believed for as long as the process lives.
    ///
    /// # Cancel safety
    /// Dropped before it returns, nothing is remembered; the next caller asks.
    pub async fn tenant(&self, endpoint: &LoginEndpoint) -> Result<Tenant, SigninError> {
        let found = self.found(endpoint);
        let mut found = found.lock().await;
        if let Some(tenant) = &*found {
            return Ok(tenant.clone());
        }
        let tenant = endpoint.discover().await?;
        if tenant.id.is_some() {
            *found = Some(tenant.clone());
        }
        Ok(tenant)
    }

    fn found(&self, endpoint: &LoginEndpoint) -> Found {
        let key = (endpoint.base.clone(), endpoint.tenant.clone());
        let mut tenants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(tenants.entry(key).or_default())
    }
}

impl LoginEndpoint {
    /// Asks for the tenant's discovery document. An answer that is none counts as one that says nothing: gateways and
    /// other clouds may serve tokens alone.
    ///
    /// # Errors
    /// [`SigninErrorKind::Refused`] for a tenant that the sign-in service does not know; as the token endpoint's where no
    /// answer comes.
    pub async fn discover(&self) -> Result<Tenant, SigninError> {
        let (tenant, status) = self.document().await?;
        match &tenant.id {
            Some(id) => info!(
                tenant = self.tenant,
                tenant_id = id,
                region = tenant.region.scope.as_deref().unwrap_or("not said"),
                "the tenant is known"
            ),
            None => warn!(
                status,
                "{} gave no discovery document: going on without knowing the tenant's id and cloud (setting `discovery`)",
                self.discovery_url()
            ),
        }
        Ok(tenant)
    }

    /// What the document says, and the status of the answer.
    async fn document(&self) -> Result<(Tenant, u16), SigninError> {
        let place = self.discovery_url();
        let request = Request::builder()
            .method(Method::GET)
            .uri(place.as_str())
            .header(header::ACCEPT, "application/json")
            .body(Vec::new());
        let request = request.map_err(|error| {
            SigninError::new(SigninErrorKind::BadInput, format!("login endpoint: {error}"))
        })?;
        let answer = self.exchange(request).await.map_err(|why| why.at(&place))?;
        let body = serde_json::from_slice::<Value>(answer.body()).unwrap_or(Value::Null);
        let text = |name: &str| body[name].as_str();
        // Other servers answer an address that they do not know with errors of the same shape.
        let description = text("error_description").unwrap_or_default();
        if let Some(error) = text("error")
            && (error == "invalid_tenant" || advice::code_in(description).is_some())
        {
            return Err(Refusal::new(error, description).into_error());
        }
        let word = |name: &str| text(name).map(|text| one_line(text, WORD_CHARS_MAX));
        let tenant = Tenant {
            id: text("issuer").and_then(tenant_of),
            region: Region {
                scope: word("tenant_region_scope"),
                sub_scope: word("tenant_region_sub_scope"),
                cloud_instance: word("cloud_instance_name"),
            },
        };
        Ok((tenant, answer.status().as_u16()))
    }

    pub(super) fn discovery_url(&self) -> String {
        let base = self.base.trim_end_matches('/');
        format!("{base}/{}/v2.0/.well-known/openid-configuration", self.tenant)
    }
}

/// Whether the sign-in service said that it does not know the tenant. Source: protocol reference, 1.1 and 2.12.
pub fn is_unknown(error: &SigninError) -> bool {
    error.kind == SigninErrorKind::Refused && matches!(error.code, None | Some(90_002 | 50_128 | 50_059))
}

/// Asks sign-in services of other clouds, each once and all at the same time, and names the cloud of the one that knows the
/// tenant, for a job of `environment`. `None`: none of them does, or none answered in time.
pub async fn elsewhere(
    others: Vec<(Environment, LoginEndpoint)>,
    environment: &Environment,
) -> Option<SigninError> {
    let asked = others.iter().map(async |(other, endpoint)| {
        let answer = endpoint.clocks.timeout(ELSEWHERE_WAIT, endpoint.document()).await;
        let (tenant, _) = answer.ok()?.ok()?;
        tenant.id.as_ref()?;
        Some((home_at(asked(other), &tenant.region)?.environment(), &endpoint.tenant))
    });
    let found = futures_util::future::join_all(asked).await;
    let (home, tenant) = found.into_iter().flatten().next()?;
    let own = environment.as_str();
    let message =
        format!("{tenant} lives in {home}, and {own} does not know it: write `environment: {home}`");
    Some(SigninError::new(SigninErrorKind::BadInput, message))
}

/// Refuses a tenant that is known to live in another cloud than `environment`.
///
/// # Errors
/// [`SigninErrorKind::BadInput`], with the right environment.
pub fn check_cloud(tenant: &Tenant, named: &str, environment: &Environment) -> Result<(), SigninError> {
    let Verdict::Elsewhere(home) = verdict(asked(environment), &tenant.region) else { return Ok(()) };
    let message = format!(
        "{named} lives in {}, not in {}: write `environment: {}` (if the sign-in service is wrong about it, set `discovery` to `off`)",
        home.environment(),
        environment.as_str(),
        home.environment(),
    );
    Err(SigninError::new(SigninErrorKind::BadInput, message))
}

/// The cloud that a job names, for the rule.
pub fn asked(environment: &Environment) -> Asked {
    match environment {
        Environment::O365Default => Asked::Worldwide,
        Environment::O365USGovGCCHigh => Asked::GccHigh,
        Environment::O365USGovDoD => Asked::Dod,
        Environment::O365China => Asked::China,
        Environment::O365GermanyCloud => Asked::Germany,
        Environment::Other(_) => Asked::Other,
    }
}

/// The GUID in an issuer such as `https://login.microsoftonline.com/{tid}/v2.0`.
fn tenant_of(issuer: &str) -> Option<String> {
    let segments = issuer.split_once("://")?.1.split('/').skip(1);
    segments.filter_map(|segment| uuid::Uuid::try_parse(segment).ok()).map(|id| id.to_string()).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tenant_is_the_guid_of_the_issuers_path() {
        let id = "3b0cf5d5-0d9e-4d4e-9d5e-000000000001";
        assert_eq!(tenant_of(&format!("https://login.microsoftonline.com/{id}/v2.0")).as_deref(), Some(id));
        assert_eq!(
            tenant_of(&format!("https://sts.windows.net/{}/", id.to_uppercase())).as_deref(),
            Some(id)
        );
        for issuer in
            ["https://login.microsoftonline.com/{tenantid}/v2.0", "", "x", &format!("https://{id}/v2.0")]
        {
            assert_eq!(tenant_of(issuer), None, "{issuer}");
        }
    }

    #[test]
    fn the_right_cloud_is_named() {
        let sub_scope = Some("DODCON".to_owned());
        let tenant = Tenant { id: None, region: Region { sub_scope, ..Region::default() } };
        let error = check_cloud(&tenant, "contoso.us", &Environment::O365Default).unwrap_err();
        assert_eq!(error.kind, SigninErrorKind::BadInput);
        assert!(
            error.message.contains("contoso.us lives in O365USGovGCCHigh, not in O365Default"),
            "{error}"
        );
        assert!(check_cloud(&tenant, "contoso.us", &Environment::O365USGovGCCHigh).is_ok());
        assert!(check_cloud(&Tenant::default(), "contoso.us", &Environment::O365Default).is_ok());
    }
}
