//! Parameters: which a cmdlet has, and what their JSON may be.

use serde_json::{Map, Value};

use super::super::errors::Failure;
use super::values::{annotation, boolean, items, scalar, typed};
use super::{Effect, ResultSize};
use crate::catalog;

/// A parameter's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    /// Null is a value of its own, for example "inherits".
    NullableBool,
    /// Null and `""` are the same empty text.
    Text,
    /// A text that may be unset: null.
    NullableText,
    Int,
    /// Bytes, or `Unlimited`.
    Size,
    /// `d.hh:mm:ss`, days as a number, or `Unlimited`.
    Span,
    OneOf(&'static [&'static str]),
    /// An address that is shown with its `smtp:`.
    SmtpAddress,
    /// Another recipient, shown by its name.
    Recipient,
    List,
    RecipientList,
    ProxyAddresses,
    /// A number with or without a fraction.
    Number,
    /// A whole number, or `Unlimited`.
    Unlimited,
    /// A point in time; without a zone it is UTC.
    Date,
    Guid,
    /// One of the catalog's words.
    CatalogWord(catalog::Parameter),
    /// Some of the catalog's words.
    CatalogWords(catalog::Parameter),
    /// A list of addresses that are shown as objects.
    Senders,
    Table,
    Tables,
    Bytes,
    /// One of the words that the catalog has for the parameter, or null.
    Word,
    /// Several of the catalog's words.
    Words,
    /// Recipients, shown by their legacy DNs.
    LegacyNames,
    /// Recipients, shown as inbox rules show them: `"Name" [EX:/o=...]`.
    RuleRecipients,
    /// A list that is null while it is empty.
    NullableList,
    /// Read by the cmdlet itself.
    Own,
    /// The real cmdlet has it, the emulator does not.
    NotEmulated,
}

/// One parameter of a cmdlet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    /// The property that it sets; empty if none.
    pub(super) property: &'static str,
    pub(super) kind: Kind,
}

/// A parameter that sets the property of its own name.
pub(super) const fn p(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, property: name, kind }
}

/// A parameter that the cmdlet reads itself.
pub(super) const fn own(name: &'static str) -> Parameter {
    Parameter { name, property: "", kind: Kind::Own }
}

/// Parameters of one kind that set the properties of their own names.
pub(super) const fn all<const N: usize>(names: [&'static str; N], kind: Kind) -> [Parameter; N] {
    let mut all = [own(""); N];
    let mut at = 0;
    while at < N {
        all[at] = p(names[at], kind);
        at += 1;
    }
    all
}

/// Parameters that the cmdlet reads itself.
pub(super) const fn owns<const N: usize>(names: [&'static str; N]) -> [Parameter; N] {
    let mut all = all(names, Kind::Own);
    let mut at = 0;
    while at < N {
        all[at] = own(names[at]);
        at += 1;
    }
    all
}

pub(super) const fn missing(name: &'static str) -> Parameter {
    Parameter { name, property: "", kind: Kind::NotEmulated }
}

/// What PowerShell gives every cmdlet.
const COMMON: [&str; 12] = [
    "Verbose",
    "Debug",
    "ErrorAction",
    "WarningAction",
    "InformationAction",
    "ProgressAction",
    "ErrorVariable",
    "WarningVariable",
    "InformationVariable",
    "OutVariable",
    "OutBuffer",
    "PipelineVariable",
];

/// What the catalog has of a parameter: the service knows it even where the emulator does not.
pub(super) fn documented(cmdlet: &str, name: &str) -> Option<catalog::Parameter> {
    let found = catalog::cmdlet(cmdlet)?.parameter(name)?;
    found.available_in(catalog::Service::ExchangeOnline).then_some(found)
}

/// The parameters of a call: known names, values as they came.
#[derive(Clone, Debug)]
pub(super) struct Given(Vec<(Parameter, Value)>);

impl Given {
    /// Checks the names. `X@odata.type` members only annotate `X`.
    pub(super) fn check(
        cmdlet: &str,
        effect: Effect,
        parameters: &[&[Parameter]],
        sent: &Map<String, Value>,
    ) -> Result<Given, Failure> {
        // Source: protocol reference, 3.5: a cmdlet that does not ask has neither of them.
        let can_ask = catalog::cmdlet(cmdlet).is_none_or(|cmdlet| cmdlet.supports_confirm());
        let asks: &[Parameter] =
            if effect == Effect::Write && can_ask { const { &[own("Confirm"), own("WhatIf")] } } else { &[] };
        let mut given: Vec<(Parameter, Value)> = Vec::new();
        for (name, value) in sent {
            if let Some((annotated, _)) = name.split_once('@') {
                annotation(annotated, value)?;
                continue;
            }
            if COMMON.iter().any(|common| common.eq_ignore_ascii_case(name)) {
                continue;
            }
            typed(name, value, sent.contains_key(&format!("{name}@odata.type")))?;
            let known = parameters.iter().copied().flatten().chain(asks);
            let parameter = known
                .copied()
                .find(|parameter| parameter.name.eq_ignore_ascii_case(name))
                .or_else(|| documented(cmdlet, name).map(|parameter| missing(parameter.name())))
                .ok_or_else(|| Failure::unknown_parameter(cmdlet, name))?;
            if parameter.kind == Kind::NotEmulated {
                return Err(Failure::not_emulated(&format!("parameter {} of {cmdlet}", parameter.name)));
            }
            if given.iter().any(|(other, _)| other.name == parameter.name) {
                return Err(Failure::ambiguous(&format!(
                    "Parameter '{}' is specified twice.",
                    parameter.name
                )));
            }
            given.push((parameter, value.clone()));
        }
        Ok(Given(given))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Parameter, &Value)> {
        self.0.iter().map(|(parameter, value)| (parameter, value))
    }

    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.iter().find(|(parameter, _)| parameter.name == name).map(|(_, value)| value)
    }

    /// A text; null and a parameter that was not given are the same.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<String>, Failure> {
        match self.value(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => scalar(name, value).map(Some),
        }
    }

    pub(super) fn switch(&self, name: &'static str) -> Result<bool, Failure> {
        self.value(name).map_or(Ok(false), |value| boolean(name, value))
    }

    /// A list: an array, one value, or values with commas between.
    pub(super) fn list(&self, name: &'static str) -> Result<Option<Vec<String>>, Failure> {
        match self.value(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => {
                Ok(Some(text.split(',').map(|item| item.trim().to_owned()).collect()))
            }
            Some(value) => items(name, value).map(Some),
        }
    }

    pub(super) fn result_size(&self) -> Result<ResultSize, Failure> {
        let Some(text) = self.text("ResultSize")? else { return Ok(ResultSize::Default) };
        if text.eq_ignore_ascii_case("unlimited") {
            return Ok(ResultSize::Unlimited);
        }
        match text.parse::<u64>() {
            Ok(number) if number > 0 => Ok(ResultSize::Number(number)),
            _ => Err(Failure::transformation(
                "ResultSize",
                &format!("Cannot convert value \"{text}\" to type \"Microsoft.Exchange.Data.Unlimited\"."),
            )),
        }
    }
}
