//! What a climb found: rungs in their order, the first broken one, and the forms in which they are shown.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::climb::Ended;
use crate::exit::Exit;
use crate::observe::escape::one_line;
use crate::spec::job::{Job, TargetSpec};

/// The version of the JSON form; members are only added within one. `docs/doctor.md` describes it.
pub const FORM: u32 = 1;

/// Longest text of a rung.
const TEXT_CHARS_MAX: usize = 600;

/// The rungs, in the order in which they are climbed: a closed set of words, part of the JSON form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Name {
    /// The job and its settings: where it goes, and who signs in.
    Job,
    /// Names of hosts.
    Dns,
    /// TCP connections to the ports that are used.
    Tcp,
    /// Port 80, which Microsoft's documentation asks for.
    #[serde(rename = "port_80")]
    Port80,
    /// The proxy, if there is one.
    Proxy,
    /// TLS: version, certificates.
    Tls,
    /// Our clock against theirs.
    Clock,
    /// The tenant and its cloud.
    Discovery,
    /// Who keeps the password of the user.
    Realm,
    /// What Vault keeps for the sign-in.
    Vault,
    /// The secret or key of the sign-in can be read.
    Credential,
    /// The application's certificate.
    Certificate,
    /// Sign-in.
    Token,
    /// What the token is for, and what it allows.
    Rights,
    /// Places for a session.
    Slots,
    /// Whether the account may use the service as the module does.
    ModuleAccess,
    /// Whether it may run the job's cmdlets.
    Cmdlets,
    /// A harmless read.
    Read,
    /// The end of the session.
    Close,
}

impl Name {
    /// All of them, from the ground up.
    pub const ALL: [Name; 19] = [
        Name::Job,
        Name::Dns,
        Name::Tcp,
        Name::Port80,
        Name::Proxy,
        Name::Tls,
        Name::Clock,
        Name::Discovery,
        Name::Realm,
        Name::Vault,
        Name::Credential,
        Name::Certificate,
        Name::Token,
        Name::Rights,
        Name::Slots,
        Name::ModuleAccess,
        Name::Cmdlets,
        Name::Read,
        Name::Close,
    ];

    /// The word of the JSON form and of the table.
    pub fn word(self) -> &'static str {
        match self {
            Name::Job => "job",
            Name::Dns => "dns",
            Name::Tcp => "tcp",
            Name::Port80 => "port_80",
            Name::Proxy => "proxy",
            Name::Tls => "tls",
            Name::Clock => "clock",
            Name::Discovery => "discovery",
            Name::Realm => "realm",
            Name::Vault => "vault",
            Name::Credential => "credential",
            Name::Certificate => "certificate",
            Name::Token => "token",
            Name::Rights => "rights",
            Name::Slots => "slots",
            Name::ModuleAccess => "module_access",
            Name::Cmdlets => "cmdlets",
            Name::Read => "read",
            Name::Close => "close",
        }
    }
}

/// What became of a rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It holds.
    Ok,
    /// Something to know, neither good nor bad.
    Information,
    /// It holds, and may not tomorrow.
    Warning,
    /// It is broken: nothing above it was climbed.
    Failed,
    /// It was not climbed.
    Skipped,
}

impl State {
    /// The word of the JSON form and of the table.
    pub fn word(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Information => "information",
            State::Warning => "warning",
            State::Failed => "failed",
            State::Skipped => "skipped",
        }
    }
}

/// What one rung found.
#[derive(Clone, Debug)]
pub struct Finding {
    pub(super) state: State,
    pub(super) seen: String,
    pub(super) mend: Option<String>,
    pub(super) exit: Exit,
    pub(super) ids: Vec<(&'static str, String)>,
}

impl Finding {
    fn new(state: State, seen: impl Into<String>, mend: Option<String>) -> Finding {
        Finding { state, seen: seen.into(), mend, exit: Exit::Done, ids: Vec::new() }
    }

    /// It holds, and this was seen.
    pub(super) fn ok(seen: impl Into<String>) -> Finding {
        Finding::new(State::Ok, seen, None)
    }

    /// Something to know.
    pub(super) fn information(seen: impl Into<String>) -> Finding {
        Finding::new(State::Information, seen, None)
    }

    /// It holds, and should be mended.
    pub(super) fn warning(seen: impl Into<String>, mend: impl Into<String>) -> Finding {
        Finding::new(State::Warning, seen, Some(mend.into()))
    }

    /// It does not apply, or was not asked for.
    pub(super) fn skipped(why: impl Into<String>) -> Finding {
        Finding::new(State::Skipped, why, None)
    }

    /// It is broken, and the command ends with `exit`.
    pub(super) fn failed(exit: Exit, seen: impl Into<String>, mend: impl Into<String>) -> Finding {
        Finding { exit, ..Finding::new(State::Failed, seen, Some(mend.into())) }
    }

    /// A message of ours, of which the advice stands behind an arrow; `mend` is said if it has none.
    pub(super) fn failed_as(exit: Exit, message: &str, mend: &str) -> Finding {
        match message.split_once(" -> ") {
            Some((seen, advice)) => Finding::failed(exit, seen, advice),
            None => Finding::failed(exit, message, mend),
        }
    }

    /// With an id that whoever helps will ask for.
    pub(super) fn with_id(mut self, name: &'static str, value: Option<String>) -> Finding {
        self.ids.extend(value.map(|value| (name, one_line(&value, 120))));
        self
    }
}

/// A rung that was climbed, or passed by.
#[derive(Clone, Debug, Serialize)]
pub struct Rung {
    /// Which.
    pub name: Name,
    /// What became of it.
    pub state: State,
    /// What was seen, in one line.
    pub seen: String,
    /// What to do about it.
    pub mend: Option<String>,
    /// How long it took.
    pub millis: u64,
    /// Ids of requests, for the other side's support.
    #[serde(serialize_with = "as_map", skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<(&'static str, String)>,
}

impl Rung {
    pub(super) fn new(name: Name, finding: &Finding, took: Duration) -> Rung {
        Rung {
            name,
            state: finding.state,
            seen: one_line(&finding.seen, TEXT_CHARS_MAX),
            mend: finding.mend.as_deref().map(|mend| one_line(mend, TEXT_CHARS_MAX)),
            millis: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            ids: finding.ids.clone(),
        }
    }
}

fn as_map<S: serde::Serializer>(ids: &[(&'static str, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(ids.iter().map(|(name, value)| (name, value)))
}

/// A whole climb, as its JSON form has it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// [`FORM`].
    pub form: u32,
    /// `exorun/VERSION`.
    pub program: &'static str,
    /// Who answers: Exchange Online, or `EMULATED`.
    pub peer: &'static str,
    /// When it began.
    pub began_at: String,
    /// The job's name.
    pub job: String,
    /// The file it was read from.
    pub source: String,
    /// The tenant, as the job names it.
    pub tenant: Option<String>,
    /// The cloud.
    pub environment: Option<String>,
    /// The service.
    pub service: &'static str,
    /// The way to sign in.
    pub method: Option<&'static str>,
    /// Who signed in, if somebody did.
    pub actor: Option<String>,
    /// `ok`, `failed` or `interrupted`.
    pub outcome: &'static str,
    /// The exit code.
    pub exit_code: u8,
    /// The same, for the command.
    #[serde(skip)]
    pub exit: Exit,
    /// The first broken rung.
    pub first_broken: Option<Name>,
    /// All rungs, in their order.
    pub rungs: Vec<Rung>,
}

impl Report {
    /// What became of a climb with `job`, for which nobody has signed in yet.
    pub fn new(
        peer: &'static str,
        began_at: Timestamp,
        job: &Job,
        target: Option<&TargetSpec>,
        ended: Ended,
    ) -> Report {
        let Ended { rungs, exit } = ended;
        let broken = rungs.iter().find(|rung| rung.state == State::Failed);
        Report {
            form: FORM,
            program: concat!("exorun/", env!("CARGO_PKG_VERSION")),
            peer,
            began_at: began_at.to_string(),
            job: job.name.to_string(),
            source: one_line(&job.source.display().to_string(), 400),
            tenant: target.map(|target| one_line(target.organization(), 120)),
            environment: target.map(|target| target.environment.as_str().to_owned()),
            service: job.service.as_str(),
            method: target.map(|target| target.auth.method.as_str()),
            actor: None,
            outcome: match exit {
                Exit::Done => "ok",
                Exit::Interrupted => "interrupted",
                _ => "failed",
            },
            exit_code: exit.code(),
            exit,
            first_broken: broken.map(|rung| rung.name),
            rungs,
        }
    }

    /// The first broken rung, whole.
    pub fn broken(&self) -> Option<&Rung> {
        self.rungs.iter().find(|rung| rung.state == State::Failed)
    }

    /// The JSON form, with a line end.
    pub fn json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("texts and numbers");
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_table_are_those_of_the_json() {
        for name in Name::ALL {
            assert_eq!(serde_json::to_value(name).unwrap(), name.word());
        }
        for state in [State::Ok, State::Information, State::Warning, State::Failed, State::Skipped] {
            assert_eq!(serde_json::to_value(state).unwrap(), state.word());
        }
    }

    #[test]
    fn advice_behind_an_arrow_is_the_mend() {
        let finding = Finding::failed_as(Exit::Failed, "no -> yes", "nothing");
        assert_eq!((finding.seen.as_str(), finding.mend.as_deref()), ("no", Some("yes")));
        let finding = Finding::failed_as(Exit::Failed, "no", "nothing");
        assert_eq!((finding.seen.as_str(), finding.mend.as_deref()), ("no", Some("nothing")));
    }
}
