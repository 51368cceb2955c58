//! What `ensure` declares of one property: a whole value, or what must be in a list and what must not.

use serde_json::{Map, Value};

use crate::catalog::{CmdletName, ValueKind};
use crate::rules::diff::{Difference, Edit, EditError, Text, compare};

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
