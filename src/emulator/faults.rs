//! What goes wrong on purpose: the faults and their grammar.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::catalog;

/// One kind of failure and the requests that it meets.
///
/// A fault is written `KIND[:KEY=VALUE]...`, for example `429:count=2:retry_after=0.5`,
/// `reset:cmdlet=Set-CASMailbox:nth=3` or `slow:ms=5000:cmdlet=Get-Mailbox`.
///
/// | Kind | What happens | Keys of its own |
/// | --- | --- | --- |
/// | `408`, `502`, `503`, `504` | that status with a JSON error | `retry_after` (seconds) |
/// | `429` | plain text, as throttling answers | `retry_after` (seconds, decimals allowed) |
/// | `500` | a JSON error with a transient exception | `exception` (default `ADTransientException`) |
/// | `401` | no body, `WWW-Authenticate` | |
/// | `403` | a bare 403 | |
/// | `nul403` | 403, NUL bytes declared as gzip | |
/// | `html502` | 502 with a proxy's HTML page | |
/// | `slow` | the answer comes later | `ms` (default 5000) |
/// | `slow_after_commit` | the cmdlet runs at once, its answer comes later | `ms` (default 5000) |
/// | `reset` | the transport is cut before the cmdlet runs | |
/// | `reset_after_commit` | the cmdlet runs, then the transport is cut without an answer | |
/// | `truncate` | the JSON of the answer ends half way | |
/// | `errors` | 200 with a text in `@adminapi.errors` | `text` |
/// | `warnings` | 200 with a text more in `@adminapi.warnings` | `text` |
/// | `concurrency` | the sentence about concurrent requests per tenant | `status` (default 503) |
/// | `proxy` | 500 with a `CmdletProxyException` | |
/// | `json_detail` | 400 whose first detail is a serialized exception | |
/// | `empty` | a status without a body | `status` (default 500) |
/// | `gzip`, `nogzip` | the answer is compressed though nobody asked, or is not though the client accepts it | |
/// | `cae` | 401 with a claims challenge, until a token comes that was asked for with these claims | `clients` (`all`, or `declared`: only those that sent `cp1`), `asks` (`app`, or `user`: a challenge that no application can answer) |
/// | `badpage` | a page link is refused as expired | |
/// | `stale` | reads show the old values for a while after a write | `seconds` (default 2) |
///
/// A `$batch` as a whole is met by faults that name it (`cmdlet=$batch`); all others are drawn for each of its members.
///
/// Which requests it meets: `at=api` (default), `at=token`, `at=devicecode` or `at=any`; `cmdlet=NAME`.
/// Of these: `nth=N` only the N-th (counted from 1), `every=N` each N-th, `chance=P` a random share (from the
/// emulator's seed, so a repeated run meets the same), and no more than `count=N` times. Times are real times.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    pub(super) kind: Kind,
    pub(super) at: At,
    pub(super) cmdlet: Option<String>,
    pub(super) nth: Option<u64>,
    pub(super) every: Option<u64>,
    pub(super) chance: Option<f64>,
    pub(super) count: Option<u64>,
    pub(super) spec: String,
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Status { status: u16, retry_after: Option<f64> },
    Exception(String),
    Unauthorized,
    Forbidden,
    NulForbidden,
    HtmlBadGateway,
    Slow(Duration),
    SlowAfterCommit(Duration),
    Reset,
    ResetAfterCommit,
    Truncate,
    Errors(String),
    Warnings(String),
    Concurrency(u16),
    Proxy,
    JsonDetail,
    Empty(u16),
    Compressed(bool),
    Challenge { declared_only: bool, of_user: bool },
    BadPage,
    Stale(Duration),
}

/// What a batch as a whole is called where cmdlets are named.
pub(super) const BATCH: &str = "$batch";

/// Which of the services a request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    Api,
    Token,
    DeviceCode,
    Any,
}

/// A fault that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fault `{spec}`: {problem}")]
pub struct BadFault {
    spec: String,
    problem: String,
}

const KINDS: &str = "401, 403, 408, 429, 500, 502, 503, 504, nul403, html502, slow, slow_after_commit, reset, reset_after_commit, \
                     truncate, errors, warnings, concurrency, proxy, json_detail, empty, gzip, nogzip, cae, badpage, stale";

impl FromStr for Fault {
    type Err = BadFault;

    fn from_str(spec: &str) -> Result<Fault, BadFault> {
        parse(spec).map_err(|problem| BadFault { spec: spec.to_owned(), problem })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.spec)
    }
}

fn parse(spec: &str) -> Result<Fault, String> {
    let mut parts = spec.split(':');
    let kind = parts.next().unwrap_or_default();
    let mut keys: Vec<(&str, &str)> = Vec::new();
    for part in parts {
        let (key, value) = part.split_once('=').ok_or_else(|| format!("`{part}` is not KEY=VALUE"))?;
        if keys.iter().any(|(other, _)| *other == key) {
            return Err(format!("`{key}` is given twice"));
        }
        keys.push((key, value));
    }
    let mut take = |key: &str| {
        keys.iter().position(|(own, _)| *own == key).map(|position| keys.remove(position).1.to_owned())
    };
    let kind = match kind {
        "408" | "429" | "502" | "503" | "504" => Kind::Status {
            status: kind.parse().expect("one of the five"),
            retry_after: take("retry_after").map(|text| seconds("retry_after", &text)).transpose()?,
        },
        "500" => Kind::Exception(take("exception").unwrap_or_else(|| "ADTransientException".to_owned())),
        "401" => Kind::Unauthorized,
        "403" => Kind::Forbidden,
        "nul403" => Kind::NulForbidden,
        "html502" => Kind::HtmlBadGateway,
        "slow" | "slow_after_commit" => {
            let ms = take("ms").map(|text| whole("ms", &text)).transpose()?.unwrap_or(5000);
            let time = Duration::from_millis(ms.min(86_400_000));
            if kind == "slow" { Kind::Slow(time) } else { Kind::SlowAfterCommit(time) }
        }
        "reset" => Kind::Reset,
        "reset_after_commit" => Kind::ResetAfterCommit,
        "truncate" => Kind::Truncate,
        "errors" => {
            Kind::Errors(take("text").unwrap_or_else(|| "Part of the objects could not be read.".to_owned()))
        }
        "warnings" => {
            Kind::Warnings(take("text").unwrap_or_else(|| "Something is odd (emulated).".to_owned()))
        }
        "concurrency" => Kind::Concurrency(status(take("status"), 503)?),
        "proxy" => Kind::Proxy,
        "json_detail" => Kind::JsonDetail,
        "empty" => Kind::Empty(status(take("status"), 500)?),
        "gzip" | "nogzip" => Kind::Compressed(kind == "gzip"),
        "cae" => Kind::Challenge {
            declared_only: one_of("clients", take("clients"), ["all", "declared"])?,
            of_user: one_of("asks", take("asks"), ["app", "user"])?,
        },
        "badpage" => Kind::BadPage,
        "stale" => {
            let seconds = take("seconds").map(|text| seconds("seconds", &text)).transpose()?.unwrap_or(2.0);
            Kind::Stale(Duration::from_secs_f64(seconds))
        }
        other => return Err(format!("there is no kind `{other}`; the kinds are {KINDS}")),
    };
    let at = match take("at").as_deref() {
        None | Some("api") => At::Api,
        Some("token") => At::Token,
        Some("devicecode") => At::DeviceCode,
        Some("any") => At::Any,
        Some(other) => return Err(format!("`at={other}` is none of api, token, devicecode, any")),
    };
    let cmdlet = take("cmdlet").map(|name| met(&name)).transpose()?;
    if matches!(at, At::Token | At::DeviceCode) && !kind.meets_signin() {
        return Err("the sign-in service knows 408, 429, 502, 503, 504, html502, slow, reset and reset_after_commit only".to_owned());
    }
    let mut from_one = |key: &'static str| match take(key).map(|text| whole(key, &text)).transpose() {
        Ok(Some(0)) => Err(format!("`{key}` counts from 1")),
        other => other,
    };
    let (nth, every, count) = (from_one("nth")?, from_one("every")?, from_one("count")?);
    let chance = match take("chance") {
        None => None,
        Some(text) => match text.parse::<f64>() {
            Ok(chance) if (0.0..=1.0).contains(&chance) => Some(chance),
            _ => return Err(format!("`chance={text}` is not a share between 0 and 1")),
        },
    };
    if let Some((key, _)) = keys.first() {
        return Err(format!("this kind has no key `{key}`"));
    }
    Ok(Fault { kind, at, cmdlet, nth, every, chance, count, spec: spec.to_owned() })
}

/// The cmdlet that a fault is for, if it can ever be met.
fn met(name: &str) -> Result<String, String> {
    if let Some(classic) = catalog::classic(name) {
        return Err(format!("`{name}` is sent as `{classic}`: name that one"));
    }
    let is_known = catalog::cmdlet(name).is_some() || name == BATCH || name == "EXOModuleFile";
    if is_known { Ok(name.to_owned()) } else { Err(format!("there is no cmdlet `{name}`")) }
}

impl Kind {
    /// Whether the sign-in service can do it; the others are about answers of Exchange.
    fn meets_signin(&self) -> bool {
        matches!(
            self,
            Kind::Status { .. } | Kind::HtmlBadGateway | Kind::Slow(_) | Kind::Reset | Kind::ResetAfterCommit
        )
    }
}

/// Whether the second of two words was given; the first is the default.
fn one_of(key: &str, text: Option<String>, words: [&str; 2]) -> Result<bool, String> {
    match text.as_deref() {
        None => Ok(false),
        Some(text) => words
            .iter()
            .position(|word| *word == text)
            .map(|position| position == 1)
            .ok_or_else(|| format!("`{key}={text}` is none of {}, {}", words[0], words[1])),
    }
}

fn status(text: Option<String>, default: u16) -> Result<u16, String> {
    match text.as_deref().map(|text| (text, text.parse::<u16>())) {
        None => Ok(default),
        Some((_, Ok(status))) if (400..600).contains(&status) => Ok(status),
        Some((text, _)) => Err(format!("`status={text}` is not a status from 400 to 599")),
    }
}

fn whole(key: &str, text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("`{key}={text}` is not a whole number"))
}

/// At most a day, so that no answer is put off for ever by a slip.
fn seconds(key: &str, text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err(format!("`{key}={text}` is not a number of seconds (0 to 86400)")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(spec: &str) -> Fault {
        spec.parse().unwrap()
    }

    #[test]
    fn the_documented_examples_parse() {
        assert_eq!(
            fault("429:count=2:retry_after=0.5").kind,
            Kind::Status { status: 429, retry_after: Some(0.5) }
        );
        assert_eq!(fault("slow:ms=5000:cmdlet=Get-Mailbox").kind, Kind::Slow(Duration::from_secs(5)));
        assert_eq!(fault("500:exception=X:nth=1").kind, Kind::Exception("X".to_owned()));
        assert_eq!(fault("stale:seconds=2").kind, Kind::Stale(Duration::from_secs(2)));
        for spec in [
            "reset:cmdlet=Set-CASMailbox:nth=3",
            "503:nth=2",
            "401:nth=4",
            "reset_after_commit:nth=1",
            "truncate:nth=1",
            "html502:nth=1",
            "nul403",
            "badpage:nth=1",
            "errors:text=some are missing",
            "concurrency:status=500:nth=1",
            "empty:status=403",
            "cae:clients=declared:asks=user",
        ] {
            assert_eq!(fault(spec).to_string(), spec);
        }
    }

    #[test]
    fn mistakes_are_named() {
        let problem = |spec: &str| spec.parse::<Fault>().unwrap_err().to_string();
        assert!(problem("418").starts_with("fault `418`: there is no kind `418`; the kinds are 401, "));
        assert_eq!(problem("503:nth=0"), "fault `503:nth=0`: `nth` counts from 1");
        assert!(problem("503:cmdlet=Get-EXOMailbox").ends_with("is sent as `Get-Mailbox`: name that one"));
        assert!(problem("503:cmdlet=Get-Nonsense").ends_with("there is no cmdlet `Get-Nonsense`"));
        assert!(problem("stale:at=token").contains("the sign-in service knows"));
        assert_eq!(fault("503:at=token:cmdlet=$batch").cmdlet.as_deref(), Some(BATCH));
        assert_eq!(problem("503:nth"), "fault `503:nth`: `nth` is not KEY=VALUE");
        assert_eq!(problem("503:nth=1:nth=2"), "fault `503:nth=1:nth=2`: `nth` is given twice");
        assert_eq!(problem("503:ms=1"), "fault `503:ms=1`: this kind has no key `ms`");
        assert_eq!(problem("slow:ms=x"), "fault `slow:ms=x`: `ms=x` is not a whole number");
        assert_eq!(
            problem("503:chance=2"),
            "fault `503:chance=2`: `chance=2` is not a share between 0 and 1"
        );
        assert_eq!(
            problem("empty:status=200"),
            "fault `empty:status=200`: `status=200` is not a status from 400 to 599"
        );
        assert_eq!(problem("cae:asks=me"), "fault `cae:asks=me`: `asks=me` is none of app, user");
        assert!(problem("429:retry_after=-1").contains("is not a number of seconds"));
        assert!(problem("429:retry_after=NaN").contains("is not a number of seconds"));
    }
}
