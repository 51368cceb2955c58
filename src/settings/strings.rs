//! The environment, as settings see it.

use std::collections::BTreeMap;

use super::problem::UnknownVariable;
use super::table::{TABLE, variable_name};

/// Where settings look up variables: [`ProcessEnvironment`] in the program, a map in tests.
pub trait Strings {
    /// The value of `name`. What is not UTF-8 comes with replacement characters, which no setting accepts.
    fn get(&self, name: &str) -> Option<String>;

    /// The names of all variables.
    fn names(&self) -> Vec<String>;
}

/// The environment of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessEnvironment;

impl Strings for ProcessEnvironment {
    fn get(&self, name: &str) -> Option<String> {
        std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
    }

    fn names(&self) -> Vec<String> {
        std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect()
    }
}

impl Strings for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<String> {
        BTreeMap::get(self, name).cloned()
    }

    fn names(&self) -> Vec<String> {
        self.keys().cloned().collect()
    }
}

/// Names the settings file; read by [`super::Settings::load`] when no flag names one.
pub(super) const SETTINGS_FILE_VARIABLE: &str = "EXORUN_SETTINGS";

/// The `EXORUN_…` variables that are no setting, without those that have another reason to be there.
pub(super) fn unknown_variables(environment: &dyn Strings) -> Vec<UnknownVariable> {
    let known: Vec<String> = TABLE.iter().map(|definition| variable_name(definition.key)).collect();
    let mut unknown: Vec<UnknownVariable> = environment
        .names()
        .into_iter()
        .filter(|name| name.starts_with("EXORUN_") && !known.contains(name) && !has_another_reason(name))
        .map(|name| UnknownVariable { near: near(&name, known.iter().map(String::as_str)), name })
        .collect();
    unknown.sort_by(|one, other| one.name.cmp(&other.name));
    unknown
}

/// Not a setting, and not a mistake either.
fn has_another_reason(name: &str) -> bool {
    // Jobs refer to credentials by variable; which ones is known only when the jobs have been read.
    let credential = ["_SECRET", "_PASSWORD", "_TOKEN", "_KEY", "_CREDENTIAL", "_CERTIFICATE"];
    // Kubernetes gives every pod of a namespace variables for each Service; one named `exorun` makes these.
    let service_link =
        name.starts_with("EXORUN_SERVICE_") || name == "EXORUN_PORT" || name.starts_with("EXORUN_PORT_");
    let ours = [SETTINGS_FILE_VARIABLE, "EXORUN_NO_SKIP"];
    service_link
        || name.starts_with("EXORUN_TEST_")
        || ours.contains(&name)
        || credential.iter().any(|end| name.ends_with(end))
}

/// The one of `known` that was most likely meant by `name`, if any is near enough.
pub(super) fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    // Two typing mistakes, or one in three characters of a short name.
    let distance_max = (name.chars().count() / 3).min(2);
    known
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= distance_max)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate.to_owned())
}
