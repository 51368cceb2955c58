//! From the settings to a Vault.

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;

use crate::clocks::Clocks;
use crate::exchange::trust;
use crate::observe::metrics::Metrics;
use crate::rules::retry::RetryPolicy;
use crate::secrets::vault::{Login, MakeHttp, Vault, VaultParts};
use crate::settings::{Settings, VaultLogin};

use super::StartError;
use super::http::Plumbing;

/// The Vault of the settings, if they name one.
pub(super) fn vault(
    settings: &Settings,
    retry: RetryPolicy,
    clocks: &Clocks,
    metrics: &Metrics,
) -> Result<Option<Arc<Vault>>, StartError> {
    let Some(vault) = &settings.vault else { return Ok(None) };
    let ca_file = vault.ca_file.as_deref().or(settings.ca_file.as_deref());
    let tls =
        trust::client_config(ca_file).map_err(|error| StartError(told(vault.ca_file.as_deref(), &error)))?;
    let tls = if settings.http_version == "auto" { tls } else { trust::without_http2(&tls) };
    let (plumbing, timeout) = (Plumbing::of(settings)?, vault.timeout);
    let http: Arc<MakeHttp> = Arc::new(move |tls: ClientConfig| {
        plumbing.builder(tls).timeout(timeout).build().map_err(|error| error.to_string())
    });
    Ok(Some(Arc::new(Vault::new(VaultParts {
        address: vault.address.as_str().to_owned(),
        namespace: vault.namespace.clone(),
        auth_mount: vault.auth_mount.clone(),
        login: login(&vault.login),
        tls,
        http,
        wrap_ttl: vault.wrap_ttl,
        retry,
        clocks: clocks.clone(),
        metrics: metrics.clone(),
    }))))
}

/// The error names `ca_file`, whose place another setting has taken.
fn told(own: Option<&Path>, error: &trust::TrustError) -> String {
    let text = error.to_string();
    match text.strip_prefix("ca_file") {
        Some(rest) if own.is_some() => format!("vault_ca_file{rest}"),
        _ => text,
    }
}

fn login(login: &VaultLogin) -> Login {
    match login.clone() {
        VaultLogin::Token { file } => Login::Token { file },
        VaultLogin::Kubernetes { role, jwt_file } => Login::Kubernetes { role, jwt_file },
        VaultLogin::AppRole { role_id_file, secret_id_file, wrapped } => {
            Login::AppRole { role_id_file, secret_id_file, wrapped }
        }
        VaultLogin::Jwt { role, jwt_file } => Login::Jwt { role, jwt_file },
        VaultLogin::Cert { role, certificate_file, key_file } => {
            Login::Cert { role, certificate_file, key_file }
        }
    }
}
