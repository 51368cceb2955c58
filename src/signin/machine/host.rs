//! Who gives a machine's tokens, and how each is asked. Source: protocol reference, 2.9.

use reqwest::Url;
use secrecy::SecretString;

use crate::observe::escape::one_line;
use crate::secrets::Surroundings;
use crate::signin::{SigninError, SigninErrorKind};
use crate::spec::job::MachineIdentity;

/// The link-local address of every virtual machine in Azure.
const INSTANCE_METADATA: &str = "http://169.254.169.254";
const INSTANCE_METADATA_PATH: &str = "/metadata/identity/oauth2/token";

/// Who gives the tokens.
pub enum Host {
    /// Virtual machines, scale sets, nodes of AKS.
    InstanceMetadata {
        /// Scheme, host and port.
        base: String,
    },
    /// App Service, Functions, Container Apps, Azure Automation.
    AppService {
        /// `IDENTITY_ENDPOINT`.
        endpoint: String,
        /// `IDENTITY_HEADER`.
        header: SecretString,
    },
    /// A machine elsewhere that Azure Arc manages.
    Arc {
        /// `IDENTITY_ENDPOINT`.
        endpoint: String,
    },
}

impl Host {
    /// Whom this machine has: a set address wins, then what the platform set.
    pub fn found(set: Option<&str>, around: &Surroundings) -> Host {
        match (set, &around.identity_endpoint, &around.identity_header, &around.imds_endpoint) {
            (Some(base), ..) => Host::InstanceMetadata { base: base.to_owned() },
            (None, Some(endpoint), Some(header), _) => {
                Host::AppService { endpoint: endpoint.clone(), header: header.clone() }
            }
            (None, Some(endpoint), None, Some(_)) => Host::Arc { endpoint: endpoint.clone() },
            _ => Host::InstanceMetadata { base: INSTANCE_METADATA.to_owned() },
        }
    }

    /// For messages.
    pub(super) fn shown(&self) -> String {
        match self {
            Host::InstanceMetadata { base } => {
                format!("instance metadata service at {}", one_line(base, 200))
            }
            Host::AppService { endpoint, .. } => format!("App Service at {}", one_line(endpoint, 200)),
            Host::Arc { endpoint } => format!("Azure Arc at {}", one_line(endpoint, 200)),
        }
    }

    /// The key of the job that chooses the identity, if one does.
    pub(super) fn chosen(&self, client_id: Option<&str>, identity: &MachineIdentity) -> Option<&'static str> {
        match identity {
            MachineIdentity::ByClientId => client_id.map(|_| "client_id"),
            MachineIdentity::ByObjectId(_) => Some("object_id"),
            MachineIdentity::ByResourceId(_) => Some("resource_id"),
        }
    }

    /// The address that gives a token for `resource`.
    ///
    /// # Errors
    /// If the platform's address is none, or it has no identities to choose from.
    pub(super) fn url(
        &self,
        resource: &str,
        client_id: Option<&str>,
        identity: &MachineIdentity,
    ) -> Result<Url, SigninError> {
        let (base, version, choosers) = match self {
            Host::InstanceMetadata { base } => (
                format!("{}{INSTANCE_METADATA_PATH}", base.trim_end_matches('/')),
                "2018-02-01",
                ["client_id", "object_id", "msi_res_id"],
            ),
            Host::AppService { endpoint, .. } => {
                (endpoint.clone(), "2019-08-01", ["client_id", "principal_id", "mi_res_id"])
            }
            Host::Arc { endpoint } => (endpoint.clone(), "2020-06-01", [""; 3]),
        };
        let bad = |why: &str| {
            SigninError::new(SigninErrorKind::BadInput, format!("managed identity ({}): {why}", self.shown()))
        };
        let mut url = Url::parse(&base).map_err(|_| bad("the address is no URL"))?;
        let choice = match identity {
            MachineIdentity::ByClientId => client_id.map(|id| (choosers[0], id)),
            MachineIdentity::ByObjectId(id) => Some((choosers[1], id.as_str())),
            MachineIdentity::ByResourceId(id) => Some((choosers[2], id.as_str())),
        };
        if choice.is_some() && matches!(self, Host::Arc { .. }) {
            return Err(bad(
                "such a machine has one identity: remove `client_id`, `object_id` and `resource_id`",
            ));
        }
        let mut query = url.query_pairs_mut();
        query.append_pair("api-version", version).append_pair("resource", &format!("{resource}/"));
        if let Some((name, id)) = choice {
            query.append_pair(name, id);
        }
        drop(query);
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXCHANGE: &str = "https://outlook.office365.com";

    #[test]
    fn each_host_is_asked_in_its_own_words() {
        let by_object = MachineIdentity::ByObjectId("o-1".to_owned());
        let url = |host: &Host, client_id, identity: &MachineIdentity| {
            host.url(EXCHANGE, client_id, identity)
                .map(|url| url.to_string())
                .map_err(|error| error.to_string())
        };
        let metadata = Host::found(None, &Surroundings::default());
        assert_eq!(
            url(&metadata, None, &MachineIdentity::ByClientId).unwrap(),
            "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Foutlook.office365.com%2F"
        );
        assert!(
            url(&metadata, Some("c-1"), &MachineIdentity::ByClientId).unwrap().ends_with("%2F&client_id=c-1")
        );
        assert!(url(&metadata, None, &by_object).unwrap().ends_with("&object_id=o-1"));
        let around = Surroundings {
            identity_endpoint: Some("http://127.0.0.1:41/msi/token?a=b".to_owned()),
            identity_header: Some("canary".into()),
            ..Surroundings::default()
        };
        let service = Host::found(None, &around);
        let asked = url(&service, None, &by_object).unwrap();
        assert!(asked.starts_with("http://127.0.0.1:41/msi/token?a=b&api-version=2019-08-01&"), "{asked}");
        assert!(asked.ends_with("&principal_id=o-1") && !service.shown().contains("canary"), "{asked}");
        let around = Surroundings { identity_header: None, imds_endpoint: Some("x".to_owned()), ..around };
        let arc = Host::found(None, &around);
        assert!(url(&arc, None, &MachineIdentity::ByClientId).unwrap().contains("2020-06-01"));
        assert!(
            url(&arc, Some("c-1"), &MachineIdentity::ByClientId).unwrap_err().contains("has one identity")
        );
        let set = Host::found(Some("http://127.0.0.1:40"), &around);
        assert!(url(&set, None, &by_object).unwrap().starts_with("http://127.0.0.1:40/metadata/"));
    }
}
