//! What expressions see: every kind of value, text of several scripts, a step with a thousand items and
//! one with none; and how large a result is.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use exorun::spec::job::StepName;
use exorun::spec::template::{Scope, StepItems};
use serde_json::{Value, json};

/// A step's items, made anew for each who reads them.
struct Items(u64);

impl StepItems for Items {
    fn count(&self) -> u64 {
        self.0
    }

    fn items(&self) -> Box<dyn Iterator<Item = std::io::Result<Value>> + Send> {
        let item = |n| json!({"Name": format!("näme-{n}"), "N": n, "Null": null, "In": {"List": [n, "x"]}});
        Box::new((0..self.0).map(move |n| Ok(item(n))))
    }
}

pub static SCOPE: LazyLock<Scope> = LazyLock::new(|| {
    let mut steps: BTreeMap<StepName, Arc<dyn StepItems>> = BTreeMap::new();
    for (name, count) in [("many", 1_000), ("none", 0)] {
        steps.insert(StepName::new(name).expect("is a name of a step"), Arc::new(Items(count)));
    }
    let item = json!({
        "Name": "Änna İ 你好 👩‍👩‍👧 a\u{301}\u{202e}\n\u{1b}[31m", "Empty": "", "Null": null, "Yes": true, "No": false,
        "Zero": 0, "Less": -1, "Large": u64::MAX, "Small": i64::MIN, "Half": 0.5, "Huge": 1e308,
        "List": ["b", "a", "a", null, 1, [], {}], "Map": {"Key": {"Key": {"Key": [1, 2, 3]}}, "": 1},
        "Size": "50 GB (53,687,091,200 bytes)", "Address": "smtp:anna@Fabrikam.com", "x": "x".repeat(1_000),
    });
    let inputs = [("text", json!("a,b;c")), ("list", json!(["anna", "bob"])), ("number", json!(3))];
    Scope {
        steps: Arc::new(steps),
        inputs: Arc::new(inputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        item: Some((Arc::new(item), 3)),
        run_id: "r-1".into(),
        target: Arc::new(BTreeMap::from([("tenant".to_owned(), "contoso.com".to_owned())])),
    }
});

/// Values and bytes of texts and keys.
pub fn size(value: &Value) -> (usize, usize) {
    let sum = |(values, bytes): (usize, usize), more: (usize, usize)| (values + more.0, bytes + more.1);
    match value {
        Value::String(text) => (1, text.len()),
        Value::Array(items) => items.iter().map(size).fold((1, 0), sum),
        Value::Object(map) => {
            map.iter().map(|(key, value)| sum((0, key.len()), size(value))).fold((1, 0), sum)
        }
        _ => (1, 0),
    }
}
