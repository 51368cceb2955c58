//! Values with expressions in them, compiled when the job is checked and evaluated by the runner.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use super::job::{CredentialRef, StepName};
use super::limits::TEXT_BYTES_MAX;

/// A value of the job file.
#[derive(Debug)]
pub enum Template {
    /// A value without expressions.
    Literal(Value),
    /// A value that is one whole expression keeps the expression's type.
    Expression(Expression),
    /// Text with expressions between.
    Text(Vec<Part>),
    /// A list.
    List(Vec<Template>),
    /// A map, in the order of the file.
    Map(Vec<(String, Template)>),
    /// Where a secret is kept: there is no way from here to the secret itself.
    Secret(SecretValue),
    /// The bytes of a file: read when the call that sends them is made.
    Bytes(BytesValue),
}

/// What a parameter that takes bytes is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BytesValue {
    /// The path of a file; a relative one counts from the working directory.
    File(PathBuf),
    /// The bytes as Base64.
    Base64(String),
}

/// What a parameter that takes a secret refers to.
#[derive(Debug)]
pub enum SecretValue {
    /// A `SecureString`.
    Text(CredentialRef),
    /// A `PSCredential`.
    Credential {
        /// Who it is the password of: text, perhaps with expressions.
        user_name: Box<Template>,
        /// Where the password is kept.
        password: CredentialRef,
    },
}

/// A piece of a [`Template::Text`].
#[derive(Debug)]
pub enum Part {
    /// As written.
    Text(String),
    /// `${{ … }}`.
    Expression(Expression),
}

/// A compiled expression with the text it was written as.
#[derive(Debug)]
pub struct Expression {
    source: String,
    whole_items_of: Option<StepName>,
}

/// What an expression can see while it is evaluated.
#[derive(Clone, Default)]
pub struct Scope {
    /// `steps.X`: the steps that have run.
    pub steps: Arc<BTreeMap<StepName, Arc<dyn StepItems>>>,
    /// `inputs.X`.
    pub inputs: Arc<BTreeMap<String, Value>>,
    /// `item` and `item_index`, inside a loop.
    pub item: Option<(Arc<Value>, u64)>,
    /// `run.id`.
    pub run_id: Arc<str>,
    /// `target.tenant` and `target.environment`.
    pub target: Arc<BTreeMap<String, String>>,
}

/// The items a step has returned, kept in memory or in a file.
pub trait StepItems: Send + Sync {
    /// `steps.X.count`.
    fn count(&self) -> u64;

    /// `steps.X.items`, in order, read one by one.
    ///
    /// # Errors
    /// Each item says for itself that it could not be read again.
    fn items(&self) -> Box<dyn Iterator<Item = std::io::Result<Value>> + Send>;
}

/// An expression that could not be evaluated.
#[derive(Clone, Debug, thiserror::Error)]
#[error("expression `{expression}`: {message}")]
pub struct ExpressionError {
    /// As the user wrote it.
    pub expression: String,
    /// What went wrong, in one line.
    pub message: String,
}

impl Expression {
    /// Only `Expression::parse` makes one: it has been compiled once by then.
    pub(super) fn new(source: String, whole_items_of: Option<StepName>) -> Expression {
        Expression { source, whole_items_of }
    }

    /// The text between `${{` and `}}`, trimmed.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The step, if the expression is exactly `steps.X.items`: the runner can then stream the items instead of
    /// making a list of them.
    pub fn whole_items_of(&self) -> Option<&StepName> {
        self.whole_items_of.as_ref()
    }
}

impl Template {
    /// The value in this scope. A whole expression keeps its type; inside text, numbers and booleans are written
    /// out, and null, lists and maps are errors.
    ///
    /// # Errors
    /// When one of its expressions cannot be evaluated, or when it refers to a secret, which is no value.
    pub fn eval(&self, scope: &Scope) -> Result<Value, ExpressionError> {
        Ok(match self {
            Template::Literal(value) => value.clone(),
            Template::Expression(expression) => expression.eval(scope)?,
            Template::Text(parts) => Value::String(text(parts, scope)?),
            Template::List(items) => {
                Value::Array(items.iter().map(|item| item.eval(scope)).collect::<Result<_, _>>()?)
            }
            Template::Map(entries) => Value::Object(
                entries.iter().map(|(name, value)| Ok((name.clone(), value.eval(scope)?))).collect::<Result<
                    _,
                    ExpressionError,
                >>(
                )?,
            ),
            Template::Secret(_) => {
                return Err(ExpressionError {
                    expression: "a secret".to_owned(),
                    message: "it is no value: it is read when its call is sent".to_owned(),
                });
            }
            Template::Bytes(_) => {
                return Err(ExpressionError {
                    expression: "bytes".to_owned(),
                    message: "they are no value: they are read when their call is made".to_owned(),
                });
            }
        })
    }

    /// Whether it refers to a secret. Only a whole value does: no list, map or text holds one.
    pub fn is_secret(&self) -> bool {
        matches!(self, Template::Secret(_))
    }
}

fn text(parts: &[Part], scope: &Scope) -> Result<String, ExpressionError> {
    let mut out = String::new();
    for part in parts {
        let expression = match part {
            Part::Text(text) => {
                out.push_str(text);
                continue;
            }
            Part::Expression(expression) => expression,
        };
        let refuse = |message: String| {
            Err(ExpressionError { expression: super::escape::escape(expression.source()), message })
        };
        match expression.eval(scope)? {
            Value::String(text) => out.push_str(&text),
            Value::Bool(value) => out.push_str(if value { "true" } else { "false" }),
            Value::Number(number) => out.push_str(&number.to_string()),
            Value::Null => {
                return refuse(
                    "it is null and cannot stand inside text; use `| default(…, true)`".to_owned(),
                );
            }
            Value::Array(_) => {
                return refuse("it is a list and cannot stand inside text; use `| join(\", \")`".to_owned());
            }
            Value::Object(_) => return refuse("it is a map and cannot stand inside text".to_owned()),
        }
        if out.len() > TEXT_BYTES_MAX {
            return refuse(format!("the text has more than {TEXT_BYTES_MAX} bytes (TEXT_BYTES_MAX)"));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(source: &str) -> Part {
        Part::Expression(Expression::compile(source).expect("compiles"))
    }

    #[test]
    fn text_takes_words_and_numbers_only() {
        let text = Template::Text(vec![
            Part::Text("n=".into()),
            part("1 + 1"),
            Part::Text("/".into()),
            part("true"),
        ]);
        assert_eq!(text.eval(&Scope::default()).expect("is text"), Value::from("n=2/true"));
        for refused in ["none", "[1]", "{'a': 1}"] {
            let text = Template::Text(vec![Part::Text("x".into()), part(refused)]);
            let error = text.eval(&Scope::default()).expect_err("has no form in text").to_string();
            assert!(error.contains("cannot stand inside text"), "{error}");
        }
    }

    #[test]
    fn a_whole_expression_keeps_its_type() {
        let template = |source: &str| Template::Expression(Expression::compile(source).expect("compiles"));
        let list = Template::List(vec![template("1 == 1"), Template::Literal(Value::Null)]);
        let map = Template::Map(vec![("b".into(), list), ("a".into(), template("[1, 2]"))]);
        let value = map.eval(&Scope::default()).expect("has a value");
        assert_eq!(value.to_string(), r#"{"b":[true,null],"a":[1,2]}"#);
    }
}
