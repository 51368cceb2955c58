//! Where a job runs and as whom: spelled out in the job, or a named connection.

use std::path::PathBuf;

use super::names::ConnectionName;

/// What a job says of where it runs and as whom. A run takes a [`TargetSpec`], so that a name that nobody has looked
/// up cannot be run.
#[derive(Clone, Debug)]
pub enum Target {
    /// `tenant`, `environment` and `auth` stand in the job.
    Spelled(TargetSpec),
    /// `connection: NAME`; the platform team's file says the rest.
    Connection {
        /// Which connection.
        name: ConnectionName,
        /// As [`TargetSpec::delegated_organization`].
        delegated_organization: Option<String>,
    },
}

/// Where a job runs and as whom, resolved: all that a run needs to know.
#[derive(Clone, Debug)]
pub struct TargetSpec {
    /// The initial domain (`contoso.onmicrosoft.com`) or the GUID of the tenant of whoever signs in.
    pub tenant: String,
    /// The customer's tenant, in the same form, where a partner's user works in it. Never with an application.
    pub delegated_organization: Option<String>,
    /// The cloud.
    pub environment: Environment,
    /// How to sign in.
    pub auth: Auth,
}

impl TargetSpec {
    /// The tenant whose objects are meant, and whose authority issues the token. Source: protocol reference, 5.
    pub fn organization(&self) -> &str {
        self.delegated_organization.as_deref().unwrap_or(&self.tenant)
    }
}

/// `ExchangeEnvironmentName` of the module; names are Microsoft's. Source: protocol reference, 1.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Environment {
    /// Worldwide and GCC.
    #[default]
    O365Default,
    /// US Government GCC High.
    O365USGovGCCHigh,
    /// US Government DoD.
    O365USGovDoD,
    /// Operated by 21Vianet.
    O365China,
    /// Microsoft Cloud Deutschland, closed on 2021-10-29; known so that it can be refused with the reason.
    O365GermanyCloud,
}

impl Environment {
    /// All of them, in the order of the documentation.
    pub const ALL: [Environment; 5] = [
        Environment::O365Default,
        Environment::O365USGovGCCHigh,
        Environment::O365USGovDoD,
        Environment::O365China,
        Environment::O365GermanyCloud,
    ];

    /// Microsoft's spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Environment::O365Default => "O365Default",
            Environment::O365USGovGCCHigh => "O365USGovGCCHigh",
            Environment::O365USGovDoD => "O365USGovDoD",
            Environment::O365China => "O365China",
            Environment::O365GermanyCloud => "O365GermanyCloud",
        }
    }
}

/// How a run signs in.
#[derive(Clone, Debug)]
pub enum Auth {
    /// An application with a client secret.
    ClientSecret {
        /// The application's id (a GUID).
        client_id: String,
        /// Where the secret is kept.
        credential: CredentialRef,
    },
    /// A person confirms a code in a browser.
    DeviceCode {
        /// The public client; the module's own when none is named.
        client_id: String,
        /// Who is expected to sign in; a token for somebody else is refused.
        user_principal_name: Option<String>,
    },
}

/// Where a secret is kept: a reference, never the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialRef {
    /// An environment variable.
    Env(String),
    /// A file; a mounted Kubernetes Secret, say. One trailing newline is not part of the secret.
    File(PathBuf),
}
