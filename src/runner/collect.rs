//! Keeps of each returned item what later expressions and the output need.

use std::fmt;

use memchr::{memchr, memchr2};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::items::Spool;
use crate::exchange::ItemSink;
use crate::spec::job::Keep;

/// Room for a mailbox with all properties and their annotations.
const MEMBERS_USUAL: usize = 128;

/// Takes the items of one call into a spool of their own.
pub(super) struct Collect<'a> {
    keep: &'a Keep,
    pub(super) spool: Spool,
    line: Vec<u8>,
}

impl<'a> Collect<'a> {
    pub(super) fn new(keep: &'a Keep) -> Collect<'a> {
        Collect { keep, spool: Spool::default(), line: Vec::new() }
    }
}

impl ItemSink for Collect<'_> {
    fn item(&mut self, item: &RawValue) -> Result<(), String> {
        self.line.clear();
        trim(item, self.keep, &mut self.line)
            .map_err(|error| format!("an item is not a JSON object: {error}"))?;
        self.spool.push(&self.line).map_err(|error| error.to_string())
    }

    fn restart(&mut self) -> Result<(), String> {
        self.spool.clear();
        Ok(())
    }
}

/// Writes the item on one line, without annotations (`X@data.type`) and without what is not kept.
///
/// Values are copied as the service sent them: reading and writing each anew is work that nobody needs.
fn trim(item: &RawValue, keep: &Keep, line: &mut Vec<u8>) -> serde_json::Result<()> {
    // A line end can only stand between the parts of JSON; written anew, there is none.
    if memchr(b'\n', item.get().as_bytes()).is_some() {
        let item: Value = serde_json::from_str(item.get())?;
        return trim(to_raw_value(&item)?.as_ref(), keep, line);
    }
    let Members(members) = serde_json::from_str(item.get())?;
    match keep {
        Keep::All => write(members.iter().filter(|(name, _)| !name.is_annotation()), line),
        Keep::Properties(names) => {
            let named = |wanted: &String| members.iter().rfind(|(name, _)| name.is(wanted));
            write(names.iter().filter_map(named), line);
        }
    }
    Ok(())
}

fn write<'a>(members: impl Iterator<Item = &'a (Name<'a>, &'a RawValue)>, line: &mut Vec<u8>) {
    line.push(b'{');
    for (position, (Name(name), value)) in members.enumerate() {
        if position > 0 {
            line.push(b',');
        }
        line.extend_from_slice(name.get().as_bytes());
        line.push(b':');
        line.extend_from_slice(value.get().as_bytes());
    }
    line.push(b'}');
}

/// A member's name as it was sent, in its quotes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] &'a RawValue);

impl Name<'_> {
    fn is(&self, wanted: &str) -> bool {
        let sent = self.0.get();
        let plain = sent.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
        plain == Some(wanted) || (sent.contains('\\') && self.decoded() == wanted)
    }

    fn is_annotation(&self) -> bool {
        match memchr2(b'@', b'\\', self.0.get().as_bytes()) {
            None => false,
            Some(at) => self.0.get().as_bytes()[at] == b'@' || self.decoded().contains('@'),
        }
    }

    fn decoded(&self) -> String {
        // Half of a surrogate pair is no text, and so no name of ours.
        serde_json::from_str(self.0.get()).unwrap_or_default()
    }
}

/// An object's members in their order; none of their values is parsed.
struct Members<'a>(Vec<(Name<'a>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members<'de>, D::Error> {
        struct Each;

        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::with_capacity(MEMBERS_USUAL);
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Each)
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn kept(raw: &str, keep: &Keep) -> String {
        let mut line = Vec::new();
        trim(serde_json::from_str(raw).unwrap(), keep, &mut line).unwrap();
        String::from_utf8(line).unwrap()
    }

    fn named(names: &[&str]) -> Keep {
        Keep::Properties(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn only_what_is_named_is_kept_and_annotations_never() {
        let raw = r#"{"Guid@data.type":"System.Guid","Guid":"g","Name":"n","\u004eick":1,"\u0040x":0}"#;
        assert_eq!(kept(raw, &Keep::All), r#"{"Guid":"g","Name":"n","\u004eick":1}"#);
        assert_eq!(kept(raw, &named(&["Nick", "Missing", "Guid"])), r#"{"\u004eick":1,"Guid":"g"}"#);
        assert_eq!(kept(r#"{"a":1,"a":2}"#, &named(&["a"])), r#"{"a":2}"#);
        assert_eq!(kept("{}", &Keep::All), "{}");
    }

    #[test]
    fn values_stay_as_they_were_sent_on_one_line() {
        let raw = r#"{"Big":1.10000000000000000001,"Text":"a\n\u00e9","List":[{"b" : null}]}"#;
        assert_eq!(kept(raw, &Keep::All), raw);
        let lines = "{\n \"List\": [\n  \"a\\n\",\n  {\"b\" : null}\n ]\n}";
        assert_eq!(kept(lines, &Keep::All), r#"{"List":["a\n",{"b":null}]}"#);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        let mut line = Vec::new();
        assert!(trim(serde_json::from_str("[1]").unwrap(), &Keep::All, &mut line).is_err());
    }
}
