//! Cmdlets that nobody wrote by hand: their parameters are the catalog's, their objects lie on shelves.

use std::sync::LazyLock;

use super::super::nouns::{self, Noun};
use super::super::synthesized::{Shape, shape};
use super::parameters::{Kind, Parameter};
use super::{Answer, Call, Cmdlet, Effect, Failure, blocklist, hand_written, quarantine, shelved, traces};
use crate::catalog::{self, ValueKind};

/// How a cmdlet works.
pub(super) type Run = fn(&mut Call<'_>) -> Result<Answer, Failure>;

/// Cmdlets with the catalog's parameters and a way of their own.
const OWN: &[&[(&str, Run)]] = &[blocklist::RUNS, quarantine::RUNS, shelved::RUNS, traces::RUNS];

/// Each cmdlet of the catalog that the service has and that nobody wrote by hand, with its parameters.
static PARAMETERS: LazyLock<Vec<(catalog::Cmdlet, Vec<Parameter>)>> = LazyLock::new(|| {
    catalog::cmdlets()
        .filter(|cmdlet| is_the_services(cmdlet.as_str()))
        .filter(|cmdlet| hand_written(cmdlet.as_str()).is_none())
        .map(|cmdlet| (cmdlet, parameters(cmdlet)))
        .collect()
});

static LISTS: LazyLock<Vec<[&'static [Parameter]; 1]>> =
    LazyLock::new(|| PARAMETERS.iter().map(|(_, parameters)| [parameters.as_slice()]).collect());

static CMDLETS: LazyLock<Vec<Cmdlet>> = LazyLock::new(|| {
    let lists = PARAMETERS.iter().zip(LISTS.iter());
    lists
        .map(|((cmdlet, _), list)| Cmdlet {
            name: cmdlet.as_str(),
            effect: if cmdlet.is_read() { Effect::Read } else { Effect::Write },
            parameters: list,
            run: run(*cmdlet),
        })
        .collect()
});

pub(super) fn all() -> &'static [Cmdlet] {
    &CMDLETS
}

/// Whether a cmdlet is known only by its parameters. Its answers are marked, and prove nothing.
pub(super) fn is_synthesized(cmdlet: &Cmdlet) -> bool {
    let known = own(cmdlet.name).is_some() || is_plain(verb(cmdlet)) && nouns::noun(cmdlet.noun()).is_some();
    hand_written(cmdlet.name).is_none() && !known
}

fn own(name: &str) -> Option<Run> {
    OWN.iter().copied().flatten().find(|(own, _)| *own == name).map(|(_, run)| *run)
}

pub(super) fn verb(cmdlet: &Cmdlet) -> &'static str {
    cmdlet.name.split_once('-').map_or("", |(verb, _)| verb)
}

/// Verbs that do the same to every noun.
fn is_plain(verb: &str) -> bool {
    matches!(verb, "Get" | "New" | "Add" | "Set" | "Remove" | "Enable" | "Disable")
}

/// The module itself has these; the service never sees them.
fn is_the_services(name: &str) -> bool {
    !name.starts_with("Connect-")
        && !name.starts_with("Disconnect-")
        && name != "Get-ConnectionInformation"
        && catalog::classic(name).is_none()
}

fn run(cmdlet: catalog::Cmdlet) -> Run {
    let name = cmdlet.as_str();
    if let Some(run) = own(name) {
        return run;
    }
    // Where a noun is made up elsewhere, no shelf has its objects.
    let elsewhere = super::all_hand_written().any(|other| {
        other.noun().eq_ignore_ascii_case(cmdlet.noun()) && nouns::noun(cmdlet.noun()).is_none()
    });
    let shape = if elsewhere { Shape::None } else { shape(cmdlet.noun()) };
    match (name.split_once('-').map_or("", |(verb, _)| verb), shape) {
        ("Get", _) => shelved::get,
        (_, Shape::None) if cmdlet.is_read() => shelved::nothing_to_show,
        (_, Shape::None) => shelved::nothing_done,
        ("New" | "Add", _) => shelved::new,
        ("Set", _) => shelved::set,
        ("Remove", _) => shelved::remove,
        ("Enable" | "Disable", _) => shelved::toggle,
        _ if cmdlet.is_read() => shelved::nothing_to_show,
        _ => shelved::nothing_done,
    }
}

fn parameters(cmdlet: catalog::Cmdlet) -> Vec<Parameter> {
    let known = nouns::noun(cmdlet.noun());
    let asks = |name: &str| matches!(name, "Confirm" | "WhatIf");
    let parameters = cmdlet.parameters().filter(|parameter| !asks(parameter.name()));
    parameters.map(|parameter| own_kind(cmdlet, known, parameter)).collect()
}

fn own_kind(cmdlet: catalog::Cmdlet, known: Option<&'static Noun>, from: catalog::Parameter) -> Parameter {
    let name = from.name();
    let words = known.and_then(|known| known.words.iter().find(|(own, _)| *own == name));
    let identifies =
        name == "Identity" || cmdlet.is_read() && matches!(name, "Filter" | "ResultSize" | "Anr");
    let kind = match words {
        _ if identifies => Kind::Own,
        _ if known.is_some_and(|known| known.has_senders(name)) => Kind::Senders,
        Some((_, words)) => Kind::OneOf(words),
        None => kind(from),
    };
    let shown = super::super::synthesized::is_property(&from)
        && known.is_none_or(|known| !known.without.contains(&name));
    Parameter { name, property: if shown { name } else { "" }, kind }
}

fn kind(parameter: catalog::Parameter) -> Kind {
    let has_words = parameter.words().next().is_some();
    match parameter.kind() {
        ValueKind::Switch => Kind::Bool,
        ValueKind::Boolean => Kind::NullableBool,
        ValueKind::Integer => Kind::Int,
        ValueKind::Number => Kind::Number,
        ValueKind::Unlimited => Kind::Unlimited,
        ValueKind::Size | ValueKind::UnlimitedSize => Kind::Size,
        ValueKind::DateTime => Kind::Date,
        ValueKind::TimeSpan | ValueKind::UnlimitedTimeSpan => Kind::Span,
        ValueKind::Guid => Kind::Guid,
        ValueKind::Enum if has_words => Kind::CatalogWord(parameter),
        ValueKind::String | ValueKind::Enum => Kind::Text,
        ValueKind::List if has_words => Kind::CatalogWords(parameter),
        ValueKind::List => Kind::List,
        ValueKind::Hashtable => Kind::Table,
        ValueKind::HashtableList => Kind::Tables,
        // Some of the documented byte arrays are arrays of arrays.
        ValueKind::Bytes => Kind::Bytes,
        ValueKind::Secret | ValueKind::Object => Kind::Own,
    }
}
