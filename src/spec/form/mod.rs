//! The form of the documents: every map, and every key it may have, once.
//!
//! The checker takes its known keys, words and bounds from here, and the reference (`docs/job-reference.md`) and the
//! JSON Schema are written from here: what one of them knows, the others know. What a value means and how it hangs
//! together with others is the checker's.

mod job;
mod reference;
mod schedule;
mod step;
mod target;

pub(super) use job::{INPUT, JOB, LIMITS};
pub use reference::reference;
pub(super) use schedule::{BLACKOUT, DST, RUN_POLICY, SCHEDULE};
pub(super) use step::{BYTES, OUTPUT, RETRY, STEP};
pub(super) use target::{
    AUTH, CONNECTION, CONNECTIONS, CREDENTIAL, ENVIRONMENTS, METHODS, MethodForm, PERMITTED_JOBS,
    PS_CREDENTIAL, TARGET_KEYS, TRANSIT, VAULT,
};

/// A map with known keys.
#[derive(Debug)]
pub(super) struct Object {
    /// Its heading in the reference and its name in the schema.
    pub(super) name: &'static str,
    /// How messages call it: "a step".
    pub(super) what: &'static str,
    /// One paragraph for the reference.
    pub(super) doc: &'static str,
    /// In the order in which they are listed everywhere.
    pub(super) keys: &'static [Key],
}

/// One key of an [`Object`].
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    /// What its value must be.
    pub(super) form: Form,
    pub(super) needed: Needed,
    /// What holds when it is left out, as the reader would write it.
    pub(super) default: Option<&'static str>,
    /// One or two sentences, in Markdown.
    pub(super) doc: &'static str,
}

/// Whether a key has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needed {
    Always,
    /// When, in words; the checker knows exactly.
    Sometimes(&'static str),
    Never,
}

/// What the value of a key must be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// The number 1.
    Version,
    /// Text for people or for others to interpret.
    Text,
    /// A DNS label.
    DnsLabel,
    /// An identifier: it occurs in expressions.
    Identifier,
    /// A domain or a GUID.
    Tenant,
    /// A GUID.
    Guid,
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of these words, or a DNS label that means something outside the file.
    WordOrName(&'static [&'static str]),
    /// `true` or `false`.
    Boolean,
    /// A whole number within bounds.
    Integer { from: i64, to: i64 },
    /// Whole numbers with units: `1h30m`.
    Duration,
    /// Five cron fields, or a nickname.
    Cron,
    /// Weekdays as in a cron expression.
    Weekdays,
    /// A time of day, or a date with one.
    Moment,
    /// An IANA zone.
    TimeZone,
    /// What a job's input takes, by its type.
    InputValue,
    /// A bare expression.
    Expression,
    /// Text that may hold expressions.
    Template,
    /// A cmdlet of the catalog.
    Cmdlet,
    /// A noun with a `Get-` and a `Set-` cmdlet.
    Noun,
    /// The parameters of the step's cmdlet.
    Parameters,
    /// The properties of the step's noun.
    Properties,
    /// The name, address or id of an object.
    Identity,
    /// A list of names of properties.
    PropertyNames,
    /// A list of words out of these.
    Words(&'static [&'static str]),
    /// A list of texts.
    Texts { max: usize },
    /// A map of texts.
    TextsByName { max: usize },
    /// Where a secret is kept: a [`CREDENTIAL`], or `${{ secret("…") }}`.
    Kept,
    /// A map with known keys.
    One(&'static Object),
    /// A list of such maps.
    List { of: &'static Object, max: usize },
    /// Such maps under names of the writer's.
    ByName { of: &'static Object, names: Names, max: usize },
}

/// The names in a [`Form::ByName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    Identifiers,
    DnsLabels,
}

impl Object {
    /// The names of its keys.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> + Clone + use<> {
        self.keys.iter().map(|key| key.name)
    }

    /// A key that the program itself asks for.
    ///
    /// # Panics
    /// When there is no such key: a slip of ours, which any test of that key shows.
    pub(super) fn key(&self, name: &str) -> &'static Key {
        self.keys
            .iter()
            .find(|key| key.name == name)
            .unwrap_or_else(|| panic!("the form of {} has no key {name}", self.what))
    }
}

impl Key {
    const fn new(name: &'static str, form: Form, doc: &'static str) -> Key {
        Key { name, form, needed: Needed::Never, default: None, doc }
    }

    const fn needed(self) -> Key {
        Key { needed: Needed::Always, ..self }
    }

    const fn needed_when(self, when: &'static str) -> Key {
        Key { needed: Needed::Sometimes(when), ..self }
    }

    const fn default(self, default: &'static str) -> Key {
        Key { default: Some(default), ..self }
    }
}

/// Both kinds of documents and the values of their own form, with everything below them, each once: for what is
/// written from the form.
pub(super) fn objects() -> Vec<&'static Object> {
    let mut objects: Vec<&'static Object> = vec![&JOB, &CONNECTIONS, &PS_CREDENTIAL, &BYTES];
    let mut at = 0;
    while at < objects.len() {
        for key in objects[at].keys {
            if let Form::One(below) | Form::List { of: below, .. } | Form::ByName { of: below, .. } = key.form
                && !objects.iter().any(|known| known.name == below.name)
            {
                objects.push(below);
            }
        }
        at += 1;
    }
    objects
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_and_keys_have_one_name_each() {
        let objects = objects();
        assert!(objects.len() >= 9, "{}", objects.len());
        for object in objects {
            let mut names: Vec<&str> = object.names().collect();
            assert!(!names.is_empty() && !object.doc.is_empty(), "{}", object.name);
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), object.keys.len(), "{}", object.name);
            for key in object.keys {
                assert!(!key.doc.is_empty(), "{} of {}", key.name, object.what);
                let snake = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
                assert!(key.name.bytes().all(snake), "{}", key.name);
            }
        }
    }
}
