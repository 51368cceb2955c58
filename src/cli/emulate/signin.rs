//! Flags of the emulated sign-in service.

use std::time::Duration;

use clap::Args;

use crate::emulator::{Account, FederatedCredential, Options, Reuse, SigninTrouble};
use crate::rules::duration;

/// Who can sign in, and what is met.
#[derive(Debug, Args)]
#[command(next_help_heading = "Emulator")]
pub(super) struct SigninArgs {
    /// A certificate of the applications, in PEM (RSA, 2048 bits or more). May be repeated.
    #[arg(long = "certificate", value_name = "FILE", value_parser = text_of)]
    certificates: Vec<String>,
    /// Tokens of this issuer and subject are good instead of a secret; FILE has its RSA keys (JWKS or PEM).
    #[arg(long, value_name = "ISSUER,SUBJECT,FILE", value_parser = federated)]
    federated: Vec<FederatedCredential>,
    /// A person with every right: USER, or USER=mfa, disabled, locked, federated or AADSTS50076. May be repeated.
    #[arg(long = "account", value_name = "USER[=TROUBLE]")]
    accounts: Vec<Account>,
    /// A user of another tenant who may work in this one, as a partner (GDAP). May be repeated.
    #[arg(long = "partner-user", value_name = "USER")]
    partner_users: Vec<String>,
    /// Who confirms a device code where nobody is named, instead of the administrator.
    #[arg(long, value_name = "USER")]
    device_user: Option<String>,
    /// A further accepted domain of the tenant. May be repeated.
    #[arg(long = "domain", value_name = "DOMAIN")]
    domains: Vec<String>,
    /// What a person meets at each sign-in: USER=AADSTS50076, mfa, disabled, locked or federated. May be repeated.
    #[arg(long, value_name = "USER=TROUBLE")]
    signin_trouble: Vec<SigninTrouble>,
    /// A refresh token that was used before: accept (as Entra does) or refuse.
    #[arg(long, value_name = "MODE", default_value = "accept")]
    refresh_reuse: Reuse,
    /// A client assertion whose jti was seen before: refuse or accept.
    #[arg(long, value_name = "MODE", default_value = "refuse")]
    assertion_reuse: Reuse,
    /// A user whom `Set-User -EXOModuleEnabled $false` keeps out. May be repeated.
    #[arg(long, value_name = "USER")]
    module_off: Vec<String>,
    /// How far ahead of the real time the Date of all answers is.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration::parse)]
    clock_ahead: Duration,
    /// Life of a device code.
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = duration::parse)]
    device_life: Duration,
}

impl SigninArgs {
    /// Puts the flags into the options.
    pub(super) fn lay_over(&self, options: Options) -> Options {
        Options {
            certificates: self.certificates.clone(),
            federated: self.federated.clone(),
            accounts: self.accounts.clone(),
            partner_users: self.partner_users.clone(),
            device_user: self.device_user.clone(),
            domains: self.domains.clone(),
            signin_trouble: self.signin_trouble.clone(),
            refresh_reuse: self.refresh_reuse,
            assertion_reuse: self.assertion_reuse,
            module_off: self.module_off.clone(),
            clock_ahead: self.clock_ahead,
            device_life: self.device_life,
            ..options
        }
    }
}

fn text_of(path: &str) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

fn federated(text: &str) -> Result<FederatedCredential, String> {
    let mut parts = text.splitn(3, ',');
    let (Some(issuer), Some(subject), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("write ISSUER,SUBJECT,FILE".to_owned());
    };
    let keys = text_of(path).map_err(|error| format!("{path}: {error}"))?;
    Ok(FederatedCredential { issuer: issuer.to_owned(), subject: subject.to_owned(), keys })
}
