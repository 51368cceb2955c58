//! Workload identity federation: tokens of issuers that an application trusts. Source: protocol reference, 2.10.

use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::super::options::FederatedCredential;
use super::super::state::State;
use super::assertion::{Jwt, decoded};
use super::certificate::{Certificate, RsaKey};
use super::{Refusal, printable, refusal};

/// The audience of a projected token in the worldwide cloud.
pub(in crate::emulator) const AUDIENCE: &str = "api://AzureADTokenExchange";

/// A federated credential whose keys were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Federated {
    issuer: String,
    subject: String,
    keys: Vec<RsaKey>,
}

impl Federated {
    pub(super) fn read(given: &FederatedCredential) -> Result<Federated, String> {
        let keys = keys(&given.keys).map_err(|why| format!("the keys of {}: {why}", given.issuer))?;
        Ok(Federated { issuer: given.issuer.clone(), subject: given.subject.clone(), keys })
    }
}

/// RSA keys of a JWKS, of a public key in PEM, or of certificates in PEM.
fn keys(text: &str) -> Result<Vec<RsaKey>, String> {
    if let Ok(set) = serde_json::from_str::<Value>(text) {
        let number = |key: &Value, name: &str| key[name].as_str().and_then(decoded).unwrap_or_default();
        let rsa = set["keys"].as_array().into_iter().flatten().filter(|key| key["kty"] == "RSA");
        let keys: Vec<RsaKey> =
            rsa.map(|key| RsaKey::new(&number(key, "n"), &number(key, "e"))).collect::<Result<_, _>>()?;
        return if keys.is_empty() { Err("there is no RSA key in this JWKS".to_owned()) } else { Ok(keys) };
    }
    if let Ok(der) = SubjectPublicKeyInfoDer::from_pem_slice(text.as_bytes()) {
        let (_, spki) = SubjectPublicKeyInfo::from_der(&der).map_err(|error| error.to_string())?;
        return Ok(vec![RsaKey::of_spki(&spki)?]);
    }
    Ok(Certificate::read(text)?.into_iter().map(|certificate| certificate.key).collect())
}

/// Whether a registered credential matches issuer, audience, subject and signature; times are looked at elsewhere.
pub(super) fn verify(state: &State, jwt: &Jwt<'_>) -> Result<(), Refusal> {
    let no = |code: u32, text: &str, what: &str| {
        let text = format!("{text} '{}'. Please check your federated identity credential.", printable(what));
        Err(refusal(401, "invalid_client", code, text))
    };
    const PRESENTED: &str = "No matching federated identity record found for presented assertion";
    let (issuer, subject) = (jwt.claim("iss"), jwt.claim("sub"));
    let registered = state.signins().federated.clone();
    if registered.is_empty() {
        return no(70_021, PRESENTED, issuer);
    }
    let of_issuer: Vec<&Federated> = registered.iter().filter(|own| own.issuer == issuer).collect();
    if of_issuer.is_empty() {
        return no(700_211, &format!("{PRESENTED} issuer"), issuer);
    }
    let audiences = match &jwt.claims["aud"] {
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        one => vec![one.as_str().unwrap_or_default()],
    };
    if !audiences.contains(&AUDIENCE) {
        return no(700_212, &format!("{PRESENTED} audience"), &audiences.join(" "));
    }
    let Some(credential) = of_issuer.into_iter().find(|own| own.subject == subject) else {
        return no(700_213, &format!("{PRESENTED} subject"), subject);
    };
    let alg = jwt.header["alg"].as_str().unwrap_or_default();
    if !credential.keys.iter().any(|key| key.verifies(alg, jwt.signed.as_bytes(), &jwt.signature)) {
        return no(700_027, "Client assertion failed signature validation by the keys of", issuer);
    }
    Ok(())
}
