//! A refusal that gives back what was sent: its texts would stand in our messages, with the secrets of the request.

use oauth2::url::form_urlencoded;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::rules::withheld::without;

/// Members of a request's form that are secrets, or good for a token.
const SECRETS: [&str; 8] = [
    "client_secret",
    "client_assertion",
    "password",
    "refresh_token",
    "code",
    "code_verifier",
    "device_code",
    "token",
];

/// The body of a refusal, or of a page in an answer's place, without the secrets of the request's form, as they were sent
/// and as they were meant.
pub(super) fn without_echo(form: &[u8], body: Vec<u8>) -> Vec<u8> {
    let meant = form_urlencoded::parse(form).filter(|(name, _)| SECRETS.contains(&name.as_ref()));
    let mut secrets: Vec<Zeroizing<String>> =
        meant.map(|(_, value)| Zeroizing::new(value.into_owned())).collect();
    let sent = String::from_utf8_lossy(form);
    let sent = sent.split('&').filter_map(|pair| pair.split_once('='));
    secrets.extend(
        sent.filter(|(name, _)| SECRETS.contains(name)).map(|(_, value)| Zeroizing::new(value.to_owned())),
    );
    match serde_json::from_slice::<Value>(&body) {
        Ok(mut said) => {
            clean(&mut said, &secrets);
            said.to_string().into_bytes()
        }
        Err(_) => {
            let text = String::from_utf8_lossy(&body);
            without(&text, secrets.iter().map(|secret| secret.as_str())).into_bytes()
        }
    }
}

fn clean(value: &mut Value, secrets: &[Zeroizing<String>]) {
    match value {
        Value::String(text) => *text = without(text, secrets.iter().map(|secret| secret.as_str())),
        Value::Array(members) => members.iter_mut().for_each(|member| clean(member, secrets)),
        Value::Object(members) => members.values_mut().for_each(|member| clean(member, secrets)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_does_not_come_back_in_any_spelling() {
        let form =
            b"client_id=11111111&client_secret=canary%2Bsecret&refresh_token=0.canary-refresh&scope=openid";
        let body = br#"{"error":"invalid_client","error_description":"of 11111111: client_secret=canary%2Bsecret, canary\u002bsecret","more":[{"x":"0.canary-refresh"}],"error_codes":[7000215]}"#;
        let said = String::from_utf8(without_echo(form, body.to_vec())).unwrap();
        assert!(!said.contains("canary"), "{said}");
        for stays in ["of 11111111: client_secret=***, ***", "7000215", "invalid_client"] {
            assert!(said.contains(stays), "{said}");
        }
        let page = b"<title>Blocked: client_secret=canary%2Bsecret (canary+secret)</title>".to_vec();
        assert_eq!(without_echo(form, page), b"<title>Blocked: client_secret=*** (***)</title>");
        for other in [&b"<html>"[..], b"", b"{\"a\":1}"] {
            assert_eq!(without_echo(b"", other.to_vec()), other);
        }
    }
}
