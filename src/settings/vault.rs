//! The settings `vault_…`, checked together: whether there is a Vault, and how to log in to it.

use std::path::PathBuf;
use std::time::Duration;

use super::kinds::Endpoint;
use super::problem::SettingProblem;
use super::resolve::Resolved;
use super::strings::Strings;

/// Where a pod finds the token of its service account.
const SERVICE_ACCOUNT_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// A Vault, and how to log in to it.
#[derive(Clone, Debug)]
pub struct VaultSettings {
    /// Scheme, host and port.
    pub address: Endpoint,
    /// Where to log in and read, if not in the root namespace.
    pub namespace: Option<String>,
    /// Where the auth method is mounted, below `auth/`.
    pub auth_mount: String,
    /// How to log in.
    pub login: VaultLogin,
    /// Further authorities for Vault alone.
    pub ca_file: Option<PathBuf>,
    /// How long what is read is wrapped, if it is.
    pub wrap_ttl: Option<Duration>,
    /// For one request.
    pub timeout: Duration,
}

/// One way to log in to Vault, with what it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultLogin {
    /// A token that somebody else has got.
    Token {
        /// Holds it.
        file: PathBuf,
    },
    /// The token of a pod's service account.
    Kubernetes {
        /// The role.
        role: String,
        /// Holds the token.
        jwt_file: PathBuf,
    },
    /// A role id and a secret id.
    AppRole {
        /// Holds the role id.
        role_id_file: PathBuf,
        /// Holds the secret id, or what it is wrapped in.
        secret_id_file: PathBuf,
        /// What the second file holds.
        wrapped: bool,
    },
    /// Another issuer's token.
    Jwt {
        /// The role, if not Vault's default one.
        role: Option<String>,
        /// Holds the token.
        jwt_file: PathBuf,
    },
    /// A client certificate.
    Cert {
        /// The role, if Vault is not to look for one that fits.
        role: Option<String>,
        /// Holds the certificate.
        certificate_file: PathBuf,
        /// Holds its key.
        key_file: PathBuf,
    },
}

/// What stands in the settings, unchecked together.
struct Given {
    address: Option<Endpoint>,
    plain_http: bool,
    namespace: Option<String>,
    auth: Option<&'static str>,
    auth_mount: Option<String>,
    role: Option<String>,
    role_id_file: Option<PathBuf>,
    secret_id_file: Option<PathBuf>,
    wrapped: bool,
    jwt_file: Option<PathBuf>,
    token_file: Option<PathBuf>,
    certificate_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    wrap_ttl: Option<Duration>,
    timeout: Duration,
}

impl VaultSettings {
    /// Takes the rows `vault_…`. `None`: there is no Vault, or there are problems.
    pub(super) fn read(
        found: &mut Resolved,
        environment: &dyn Strings,
        problems: &mut Vec<SettingProblem>,
    ) -> Option<VaultSettings> {
        let given = Given {
            address: found.endpoint("vault_address"),
            plain_http: found.boolean("vault_plain_http"),
            namespace: found.text("vault_namespace"),
            auth: found.word_if_given("vault_auth"),
            auth_mount: found.text("vault_auth_mount"),
            role: found.text("vault_role"),
            role_id_file: found.path("vault_role_id_file"),
            secret_id_file: found.path("vault_secret_id_file"),
            wrapped: found.boolean("vault_secret_id_wrapped"),
            jwt_file: found.path("vault_jwt_file"),
            token_file: found.path("vault_token_file"),
            certificate_file: found.path("vault_certificate_file"),
            key_file: found.path("vault_key_file"),
            ca_file: found.path("vault_ca_file"),
            wrap_ttl: found.duration_if_given("vault_wrap_ttl"),
            timeout: found.duration("vault_timeout"),
        };
        // A row that is wrong by itself has its message, and none about what else would be missing.
        if problems.iter().any(|problem| problem.key.as_deref().is_some_and(|key| key.starts_with("vault_")))
        {
            return None;
        }
        let mut blame = |key: &'static str, message: String| {
            problems.push(SettingProblem::new(found.origin(key), key, message));
        };
        let Some(address) = given.address.clone() else {
            if given.auth.is_some() {
                let set = environment.get("VAULT_ADDR").is_some_and(|value| !value.is_empty());
                let hint = if set { "; VAULT_ADDR is set, but not read" } else { "" };
                blame("vault_auth", format!("wants `vault_address` beside it{hint}"));
            }
            return None;
        };
        if address.is_plain() && !given.plain_http {
            blame(
                "vault_address",
                "is http; secrets would cross the network readable. Write https, or set `vault_plain_http` to true if a \
                 proxy beside the program speaks TLS"
                    .to_owned(),
            );
        }
        if address.has_path() {
            blame("vault_address", "has a path; write scheme, host and port only".to_owned());
        }
        for (key, text) in [("vault_namespace", &given.namespace), ("vault_auth_mount", &given.auth_mount)] {
            if text.as_deref().is_some_and(|text| !is_path(text)) {
                blame(key, "wants names with `/` between, such as `team/production`".to_owned());
            }
        }
        let Some(method) = given.auth else {
            let set = environment.get("VAULT_TOKEN").is_some_and(|value| !value.is_empty());
            let hint = match set {
                true => {
                    "; VAULT_TOKEN is set, but not read: keep the token in a file, with `vault_auth: token`"
                }
                false => "",
            };
            blame(
                "vault_address",
                format!(
                    "wants `vault_auth` beside it: `token`, `kubernetes`, `approle`, `jwt` or `cert`{hint}"
                ),
            );
            return None;
        };
        let login = match given.login(method) {
            Ok(login) => login,
            Err(missing) => {
                let missing: Vec<String> = missing.iter().map(|key| format!("`{key}`")).collect();
                blame("vault_auth", format!("with `{method}` wants {} beside it", missing.join(" and ")));
                return None;
            }
        };
        Some(VaultSettings {
            address,
            namespace: given.namespace.map(|name| name.trim_matches('/').to_owned()),
            auth_mount: given.auth_mount.map_or_else(
                || method.to_owned(),
                |mount| mount.trim_matches('/').trim_start_matches("auth/").to_owned(),
            ),
            login,
            ca_file: given.ca_file,
            wrap_ttl: given.wrap_ttl,
            timeout: given.timeout,
        })
    }
}

impl Given {
    /// The way to log in, or every setting that it lacks.
    fn login(&self, method: &str) -> Result<VaultLogin, Vec<&'static str>> {
        let mut missing = Vec::new();
        let mut file = |key: &'static str, file: &Option<PathBuf>| {
            file.clone().unwrap_or_else(|| {
                missing.push(key);
                PathBuf::new()
            })
        };
        let login = match method {
            "kubernetes" => {
                let jwt_file = self.jwt_file.clone().unwrap_or_else(|| SERVICE_ACCOUNT_TOKEN.into());
                let Some(role) = self.role.clone() else { return Err(vec!["vault_role"]) };
                VaultLogin::Kubernetes { role, jwt_file }
            }
            "approle" => VaultLogin::AppRole {
                role_id_file: file("vault_role_id_file", &self.role_id_file),
                secret_id_file: file("vault_secret_id_file", &self.secret_id_file),
                wrapped: self.wrapped,
            },
            "jwt" => {
                VaultLogin::Jwt { role: self.role.clone(), jwt_file: file("vault_jwt_file", &self.jwt_file) }
            }
            "cert" => VaultLogin::Cert {
                role: self.role.clone(),
                certificate_file: file("vault_certificate_file", &self.certificate_file),
                key_file: file("vault_key_file", &self.key_file),
            },
            _ => VaultLogin::Token { file: file("vault_token_file", &self.token_file) },
        };
        if missing.is_empty() { Ok(login) } else { Err(missing) }
    }
}

/// Names with `/` between, which can stand in an address and a header.
fn is_path(text: &str) -> bool {
    let good = |name: &str| {
        !matches!(name, "" | "." | "..")
            && name.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#%\\".contains(&byte))
    };
    text.trim_matches('/').split('/').all(good)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::settings::Settings;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn problems(flags: &[(&str, &str)], environment: &[(&str, &str)]) -> Vec<String> {
        let settings = Settings::load(map(flags), &map(environment), None);
        settings.expect_err("these settings are wrong").iter().map(ToString::to_string).collect()
    }

    const ADDRESS: (&str, &str) = ("vault_address", "https://vault.example:8200");

    #[test]
    fn a_method_names_everything_that_it_lacks_at_once() {
        for (method, wanted) in [
            ("approle", "wants `vault_role_id_file` and `vault_secret_id_file` beside it"),
            ("cert", "wants `vault_certificate_file` and `vault_key_file` beside it"),
            ("jwt", "wants `vault_jwt_file` beside it"),
            ("kubernetes", "wants `vault_role` beside it"),
            ("token", "wants `vault_token_file` beside it"),
        ] {
            let found = problems(&[ADDRESS, ("vault_auth", method)], &[]);
            assert_eq!(found, [format!("--vault-auth: with `{method}` {wanted}")]);
        }
    }

    #[test]
    fn vaults_own_variables_are_not_read_but_noticed() {
        let found = problems(&[ADDRESS], &[("VAULT_TOKEN", "canary")]);
        assert!(
            found[0].contains("VAULT_TOKEN is set, but not read") && !found[0].contains("canary"),
            "{found:?}"
        );
        let found = problems(&[("vault_auth", "token")], &[("VAULT_ADDR", "https://canary")]);
        assert!(
            found[0].contains("VAULT_ADDR is set, but not read") && !found[0].contains("canary"),
            "{found:?}"
        );
        let settings =
            Settings::load(map(&[]), &map(&[("VAULT_ADDR", "https://v"), ("VAULT_TOKEN", "t")]), None);
        assert!(settings.unwrap().vault.is_none());
    }

    #[test]
    fn http_is_for_loopback_unless_a_setting_says_otherwise() {
        let token = [("vault_auth", "token"), ("vault_token_file", "/token")];
        let load = |more: &[(&str, &str)]| Settings::load(map(&[&token, more].concat()), &map(&[]), None);
        assert!(load(&[("vault_address", "http://127.0.0.1:8200")]).is_ok());
        assert!(load(&[("vault_address", "http://vault:8200")]).is_err());
        assert!(load(&[("vault_address", "http://vault:8200"), ("vault_plain_http", "true")]).is_ok());
        assert!(load(&[("vault_address", "https://vault/prefix")]).is_err());
        assert!(load(&[ADDRESS, ("vault_namespace", "a/../b")]).is_err());
    }

    #[test]
    fn mounts_have_their_methods_name_unless_told() {
        let flags = [ADDRESS, ("vault_auth", "jwt"), ("vault_jwt_file", "/t"), ("vault_namespace", "/team/")];
        let vault = Settings::load(map(&flags), &map(&[]), None).unwrap().vault.unwrap();
        assert_eq!((vault.auth_mount.as_str(), vault.namespace.as_deref()), ("jwt", Some("team")));
        let flags = [&flags[..], &[("vault_auth_mount", "auth/gitlab/")]].concat();
        let vault = Settings::load(map(&flags), &map(&[]), None).unwrap().vault.unwrap();
        assert_eq!(vault.auth_mount, "gitlab");
    }
}
