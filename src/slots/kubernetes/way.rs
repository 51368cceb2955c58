//! The way to an API server as its configuration describes it: trust, a client certificate, a proxy, and what says who we
//! are. All of it is read when the way is made; whoever goes it makes it anew from time to time.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use kube::Config;
use kube::config::AuthInfo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use super::credential_program::{self, Credential};

/// Callers bound each request; these end a connection that nobody listens at any more.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const READ_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a way is gone before it is made anew. A refused token ends all of them.
#[derive(Clone, Copy)]
pub(super) enum Lasts {
    /// Files are behind it, which are replaced while we run: they are read again after a minute.
    AMinute,
    /// A credential program has given it until then, and is not asked before: it may ask a person.
    Until(Timestamp),
    /// A credential program has given it, and knows no end.
    UntilRefused,
}

/// A client, and the headers that say who asks. Cheap to clone.
#[derive(Clone)]
pub(super) struct Way {
    pub(super) client: reqwest::Client,
    pub(super) headers: HeaderMap,
    /// The server's address, without a slash at its end.
    pub(super) server: Arc<str>,
    pub(super) lasts: Lasts,
}

impl Way {
    /// What must not stand in a message: the token, or the user's name and password as they are sent.
    pub(super) fn secret(&self) -> Option<&str> {
        self.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ').map(|(_, secret)| secret)
    }

    /// Reads files, and asks the credential program if there is one; connects to nothing.
    ///
    /// # Errors
    /// What is missing or not supported, in words that quote no credential.
    pub(super) async fn of(config: &Config) -> Result<Way, String> {
        let auth = &config.auth_info;
        if auth.auth_provider.is_some() {
            return Err("the kubeconfig's auth-provider is gone from kubectl too; use exec".to_owned());
        }
        if config.accept_invalid_certs {
            return Err("insecure-skip-tls-verify is not done: whoever answers would hold the slots; name \
                        certificate-authority in the kubeconfig"
                .to_owned());
        }
        if config.tls_server_name.is_some() {
            return Err(
                "the kubeconfig's tls-server-name is not supported; name the server as its certificate does"
                    .to_owned(),
            );
        }
        let (given, lasts) = match &auth.exec {
            None => (Credential::default(), Lasts::AMinute),
            Some(program) => {
                let given = credential_program::ask(program).await?;
                let lasts = given.good_until.map_or(Lasts::UntilRefused, Lasts::Until);
                (given, lasts)
            }
        };
        let identity = match &given.identity {
            Some(pem) => Some(identity(pem, pem)?),
            None => identity_of(auth)?,
        };
        let mut headers = who_asks(auth)?;
        if let Some(token) = &given.token {
            headers.insert(AUTHORIZATION, header("Bearer ", token)?);
        }
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(config, identity)?)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT);
        let builder = match &config.proxy_url {
            None => builder.no_proxy(),
            Some(address) => {
                let proxy =
                    Some(address).filter(|address| matches!(address.scheme_str(), Some("http" | "https")));
                let proxy = proxy.and_then(|address| reqwest::Proxy::all(address.to_string()).ok());
                let proxy = proxy.ok_or("the kubeconfig's proxy-url is not one of http or https")?;
                builder.proxy(proxy.no_proxy(reqwest::NoProxy::from_env()))
            }
        };
        let client = builder.build().map_err(|_| "the client could not be built".to_owned())?;
        let server = config.cluster_url.to_string().trim_end_matches('/').into();
        Ok(Way { client, headers, server, lasts })
    }
}

/// Token, user name, and in whose place.
fn who_asks(auth: &AuthInfo) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    if let Some(token) = &auth.token {
        headers.insert(AUTHORIZATION, header("Bearer ", token.expose_secret())?);
    } else if let Some(path) = &auth.token_file {
        let text = std::fs::read_to_string(path).map(Zeroizing::new);
        let text = text.map_err(|error| format!("the token cannot be read from {path} ({error})"))?;
        headers.insert(AUTHORIZATION, header("Bearer ", text.trim())?);
    } else if let (Some(user), Some(password)) = (&auth.username, &auth.password) {
        let pair = Zeroizing::new(format!("{user}:{}", password.expose_secret()));
        headers.insert(AUTHORIZATION, header("Basic ", &Zeroizing::new(STANDARD.encode(&*pair)))?);
    }
    let plain = |text: &str| {
        HeaderValue::from_str(text).map_err(|_| "the kubeconfig impersonates what no header takes".to_owned())
    };
    if let Some(user) = &auth.impersonate {
        headers.insert(HeaderName::from_static("impersonate-user"), plain(user)?);
    }
    for group in auth.impersonate_groups.iter().flatten() {
        headers.append(HeaderName::from_static("impersonate-group"), plain(group)?);
    }
    Ok(headers)
}

fn header(scheme: &str, secret: &str) -> Result<HeaderValue, String> {
    let text = Zeroizing::new(format!("{scheme}{secret}"));
    let mut header = HeaderValue::from_str(&text)
        .map_err(|_| "the kubeconfig's token has characters that no header takes".to_owned())?;
    header.set_sensitive(true);
    Ok(header)
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn identity_of(auth: &AuthInfo) -> Result<Option<Identity>, String> {
    let data = auth.client_key_data.as_ref().map(|data| data.expose_secret());
    let certificate = pem(
        "client-certificate",
        auth.client_certificate_data.as_deref(),
        auth.client_certificate.as_deref(),
    )?;
    let key = pem("client-key", data, auth.client_key.as_deref())?;
    match (certificate, key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => identity(&certificate, &key).map(Some),
        _ => Err("the kubeconfig has one of client-certificate and client-key without the other".to_owned()),
    }
}

/// What stands in the kubeconfig in base64, or in a file that it names.
fn pem(what: &str, data: Option<&str>, file: Option<&str>) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
    if let Some(data) = data {
        let decoded =
            STANDARD.decode(data).map_err(|_| format!("the kubeconfig's {what}-data is not base64"))?;
        return Ok(Some(Zeroizing::new(decoded)));
    }
    let read = file.map(|path| {
        std::fs::read(path).map_err(|error| format!("the {what} cannot be read from {path} ({error})"))
    });
    Ok(read.transpose()?.map(Zeroizing::new))
}

fn identity(certificate: &[u8], key: &[u8]) -> Result<Identity, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    let chain = chain.ok_or_else(|| "the client certificate is no PEM".to_owned())?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| "the client key is no PEM".to_owned())?;
    Ok((chain, key))
}

/// The authority of the cluster, or those of the system where it names none.
fn tls(config: &Config, identity: Option<Identity>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    match &config.root_cert {
        Some(authorities) => {
            for authority in authorities {
                let added = roots.add(CertificateDer::from_slice(authority));
                added.map_err(|_| "the certificate authority is no certificate".to_owned())?;
            }
        }
        None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots);
    let mut tls = match identity {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => builder
            .with_client_auth_cert(chain, key)
            .map_err(|_| "the client certificate and its key cannot be used".to_owned())?,
    };
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}
