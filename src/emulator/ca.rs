//! The emulator's own certificate authority, made at each start and kept in memory only.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::clouds::Cloud;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// The authority's certificate and a server's TLS.
pub(super) struct Authority {
    pub(super) ca_pem: String,
    pub(super) tls: Arc<rustls::ServerConfig>,
}

/// Makes an authority and a certificate for `localhost`, 127.0.0.1, ::1 and the real services' names. Only who is
/// given this authority's certificate trusts it; it is made at each start.
pub(super) fn make() -> io::Result<Authority> {
    let mut ca = CertificateParams::default();
    ca.distinguished_name.push(DnType::CommonName, "exorun emulator CA (test only)");
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate().map_err(io::Error::other)?)
        .map_err(io::Error::other)?;

    // A client that is told to connect elsewhere still checks the name it meant.
    let names: Vec<String> = Cloud::certified().into_iter().chain(["localhost".to_owned()]).collect();
    let mut server = CertificateParams::new(names).map_err(io::Error::other)?;
    for address in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
        server.subject_alt_names.push(SanType::IpAddress(address));
    }
    server.distinguished_name.push(DnType::CommonName, "exorun emulator");
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let certificate = server.signed_by(&key, &ca).map_err(io::Error::other)?;

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .map_err(io::Error::other)?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Authority { ca_pem: ca.pem(), tls: Arc::new(tls) })
}
