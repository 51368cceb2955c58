//! What `ensure` declares of one property: a whole value, or what must be in a list and what must not.

use serde_json::{Map, Value};

use super::acting::OBJECT_CHARS_MAX;
use super::console::shown;
use super::halt::Failure;
use crate::catalog::{CmdletName, ValueKind};
use crate::observe::escape::one_line;
use crate::rules::diff::{Difference, Text, compare};
use crate::rules::edit::{Edit, EditError};

/// One property's declaration, evaluated.
#[derive(Clone, Debug)]
pub(super) enum Declaration {
    /// The property is this.
    Whole(Value),
    /// The list has some entries and has not some others.
    Edit(Edit),
}

/// What of a declaration does not hold; nothing if all of it does.
pub(super) struct Left(pub(super) Option<Declaration>);

impl Declaration {
    /// A map stands for an edit: no property that can be ensured is a map itself.
    ///
    /// # Errors
    /// A map that is no edit: an expression gave it.
    pub(super) fn new(value: Value, text: Text) -> Result<Declaration, EditError> {
        match value {
            Value::Object(sides) => Edit::declared(&sides, text).map(Declaration::Edit),
            whole => Ok(Declaration::Whole(whole)),
        }
    }

    /// What is left to write; `None` if the object came without the property.
    pub(super) fn left(&self, observed: Option<&Value>, text: Text) -> Option<Left> {
        match self {
            Declaration::Whole(value) => match compare(value, observed, text) {
                Difference::Same => Some(Left(None)),
                Difference::Differs => Some(Left(Some(self.clone()))),
                Difference::NotObservable => None,
            },
            Declaration::Edit(edit) => {
                let left = edit.left(observed, text)?;
                Some(Left((!left.is_empty()).then_some(Declaration::Edit(left))))
            }
        }
    }

    /// Whether addresses are declared where the service shows names: they never compare as the same.
    pub(super) fn names_by_address(&self, observed: &Value) -> bool {
        let is_address = |text: &str| text.contains('@');
        let texts = |value: &Value| -> Vec<String> {
            let members = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            members.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let declared = match self {
            Declaration::Whole(value) => texts(value),
            Declaration::Edit(edit) => edit.add.clone(),
        };
        let observed = texts(observed);
        declared.iter().any(|text| is_address(text))
            && observed.iter().any(|text| !text.is_empty())
            && !observed.iter().any(|text| is_address(text))
    }

    /// As a parameter of the `Set-` cmdlet.
    pub(super) fn to_value(&self) -> Value {
        match self {
            Declaration::Whole(value) => value.clone(),
            Declaration::Edit(Edit { add, remove }) => {
                let sides = [("add", add), ("remove", remove)];
                let sides = sides.into_iter().filter(|(_, entries)| !entries.is_empty());
                Value::Object(
                    sides
                        .map(|(name, entries)| (name.to_owned(), Value::from(entries.clone())))
                        .collect::<Map<_, _>>(),
                )
            }
        }
    }
}

/// One property that differs.
pub(super) struct Drift<'a> {
    pub(super) name: &'a str,
    pub(super) from: Value,
    /// Of an edited list only what is left to do.
    pub(super) to: Declaration,
}

impl Drift<'_> {
    /// What it still is, in words.
    pub(super) fn describe(&self) -> String {
        let is = format!("{} is {}", self.name, shown(&self.from));
        if self.to.names_by_address(&self.from) {
            format!("{is} (the service shows names there: declare the name it shows, not the address)")
        } else {
            is
        }
    }
}

/// An expression gave what no property can be compared with.
pub(super) fn no_declaration(name: &str, error: &EditError) -> Failure {
    let message = match error {
        EditError::NoEdit => {
            format!("the value of {name} is a map; write one of its values, or for a list `add` and `remove`")
        }
        EditError::Contradiction(both) => {
            let both = one_line(both, OBJECT_CHARS_MAX);
            format!("{both} is both in `add` and in `remove` of {name}; keep one of the two")
        }
    };
    Failure::new("expression", message)
}

/// How a property's texts are compared: its type in the `Set-` cmdlet says it.
pub(super) fn text_of(set: &CmdletName, property: &str) -> Text {
    let parameter = set.cmdlet().and_then(|cmdlet| cmdlet.parameter(property));
    let Some(parameter) = parameter else { return Text::Exact };
    match (parameter.kind(), parameter.type_name()) {
        (_, "ProxyAddress" | "ProxyAddress[]" | "ProxyAddressCollection") => Text::Address,
        (ValueKind::Size | ValueKind::UnlimitedSize, _) => Text::Size,
        (ValueKind::TimeSpan | ValueKind::UnlimitedTimeSpan, _) => Text::TimeSpan,
        (ValueKind::DateTime, _) => Text::Date,
        (ValueKind::Enum, _) => Text::Words,
        (ValueKind::String, "String") => Text::Exact,
        _ => Text::IgnoreCase,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_property_is_compared_by_its_type() {
        let of = |property: &str| text_of(&CmdletName::known("Set-Mailbox").unwrap(), property);
        for (property, text) in [
            ("EmailAddresses", Text::Address),
            ("ForwardingSmtpAddress", Text::Address),
            ("ProhibitSendQuota", Text::Size),
            ("LitigationHoldDuration", Text::TimeSpan),
            ("RetainDeletedItemsFor", Text::TimeSpan),
            ("StartDateForRetentionHold", Text::Date),
            ("Type", Text::Words),
            ("DisplayName", Text::Exact),
            ("RetentionPolicy", Text::IgnoreCase),
            ("RecipientLimits", Text::IgnoreCase),
        ] {
            assert_eq!(of(property), text, "{property}");
        }
    }

    #[test]
    fn names_in_place_of_addresses_are_noticed() {
        let noticed = |declared: Value, observed: Value| {
            Declaration::new(declared, Text::IgnoreCase).unwrap().names_by_address(&observed)
        };
        assert!(noticed(json!("anna@x"), json!("Anna")));
        assert!(noticed(json!({"add": ["anna@x"]}), json!(["Anna", "Bert"])));
        assert!(!noticed(json!("anna@x"), json!("bert@x")));
        assert!(!noticed(json!(["anna@x"]), json!([])));
        assert!(!noticed(json!("Anna"), json!("Bert")));
        assert!(!noticed(json!("anna@x"), json!(null)));
    }

    #[test]
    fn an_edit_sends_only_what_is_left() {
        let declared =
            Declaration::new(json!({"add": ["a", "b"], "remove": ["c"]}), Text::IgnoreCase).unwrap();
        let left = |observed: Value| declared.left(Some(&observed), Text::IgnoreCase).unwrap().0;
        assert_eq!(left(json!(["A", "x"])).unwrap().to_value(), json!({"add": ["b"]}));
        assert_eq!(left(json!(["a", "b", "C"])).unwrap().to_value(), json!({"remove": ["C"]}));
        assert!(left(json!(["b", "a"])).is_none());
        assert!(declared.left(None, Text::IgnoreCase).is_none(), "what is not returned cannot be compared");
        assert_eq!(
            Declaration::new(json!({"add": ["a"], "remove": ["A"]}), Text::IgnoreCase).unwrap_err(),
            EditError::Contradiction("a".to_owned())
        );
        let item = Declaration::new(json!({"Name": "a", "Guid": "b"}), Text::Exact);
        assert_eq!(item.unwrap_err(), EditError::NoEdit, "a whole item in place of a property of it");
    }
}
