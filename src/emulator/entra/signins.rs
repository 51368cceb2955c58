//! What the sign-in service keeps between requests.

use std::collections::HashMap;

use uuid::Uuid;

use super::super::account::{SigninTrouble, Trouble};
use super::super::options::Options;
use super::assertion::Seen;
use super::certificate::Certificate;
use super::code::AuthCodes;
use super::federation::Federated;
use super::id_token::IdKey;
use super::pages::Flows;
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
    /// What accounts with a second factor are asked for.
    pub(in crate::emulator) verification_code: String,
    pub(super) flows: Flows,
    /// By the name in lower case: the account's number, and the name as it was given.
    accounts: HashMap<String, (u64, String)>,
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
            verification_code: options.verification_code.clone().unwrap_or_else(six_digits),
            flows: Flows::default(),
            accounts: (1..)
                .zip(&options.accounts)
                .map(|(number, account)| (account.upn.to_lowercase(), (number, account.upn.clone())))
                .collect(),
            troubles: HashMap::new(),
        };
        for account in &options.accounts {
            signins.set_trouble(&SigninTrouble { upn: account.upn.clone(), trouble: account.trouble });
        }
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

    /// The number and the name of an account of the options.
    pub(super) fn account(&self, upn: &str) -> Option<(u64, String)> {
        self.accounts.get(&upn.to_lowercase()).cloned()
    }

    /// Whether an account of the options has this domain.
    pub(super) fn has_domain(&self, domain: &str) -> bool {
        self.accounts
            .keys()
            .any(|upn| upn.rsplit_once('@').is_some_and(|(_, own)| own.eq_ignore_ascii_case(domain)))
    }

    /// Registers the certificates of a PEM text; their SHA-1 thumbprints in hex.
    pub(in crate::emulator) fn register(&mut self, pem: &str) -> Result<Vec<String>, String> {
        let new = Certificate::read(pem)?;
        let thumbprints = new.iter().map(Certificate::thumbprint).collect();
        self.certificates.extend(new);
        Ok(thumbprints)
    }
}

fn six_digits() -> String {
    format!("{:06}", Uuid::new_v4().as_u128() % 1_000_000)
}
