//! A kubeconfig as a value, read from the parser's events that everything else here is read from.
//!
//! The library's own reader brings a second YAML parser along, half a megabyte of the program for one file.

use std::io::{self, Read};
use std::path::{MAIN_SEPARATOR, Path};

use granit_parser::{Event, Parser, ScalarStyle};
use kube::config::Kubeconfig;
use serde_json::{Map, Value};

/// kubectl's own files have some kilobytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
const DEPTH_MAX: usize = 32;

/// Why there is no kubeconfig. Without a parser's words: they quote the file, and a token stands in it.
#[derive(Debug)]
pub(super) enum Unusable {
    /// The file cannot be read.
    Unread(io::Error),
    /// It is something else.
    NotOne,
}

/// Reads the file at `path`. As kubectl does, paths in it are relative to its folder.
pub(super) fn read(path: &Path) -> Result<Kubeconfig, Unusable> {
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(Unusable::Unread)?;
    let length = file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(Unusable::Unread)?;
    if length as u64 > FILE_BYTES_MAX {
        return Err(Unusable::NotOne);
    }
    let value = value(&text).ok_or(Unusable::NotOne)?;
    let mut config: Kubeconfig = serde_json::from_value(value).map_err(|_| Unusable::NotOne)?;
    if let Some(folder) = path.parent() {
        for cluster in config.clusters.iter_mut().filter_map(|named| named.cluster.as_mut()) {
            make_absolute(folder, &mut cluster.certificate_authority);
        }
        for user in config.auth_infos.iter_mut().filter_map(|named| named.auth_info.as_mut()) {
            make_absolute(folder, &mut user.client_certificate);
            make_absolute(folder, &mut user.client_key);
            make_absolute(folder, &mut user.token_file);
            if let Some(exec) = &mut user.exec
                && exec.command.as_ref().is_some_and(|command| command.contains(MAIN_SEPARATOR))
            {
                make_absolute(folder, &mut exec.command);
            }
        }
    }
    Ok(config)
}

fn make_absolute(folder: &Path, path: &mut Option<String>) {
    if let Some(relative) = path
        && let Some(absolute) = folder.join(&*relative).to_str()
    {
        *relative = absolute.to_owned();
    }
}

/// A map or list that is being read, with the key whose value comes next.
enum Open {
    Map(Map<String, Value>, Option<String>),
    List(Vec<Value>),
}

/// The one document of `text`, without aliases. What is no word of YAML's own is a text: no field is a number.
fn value(text: &str) -> Option<Value> {
    let mut open: Vec<Open> = Vec::new();
    let mut whole = None;
    for next in Parser::new_from_str(text) {
        let done = match next.ok()?.0 {
            Event::MappingStart(..) | Event::SequenceStart(..) if open.len() == DEPTH_MAX => return None,
            Event::MappingStart(..) => {
                open.push(Open::Map(Map::new(), None));
                continue;
            }
            Event::SequenceStart(..) => {
                open.push(Open::List(Vec::new()));
                continue;
            }
            Event::Scalar(text, ScalarStyle::Plain, ..) => match &*text {
                "" | "~" | "null" => Value::Null,
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                text => Value::String(text.to_owned()),
            },
            Event::Scalar(text, ..) => Value::String(text.into_owned()),
            Event::MappingEnd | Event::SequenceEnd => match open.pop()? {
                Open::Map(map, _) => Value::Object(map),
                Open::List(list) => Value::Array(list),
            },
            Event::Alias(_) => return None,
            _ => continue,
        };
        match (open.last_mut(), done) {
            (Some(Open::List(list)), done) => list.push(done),
            (Some(Open::Map(map, key)), done) => match (key.take(), done) {
                (Some(key), done) => drop(map.insert(key, done)),
                (None, Value::String(text)) => *key = Some(text),
                (None, _) => return None,
            },
            (None, done) if whole.is_none() => whole = Some(done),
            (None, _) => return None,
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::{Unusable, read, value};

    #[test]
    fn a_document_becomes_the_value_that_it_is() {
        let text = "a: x # why\nb: 'true'\nc: true\nd: ~\ne: [1, \"2\", {f: g}]\nh: |\n  two\n  lines\n";
        let wanted = json!({
            "a": "x", "b": "true", "c": true, "d": null, "e": ["1", "2", {"f": "g"}], "h": "two\nlines\n"
        });
        assert_eq!(value(text), Some(wanted));
        assert_eq!(value("{\"a\": {\"b\": [\"c\"]}}"), Some(json!({"a": {"b": ["c"]}})));
    }

    #[test]
    fn what_no_kubeconfig_has_is_none() {
        let deep = "[".repeat(40) + &"]".repeat(40);
        for text in ["a: &x 1\nb: *x\n", "a: 1\n---\nb: 2\n", "a: [\n", "", "[a]: b\n", &deep] {
            assert_eq!(value(text), None, "{text:?}");
        }
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        let text = "clusters:\n- name: c\n  cluster: {server: 'https://127.0.0.1', certificate-authority: ca.pem}\n\
            users:\n- name: a\n  user: {token: 12345, client-key: /etc/key.pem}\n\
            - name: b\n  user: {exec: {command: bin/token}}\n- name: c\n  user: {exec: {command: token}}\n";
        std::fs::write(&path, text).unwrap();
        let config = read(&path).unwrap();
        let absolute = |name: &str| Some(folder.path().join(name).to_str().unwrap().to_owned());
        assert_eq!(config.clusters[0].cluster.as_ref().unwrap().certificate_authority, absolute("ca.pem"));
        let users: Vec<_> = config.auth_infos.iter().map(|named| named.auth_info.as_ref().unwrap()).collect();
        assert_eq!(users[0].token.as_ref().unwrap().expose_secret(), "12345");
        assert_eq!(users[0].client_key.as_deref(), Some("/etc/key.pem"));
        assert_eq!(users[1].exec.as_ref().unwrap().command, absolute("bin/token"));
        assert_eq!(users[2].exec.as_ref().unwrap().command.as_deref(), Some("token"));
        std::fs::write(&path, "clusters: yes\n").unwrap();
        assert!(matches!(read(&path), Err(Unusable::NotOne)));
        assert!(matches!(read(&folder.path().join("absent")), Err(Unusable::Unread(_))));
    }
}
