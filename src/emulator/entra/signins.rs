//! What the sign-in service keeps between requests.

use std::collections::HashMap;

use uuid::Uuid;

use super::super::options::{Options, SigninTrouble, Trouble};
use super::assertion::Seen;
use super::certificate::Certificate;
use super::code::AuthCodes;
use super::federation::Federated;
use super::id_token::IdKey;
use super::refresh::RefreshTokens;

/// Everything of sign-ins that lives as long as the emulator, but for device codes.
pub(in crate::emulator) struct Signins {
    /// The password of every person.
    pub(in crate::emulator) password: String,
    /// What `X-IDENTITY-HEADER` has to say.
    pub(in crate::emulator) identity_header: String,
    pub(super) certificates: Vec<Certificate>,
    pub(super) federated: Vec<Federated>,
    pub(super) seen: Seen,
    pub(super) codes: AuthCodes,
    pub(super) refresh_tokens: RefreshTokens,
    pub(super) id_key: IdKey,
    troubles: HashMap<String, Trouble>,
}

impl Signins {
    /// # Errors
    /// A certificate or a key of the options cannot be read.
    pub(in crate::emulator) fn new(options: &Options) -> Result<Signins, String> {
        let certificates: Vec<Vec<Certificate>> =
            options.certificates.iter().map(|pem| Certificate::read(pem)).collect::<Result<_, _>>()?;
        let mut signins = Signins {
            password: options
                .user_password
                .clone()
                .unwrap_or_else(|| format!("Emu-{}", Uuid::new_v4().simple())),
            identity_header: format!("{}", Uuid::new_v4()),
            certificates: certificates.into_iter().flatten().collect(),
            federated: options.federated.iter().map(Federated::read).collect::<Result<_, _>>()?,
            seen: Seen::default(),
            codes: AuthCodes::default(),
            refresh_tokens: RefreshTokens::default(),
            id_key: IdKey::new()?,
            troubles: HashMap::new(),
        };
        options.signin_trouble.iter().for_each(|trouble| signins.set_trouble(trouble));
        Ok(signins)
    }

    pub(in crate::emulator) fn set_trouble(&mut self, trouble: &SigninTrouble) {
        let upn = trouble.upn.to_lowercase();
        match trouble.trouble {
            Some(trouble) => self.troubles.insert(upn, trouble),
            None => self.troubles.remove(&upn),
        };
    }

    pub(in crate::emulator) fn trouble(&self, upn: &str) -> Option<Trouble> {
        self.troubles.get(&upn.to_lowercase()).copied()
    }

    /// Registers the certificates of a PEM text; their SHA-1 thumbprints in hex.
    pub(in crate::emulator) fn register(&mut self, pem: &str) -> Result<Vec<String>, String> {
        let new = Certificate::read(pem)?;
        let thumbprints = new.iter().map(Certificate::thumbprint).collect();
        self.certificates.extend(new);
        Ok(thumbprints)
    }
}
