//! Which recorded pair answers a request: the next one of the same method, address, cmdlet and parameters.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::super::form;
use super::file::{Body, Pair, Peer};
use crate::catalog::{self, ValueKind};

/// What makes two requests the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    method: String,
    /// Path in lower case, then the pairs of the query in order, without `$select`.
    address: String,
    /// Which properties are asked for.
    select: Option<String>,
    /// The cmdlet, or the grant.
    pub(super) what: String,
    /// Parameters, sorted, names in lower case.
    parameters: String,
}

/// The answer that was found.
pub(super) enum Found {
    /// The pair with this index.
    Pair(usize),
    /// It was recorded, but not so often.
    Spent {
        recorded: usize,
    },
    Unknown,
}

/// The pairs of a recording by what they answer.
pub(super) struct Matcher {
    by_key: HashMap<Key, Queue>,
    /// The same without what is selected: a recording made by hand need not know what a client asks for.
    by_rest: HashMap<Key, Queue>,
    keys: Vec<Key>,
}

#[derive(Default)]
struct Queue {
    pairs: Vec<usize>,
    next: usize,
}

impl Key {
    /// The key of a call. The tenant's segment counts, the host does not.
    pub(super) fn of_call(method: &str, path_and_query: &str, body: &Value) -> Key {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let (mut pairs, mut select) = (Vec::new(), None);
        for (name, value) in form::parse(query.as_bytes()) {
            match name.to_ascii_lowercase() {
                name if name == "$select" => select = Some(value),
                name => pairs.push(format!("{name}={value}")),
            }
        }
        pairs.sort();
        let input = &body["CmdletInput"];
        let cmdlet = input["CmdletName"].as_str().and_then(catalog::cmdlet);
        let mut parameters = input["Parameters"].as_object().cloned().unwrap_or_default();
        for (name, value) in &mut parameters {
            // What is encrypted differs each time, and is not in a recording.
            let parameter = cmdlet.and_then(|cmdlet| cmdlet.parameter(name));
            if parameter.is_some_and(|parameter| parameter.kind() == ValueKind::Secret) {
                *value = Value::Null;
            }
        }
        Key {
            method: method.to_owned(),
            address: format!("{}?{}", path.trim_end_matches('/').to_ascii_lowercase(), pairs.join("&")),
            select,
            what: input["CmdletName"].as_str().unwrap_or_default().to_ascii_lowercase(),
            parameters: sorted(&Value::Object(parameters)).to_string(),
        }
    }

    /// The key of an exchange with the sign-in service: who asks does not count, only what for.
    pub(super) fn of_signin(method: &str, path_and_query: &str, grant: &str) -> Key {
        let path = path_and_query.split('?').next().unwrap_or_default();
        let leaf = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        Key {
            method: method.to_owned(),
            address: leaf,
            select: None,
            what: grant.to_owned(),
            parameters: String::new(),
        }
    }

    /// The key without what is selected.
    fn rest(&self) -> Key {
        Key { select: None, ..self.clone() }
    }

    fn of_pair(pair: &Pair) -> Key {
        let request = &pair.request;
        match (pair.peer, &request.body) {
            (Peer::Login, Body::Form(form)) => {
                let grant = form.get("grant_type").map_or("", String::as_str);
                Key::of_signin(&request.method, &request.path, grant)
            }
            (Peer::Login, _) => Key::of_signin(&request.method, &request.path, ""),
            (Peer::Exchange, Body::Json(body)) => Key::of_call(&request.method, &request.path, body),
            (Peer::Exchange, _) => Key::of_call(&request.method, &request.path, &Value::Null),
        }
    }
}

/// Members in alphabetic order, names in lower case: neither means anything to the service.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let ordered: BTreeMap<String, Value> =
                members.iter().map(|(name, value)| (name.to_ascii_lowercase(), sorted(value))).collect();
            Value::Object(ordered.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

impl Matcher {
    pub(super) fn new(pairs: &[Pair]) -> Matcher {
        let keys: Vec<Key> = pairs.iter().map(Key::of_pair).collect();
        Matcher { by_key: queues(keys.iter().cloned()), by_rest: queues(keys.iter().map(Key::rest)), keys }
    }

    /// The next pair of this key. With `again`, the last one answers for ever: what is only read stays as it was seen
    /// last, and how often somebody looks depends on the clock.
    pub(super) fn next(&mut self, key: &Key, again: bool) -> Found {
        let queue = match self.by_key.get_mut(key) {
            Some(queue) => Some(queue),
            None => self.by_rest.get_mut(&key.rest()),
        };
        let Some(queue) = queue else { return Found::Unknown };
        let recorded = queue.pairs.len();
        match queue.pairs.get(queue.next) {
            Some(index) => {
                queue.next += 1;
                Found::Pair(*index)
            }
            None if again => Found::Pair(queue.pairs[recorded - 1]),
            None => Found::Spent { recorded },
        }
    }

    /// The recorded call that is most like this one, and in what it differs.
    pub(super) fn nearest(&self, key: &Key) -> Option<(usize, Vec<String>)> {
        let same = self.keys.iter().enumerate().filter(|(_, other)| other.what == key.what);
        same.map(|(index, other)| (index, differences(key, other))).min_by_key(|(_, differs)| differs.len())
    }
}

fn queues(keys: impl Iterator<Item = Key>) -> HashMap<Key, Queue> {
    let mut queues: HashMap<Key, Queue> = HashMap::new();
    for (index, key) in keys.enumerate() {
        queues.entry(key).or_default().pairs.push(index);
    }
    queues
}

fn differences(one: &Key, other: &Key) -> Vec<String> {
    let parameters =
        |key: &Key| -> Map<String, Value> { serde_json::from_str(&key.parameters).unwrap_or_default() };
    let (mine, theirs) = (parameters(one), parameters(other));
    let mut names: Vec<String> = mine.keys().chain(theirs.keys()).cloned().collect();
    names.sort();
    names.dedup();
    names.retain(|name| mine.get(name) != theirs.get(name));
    if one.address != other.address || one.method != other.method {
        names.push("(address)".to_owned());
    }
    names
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(cmdlet: &str, parameters: Value, query: &str) -> Key {
        let body = json!({"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}});
        Key::of_call("POST", &format!("/adminapi/beta/t/InvokeCommand{query}"), &body)
    }

    #[test]
    fn order_and_case_of_parameters_mean_nothing_and_pages_do() {
        let key = call("Get-Mailbox", json!({"Identity": "a", "ResultSize": 5}), "?$select=A,B");
        assert_eq!(key, call("get-mailbox", json!({"resultsize": 5, "identity": "a"}), "?%24select=A%2CB"));
        assert_ne!(key, call("Get-Mailbox", json!({"Identity": "A", "ResultSize": 5}), "?$select=A,B"));
        assert_ne!(key, call("Get-Mailbox", json!({"Identity": "a", "ResultSize": 5}), "?$skiptoken=x"));
        let secret = |value: &str| call("Set-Mailbox", json!({"Identity": "a", "Password": value}), "");
        assert_eq!(secret("(removed)"), secret("what was encrypted this time"));
    }

    #[test]
    fn answers_come_in_their_order_and_only_reads_repeat_the_last() {
        let key = |query: &str| call("Get-Mailbox", json!({"Identity": "a"}), query);
        let keys = [key(""), key("?$select=A"), key("")];
        let mut matcher = Matcher {
            by_key: queues(keys.iter().cloned()),
            by_rest: queues(keys.iter().map(Key::rest)),
            keys: keys.to_vec(),
        };
        let mut next = |query: &str, again| match matcher.next(&key(query), again) {
            Found::Pair(index) => index,
            Found::Spent { recorded } => 100 + recorded,
            Found::Unknown => 200,
        };
        assert_eq!([next("", false), next("", false), next("", false), next("", true)], [0, 2, 102, 2]);
        assert_eq!([next("?$select=A", true), next("?$select=A", true)], [1, 1]);
        assert_eq!(next("?$select=B", false), 0, "what is selected counts only if it was recorded so");
        assert_eq!(next("?$skiptoken=x", true), 200);
        let other = call("Get-Mailbox", json!({}), "");
        assert_eq!(matcher.nearest(&other), Some((0, vec!["identity".to_owned()])));
        assert_eq!(matcher.nearest(&call("Set-Mailbox", json!({}), "")), None);
    }
}
