//! The settings `pushgateway_…`, checked together: where a run's metrics are pushed, if they are.

use std::time::Duration;

use super::kinds::Endpoint;
use super::problem::SettingProblem;
use super::resolve::Resolved;
use crate::observe::push::Credential;

/// A Pushgateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushSettings {
    /// Where it is.
    pub url: Endpoint,
    /// What it wants to see.
    pub credential: Credential,
    /// For a push, whatever happens.
    pub timeout: Duration,
}

const URL: &str = "pushgateway_url";
const TOKEN: &str = "pushgateway_token_file";
const BASIC: &str = "pushgateway_basic_auth_file";

impl PushSettings {
    /// Takes the rows. `None`: nothing is pushed, or there are problems.
    pub(super) fn read(found: &mut Resolved, problems: &mut Vec<SettingProblem>) -> Option<PushSettings> {
        let url = found.endpoint(URL);
        let (token, basic) = (found.path(TOKEN), found.path(BASIC));
        let timeout = found.duration("pushgateway_timeout");
        let mut blame = |key: &'static str, message: &str| {
            problems.push(SettingProblem::new(found.origin(key), key, message));
        };
        let credential = match (token, basic) {
            (None, None) => Credential::None,
            (Some(file), None) => Credential::Bearer(file),
            (None, Some(file)) => Credential::Basic(file),
            (Some(_), Some(_)) => {
                blame(BASIC, "stands beside `pushgateway_token_file`; a gateway takes one of them");
                return None;
            }
        };
        let url = url?;
        if credential != Credential::None && url.is_plain() {
            blame(URL, "is http; the credential would cross the network readable. Write https");
            return None;
        }
        Some(PushSettings { url, credential, timeout })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use crate::observe::push::Credential;
    use crate::settings::{PushSettings, Settings};

    fn load(flags: &[(&str, &str)]) -> Result<Option<PushSettings>, Vec<String>> {
        let flags = flags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let settings = Settings::load(flags, &BTreeMap::<String, String>::new(), None);
        settings
            .map(|settings| settings.pushgateway)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn nothing_is_pushed_by_default_and_plain_http_is_for_gateways_without_a_credential() {
        assert_eq!(load(&[]), Ok(None));
        let plain = load(&[("pushgateway_url", "http://push.example:9091/")]).unwrap().unwrap();
        assert_eq!(plain.url.as_str(), "http://push.example:9091");
        assert_eq!((plain.credential, plain.timeout), (Credential::None, Duration::from_secs(5)));
        let token = [("pushgateway_url", "https://push.example"), ("pushgateway_token_file", "/token")];
        assert_eq!(load(&token).unwrap().unwrap().credential, Credential::Bearer("/token".into()));
    }

    #[test]
    fn every_mistake_says_what_is_wanted_and_shows_no_secret() {
        for (flags, wanted) in [
            (
                &[("pushgateway_url", "http://canary:canary@push.example")][..],
                "holds a user name or password",
            ),
            (&[("pushgateway_url", "http://push.example"), ("pushgateway_token_file", "/t")], "is http"),
            (
                &[
                    ("pushgateway_url", "https://push.example"),
                    ("pushgateway_token_file", "/t"),
                    ("pushgateway_basic_auth_file", "/b"),
                ],
                "a gateway takes one of them",
            ),
            (&[("pushgateway_url", "push.example")], "is no URL"),
            (&[("pushgateway_timeout", "10m")], "wants a duration"),
        ] {
            let problems = load(flags).unwrap_err();
            assert!(problems.len() == 1 && problems[0].contains(wanted), "{problems:?}");
            assert!(!problems[0].contains("canary"), "{problems:?}");
        }
    }
}
