//! Named places where a test makes the program fail. Compiled only with the feature `fault-points`.

/// Panics if the environment asks for a panic in this step: `EXORUN_FAULT_POINT=panic:STEP`.
pub(super) fn in_step(step: &str) {
    if std::env::var("EXORUN_FAULT_POINT").is_ok_and(|asked| asked == format!("panic:{step}")) {
        panic!("a fault point of a test in step {step}");
    }
}
