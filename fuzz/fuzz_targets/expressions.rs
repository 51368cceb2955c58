//! Any text as an expression, evaluated where a step of a loop stands.
#![no_main]

mod scope;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use exorun::spec::template::{Expression, ExpressionError};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// `RESULT_VALUES_MAX` and `RESULT_BYTES_MAX` of `src/spec/limits.rs`.
const VALUES_MAX: usize = 2_000_000;
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// What the last panic said. The hook of libFuzzer would end the process at panics of the engine, which
/// `Expression::eval` catches on purpose; this one only notes them, and what gets out of the target ends it.
static LAST: Mutex<String> = Mutex::new(String::new());

fuzz_target!(
    init: std::panic::set_hook(Box::new(|panic| *LAST.lock().expect("no holder panics") = panic.to_string())),
    |source: &[u8]| {
        if catch_unwind(AssertUnwindSafe(|| holds(&String::from_utf8_lossy(source)))).is_err() {
            eprintln!("a panic got out: {}", LAST.lock().expect("no holder panics"));
            std::process::abort();
        }
    }
);

fn holds(source: &str) {
    let expression = match Expression::compile(source) {
        Ok(expression) => expression,
        Err(error) => return is_one_line(&error),
    };
    assert_eq!(expression.source(), source.trim());
    let value = expression.eval(&scope::SCOPE);
    match &value {
        Ok(value) => {
            let (values, bytes) = scope::size(value);
            assert!(values <= VALUES_MAX && bytes <= BYTES_MAX, "{values} values, {bytes} bytes");
        }
        Err(error) => is_one_line(error),
    }
    let bool = expression.eval_bool(&scope::SCOPE);
    assert_eq!(bool.ok(), value.ok().as_ref().and_then(Value::as_bool));
}

fn is_one_line(error: &ExpressionError) {
    assert!(!error.message.is_empty() && !error.to_string().contains(char::is_control), "{error:?}");
}
