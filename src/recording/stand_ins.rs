//! What stands in a recording in place of what must not: the same stand-in for the same value, through all of it.

use std::collections::HashMap;
use std::net::IpAddr;

use uuid::Uuid;

/// What a value was, as far as its stand-in shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Class {
    Guid,
    User,
    Domain,
    Name,
    Text,
    Page,
    Ip4,
    Ip6,
}

/// All stand-ins that were given out. It grows with the values of the recording, in memory only.
#[derive(Debug, Default)]
pub(super) struct StandIns {
    given: HashMap<(Class, String), String>,
    counts: HashMap<Class, u64>,
}

impl StandIns {
    /// The stand-in of `original`, which is spelled as it is compared: lower case where case means nothing.
    pub(super) fn of(&mut self, class: Class, original: &str) -> String {
        if let Some(given) = self.given.get(&(class, original.to_owned())) {
            return given.clone();
        }
        let count = self.counts.entry(class).or_default();
        *count += 1;
        let stand_in = spelled(class, *count);
        self.given.insert((class, original.to_owned()), stand_in.clone());
        stand_in
    }

    pub(super) fn name(&mut self, text: &str) -> String {
        self.of(Class::Name, text)
    }

    /// Whether this very text was replaced as a name.
    pub(super) fn has_name(&self, text: &str) -> bool {
        self.given.contains_key(&(Class::Name, text.to_owned()))
    }

    /// A GUID becomes another one, in the form it had.
    pub(super) fn guid(&mut self, text: &str) -> Option<String> {
        let guid = Uuid::try_parse(text).ok()?;
        if guid.is_nil() || WELL_KNOWN_GUIDS.contains(&guid.to_string().as_str()) {
            return Some(text.to_owned());
        }
        let stand_in = self.of(Class::Guid, &guid.to_string());
        Some(match text.len() {
            32 => stand_in.replace('-', ""),
            _ if text.starts_with('{') => format!("{{{stand_in}}}"),
            _ => stand_in,
        })
    }

    /// An address of the internet protocol, with or without the length of its network.
    pub(super) fn ip(&mut self, text: &str) -> Option<String> {
        let (address, network) = match text.split_once('/') {
            Some((address, network)) if network.parse::<u8>().is_ok() => (address, Some(network)),
            Some(_) => return None,
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let class = if address.is_ipv4() { Class::Ip4 } else { Class::Ip6 };
        let stand_in = self.of(class, &address.to_string());
        Some(network.map_or(stand_in.clone(), |network| format!("{stand_in}/{network}")))
    }
}

/// Ids that are the same in every tenant and say nothing of one: system mailboxes, Microsoft's applications, directory
/// roles. Source: protocol reference, 2.1 and 3.3.
pub(super) const WELL_KNOWN_GUIDS: [&str; 12] = [
    "bb558c35-97f1-4cb9-8ff7-d53741dc928c",
    "8cc370d3-822a-4ab8-a926-bb94bd0641a9",
    "fb78d390-0c51-40cd-8e17-fdbfab77341b",
    "a0c73c16-a7e3-4564-9a95-2bdf47383716",
    "00000002-0000-0ff1-ce00-000000000000",
    "00000007-0000-0ff1-ce00-000000000000",
    "dc50a0fb-09a3-484d-be87-e023b12c6440",
    "455e5cd2-84e8-4751-8344-5672145dfa17",
    "29232cdf-9323-42fd-ade2-1d097af3e4de",
    "31392ffb-586c-42d1-9346-e59415a2cc4e",
    "f2ef992c-3afb-46b9-b7cf-a126ee74c451",
    "00000003-0000-0000-c000-000000000000",
];

/// Addresses and names from the ranges that are set aside for documentation (RFC 2606, 5737, 3849).
fn spelled(class: Class, number: u64) -> String {
    match class {
        Class::Guid => format!("00000000-0000-4000-8000-{number:012x}"),
        Class::User => format!("user{number:04}"),
        Class::Domain => format!("domain{number:04}.example.invalid"),
        Class::Name => format!("Name {number:04}"),
        Class::Text => format!("Text {number:04}"),
        Class::Page => format!("page{number:04}"),
        Class::Ip4 if number <= 254 => format!("192.0.2.{number}"),
        Class::Ip4 => format!("10.{}.{}.{}", number >> 16 & 255, number >> 8 & 255, number & 255),
        Class::Ip6 => format!("2001:db8::{number:x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_value_has_the_same_stand_in_and_keeps_its_form() {
        let mut all = StandIns::default();
        let plain = all.guid("3b0cf5d5-0d9e-4d4e-9d5e-000000000001").unwrap();
        assert_eq!(plain, "00000000-0000-4000-8000-000000000001");
        assert_eq!(all.guid("3B0CF5D5-0D9E-4D4E-9D5E-000000000001").unwrap(), plain);
        assert_eq!(all.guid("{3b0cf5d5-0d9e-4d4e-9d5e-000000000001}").unwrap(), format!("{{{plain}}}"));
        assert_eq!(all.guid("3b0cf5d50d9e4d4e9d5e000000000002").unwrap(), "00000000000040008000000000000002");
        assert_eq!(all.guid(WELL_KNOWN_GUIDS[0]).unwrap(), WELL_KNOWN_GUIDS[0]);
        assert_eq!(all.name("Shared One"), "Name 0001");
        assert_eq!((all.name("Other"), all.name("Shared One")), ("Name 0002".into(), "Name 0001".into()));
        assert_eq!(all.ip("203.0.113.77/24").unwrap(), "192.0.2.1/24");
        assert_eq!(all.ip("fe80::1").unwrap(), "2001:db8::1");
        assert_eq!(all.ip("99 GB"), None);
    }
}
