//! The endpoints file: clouds that are not among Microsoft's names, in the flat form of a settings file.
//!
//! `NAME.login`, `NAME.exchange` and so on stand one a line. The file is the platform's, as all settings are: whoever
//! writes a job only names one of its clouds.

use std::collections::BTreeMap;
use std::path::Path;

use super::file;
use super::kinds::Endpoint;
use super::problem::{Origin, SettingProblem};
use super::strings::near;

/// The keys below a name.
const KEYS: [&str; 6] =
    ["login", "exchange", "compliance", "exchange_scope", "compliance_scope", "redirect_hosts"];

/// What users carry from the old protocol's `ConnectionUri`. Source: protocol reference, 5.
const OLD_PATHS: [&str; 2] = ["/powershell-liveid", "/powershell"];

/// The module's `-AzureADAuthorizationEndpointUri` names no tenant.
const LOGIN_PATHS: [&str; 2] = ["/organizations", "/common"];

/// Words of Microsoft's names, and the names that may hold them. Source: protocol reference, 1.1 and 1.2.
const WORDS: [&str; 4] = ["microsoftonline", "office365", "outlook", "sovcloud"];
const SUFFIXES: [&str; 12] = [
    "microsoftonline.com",
    "microsoftonline.us",
    "microsoftonline.cn",
    "microsoftonline.de",
    "office365.com",
    "office365.us",
    "outlook.com",
    "outlook.cn",
    "outlook.de",
    "outlook.office.com",
    "outlook.office.de",
    "outlook.cloud.microsoft",
];
/// Clouds of partners, each with a zone of its own.
const PARTNERS: [&str; 4] = ["sovcloud.fr", "sovcloud.de", "sovcloud-identity.fr", "sovcloud-identity.de"];

/// A cloud of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnCloud {
    /// Where to sign in.
    pub login: String,
    /// Where Exchange Online and standalone protection answer.
    pub exchange: String,
    /// Where Security & Compliance answers, if it does.
    pub compliance: Option<String>,
    /// The scope of Exchange's tokens.
    pub exchange_scope: String,
    /// The scope of Security & Compliance's tokens.
    pub compliance_scope: Option<String>,
    /// Hosts below which the services may send us.
    pub redirect_hosts: Vec<String>,
}

/// Clouds by the names that jobs give as `environment`.
pub type OwnClouds = BTreeMap<String, OwnCloud>;

/// Reads the file; every mistake with its place.
pub(super) fn read(path: &Path, problems: &mut Vec<SettingProblem>) -> OwnClouds {
    let mut values: BTreeMap<String, (Origin, BTreeMap<&'static str, String>)> = BTreeMap::new();
    for entry in file::read(path, problems) {
        let mut wrong = |origin: &Origin, why: String| {
            problems.push(SettingProblem::new(origin.clone(), &entry.key, why));
        };
        let Some((name, key)) = entry.key.rsplit_once('.').filter(|(name, _)| is_name(name)) else {
            let why =
                "is no `NAME.KEY`: the name is one of lower-case letters, digits and hyphens".to_owned();
            wrong(&entry.key_origin, why);
            continue;
        };
        let Some(key) = KEYS.into_iter().find(|known| *known == key) else {
            let help = near(key, KEYS.into_iter()).map_or_else(
                || format!("the keys are {}", KEYS.join(", ")),
                |near| format!("did you mean `{name}.{near}`?"),
            );
            wrong(&entry.key_origin, format!("is no key of a cloud; {help}"));
            continue;
        };
        match value(key, &entry.text) {
            Err(why) => wrong(&entry.origin, why),
            Ok(value) => {
                let (_, keys) = values
                    .entry(name.to_owned())
                    .or_insert_with(|| (entry.key_origin.clone(), BTreeMap::new()));
                if keys.insert(key, value).is_some() {
                    wrong(&entry.key_origin, "stands here a second time".to_owned());
                }
            }
        }
    }
    let mut clouds = OwnClouds::new();
    for (name, (origin, mut keys)) in values {
        let (Some(login), Some(exchange)) = (keys.remove("login"), keys.remove("exchange")) else {
            let why = format!("the cloud needs both `{name}.login` and `{name}.exchange`");
            problems.push(SettingProblem::general(origin, why));
            continue;
        };
        let scope_of = |base: &String| format!("{base}/.default");
        let compliance = keys.remove("compliance");
        let hosts = keys.remove("redirect_hosts").unwrap_or_default();
        let cloud = OwnCloud {
            exchange_scope: keys.remove("exchange_scope").unwrap_or_else(|| scope_of(&exchange)),
            compliance_scope: keys.remove("compliance_scope").or_else(|| compliance.as_ref().map(scope_of)),
            redirect_hosts: hosts.split(' ').filter(|host| !host.is_empty()).map(str::to_owned).collect(),
            login,
            exchange,
            compliance,
        };
        clouds.insert(name, cloud);
    }
    clouds
}

/// # Errors
/// What is wrong, without the value.
fn value(key: &str, text: &str) -> Result<String, String> {
    match key {
        "login" => base(text, &LOGIN_PATHS),
        "exchange" | "compliance" => base(text, &OLD_PATHS),
        "redirect_hosts" => {
            let hosts = text.split([',', ' ']).filter(|host| !host.is_empty()).map(|host| {
                let host = host.trim_start_matches("*.").trim_start_matches('.').to_ascii_lowercase();
                let is_host = host.contains('.')
                    && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
                if !is_host {
                    return Err("wants host names with commas between".to_owned());
                }
                not_alike(&host).map(|()| host)
            });
            Ok(hosts.collect::<Result<Vec<_>, _>>()?.join(" "))
        }
        _ => match text.starts_with("https://") && !text.contains(char::is_whitespace) {
            true => Ok(text.to_owned()),
            false => Err("wants a scope, such as `https://HOST/.default`".to_owned()),
        },
    }
}

/// A scheme, a host and perhaps a port. Plain http is for loopback only.
fn base(text: &str, paths: &[&str]) -> Result<String, String> {
    let endpoint = Endpoint::parse(text)?;
    let (scheme, rest) = endpoint.as_str().split_once("://").unwrap_or(("", endpoint.as_str()));
    let (authority, path) = match rest.find('/') {
        Some(at) => (&rest[..at], rest[at..].trim_end_matches('/').to_ascii_lowercase()),
        None => (rest, String::new()),
    };
    if !path.is_empty() && !paths.contains(&path.as_str()) {
        return Err("holds a path; a cloud's address is `https://HOST`".to_owned());
    }
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    not_alike(&host.to_ascii_lowercase())?;
    Ok(format!("{scheme}://{authority}"))
}

/// Refuses a host that looks like one of Microsoft's and is none: credentials would go to somebody else.
fn not_alike(host: &str) -> Result<(), String> {
    let is_below =
        |suffix: &&str| host.strip_suffix(*suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let looks_alike = WORDS.iter().any(|word| host.contains(word));
    if looks_alike && !SUFFIXES.iter().chain(&PARTNERS).any(is_below) {
        return Err("looks like a host of Microsoft's and is none that is known: check its spelling. If it is right, use \
                    the settings `login_endpoint`, `exchange_endpoint` and `compliance_endpoint`"
            .to_owned());
    }
    Ok(())
}

fn is_name(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.len() <= 63
        && text.bytes().next().is_some_and(inner)
        && text.bytes().last().is_some_and(inner)
        && text.bytes().all(|byte| inner(byte) || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> (OwnClouds, Vec<String>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let mut problems = Vec::new();
        let clouds = read(file.path(), &mut problems);
        let path = file.path().display().to_string();
        (clouds, problems.iter().map(|problem| problem.to_string().replace(&path, "c.yaml")).collect())
    }

    #[test]
    fn a_cloud_has_its_addresses_and_its_scopes_follow() {
        let (clouds, problems) = read_text(
            "# ours\nbleu.login: https://login.sovcloud-identity.fr\nbleu.exchange: https://outlook.sovcloud.fr/PowerShell-LiveID/\n\
             bleu.redirect_hosts: \"*.outlook.sovcloud.fr, outlook.sovcloud.fr\"\nlab.login: http://127.0.0.1:1\nlab.exchange: \
             https://lab.example:8443\nlab.exchange_scope: https://lab.example/.default\nlab.compliance: https://scc.example\n",
        );
        assert_eq!(problems, [""; 0]);
        let bleu = &clouds["bleu"];
        assert_eq!(
            (bleu.exchange.as_str(), bleu.exchange_scope.as_str(), &bleu.compliance),
            ("https://outlook.sovcloud.fr", "https://outlook.sovcloud.fr/.default", &None)
        );
        assert_eq!(bleu.redirect_hosts, ["outlook.sovcloud.fr", "outlook.sovcloud.fr"]);
        let lab = &clouds["lab"];
        assert_eq!(lab.compliance_scope.as_deref(), Some("https://scc.example/.default"));
        assert_eq!(
            (lab.login.as_str(), lab.exchange.as_str()),
            ("http://127.0.0.1:1", "https://lab.example:8443")
        );
    }

    #[test]
    fn every_mistake_is_told_with_its_place_and_without_the_value() {
        for (line, words) in [
            ("a.login: http://login.example", "is http; a token would cross the network readable"),
            ("a.login: https://user:canary@login.example", "holds a user name or password"),
            ("a.login: https://login.example/canary", "holds a path"),
            ("a.login: https://login.microsoftonline.com.canary.example", "looks like a host of Microsoft's"),
            ("a.login: https://login.microsoft0nline-outlook.example", "looks like a host of Microsoft's"),
            ("a.exchange: https://outlook.offlce365.com", "looks like a host of Microsoft's"),
            ("a.redirect_hosts: canary.office365.example", "looks like a host of Microsoft's"),
            ("a.redirect_hosts: https://x.example", "wants host names"),
            ("a.exchange_scope: canary", "wants a scope"),
            ("a.logn: https://x.example", "did you mean `a.login`?"),
            ("A.login: https://x.example", "is no `NAME.KEY`"),
            ("login: https://x.example", "is no `NAME.KEY`"),
            ("a.login: https://x.example", "needs both `a.login` and `a.exchange`"),
        ] {
            let (clouds, problems) = read_text(&format!("{line}\n"));
            assert_eq!((clouds.len(), problems.len()), (0, 1), "{line}: {problems:?}");
            assert!(problems[0].starts_with("c.yaml:1:") && problems[0].contains(words), "{problems:?}");
            assert!(!problems[0].contains("canary"), "{problems:?}");
        }
        let twice = read_text(
            "a.login: https://x.example\na.login: https://y.example\na.exchange: https://z.example\n",
        );
        assert!(twice.1[0].contains("a second time"), "{:?}", twice.1);
    }
}
