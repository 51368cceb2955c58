//! The expression engine, set up so that an expression ends, stays small and touches nothing.

use std::cell::RefCell;
use std::sync::{Arc, LazyLock};

use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};
use regex::{Regex, RegexBuilder};

use super::limits::{EXPRESSION_FUEL, REGEX_BYTES_MAX};

/// Regular expressions kept compiled for each thread.
const REGEXES_KEPT_MAX: usize = 16;

/// The filters there are. What makes text grow, formats or escapes for HTML is left out.
pub(super) const FILTERS: [&str; 34] = [
    "abs",
    "attr",
    "bool",
    "capitalize",
    "count",
    "d",
    "default",
    "first",
    "float",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "matches",
    "max",
    "min",
    "reject",
    "rejectattr",
    "reverse",
    "round",
    "select",
    "selectattr",
    "sort",
    "split",
    "string",
    "sum",
    "trim",
    "unique",
    "upper",
];

/// The tests there are: what may follow `is`.
pub(super) const TESTS: [&str; 29] = [
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "even",
    "false",
    "float",
    "ge",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lower",
    "lt",
    "mapping",
    "matches",
    "ne",
    "none",
    "number",
    "odd",
    "sameas",
    "sequence",
    "startingwith",
    "string",
    "true",
    "undefined",
    "upper",
];

static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_fuel(Some(EXPRESSION_FUEL));
    engine.set_debug(true);
    for removed in [
        "batch",
        "chain",
        "dictsort",
        "e",
        "escape",
        "format",
        "groupby",
        "indent",
        "pprint",
        "replace",
        "safe",
        "slice",
        "title",
        "tojson",
        "urlencode",
        "zip",
    ] {
        engine.remove_filter(removed);
    }
    let globals: Vec<String> = engine.globals().map(|(name, _)| name.to_owned()).collect();
    for global in globals {
        engine.remove_global(&global);
    }
    engine.add_filter("matches", matches);
    engine.add_test("matches", matches);
    engine
});

/// Checks that the expression can be compiled.
pub(super) fn check(source: &str) -> Result<(), Error> {
    ENGINE.compile_expression(source).map(|_| ())
}

/// Compiles and runs. Compiling costs a few microseconds, a thousandth of the call that follows; keeping the
/// compiled form would need a borrow of the source inside the job.
pub(super) fn run(source: &str, scope: Value) -> Result<Value, Error> {
    ENGINE.compile_expression(source)?.eval(scope)
}

/// Whether the text matches the regular expression, anywhere in it.
fn matches(text: &Value, pattern: &str) -> Result<bool, Error> {
    let Some(text) = text.as_str() else {
        return Err(Error::new(ErrorKind::InvalidOperation, "`matches` looks at text only"));
    };
    thread_local! {
        static KEPT: RefCell<Vec<(String, Arc<Regex>)>> = const { RefCell::new(Vec::new()) };
    }
    let kept = KEPT.with_borrow(|kept| {
        kept.iter().find(|(source, _)| source == pattern).map(|(_, regex)| Arc::clone(regex))
    });
    let regex = match kept {
        Some(regex) => regex,
        None => {
            let regex =
                Arc::new(regex(pattern).map_err(|message| Error::new(ErrorKind::InvalidOperation, message))?);
            KEPT.with_borrow_mut(|kept| {
                if kept.len() == REGEXES_KEPT_MAX {
                    kept.remove(0);
                }
                kept.push((pattern.to_owned(), Arc::clone(&regex)));
            });
            regex
        }
    };
    Ok(regex.is_match(text))
}

/// Compiles a regular expression under our limit.
pub(super) fn regex(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern).size_limit(REGEX_BYTES_MAX).dfa_size_limit(REGEX_BYTES_MAX).build().map_err(
        |error| match error {
            regex::Error::CompiledTooBig(_) => {
                format!("the regular expression needs more than {REGEX_BYTES_MAX} bytes (REGEX_BYTES_MAX)")
            }
            other => {
                let text = other.to_string();
                let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
                format!("not a regular expression: {reason}")
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_of_filters_and_tests_are_what_the_engine_has() {
        for filter in FILTERS {
            let error = run(&format!("1 | {filter}"), Value::from(())).err();
            assert!(error.is_none_or(|error| error.kind() != ErrorKind::UnknownFilter), "{filter}");
        }
        for test in TESTS {
            let error = run(&format!("1 is {test}"), Value::from(())).err();
            assert!(error.is_none_or(|error| error.kind() != ErrorKind::UnknownTest), "{test}");
        }
        for gone in ["replace", "indent", "format", "tojson", "batch"] {
            let error = run(&format!("'x' | {gone}"), Value::from(())).expect_err("was removed");
            assert_eq!(error.kind(), ErrorKind::UnknownFilter, "{gone}");
        }
        assert!(run("range(3)", Value::from(())).is_err());
    }

    #[test]
    fn growing_text_runs_out_of_fuel() {
        let long = "'x' * 30000000";
        assert!(run(long, Value::from(())).is_ok());
        let error =
            run(&format!("({long}) ~ ({long}) ~ ({long})"), Value::from(())).expect_err("is too much");
        assert_eq!(error.kind(), ErrorKind::OutOfFuel);
    }

    #[test]
    fn a_regular_expression_has_limits() {
        assert!(regex("^[a-z]+$").is_ok());
        assert!(regex("(").expect_err("is not one").contains("unclosed group"));
        assert!(regex("((a{100}){100}){100}").expect_err("is too big").contains("REGEX_BYTES_MAX"));
    }
}
