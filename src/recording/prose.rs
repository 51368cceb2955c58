//! Texts of our own for somebody else's eyes: log lines, messages, settings. What names somebody becomes a stand-in.
//!
//! Unlike a recording, whose members are known, prose may hold anything; so whatever has the form of an identity is
//! replaced: addresses, domains, GUIDs, internet addresses, the names in paths, tokens, and what the caller knows to be
//! somebody's. Hosts of the service stay, and ids that its support asks for.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::job;
use super::scrub::{Identities, REMOVED, Scrubber};
use super::stand_ins::Class;
use crate::spec::job::{Job, TargetSpec};

/// Replaces what names somebody; the same stand-in for the same value through all texts.
pub struct Redactor {
    scrubber: Scrubber,
    /// Exact texts that are somebody's, the longest first, each with its stand-in.
    known: Vec<(String, String)>,
}

/// Hosts whose names say nothing of whoever uses them. Source: protocol reference, 1.
const PUBLIC_HOSTS: [&str; 22] = [
    "microsoftonline.com",
    "microsoftonline.us",
    "microsoftonline.cn",
    "microsoftonline.de",
    "chinacloudapi.cn",
    "microsoft.com",
    "microsoft.us",
    "office365.com",
    "office365.us",
    "office365.cn",
    "office.com",
    "office.de",
    "outlook.com",
    "outlook.cn",
    "outlook.de",
    "windows.net",
    "sovcloud.fr",
    "sovcloud.de",
    "sovcloud-identity.fr",
    "sovcloud-identity.de",
    "apps.mil",
    "exorun-emulator.invalid",
];

/// What follows the last dot of words that are no hosts: files, cmdlets' rights, programs' modules.
const NO_HOSTS: [&str; 16] = [
    "yaml",
    "yml",
    "json",
    "pem",
    "pfx",
    "md",
    "rs",
    "txt",
    "log",
    "gz",
    "tar",
    "sh",
    "conf",
    "manageasapp",
    "manage",
    "all",
];

/// Parts of paths that every machine has.
const PATH_PARTS: [&str; 27] = [
    "bin",
    "ca-certificates",
    "certs",
    "config",
    "conf.d",
    "dev",
    "etc",
    "exorun",
    "home",
    "lib",
    "local",
    "mnt",
    "opt",
    "proc",
    "resolv.conf",
    "root",
    "run",
    "secrets",
    "serviceaccount",
    "share",
    "srv",
    "ssl",
    "state",
    "tmp",
    "usr",
    "var",
    "vault",
];

/// By which the forms of stand-ins are known.
const STAND_INS: [&str; 3] = ["00000000-0000-4000-8000-", ".example.invalid", "192.0.2."];

/// One alternative a kind of identity; the first that fits is taken.
static IDENTITY: LazyLock<Regex> = LazyLock::new(|| {
    let kinds = [
        r"(?P<jwt>eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.?[A-Za-z0-9_-]*)",
        r"(?P<url>https?://[^\s`,;)\]}]+)",
        r#"(?P<address>[^@\s<>,;|"'`(=:]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,})"#,
        r"(?P<key>(?i:request-id |request_id\W{1,3}|run=|connection_id=|Trace ID: |Correlation ID: |trace id |correlation id ))?(?P<guid>[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12})",
        r"(?P<ip>(?:\d{1,3}\.){3}\d{1,3})",
        r"(?P<ip6>(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}\b|\b[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4})*::(?:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4})*)?\b)",
        r"(?P<path>(?:/[\w.@+-]+){2,})",
        r"(?P<host>(?:[A-Za-z0-9_-]+\.)+[A-Za-z]{2,}\b)",
    ];
    Regex::new(&kinds.join("|")).expect("a pattern of our own")
});

impl Redactor {
    /// Knows nothing yet.
    pub fn new() -> Redactor {
        Redactor { scrubber: Scrubber::new(Identities::Replaced), known: Vec::new() }
    }

    /// `text` is somebody's: a job's name, a user. Short texts are left alone, because they stand in other words too.
    pub fn know(&mut self, text: &str) {
        const CHARS_MIN: usize = 3;
        if text.chars().count() < CHARS_MIN || self.known.iter().any(|(known, _)| known == text) {
            return;
        }
        let stand_in = self.scrubber.value("", text);
        self.known.push((text.to_owned(), stand_in));
        self.known.sort_by_key(|(known, _)| std::cmp::Reverse(known.len()));
    }

    /// The text with stand-ins.
    pub fn text(&mut self, text: &str) -> String {
        let mut out = text.to_owned();
        for (known, stand_in) in &self.known {
            out = out.replace(known, stand_in);
        }
        let scrubber = &mut self.scrubber;
        IDENTITY.replace_all(&out, |found: &Captures<'_>| one(scrubber, found)).into_owned()
    }

    /// The job as a recording has it: its form without its names, comments and credentials.
    pub fn job(&mut self, job: &Job, target: &TargetSpec) -> String {
        job::recorded(&mut self.scrubber, job, target, &std::collections::BTreeMap::new())
    }
}

impl Default for Redactor {
    fn default() -> Redactor {
        Redactor::new()
    }
}

fn one(scrubber: &mut Scrubber, found: &Captures<'_>) -> String {
    let part = |name: &str| found.name(name).map(|part| part.as_str());
    let whole = &found[0];
    // What was replaced as somebody's known text is not replaced again.
    if STAND_INS.iter().any(|form| whole.contains(form)) && part("url").is_none() {
        return whole.to_owned();
    }
    if part("jwt").is_some() {
        return REMOVED.to_owned();
    }
    if let Some(url) = part("url") {
        let (url, mark) = url.split_at(url.trim_end_matches([':', '.', '\'', '"']).len());
        let (scheme, rest) = url.split_once("://").expect("the pattern has it");
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        // A name and password before the host are nobody's business.
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (name, port) = match authority.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                (name, format!(":{port}"))
            }
            _ => (authority, String::new()),
        };
        return format!("{scheme}://{}{port}{}{mark}", host(scrubber, name), scrubber.path(path));
    }
    if let Some(guid) = part("guid") {
        return match part("key") {
            Some(_) => whole.to_owned(),
            None => scrubber.value("", guid),
        };
    }
    if let Some(ip) = part("ip") {
        let is_loopback = ip.starts_with("127.");
        return if is_loopback { ip.to_owned() } else { scrubber.value("", ip) };
    }
    if let Some(path) = part("path") {
        return self::path(scrubber, path);
    }
    match part("host") {
        Some(name) => host(scrubber, name),
        None => scrubber.value("", whole),
    }
}

fn host(scrubber: &mut Scrubber, name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let is_public = PUBLIC_HOSTS
        .iter()
        .any(|public| lower.strip_suffix(public).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')));
    let last = lower.rsplit('.').next().unwrap_or_default();
    let is_stand_in = lower.ends_with(".example.invalid");
    if is_public || is_stand_in || NO_HOSTS.contains(&last) || lower.starts_with("127.") {
        return name.to_owned();
    }
    if lower.contains('.') { scrubber.stand_ins.of(Class::Domain, &lower) } else { scrubber.value("", name) }
}

/// A path keeps its shape and what every machine has in its paths; of a file's name the ending stays.
fn path(scrubber: &mut Scrubber, path: &str) -> String {
    let parts = path.split('/').map(|part| {
        if part.is_empty() || PATH_PARTS.contains(&part.to_ascii_lowercase().as_str()) {
            return part.to_owned();
        }
        let (name, ending) = match part.rsplit_once('.') {
            Some((name, ending)) if NO_HOSTS.contains(&ending) => (name, format!(".{ending}")),
            _ => (part, String::new()),
        };
        format!("{}{ending}", scrubber.stand_ins.name(name).replace(' ', "-"))
    });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_go_and_what_support_asks_for_stays() {
        let mut redactor = Redactor::new();
        redactor.know("annas-job");
        redactor.know("11111111-2222-3333-4444-555555555555");
        let guid = "3b0cf5d5-0d9e-4d4e-9d5e-000000000001";
        for (text, expected) in [
            (
                "no answer from https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token: refused",
                "no answer from https://login.microsoftonline.com/domain0001.example.invalid/oauth2/v2.0/token: refused",
            ),
            ("anna@contoso.com signed in", "user0001@domain0002.example.invalid signed in"),
            ("job annas-job of contoso.onmicrosoft.com", "job Name 0001 of domain0001.example.invalid"),
            ("client 11111111-2222-3333-4444-555555555555", "client 00000000-0000-4000-8000-000000000001"),
            (guid, "00000000-0000-4000-8000-000000000002"),
            (
                "forbidden (HTTP 403): no [request-id 3b0cf5d5-0d9e-4d4e-9d5e-000000000002]",
                "forbidden (HTTP 403): no [request-id 3b0cf5d5-0d9e-4d4e-9d5e-000000000002]",
            ),
            ("to 10.1.2.3:443 and 127.0.0.1:80", "to 192.0.2.1:443 and 127.0.0.1:80"),
            ("to 2001:db8:1::7 at 16:20:30", "to 2001:db8::1 at 16:20:30"),
            ("/home/anna/ca.pem", "/home/Name-0002/Name-0003.pem"),
            ("http://anna:hunter2@proxy.contoso.com:8080", "http://domain0003.example.invalid:8080"),
            ("eyJhbGciOiJ.eyJhdWQiOiJ.c2lnbmF0dXJl", "(removed)"),
            (
                "exorun::cli Exchange.ManageAsApp AdminApi.AccessAsUser.All",
                "exorun::cli Exchange.ManageAsApp AdminApi.AccessAsUser.All",
            ),
            ("host outlook.office365.com speaks TLS 1.3", "host outlook.office365.com speaks TLS 1.3"),
        ] {
            assert_eq!(redactor.text(text), expected);
        }
        let whole = redactor.text(&format!("evil-microsoft.com.contoso.com x{guid}"));
        assert!(!whole.contains("contoso"), "{whole}");
    }
}
