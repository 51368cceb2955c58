//! OData's `$filter`, as the directory's own filters spell it.
//!
//! Source: protocol reference, 4.1. Comparisons by `eq` and `ne`, joined by `and`, `or`, `not` and parentheses; the
//! rest of OData's grammar is refused by name.

/// The filter for the classic cmdlet's `Filter`; `Err` says what is not understood.
pub(super) fn to_opath(filter: &str) -> Result<String, String> {
    let mut opath: Vec<String> = Vec::new();
    let mut rest = filter.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' | ')' => 1,
            '\'' => quoted(rest)?,
            _ => rest.find([' ', '(', ')', '\'', ',']).unwrap_or(rest.len()).max(1),
        };
        let (token, after) = rest.split_at(length);
        opath.push(match token.to_ascii_lowercase().as_str() {
            word @ ("eq" | "ne" | "and" | "or" | "not") => format!("-{word}"),
            word @ ("null" | "true" | "false") => format!("${word}"),
            word @ ("gt" | "ge" | "lt" | "le" | "in" | "has" | ",") => {
                return Err(format!("'{word}' of $filter is not emulated"));
            }
            _ if after.starts_with('(') && first != '(' && first != ')' => {
                return Err(format!("the function '{token}' of $filter is not emulated"));
            }
            _ => token.to_owned(),
        });
        rest = after.trim_start();
    }
    Ok(opath.join(" "))
}

/// The length of the quoted text at the beginning; quotes in it are doubled.
fn quoted(text: &str) -> Result<usize, String> {
    let mut at = 1;
    while let Some(end) = text[at..].find('\'') {
        at += end + 1;
        if !text[at..].starts_with('\'') {
            return Ok(at);
        }
        at += 1;
    }
    Err("a quote of $filter is not closed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_are_translated_and_values_are_not() {
        for (odata, opath) in [
            ("RecipientTypeDetails eq 'SharedMailbox'", "RecipientTypeDetails -eq 'SharedMailbox'"),
            (
                "A ne null and (B eq true or not (C eq 'x'))",
                "A -ne $null -and ( B -eq $true -or -not ( C -eq 'x' ) )",
            ),
            ("DisplayName eq 'O''Brien and eq (x)'", "DisplayName -eq 'O''Brien and eq (x)'"),
            ("ItemCount EQ 7", "ItemCount -eq 7"),
        ] {
            assert_eq!(to_opath(odata).unwrap(), opath);
        }
    }

    #[test]
    fn the_rest_of_the_grammar_is_refused_by_name() {
        for (odata, says) in [
            ("A gt 7", "'gt' of $filter is not emulated"),
            ("startswith(A,'x')", "the function 'startswith' of $filter is not emulated"),
            ("A eq 'x", "a quote of $filter is not closed"),
        ] {
            assert_eq!(to_opath(odata).unwrap_err(), says);
        }
    }
}
