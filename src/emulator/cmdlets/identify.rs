//! Which object of a shelf a call is about, and what its parameters make of it.

use serde_json::Value;

use super::super::directory::{Class, Directory};
use super::super::errors::Failure;
use super::super::prop::{Object, Prop};
use super::super::shelf::When;
use super::super::synthesized::{self, Shape, shape};
use super::Call;
use super::parameters::Kind;
use crate::catalog::{self, Required};

impl Call<'_> {
    /// The noun's spelling, which is the shelf's name.
    pub(super) fn noun(&self) -> &'static str {
        self.cmdlet.noun()
    }

    pub(super) fn when(&self) -> When {
        When { now: self.now, wall: self.wall, stale: self.stale }
    }

    /// Puts on the noun's shelf what the tenant has from its beginning.
    pub(super) fn begin(&mut self, noun: &'static str) {
        let Directory { tenant, shelf, .. } = &mut *self.directory;
        shelf.begin(noun, || synthesized::start(tenant, noun));
    }

    /// Refuses a call without what is always required.
    pub(super) fn require(&self) -> Result<(), Failure> {
        let Some(cmdlet) = catalog::cmdlet(self.cmdlet.name) else { return Ok(()) };
        let required = cmdlet.parameters().filter(|parameter| parameter.required() == Required::Always);
        match required.map(|parameter| parameter.name()).find(|name| self.given.value(name).is_none()) {
            Some(name) => Err(Failure::missing_parameter(name)),
            None => Ok(()),
        }
    }

    /// A text that names something: neither null nor empty.
    pub(super) fn naming(&self, parameter: &'static str) -> Result<Option<String>, Failure> {
        if self.given.value(parameter).is_none() {
            return Ok(None);
        }
        let text = self.given.text(parameter)?.filter(|text| !text.is_empty());
        text.map(Some).ok_or_else(|| {
            Failure::transformation(parameter, "The argument is null or empty. Provide one that is not.")
        })
    }

    /// The number of the object that a write is about.
    pub(super) fn target(&mut self) -> Result<u64, Failure> {
        let noun = self.noun();
        let shape = shape(noun);
        let identity = self.naming("Identity")?;
        match (shape, identity) {
            (Shape::Single, _) => self
                .directory
                .shelf
                .list(noun, self.now)
                .next()
                .map(|(number, _)| number)
                .ok_or_else(|| Failure::not_found(noun)),
            (Shape::OfMailbox, Some(identity)) => self.of_mailbox(&identity),
            (Shape::Added, identity) => self.member(identity.as_deref()),
            (_, Some(identity)) => {
                let found = self.directory.shelf.find_to_write(noun, &identity, self.now);
                found.ok_or_else(|| Failure::not_found(&identity))
            }
            (_, None) if self.has("Identity") => Err(Failure::missing_parameter("Identity")),
            (_, None) => self.member(None),
        }
    }

    fn has(&self, parameter: &str) -> bool {
        self.cmdlet.parameters.iter().copied().flatten().any(|own| own.name == parameter)
    }

    /// The one object of a mailbox; made when it is first looked at, as mailboxes are.
    pub(super) fn of_mailbox(&mut self, identity: &str) -> Result<u64, Failure> {
        let noun = self.noun();
        // `user@contoso.example:\Calendar` names a folder of the mailbox.
        let mailbox = identity.split(":\\").next().unwrap_or(identity);
        let index =
            self.directory.find(Class::Mailbox, mailbox).ok_or_else(|| Failure::not_found(identity))?;
        let mut name = self.directory.current(Class::Mailbox, index).text("Name").into_owned();
        if let Some((_, folder)) = identity.split_once(":\\") {
            name = format!("{name}:\\{folder}");
        }
        if let Some(number) = self.directory.shelf.find(noun, &name, self.now) {
            return Ok(number);
        }
        let Directory { tenant, shelf, .. } = &mut *self.directory;
        let object = synthesized::object(tenant, noun, shelf.len(noun), &name, None);
        Ok(shelf.place(noun, object))
    }

    /// The entry with the values of all parameters that the cmdlet always requires.
    fn member(&self, identity: Option<&str>) -> Result<u64, Failure> {
        let keys = self.keys()?;
        let fits = |object: &Object| {
            identity.is_none_or(|identity| has_value(object, "Identity", identity))
                // What no cmdlet sets, the service made up, and it tells no entries apart here.
                && keys.iter().all(|(name, value)| object.get(name).is_none() || has_value(object, name, value))
        };
        let shelf = &self.directory.shelf;
        let found =
            shelf.list(self.noun(), self.now).find(|(_, object)| fits(object)).map(|(number, _)| number);
        let name = identity.or(keys.first().map(|(_, value)| value.as_str())).unwrap_or(self.noun());
        let found = found.filter(|number| shelf.current(self.noun(), *number).is_some());
        found.ok_or_else(|| Failure::not_found(name))
    }

    /// The always required parameters that are text, with their values.
    pub(super) fn keys(&self) -> Result<Vec<(&'static str, String)>, Failure> {
        let Some(cmdlet) = catalog::cmdlet(self.cmdlet.name) else { return Ok(Vec::new()) };
        let mut keys = Vec::new();
        for parameter in cmdlet.parameters().filter(|own| own.required() == Required::Always) {
            let name = parameter.name();
            if name == "Identity" || !synthesized::is_property(&parameter) {
                continue;
            }
            if let Some(Value::String(text)) = self.given.value(name).filter(|value| value.is_string()) {
                keys.push((name, text.clone()));
            }
        }
        Ok(keys)
    }

    /// Refuses values that do not fit their parameters.
    pub(super) fn check_values(&self) -> Result<(), Failure> {
        self.apply(&mut Object::default())
    }

    /// Sets all properties that the parameters name.
    pub(super) fn apply(&self, object: &mut Object) -> Result<(), Failure> {
        for (parameter, value) in self.given.iter().filter(|(parameter, _)| parameter.kind != Kind::Own) {
            let prop = self.convert(parameter, value, object)?;
            if !parameter.property.is_empty() {
                object.set(parameter.property, prop);
            }
        }
        Ok(())
    }
}

/// Whether a property is the value, or a list with it.
fn has_value(object: &Object, name: &str, value: &str) -> bool {
    match object.get(name) {
        Some(Prop::List(items)) => items.iter().any(|item| item.eq_ignore_ascii_case(value)),
        Some(prop) => prop.as_text().is_some_and(|own| own.eq_ignore_ascii_case(value)),
        None => false,
    }
}
