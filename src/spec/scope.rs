//! What expressions see, handed to the engine lazily: nothing is converted or read that no expression asks for.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use minijinja::value::{Enumerator, Object, ObjectRepr, Value};
use minijinja::{Error, ErrorKind};

use super::job::StepName;
use super::template::{Scope, StepItems};

/// The scope as the engine's context.
pub(super) fn context(scope: &Scope) -> Value {
    Value::from_object(Root(scope.clone()))
}

/// A value of a file or of the service as the engine's value.
pub(super) fn from_json(value: &serde_json::Value) -> Value {
    Value::from(minijinja::value::Serde(value))
}

struct Root(Scope);

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("scope")
    }
}

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "steps" => Some(Value::from_object(Steps(Arc::clone(&self.0.steps)))),
            "inputs" => {
                Some(map(self.0.inputs.iter().map(|(name, value)| (name.as_str(), from_json(value)))))
            }
            "item" => self.0.item.as_ref().map(|(item, _)| item_value(item)),
            "item_index" => self.0.item.as_ref().map(|(_, index)| Value::from(*index)),
            "run" => Some(map([("id", Value::from(&*self.0.run_id))].into_iter())),
            "target" => Some(map(self
                .0
                .target
                .iter()
                .map(|(name, value)| (name.as_str(), Value::from(value.as_str()))))),
            _ => None,
        }
    }
}

fn map<'a>(entries: impl Iterator<Item = (&'a str, Value)>) -> Value {
    let map: BTreeMap<Value, Value> = entries.map(|(name, value)| (Value::from(name), value)).collect();
    Value::from_object(map)
}

/// An item of which only the properties asked for are converted.
fn item_value(item: &Arc<serde_json::Value>) -> Value {
    if item.is_object() { Value::from_object(Item(Arc::clone(item))) } else { from_json(item) }
}

#[derive(Debug)]
struct Item(Arc<serde_json::Value>);

impl Object for Item {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get(key.as_str()?).map(from_json)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let keys = self.0.as_object().map(|map| map.keys().map(|key| Value::from(key.as_str())).collect());
        Enumerator::Values(keys.unwrap_or_default())
    }
}

struct Steps(Arc<BTreeMap<StepName, Arc<dyn StepItems>>>);

impl fmt::Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("steps")
    }
}

impl Object for Steps {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = StepName::new(key.as_str()?)?;
        self.0.get(&name).map(|items| Value::from_object(Step(Arc::clone(items))))
    }
}

struct Step(Arc<dyn StepItems>);

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("step")
    }
}

impl Object for Step {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "count" => Some(Value::from(self.0.count())),
            "items" => Some(Value::from_object(Items(Arc::clone(&self.0)))),
            // A step without items has no first one: undefined, as a property that is not there.
            "first" => self.0.items().next().map(read_item),
            _ => None,
        }
    }
}

fn read_item(item: std::io::Result<serde_json::Value>) -> Value {
    match item {
        Ok(item) => item_value(&Arc::new(item)),
        Err(error) => Value::from(Error::new(
            ErrorKind::InvalidOperation,
            format!("an item could not be read again: {error}"),
        )),
    }
}

/// All items of a step, read from memory or a file only as far as somebody goes through them.
struct Items(Arc<dyn StepItems>);

impl fmt::Debug for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("items")
    }
}

impl Object for Items {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Iterable
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let left = usize::try_from(self.0.count()).unwrap_or(usize::MAX);
        Enumerator::Iter(Box::new(Reading { items: Mutex::new(self.0.items()), left }))
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        usize::try_from(self.0.count()).ok()
    }
}

type ItemIterator = Box<dyn Iterator<Item = std::io::Result<serde_json::Value>> + Send>;

/// The engine wants iterators that can be shared; nobody shares this one, so its lock is never waited for.
struct Reading {
    items: Mutex<ItemIterator>,
    left: usize,
}

impl Iterator for Reading {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        let items = self.items.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        let item = items.next()?;
        self.left = self.left.saturating_sub(1);
        Some(read_item(item))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}
