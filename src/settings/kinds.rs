//! What the text of a setting must be, and the value it becomes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use tracing_subscriber::filter::{LevelFilter, Targets};

use super::proxy::Choice;
use super::strings::near;
use crate::rules::duration;
use crate::rules::proxy::Exceptions;

/// What a value must be.
#[derive(Debug)]
pub(super) enum Kind {
    Endpoint,
    /// As an endpoint, and http anywhere; whether that may be, another setting says.
    AnyEndpoint,
    /// As an endpoint, and http anywhere where no credential goes there.
    Gateway,
    /// An endpoint's like with a query, which may hold a key.
    Webhook,
    Text,
    Path,
    Boolean,
    Count {
        min: u32,
        max: u32,
    },
    Duration {
        min: &'static str,
        max: &'static str,
    },
    Word(&'static [&'static str]),
    Words(&'static [&'static str]),
    LogFilter,
    Detours,
    Proxy,
    Exceptions,
    Listener,
}

/// A checked value.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Endpoint(Endpoint),
    Text(String),
    Path(PathBuf),
    Boolean(bool),
    Count(u32),
    Duration(Duration),
    Word(&'static str),
    Words(Vec<&'static str>),
    LogFilter(Targets),
    Detours(Vec<Detour>),
    Proxy(Choice),
    Exceptions(Exceptions),
    /// None: nowhere.
    Listener(Option<SocketAddr>),
}

/// Connections to a host and port that go to another: name, certificate and request stay the first's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detour {
    /// The host as an address names it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Where the connection goes: a name or an address.
    pub to_host: String,
    /// And to which port.
    pub to_port: u16,
}

impl Detour {
    /// `HOST:PORT:TO_HOST:TO_PORT`; an IPv6 address stands in brackets.
    fn parse(text: &str) -> Option<Detour> {
        let (host, rest) = host_of(text)?;
        let (port, rest) = rest.split_once(':')?;
        let (to_host, to_port) = host_of(rest)?;
        Some(Detour { host, port: port.parse().ok()?, to_host, to_port: to_port.parse().ok()? })
    }
}

/// The host before the next colon, and what follows that.
fn host_of(text: &str) -> Option<(String, &str)> {
    let (host, rest) = match text.strip_prefix('[') {
        Some(inside) => inside.split_once("]:")?,
        None => text.split_once(':')?,
    };
    let good = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c == '/' || c == '@');
    good.then(|| (host.to_owned(), rest))
}

/// The address of a service: https, or http on this host's own loopback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(String);

impl Endpoint {
    /// The address without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is http on another host than this one.
    pub(super) fn is_plain(&self) -> bool {
        let host = Url::parse(&self.0).ok().and_then(|url| Some(is_loopback(url.host_str()?)));
        self.0.starts_with("http:") && host == Some(false)
    }

    /// Whether it is more than a scheme, a host and a port.
    pub(super) fn has_path(&self) -> bool {
        self.0.splitn(4, '/').nth(3).is_some()
    }

    pub(super) fn parse(text: &str) -> Result<Endpoint, String> {
        let endpoint = Endpoint::parse_any(text)?;
        if endpoint.is_plain() {
            return Err("is http; a token would cross the network readable. Write https".to_owned());
        }
        Ok(endpoint)
    }

    fn parse_any(text: &str) -> Result<Endpoint, String> {
        if text.contains(['?', '#']) {
            return Err("holds a `?` or `#`; an endpoint is a scheme, a host and at most a path".to_owned());
        }
        Endpoint::url(text)
    }

    fn parse_webhook(text: &str) -> Result<Endpoint, String> {
        let endpoint = Endpoint::url(text)?;
        if endpoint.is_plain() {
            return Err("is http; the code would cross the network readable. Write https".to_owned());
        }
        Ok(endpoint)
    }

    fn url(text: &str) -> Result<Endpoint, String> {
        let url = Url::parse(text)
            .map_err(|_| "is no URL; write `https://HOST` or `https://HOST:PORT`".to_owned())?;
        if url.host_str().is_none() {
            return Err("names no host; write `https://HOST`".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("holds a user name or password; an endpoint takes none".to_owned());
        }
        if !matches!(url.scheme(), "https" | "http") {
            return Err("wants the scheme https".to_owned());
        }
        Ok(Endpoint(url.as_str().trim_end_matches('/').to_owned()))
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl Kind {
    /// Reads `text`; the error completes a sentence that starts with the setting's name, and never quotes `text`.
    pub(super) fn parse(&self, text: &str) -> Result<Value, String> {
        if text.contains('\u{fffd}') {
            return Err("is not UTF-8".to_owned());
        }
        if text.trim().is_empty() {
            return Err(format!("is empty; it wants {}", self.wanted()));
        }
        if text.chars().any(char::is_control) {
            return Err("holds control characters".to_owned());
        }
        let wants = || format!("wants {}", self.wanted());
        match self {
            Kind::Endpoint => Endpoint::parse(text).map(Value::Endpoint),
            Kind::AnyEndpoint | Kind::Gateway => Endpoint::parse_any(text).map(Value::Endpoint),
            Kind::Webhook => Endpoint::parse_webhook(text).map(Value::Endpoint),
            Kind::Text => Ok(Value::Text(text.to_owned())),
            Kind::Path => Ok(Value::Path(PathBuf::from(text))),
            Kind::Boolean => match text {
                "true" => Ok(Value::Boolean(true)),
                "false" => Ok(Value::Boolean(false)),
                _ => Err(wants()),
            },
            Kind::Count { min, max } => {
                let plain = text.bytes().all(|byte| byte.is_ascii_digit());
                let count = text.parse::<u32>().ok().filter(|count| plain && (min..=max).contains(&count));
                count.map(Value::Count).ok_or_else(wants)
            }
            Kind::Duration { min, max } => {
                let duration = duration::parse(text).map_err(|why| format!("{}: {why}", wants()))?;
                let inside = (table_duration(min)..=table_duration(max)).contains(&duration);
                if inside { Ok(Value::Duration(duration)) } else { Err(wants()) }
            }
            Kind::Word(words) => word_of(words, text).map(Value::Word).map_err(|help| wants() + &help),
            Kind::Words(words) => {
                let named: Result<Vec<&'static str>, String> =
                    text.split(',').map(|one| word_of(words, one.trim())).collect();
                named.map(Value::Words).map_err(|help| wants() + &help)
            }
            Kind::LogFilter => parse_filter(text).map(Value::LogFilter).ok_or_else(wants),
            Kind::Detours => {
                let detours: Option<Vec<Detour>> =
                    text.split(',').map(|one| Detour::parse(one.trim())).collect();
                detours.map(Value::Detours).ok_or_else(wants)
            }
            Kind::Proxy => Choice::parse(text).map(Value::Proxy),
            Kind::Exceptions => Exceptions::parse(text).map(Value::Exceptions),
            Kind::Listener if text == "off" => Ok(Value::Listener(None)),
            Kind::Listener => text.parse().map(|address| Value::Listener(Some(address))).map_err(|_| wants()),
        }
    }

    /// What a value must be, in words.
    pub(super) fn wanted(&self) -> String {
        match self {
            Kind::Endpoint | Kind::AnyEndpoint | Kind::Webhook => "an https URL (http on loopback)".to_owned(),
            Kind::Gateway => "an https or http URL".to_owned(),
            Kind::Text => "a text".to_owned(),
            Kind::Path => "a path".to_owned(),
            Kind::Boolean => "`true` or `false`".to_owned(),
            Kind::Count { min, max } => format!("a whole number from {min} to {max}"),
            Kind::Duration { min, max } => format!("a duration from {min} to {max}, such as `90s` or `1h30m`"),
            Kind::Word(words) => quoted(words).join(" or "),
            Kind::Words(words) => format!("one or more of {}, with commas between", quoted(words).join(", ")),
            Kind::LogFilter => {
                "a level (off, error, warn, info, debug, trace) or levels by target, `warn,exorun::session=debug`".to_owned()
            }
            Kind::Proxy => "`environment`, `none` or `http://HOST:PORT`".to_owned(),
            Kind::Exceptions => "hosts, suffixes, addresses or networks with commas between, or `*`".to_owned(),
            Kind::Listener => "`off`, or an IP address with a port, such as `127.0.0.1:9464`".to_owned(),
            Kind::Detours => "`HOST:PORT:TO_HOST:TO_PORT`, several with commas between".to_owned(),
        }
    }
}

/// The word of the table that is `text`; else a hint, perhaps empty.
fn word_of(words: &[&'static str], text: &str) -> Result<&'static str, String> {
    words.iter().find(|word| **word == text).copied().ok_or_else(|| match near(text, words.iter().copied()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => String::new(),
    })
}

fn quoted(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| format!("`{word}`")).collect()
}

fn table_duration(text: &str) -> Duration {
    duration::parse(text).expect("a bound in the table of settings is a duration; a test reads them all")
}

/// `Targets` would read the misspelled level `inof` as a target, and switch everything else off without a word.
fn parse_filter(text: &str) -> Option<Targets> {
    let mut filter = Targets::new();
    for part in text.split(',') {
        filter = match part.trim().split_once('=') {
            None => filter.with_default(level(part.trim())?),
            Some((target, word)) if is_target(target) => filter.with_target(target, level(word)?),
            Some(_) => return None,
        };
    }
    Some(filter)
}

/// `LevelFilter` itself also reads numbers, and nothing as `error`.
fn level(word: &str) -> Option<LevelFilter> {
    word.bytes()
        .all(|byte| byte.is_ascii_alphabetic())
        .then_some(word)
        .filter(|word| !word.is_empty())?
        .parse()
        .ok()
}

fn is_target(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':')
}

#[cfg(test)]
mod tests {
    use super::{Detour, Endpoint, parse_filter};

    #[test]
    fn endpoints_are_https_except_on_loopback() {
        for (text, kept) in [
            ("https://login.microsoftonline.com", "https://login.microsoftonline.com"),
            ("https://login.microsoftonline.com/", "https://login.microsoftonline.com"),
            ("https://proxy:8443/exo/", "https://proxy:8443/exo"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://localhost:1", "http://localhost:1"),
        ] {
            assert_eq!(Endpoint::parse(text).map(|endpoint| endpoint.0), Ok(kept.to_owned()));
        }
        for text in [
            "http://login.microsoftonline.com",
            "http://127.0.0.1.evil.example",
            "https://user@host",
            "https://host/?a=b",
            "https://host/#x",
            "ftp://host",
            "login.microsoftonline.com",
            "http://localhost.evil.example",
        ] {
            assert!(Endpoint::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_misspelled_level_is_refused() {
        for text in ["info", "off", "WARN", "warn,exorun::session=debug", "warn, exorun=trace"] {
            assert!(parse_filter(text).is_some(), "{text}");
        }
        for text in ["inof", "", "info,", "exorun=loud", "=info", "a b=info", "3", "exorun="] {
            assert!(parse_filter(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_detour_is_two_hosts_with_their_ports() {
        let detour = Detour::parse("outlook.office365.com:443:[::1]:8443").unwrap();
        assert_eq!((detour.host.as_str(), detour.port), ("outlook.office365.com", 443));
        assert_eq!((detour.to_host.as_str(), detour.to_port), ("::1", 8443));
        for text in [
            "",
            "a:443",
            "a:443:b",
            "a:x:b:1",
            "a:443:b:70000",
            ":443:b:1",
            "https://a:443:b:1",
            "a:443::1",
            "a:443:b:1:2",
        ] {
            assert_eq!(Detour::parse(text), None, "{text}");
        }
    }
}
