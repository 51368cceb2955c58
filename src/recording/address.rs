//! What of a request's address and of the headers is recorded. Headers that are not named here are left out.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use hyper::HeaderMap;
use regex::Regex;

use super::scrub::{REMOVED, Scrubber};
use super::stand_ins::Class;

/// Stands for the service's address in links. A replay puts its own in.
const SERVICE: &str = "https://service.invalid";

/// Words of the service's paths. Source: protocol reference, 2.2, 3.2 and 3.13.
const PATH_WORDS: [&str; 20] = [
    "metadata",
    "identity",
    "",
    "adminapi",
    "beta",
    "v1.0",
    "v2.0",
    "invokecommand",
    "exomodulefile",
    "oauth2",
    "token",
    "devicecode",
    ".well-known",
    "openid-configuration",
    "organizations",
    "common",
    "userrealm",
    "revoke",
    "$batch",
    "$metadata",
];

/// Headers of requests whose values say nothing of anybody.
const REQUEST_HEADERS: [&str; 13] = [
    "accept",
    "accept-encoding",
    "content-type",
    "prefer",
    "user-agent",
    "warningaction",
    "erroraction",
    "parameter-based-routing",
    "x-clientapplication",
    "x-cmdletname",
    "x-responseformat",
    "client-request-id",
    "connection-id",
];

/// The same of answers.
const ANSWER_HEADERS: [&str; 12] = [
    "content-type",
    "content-encoding",
    "retry-after",
    "odata-version",
    "preference-applied",
    "rate-limit-limit",
    "rate-limit-remaining",
    "rate-limit-reset",
    "x-backendhttpstatus",
    "x-concurrencycount",
    "client-request-id",
    "vary",
];

/// A challenge of continuous access evaluation without what it was about: `{"access_token":{}}`.
const CLAIMS: &str = "eyJhY2Nlc3NfdG9rZW4iOnt9fQ==";

static PARAMETER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"([a-z_]+)="([^"]*)""#).expect("a pattern of our own"));
static DIAGNOSTICS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^(\d{1,9});reason="(.*)";error_category="([a-z_]{1,40})"$"#).expect("a pattern of our own")
});
static SELECT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[A-Za-z0-9_]+(?:(?:,|%2C)[A-Za-z0-9_]+)*$").expect("a pattern of our own")
});
static VERSION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\d{1,4}(?:\.\d{1,6}){0,3}$").expect("a pattern of our own"));
static CONTEXT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^Collection\((?:Exchange|Edm)\.[A-Za-z]+\)$").expect("a pattern of our own")
});
static ANCHOR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(SystemMailbox\{[0-9a-f-]{36}\}|OAuthUser)@(.+)$").expect("a pattern of our own")
});

/// What the regions of Security & Compliance are called in the redirects of its global host.
const ADMIN_HOST: &str = ".admin.protection.";
/// The region of every recording: the one that the emulator has if nobody says otherwise.
const REGION: &str = "https://nam12b.admin.protection.outlook.com:446";

impl Scrubber {
    /// A path with its query.
    pub(super) fn path(&mut self, path_and_query: &str) -> String {
        let (path, query) = match path_and_query.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path_and_query, None),
        };
        let segments: Vec<String> = path
            .split('/')
            .map(|segment| match PATH_WORDS.contains(&segment.to_ascii_lowercase().as_str()) {
                true => segment.to_owned(),
                false => self.value("", segment),
            })
            .collect();
        let mut out = segments.join("/");
        if let Some(query) = query {
            let pairs: Vec<String> = query.split('&').map(|pair| self.pair(pair)).collect();
            out.push('?');
            out.push_str(&pairs.join("&"));
        }
        out
    }

    /// One pair of a query: `$select` names properties, everything else is opaque.
    fn pair(&mut self, pair: &str) -> String {
        // Where a page goes on is the service's own secret, also where identities are kept.
        if self.keeps() && !pair.to_ascii_lowercase().contains("skiptoken") {
            return pair.to_owned();
        }
        let Some((name, value)) = pair.split_once('=') else {
            return self.stand_ins.of(Class::Page, pair);
        };
        let is_select = name.eq_ignore_ascii_case("$select") && SELECT.is_match(value);
        let name = match name.trim_start_matches("%24").trim_start_matches('$') {
            plain if plain.chars().all(|c| c.is_ascii_alphabetic()) => name.to_owned(),
            _ => self.stand_ins.of(Class::Page, name),
        };
        let is_version = name.eq_ignore_ascii_case("version") && VERSION.is_match(value);
        let value =
            if is_select || is_version { value.to_owned() } else { self.stand_ins.of(Class::Page, value) };
        format!("{name}={value}")
    }

    /// A whole address: its host goes.
    pub(super) fn url(&mut self, url: &str) -> String {
        if self.keeps() {
            return self.path(url);
        }
        let (url, fragment) = match url.split_once('#') {
            Some((url, fragment)) if CONTEXT.is_match(fragment) => (url, format!("#{fragment}")),
            Some((url, _)) => (url, String::new()),
            None => (url, String::new()),
        };
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let path = rest.find('/').map_or("", |at| &rest[at..]);
        format!("{SERVICE}{}{fragment}", self.path(path))
    }

    /// `UPN:name`, `APP:SystemMailbox{…}@tenant`: the form stays. Source: protocol reference, 3.3.
    fn anchor(&mut self, text: &str) -> String {
        let (prefix, rest) = match text.split_once(':') {
            Some((prefix, rest))
                if prefix.len() <= 8 && prefix.chars().all(|c| c.is_ascii_uppercase() || c == '-') =>
            {
                (format!("{prefix}:"), rest)
            }
            _ => (String::new(), text),
        };
        match ANCHOR.captures(rest) {
            Some(found) => format!("{prefix}{}@{}", &found[1], self.value("", &found[2])),
            None => format!("{prefix}{}", self.value("", rest)),
        }
    }

    pub(super) fn request_headers(&mut self, headers: &HeaderMap) -> BTreeMap<String, String> {
        let mut out = BTreeMap::new();
        for (name, value) in headers {
            let Ok(value) = value.to_str() else { continue };
            let recorded = match name.as_str() {
                name if REQUEST_HEADERS.contains(&name) => value.to_owned(),
                "x-anchormailbox" => self.anchor(value),
                _ => continue,
            };
            out.insert(name.as_str().to_owned(), recorded);
        }
        out
    }

    pub(super) fn answer_headers(&mut self, headers: &HeaderMap) -> BTreeMap<String, String> {
        let mut out = BTreeMap::new();
        for (name, value) in headers {
            let Ok(value) = value.to_str() else { continue };
            let recorded = match name.as_str() {
                name if ANSWER_HEADERS.contains(&name) => value.to_owned(),
                "request-id" => self.value("", value),
                "location" if value.contains(ADMIN_HOST) && !self.keeps() => {
                    self.url(value).replacen(SERVICE, REGION, 1)
                }
                "location" => self.url(value),
                "www-authenticate" => self.challenge(value),
                "x-ms-diagnostics" => match DIAGNOSTICS.captures(value) {
                    Some(found) => format!(
                        "{};reason=\"{}\";error_category=\"{}\"",
                        &found[1],
                        self.sentence(&found[2]).replace('"', "'"),
                        &found[3]
                    ),
                    None => continue,
                },
                _ => continue,
            };
            out.insert(name.as_str().to_owned(), recorded);
        }
        out
    }

    /// The challenge's parameters stay, of their values only the error.
    fn challenge(&mut self, text: &str) -> String {
        let parameters = PARAMETER.captures_iter(text).map(|found| {
            let value = match &found[1] {
                "error" if found[2].chars().all(|c| c.is_ascii_lowercase() || c == '_') => {
                    found[2].to_owned()
                }
                "realm" if found[2].is_empty() => String::new(),
                "claims" => CLAIMS.to_owned(),
                "authorization_uri" => format!("{SERVICE}/common/oauth2/authorize"),
                "error_description" => self.sentence(&found[2]).replace('"', "'"),
                _ => REMOVED.to_owned(),
            };
            format!("{}=\"{value}\"", &found[1])
        });
        format!("Bearer {}", parameters.collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::super::scrub::Identities;
    use super::*;

    #[test]
    fn addresses_keep_their_shape() {
        let mut scrubber = Scrubber::new(Identities::Replaced);
        let tenant = "3b0cf5d5-0d9e-4d4e-9d5e-000000000001";
        let stand_in = "00000000-0000-4000-8000-000000000001";
        assert_eq!(
            scrubber.path(&format!(
                "/adminapi/beta/{tenant}/InvokeCommand?$select=Name,Guid&$skiptoken=QW5uYQ.x"
            )),
            format!("/adminapi/beta/{stand_in}/InvokeCommand?$select=Name,Guid&$skiptoken=page0001")
        );
        assert_eq!(
            scrubber.url(&format!(
                "https://host.contoso.com:8443/adminapi/beta/{tenant}/InvokeCommand?$skiptoken=QW5uYQ.x"
            )),
            format!("https://service.invalid/adminapi/beta/{stand_in}/InvokeCommand?$skiptoken=page0001")
        );
        assert_eq!(
            scrubber.url(&format!(
                "https://h/adminapi/beta/{tenant}/$metadata#Collection(Exchange.GenericHashTable)"
            )),
            format!(
                "https://service.invalid/adminapi/beta/{stand_in}/$metadata#Collection(Exchange.GenericHashTable)"
            )
        );
        assert_eq!(
            scrubber.anchor(&format!("APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{tenant}")),
            format!("APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{stand_in}")
        );
        assert_eq!(scrubber.anchor("UPN:anna@contoso.com"), "UPN:user0001@domain0001.example.invalid");
    }

    #[test]
    fn only_known_headers_are_recorded() {
        let mut scrubber = Scrubber::new(Identities::Replaced);
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("set-cookie", "exchangecookie=x"),
            ("x-calculatedbetarget", "DC01.contoso.com"),
            ("retry-after", "0.5"),
            (
                "www-authenticate",
                "Bearer realm=\"\", client_id=\"x\", error=\"insufficient_claims\", claims=\"QW5uYQ==\"",
            ),
            ("x-ms-diagnostics", "2000010;reason=\"Anna may not.\";error_category=\"not_allowed\""),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        let recorded = scrubber.answer_headers(&headers);
        let recorded: Vec<(&str, &str)> =
            recorded.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            recorded,
            [
                ("retry-after", "0.5"),
                (
                    "www-authenticate",
                    "Bearer realm=\"\", client_id=\"(removed)\", error=\"insufficient_claims\", claims=\"eyJhY2Nlc3NfdG9rZW4iOnt9fQ==\""
                ),
                ("x-ms-diagnostics", "2000010;reason=\"Text 0001\";error_category=\"not_allowed\""),
            ]
        );
    }
}
