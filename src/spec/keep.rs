//! Which properties of a step's items later expressions need: they become `$select` and bound what is kept.

use super::job::Keep;
use super::words::{self, Kind, Path, Use, Word};

/// What is needed of one step's items, collected while later expressions are checked.
#[derive(Clone, Debug, Default)]
pub(super) struct Need {
    all: bool,
    properties: Vec<String>,
}

/// Where the items of a chain of filters end up.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// Items leave the chain as they are.
    Items,
    /// Only one of the items leaves it.
    OneItem,
    /// No item leaves it: a count, or values of one property.
    Done,
}

impl Need {
    /// An expression uses an item as a whole.
    pub(super) fn everything(&mut self) {
        self.all = true;
    }

    /// An expression names a property; `A.B` needs `A`.
    pub(super) fn property(&mut self, name: &str) {
        let name = name.split('.').next().unwrap_or(name);
        if !self.properties.iter().any(|known| known == name) {
            self.properties.push(name.to_owned());
        }
    }

    /// A reference to an item: `names` are what follows it.
    pub(super) fn item(&mut self, names: &[&str]) {
        match names.first() {
            Some(property) => self.property(property),
            None => self.everything(),
        }
    }

    /// Follows the filters after a list of items; says what leaves the last of them.
    pub(super) fn filters(&mut self, words: &[Word<'_>], path: &Path<'_>) -> (Flow, usize) {
        let (mut flow, mut at) = (Flow::Items, path.words.end);
        while let Some(filter) = words::filter_at(words, at) {
            at = filter.next;
            if flow == Flow::Items {
                flow = self.filter(words, &filter);
            } else if flow == Flow::OneItem {
                self.everything();
                flow = Flow::Done;
            }
        }
        (flow, at)
    }

    fn filter(&mut self, words: &[Word<'_>], filter: &Use<'_>) -> Flow {
        let arguments =
            &words[filter.arguments.start.min(words.len())..filter.arguments.end.min(words.len())];
        match filter.name {
            "length" | "count" => Flow::Done,
            "selectattr" | "rejectattr" => match arguments.first() {
                Some(Word { kind: Kind::Text(name), .. }) => {
                    self.property(name);
                    Flow::Items
                }
                _ => self.whole(),
            },
            "sort" | "unique" => match attribute(arguments) {
                Some(name) => {
                    self.property(name);
                    Flow::Items
                }
                None => self.whole(),
            },
            "map" => match attribute(arguments) {
                Some(name) => {
                    self.property(name);
                    Flow::Done
                }
                None => self.whole(),
            },
            "list" | "reverse" => Flow::Items,
            "first" | "last" => Flow::OneItem,
            _ => self.whole(),
        }
    }

    fn whole(&mut self) -> Flow {
        self.everything();
        Flow::Done
    }

    /// What is kept, given what the user selected and whether the items are written to a file.
    pub(super) fn keep(&self, select: &[String], has_output: bool) -> Keep {
        if select.is_empty() && (self.all || has_output) {
            return Keep::All;
        }
        let mut properties = select.to_vec();
        for name in &self.properties {
            if !properties.contains(name) {
                properties.push(name.clone());
            }
        }
        Keep::Properties(properties)
    }
}

/// The text of `attribute="…"` among a filter's arguments.
fn attribute<'a>(arguments: &[Word<'a>]) -> Option<&'a str> {
    arguments.windows(3).find_map(|window| match (&window[0].kind, &window[1].kind, &window[2].kind) {
        (Kind::Name("attribute"), Kind::Mark("="), Kind::Text(name)) => Some(*name),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(source: &str) -> (Need, Flow) {
        let words = words::words(source);
        let mut need = Need::default();
        let path = words::paths(&words).into_iter().next().expect("has a path");
        let (flow, _) = need.filters(&words, &path);
        (need, flow)
    }

    #[test]
    fn filters_by_attribute_name_what_they_need() {
        let (found, flow) = need(
            "steps.a.items | selectattr('A.B', 'eq', 1) | sort(attribute=\"C\") | map(attribute='D') | list",
        );
        assert_eq!((found.all, flow), (false, Flow::Done));
        assert_eq!(found.properties, ["A", "C", "D"]);
        assert_eq!(need("steps.a.items | length").1, Flow::Done);
        assert!(need("steps.a.items | map('upper')").0.all);
        assert_eq!(need("steps.a.items | rejectattr('A') | list").1, Flow::Items);
        assert_eq!(need("steps.a.items | first").1, Flow::OneItem);
        assert!(need("steps.a.items | first | items").0.all);
    }

    #[test]
    fn what_is_kept_is_selected_and_needed() {
        let mut need = Need::default();
        need.property("B");
        assert_eq!(need.keep(&["A".into()], true), Keep::Properties(vec!["A".into(), "B".into()]));
        assert_eq!(need.keep(&[], true), Keep::All);
        assert_eq!(need.keep(&[], false), Keep::Properties(vec!["B".into()]));
        need.everything();
        assert_eq!(need.keep(&[], false), Keep::All);
    }
}
