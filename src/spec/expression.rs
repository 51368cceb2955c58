//! Expressions: compiled when a job is checked, evaluated by the runner.
//!
//! A property is named exactly as the service returns it (`item.ExternalDirectoryObjectId`): names are case-sensitive.
//! A property the service returned as null is `none`; one it did not return is undefined, and using it is an error
//! that names it, unless the expression says `is defined` or `| default(...)`.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use minijinja::ErrorKind;
use minijinja::value::{Value as Computed, ValueKind};
use serde_json::Value;

use super::engine;
use super::escape::{escape, quote};
use super::job::StepName;
use super::limits::{
    EXPRESSION_BYTES_MAX, EXPRESSION_DEPTH_MAX, EXPRESSION_FUEL, EXPRESSION_OPERATORS_MAX, RESULT_BYTES_MAX,
    RESULT_VALUES_MAX,
};
use super::template::{Expression, ExpressionError, Scope};
use super::words::{self, Path};
use crate::catalog::nearest;

/// Why an expression was refused, and where in it.
pub(super) struct CompileError {
    pub(super) message: String,
    pub(super) at: Option<Range<usize>>,
}

impl Expression {
    /// Compiles an expression as it stands between `${{` and `}}`.
    ///
    /// # Errors
    /// When it is not an expression or goes over a limit. Whether its names exist is checked with the whole job.
    pub fn compile(source: &str) -> Result<Expression, ExpressionError> {
        Expression::parse(source)
            .map_err(|error| ExpressionError { expression: escape(source.trim()), message: error.message })
    }

    pub(super) fn parse(source: &str) -> Result<Expression, CompileError> {
        let refuse = |message: String| CompileError { message, at: None };
        let source = source.trim();
        if source.is_empty() {
            return Err(refuse("the expression is empty".to_owned()));
        }
        if source.len() > EXPRESSION_BYTES_MAX {
            let message =
                format!("the expression has more than {EXPRESSION_BYTES_MAX} bytes (EXPRESSION_BYTES_MAX)");
            return Err(refuse(message));
        }
        let words = words::words(source);
        if words::depth(&words) > EXPRESSION_DEPTH_MAX {
            let message = format!(
                "the expression's brackets are nested deeper than {EXPRESSION_DEPTH_MAX} (EXPRESSION_DEPTH_MAX)"
            );
            return Err(refuse(message));
        }
        if words::operators(&words) > EXPRESSION_OPERATORS_MAX {
            let message = format!(
                "the expression has more than {EXPRESSION_OPERATORS_MAX} operators (EXPRESSION_OPERATORS_MAX)"
            );
            return Err(refuse(message));
        }
        engine::check(source).map_err(|error| match words::foreign_operator(&words) {
            Some((at, theirs, ours)) => CompileError {
                message: format!("{} is not an operator here: write `{ours}`", quote(&theirs)),
                at: Some(at),
            },
            None => CompileError {
                message: format!(
                    "not an expression: {}",
                    escape(error.detail().unwrap_or("it cannot be parsed"))
                ),
                at: error.range().filter(|at| at.end <= source.len() && source.is_char_boundary(at.start)),
            },
        })?;
        let whole = match &words::paths(&words)[..] {
            [Path { root: "steps", names, words: all, called: false, indexed: false, .. }]
                if names.len() == 2 && names[1] == "items" && *all == (0..words.len()) =>
            {
                StepName::new(names[0])
            }
            _ => None,
        };
        Ok(Expression::new(source.to_owned(), whole))
    }

    /// The value in this scope.
    ///
    /// # Errors
    /// When a name is undefined, an operation does not fit its values, or a limit is reached.
    pub fn eval(&self, scope: &Scope) -> Result<Value, ExpressionError> {
        // The engine reckons some bounds without a check, some of them only when a list is walked through
        // (`x[::-9223372036854775808]`): that is the expression's mistake, not a defect that ends the run.
        catch_unwind(AssertUnwindSafe(|| self.evaluated(scope))).unwrap_or_else(|_| {
            Err(self.error("the engine cannot calculate it; is a number in it too large?".to_owned()))
        })
    }

    fn evaluated(&self, scope: &Scope) -> Result<Value, ExpressionError> {
        let value = engine::run(self.source(), super::scope::context(scope)).map_err(|error| {
            let message = match error.kind() {
                ErrorKind::OutOfFuel => {
                    format!("it does too much work (more than EXPRESSION_FUEL, {EXPRESSION_FUEL})")
                }
                ErrorKind::UndefinedError => self.undefined(scope),
                _ => escape(error.detail().unwrap_or("it failed")),
            };
            self.error(message)
        })?;
        let mut left = Budget { values: RESULT_VALUES_MAX, bytes: RESULT_BYTES_MAX };
        self.result(&value, scope, &mut left)
    }

    /// The value as `true` or `false`. Nothing else counts as either: `when` must not guess.
    ///
    /// # Errors
    /// As [`Expression::eval`], and when the value is not a boolean.
    pub fn eval_bool(&self, scope: &Scope) -> Result<bool, ExpressionError> {
        match self.eval(scope)? {
            Value::Bool(value) => Ok(value),
            other => {
                let found = match other {
                    Value::Null => "null",
                    Value::Number(_) => "a number",
                    Value::String(_) => "text",
                    Value::Array(_) => "a list",
                    _ => "a map",
                };
                Err(self.error(format!(
                    "it must be true or false, found {found}; compare it: `x == …`, `x is not none`"
                )))
            }
        }
    }

    fn error(&self, message: String) -> ExpressionError {
        ExpressionError { expression: escape(self.source()), message }
    }

    /// The engine does not say which name was undefined: look for the first one.
    fn undefined(&self, scope: &Scope) -> String {
        let words = words::words(self.source());
        for path in words::paths(&words) {
            let mut value = super::scope::context(scope);
            for (depth, name) in std::iter::once(path.root).chain(path.names.iter().copied()).enumerate() {
                let next = value.get_attr(name).unwrap_or_default();
                if next.is_undefined() {
                    let mut whole = path.root.to_owned();
                    for name in &path.names[..depth] {
                        whole.push('.');
                        whole.push_str(name);
                    }
                    return missing(&whole, name, &value);
                }
                value = next;
            }
        }
        "a value in it is undefined".to_owned()
    }

    fn result(&self, value: &Computed, scope: &Scope, left: &mut Budget) -> Result<Value, ExpressionError> {
        let too_big = |_| {
            self.error(format!("its result has more than {RESULT_VALUES_MAX} values or {RESULT_BYTES_MAX} bytes (RESULT_VALUES_MAX, RESULT_BYTES_MAX)"))
        };
        let failed = |error: minijinja::Error| self.error(escape(error.detail().unwrap_or("it failed")));
        left.take(0).map_err(too_big)?;
        Ok(match value.kind() {
            ValueKind::Undefined => return Err(self.error(self.undefined(scope))),
            ValueKind::None => Value::Null,
            ValueKind::Bool => Value::Bool(value.is_true()),
            ValueKind::Number => {
                number(value).ok_or_else(|| self.error("its number has no form in JSON".to_owned()))?
            }
            ValueKind::String => {
                let text = value.as_str().unwrap_or_default();
                left.take(text.len()).map_err(too_big)?;
                Value::String(text.to_owned())
            }
            ValueKind::Seq | ValueKind::Iterable => {
                let mut list = Vec::new();
                for item in value.try_iter().map_err(failed)? {
                    list.push(self.result(&item, scope, left)?);
                }
                Value::Array(list)
            }
            ValueKind::Map => {
                let mut map = serde_json::Map::new();
                for key in value.try_iter().map_err(failed)? {
                    let item = value.get_item(&key).map_err(failed)?;
                    let name = key.to_string();
                    left.take(name.len()).map_err(too_big)?;
                    map.insert(name, self.result(&item, scope, left)?);
                }
                Value::Object(map)
            }
            ValueKind::Invalid => {
                let reason = value.to_string();
                return Err(self.error(escape(&reason)));
            }
            _ => {
                return Err(self.error("its result is not a value; did you mean `steps.X.items`?".to_owned()));
            }
        })
    }
}

fn missing(whole: &str, name: &str, parent: &Computed) -> String {
    let shown = quote(whole);
    if parent.kind() != ValueKind::Map {
        return format!("{shown} is undefined");
    }
    let keys: Vec<String> =
        parent.try_iter().map(|keys| keys.map(|key| key.to_string()).collect()).unwrap_or_default();
    match nearest(name, keys.iter().map(String::as_str)).first() {
        Some(near) => format!("{shown} is undefined: there is {}", quote(near)),
        None => format!("{shown} is undefined: the property was not returned"),
    }
}

fn number(value: &Computed) -> Option<Value> {
    if value.is_integer() {
        let whole = i128::try_from(value.clone()).ok()?;
        return i64::try_from(whole).map(Value::from).or_else(|_| u64::try_from(whole).map(Value::from)).ok();
    }
    serde_json::Number::from_f64(f64::try_from(value.clone()).ok()?).map(Value::Number)
}

struct Budget {
    values: usize,
    bytes: usize,
}

impl Budget {
    fn take(&mut self, bytes: usize) -> Result<(), TooBig> {
        self.values = self.values.checked_sub(1).ok_or(TooBig)?;
        self.bytes = self.bytes.checked_sub(bytes).ok_or(TooBig)?;
        Ok(())
    }
}

struct TooBig;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::spec::template::StepItems;

    struct Listed(Vec<Value>);

    impl StepItems for Listed {
        fn count(&self) -> u64 {
            self.0.len() as u64
        }

        fn items(&self) -> Box<dyn Iterator<Item = std::io::Result<Value>> + Send> {
            Box::new(self.0.clone().into_iter().map(Ok))
        }
    }

    /// Says how many there are, but cannot be read.
    struct Unreadable;

    impl StepItems for Unreadable {
        fn count(&self) -> u64 {
            100_000
        }

        fn items(&self) -> Box<dyn Iterator<Item = std::io::Result<Value>> + Send> {
            Box::new(std::iter::once(Err(std::io::Error::other("the disk is gone"))))
        }
    }

    fn scope() -> Scope {
        let mut steps: BTreeMap<StepName, Arc<dyn StepItems>> = BTreeMap::new();
        let domains =
            vec![json!({"DomainName": "Contoso.com", "N": 1}), json!({"DomainName": "fabrikam.com", "N": 2})];
        steps.insert(StepName::new("domains").expect("is a name"), Arc::new(Listed(domains)));
        steps.insert(StepName::new("none").expect("is a name"), Arc::new(Listed(Vec::new())));
        steps.insert(StepName::new("far").expect("is a name"), Arc::new(Unreadable));
        let item = json!({
            "Name": "Anna", "Address": "smtp:anna@Fabrikam.com", "Forward": null, "Flag": true,
            "Count": 9_007_199_254_740_993_u64, "Nested": {"Key": ["a", "b"]}
        });
        Scope {
            steps: Arc::new(steps),
            inputs: Arc::new(BTreeMap::from([("allowed".to_owned(), json!(["anna", "bob"]))])),
            item: Some((Arc::new(item), 3)),
            run_id: "r-1".into(),
            target: Arc::new(BTreeMap::from([("tenant".to_owned(), "contoso.com".to_owned())])),
        }
    }

    fn eval(source: &str) -> Value {
        let expression = Expression::compile(source).expect("compiles");
        expression.eval(&scope()).unwrap_or_else(|error| panic!("{error}"))
    }

    fn fails(source: &str) -> String {
        let expression = Expression::compile(source).expect("compiles");
        expression.eval(&scope()).expect_err("fails").to_string()
    }

    #[test]
    fn a_number_that_is_too_large_for_the_engine_is_no_panic() {
        for source in ["item.Name[::-9223372036854775808]", "[1, 2][::-9223372036854775808]"] {
            let expression = Expression::compile(source).expect("compiles");
            // A build without checks may find a value.
            if let Err(error) = expression.eval(&scope()) {
                assert!(error.to_string().contains("too large"), "{error}");
            }
        }
    }

    #[test]
    fn names_are_found() {
        assert_eq!(eval("item.Name"), json!("Anna"));
        assert_eq!(eval("item_index"), json!(3));
        assert_eq!(eval("item.Nested.Key"), json!(["a", "b"]));
        assert_eq!(eval("item"), *scope().item.expect("there is one").0);
        assert_eq!(eval("item.Count"), json!(9_007_199_254_740_993_u64));
        assert_eq!(eval("run.id ~ '/' ~ target.tenant"), json!("r-1/contoso.com"));
        assert_eq!(eval("(item.Name | lower) in inputs.allowed"), json!(true));
        assert_eq!(eval("steps.domains.count"), json!(2));
        assert_eq!(eval("steps.domains.first.DomainName"), json!("Contoso.com"));
    }

    #[test]
    fn items_are_filtered() {
        assert_eq!(
            eval("steps.domains.items | map(attribute='DomainName') | map('lower') | list"),
            json!(["contoso.com", "fabrikam.com"])
        );
        assert_eq!(
            eval(
                "(item.Address | lower | split('@') | last) in (steps.domains.items | map(attribute='DomainName') | map('lower') | list)"
            ),
            json!(true)
        );
        assert_eq!(
            eval("steps.domains.items | selectattr('N', 'gt', 1) | list"),
            json!([{"DomainName": "fabrikam.com", "N": 2}])
        );
        assert_eq!(eval("steps.domains.items")[1]["N"], json!(2));
        assert_eq!(
            eval("steps.domains.items | map(attribute='DomainName') | sort | join(', ')"),
            json!("Contoso.com, fabrikam.com")
        );
        assert_eq!(eval("'a-b-c' | split('-') | join('+')"), json!("a+b+c"), "in place of replace");
        assert_eq!(eval("item.Name is matches('^An+a$') and item.Name | matches('n{2}')"), json!(true));
    }

    #[test]
    fn counting_reads_no_item() {
        assert_eq!(eval("steps.far.items | length"), json!(100_000));
        assert_eq!(eval("steps.far.count > 5"), json!(true));
        assert!(fails("steps.far.items | map(attribute='X') | list").contains("the disk is gone"));
        assert!(fails("steps.far.first").contains("the disk is gone"));
    }

    #[test]
    fn null_and_missing_are_told_apart() {
        assert_eq!(eval("item.Forward is none"), json!(true));
        assert_eq!(eval("item.Forward == none"), json!(true));
        assert_eq!(eval("item.Forward"), Value::Null);
        assert_eq!(eval("item.Missing is defined"), json!(false));
        assert_eq!(eval("item.Missing | default('x')"), json!("x"));
        assert_eq!(eval("item.Forward | default('x', true)"), json!("x"));
        assert_eq!(fails("item.name"), "expression `item.name`: `item.name` is undefined: there is `Name`");
        assert!(fails("item.Missing").contains("`item.Missing` is undefined: the property was not returned"));
        assert!(fails("item.Missing.Deep").contains("`item.Missing` is undefined"));
        assert!(fails("item.Missing | lower").contains("`item.Missing` is undefined"));
        assert!(fails("steps.none.first.Name").contains("`steps.none.first` is undefined"));
    }

    #[test]
    fn only_booleans_are_true_or_false() {
        let bool_of = |source: &str| Expression::compile(source).expect("compiles").eval_bool(&scope());
        assert!(bool_of("item.Flag and item.Name == 'Anna'").expect("is a boolean"));
        let error = bool_of("item.Name").expect_err("is text").to_string();
        assert!(error.contains("it must be true or false, found text"), "{error}");
    }

    #[test]
    fn a_whole_list_of_items_is_recognized() {
        let whole = |source: &str| {
            Expression::compile(source)
                .expect("compiles")
                .whole_items_of()
                .map(|name| name.as_str().to_owned())
        };
        assert_eq!(whole(" steps.domains.items ").as_deref(), Some("domains"));
        assert_eq!(whole("steps.domains.items | list"), None);
        assert_eq!(whole("(steps.domains.items)"), None);
    }

    #[test]
    fn limits_are_named() {
        let refused = |source: &str| Expression::compile(source).expect_err("is refused").message;
        assert!(refused(&"(".repeat(30)).contains("EXPRESSION_DEPTH_MAX"));
        assert!(refused(&format!("'{}'", "x".repeat(5_000))).contains("EXPRESSION_BYTES_MAX"));
        assert!(refused("").contains("empty"));
        for (chain, count) in [("-", 3_000), ("not ", 1_000), ("1~", 1_900)] {
            assert!(refused(&format!("{}1", chain.repeat(count))).contains("EXPRESSION_OPERATORS_MAX"));
        }
        for chain in ["[0]", ".a", "|d", " is a", " if 1"] {
            let refused = refused(&format!("x{}", chain.repeat(4_000 / chain.len())));
            assert!(refused.contains("EXPRESSION_OPERATORS_MAX"), "{refused}");
        }
        assert_eq!(eval(&format!("{}1", "-".repeat(500))), json!(1));
        assert!(fails("[1] * 90000000").contains("MAX"));
        assert!(fails("('x' * 90000000) ~ ('x' * 90000000)").contains("EXPRESSION_FUEL"));
        assert!(Expression::compile(&"not ".repeat(1_000)).is_err());
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(500))]
        #[test]
        fn any_expression_ends_without_a_panic(source in "(item|steps|inputs|[a-zA-Z0-9_.|()\\[\\]{}'\"+*~<>=! -]){0,12}") {
            if let Ok(expression) = Expression::compile(&source) {
                let _ = expression.eval(&scope());
            }
        }
    }
}
