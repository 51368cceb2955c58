//! Literals that look like a credential, wherever they stand in a document: they are errors, and are never shown.

use std::collections::HashSet;
use std::ops::Range;

use super::Checker;
use crate::spec::problem::Problem;
use crate::spec::tree::{Content, Node};

/// What is put in the place of a literal, so that no later message can quote it.
const HIDDEN: &str = "***";

/// How to do without.
const HELP: &str = "put it into an environment variable or a file, and refer to that: `env: NAME_OF_A_VARIABLE` or `file: PATH`";

/// Parts of a JSON Web Token are longer than this; words of a name with dots in it seldom are.
const TOKEN_PART_CHARS_MIN: usize = 10;

/// Characters of a key or signature below which it is an example or a name.
const KEY_CHARS_MIN: usize = 16;

/// Where something was hidden.
#[derive(Default)]
pub(in crate::spec) struct Hidden(HashSet<Range<usize>>);

impl Checker<'_> {
    /// Reports and hides every literal below `node` that looks like a credential. This comes before all other checks,
    /// whose messages quote what they find.
    pub(in crate::spec) fn hide_credentials(&mut self, node: &mut Node, hidden: &mut Hidden) {
        match &mut node.content {
            Content::Scalar { text, plain } => {
                if let Some(what) = looks_like(text) {
                    *text = HIDDEN.to_owned();
                    *plain = false;
                    self.credential_found(&node.span, what, hidden);
                }
            }
            Content::List(items) => items.iter_mut().for_each(|item| self.hide_credentials(item, hidden)),
            Content::Map(entries) => {
                for entry in entries {
                    if let Some(what) = looks_like(&entry.key) {
                        entry.key = HIDDEN.to_owned();
                        self.credential_found(&entry.key_span, what, hidden);
                    }
                    self.hide_credentials(&mut entry.value, hidden);
                }
            }
        }
    }

    fn credential_found(&mut self, span: &Range<usize>, what: &str, hidden: &mut Hidden) {
        if !hidden.0.insert(span.clone()) {
            return;
        }
        self.secrets.push(span.clone());
        let title = format!("this looks like {what}: a secret is written into the file");
        let problem = Problem::error(span.clone(), title).label("not shown").help(HELP);
        self.report(problem.help("if it is one: whoever could read this file knows it now, replace it"));
    }

    /// Drops what later checks said of the stars in place of a credential: the first message is what has to be mended.
    pub(in crate::spec) fn drop_echoes(&mut self, hidden: &Hidden) {
        let mut told = HashSet::new();
        self.problems.retain(|problem| match problem.span() {
            Some(span) if hidden.0.contains(span) => told.insert(span.clone()),
            _ => true,
        });
    }
}

/// What kind of credential the text holds, if it looks like one.
fn looks_like(text: &str) -> Option<&'static str> {
    let is_token = |character: char| character.is_ascii_alphanumeric() || "_.~-".contains(character);
    let found = text.split(|character| !is_token(character)).find_map(|word| {
        if is_web_token(word) {
            Some("a token (JWT)")
        } else if is_vault_token(word) {
            Some("a token of Vault")
        } else if is_entra_secret(word) {
            Some("a client secret of Entra")
        } else {
            None
        }
    });
    found.or_else(|| {
        if text.contains("-----BEGIN ") && text.contains("PRIVATE KEY-----") {
            Some("a private key (PEM)")
        } else if has_key_after(text, "AccountKey=") {
            Some("the key of a storage account")
        } else if has_key_after(text, "?sig=") || has_key_after(text, "&sig=") {
            Some("a shared access signature")
        } else if has_password(text) {
            Some("an address with a password in it")
        } else {
            None
        }
    })
}

/// Three parts in base64url, the first two of them JSON objects.
fn is_web_token(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    let is_part = |part: &&str| part.len() >= TOKEN_PART_CHARS_MIN && !part.contains('~');
    parts.len() >= 3
        && parts[..2].iter().all(|part| part.starts_with("eyJ"))
        && parts[..3].iter().all(is_part)
}

/// `hvs.…`, `hvb.…`, `hvr.…`, or the older `s.` with 24 letters and digits.
fn is_vault_token(word: &str) -> bool {
    let Some((kind, rest)) = word.split_once('.') else { return false };
    match kind {
        "hvs" | "hvb" | "hvr" => rest.len() >= 24 && !rest.contains('.'),
        "s" | "b" => {
            rest.len() == 24
                && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
                && rest.bytes().any(|byte| byte.is_ascii_uppercase())
                && rest.bytes().any(|byte| byte.is_ascii_lowercase())
        }
        _ => false,
    }
}

/// 40 characters, of which the fourth to sixth are a digit and `Q~`.
fn is_entra_secret(word: &str) -> bool {
    word.len() == 40 && word.as_bytes()[3].is_ascii_digit() && word[4..].starts_with("Q~")
}

fn has_key_after(text: &str, name: &str) -> bool {
    let is_key = |character: &char| character.is_ascii_alphanumeric() || "+/=%-_".contains(*character);
    text.split(name).skip(1).any(|after| after.chars().take_while(is_key).count() >= KEY_CHARS_MIN)
}

/// `scheme://user:password@host`, where the password is written out.
fn has_password(text: &str) -> bool {
    text.split("://").skip(1).any(|after| {
        let end = after.find(['/', '?', '#', ' ', '"', '\'']).unwrap_or(after.len());
        let Some((user, _)) = after[..end].rsplit_once('@') else { return false };
        user.split_once(':').is_some_and(|(_, password)| !password.is_empty() && !password.starts_with("${{"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks like the real thing, and is told from it at a glance.
    fn canaries() -> Vec<(String, &'static str)> {
        let long = "canary".repeat(6);
        let web_token = format!("eyJ{long}.eyJ{long}.{long}");
        let entra = format!("abc8Q~{}", &"canary".repeat(6)[..34]);
        vec![
            (web_token.clone(), "a token (JWT)"),
            (format!("Bearer {web_token}"), "a token (JWT)"),
            (format!("${{{{ '{web_token}' }}}}"), "a token (JWT)"),
            (format!("hvs.{long}"), "a token of Vault"),
            (format!("hvb.{long}"), "a token of Vault"),
            (format!("s.{}", "Canary".repeat(4)), "a token of Vault"),
            (entra.clone(), "a client secret of Entra"),
            (entra.replace("8Q", "7Q"), "a client secret of Entra"),
            (format!("secret={entra};"), "a client secret of Entra"),
            (format!("-----BEGIN {} KEY-----\n{long}", "PRIVATE"), "a private key (PEM)"),
            (format!("-----BEGIN RSA {} KEY-----\n{long}", "PRIVATE"), "a private key (PEM)"),
            (format!("AccountName=x;AccountKey={long}==;"), "the key of a storage account"),
            (format!("https://x.example/c?sv=1&sig={long}%3D"), "a shared access signature"),
            (format!("https://x.example/c?sig={long}"), "a shared access signature"),
            ("https://anna:canary@x.example/y".to_owned(), "an address with a password in it"),
        ]
    }

    #[test]
    fn what_looks_like_a_credential_is_found() {
        for (text, what) in canaries() {
            assert_eq!(looks_like(&text), Some(what), "{text}");
        }
    }

    #[test]
    fn ordinary_values_are_none() {
        let base64 = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA/x+yz".repeat(4);
        let dkim = format!("v=DKIM1; k=rsa; p={base64};");
        let certificate = format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----");
        let public_key = format!("-----BEGIN PUBLIC KEY-----\n{base64}");
        for text in [
            "",
            "11111111-2222-3333-4444-555555555555",
            "0123456789ABCDEF0123456789ABCDEF01234567",
            &dkim,
            &certificate,
            &public_key,
            &base64,
            "X500:/o=ExchangeLabs/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=0123456789abcdef0123456789abcdef-anna",
            "SMTP:anna@contoso.com",
            "smtp:anna.with.a.very.long.name.and.many.dots@contoso.onmicrosoft.com",
            "SPO:SPO_11111111-2222-3333-4444-555555555555@SPO_11111111-2222-3333-4444-555555555555",
            "https://contoso.sharepoint.com/sites/x?sig=short",
            "https://contoso.com:8080/anna@x",
            "https://anna@contoso.com/x",
            "mailto:anna@contoso.com",
            "${{ item.Alias }}:${{ item.Guid }}",
            "ftp://anna:${{ inputs.password }}@contoso.com",
            "selector1-contoso-com._domainkey.contoso.onmicrosoft.com",
            "s.contoso.com",
            "s.abcdefghijklmnopqrstuvwx",
            "eyJ.is.short",
            "eyJohnny.eyJane.somebody@contoso.com",
            "RecipientTypeDetails -eq 'SharedMailbox' -and CustomAttribute1 -ne '8Q~'",
            "hvs.is.a.host.example",
            "AccountKey=${{ inputs.key }}",
            "12:30:00",
        ] {
            assert_eq!(looks_like(text), None, "{text}");
        }
    }

    #[test]
    fn a_document_with_one_is_an_error_that_does_not_show_it() {
        for (canary, what) in canaries() {
            let quoted = canary.replace('\n', "\\n").replace('"', "'");
            for line in [
                format!("    when: \"{quoted}\""),
                format!("    parameters:\n      DisplayName: \"{quoted}\"\n      Identity: a"),
                format!("    parameters:\n      AuditEnabled: \"{quoted}\"\n      Identity: a"),
                format!("    \"{quoted}\": x"),
            ] {
                let text =
                    format!("version: 1\nname: x\nsteps:\n  - name: a\n    cmdlet: Set-Mailbox\n{line}\n");
                let checked = crate::spec::check_text(std::path::Path::new("job.yaml"), &text);
                assert!(checked.problems.has_errors());
                let shown = format!("{} {:?}", checked.problems.render_plain(), checked.problems);
                assert!(shown.contains(what), "{line}: {shown}");
                assert!(!shown.to_lowercase().contains("canary"), "{line}: {shown}");
            }
        }
    }
}
