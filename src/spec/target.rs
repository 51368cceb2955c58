//! Where a job runs and as whom: spelled out in the job, or a named connection.

use std::path::PathBuf;

use super::names::ConnectionName;

/// What a job says of where it runs and as whom. A run takes a [`TargetSpec`], so that a name that nobody has looked
/// up cannot be run.
#[derive(Clone, Debug)]
pub enum Target {
    /// `tenant`, `environment` and `auth` stand in the job.
    Spelled(Box<TargetSpec>),
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// A cloud of the endpoints file, by its name there: whether there is one is known when the job runs.
    Other(String),
}

impl Environment {
    /// Microsoft's names, in the order of [`Environment::ALL`].
    pub const NAMES: [&str; 5] =
        ["O365Default", "O365USGovGCCHigh", "O365USGovDoD", "O365China", "O365GermanyCloud"];

    /// Microsoft's, in the order of the documentation.
    pub const ALL: [Environment; 5] = [
        Environment::O365Default,
        Environment::O365USGovGCCHigh,
        Environment::O365USGovDoD,
        Environment::O365China,
        Environment::O365GermanyCloud,
    ];

    /// As a job spells it.
    pub fn as_str(&self) -> &str {
        match self {
            Environment::O365Default => "O365Default",
            Environment::O365USGovGCCHigh => "O365USGovGCCHigh",
            Environment::O365USGovDoD => "O365USGovDoD",
            Environment::O365China => "O365China",
            Environment::O365GermanyCloud => "O365GermanyCloud",
            Environment::Other(name) => name,
        }
    }
}

/// How a run signs in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Auth {
    /// The way.
    pub method: Method,
    /// The application (client) ID. Required of applications; people sign in by the module's own public client if none
    /// is named; a secret, an environment or a machine may know it instead.
    pub client_id: Option<String>,
    /// Who is expected to sign in; a token for somebody else is refused. Never with an application.
    pub user_principal_name: Option<String>,
}

/// The module's own public client, "Microsoft Exchange REST API Based PowerShell".
/// Source: protocol reference, 2.1.
pub const MODULE_CLIENT_ID: &str = "fb78d390-0c51-40cd-8e17-fdbfab77341b";

/// One way to sign in. Source: protocol reference, 2.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Any of the others, kept in Vault: the secret's fields declare which.
    Vault {
        /// Where.
        credential: VaultRef,
    },
    /// A person confirms a code in a browser, anywhere.
    Device {
        /// Where the refresh token is kept between runs.
        credential: Option<VaultRef>,
    },
    /// A person signs in in a browser on this machine.
    Browser {
        /// Where the refresh token is kept between runs.
        credential: Option<VaultRef>,
    },
    /// An application with a client secret.
    ClientSecret {
        /// Where the secret is kept.
        credential: CredentialRef,
    },
    /// An application with a certificate.
    Certificate {
        /// Where the private key is kept: PEM or PFX, with its certificate unless `certificate` names one.
        credential: CredentialRef,
        /// Where the certificate is kept, if not beside its key.
        certificate: Option<CredentialRef>,
        /// Where the password of the PFX file is kept.
        password: Option<CredentialRef>,
        /// How assertions are signed.
        signature: Signature,
    },
    /// An application whose private key never leaves Vault.
    Transit {
        /// Which key signs.
        key: TransitRef,
        /// Where its certificate is kept, which is public.
        certificate: CredentialRef,
        /// How assertions are signed.
        signature: Signature,
    },
    /// An application that trusts another issuer's tokens.
    WorkloadIdentity {
        /// The file that holds the token; else the environment says where one is to be had.
        token_file: Option<PathBuf>,
        /// For whom a token is asked for, where one is asked for.
        audience: Option<String>,
    },
    /// The machine's own identity.
    ManagedIdentity {
        /// Which one, if it has several.
        identity: MachineIdentity,
    },
    /// A user's name and password, without a person.
    Password {
        /// Where the password is kept.
        credential: CredentialRef,
    },
    /// A user's name and password, asked for on the terminal.
    InlineCredential,
    /// A token that somebody else has got.
    AccessToken {
        /// Where it is kept.
        credential: CredentialRef,
    },
}

impl Method {
    /// As a job spells it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Method::Vault { .. } => "vault",
            Method::Device { .. } => "device",
            Method::Browser { .. } => "browser",
            Method::ClientSecret { .. } => "client_secret",
            Method::Certificate { .. } => "certificate",
            Method::Transit { .. } => "transit",
            Method::WorkloadIdentity { .. } => "workload_identity",
            Method::ManagedIdentity { .. } => "managed_identity",
            Method::Password { .. } => "password",
            Method::InlineCredential => "inline_credential",
            Method::AccessToken { .. } => "access_token",
        }
    }

    /// Whether a person takes part in each run.
    pub const fn asks_a_person(&self) -> bool {
        matches!(
            self,
            Method::Device { credential: None }
                | Method::Browser { credential: None }
                | Method::InlineCredential
        )
    }

    /// Who signs in, as far as the job alone says.
    pub const fn who(&self) -> Who {
        match self {
            Method::Device { .. }
            | Method::Browser { .. }
            | Method::Password { .. }
            | Method::InlineCredential => Who::Person,
            Method::ClientSecret { .. }
            | Method::Certificate { .. }
            | Method::Transit { .. }
            | Method::WorkloadIdentity { .. }
            | Method::ManagedIdentity { .. } => Who::Application,
            Method::Vault { .. } | Method::AccessToken { .. } => Who::Either,
        }
    }
}

/// Who signs in by a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// A user.
    Person,
    /// A service principal.
    Application,
    /// The credential decides.
    Either,
}

/// How a client assertion is signed. Source: protocol reference, 2.7.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Signature {
    /// RSASSA-PSS with SHA-256, and the certificate named by `x5t#S256`: what Entra's documentation asks for.
    #[default]
    Ps256,
    /// PKCS#1 v1.5 with SHA-256, and the certificate named by `x5t`: the older way, still accepted.
    Rs256,
}

/// Which of a machine's identities. Source: protocol reference, 2.9.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum MachineIdentity {
    /// The machine's own, or the only one assigned to it; with a `client_id`, that one.
    #[default]
    ByClientId,
    /// By the object id of its service principal.
    ByObjectId(String),
    /// By its resource id in Azure.
    ByResourceId(String),
}

/// Where a secret is kept: a reference, never the secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CredentialRef {
    /// An environment variable.
    Env(String),
    /// A file; a mounted Kubernetes Secret, say. One trailing newline is not part of the secret.
    File(PathBuf),
    /// A secret of Vault's KV engine, of either version.
    Vault(VaultRef),
}

/// A secret in Vault.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VaultRef {
    /// The mount of the KV engine.
    pub mount: String,
    /// The path below it.
    pub path: String,
    /// Which field; `None`: the one that its use names (`client_secret`, say), or the only one.
    pub field: Option<String>,
    /// A pinned version of a KV version 2 secret; `None`: the newest.
    pub version: Option<u64>,
}

impl VaultRef {
    /// The mount that is meant where none is written: what Vault's own documentation calls its first KV engine.
    pub const MOUNT_DEFAULT: &str = "secret";

    /// The same place, whole and in its newest version: where something is kept, a new version replaces all of it.
    pub fn newest(&self) -> VaultRef {
        VaultRef { field: None, version: None, ..self.clone() }
    }
}

impl std::fmt::Display for VaultRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "vault:{}/{}", self.mount, self.path)?;
        if let Some(field) = &self.field {
            write!(f, "#{field}")?;
        }
        match self.version {
            Some(version) => write!(f, " (version {version})"),
            None => Ok(()),
        }
    }
}

impl std::fmt::Display for CredentialRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CredentialRef::Env(name) => write!(f, "env:{name}"),
            CredentialRef::File(path) => write!(f, "file:{}", path.display()),
            CredentialRef::Vault(secret) => secret.fmt(f),
        }
    }
}

/// A key of Vault's transit engine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TransitRef {
    /// The mount of the engine.
    pub mount: String,
    /// The key's name.
    pub key: String,
    /// A pinned version; `None`: the newest.
    pub version: Option<u64>,
}

impl TransitRef {
    /// The mount that is meant where none is written.
    pub const MOUNT_DEFAULT: &str = "transit";
}

impl std::fmt::Display for TransitRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "vault:{}/keys/{}", self.mount, self.key)
    }
}
