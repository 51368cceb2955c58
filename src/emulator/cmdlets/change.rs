//! What every Set cmdlet does: convert, compare, ask, write, and warn when nothing changed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::directory::Class;
use super::super::errors::Failure;
use super::super::prop::{Object, Prop};
use super::parameters::{Kind, Parameter, documented};
use super::values::{edit, items, not_one_of, scalar, simple, tables, word};
use super::{Answer, Call};

/// Properties and their new values.
pub(super) type Changes = BTreeMap<&'static str, Prop>;

impl Call<'_> {
    /// Sets what the parameters say; `more` adds what follows from it.
    pub(super) fn set(
        &mut self,
        class: Class,
        index: u64,
        more: impl FnOnce(&Call<'_>, &Object, &mut Changes) -> Result<(), Failure>,
    ) -> Result<Answer, Failure> {
        let old = self.directory.current(class, index);
        let mut changes = self.converted(&old)?;
        more(self, &old, &mut changes)?;
        if let Some(answer) = self.nothing_to_write(&old, &mut changes)? {
            return Ok(answer);
        }
        self.commit(class, index, changes);
        Ok(Answer::Done { warnings: Vec::new() })
    }

    /// The same for an object of a shelf.
    pub(super) fn set_on_shelf(
        &mut self,
        noun: &'static str,
        number: u64,
        more: impl FnOnce(&Call<'_>, &Object, &mut Changes) -> Result<(), Failure>,
    ) -> Result<Answer, Failure> {
        let old = self.directory.shelf.current(noun, number).cloned().unwrap_or_default();
        let mut changes = self.converted(&old)?;
        more(self, &old, &mut changes)?;
        if let Some(answer) = self.nothing_to_write(&old, &mut changes)? {
            return Ok(answer);
        }
        let when = self.when();
        self.directory.shelf.write(noun, number, changes, when);
        Ok(Answer::Done { warnings: Vec::new() })
    }

    /// The properties that the parameters set on an object.
    pub(super) fn converted(&self, old: &Object) -> Result<Changes, Failure> {
        let mut changes = Changes::new();
        for (parameter, value) in self.given.iter().filter(|(parameter, _)| parameter.kind != Kind::Own) {
            changes.insert(parameter.property, self.convert(parameter, value, old)?);
        }
        Ok(changes)
    }

    /// Drops what is so already. The answer, if there is nothing to write: the question of `WhatIf` and `Confirm`,
    /// or the warning that nothing was changed. Source: protocol reference, 3.5 and 3.7.
    pub(super) fn nothing_to_write(
        &self,
        old: &Object,
        changes: &mut Changes,
    ) -> Result<Option<Answer>, Failure> {
        changes.retain(|name, new| old.get(name) != Some(new));
        let name = old.text("Identity");
        if let Some(answer) = self.asked(&name)? {
            return Ok(Some(answer));
        }
        let warning =
            format!("The command completed successfully but no settings of '{name}' have been modified.");
        Ok(changes.is_empty().then(|| Answer::Done { warnings: vec![warning] }))
    }

    /// Writes changes and the time of the change.
    pub(super) fn commit(&mut self, class: Class, index: u64, mut changes: Changes) {
        if self.directory.current(class, index).get("WhenChanged").is_some() {
            changes.insert("WhenChanged", Prop::Date(self.wall));
            changes.insert("WhenChangedUTC", Prop::DateUtc(self.wall));
        }
        self.directory.write(class, index, changes, self.now, self.stale);
    }

    /// The property that a parameter's value makes of the old one.
    pub(super) fn convert(
        &self,
        parameter: &Parameter,
        value: &Value,
        old: &Object,
    ) -> Result<Prop, Failure> {
        let name = parameter.name;
        let old_list = || match old.get(parameter.property) {
            Some(Prop::List(items) | Prop::Senders(items)) => items.clone(),
            _ => Vec::new(),
        };
        let list = |change: &dyn Fn(String) -> Result<String, Failure>| {
            Ok::<_, Failure>(edit(name, value)?.map(change)?.apply(&old_list()))
        };
        let nullable = |items: Vec<String>| if items.is_empty() { Prop::Null } else { Prop::List(items) };
        match parameter.kind {
            Kind::Senders => Ok(Prop::Senders(edit(name, value)?.apply(&old_list()))),
            Kind::List => Ok(Prop::List(edit(name, value)?.apply(&old_list()))),
            Kind::NullableList => edit(name, value).map(|edit| nullable(edit.apply(&old_list()))),
            Kind::RecipientList => list(&|item| self.recipient_name(&item)).map(Prop::List),
            Kind::LegacyNames => list(&|item| self.legacy_name(&item)).map(Prop::List),
            Kind::RuleRecipients => list(&|item| self.in_rules(&item)).map(nullable),
            Kind::ProxyAddresses => list(&|item| Ok(with_prefix(item))).map(Prop::List),
            Kind::Words => list(&|item| self.word(name, &item)).map(Prop::List),
            Kind::Word if value.is_null() => Ok(Prop::Null),
            Kind::Word => self.word(name, &scalar(name, value)?).map(Prop::text),
            Kind::CatalogWords(known) => list(&|item| word(known, &item).map(str::to_owned)).map(Prop::List),
            Kind::Tables => tables(name, value).map(Prop::List),
            Kind::Recipient if value.as_str().is_some_and(|text| !text.is_empty()) => {
                let text = value.as_str().unwrap_or_default();
                self.recipient_name(text).map(Prop::text)
            }
            _ => simple(parameter, value),
        }
    }

    /// One of the words that are documented for the parameter; any, where none are.
    pub(super) fn word(&self, parameter: &str, text: &str) -> Result<String, Failure> {
        let words: Vec<&str> =
            documented(self.cmdlet.name, parameter).into_iter().flat_map(|found| found.words()).collect();
        match words.iter().find(|own| own.eq_ignore_ascii_case(text)) {
            Some(own) => Ok((*own).to_owned()),
            None if words.is_empty() => Ok(text.to_owned()),
            None => Err(not_one_of(parameter, text, &words)),
        }
    }

    /// The words of a parameter that the cmdlet reads itself.
    pub(super) fn words(&self, parameter: &'static str) -> Result<Option<Vec<String>>, Failure> {
        let given = self.given.list(parameter)?;
        given
            .map(|items| items.iter().map(|item| self.word(parameter, item)).collect::<Result<Vec<_>, _>>())
            .transpose()
    }

    /// A boolean that the cmdlet reads itself; `None` if it is not given.
    pub(super) fn boolean(&self, parameter: &'static str) -> Result<Option<bool>, Failure> {
        let given = self.given.value(parameter);
        given.map(|value| super::values::boolean(parameter, value)).transpose()
    }

    /// The items of a list that only replaces.
    pub(super) fn items(&self, parameter: &'static str) -> Result<Option<Vec<String>>, Failure> {
        let given = self.given.value(parameter).filter(|value| !value.is_null());
        given.map(|value| items(parameter, value)).transpose()
    }
}

/// An address without a prefix is an alias.
fn with_prefix(address: String) -> String {
    if address.contains(':') { address } else { format!("smtp:{address}") }
}
