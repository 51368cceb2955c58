//! Nouns whose objects lie on shelves: what is known of them besides the parameters that the catalog names.

use super::mailbox::Tenant;
use super::prop::{Object, Prop};
use super::{organization, policies};

/// A property's value, as the tables write it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    Null,
    Is(bool),
    Text(&'static str),
    Number(i32),
    List(&'static [&'static str]),
    /// Nobody, in a list of addresses that are shown as objects.
    NoSenders,
    /// The tenant's initial domain.
    InitialDomain,
    TenantId,
    /// What the users of a quarantine policy may do.
    Permissions(i32),
}

impl Value {
    fn prop(self, tenant: &Tenant) -> Prop {
        match self {
            Value::Null => Prop::Null,
            Value::Is(value) => Prop::Bool(value),
            Value::Text(text) => Prop::text(text),
            Value::Number(number) => Prop::Int(number),
            Value::List(items) => Prop::List(items.iter().map(|item| (*item).to_owned()).collect()),
            Value::NoSenders => Prop::Senders(Vec::new()),
            Value::InitialDomain => Prop::text(tenant.initial_domain.clone()),
            Value::Permissions(number) => Prop::text(policies::permissions(number)),
            Value::TenantId => Prop::text(tenant.id.to_string()),
        }
    }
}

/// Properties and their values.
pub(super) type Values = &'static [(&'static str, Value)];

/// What a tenant has of a noun from its beginning.
#[derive(Clone, Copy)]
pub(super) enum Start {
    /// Objects of these names, and what sets them apart.
    These(&'static [(&'static str, Values)]),
    /// One object for each accepted domain.
    Domains,
}

/// One noun.
pub(super) struct Noun {
    pub(super) name: &'static str,
    pub(super) start: Start,
    /// What a new object has when nothing else is said, and what no parameter sets.
    pub(super) values: Values,
    /// Parameters that take one of these words, where the catalog does not list them.
    pub(super) words: &'static [(&'static str, &'static [&'static str])],
    /// Properties that the catalog's parameters suggest and that reads do not have.
    pub(super) without: &'static [&'static str],
}

impl Noun {
    /// A noun of which nothing but these values is known.
    pub(super) const fn new(name: &'static str, values: Values) -> Noun {
        Noun { name, start: Start::These(&[]), values, words: &[], without: &[] }
    }

    pub(super) const fn starts(self, objects: &'static [(&'static str, Values)]) -> Noun {
        Noun { start: Start::These(objects), ..self }
    }

    pub(super) const fn words(self, words: &'static [(&'static str, &'static [&'static str])]) -> Noun {
        Noun { words, ..self }
    }

    pub(super) const fn without(self, without: &'static [&'static str]) -> Noun {
        Noun { without, ..self }
    }

    /// Sets what every new object has.
    pub(super) fn fill(&self, tenant: &Tenant, object: &mut Object) {
        for (name, value) in self.values {
            object.set(name, value.prop(tenant));
        }
    }

    /// Whether a list of the noun is shown as objects.
    pub(super) fn has_senders(&self, name: &str) -> bool {
        self.values.iter().any(|(own, value)| *own == name && matches!(value, Value::NoSenders))
    }

    /// Names of the objects of the beginning, each with what sets it apart.
    pub(super) fn started(&self, tenant: &Tenant) -> Vec<(String, Vec<(&'static str, Prop)>)> {
        match self.start {
            Start::These(objects) => objects
                .iter()
                .map(|(name, values)| {
                    let own = values.iter().map(|(name, value)| (*name, value.prop(tenant))).collect();
                    let name = if *name == INITIAL_DOMAIN {
                        tenant.initial_domain.clone()
                    } else {
                        (*name).to_owned()
                    };
                    (name, own)
                })
                .collect(),
            Start::Domains => tenant.domains(self.name),
        }
    }
}

/// The name of an object that is called as the tenant's initial domain.
pub(super) const INITIAL_DOMAIN: &str = "(initial domain)";

/// What is known of a noun; `None`: nothing but the catalog's parameters.
pub(super) fn noun(name: &str) -> Option<&'static Noun> {
    [organization::NOUNS, policies::NOUNS]
        .into_iter()
        .flatten()
        .find(|noun| noun.name.eq_ignore_ascii_case(name))
}
