//! What a platform puts into the environment of the workloads that it vouches for.
//!
//! Source: protocol reference, 2.9 and 2.10.

use std::path::PathBuf;

use secrecy::SecretString;

/// Variables of AKS, GitHub Actions, App Service and Azure Arc, as far as they are set and not empty.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// `AZURE_CLIENT_ID`.
    pub azure_client_id: Option<String>,
    /// `AZURE_TENANT_ID`.
    pub azure_tenant_id: Option<String>,
    /// `AZURE_AUTHORITY_HOST`.
    pub azure_authority_host: Option<String>,
    /// `AZURE_FEDERATED_TOKEN_FILE`.
    pub federated_token_file: Option<PathBuf>,
    /// `ACTIONS_ID_TOKEN_REQUEST_URL`.
    pub actions_url: Option<String>,
    /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
    pub actions_token: Option<SecretString>,
    /// `IDENTITY_ENDPOINT`.
    pub identity_endpoint: Option<String>,
    /// `IDENTITY_HEADER`.
    pub identity_header: Option<SecretString>,
    /// `IMDS_ENDPOINT`.
    pub imds_endpoint: Option<String>,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_process() -> Surroundings {
        let read = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        Surroundings {
            azure_client_id: read("AZURE_CLIENT_ID"),
            azure_tenant_id: read("AZURE_TENANT_ID"),
            azure_authority_host: read("AZURE_AUTHORITY_HOST"),
            federated_token_file: read("AZURE_FEDERATED_TOKEN_FILE").map(PathBuf::from),
            actions_url: read("ACTIONS_ID_TOKEN_REQUEST_URL"),
            actions_token: read("ACTIONS_ID_TOKEN_REQUEST_TOKEN").map(SecretString::from),
            identity_endpoint: read("IDENTITY_ENDPOINT"),
            identity_header: read("IDENTITY_HEADER").map(SecretString::from),
            imds_endpoint: read("IMDS_ENDPOINT"),
        }
    }
}
