//! Keeps of each returned item what later expressions and the output need.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::items::Spool;
use crate::exchange::ItemSink;
use crate::spec::job::Keep;

/// Takes the items of one call into a spool of their own.
pub(super) struct Collect<'a> {
    keep: &'a Keep,
    pub(super) spool: Spool,
}

impl<'a> Collect<'a> {
    pub(super) fn new(keep: &'a Keep) -> Collect<'a> {
        Collect { keep, spool: Spool::default() }
    }
}

/// An item of which no value has been parsed yet.
#[derive(Deserialize)]
#[serde(transparent)]
struct Members<'a> {
    #[serde(borrow)]
    by_name: BTreeMap<Cow<'a, str>, &'a RawValue>,
}

impl ItemSink for Collect<'_> {
    fn item(&mut self, item: &RawValue) -> Result<(), String> {
        let kept =
            trimmed(item, self.keep).map_err(|error| format!("an item is not a JSON object: {error}"))?;
        self.spool.push(&kept).map_err(|error| error.to_string())
    }

    fn restart(&mut self) -> Result<(), String> {
        self.spool.clear();
        Ok(())
    }
}

/// The item without annotations (`X@data.type`), and without what is not kept.
pub(super) fn trimmed(item: &RawValue, keep: &Keep) -> serde_json::Result<Value> {
    let kept = match keep {
        Keep::All => {
            let mut members: Map<String, Value> = serde_json::from_str(item.get())?;
            members.retain(|name, _| !name.contains('@'));
            members
        }
        Keep::Properties(names) => {
            let members: Members<'_> = serde_json::from_str(item.get())?;
            let mut kept = Map::new();
            for name in names {
                if let Some(value) = members.by_name.get(name.as_str()) {
                    kept.insert(name.clone(), serde_json::from_str(value.get())?);
                }
            }
            kept
        }
    };
    Ok(Value::Object(kept))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_named_is_kept_and_annotations_never() {
        let raw = r#"{"Guid@data.type":"System.Guid","Guid":"g","Name":"n","\u004eick":1}"#;
        let raw: &RawValue = serde_json::from_str(raw).unwrap();
        assert_eq!(trimmed(raw, &Keep::All).unwrap(), json!({"Guid": "g", "Name": "n", "Nick": 1}));
        let named = Keep::Properties(vec!["Nick".into(), "Missing".into()]);
        assert_eq!(trimmed(raw, &named).unwrap(), json!({"Nick": 1}));
    }
}
