//! The two forms of patches, as far as anybody patches a Lease.

use serde_json::{Map, Value};

/// A merge patch (RFC 7396).
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    for (key, value) in patch {
        match value {
            Value::Null => drop(target.as_object_mut().expect("made so").remove(key)),
            value => merge(&mut target[key.as_str()], value),
        }
    }
}

/// A JSON patch (RFC 6902): `test`, `add` and `replace` of members of objects.
pub(crate) fn apply(target: &mut Value, patch: &Value) -> Result<(), String> {
    for step in patch.as_array().ok_or("no list of operations")? {
        let path = step["path"].as_str().unwrap_or_default();
        match step["op"].as_str() {
            Some("test") if target.pointer(path) == Some(&step["value"]) => {}
            Some("test") => return Err(format!("testing value {path} failed: test failed")),
            Some("add" | "replace") => {
                let (parent, key) = path.rsplit_once('/').ok_or("no path")?;
                let parent = target.pointer_mut(parent).ok_or("no such path")?;
                parent[key] = step["value"].clone();
            }
            _ => return Err("an operation that this stand-in does not know".to_owned()),
        }
    }
    Ok(())
}
