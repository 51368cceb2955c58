//! What a step may say for each cmdlet and noun of the catalog.
//!
//! A step meets its cmdlet through the verb and the first letter of the noun. One list of all cmdlets would make
//! every validator look at nine hundred conditions for each step, and some of them recurse as deep.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::values::Values;
use crate::catalog::ensured::{always_needed, can_hold, identity_of, pairs};
use crate::catalog::{Cmdlet, Parameter, Required, cmdlets};
use crate::spec::check::{can_be_a_step, can_be_given};

/// Adds `Catalog`, which every step must fit in addition to its form, and what it refers to.
pub(super) fn definitions(definitions: &mut Map<String, Value>) {
    let mut values = Values::default();
    let mut by_cmdlet = Vec::new();
    for cmdlet in cmdlets().filter(|cmdlet| can_be_a_step(*cmdlet)) {
        let verb = cmdlet.as_str().len() - cmdlet.noun().len();
        let groups = vec![verb, verb + 1];
        by_cmdlet.push(Entry { name: cmdlet.as_str(), groups, then: of_cmdlet(cmdlet, &mut values) });
    }
    let mut by_noun = Vec::new();
    for (get, set) in pairs() {
        by_noun.push(Entry { name: set.noun(), groups: vec![1], then: of_noun(get, set, &mut values) });
    }
    let names = |entries: &[Entry]| entries.iter().map(|entry| entry.name).collect::<Vec<_>>();
    let (cmdlets, nouns) = (names(&by_cmdlet), names(&by_noun));
    let by_cmdlet = choice(definitions, "cmdlet", 0, by_cmdlet);
    let by_noun = choice(definitions, "ensure", 0, by_noun);
    let catalog = json!({
        "properties": {"cmdlet": {"enum": cmdlets}, "ensure": {"enum": nouns}},
        "allOf": [
            {"if": {"required": ["cmdlet"]}, "then": by_cmdlet},
            {"if": {"required": ["ensure"]}, "then": by_noun},
        ],
    });
    definitions.insert("Catalog".to_owned(), catalog);
    values.into_definitions(definitions);
}

/// What holds for a step with this cmdlet or noun.
struct Entry {
    name: &'static str,
    /// Where the name is cut, level by level: names with the same beginning form a group.
    groups: Vec<usize>,
    then: Value,
}

/// A condition for each group of names, and for each name in the last groups; what follows is a definition.
fn choice(definitions: &mut Map<String, Value>, key: &str, level: usize, entries: Vec<Entry>) -> Value {
    let mut groups: BTreeMap<&str, Vec<Entry>> = BTreeMap::new();
    let mut choices: Vec<(Value, &str, Value)> = Vec::new();
    for entry in entries {
        match entry.groups.get(level) {
            Some(end) => groups.entry(&entry.name[..*end]).or_default().push(entry),
            None => choices.push((json!({"pattern": format!("^{}$", entry.name)}), entry.name, entry.then)),
        }
    }
    for (group, members) in groups {
        let then = choice(definitions, key, level + 1, members);
        choices.push((json!({"pattern": format!("^{group}")}), group, then));
    }
    let mut conditions = Vec::with_capacity(choices.len());
    for (condition, name, then) in choices {
        // A cmdlet's name has a hyphen, so that only a noun's needs something of its own.
        let name = if key == "cmdlet" { name.to_owned() } else { format!("{key}.{name}") };
        let then_that = json!({"$ref": format!("#/$defs/{name}")});
        conditions.push(json!({"if": {"properties": {key: condition}}, "then": then_that}));
        definitions.insert(name, then);
    }
    json!({"allOf": conditions})
}

fn of_cmdlet(cmdlet: Cmdlet, values: &mut Values) -> Value {
    let given = cmdlet.parameters().filter(|parameter| can_be_given(cmdlet, *parameter));
    let required: Vec<&str> = given
        .clone()
        .filter(|given| given.required() == Required::Always)
        .map(|given| given.name())
        .collect();
    let parameters = map(given, &required, values);
    if required.is_empty() {
        json!({"properties": {"parameters": parameters}})
    } else {
        json!({"required": ["parameters"], "properties": {"parameters": parameters}})
    }
}

fn of_noun(get: Cmdlet, set: Cmdlet, values: &mut Values) -> Value {
    let held = set.parameters().filter(|parameter| can_hold(*parameter) && can_be_given(set, *parameter));
    let required: Vec<&str> = always_needed(set).map(|parameter| parameter.name()).collect();
    let properties = map(held, &required, values);
    match identity_of(get, set).map(|identity| identity.required()) {
        None => json!({"properties": {"properties": properties, "identity": false}}),
        Some(Required::No) => json!({"properties": {"properties": properties}}),
        Some(_) => json!({"required": ["identity"], "properties": {"properties": properties}}),
    }
}

/// A map of parameters and nothing else.
fn map(parameters: impl Iterator<Item = Parameter>, required: &[&str], values: &mut Values) -> Value {
    let properties: Map<String, Value> =
        parameters.map(|parameter| (parameter.name().to_owned(), values.reference(parameter))).collect();
    let mut map = json!({"properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        map["required"] = json!(required);
    }
    map
}
