//! Expressions that have a simple form in PowerShell. What has none is not guessed at.

use super::quote::{self, Position};
use super::variables::Variables;
use crate::spec::template::Expression;
use crate::spec::words::{Kind, Path, Word, paths, words};

/// Longer numbers are not the same in both languages.
const DIGITS_MAX: usize = 15;

/// A reference or a literal that is the whole expression.
pub(super) fn value(expression: &Expression, variables: &Variables) -> Option<String> {
    let mut reader = Reader::of(expression, variables);
    let operand = reader.operand()?;
    reader.is_done().then_some(())?;
    match operand {
        Operand::Path(text) | Operand::Literal { text, .. } => Some(text),
        Operand::Group(_) => None,
    }
}

/// A condition: comparisons of references with literals, joined by `and`, `or` and `not`. In pieces between which the
/// line may end.
pub(super) fn condition(expression: &Expression, variables: &Variables) -> Option<Vec<String>> {
    let mut reader = Reader::of(expression, variables);
    let term = reader.either()?;
    reader.is_done().then_some(term.pieces)
}

struct Reader<'a> {
    source: &'a str,
    words: Vec<Word<'a>>,
    paths: Vec<Path<'a>>,
    at: usize,
    variables: &'a Variables,
}

/// A part of a condition. PowerShell gives `-and` and `-or` the same rank, so what they join gets parentheses.
struct Term {
    pieces: Vec<String>,
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A reference: it needs no parentheses.
    Alone,
    /// Something with an operator of its own.
    Compound,
    /// Several joined by this operator.
    Joined(&'static str),
}

impl Term {
    fn new(text: String, form: Form) -> Term {
        Term { pieces: vec![text], form }
    }

    fn inside(self) -> String {
        let text = self.pieces.join(" ");
        if self.form == Form::Alone { text } else { format!("({text})") }
    }
}

enum Operand {
    Path(String),
    Literal { text: String, is: Literal },
    Group(Term),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Literal {
    Null,
    Boolean,
    Number,
    Text,
}

impl<'a> Reader<'a> {
    fn of(expression: &'a Expression, variables: &'a Variables) -> Reader<'a> {
        let words = words(expression.source());
        let paths = paths(&words);
        Reader { source: expression.source(), words, paths, at: 0, variables }
    }

    fn is_done(&self) -> bool {
        self.at == self.words.len()
    }

    fn kind(&self) -> Option<&Kind<'a>> {
        self.words.get(self.at).map(|word| &word.kind)
    }

    fn take(&mut self, wanted: &Kind<'_>) -> bool {
        let found = self.kind() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn either(&mut self) -> Option<Term> {
        let mut left = self.both()?;
        while self.take(&Kind::Name("or")) {
            left = joined(left, "-or", self.both()?);
        }
        Some(left)
    }

    fn both(&mut self) -> Option<Term> {
        let mut left = self.negated()?;
        while self.take(&Kind::Name("and")) {
            left = joined(left, "-and", self.negated()?);
        }
        Some(left)
    }

    fn negated(&mut self) -> Option<Term> {
        if self.take(&Kind::Name("not")) {
            let text = format!("-not {}", self.negated()?.inside());
            return Some(Term::new(text, Form::Compound));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Option<Term> {
        let left = self.operand()?;
        let Some(operator) = self.operator() else {
            return match left {
                Operand::Group(term) => Some(term),
                Operand::Path(text) => Some(Term::new(text, Form::Alone)),
                Operand::Literal { text, is: Literal::Boolean } => Some(Term::new(text, Form::Alone)),
                Operand::Literal { .. } => None,
            };
        };
        let text = match (left, self.operand()?) {
            (Operand::Path(path), Operand::Literal { text, is }) => {
                let operator = spelled(operator, is)?;
                // A list on the left would be searched and not compared.
                if is == Literal::Null {
                    format!("{text} {operator} {path}")
                } else {
                    format!("{path} {operator} {text}")
                }
            }
            (Operand::Literal { text, is }, Operand::Path(path)) => {
                format!("{text} {} {path}", spelled(operator, is)?)
            }
            _ => return None,
        };
        Some(Term::new(text, Form::Compound))
    }

    fn operator(&mut self) -> Option<&'static str> {
        let Some(Kind::Mark(mark)) = self.kind() else { return None };
        let operator = ["==", "!=", "<=", ">=", "<", ">"].into_iter().find(|known| known == mark)?;
        self.at += 1;
        Some(operator)
    }

    fn operand(&mut self) -> Option<Operand> {
        if self.take(&Kind::Mark("(")) {
            let inside = self.either()?;
            return self.take(&Kind::Mark(")")).then_some(Operand::Group(inside));
        }
        let literal = match self.kind()? {
            Kind::Text(text) if !text.contains('\\') => {
                (quote::text(text, Position::Expression), Literal::Text)
            }
            Kind::Number => {
                let digits = self.source.get(self.words[self.at].span.clone())?;
                let is_plain = digits.len() <= DIGITS_MAX && digits.bytes().all(|byte| byte.is_ascii_digit());
                (is_plain.then(|| digits.to_owned())?, Literal::Number)
            }
            Kind::Name("true" | "True") => ("$true".to_owned(), Literal::Boolean),
            Kind::Name("false" | "False") => ("$false".to_owned(), Literal::Boolean),
            Kind::Name("none" | "None") => ("$null".to_owned(), Literal::Null),
            Kind::Name(_) => return self.path().map(Operand::Path),
            Kind::Text(_) | Kind::Mark(_) => return None,
        };
        self.at += 1;
        let (text, is) = literal;
        Some(Operand::Literal { text, is })
    }

    fn path(&mut self) -> Option<String> {
        let path = self.paths.iter().find(|path| path.words.start == self.at)?;
        if path.called || path.indexed || path.names.iter().any(|name| name.contains('\\')) {
            return None;
        }
        let text = reference(path, self.variables)?;
        self.at = path.words.end;
        Some(text)
    }
}

fn joined(left: Term, operator: &'static str, right: Term) -> Term {
    let form = Form::Joined(operator);
    let mut pieces = if left.form == form { left.pieces } else { vec![left.inside()] };
    if let Some(last) = pieces.last_mut() {
        last.push(' ');
        last.push_str(operator);
    }
    pieces.push(right.inside());
    Term { pieces, form }
}

/// Text is compared with its case, as exorun does.
fn spelled(operator: &str, is: Literal) -> Option<&'static str> {
    let both = match operator {
        "==" => ["-eq", "-ceq"],
        "!=" => ["-ne", "-cne"],
        _ if matches!(is, Literal::Null | Literal::Boolean) => return None,
        "<=" => ["-le", "-cle"],
        ">=" => ["-ge", "-cge"],
        "<" => ["-lt", "-clt"],
        _ => ["-gt", "-cgt"],
    };
    Some(both[usize::from(is == Literal::Text)])
}

fn reference(path: &Path<'_>, variables: &Variables) -> Option<String> {
    let (base, names): (String, &[&str]) = match (path.root, &path.names[..]) {
        ("item", names) => ("$_".to_owned(), names),
        ("inputs", [name, rest @ ..]) => (variables.input(name)?.to_owned(), rest),
        ("steps", [step, "items"]) => (variables.step(step)?.to_owned(), &[]),
        ("steps", [step, "count"]) => (format!("{}.Count", variables.step(step)?), &[]),
        ("steps", [step, "first", rest @ ..]) => (format!("{}[0]", variables.step(step)?), rest),
        ("run", ["id"]) => ("$runId".to_owned(), &[]),
        ("target", ["tenant"]) => ("$tenant".to_owned(), &[]),
        ("target", ["environment"]) => ("$environment".to_owned(), &[]),
        _ => return None,
    };
    Some(names.iter().fold(base, |text, name| format!("{text}.{}", quote::member(name))))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::spec::check_text;

    fn variables() -> Variables {
        let job = "version: 1\nname: x\nconnection: c\ninputs:\n  error:\n    type: string\n  shared:\n    type: string\n\
                   steps:\n  - name: shared\n    cmdlet: Get-Mailbox\n  - name: pshome\n    cmdlet: Get-Mailbox\n";
        let checked = check_text(Path::new("x.yaml"), job);
        Variables::of(checked.jobs.first().unwrap_or_else(|| panic!("{}", checked.problems.render_plain())))
    }

    #[test]
    fn references_and_literals_have_a_form() {
        for (source, expected) in [
            ("item.A", Some("$_.A")),
            ("item", Some("$_")),
            ("item['a b'].C", Some("$_.'a b'.C")),
            ("item['a\u{2019}b']", Some("$_.'a\u{2019}\u{2019}b'")),
            ("steps.shared.items", Some("$shared")),
            ("steps.pshome.count", Some("$step_pshome.Count")),
            ("steps.shared.first.P", Some("$shared[0].P")),
            ("inputs.shared", Some("$input_shared")),
            ("inputs.error", Some("$input_error")),
            ("run.id", Some("$runId")),
            ("'it''", None),
            ("'a$b'", Some("'a$b'")),
            ("42", Some("42")),
            ("1.5", None),
            ("item.A | lower", None),
            ("item.A[0]", None),
            ("item_index", None),
            ("'a\\n'", None),
            ("[1, 2]", None),
        ] {
            let Ok(expression) = Expression::compile(source) else {
                assert_eq!(expected, None, "{source}");
                continue;
            };
            assert_eq!(value(&expression, &variables()).as_deref(), expected, "{source}");
        }
    }

    #[test]
    fn simple_conditions_have_a_form_and_others_do_not() {
        for (source, expected) in [
            ("item.A == 'x'", Some("$_.A -ceq 'x'")),
            ("3 < item.A", Some("3 -lt $_.A")),
            ("item.A != none", Some("$null -ne $_.A")),
            ("not item.A", Some("-not $_.A")),
            ("item.A or item.B and not item.C", Some("$_.A -or ($_.B -and (-not $_.C))")),
            ("item.A and item.B and item.C", Some("$_.A -and $_.B -and $_.C")),
            ("(item.A or item.B) and item.C == true", Some("($_.A -or $_.B) -and ($_.C -eq $true)")),
            ("item.A == item.B", None),
            ("item.A < none", None),
            ("1 < item.A < 3", None),
            ("item.A in ['x']", None),
            ("item.A is none", None),
            ("item.A ~ 'x' == 'y'", None),
            ("(item.A | lower) == 'x'", None),
            ("item.A if item.B else item.C", None),
        ] {
            let expression = Expression::compile(source).expect("compiles");
            let found = condition(&expression, &variables()).map(|pieces| pieces.join(" "));
            assert_eq!(found.as_deref(), expected, "{source}");
        }
    }
}
