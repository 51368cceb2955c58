//! Whatever the service answers, a name in it does not reach a recording.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::Peer;
use super::body;
use super::scrub::{Identities, Scrubber};

/// Nothing of ours has it in it.
const CANARY: &str = "qzjxvkanary";

/// Members that the scrubber treats in ways of their own, and some that it does not know.
const MEMBERS: [&str; 20] = [
    "value",
    "Identity",
    "Filter",
    "message",
    "code",
    "type",
    "stacktrace",
    "RecipientTypeDetails",
    "ResultSize",
    "EmailAddresses",
    "@odata.nextLink",
    "@odata.context",
    "Guid@data.type",
    "@adminapi.warnings",
    "exportedCmdlets",
    "CmdletName",
    "error_description",
    "DistinguishedName",
    "Password",
    "SomethingNobodyHasHeardOf",
];

/// The canary as it may come: alone, in an address, a path, a sentence, a filter.
fn text() -> impl Strategy<Value = String> {
    let around = prop::sample::select(vec![
        "{}",
        "SMTP:{}@contoso.com",
        "smtp:a@{}.com",
        "CN={},DC=x",
        "/o=First/cn={}",
        "{}:\\Calendar",
        "a:\\{}",
        "https://{}.com/adminapi/beta/{}/InvokeCommand?x={}&$skiptoken={}&{}",
        "Name -eq '{}'",
        "{} -eq '{}*'",
        "Ex6F9304|System.Exception|{}",
        "{}|System.Exception|x",
        "Ex6F9304|{}|x",
        "AADSTS50126: {}",
        "The operation couldn't be performed because object '{}' couldn't be found on '{}'.",
        "SharedMailbox,{}",
        "99 GB ({} bytes)",
        "2026-09-21T08:07:47Z {}",
        "#{}",
        "{\"Message\":\"{}\"}",
        "Get-Mailbox,{}",
        "*.{}.com",
        "{{}}",
        "True {}",
        "{}\u{0}\n{}",
    ]);
    (around, any::<bool>()).prop_map(|(around, upper)| {
        around.replace("{}", &if upper { CANARY.to_uppercase() } else { CANARY.to_owned() })
    })
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        text().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        Just(Value::Null),
        any::<bool>().prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let member = prop_oneof![
            4 => prop::sample::select(MEMBERS.to_vec()).prop_map(str::to_owned),
            1 => text().prop_filter("a name that may be a property's", |name| name.contains(|c: char| !c.is_alphanumeric())),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((member, inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn has_canary(recorded: &Value) -> bool {
    recorded.to_string().to_lowercase().contains(CANARY)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_name_in_any_json_is_recorded(value in value()) {
        let mut scrubber = Scrubber::new(Identities::Replaced);
        let body = value.to_string();
        for peer in [Peer::Exchange, Peer::Login] {
            let recorded = body::answer(&mut scrubber, peer, &hyper::HeaderMap::new(), body.as_bytes());
            prop_assert!(!has_canary(&recorded), "{value}\nbecame {recorded}");
        }
        let recorded = body::answer(&mut scrubber, Peer::Exchange, &hyper::HeaderMap::new(), &body.as_bytes()[..body.len() / 2]);
        prop_assert!(!has_canary(&recorded), "half of {value}\nbecame {recorded}");
    }

    #[test]
    fn no_name_in_any_text_path_or_form_is_recorded(text in text()) {
        let mut scrubber = Scrubber::new(Identities::Replaced);
        for peer in [Peer::Exchange, Peer::Login] {
            let recorded = body::answer(&mut scrubber, peer, &hyper::HeaderMap::new(), text.as_bytes());
            prop_assert!(!has_canary(&recorded), "{text}\nbecame {recorded}");
        }
        let path = format!("/{}", text.replace([' ', '\n', '\0'], "+"));
        prop_assert!(!has_canary(&json!(scrubber.path(&path))), "{path}\nbecame {}", scrubber.path(&path));
        let form = format!("grant_type={text}&scope={text}&username={text}&{text}=x");
        let recorded = body::request(&mut scrubber, Peer::Login, form.as_bytes());
        prop_assert!(!has_canary(&recorded), "{form}\nbecame {recorded}");
    }
}
