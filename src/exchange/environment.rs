//! The clouds: where each signs in and answers. Source: protocol reference, 1.1 to 1.3.

use crate::spec::job::{Environment, Service};

/// The addresses of one cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cloud {
    /// Base of the sign-in addresses.
    pub login: &'static str,
    /// Exchange Online, and standalone Exchange Online Protection, which answers at the same place.
    pub exchange: Surface,
    /// Security & Compliance. The base is the global host: it names the region's in a redirect.
    pub compliance: Surface,
}

/// Where a service answers, and what a token for it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Surface {
    /// Base of the REST addresses.
    pub base: &'static str,
    /// The scope of its tokens.
    pub scope: &'static str,
}

impl Cloud {
    /// Where `service` answers.
    pub fn surface(&self, service: Service) -> Surface {
        match service {
            Service::ExchangeOnline | Service::ExchangeOnlineProtection => self.exchange,
            Service::SecurityCompliance => self.compliance,
        }
    }
}

/// A surface whose tokens are for its own host.
macro_rules! surface {
    ($base:literal) => {
        Surface { base: $base, scope: concat!($base, "/.default") }
    };
}

/// The addresses of `environment`.
///
/// # Errors
/// The reason, for a cloud that no longer exists.
pub fn cloud(environment: &Environment) -> Result<Cloud, String> {
    match environment {
        Environment::O365Default => Ok(Cloud {
            login: "https://login.microsoftonline.com",
            exchange: surface!("https://outlook.office365.com"),
            compliance: surface!("https://ps.compliance.protection.outlook.com"),
        }),
        Environment::O365USGovGCCHigh => Ok(Cloud {
            login: "https://login.microsoftonline.us",
            exchange: surface!("https://outlook.office365.us"),
            compliance: surface!("https://ps.compliance.protection.office365.us"),
        }),
        // The documentation names a second host for compliance, `compliance.dod.microsoft.com`; the setting
        // `compliance_endpoint` takes it.
        Environment::O365USGovDoD => Ok(Cloud {
            login: "https://login.microsoftonline.us",
            exchange: surface!("https://outlook-dod.office365.us"),
            compliance: surface!("https://l5.ps.compliance.protection.office365.us"),
        }),
        // The documentation names two hosts for China; this is the module's. The setting `exchange_endpoint`
        // takes the other.
        Environment::O365China => Ok(Cloud {
            login: "https://login.partner.microsoftonline.cn",
            exchange: surface!("https://partner.outlook.cn"),
            compliance: surface!("https://ps.compliance.protection.partner.outlook.cn"),
        }),
        Environment::Other(name) => Err(format!("environment {name} is none of Microsoft's")),
        Environment::O365GermanyCloud => {
            Err("environment O365GermanyCloud: Microsoft Cloud Deutschland was closed on \
             2021-10-29; its tenants live on in O365Default"
                .to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_has_its_own_resource_and_the_closed_cloud_says_so() {
        for environment in Environment::ALL {
            let cloud = match cloud(&environment) {
                Ok(cloud) => cloud,
                Err(why) => {
                    assert!(why.contains("2021-10-29"), "{why}");
                    continue;
                }
            };
            let [exchange, protection, compliance] =
                [Service::ExchangeOnline, Service::ExchangeOnlineProtection, Service::SecurityCompliance]
                    .map(|service| cloud.surface(service));
            assert_eq!(exchange, protection, "{environment:?}");
            assert_ne!(exchange.scope, compliance.scope, "{environment:?}");
            assert!(compliance.base.contains("ps.compliance.protection."), "{environment:?}");
        }
    }
}
