//! People who sign in: how they are asked, and where what they leave is kept.

use std::sync::Arc;

use secrecy::SecretString;

use super::App;
use super::signin::public_client;
use crate::settings::Endpoint;
use crate::signin::browser::Browser;
use crate::signin::device_code::DeviceCode;
use crate::signin::endpoint::LoginEndpoint;
use crate::signin::kept::{KeptToken, LoggedOut};
use crate::signin::password::InlineCredential;
use crate::signin::people::People;
use crate::signin::person::{Confirmed, PersonGrant, Way};
use crate::signin::webhook::Webhook;
use crate::signin::{SigninError, SigninErrorKind};
use crate::spec::job::{Auth, Method, Service, TargetSpec, VaultRef};

/// How a person is asked to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedBy {
    /// A code that is confirmed in a browser, anywhere.
    Device,
    /// The browser of this machine.
    Browser,
    /// Name and password at the terminal.
    Terminal,
}

impl App {
    /// With people to show codes to and to ask; otherwise nobody is there.
    pub fn attended_by(self, people: Arc<dyn People>) -> App {
        App { people, ..self }
    }

    /// Whom it shows codes and asks.
    pub fn people(&self) -> &dyn People {
        &*self.people
    }

    /// Joins what a person's sign-in needs; nobody is asked yet. A device code goes to `webhook` besides.
    pub(super) fn person(
        &self,
        endpoint: LoginEndpoint,
        auth: &Auth,
        asked_by: AskedBy,
        kept: Option<&VaultRef>,
        webhook: Option<&Endpoint>,
    ) -> PersonGrant {
        let (wait, people) = (self.settings.device_wait, Arc::clone(&self.people));
        let user = auth.user_principal_name.clone();
        let way: Box<dyn Way> = match asked_by {
            AskedBy::Device => {
                let webhook = webhook.map(|address| Webhook {
                    address: SecretString::from(address.as_str().to_owned()),
                    http: self.http.clone(),
                    tenant: endpoint.tenant.clone(),
                    user_principal_name: user,
                });
                Box::new(DeviceCode { wait, people, webhook })
            }
            AskedBy::Browser => Box::new(Browser { login_hint: user, wait, people }),
            AskedBy::Terminal => Box::new(InlineCredential { user, people, wait }),
        };
        let kept = kept.map(|place| {
            KeptToken::new(place, Arc::clone(&self.secrets), self.clocks.clone(), self.tracker.clone())
        });
        PersonGrant::new(endpoint, public_client(auth), way, Arc::clone(&self.people), kept)
    }

    /// Has a person sign in; their refresh token is to be kept where the target's runs look for it. Who started it reads the
    /// code: it goes to no webhook, where somebody else could have it confirmed.
    ///
    /// # Errors
    /// As the way to ask says; [`SigninErrorKind::BadInput`] if the target keeps none.
    ///
    /// # Cancel safety
    /// May be dropped at any time: nothing is written.
    pub async fn login(
        &self,
        target: &TargetSpec,
        service: Service,
        asked_by: AskedBy,
    ) -> Result<Confirmed, SigninError> {
        let place = kept_at(&target.auth).map_err(bad)?;
        let endpoint = self.discovered_endpoint(target, service, &target.auth.method).await?;
        self.person(endpoint, &target.auth, asked_by, Some(&place), None).login().await
    }

    /// Deletes the target's kept sign-in, and revokes it where the service has a way.
    ///
    /// # Errors
    /// If it cannot be read or deleted; [`SigninErrorKind::BadInput`] if the target keeps none.
    ///
    /// # Cancel safety
    /// Dropped, it may be revoked or not, and deleted or not; once more does what is left.
    pub async fn logout(&self, target: &TargetSpec, service: Service) -> Result<LoggedOut, SigninError> {
        let place = kept_at(&target.auth).map_err(bad)?;
        let endpoint = self.login_endpoint(target, service)?;
        self.person(endpoint, &target.auth, AskedBy::Device, Some(&place), None).logout().await
    }
}

fn bad(message: String) -> SigninError {
    SigninError::new(SigninErrorKind::BadInput, message)
}

/// Where a sign-in is kept: the whole secret in its newest version, whatever a job with `method: vault` pins.
///
/// # Errors
/// Why none is kept, and what to write for it.
pub fn kept_at(auth: &Auth) -> Result<VaultRef, String> {
    match &auth.method {
        Method::Device { credential: Some(place) }
        | Method::Browser { credential: Some(place) }
        | Method::Vault { credential: place } => Ok(place.newest()),
        Method::Device { credential: None } | Method::Browser { credential: None } => Err(format!(
            "`method: {}` keeps no sign-in: add `credential:` and below it `vault: {{path: PATH}}` to `auth`",
            auth.method.as_str()
        )),
        method => Err(format!(
            "`method: {}` needs no person and keeps no sign-in: only `device` and `browser` do",
            method.as_str()
        )),
    }
}
