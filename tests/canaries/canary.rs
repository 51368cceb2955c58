//! A canary: a secret that is told at a glance, in all the forms in which it could be read back.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// A secret that must not be found.
pub(crate) struct Canary {
    /// Which secret it is.
    pub(crate) name: &'static str,
    /// What the program is given.
    pub(crate) text: String,
    /// What is looked for.
    forms: Vec<(&'static str, Vec<u8>)>,
}

impl Canary {
    /// A made-up secret. Its tail is what escapes, quoting and percent-encoding change; its core is the same in all of them.
    pub(crate) fn new(name: &'static str) -> Canary {
        Canary::with_tail(name, "~/+%22 \"ü")
    }

    /// As [`Canary::new`], where only letters and digits are possible.
    pub(crate) fn plain(name: &'static str) -> Canary {
        Canary::with_tail(name, "")
    }

    fn with_tail(name: &'static str, tail: &str) -> Canary {
        let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        // Nobody else's text holds it, and no two canaries hold each other.
        let core = format!("canary5f{letters}9c1e7b");
        Canary { name, text: format!("{core}{tail}"), forms: forms(core.as_bytes()) }
    }

    /// A secret that is there already.
    pub(crate) fn of(name: &'static str, secret: &str) -> Canary {
        Canary { name, text: secret.to_owned(), forms: forms(secret.as_bytes()) }
    }

    /// A private key in PEM: any whole line of it gives it away, and so do its bytes.
    pub(crate) fn key(name: &'static str, pem: &str) -> Canary {
        let lines: Vec<&str> =
            pem.lines().filter(|line| !line.starts_with("-----") && line.len() == 64).collect();
        assert!(lines.len() > 10, "a key has more lines");
        // The first lines hold what the public key has as well; the later ones are the key's own.
        let own = &lines[lines.len() / 2..];
        let mut all: Vec<(&'static str, Vec<u8>)> =
            own.iter().flat_map(|line| forms(line.as_bytes())).collect();
        let bytes: Vec<u8> = own.iter().flat_map(|line| STANDARD_NO_PAD.decode(line).unwrap()).collect();
        all.extend(bytes.chunks(32).filter(|chunk| chunk.len() == 32).map(|chunk| ("bytes", chunk.to_vec())));
        all.extend(bytes.chunks(32).filter(|chunk| chunk.len() == 32).flat_map(hexadecimal));
        Canary { name, text: pem.to_owned(), forms: all }
    }

    /// The form in which it stands in `bytes`, and where, if it does.
    pub(crate) fn found_in(&self, bytes: &[u8]) -> Option<(&'static str, usize)> {
        self.forms.iter().find_map(|(form, text)| Some((*form, memchr::memmem::find(bytes, text)?)))
    }
}

/// The forms in which a secret is read back without effort.
fn forms(secret: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut all = vec![("as it is", secret.to_vec())];
    all.push(("in UTF-16", secret.iter().flat_map(|byte| [*byte, 0]).collect()));
    all.push((
        "percent-encoded",
        secret.iter().flat_map(|byte| format!("%{byte:02X}").into_bytes()).collect(),
    ));
    all.extend(hexadecimal(secret));
    // Inside a longer text in base64, a secret begins at one of three places, and its ends mix with what is beside it.
    for before in 0..3 {
        let padded = [&vec![b'x'; before][..], secret].concat();
        let text = STANDARD_NO_PAD.encode(&padded[..padded.len() / 3 * 3]);
        let inside = text[if before == 0 { 0 } else { 4 }..].to_owned();
        all.push(("in base64url", inside.replace('+', "-").replace('/', "_").into_bytes()));
        all.push(("in base64", inside.into_bytes()));
    }
    all
}

fn hexadecimal(secret: &[u8]) -> [(&'static str, Vec<u8>); 2] {
    let lower: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    [("in hexadecimal", lower.to_uppercase().into_bytes()), ("in hexadecimal", lower.into_bytes())]
}

#[test]
fn every_form_is_seen() {
    let canary = Canary::new("client-secret");
    let text = &canary.text;
    let base64 = |before: &str| STANDARD_NO_PAD.encode(format!("{before}{text}:and more"));
    let percent: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let form: String = form_urlencoded(text);
    for (told, leak) in [
        ("plain", format!("secret={text}")),
        ("in JSON", serde_json::to_string(text).unwrap()),
        ("as Debug", format!("{text:?}")),
        ("in a form", form),
        ("percent-encoded whole", percent),
        ("base64", base64("")),
        ("base64 at 1", base64("a")),
        ("base64 at 2", base64("user:pw")),
        ("base64 at 0", base64("abc")),
        ("hexadecimal", text.bytes().map(|byte| format!("{byte:02x}")).collect()),
    ] {
        assert!(canary.found_in(leak.as_bytes()).is_some(), "{told}: {leak}");
    }
    assert_eq!(canary.found_in(b"a client-secret is a canary"), None);
    assert_eq!(Canary::new("access-token").found_in(text.as_bytes()), None);
}

/// As a form's body is written.
fn form_urlencoded(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}
