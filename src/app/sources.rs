//! One source of tokens for each way to sign in: runs of a process that sign in the same way share its token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::warn;

use super::App;
use super::counted_tokens::CountedTokens;
use super::practices::judge_declared;
use crate::secrets::{Secret, SecretErrorKind};
use crate::signin::endpoint::{Expected, LoginEndpoint};
use crate::signin::{SigninError, SigninErrorKind, TokenSource, declared};
use crate::spec::job::{Auth, CredentialRef, Method};

/// More ways to sign in than a process has at once; those that no run uses make place.
const SOURCES_MAX: usize = 256;

/// What makes two sign-ins the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Way {
    login: String,
    tenant: String,
    tenant_id: Option<String>,
    scope: String,
    auth: Auth,
}

/// The sources so far.
#[derive(Default)]
pub(super) struct TokenSources(Mutex<HashMap<Way, Arc<dyn TokenSource>>>);

impl TokenSources {
    /// The source of this way: the one there is, or the one that was `made` meanwhile.
    fn kept(&self, way: Way, made: impl FnOnce() -> Arc<dyn TokenSource>) -> Arc<dyn TokenSource> {
        let mut sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sources.len() >= SOURCES_MAX && !sources.contains_key(&way) {
            // What is dropped wipes its token.
            sources.retain(|_, source| Arc::strong_count(source) > 1);
        }
        Arc::clone(sources.entry(way).or_insert_with(made))
    }

    fn get(&self, way: &Way) -> Option<Arc<dyn TokenSource>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(way).cloned()
    }
}

impl App {
    /// The source of tokens for `auth`, shared by all runs that sign in the same way; nobody is asked and no token is fetched.
    ///
    /// # Errors
    /// As the way says.
    pub(super) async fn source(
        &self,
        endpoint: LoginEndpoint,
        auth: &Auth,
    ) -> Result<Arc<dyn TokenSource>, SigninError> {
        let expected =
            Expected { user_principal_name: auth.user_principal_name.clone(), ..endpoint.expected };
        let endpoint = LoginEndpoint { expected, ..endpoint };
        let way = Way {
            login: endpoint.base.clone(),
            tenant: endpoint.tenant.clone(),
            tenant_id: endpoint.expected.tenant_id.clone(),
            scope: endpoint.scope.clone(),
            auth: auth.clone(),
        };
        // What a person confirmed for one run is not the next one's.
        let is_shared = !auth.method.asks_a_person();
        if is_shared && let Some(source) = self.sources.get(&way) {
            return Ok(source);
        }
        let target = endpoint.tenant.clone();
        let made = self.tokens(endpoint, auth).await?;
        let made = CountedTokens::of(made, self.metrics.clone(), target, auth);
        if !is_shared {
            return Ok(made);
        }
        Ok(self.sources.kept(way, || made))
    }

    /// `auth` with its method spelled out: a secret of `method: vault` is read to know which way it is.
    ///
    /// # Errors
    /// If that secret cannot be read or declares no way, or one that the profile does not take.
    pub(super) async fn declared(&self, auth: &Auth) -> Result<Auth, SigninError> {
        let Method::Vault { credential: place } = &auth.method else { return Ok(auth.clone()) };
        let auth = match self.secrets.read(&CredentialRef::Vault(place.clone())).await {
            Ok(Secret::Fields(fields)) => declared::declared(auth, place, &fields)?,
            Ok(Secret::Whole(_)) => return Err(declared::no_fields(place)),
            // Only a person's sign-in is not there before it was used for the first time.
            Err(error) if error.kind == SecretErrorKind::Absent && auth.user_principal_name.is_some() => {
                declared::of_nothing(auth, place)
            }
            Err(error) => return Err(error.into()),
        };
        let verdict = judge_declared(&self.settings, place, &auth.method);
        if !verdict.refused.is_empty() {
            return Err(SigninError::new(SigninErrorKind::Forbidden, verdict.refused.join("; ")));
        }
        for allowed in verdict.allowed {
            warn!("{allowed}");
        }
        Ok(auth)
    }
}
