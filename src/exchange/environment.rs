//! The clouds: where each signs in and answers. Source: protocol reference, 1.1.

use crate::spec::job::Environment;

/// The addresses of one cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cloud {
    /// Base of the sign-in addresses.
    pub login: &'static str,
    /// Base of the service's REST addresses.
    pub exchange: &'static str,
    /// What a token is asked for.
    pub scope: &'static str,
}

/// The addresses of `environment`.
///
/// # Errors
/// The reason, for a cloud that no longer exists.
pub fn cloud(environment: Environment) -> Result<Cloud, String> {
    match environment {
        Environment::O365Default => Ok(Cloud {
            login: "https://login.microsoftonline.com",
            exchange: "https://outlook.office365.com",
            scope: "https://outlook.office365.com/.default",
        }),
        Environment::O365USGovGCCHigh => Ok(Cloud {
            login: "https://login.microsoftonline.us",
            exchange: "https://outlook.office365.us",
            scope: "https://outlook.office365.us/.default",
        }),
        Environment::O365USGovDoD => Ok(Cloud {
            login: "https://login.microsoftonline.us",
            exchange: "https://outlook-dod.office365.us",
            scope: "https://outlook-dod.office365.us/.default",
        }),
        // The documentation names two hosts for China; this is the module's. The setting `exchange_endpoint`
        // takes the other.
        Environment::O365China => Ok(Cloud {
            login: "https://login.partner.microsoftonline.cn",
            exchange: "https://partner.outlook.cn",
            scope: "https://partner.outlook.cn/.default",
        }),
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
    fn a_scope_is_its_clouds_resource() {
        for environment in Environment::ALL {
            match cloud(environment) {
                Ok(cloud) => assert_eq!(cloud.scope, format!("{}/.default", cloud.exchange)),
                Err(why) => assert!(why.contains("2021-10-29"), "{why}"),
            }
        }
    }
}
