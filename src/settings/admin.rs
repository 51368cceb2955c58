//! The settings `admin_…`, checked together: where the admin server listens, if it does, and who may ask.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::problem::SettingProblem;
use super::resolve::Resolved;

/// The admin server of `exorun serve`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminSettings {
    /// Where it listens.
    pub address: SocketAddr,
    /// Holds the bearer token, if one is wanted.
    pub token_file: Option<PathBuf>,
    /// Certificate and key, if it speaks TLS.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Connections at a time.
    pub connections_max: u32,
}

impl AdminSettings {
    /// Takes the rows `admin_…`. `None`: it is off, or there are problems.
    pub(super) fn read(found: &mut Resolved, problems: &mut Vec<SettingProblem>) -> Option<AdminSettings> {
        let address = found.listener("admin_address");
        let token_file = found.path("admin_token_file");
        let connections_max = found.count("admin_connections_max");
        let tls = match (found.path("admin_tls_certificate"), found.path("admin_tls_key")) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            // A row that is wrong by itself has its message, and is not missing.
            _ if problems
                .iter()
                .any(|problem| problem.key.as_deref().is_some_and(|key| key.starts_with("admin_tls_"))) =>
            {
                None
            }
            (Some(_), None) => {
                let (key, message) = ("admin_tls_certificate", "wants `admin_tls_key` beside it");
                problems.push(SettingProblem::new(found.origin(key), key, message));
                None
            }
            (None, Some(_)) => {
                let (key, message) = ("admin_tls_key", "wants `admin_tls_certificate` beside it");
                problems.push(SettingProblem::new(found.origin(key), key, message));
                None
            }
        };
        Some(AdminSettings { address: address?, token_file, tls, connections_max })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use crate::settings::{AdminSettings, Settings};

    fn load(flags: &[(&str, &str)]) -> Result<Option<AdminSettings>, Vec<String>> {
        let flags = flags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let settings = Settings::load(flags, &BTreeMap::<String, String>::new(), None);
        settings
            .map(|settings| settings.admin)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn by_default_it_is_for_this_host_and_it_can_be_off() {
        let address = "127.0.0.1:9464".parse().unwrap();
        let plain = AdminSettings { address, token_file: None, tls: None, connections_max: 64 };
        assert_eq!(load(&[]), Ok(Some(plain)));
        assert_eq!(load(&[("admin_address", "off")]), Ok(None));
        let found =
            load(&[("admin_address", "[::]:1"), ("admin_tls_certificate", "c"), ("admin_tls_key", "k")]);
        let tls = Some((PathBuf::from("c"), PathBuf::from("k")));
        let found = found.unwrap().unwrap();
        assert_eq!((found.address.to_string().as_str(), found.tls), ("[::]:1", tls));
    }

    #[test]
    fn every_mistake_says_what_is_wanted() {
        for (flags, wanted) in [
            (&[("admin_address", "9464")][..], "--admin-address: wants `off`, or an IP address with a port"),
            (
                &[("admin_address", "localhost:9464")],
                "--admin-address: wants `off`, or an IP address with a port",
            ),
            (
                &[("admin_address", "127.0.0.1:70000")],
                "--admin-address: wants `off`, or an IP address with a port",
            ),
            (&[("admin_tls_certificate", "c")], "--admin-tls-certificate: wants `admin_tls_key` beside it"),
            (&[("admin_tls_key", "c")], "--admin-tls-key: wants `admin_tls_certificate` beside it"),
            (&[("admin_tls_key", " "), ("admin_tls_certificate", "c")], "--admin-tls-key: is empty"),
            (
                &[("admin_connections_max", "0")],
                "--admin-connections-max: wants a whole number from 1 to 10000",
            ),
        ] {
            let problems = load(flags).unwrap_err();
            assert!(problems.len() == 1 && problems[0].starts_with(wanted), "{problems:?}");
        }
    }
}
