//! Logging in: one function a method. Each reads its files anew, because others replace them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustify::endpoint::Endpoint;
use rustls::ClientConfig;
use rustls::sign::SingleCertAndKey;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use vaultrs::api::auth::approle::requests::LoginWithApproleRequest;
use vaultrs::api::auth::kubernetes::requests::LoginWithKubernetesRequest;
use vaultrs::api::auth::oidc::requests::JWTLoginRequest;
use vaultrs::api::token::requests::LookupTokenSelfRequest;

use super::door::{Door, Granted, Request};
use super::files;
use super::patience::Patience;
use super::trouble::{Failed, Trouble};
use super::{Login, VaultParts, wrapping};

/// What a login gave.
pub(super) struct LoggedIn {
    pub(super) door: Door,
    pub(super) accessor: String,
    /// `None`: it does not end, or nobody may know when.
    pub(super) life: Option<Duration>,
    pub(super) renewable: bool,
    /// Whether it is ours to revoke.
    pub(super) revocable: bool,
}

/// Logs in by the way that the settings name.
pub(super) struct Entrance {
    pub(super) parts: VaultParts,
    pub(super) patience: Patience,
    /// A wrapping token opens once; what was in it is kept for further logins.
    unwrapped: tokio::sync::Mutex<Option<Unwrapped>>,
}

struct Unwrapped {
    token: SecretString,
    secret_id: SecretString,
}

impl Entrance {
    pub(super) fn new(parts: VaultParts, patience: Patience) -> Entrance {
        Entrance { parts, patience, unwrapped: tokio::sync::Mutex::default() }
    }

    /// A new token, with repeats as the policy says.
    ///
    /// # Errors
    /// Which method at which mount was refused, and what there is to do.
    pub(super) async fn log_in(&self) -> Result<LoggedIn, Failed> {
        match &self.parts.login {
            Login::Token { file } => self.by_token(file).await,
            Login::Kubernetes { role, jwt_file } => {
                let jwt = files::text(jwt_file, "the service account's token").await?;
                let request = LoginWithKubernetesRequest::builder()
                    .mount(&self.parts.auth_mount)
                    .role(role)
                    .jwt(jwt.expose_secret())
                    .build();
                self.by(self.door(None, None)?, &request.expect("all fields are set")).await
            }
            Login::AppRole { role_id_file, secret_id_file, wrapped } => {
                let role_id = files::text(role_id_file, "the role id").await?;
                let mut secret_id = files::text(secret_id_file, "the secret id").await?;
                if *wrapped {
                    secret_id = self.unwrapped(secret_id).await?;
                }
                let request = LoginWithApproleRequest::builder()
                    .mount(&self.parts.auth_mount)
                    .role_id(role_id.expose_secret())
                    .secret_id(secret_id.expose_secret())
                    .build();
                self.by(self.door(None, None)?, &request.expect("all fields are set")).await
            }
            Login::Jwt { role, jwt_file } => {
                let jwt = files::text(jwt_file, "the token to log in to Vault with").await?;
                let mut request = JWTLoginRequest::builder();
                request.mount(&self.parts.auth_mount).jwt(jwt.expose_secret());
                if let Some(role) = role {
                    request.role(role);
                }
                let request = request.build().expect("every field has a default");
                self.by(self.door(None, None)?, &request).await
            }
            Login::Cert { role, certificate_file, key_file } => {
                let certificate = files::certificate(certificate_file, key_file).await?;
                let mut tls = ClientConfig::clone(&self.parts.tls);
                tls.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(certificate));
                // vaultrs calls the role `cert_name`, which Vault does not read: any role that fits would do.
                let body = role.as_ref().map_or_else(|| json!({}), |role| json!({"name": role}));
                let path = format!("auth/{}/login", self.parts.auth_mount);
                self.by(self.door(Some(tls), None)?, &Request::post(path, Some(body))).await
            }
        }
    }

    /// A way in for `token`, over a connection of its own: with a client certificate, Vault wants to see the same one
    /// at each renewal.
    pub(super) fn door(
        &self,
        tls: Option<ClientConfig>,
        token: Option<&SecretString>,
    ) -> Result<Door, Failed> {
        let tls = tls.unwrap_or_else(|| ClientConfig::clone(&self.parts.tls));
        let http = (self.parts.http)(tls)
            .map_err(|why| Failed::wrong(format!("the HTTP client for Vault cannot be built: {why}")))?;
        Door::new(http, &self.parts.address, self.parts.namespace.as_deref(), token)
    }

    async fn by<E: Endpoint>(&self, door: Door, request: &E) -> Result<LoggedIn, Failed> {
        let answer = self.patience.ask("log in", || door.ask(request)).await;
        let answer = answer.map_err(|trouble| self.refused(trouble))?;
        let granted = answer.auth.ok_or_else(|| {
            Failed::wrong(format!(
                "what answers at {} gives no token at a login; is it Vault?",
                self.parts.address
            ))
        })?;
        if granted.client_token.expose_secret().is_empty() {
            let mount = &self.parts.auth_mount;
            return Err(Failed::wrong(format!(
                "the login at auth/{mount} wants a second factor, which nobody is there to give: exempt the role from MFA"
            )));
        }
        let Granted { client_token, accessor, lease_duration, renewable, token_type } = granted;
        Ok(LoggedIn {
            door: door.with(&client_token)?,
            accessor,
            life: (lease_duration > 0).then(|| Duration::from_secs(lease_duration)),
            renewable,
            // A batch token has no store of its own: Vault refuses to revoke it.
            revocable: token_type != "batch",
        })
    }

    /// A token that somebody else has got: what is known of it, says Vault.
    async fn by_token(&self, file: &Path) -> Result<LoggedIn, Failed> {
        let token = files::text(file, "the token of Vault").await?;
        let door = self.door(None, Some(&token))?;
        let request = LookupTokenSelfRequest::builder().build().expect("it has no fields");
        let found = match self.patience.ask("look at the token", || door.ask(&request)).await {
            Ok(answer) => answer.data.unwrap_or_default(),
            Err(Trouble::Refused(refusal)) if refusal.is_of_the_token() => {
                let mend = self.parts.login.mend();
                let file = file.display();
                return Err(Failed::wrong(format!(
                    "Vault does not know the token of the file {file}; {mend}"
                )));
            }
            // A token may lack the right to look at itself; whether it is good, the first read will say.
            Err(Trouble::Refused(refusal)) if refusal.status == 403 => Value::Null,
            Err(trouble) => return Err(trouble.told("use the token", &self.parts.address)),
        };
        // The root token's ttl is zero as well as that of one that ends now; only the first has no time of its end.
        let ends = found.get("expire_time").is_some_and(Value::is_string);
        let seconds = found.get("ttl").and_then(Value::as_u64).unwrap_or(0);
        Ok(LoggedIn {
            door,
            accessor: found.get("accessor").and_then(Value::as_str).unwrap_or_default().to_owned(),
            life: ends.then(|| Duration::from_secs(seconds)),
            renewable: found.get("renewable").and_then(Value::as_bool).unwrap_or(false),
            revocable: false,
        })
    }

    /// The secret id that `token` wraps.
    async fn unwrapped(&self, token: SecretString) -> Result<SecretString, Failed> {
        let mut unwrapped = self.unwrapped.lock().await;
        if let Some(known) = &*unwrapped
            && known.token.expose_secret() == token.expose_secret()
        {
            return Ok(known.secret_id.clone());
        }
        let from = format!("auth/{}/role/", self.parts.auth_mount);
        let mut answer = wrapping::open(self, &token, |path| path.starts_with(&from), &from).await?;
        let secret_id = match answer.data.as_mut().and_then(|data| data.get_mut("secret_id")).map(Value::take)
        {
            Some(Value::String(secret_id)) => SecretString::from(secret_id),
            _ => {
                return Err(Failed::wrong(
                    "the wrapped answer holds no `secret_id`; wrap that of `…/secret-id`",
                ));
            }
        };
        *unwrapped = Some(Unwrapped { token, secret_id: secret_id.clone() });
        Ok(secret_id)
    }

    fn refused(&self, trouble: Trouble) -> Failed {
        let (method, mount) = (self.parts.login.word(), &self.parts.auth_mount);
        let doing = format!("log in to Vault by {method} at auth/{mount}");
        let refusal = match trouble {
            Trouble::Refused(refusal) if (400..500).contains(&refusal.status) && refusal.status != 429 => {
                refusal
            }
            other => return other.told(&doing, &self.parts.address),
        };
        let place =
            self.parts.namespace.as_ref().map_or_else(String::new, |name| format!(" in namespace {name}"));
        let mend = if refusal.says("namespace not found") {
            "check `vault_namespace`".to_owned()
        } else if refusal.status == 403 {
            // Of a path where no method is mounted, Vault says no more than that.
            let mend = self.parts.login.mend();
            format!("{mend}; and that such a method is mounted there (`vault_auth_mount`, `vault_namespace`)")
        } else {
            self.parts.login.mend().to_owned()
        };
        Failed::wrong(format!("cannot {doing}{place}: {}; {mend}", refusal.said()))
    }
}

impl Login {
    /// As the setting spells it.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Login::Token { .. } => "token",
            Login::Kubernetes { .. } => "kubernetes",
            Login::AppRole { .. } => "approle",
            Login::Jwt { .. } => "jwt",
            Login::Cert { .. } => "cert",
        }
    }

    /// What to look at when Vault refuses.
    fn mend(&self) -> &'static str {
        match self {
            Login::Token { .. } => "put a token that has not expired into the file of `vault_token_file`",
            Login::Kubernetes { .. } => {
                "check `vault_role`, and the role's bound service accounts, namespaces and audience"
            }
            Login::AppRole { .. } => {
                "check the files of `vault_role_id_file` and `vault_secret_id_file`: the secret id may have expired or be used up"
            }
            Login::Jwt { .. } => "check `vault_role`, and the role's bound audiences, subject and claims",
            Login::Cert { .. } => {
                "check that the certificate is current, and that the role (`vault_role`) trusts its authority"
            }
        }
    }
}
