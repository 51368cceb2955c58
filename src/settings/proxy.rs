//! The proxy: a setting, or the variables that curl reads.

use std::path::Path;

use reqwest::Url;
use secrecy::SecretString;

use super::strings::Strings;
use crate::rules::proxy::{Address, Exceptions, Routes, Scheme};

/// curl's port of a proxy that names none.
const PORT_DEFAULT: u16 = 1080;
const HTTPS_PORT: u16 = 443;

/// Read in this order; the first that holds something wins. All our addresses are https.
const VARIABLES: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
const EXCEPTION_VARIABLES: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// What the setting `proxy` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// The variables decide.
    Environment,
    /// No proxy.
    Direct,
    /// This one.
    Explicit(Address),
}

impl Choice {
    /// # Errors
    /// What would be right; it never quotes `text`, which may hold a password.
    pub(super) fn parse(text: &str) -> Result<Choice, String> {
        match text {
            "environment" => return Ok(Choice::Environment),
            "none" => return Ok(Choice::Direct),
            "auto" | "wpad" | "autodetect" => {
                return Err("cannot be found automatically (WPAD): whoever answers on the network would decide where \
                            sign-ins go. Write `http://HOST:PORT`, `environment` or `none`"
                    .to_owned());
            }
            _ => {}
        }
        let (address, user_info) = address(text, None)?;
        match user_info {
            None => Ok(Choice::Explicit(address)),
            Some(_) => {
                Err("holds a user name or password; write USER:PASSWORD into a file and name it with \
                            `proxy_credentials_file`"
                    .to_owned())
            }
        }
    }
}

/// The proxy and who is reached without it.
#[derive(Clone, Debug, Default)]
pub struct Proxy {
    /// Which connections go through it.
    pub routes: Routes,
    /// `USER:PASSWORD` for it.
    pub credentials: Option<SecretString>,
    /// Why connections cannot be made: a variable that holds no proxy's address, or credentials that cannot be read. It
    /// is told when something is to be connected to, so that everything else works.
    pub unusable: Option<String>,
    /// Which variable named it.
    pub variable: Option<&'static str>,
}

impl Proxy {
    pub(super) fn resolve(
        choice: &Choice,
        credentials_file: Option<&Path>,
        exceptions: Option<Exceptions>,
        environment: &dyn Strings,
    ) -> Proxy {
        let mut proxy = Proxy::default();
        match choice {
            Choice::Direct => return proxy,
            Choice::Explicit(address) => {
                proxy.routes.proxy = Some(address.clone());
                proxy.routes.exceptions = exceptions.unwrap_or_default();
            }
            Choice::Environment => {
                let Some((name, text)) = first(environment, &VARIABLES) else { return proxy };
                proxy.variable = Some(name);
                match address(&text, Some(Scheme::Http)) {
                    Ok((address, user_info)) => {
                        (proxy.routes.proxy, proxy.credentials) = (Some(address), user_info);
                    }
                    Err(why) => proxy.unusable = Some(format!("{name}: {why} (or set `proxy`)")),
                }
                proxy.routes.exceptions = exceptions.unwrap_or_else(|| {
                    let list = first(environment, &EXCEPTION_VARIABLES);
                    list.map_or_else(Exceptions::default, |(_, list)| Exceptions::tolerant(&list))
                });
            }
        }
        if let (Some(file), Some(_)) = (credentials_file, &proxy.routes.proxy) {
            match credentials(file) {
                Ok(credentials) => proxy.credentials = Some(credentials),
                Err(why) => {
                    proxy.unusable = Some(format!("proxy_credentials_file {}: {why}", file.display()));
                }
            }
        }
        proxy
    }

    /// What `exorun settings` says of `proxy: environment`.
    pub(super) fn shown(&self) -> Option<String> {
        let name = self.variable?;
        Some(match (&self.unusable, &self.routes.proxy, &self.credentials) {
            (None, Some(address), Some(_)) => format!("environment ({name}: {address}, with credentials)"),
            (None, Some(address), None) => format!("environment ({name}: {address})"),
            _ => format!("environment ({name}: unusable)"),
        })
    }
}

fn first(environment: &dyn Strings, names: &[&'static str]) -> Option<(&'static str, String)> {
    names.iter().find_map(|name| Some((*name, environment.get(name).filter(|text| !text.is_empty())?)))
}

/// `USER:PASSWORD`; one newline at its end is not part of it.
fn credentials(file: &Path) -> Result<SecretString, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    let is_pair = line.split_once(':').is_some_and(|(user, _)| !user.is_empty());
    if !is_pair || line.chars().any(char::is_control) {
        return Err("wants one line, USER:PASSWORD".to_owned());
    }
    Ok(SecretString::from(line.to_owned()))
}

/// A proxy's address, and `USER:PASSWORD` if it holds them. With `assumed`, the scheme and the port may be missing, as
/// in curl's variables.
fn address(text: &str, assumed: Option<Scheme>) -> Result<(Address, Option<SecretString>), String> {
    let wants = || "is no proxy's address; write `http://HOST:PORT`".to_owned();
    let with_scheme = match assumed {
        Some(_) if !text.contains("://") => format!("http://{text}"),
        _ => text.to_owned(),
    };
    let url = Url::parse(&with_scheme).map_err(|_| wants())?;
    let scheme = match url.scheme() {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        "socks" | "socks4" | "socks4a" | "socks5" | "socks5h" => {
            return Err(
                "is a SOCKS proxy, which is not supported; write `http://HOST:PORT` of an HTTP proxy"
                    .to_owned(),
            );
        }
        _ => return Err(wants()),
    };
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wants)?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err("holds a path; a proxy's address is `http://HOST:PORT`".to_owned());
    }
    // The parser drops a port that is the scheme's own; curl's default is another.
    let authority = with_scheme.split_once("://").map_or("", |(_, rest)| rest).trim_end_matches('/');
    let authority = authority.rsplit_once('@').map_or(authority, |(_, authority)| authority);
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let port = match (has_port, scheme) {
        (true, Scheme::Http) => url.port().unwrap_or(80),
        (_, Scheme::Https) => url.port().unwrap_or(HTTPS_PORT),
        (false, Scheme::Http) if assumed.is_some() => PORT_DEFAULT,
        (false, Scheme::Http) => return Err(wants()),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let credentials = match (url.username(), url.password()) {
        ("", None) => None,
        (user, password) => Some(SecretString::from(format!(
            "{}:{}",
            decoded(user).ok_or_else(wants)?,
            decoded(password.unwrap_or_default()).ok_or_else(wants)?
        ))),
    };
    Ok((Address { scheme, host, port }, credentials))
}

/// Percent signs undone; nothing if that is no text.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(out).ok().filter(|text| !text.chars().any(char::is_control))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use secrecy::ExposeSecret;

    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Proxy {
        let variables: BTreeMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Proxy::resolve(&Choice::Environment, None, None, &variables)
    }

    fn via(proxy: &Proxy) -> String {
        let to = proxy.routes.to("outlook.office365.com", 443);
        to.map_or_else(|| "direct".to_owned(), ToString::to_string)
    }

    #[test]
    fn the_variables_are_curls() {
        for (variables, expected) in [
            (&[][..], "direct"),
            (&[("HTTPS_PROXY", "http://p:3128")], "http://p:3128"),
            (&[("https_proxy", "http://lower:1"), ("HTTPS_PROXY", "http://upper:2")], "http://lower:1"),
            (&[("https_proxy", ""), ("HTTPS_PROXY", "http://upper:2")], "http://upper:2"),
            (&[("ALL_PROXY", "p:8080")], "http://p:8080"),
            (&[("ALL_PROXY", "http://p:80")], "http://p:80"),
            (&[("HTTPS_PROXY", "p")], "http://p:1080"),
            (&[("HTTPS_PROXY", "https://p")], "https://p:443"),
            (&[("HTTPS_PROXY", "http://[2001:db8::1]:3128/")], "http://[2001:db8::1]:3128"),
            (&[("HTTP_PROXY", "http://p:1"), ("http_proxy", "http://p:1")], "direct"),
            (&[("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", ".office365.com")], "direct"),
            (&[("HTTPS_PROXY", "http://p:1"), ("no_proxy", "*")], "direct"),
            (&[("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", "http://wrong,office.com")], "http://p:1"),
        ] {
            let proxy = environment(variables);
            assert_eq!((via(&proxy).as_str(), &proxy.unusable), (expected, &None), "{variables:?}");
        }
    }

    #[test]
    fn credentials_of_a_variable_are_decoded_and_never_shown() {
        let proxy = environment(&[("HTTPS_PROXY", "http://do%40main:can%3Aary%25@p:3128")]);
        assert_eq!(proxy.credentials.as_ref().unwrap().expose_secret(), "do@main:can:ary%");
        assert_eq!(
            proxy.shown().as_deref(),
            Some("environment (HTTPS_PROXY: http://p:3128, with credentials)")
        );
        assert!(!format!("{proxy:?}").contains("can"), "{proxy:?}");
    }

    #[test]
    fn a_variable_that_is_no_proxy_is_named_when_it_is_used() {
        for text in ["socks5://p:1", "http://", "ftp://p:1", "http://p:1/path", "http://u:%zz@p:1"] {
            let proxy = environment(&[("all_proxy", text)]);
            let why = proxy.unusable.clone().unwrap_or_default();
            assert!(why.starts_with("all_proxy: ") && !why.contains("%zz"), "{text}: {why}");
            assert!(proxy.shown().unwrap().contains("unusable"));
        }
    }

    #[test]
    fn the_setting_takes_an_address_and_no_password() {
        assert_eq!(Choice::parse("environment"), Ok(Choice::Environment));
        assert_eq!(Choice::parse("none"), Ok(Choice::Direct));
        let Ok(Choice::Explicit(address)) = Choice::parse("http://proxy.example:3128") else {
            panic!("it is one")
        };
        assert_eq!(address.to_string(), "http://proxy.example:3128");
        for (text, words) in [
            ("auto", "WPAD"),
            ("http://user:canary@p:1", "proxy_credentials_file"),
            ("http://p", "http://HOST:PORT"),
            ("p:3128", "http://HOST:PORT"),
            ("socks5://p:1", "SOCKS"),
        ] {
            let why = Choice::parse(text).unwrap_err();
            assert!(why.contains(words) && !why.contains("canary"), "{text}: {why}");
        }
    }

    #[test]
    fn a_file_holds_the_credentials() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let choice = Choice::parse("http://p:1").unwrap();
        let resolve = || Proxy::resolve(&choice, Some(file.path()), None, &BTreeMap::new());
        std::fs::write(file.path(), "anna:pass:word\r\n").unwrap();
        assert_eq!(resolve().credentials.unwrap().expose_secret(), "anna:pass:word");
        for wrong in ["", "anna\n", ":x\n", "a:b\nc:d\n"] {
            std::fs::write(file.path(), wrong).unwrap();
            assert!(resolve().unusable.unwrap().contains("USER:PASSWORD"), "{wrong:?}");
        }
    }
}
