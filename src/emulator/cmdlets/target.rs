//! Recipients of every kind: what a name in a parameter means, and how the service shows it.

use uuid::Uuid;

use super::super::directory::Class;
use super::super::errors::Failure;
use super::super::groups::NOUNS;
use super::super::prop::{Object, Prop};
use super::Call;

/// A recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Mailbox(u64),
    Shelf(&'static str, u64),
}

impl Call<'_> {
    /// The recipient of this name.
    pub(super) fn recipient_called(&self, identity: &str) -> Option<Target> {
        if identity.is_empty() {
            return None;
        }
        let mailbox = self.directory.find(Class::Mailbox, identity);
        let mailbox = mailbox.filter(|index| self.directory.is_there(Class::Mailbox, *index, self.now));
        let shelf = &self.directory.shelf;
        mailbox.map(Target::Mailbox).or_else(|| {
            NOUNS.into_iter().find_map(|noun| {
                shelf.find_to_write(noun, identity, self.now).map(|number| Target::Shelf(noun, number))
            })
        })
    }

    /// The recipient as it is.
    pub(super) fn recipient_object(&self, target: Target) -> Object {
        match target {
            Target::Mailbox(index) => self.directory.current(Class::Mailbox, index),
            Target::Shelf(noun, number) => {
                self.directory.shelf.current(noun, number).cloned().unwrap_or_default()
            }
        }
    }

    /// The recipient as a read shows it.
    pub(super) fn recipient_seen(&self, target: Target) -> Object {
        match target {
            Target::Mailbox(index) => self.read(Class::Mailbox, index),
            Target::Shelf(noun, number) => {
                self.directory.shelf.read(noun, number, self.now).cloned().unwrap_or_default()
            }
        }
    }

    /// The recipient that a reference in a parameter means.
    pub(super) fn reference(&self, identity: &str) -> Result<Object, Failure> {
        let found = self.recipient_called(identity).map(|target| self.recipient_object(target));
        found.ok_or_else(|| {
            Failure::invalid(
                "Microsoft.Exchange.Configuration.Tasks.RecipientTaskException",
                &format!(
                    "Couldn't find object \"{identity}\". Please make sure that it was spelled correctly or specify a different object."
                ),
            )
        })
    }

    /// The name by which the service shows a recipient. Source: protocol reference, 3.7.
    pub(super) fn recipient_name(&self, identity: &str) -> Result<String, Failure> {
        self.reference(identity).map(|object| object.text("Name").into_owned())
    }

    /// The legacy DN of a recipient.
    pub(super) fn legacy_name(&self, identity: &str) -> Result<String, Failure> {
        self.reference(identity).map(|object| object.text("LegacyExchangeDN").into_owned())
    }

    /// A recipient as inbox rules show it; what is nobody of the tenant is an address outside.
    pub(super) fn in_rules(&self, identity: &str) -> Result<String, Failure> {
        if identity.starts_with('"') && identity.ends_with(']') {
            return Ok(identity.to_owned());
        }
        if self.recipient_called(identity).is_none()
            && let Some((local, domain)) = identity.split_once('@')
            && !local.is_empty()
            && domain.contains('.')
        {
            return Ok(format!("\"{identity}\" [SMTP:{identity}]"));
        }
        let object = self.reference(identity)?;
        Ok(format!("\"{}\" [EX:{}]", object.text("DisplayName"), object.text("LegacyExchangeDN")))
    }

    /// The recipient's GUID, by which lists of it are kept.
    pub(super) fn guid_of(object: &Object) -> Uuid {
        match object.get("Guid") {
            Some(Prop::Guid(id)) => *id,
            _ => Uuid::nil(),
        }
    }
}
