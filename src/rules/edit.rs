//! What must be in a list and what must not, and what of it does not hold yet. Source: protocol reference, 6.5.

use serde_json::{Map, Value};

use super::diff::{Text, address, is_bare, key, member_text, members};

/// What must be in a list and what must not be; everything else in it stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    /// Entries that must be there.
    pub add: Vec<String>,
    /// Entries that must not be there.
    pub remove: Vec<String>,
}

/// A map that is no edit of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditError {
    /// It is empty, or has other keys than `add` and `remove`.
    NoEdit,
    /// This entry is to be there and not to be there.
    Contradiction(String),
}

impl Edit {
    /// The edit that a map of `add` and `remove` declares.
    ///
    /// # Errors
    /// When the map is no edit, or contradicts itself.
    pub fn declared(sides: &Map<String, Value>, text: Text) -> Result<Edit, EditError> {
        if sides.is_empty() || sides.keys().any(|name| name != "add" && name != "remove") {
            return Err(EditError::NoEdit);
        }
        let side = |name: &str| -> Vec<String> {
            let members = sides.get(name).map(members).unwrap_or_default();
            let mut known: Vec<String> = Vec::new();
            let mut side = Vec::new();
            for member in members.iter().map(member_text).filter(|member| !member.is_empty()) {
                let key = key(&member, text);
                if !known.contains(&key) {
                    known.push(key);
                    side.push(member);
                }
            }
            side
        };
        let edit = Edit { add: side("add"), remove: side("remove") };
        match edit.add.iter().find(|added| edit.remove.iter().any(|removed| meets(removed, added, text))) {
            Some(both) => Err(EditError::Contradiction(both.clone())),
            None => Ok(edit),
        }
    }

    /// What of it does not hold yet; what is to go is spelled as it was read. `None`: it cannot be seen.
    pub fn left(&self, observed: Option<&Value>, text: Text) -> Option<Edit> {
        let observed: Vec<String> = members(observed?).iter().map(member_text).collect();
        let is_there = |wanted: &&String| observed.iter().any(|member| meets(wanted, member, text));
        let must_go = |member: &&String| self.remove.iter().any(|gone| meets(gone, member, text));
        Some(Edit {
            add: self.add.iter().filter(|wanted| !is_there(wanted)).cloned().collect(),
            remove: observed.iter().filter(must_go).cloned().collect(),
        })
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }
}

/// Whether a wanted entry is this member; an address without a prefix is meant whatever the prefix is.
fn meets(wanted: &str, member: &str, text: Text) -> bool {
    if text == Text::Address && is_bare(wanted) {
        address(wanted) == address(member)
    } else {
        key(wanted, text) == key(member, text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn left(declared: Value, observed: Value, text: Text) -> (Vec<String>, Vec<String>) {
        let edit =
            Edit::declared(declared.as_object().expect("is a map"), text).expect("no entry on both sides");
        let left = edit.left(Some(&observed), text).expect("is there");
        assert_eq!(left.is_empty(), left.add.is_empty() && left.remove.is_empty());
        (left.add, left.remove)
    }

    #[test]
    fn of_an_edit_only_what_does_not_hold_is_left() {
        let nothing: (Vec<String>, Vec<String>) = Default::default();
        let pair = |add: &[&str], remove: &[&str]| -> (Vec<String>, Vec<String>) {
            let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
            (texts(add), texts(remove))
        };
        let declared = json!({"add": ["A", "b", "a"], "remove": ["C", "d"]});
        assert_eq!(left(declared.clone(), json!(["x", "a", "B"]), Text::IgnoreCase), nothing);
        assert_eq!(left(declared.clone(), json!(["c", "x", "b"]), Text::IgnoreCase), pair(&["A"], &["c"]));
        assert_eq!(left(declared.clone(), json!(null), Text::IgnoreCase), pair(&["A", "b"], &[]));
        assert_eq!(left(declared, json!([""]), Text::IgnoreCase), pair(&["A", "b"], &[]));
        assert_eq!(left(json!({"add": "one"}), json!("One"), Text::IgnoreCase), nothing);
        assert_eq!(left(json!({"add": null, "remove": []}), json!(["a"]), Text::IgnoreCase), nothing);

        let observed = json!(["SMTP:a@x.example", "smtp:b@x.example"]);
        let of = |declared: Value| left(declared, observed.clone(), Text::Address);
        assert_eq!(of(json!({"add": ["a@x.example", "smtp:B@x.example"]})), nothing);
        assert_eq!(of(json!({"add": ["SMTP:b@x.example"]})), pair(&["SMTP:b@x.example"], &[]));
        assert_eq!(of(json!({"remove": ["smtp:a@x.example", "c@x.example"]})), nothing);
        assert_eq!(of(json!({"remove": ["B@x.example"]})), pair(&[], &["smtp:b@x.example"]));
    }

    #[test]
    fn an_entry_on_both_sides_and_an_unseen_list_are_told() {
        let sides = json!({"add": ["a@x", "B"], "remove": ["b"]});
        let sides = sides.as_object().expect("is a map");
        assert_eq!(Edit::declared(sides, Text::IgnoreCase), Err(EditError::Contradiction("B".to_owned())));
        for none in [json!({}), json!({"Name": "a"}), json!({"add": ["a"], "extra": []})] {
            let none = none.as_object().expect("is a map");
            assert_eq!(Edit::declared(none, Text::IgnoreCase), Err(EditError::NoEdit));
        }
        assert_eq!(Edit::default().left(None, Text::IgnoreCase), None);
    }
}
