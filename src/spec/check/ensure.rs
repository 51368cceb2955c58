//! `ensure`: properties that must hold. Read with `Get-NOUN`, written with `Set-NOUN` where something differs.

use super::expressions::Names;
use super::lists::as_list;
use super::{Checker, Fields, did_you_mean};
use crate::catalog::ensured::{
    always_needed, has_state, identity_of, is_comparable, is_readable, pair, pairs,
};
use crate::catalog::{Cmdlet, Parameter, Required, Service, ValueKind, nearest};
use crate::spec::escape::quote;
use crate::spec::job::Action;
use crate::spec::problem::Problem;
use crate::spec::template::Template;
use crate::spec::tree::{Content, Node};

impl Checker<'_> {
    /// A step with `ensure`.
    pub(super) fn ensure_step(
        &mut self,
        fields: Fields<'_>,
        service: Service,
        names: &mut Names<'_>,
    ) -> Option<Action> {
        let node = fields.get("ensure")?;
        let text = self.text(node, "ensure")?;
        let (get, set) = self.noun(node, text)?;
        self.available(set, service, &node.span);
        if !self.needs_no_more(node, get, set, fields) {
            return None;
        }
        let identity = self.identity(node, fields, get, set, names);
        let Some(properties_node) = fields.get("properties") else {
            let problem = Problem::error(
                node.span.clone(),
                "`ensure` has no `properties`: it does not say what must hold",
            );
            self.report(problem.help("add `properties:` and below it the properties with their values"));
            return None;
        };
        let entries = self.map(properties_node, "`properties`")?;
        if entries.is_empty() {
            let problem = Problem::error(
                properties_node.span.clone(),
                "`properties` is empty: it does not say what must hold",
            );
            self.report(problem.help("write the properties with their values below it"));
        }
        let mut properties: Vec<(String, Template)> = Vec::new();
        for entry in entries {
            let at = &entry.key_span;
            if entry.key.eq_ignore_ascii_case("Identity") {
                let problem = Problem::error(at.clone(), "`Identity` says which object, not what must hold");
                self.report(problem.help("write `identity:` beside `ensure`"));
                continue;
            }
            self.hide_nearly_secret(set, entry);
            let Some(parameter) = self.parameter(set, &entry.key, at, service) else { continue };
            if properties.iter().any(|(name, _)| name == parameter.name()) {
                let title = format!("the property `{}` is given twice", parameter.name());
                self.report(Problem::error(at.clone(), title).help("keep one of the two"));
            } else if self.comparable(parameter, &entry.value)
                && let Some(template) = self.value(parameter, &entry.value, names)
            {
                properties.push((parameter.name().to_owned(), as_list(parameter, template)));
            }
        }
        Some(Action::Ensure {
            noun: set.noun().to_owned(),
            get: get.name(),
            set: set.name(),
            identity: identity?,
            properties,
        })
    }

    /// The cmdlets of a noun that can be ensured: reading and writing.
    fn noun(&mut self, node: &Node, text: &str) -> Option<(Cmdlet, Cmdlet)> {
        let noun = text.split_once('-').map_or(text, |(_, noun)| noun);
        match pair(noun) {
            Some((_, set)) if noun != text => {
                let title = format!("`ensure` takes a noun, found {}", quote(text));
                self.report(
                    Problem::error(node.span.clone(), title).help(format!("write `ensure: {}`", set.noun())),
                );
                None
            }
            Some(pair) => Some(pair),
            None => {
                let title = format!(
                    "nothing can be ensured about {}: there is no `Get-` and `Set-` cmdlet for it",
                    quote(noun)
                );
                let help =
                    did_you_mean(&nearest(noun, pairs().map(|(_, set)| set.noun()))).unwrap_or_else(|| {
                        "write the noun of a pair such as Get-CASMailbox and Set-CASMailbox: `CASMailbox`"
                            .to_owned()
                    });
                self.report(Problem::error(node.span.clone(), title).help(help));
                None
            }
        }
    }

    /// Whether `identity` and `properties` give everything that the two cmdlets always need.
    fn needs_no_more(&mut self, node: &Node, get: Cmdlet, set: Cmdlet, fields: Fields<'_>) -> bool {
        let declared = |parameter: &Parameter| match fields.get("properties").map(|node| &node.content) {
            Some(Content::Map(entries)) => {
                entries.iter().any(|entry| set.parameter(&entry.key) == Some(*parameter))
            }
            _ => false,
        };
        let missing = always_needed(get)
            .map(|parameter| (get, parameter))
            .chain(
                always_needed(set).filter(|parameter| !declared(parameter)).map(|parameter| (set, parameter)),
            )
            .next();
        let steps = format!("use steps with `cmdlet: {}` and `cmdlet: {}`", get.as_str(), set.as_str());
        if let Some((cmdlet, parameter)) = missing {
            let title = format!("`{}` also needs `{}`", cmdlet.as_str(), parameter.name());
            let help = if cmdlet == set && is_comparable(parameter.kind()) {
                format!("add `{}` to `properties`, or {steps}", parameter.name())
            } else {
                steps
            };
            self.report(Problem::error(node.span.clone(), title).help(help));
            return false;
        }
        if !is_readable(get, set) {
            let title =
                format!("`{}` cannot be read one by one: `{}` has no `Identity`", set.noun(), get.as_str());
            self.report(Problem::error(node.span.clone(), title).help(steps));
            return false;
        }
        true
    }

    /// Which object: outer `None` if that is wrong, inner `None` if the noun has one object only.
    fn identity(
        &mut self,
        ensure: &Node,
        fields: Fields<'_>,
        get: Cmdlet,
        set: Cmdlet,
        names: &mut Names<'_>,
    ) -> Option<Option<Template>> {
        match (identity_of(get, set), fields.entry("identity")) {
            (None, None) => Some(None),
            (None, Some(entry)) => {
                let title =
                    format!("`{}` takes no identity: there is one such object in the tenant", set.noun());
                self.report(Problem::error(entry.key_span.clone(), title).help("remove `identity`"));
                None
            }
            (Some(parameter), None) if parameter.required() != Required::No => {
                let title = format!("`ensure: {}` needs `identity`: which object", set.noun());
                let help = "add `identity: name or address`; in a loop `identity: ${{ item.ExternalDirectoryObjectId }}`";
                self.report(Problem::error(ensure.span.clone(), title).help(help));
                None
            }
            (Some(_), None) => Some(None),
            (Some(parameter), Some(entry)) => {
                if entry.value.is_null() {
                    let problem =
                        Problem::error(entry.value.span.clone(), "`identity` is null: it names no object");
                    self.report(problem.help("write a name, an address or an id"));
                    return None;
                }
                self.value(parameter, &entry.value, names).map(Some)
            }
        }
    }

    /// Whether a value of this kind can be compared with what the service returns.
    fn comparable(&mut self, parameter: Parameter, value: &Node) -> bool {
        if !has_state(parameter) {
            let title = format!("`{}` says how to write, it is nothing that can hold", parameter.name());
            self.report(
                Problem::error(value.span.clone(), title).help("remove it, or use a step with `cmdlet`"),
            );
            return false;
        }
        let kind = parameter.kind();
        // Not comparable either are objects, but their own message is clearer.
        let comparable = is_comparable(kind) || kind == ValueKind::Object;
        if !comparable {
            if kind == ValueKind::Secret {
                self.secrets.push(value.span.clone());
            }
            let title = format!("`{}` is {}: it cannot be compared", parameter.name(), kind.expects());
            self.report(
                Problem::error(value.span.clone(), title).help("use a step with `cmdlet` to write it"),
            );
        }
        comparable
    }
}
