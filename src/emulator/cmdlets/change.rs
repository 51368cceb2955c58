//! What every Set cmdlet does: convert, compare, ask, write, and warn when nothing changed.

use std::collections::BTreeMap;

use super::super::directory::Class;
use super::super::errors::Failure;
use super::super::prop::{Object, Prop};
use super::parameters::{Kind, Parameter};
use super::values::{edit, simple, tables, word};
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
        let mut changes = Changes::new();
        for (parameter, value) in self.given.iter().filter(|(parameter, _)| parameter.kind != Kind::Own) {
            let new = self.convert(parameter, value, &old)?;
            changes.insert(parameter.property, new);
        }
        more(self, &old, &mut changes)?;
        changes.retain(|name, new| old.get(name) != Some(new));
        let name = old.text("Identity").into_owned();
        if let Some(answer) = self.asked(&name)? {
            return Ok(answer);
        }
        if changes.is_empty() {
            let warning =
                format!("The command completed successfully but no settings of '{name}' have been modified.");
            return Ok(Answer::Done { warnings: vec![warning] });
        }
        self.commit(class, index, changes);
        Ok(Answer::Done { warnings: Vec::new() })
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
        value: &serde_json::Value,
        old: &Object,
    ) -> Result<Prop, Failure> {
        let name = parameter.name;
        let old_list = || match old.get(parameter.property) {
            Some(Prop::List(items) | Prop::Senders(items)) => items.clone(),
            _ => Vec::new(),
        };
        match parameter.kind {
            Kind::Senders => Ok(Prop::Senders(edit(name, value)?.apply(&old_list()))),
            Kind::List => Ok(Prop::List(edit(name, value)?.apply(&old_list()))),
            Kind::RecipientList => {
                let edit = edit(name, value)?.map(|item| self.recipient(&item))?;
                Ok(Prop::List(edit.apply(&old_list())))
            }
            Kind::ProxyAddresses => {
                let edit = edit(name, value)?.map(|item| Ok(with_prefix(item)))?;
                Ok(Prop::List(edit.apply(&old_list())))
            }
            Kind::CatalogWords(known) => {
                let edit = edit(name, value)?.map(|item| word(known, &item).map(str::to_owned))?;
                Ok(Prop::List(edit.apply(&old_list())))
            }
            Kind::Tables => tables(name, value).map(Prop::List),
            Kind::Recipient if value.as_str().is_some_and(|text| !text.is_empty()) => {
                let text = value.as_str().unwrap_or_default();
                self.recipient(text).map(Prop::text)
            }
            _ => simple(parameter, value),
        }
    }

    /// The name by which the service shows a recipient.
    fn recipient(&self, identity: &str) -> Result<String, Failure> {
        match self.directory.find(Class::Mailbox, identity) {
            Some(index) => Ok(self.directory.current(Class::Mailbox, index).text("Name").into_owned()),
            None => Err(Failure::invalid(
                "Microsoft.Exchange.Configuration.Tasks.RecipientTaskException",
                &format!(
                    "Couldn't find object \"{identity}\". Please make sure that it was spelled correctly or specify a different object."
                ),
            )),
        }
    }
}

/// An address without a prefix is an alias.
fn with_prefix(address: String) -> String {
    if address.contains(':') { address } else { format!("smtp:{address}") }
}
