//! TLS with both hosts: which version, whose certificate, until when; and who stands between if nobody trusts it.

use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::noted::Noting;
use super::{Finding, Site};
use crate::clocks::Clocks;
use crate::exchange::transport::Connector;
use crate::exit::Exit;
use crate::observe::escape::one_line;

/// A certificate that ends sooner should be looked at.
const DAYS_LEFT_WARNED: i64 = 14;
const NAME_CHARS_MAX: usize = 160;

pub(super) async fn look(sites: &[Site], connector: &Connector, tls: &Noting, clocks: &Clocks) -> Finding {
    let mut seen = Vec::new();
    let mut ending = None;
    for site in sites {
        // What an earlier handshake was shown is not this one's.
        tls.take();
        match connector.look_at_tls(&site.origin, tls.config()).await {
            Ok(version) => {
                let certificate = tls.take().first().and_then(Certificate::read);
                let about = certificate.as_ref().map_or_else(String::new, |certificate| {
                    let days = (certificate.ends - clocks.wall().as_second()) / (24 * 60 * 60);
                    if days < DAYS_LEFT_WARNED {
                        ending =
                            Some(format!("the certificate of {} ends in {days} days", site.origin.host()));
                    }
                    format!(", certificate by {}, {days} days left", certificate.issuer)
                });
                seen.push(format!("{} {} speaks {}{about}", site.what, site.origin.host(), version));
            }
            Err(error) => return refused(site, &error, &tls.take()),
        }
    }
    match ending {
        None => Finding::ok(seen.join("; ")),
        Some(ending) => Finding::warning(
            format!("{}; {ending}", seen.join("; ")),
            "tell whoever runs that host; if it is a proxy of yours, renew its certificate",
        ),
    }
}

fn refused(site: &Site, error: &std::io::Error, shown: &[CertificateDer<'static>]) -> Finding {
    let host = site.origin.host();
    let by = shown.last().and_then(Certificate::read).map(|certificate| certificate.issuer);
    let by = by.map_or_else(String::new, |issuer| format!("; its certificate was issued by {issuer}"));
    let seen =
        format!("no TLS with the {} host {host}: {}{by}", site.what, one_line(&error.to_string(), 200));
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let (exit, mend) = match inner {
        Some(rustls::Error::InvalidCertificate(
            rustls::CertificateError::UnknownIssuer | rustls::CertificateError::BadSignature,
        )) => (
            Exit::BadInput,
            "a private authority (of a proxy that opens TLS, or of your own service) signed it, perhaps with a new key: put that authority's \
             certificate (PEM) into the setting `ca_file`; if you know of none, ask who runs the network",
        ),
        Some(rustls::Error::InvalidCertificate(_)) => (
            Exit::BadInput,
            "the certificate does not fit: look at its name and dates, at this host's clock, and at the setting of that \
             endpoint",
        ),
        Some(rustls::Error::AlertReceived(_) | rustls::Error::PeerIncompatible(_)) => (
            Exit::Failed,
            "the peer speaks no TLS 1.2 or later: something old stands between, ask who runs the network",
        ),
        _ => (
            Exit::Failed,
            "something on the way cuts TLS or speaks something else: ask who runs the firewall or proxy",
        ),
    };
    Finding::failed(exit, seen, mend)
}

/// What of a certificate is told.
struct Certificate {
    issuer: String,
    /// Seconds since 1970.
    ends: i64,
}

impl Certificate {
    fn read(der: &CertificateDer<'static>) -> Option<Certificate> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let issuer = one_line(&certificate.issuer().to_string(), NAME_CHARS_MAX);
        Some(Certificate { issuer, ends: certificate.validity().not_after.timestamp() })
    }
}
