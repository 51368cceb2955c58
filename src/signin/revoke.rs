//! Taking a refresh token back (RFC 7009), where the service says in its discovery document that it can.
//!
//! Entra names no such endpoint. Microsoft Graph can end all of a user's sessions (`revokeSignInSessions`), which needs
//! a token for Graph and takes every other program's sign-in too: that is the user's to do, not ours.

use oauth2::HttpRequest;
use oauth2::http::{Method, header};
use oauth2::url::{Url, form_urlencoded};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use zeroize::Zeroizing;

use super::public_client::PublicClient;

/// What the sign-in service did about a refresh token.
#[derive(Debug)]
pub enum Revoked {
    /// It is no longer good.
    Now,
    /// The service has no way to revoke one token; Entra has none.
    NoWay,
    /// It could not be asked, or refused; the reason.
    Failed(String),
}

pub(super) async fn revoke(client: &PublicClient, token: &SecretString) -> Revoked {
    match endpoint(client).await {
        Ok(Some(address)) => match send(client, &address, token).await {
            Ok(()) => Revoked::Now,
            Err(why) => Revoked::Failed(why),
        },
        Ok(None) => Revoked::NoWay,
        Err(why) => Revoked::Failed(why),
    }
}

/// The endpoint that the discovery document names. The token is sent only to the service it came from.
async fn endpoint(client: &PublicClient) -> Result<Option<String>, String> {
    let base = client.endpoint.base.trim_end_matches('/');
    let request = request(Method::GET, &client.endpoint.discovery_url(), Vec::new())?;
    let answer = client.endpoint.http()(request).await.map_err(|error| error.to_string())?;
    if !answer.status().is_success() {
        return Err(format!("the discovery document is answered HTTP {}", answer.status()));
    }
    let document: Value =
        serde_json::from_slice(answer.body()).map_err(|_| "the discovery document is no JSON".to_owned())?;
    let Some(named) = document.get("revocation_endpoint").and_then(Value::as_str) else { return Ok(None) };
    let same = Url::parse(named).ok().zip(Url::parse(base).ok());
    match same {
        Some((named, base)) if named.origin() == base.origin() => Ok(Some(named.into())),
        _ => Err("the discovery document names a revocation endpoint of another host".to_owned()),
    }
}

async fn send(client: &PublicClient, address: &str, token: &SecretString) -> Result<(), String> {
    let form = Zeroizing::new(
        form_urlencoded::Serializer::new(String::new())
            .append_pair("token", token.expose_secret())
            .append_pair("token_type_hint", "refresh_token")
            .append_pair("client_id", &client.client_id)
            .finish(),
    );
    let request = request(Method::POST, address, form.as_bytes().to_vec())?;
    let answer = client.endpoint.http()(request).await.map_err(|error| error.to_string())?;
    match answer.status() {
        status if status.is_success() => Ok(()),
        status => Err(format!("the revocation endpoint answers HTTP {status}")),
    }
}

fn request(method: Method, address: &str, body: Vec<u8>) -> Result<HttpRequest, String> {
    oauth2::http::Request::builder()
        .method(method)
        .uri(address)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "application/json")
        .body(body)
        .map_err(|_| "the login endpoint is no address".to_owned())
}
