//! Objects of nouns that nobody has described to the emulator: their properties are the catalog's parameters.
//!
//! The nouns of `nouns.rs` take their parameters' properties from here too; what makes an object *synthesized* is that
//! nothing else is known of it. Such an object says nothing about the service.

use super::mailbox::Tenant;
use super::nouns::{self, Noun};
use super::prop::{Object, Prop};
use super::shelf::{self, Shelf};
use crate::catalog::{self, Cmdlet, Parameter, Required, ValueKind};

/// How a noun's objects come to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// New makes them.
    Made,
    /// Add makes them: members and entries of something else.
    Added,
    /// There is one, and nobody has to name it.
    Single,
    /// There is one that has to be named.
    Named,
    /// Each mailbox has one.
    OfMailbox,
    /// There are none; reads are empty.
    None,
}

/// The shape of a noun, from the verbs that the catalog has for it.
pub(super) fn shape(noun: &str) -> Shape {
    let cmdlet = |verb: &str| catalog::cmdlet(&format!("{verb}-{noun}"));
    if cmdlet("New").is_some() {
        return Shape::Made;
    }
    if cmdlet("Add").is_some() {
        return Shape::Added;
    }
    let Some(set) = cmdlet("Get").and(cmdlet("Set")) else { return Shape::None };
    match set.parameter("Identity") {
        Some(identity) if identity.required() != Required::No => match identity.type_name() {
            "MailboxIdParameter"
            | "MailboxFolderIdParameter"
            | "RecipientIdParameter"
            | "UserIdParameter"
            | "MailUserIdParameter"
            | "ContactIdParameter"
            | "GroupIdParameter"
            | "MailboxAuditBypassAssociationIdParameter"
            | "String" => Shape::OfMailbox,
            _ => Shape::Named,
        },
        _ => Shape::Single,
    }
}

/// Parameters that are no properties: they say how the cmdlet works, or whom it works on.
const NO_PROPERTIES: [&str; 13] = [
    "Identity",
    "Confirm",
    "WhatIf",
    "Force",
    "DomainController",
    "Organization",
    "ResultSize",
    "Filter",
    "SortBy",
    "IgnoreDehydratedFlag",
    "MakeDefault",
    "OutputJson",
    "BypassSecurityGroupManagerCheck",
];

/// Whether a parameter sets the property of its name.
pub(super) fn is_property(parameter: &Parameter) -> bool {
    let kind = parameter.kind();
    !NO_PROPERTIES.contains(&parameter.name()) && !matches!(kind, ValueKind::Secret | ValueKind::Object)
}

/// The parameters of all cmdlets that write the noun's properties.
fn properties(noun: &str) -> impl Iterator<Item = Parameter> {
    let cmdlets = ["New", "Add", "Set"].map(|verb| catalog::cmdlet(&format!("{verb}-{noun}")));
    cmdlets.into_iter().flatten().flat_map(|cmdlet: Cmdlet| cmdlet.parameters()).filter(is_property)
}

/// What a property is before anybody set it. Source: protocol reference, 3.7.
fn unset(kind: ValueKind) -> Prop {
    match kind {
        ValueKind::Switch | ValueKind::Boolean => Prop::Bool(false),
        ValueKind::Integer => Prop::Int(0),
        ValueKind::Number => Prop::text("0"),
        ValueKind::Unlimited | ValueKind::UnlimitedSize | ValueKind::UnlimitedTimeSpan => {
            Prop::text("Unlimited")
        }
        ValueKind::Size => Prop::text("0 B (0 bytes)"),
        ValueKind::TimeSpan => Prop::text("00:00:00"),
        ValueKind::String => Prop::text(""),
        ValueKind::List | ValueKind::HashtableList => Prop::List(Vec::new()),
        ValueKind::DateTime
        | ValueKind::Guid
        | ValueKind::Enum
        | ValueKind::Hashtable
        | ValueKind::Bytes
        | ValueKind::Secret
        | ValueKind::Object => Prop::Null,
    }
}

/// An object of the noun as it is before a cmdlet sets anything.
pub(super) fn object(
    tenant: &Tenant,
    noun: &'static str,
    number: u64,
    name: &str,
    created: Option<jiff::Timestamp>,
) -> Object {
    let mut object = shelf::always(tenant, noun, number, name, created);
    let known = nouns::noun(noun);
    let without: &[&str] = known.map_or(&[], |known: &Noun| known.without);
    for parameter in properties(noun).filter(|parameter| !without.contains(&parameter.name())) {
        if object.get(parameter.name()).is_none() {
            object.set(parameter.name(), unset(parameter.kind()));
        }
    }
    if let Some(known) = known {
        known.fill(tenant, &mut object);
    }
    object
}

/// What a tenant has of the noun from its beginning.
pub(super) fn start(tenant: &Tenant, noun: &'static str) -> Vec<Object> {
    let started = match (nouns::noun(noun), shape(noun)) {
        (Some(known), _) => known.started(tenant),
        (None, Shape::Single | Shape::Named) => vec![("Default".to_owned(), Vec::new())],
        (None, _) => Vec::new(),
    };
    (0..)
        .zip(started)
        .map(|(number, (name, own))| {
            let mut object = object(tenant, noun, number, &name, None);
            for (name, prop) in own {
                object.set(name, prop);
            }
            object
        })
        .collect()
}

/// Makes a tenant that was not customized yet.
pub(super) fn dehydrate(tenant: &Tenant, shelf: &mut Shelf) {
    const NOUN: &str = "OrganizationConfig";
    shelf.begin(NOUN, || {
        let mut objects = start(tenant, NOUN);
        for object in &mut objects {
            object.set("IsDehydrated", Prop::Bool(true));
        }
        objects
    });
}
