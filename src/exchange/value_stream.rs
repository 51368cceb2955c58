//! Splits a successful answer into the items of its `value` array and the rest, as the bytes come in.
//!
//! A page of a thousand mailboxes with all properties is six megabytes; only one item of it is held at a time.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// One object of a listing: the largest seen is a mailbox with 260 properties, some 10 KB. A thousand times that.
const ITEM_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Everything around the items: context, warnings, errors and a link.
const REST_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Takes bytes, gives items.
#[derive(Debug)]
pub(super) struct ValueStream {
    /// The member that holds the items.
    list: &'static str,
    place: Place,
    depth: u32,
    string: InString,
    key: Vec<u8>,
    key_is_list: bool,
    /// The beginning of an item whose end is not here yet.
    begun: Vec<u8>,
    /// How long `begun` has to be to be looked at again: twice as long as when its end was missing, so that a long
    /// item in small pieces is not read over and over.
    look_again_at: usize,
    rest: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Before a member's name, at depth 1, or anywhere deeper outside `value`.
    #[default]
    Around,
    /// Inside a string that may be a member's name.
    Name,
    /// After a member's name and before its value's first byte.
    BeforeValue,
    /// Inside `value: [ … ]`.
    Items,
    /// After the array.
    After,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum InString {
    #[default]
    No,
    Yes,
    Escaped,
}

/// Why an answer cannot be read to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum StreamError {
    #[error("the answer is not JSON: {0}")]
    NotJson(String),
    #[error("the answer is JSON, but not the service's: {0}")]
    NotAListing(&'static str),
    #[error("the answer ended in the middle of {0}")]
    CutOff(&'static str),
    #[error("{0} is longer than {1} bytes")]
    TooLong(&'static str, usize),
    #[error("{0}")]
    Sink(String),
}

/// The list of a cmdlet's answer.
impl Default for ValueStream {
    fn default() -> ValueStream {
        ValueStream::of("value")
    }
}

impl ValueStream {
    /// A stream of the items of the member `list`.
    pub(super) fn of(list: &'static str) -> ValueStream {
        ValueStream {
            list,
            place: Place::default(),
            depth: 0,
            string: InString::No,
            key: Vec::new(),
            key_is_list: false,
            begun: Vec::new(),
            look_again_at: 0,
            rest: Vec::new(),
        }
    }

    /// Takes the next bytes and hands every item that is complete to `each`.
    pub(super) fn push(
        &mut self,
        chunk: &[u8],
        each: &mut dyn FnMut(&RawValue) -> Result<(), String>,
    ) -> Result<(), StreamError> {
        if self.begun.is_empty() {
            return self.take(chunk, each);
        }
        self.begun.extend_from_slice(chunk);
        if self.begun.len() < self.look_again_at {
            return Ok(());
        }
        let begun = std::mem::take(&mut self.begun);
        self.take(&begun, each)
    }

    /// Everything but the items, after the last byte.
    pub(super) fn finish(
        mut self,
        each: &mut dyn FnMut(&RawValue) -> Result<(), String>,
    ) -> Result<Value, StreamError> {
        let begun = std::mem::take(&mut self.begun);
        self.take(&begun, each)?;
        match self.place {
            Place::Items if !self.begun.is_empty() => return Err(StreamError::CutOff("an item")),
            Place::Items => return Err(StreamError::CutOff("the list of items")),
            _ if self.depth > 0 => return Err(StreamError::CutOff("the envelope")),
            _ => {}
        }
        let rest: Value =
            serde_json::from_slice(&self.rest).map_err(|error| StreamError::NotJson(error.to_string()))?;
        // What is something else is no listing without items: nobody may take it for an empty tenant.
        let Some(members) = rest.as_object() else {
            return Err(StreamError::NotAListing("it is not an object"));
        };
        match members.get(self.list) {
            None | Some(Value::Null) => Ok(rest),
            Some(Value::Array(unseen)) if unseen.is_empty() => Ok(rest),
            Some(_) => Err(StreamError::NotAListing("its list is not a plain one")),
        }
    }

    fn take(
        &mut self,
        bytes: &[u8],
        each: &mut dyn FnMut(&RawValue) -> Result<(), String>,
    ) -> Result<(), StreamError> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            // Only objects are items of a Collection(Exchange.GenericHashTable).
            if self.place != Place::Items {
                self.around(byte)?;
                at += 1;
            } else if byte != b'{' {
                self.between(byte)?;
                at += 1;
            } else if let Some(item) = whole_item(&bytes[at..])? {
                each(item).map_err(StreamError::Sink)?;
                at += item.get().len();
            } else {
                self.begun.extend_from_slice(&bytes[at..]);
                self.look_again_at = (self.begun.len() * 2).min(ITEM_BYTES_MAX + 1);
                return Ok(());
            }
        }
        Ok(())
    }

    fn around(&mut self, byte: u8) -> Result<(), StreamError> {
        if self.rest.len() >= REST_BYTES_MAX {
            return Err(StreamError::TooLong("the envelope", REST_BYTES_MAX));
        }
        self.rest.push(byte);
        if self.string != InString::No {
            let was_name = self.place == Place::Name;
            self.string = self.string.after(byte);
            if was_name {
                if self.string == InString::No {
                    self.place = Place::Around;
                    self.key_is_list = self.key == self.list.as_bytes();
                } else {
                    self.key.push(byte);
                }
            }
            return Ok(());
        }
        match byte {
            b'"' => {
                self.string = InString::Yes;
                if self.depth == 1 && self.place == Place::Around {
                    self.place = Place::Name;
                    self.key.clear();
                }
                if self.place == Place::BeforeValue {
                    self.place = Place::After;
                }
            }
            b':' if self.depth == 1 => self.place = Place::BeforeValue,
            b',' if self.depth == 1 => self.place = Place::Around,
            b'[' if self.place == Place::BeforeValue && self.key_is_list => self.place = Place::Items,
            b'{' | b'[' => {
                self.depth += 1;
                self.place = if self.depth == 1 { Place::Around } else { Place::After };
            }
            b'}' | b']' => {
                self.depth = self
                    .depth
                    .checked_sub(1)
                    .ok_or_else(|| StreamError::NotJson("a bracket too many".into()))?;
            }
            byte if byte.is_ascii_whitespace() => {}
            _ if self.place == Place::BeforeValue => self.place = Place::After,
            _ => {}
        }
        Ok(())
    }

    fn between(&mut self, byte: u8) -> Result<(), StreamError> {
        match byte {
            b']' => {
                self.rest.push(byte);
                self.place = Place::After;
                self.key_is_list = false;
            }
            b',' => {}
            byte if byte.is_ascii_whitespace() => {}
            _ => return Err(StreamError::NotJson("an item of `value` is not an object".into())),
        }
        Ok(())
    }
}

/// The item that `bytes` begin with; nothing if its end is not among them.
fn whole_item(bytes: &[u8]) -> Result<Option<&RawValue>, StreamError> {
    let read = <&RawValue>::deserialize(&mut serde_json::Deserializer::from_slice(bytes));
    let length = read.as_ref().map_or(bytes.len(), |item| item.get().len());
    match read {
        Err(error) if !error.is_eof() => Err(StreamError::NotJson(format!("in an item: {error}"))),
        _ if length > ITEM_BYTES_MAX => Err(StreamError::TooLong("an item", ITEM_BYTES_MAX)),
        read => Ok(read.ok()),
    }
}

impl InString {
    fn after(self, byte: u8) -> InString {
        match (self, byte) {
            (InString::Escaped, _) => InString::Yes,
            (_, b'\\') => InString::Escaped,
            (_, b'"') => InString::No,
            _ => InString::Yes,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn split(text: &[u8], chunk: usize) -> Result<(Vec<Value>, Value), StreamError> {
        let mut items = Vec::new();
        let mut stream = ValueStream::default();
        let mut keep = |item: &RawValue| {
            items.push(serde_json::from_str(item.get()).map_err(|error| error.to_string())?);
            Ok(())
        };
        for part in text.chunks(chunk.max(1)) {
            stream.push(part, &mut keep)?;
        }
        let rest = stream.finish(&mut keep)?;
        Ok((items, rest))
    }

    #[test]
    fn items_and_envelope_come_apart() {
        let text = br#"{"@odata.context":"x","a":{"value":[1]},"@adminapi.warnings":["value: [{"],
            "value" : [ {"n":1,"s":"]}\"\\"}, {"n":[{"m":2}]} ], "@odata.nextLink":"https://h/?a=1"}"#;
        for chunk in [1, 2, 7, 1000] {
            let (items, rest) = split(text, chunk).unwrap();
            assert_eq!(items, [json!({"n":1,"s":"]}\"\\"}), json!({"n":[{"m":2}]})]);
            assert_eq!(rest["@odata.nextLink"], "https://h/?a=1");
            assert_eq!(rest["a"], json!({"value":[1]}), "only the outermost `value` is the list");
            assert_eq!(rest["value"], json!([]));
        }
    }

    #[test]
    fn null_and_missing_lists_are_empty() {
        assert_eq!(split(br#"{"value":null}"#, 3).unwrap().0, Vec::<Value>::new());
        assert_eq!(split(br#"{"x":"value"}"#, 3).unwrap().0, Vec::<Value>::new());
        assert_eq!(split(br#"{"x":"value","y":[{"z":1}]}"#, 3).unwrap().0, Vec::<Value>::new());
    }

    #[test]
    fn what_is_cut_off_is_an_error_and_never_a_shorter_list() {
        let text = br#"{"value":[{"n":1},{"n":2}],"w":1}"#;
        for end in 0..text.len() {
            assert!(split(&text[..end], 5).is_err(), "{}", String::from_utf8_lossy(&text[..end]));
        }
    }

    #[test]
    fn an_item_that_is_too_long_is_given_up_whole_or_in_pieces() {
        let long = format!(r#"{{"value":[{{"n":"{}"}}]}}"#, "x".repeat(ITEM_BYTES_MAX));
        for chunk in [64 * 1024, long.len()] {
            let error = split(long.as_bytes(), chunk).unwrap_err();
            assert_eq!(error, StreamError::TooLong("an item", ITEM_BYTES_MAX));
        }
        let endless = &long.as_bytes()[..long.len() - 4];
        assert_eq!(split(endless, 4096).unwrap_err(), StreamError::TooLong("an item", ITEM_BYTES_MAX));
    }

    #[test]
    fn items_that_are_no_objects_are_refused() {
        assert!(matches!(split(br#"{"value":[1]}"#, 9), Err(StreamError::NotJson(_))));
    }

    #[test]
    fn another_shape_is_an_error_and_no_empty_list() {
        for text in
            ["null", "[]", "\"value\"", "[{\"value\":[{\"n\":1}]}]", "{\"value\":{}}", "{\"value\":\"x\"}"]
        {
            let error = split(text.as_bytes(), 4).unwrap_err();
            assert!(matches!(error, StreamError::NotAListing(_)), "{text}: {error}");
        }
        // A name spelled with an escape is the same name, and its items were not seen.
        assert!(split(br#"{"v\u0061lue":[{"n":1}]}"#, 9).is_err());
    }

    proptest! {
        #[test]
        fn any_listing_survives_any_chunking(names in prop::collection::vec(".{0,12}", 0..6), chunk in 1_usize..40) {
            let items: Vec<Value> = names.iter().map(|name| json!({"Name": name, "value": [name]})).collect();
            let text = json!({"w": names, "value": items, "z": {"value": []}}).to_string();
            let (found, rest) = split(text.as_bytes(), chunk).unwrap();
            prop_assert_eq!(found, items);
            prop_assert_eq!(&rest["w"], &json!(names));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), chunk in 1_usize..40) {
            let _ = split(&bytes, chunk);
        }
    }
}
