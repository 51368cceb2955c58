//! Which source wins, for each row of the table.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing_subscriber::filter::Targets;

use super::ApplicationAnchor;
use super::file;
use super::kinds::{Detour, Endpoint, Value};
use super::problem::{Origin, SettingProblem};
use super::proxy::{Choice, Proxy};
use super::strings::{SETTINGS_FILE_VARIABLE, Strings, near};
use super::table::{Definition, TABLE, flag_name, variable_name};
use crate::observe::escape::one_line;
use crate::observe::logs::Format;
use crate::rules::proxy::Exceptions;

/// What is printed in place of a value that may be a secret.
const MASK: &str = "••••••";

/// Longest value that is printed.
const SHOWN_CHARS_MAX: usize = 200;

/// One setting as `exorun settings` prints it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Its key.
    pub key: &'static str,
    /// Its value as a user would write it, masked if it may be a secret, escaped; `None`: no value.
    pub value: Option<String>,
    /// Where the value came from.
    pub origin: Origin,
}

/// The value of each row, if it has one, and where it came from. A row with a problem has its default.
pub(super) struct Resolved {
    values: HashMap<&'static str, (Option<Value>, Origin)>,
    shown: Vec<Shown>,
}

impl Resolved {
    pub(super) fn read(
        mut flags: BTreeMap<String, String>,
        environment: &dyn Strings,
        file: Option<&Path>,
        problems: &mut Vec<SettingProblem>,
    ) -> Resolved {
        let named_by_variable = variable(environment, SETTINGS_FILE_VARIABLE).map(PathBuf::from);
        let file = file.map(Path::to_owned).or(named_by_variable);
        let mut lines = match file {
            Some(path) => file_lines(&path, problems),
            None => HashMap::new(),
        };
        let mut resolved = Resolved { values: HashMap::new(), shown: Vec::new() };
        for definition in TABLE {
            // Every source is checked, also those that lose: a mistake stays one when a flag is dropped again.
            let name = variable_name(definition.key);
            let sources = [
                flags.remove(definition.key).map(|text| (text, Origin::Flag(flag_name(definition.key)))),
                variable(environment, &name).map(|text| (text, Origin::Variable(name))),
                lines.remove(definition.key),
            ];
            let mut winner = None;
            for (text, origin) in sources.into_iter().flatten() {
                match definition.kind.parse(&text) {
                    Ok(value) => winner = winner.or(Some((value, text, origin))),
                    Err(why) => problems.push(SettingProblem::new(origin, definition.key, why)),
                }
            }
            resolved.add(definition, winner);
        }
        for key in flags.into_keys() {
            problems.push(SettingProblem::general(Origin::Flag(flag_name(&key)), "is no setting"));
        }
        resolved
    }

    fn add(&mut self, definition: &'static Definition, winner: Option<(Value, String, Origin)>) {
        let (value, text, origin) = match (winner, definition.default) {
            (Some((value, text, origin)), _) => (Some(value), Some(text), origin),
            (None, Some(text)) => {
                let value =
                    definition.kind.parse(text).expect("a default is a valid value; a test reads them all");
                (Some(value), Some(text.to_owned()), Origin::Default)
            }
            (None, None) => (None, None, Origin::Default),
        };
        let text = text
            .map(|text| if definition.masked { MASK.to_owned() } else { one_line(&text, SHOWN_CHARS_MAX) });
        self.shown.push(Shown { key: definition.key, value: text, origin: origin.clone() });
        self.values.insert(definition.key, (value, origin));
    }

    /// Where the value of `key` came from.
    pub(super) fn origin(&self, key: &'static str) -> Origin {
        self.values.get(key).map_or(Origin::Default, |(_, origin)| origin.clone())
    }

    /// The rows for printing; the state folder's default and the environment's proxy are known only now.
    pub(super) fn into_shown(self, state_dir: &Path, proxy: &Proxy) -> Vec<Shown> {
        let mut shown = self.shown;
        for row in shown.iter_mut().filter(|row| row.key == "proxy") {
            row.value = proxy.shown().map(|text| one_line(&text, SHOWN_CHARS_MAX)).or(row.value.take());
        }
        for row in shown.iter_mut().filter(|row| row.key == "state_dir" && row.value.is_none()) {
            row.value = Some(one_line(&state_dir.to_string_lossy(), SHOWN_CHARS_MAX));
        }
        shown
    }

    fn take(&mut self, key: &'static str) -> Option<Value> {
        self.values.get_mut(key).expect("every setting is a row of the table").0.take()
    }

    pub(super) fn endpoint(&mut self, key: &'static str) -> Option<Endpoint> {
        self.take(key).map(|value| match value {
            Value::Endpoint(endpoint) => endpoint,
            _ => unreachable!("`{key}` is an endpoint in the table"),
        })
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        self.take(key).map(|value| match value {
            Value::Text(text) => text,
            _ => unreachable!("`{key}` is a text in the table"),
        })
    }

    pub(super) fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        self.take(key).map(|value| match value {
            Value::Path(path) => path,
            _ => unreachable!("`{key}` is a path in the table"),
        })
    }

    pub(super) fn boolean(&mut self, key: &'static str) -> bool {
        match self.take(key) {
            Some(Value::Boolean(value)) => value,
            _ => unreachable!("`{key}` is a boolean with a default in the table"),
        }
    }

    pub(super) fn count(&mut self, key: &'static str) -> u32 {
        match self.take(key) {
            Some(Value::Count(count)) => count,
            _ => unreachable!("`{key}` is a count with a default in the table"),
        }
    }

    pub(super) fn duration(&mut self, key: &'static str) -> Duration {
        match self.take(key) {
            Some(Value::Duration(duration)) => duration,
            _ => unreachable!("`{key}` is a duration with a default in the table"),
        }
    }

    /// A duration of a row without a default.
    pub(super) fn duration_if_given(&mut self, key: &'static str) -> Option<Duration> {
        self.take(key).map(|value| match value {
            Value::Duration(duration) => duration,
            _ => unreachable!("`{key}` is a duration in the table"),
        })
    }

    pub(super) fn application_anchor(&mut self, key: &'static str) -> ApplicationAnchor {
        match self.take(key) {
            Some(Value::Word("system_mailbox")) => ApplicationAnchor::SystemMailbox,
            Some(Value::Word("oauth_user")) => ApplicationAnchor::OAuthUser,
            Some(Value::Word("tenant")) => ApplicationAnchor::Tenant,
            _ => unreachable!("`{key}` is one of three words with a default in the table"),
        }
    }

    /// A word of the row's own.
    pub(super) fn word(&mut self, key: &'static str) -> &'static str {
        match self.take(key) {
            Some(Value::Word(word)) => word,
            _ => unreachable!("`{key}` is a word with a default in the table"),
        }
    }

    /// Words of the row's own; none if nothing is set.
    pub(super) fn words(&mut self, key: &'static str) -> Vec<&'static str> {
        match self.take(key) {
            Some(Value::Words(words)) => words,
            None => Vec::new(),
            _ => unreachable!("`{key}` is a list of words in the table"),
        }
    }

    /// A word of a row without a default.
    pub(super) fn word_if_given(&mut self, key: &'static str) -> Option<&'static str> {
        self.take(key).map(|value| match value {
            Value::Word(word) => word,
            _ => unreachable!("`{key}` is a word in the table"),
        })
    }

    pub(super) fn detours(&mut self, key: &'static str) -> Vec<Detour> {
        match self.take(key) {
            Some(Value::Detours(detours)) => detours,
            None => Vec::new(),
            _ => unreachable!("`{key}` is a list of detours in the table"),
        }
    }

    pub(super) fn proxy(&mut self, key: &'static str) -> Choice {
        match self.take(key) {
            Some(Value::Proxy(choice)) => choice,
            _ => unreachable!("`{key}` is a proxy with a default in the table"),
        }
    }

    pub(super) fn exceptions(&mut self, key: &'static str) -> Option<Exceptions> {
        self.take(key).map(|value| match value {
            Value::Exceptions(exceptions) => exceptions,
            _ => unreachable!("`{key}` is a list of hosts in the table"),
        })
    }

    /// Where to listen; `None`: nowhere.
    pub(super) fn listener(&mut self, key: &'static str) -> Option<SocketAddr> {
        match self.take(key) {
            Some(Value::Listener(address)) => address,
            _ => unreachable!("`{key}` is where to listen, with a default in the table"),
        }
    }

    pub(super) fn log_format(&mut self, key: &'static str) -> Format {
        match self.take(key) {
            Some(Value::Word("json")) => Format::Json,
            Some(Value::Word("human")) => Format::Human,
            _ => unreachable!("`{key}` is one of two words with a default in the table"),
        }
    }

    pub(super) fn targets(&mut self, key: &'static str) -> Targets {
        match self.take(key) {
            Some(Value::LogFilter(targets)) => targets,
            _ => unreachable!("`{key}` is a log filter with a default in the table"),
        }
    }
}

/// A variable that is set to nothing counts as not set: that is how compose files and charts leave one out.
fn variable(environment: &dyn Strings, name: &str) -> Option<String> {
    environment.get(name).filter(|value| !value.is_empty())
}

/// The values of the file by key; unknown and repeated keys are problems.
fn file_lines(path: &Path, problems: &mut Vec<SettingProblem>) -> HashMap<&'static str, (String, Origin)> {
    let mut lines = HashMap::new();
    for entry in file::read(path, problems) {
        let Some(definition) = TABLE.iter().find(|definition| definition.key == entry.key) else {
            let shown = one_line(&entry.key, 60);
            let message = match near(&entry.key, TABLE.iter().map(|definition| definition.key)) {
                Some(near) => format!("`{shown}` is no setting; did you mean `{near}`?"),
                None => format!("`{shown}` is no setting; `exorun settings` lists them"),
            };
            problems.push(SettingProblem::general(entry.key_origin, message));
            continue;
        };
        if lines.contains_key(definition.key) {
            problems.push(SettingProblem::new(entry.key_origin, definition.key, "stands here a second time"));
        } else {
            lines.insert(definition.key, (entry.text, entry.origin));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{MASK, Resolved};
    use crate::settings::kinds::Kind;
    use crate::settings::{Definition, Origin};

    #[test]
    fn a_value_that_may_be_secret_is_masked() {
        static SECRET: Definition =
            Definition { key: "token", kind: Kind::Text, default: None, masked: true, doc: "For this test." };
        let mut resolved = Resolved { values: Default::default(), shown: Vec::new() };
        let value = SECRET.kind.parse("canary").unwrap();
        resolved.add(&SECRET, Some((value, "canary".to_owned(), Origin::Flag("--token".to_owned()))));
        assert_eq!(resolved.shown[0].value.as_deref(), Some(MASK));
        assert!(!format!("{:?}", resolved.shown).contains("canary"));
    }
}
