//! Where the services may send us: a token follows a redirect only to a host of the same family.
//! Source: protocol reference, 1.2 and 8.

use super::transport::Origin;

/// What the names of Security & Compliance hosts have in common: `nam12b.ps.compliance.protection.outlook.com`.
const COMPLIANCE: &str = "ps.compliance.";
/// The hosts that its redirects name, on a port that cannot be reached from outside.
const ADMIN: &str = "admin.";

/// The hosts that may follow from a service's base address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family(Vec<String>);

impl Family {
    /// The families of these base hosts: the one in use, and the environment's own if another was set.
    pub fn of(bases: impl IntoIterator<Item = String>) -> Family {
        Family(bases.into_iter().map(|host| host.to_ascii_lowercase()).collect())
    }

    /// Where a redirect from `from` to `location` leads, if a token may go there.
    ///
    /// # Errors
    /// Why it may not, in words.
    pub(super) fn follow(&self, from: &Origin, location: &str) -> Result<Origin, String> {
        if location.starts_with('/') && !location.starts_with("//") {
            return Err("it leads round to the same host".to_owned());
        }
        let to = Origin::parse(location)?;
        let next = self.0.iter().find_map(|base| sibling(base, &to));
        match next {
            None => Err(format!("{} is no host of this service", to.host())),
            Some(next) if next == *from => Err("it leads round to the same host".to_owned()),
            Some(next) => Ok(next),
        }
    }
}

/// `location` as a regional host beside `base`.
fn sibling(base: &str, location: &Origin) -> Option<Origin> {
    let host = location.host().to_ascii_lowercase();
    let Some((_, family)) = base.split_once(COMPLIANCE) else {
        let region = host.strip_suffix(base)?.strip_suffix('.')?;
        return (is_label(region) && location.port() == HTTPS).then(|| Origin::new(host, HTTPS));
    };
    let first_of = |kind: &str| host.strip_suffix(family)?.strip_suffix(kind)?.strip_suffix('.');
    let region = match first_of(COMPLIANCE) {
        Some(region) => (location.port() == HTTPS).then_some(region)?,
        // Port 446 is for the service's inside; the region answers the world on 443 under another name.
        None => first_of(ADMIN)?,
    };
    is_label(region).then(|| Origin::new(format!("{region}.{COMPLIANCE}{family}"), HTTPS))
}

const HTTPS: u16 = 443;

fn is_label(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Whether this host is Security & Compliance's global one, which only says where the tenant's region is.
pub(super) fn is_global_compliance(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    host.starts_with(COMPLIANCE) || host.starts_with("l5.ps.compliance.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLIANCE_BASE: &str = "ps.compliance.protection.outlook.com";
    const EXCHANGE_BASE: &str = "outlook.office365.com";

    fn followed(base: &str, location: &str) -> Result<String, String> {
        let from = Origin::parse(&format!("https://{base}")).unwrap();
        Family::of([base.to_owned()]).follow(&from, location).map(|origin| origin.to_string())
    }

    #[test]
    fn the_regions_of_both_services_are_followed() {
        for (base, location, expected) in [
            (
                COMPLIANCE_BASE,
                "https://nam12b.admin.protection.outlook.com:446/adminapi/v1.0/t/EXOModuleFile",
                "https://nam12b.ps.compliance.protection.outlook.com",
            ),
            (
                COMPLIANCE_BASE,
                "https://eur02b.ps.compliance.protection.outlook.com/x",
                "https://eur02b.ps.compliance.protection.outlook.com",
            ),
            (
                "l5.ps.compliance.protection.office365.us",
                "https://usg01b.admin.protection.office365.us:446/",
                "https://usg01b.ps.compliance.protection.office365.us",
            ),
            (
                EXCHANGE_BASE,
                "https://eurprd04.outlook.office365.com/adminapi",
                "https://eurprd04.outlook.office365.com",
            ),
        ] {
            assert_eq!(followed(base, location).as_deref(), Ok(expected), "{location}");
        }
    }

    #[test]
    fn a_token_goes_nowhere_else() {
        for location in [
            "https://evil.example/nam12b.ps.compliance.protection.outlook.com",
            "https://nam12b.admin.protection.outlook.com.evil.example:446/",
            "https://nam12b.evil.protection.outlook.com/",
            "https://a.b.ps.compliance.protection.outlook.com/",
            "https://nam12b.ps.compliance.protection.outlook.com:8443/",
            "https://nam12b@evil.example/",
            "https://user:nam12b.ps.compliance.protection.outlook.com@evil.example/",
            "http://nam12b.ps.compliance.protection.outlook.com/",
            "https://ps.compliance.protection.outlook.com/",
            "https://eurprd04.outlook.office365.com/",
            "//evil.example/",
            "/adminapi/beta",
            "nam12b.ps.compliance.protection.outlook.com",
            "",
        ] {
            assert!(followed(COMPLIANCE_BASE, location).is_err(), "{location}");
        }
        for location in [
            "https://outlook.office365.com.evil.example/",
            "https://eviloutlook.office365.com/",
            "https://outlook.office365.com/",
        ] {
            assert!(followed(EXCHANGE_BASE, location).is_err(), "{location}");
        }
    }

    #[test]
    fn the_global_hosts_are_known_and_a_region_is_none() {
        assert!(is_global_compliance(COMPLIANCE_BASE));
        assert!(is_global_compliance("L5.ps.compliance.protection.office365.us"));
        assert!(!is_global_compliance("nam12b.ps.compliance.protection.outlook.com"));
        assert!(!is_global_compliance(EXCHANGE_BASE));
    }
}
