//! The clouds that an emulator can be: names, regions and audiences. Source: protocol reference, 1.1 and 1.2.

use std::str::FromStr;

/// Which cloud the tenant lives in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cloud {
    /// Worldwide.
    #[default]
    Worldwide,
    /// US Government GCC: the worldwide addresses, and a sub-scope that says so.
    Gcc,
    /// US Government GCC High.
    GccHigh,
    /// US Government DoD.
    Dod,
    /// Operated by 21Vianet.
    China,
    /// Microsoft Cloud Deutschland as it was: closed in 2021, and of use to try how a job that names it is refused.
    Germany,
}

/// What is known of a cloud.
pub(super) struct Names {
    /// As `--cloud` spells it: the module's name of the environment, or GCC.
    word: &'static str,
    /// Host of the sign-in service.
    pub(super) login: &'static str,
    /// Host of Exchange Online.
    pub(super) exchange: &'static str,
    /// Global host of Security & Compliance.
    pub(super) compliance: &'static str,
    /// What follows a region's name where the global host sends its callers.
    pub(super) admin: &'static str,
    /// `tenant_region_scope`.
    pub(super) region_scope: &'static str,
    /// `tenant_region_sub_scope`, if there is one.
    pub(super) region_sub_scope: Option<&'static str>,
}

const WORLDWIDE: Names = Names {
    word: "O365Default",
    login: "login.microsoftonline.com",
    exchange: "outlook.office365.com",
    compliance: "ps.compliance.protection.outlook.com",
    admin: "admin.protection.outlook.com",
    region_scope: "AS",
    region_sub_scope: None,
};

const GCC_HIGH: Names = Names {
    word: "O365USGovGCCHigh",
    login: "login.microsoftonline.us",
    exchange: "outlook.office365.us",
    compliance: "ps.compliance.protection.office365.us",
    admin: "admin.protection.office365.us",
    region_scope: "USGov",
    region_sub_scope: Some("DODCON"),
};

const NAMES: [Names; 6] = [
    WORLDWIDE,
    Names { word: "GCC", region_scope: "NA", region_sub_scope: Some("GCC"), ..WORLDWIDE },
    GCC_HIGH,
    Names {
        word: "O365USGovDoD",
        exchange: "outlook-dod.office365.us",
        compliance: "l5.ps.compliance.protection.office365.us",
        region_sub_scope: Some("DOD"),
        ..GCC_HIGH
    },
    Names {
        word: "O365China",
        login: "login.partner.microsoftonline.cn",
        exchange: "partner.outlook.cn",
        compliance: "ps.compliance.protection.partner.outlook.cn",
        admin: "admin.protection.partner.outlook.cn",
        region_scope: "AS",
        region_sub_scope: None,
    },
    Names {
        word: "O365GermanyCloud",
        login: "login.microsoftonline.de",
        exchange: "outlook.office.de",
        compliance: "ps.compliance.protection.outlook.de",
        admin: "admin.protection.outlook.de",
        region_scope: "EU",
        region_sub_scope: None,
    },
];

impl Names {
    /// What follows a region's name in the host that serves: DoD's global host is itself below it.
    pub(super) fn compliance_regions(&self) -> &'static str {
        self.compliance.strip_prefix("l5.").unwrap_or(self.compliance)
    }
}

impl Cloud {
    /// In the order of [`NAMES`].
    const ALL: [Cloud; 6] =
        [Cloud::Worldwide, Cloud::Gcc, Cloud::GccHigh, Cloud::Dod, Cloud::China, Cloud::Germany];

    pub(super) fn names(self) -> &'static Names {
        &NAMES[self as usize]
    }

    /// As `--cloud` spells it.
    pub fn as_str(self) -> &'static str {
        self.names().word
    }

    /// Hosts for which the emulator's certificate is good, of all clouds.
    pub(super) fn certified() -> Vec<String> {
        let mut names: Vec<String> = NAMES
            .iter()
            .flat_map(|names| {
                [
                    names.login.to_owned(),
                    names.exchange.to_owned(),
                    format!("*.{}", names.exchange),
                    names.compliance.to_owned(),
                    format!("*.{}", names.compliance_regions()),
                    format!("*.{}", names.admin),
                ]
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

impl FromStr for Cloud {
    type Err = String;

    fn from_str(text: &str) -> Result<Cloud, String> {
        let found = Cloud::ALL.into_iter().find(|cloud| cloud.as_str().eq_ignore_ascii_case(text));
        found.ok_or_else(|| {
            let words: Vec<&str> = Cloud::ALL.into_iter().map(Cloud::as_str).collect();
            format!("`{text}` is none of {}", words.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cloud_is_found_by_its_name() {
        for cloud in Cloud::ALL {
            assert_eq!(cloud.as_str().parse(), Ok(cloud));
        }
        assert!("O365".parse::<Cloud>().unwrap_err().contains("O365USGovDoD"));
        let certified = Cloud::certified();
        assert!(certified.contains(&"*.ps.compliance.protection.office365.us".to_owned()), "{certified:?}");
    }
}
