//! What the steps of a job read of the place where it runs: secrets, and files whose bytes are sent.

use super::job::{Action, CredentialRef, Job, Step};
use super::template::{BytesValue, SecretValue, Template};

/// Something that a step reads of the place where it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read<'a> {
    /// Which step.
    pub step: &'a str,
    /// For which parameter or property.
    pub parameter: &'a str,
    /// Where it is.
    pub reference: CredentialRef,
    /// What becomes of it.
    pub what: What,
}

/// What becomes of something that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It is encrypted for the service.
    Secret,
    /// It is sent as bytes; a path can lead to a secret as well.
    Bytes,
}

impl Job {
    /// What all steps read, in their order.
    pub fn reads(&self) -> impl Iterator<Item = Read<'_>> {
        self.steps.iter().flat_map(Step::reads)
    }
}

impl Step {
    /// What it reads, by parameter.
    pub fn reads(&self) -> impl Iterator<Item = Read<'_>> {
        let values = match &self.action {
            Action::Cmdlet { parameters, .. } => parameters,
            Action::Ensure { properties, .. } => properties,
        };
        values.iter().filter_map(|(parameter, value)| {
            let (reference, what) = match value {
                Template::Secret(
                    SecretValue::Text(reference) | SecretValue::Credential { password: reference, .. },
                ) => (reference.clone(), What::Secret),
                Template::Bytes(BytesValue::File(path)) => (CredentialRef::File(path.clone()), What::Bytes),
                Template::Bytes(BytesValue::Base64(_))
                | Template::Literal(_)
                | Template::Expression(_)
                | Template::Text(_)
                | Template::List(_)
                | Template::Map(_) => return None,
            };
            Some(Read { step: self.name.as_str(), parameter: parameter.as_str(), reference, what })
        })
    }
}
