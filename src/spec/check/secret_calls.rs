//! `${{ secret("MOUNT/PATH#FIELD") }}`: where a secret is kept in Vault, written as an expression.
//!
//! It looks like an expression and is none: it is read when the job is checked and becomes a reference, so no
//! expression can compute a path, and none ever holds a secret.

use super::Checker;
use super::kept::is_path;
use crate::spec::embedded::{self, Piece};
use crate::spec::problem::Problem;
use crate::spec::target::{CredentialRef, VaultRef};
use crate::spec::tree::{Content, Node};
use crate::spec::words::{self, Kind, Word};

/// The name of the function.
pub(super) const SECRET: &str = "secret";

/// How it is written.
const FORM: &str =
    "write `${{ secret(\"MOUNT/PATH#FIELD\") }}`, as in `vault kv get -field=FIELD MOUNT/PATH`";

/// Why a call is none.
enum Wrong {
    /// Something else stands around it or in its place.
    Shape,
    /// Its text is no path with a field.
    Text,
}

impl Checker<'_> {
    /// Whether the node is meant as a call of `secret`, right or wrong.
    pub(super) fn calls_secret(node: &Node) -> bool {
        let Content::Scalar { text, .. } = &node.content else { return false };
        let inside = text.split("${{").nth(1).unwrap_or_default();
        let mut words = words::each_word(inside);
        matches!(words.next(), Some(Word { kind: Kind::Name(SECRET), .. }))
            && matches!(words.next(), Some(Word { kind: Kind::Mark("("), .. }))
    }

    /// The reference that a call of `secret` is. What is wrong is told without quoting it: it may be the secret.
    pub(super) fn secret_call(&mut self, node: &Node) -> Option<CredentialRef> {
        let Content::Scalar { text, .. } = &node.content else { return None };
        let wrong = match called(text) {
            Ok(place) => return Some(CredentialRef::Vault(place)),
            Err(wrong) => wrong,
        };
        self.secrets.push(node.span.clone());
        let problem = match wrong {
            Wrong::Shape => {
                let title = "`secret(…)` is the whole value, with one text in quotes and nothing around it";
                Problem::error(node.span.clone(), title).label("not shown").help(FORM)
            }
            Wrong::Text => {
                let title = "the text of `secret(…)` is no place in Vault: MOUNT/PATH#FIELD";
                Problem::error(node.span.clone(), title).label("not shown").help(FORM).help(
                    "the first name is the mount; a mount with `/` in it and a pinned version are written as \
                     `vault: {mount: …, path: …, field: …, version: …}` below the parameter",
                )
            }
        };
        self.report(problem);
        None
    }
}

fn called(text: &str) -> Result<VaultRef, Wrong> {
    let Ok(pieces) = embedded::split(text.trim()) else { return Err(Wrong::Shape) };
    let [Piece::Expression(source)] = pieces[..] else { return Err(Wrong::Shape) };
    let words = words::words(source);
    let kinds: Vec<&Kind<'_>> = words.iter().map(|word| &word.kind).collect();
    let [Kind::Name(SECRET), Kind::Mark("("), Kind::Text(place), Kind::Mark(")")] = kinds[..] else {
        return Err(Wrong::Shape);
    };
    let (path, field) = place.split_once('#').ok_or(Wrong::Text)?;
    let (mount, path) = path.split_once('/').ok_or(Wrong::Text)?;
    let is_field = !field.is_empty() && !field.contains(['#', '/', '\\']) && field.trim() == field;
    if !is_path(mount) || !is_path(path) || !is_field {
        return Err(Wrong::Text);
    }
    let (mount, path, field) = (mount.to_owned(), path.to_owned(), Some(field.to_owned()));
    Ok(VaultRef { mount, path, field, version: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_one_place_in_vault() {
        for text in
            [r#"${{ secret("kv/exo/contoso#password") }}"#, "  ${{secret( 'kv/exo/contoso#password' )}} "]
        {
            let place = called(text).unwrap_or_else(|_| panic!("{text}"));
            assert_eq!((place.mount.as_str(), place.path.as_str()), ("kv", "exo/contoso"));
            assert_eq!((place.field.as_deref(), place.version), (Some("password"), None));
        }
    }

    #[test]
    fn nothing_else_is_a_place() {
        for text in [
            "",
            "secret('kv/a#b')",
            "${{ secret('kv/a#b') | lower }}",
            "x${{ secret('kv/a#b') }}",
            "${{ secret('kv/a#b', 'x') }}",
            "${{ secret(item.Path) }}",
            "${{ secret('kv/' ~ item.Path ~ '#b') }}",
            "${{ secret() }}",
            "${{ secret('kv/a#b' }}",
            "${{ secrets('kv/a#b') }}",
        ] {
            assert!(matches!(called(text), Err(Wrong::Shape)), "{text}");
        }
        for place in [
            "kv/a",
            "kv#b",
            "/a#b",
            "kv/#b",
            "kv/a#",
            "kv/../a#b",
            "kv/a/./c#b",
            "kv/a#b#c",
            "kv/a?x#b",
            "kv/a%2e#b",
            "kv/a\\\\#b",
            "kv/a# b",
            "",
        ] {
            assert!(matches!(called(&format!("${{{{ secret('{place}') }}}}")), Err(Wrong::Text)), "{place}");
        }
    }
}
