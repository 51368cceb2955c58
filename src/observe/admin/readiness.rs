//! Whether the program is ready: named conditions, each of which stays true once it was.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What must have happened once before the program is ready. Clones are the same. A condition never becomes false
/// again: a history that fails later is an alert, and no reason for a cluster to take the program away.
#[derive(Clone, Debug)]
pub struct Readiness(Arc<[(&'static str, AtomicBool)]>);

impl Readiness {
    /// None of `conditions` is true yet.
    pub fn new(conditions: &[&'static str]) -> Readiness {
        Readiness(conditions.iter().map(|name| (*name, AtomicBool::new(false))).collect())
    }

    /// The condition `name` is true from now on.
    ///
    /// # Panics
    /// There is no condition of this name.
    pub fn done(&self, name: &str) {
        let (_, done) = self
            .0
            .iter()
            .find(|(condition, _)| *condition == name)
            .expect("a condition is named as it was when the readiness was made");
        done.store(true, Ordering::Relaxed);
    }

    /// The conditions that are not true yet, in their order.
    pub fn missing(&self) -> Vec<&'static str> {
        self.0.iter().filter(|(_, done)| !done.load(Ordering::Relaxed)).map(|(name, _)| *name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Readiness;

    #[test]
    fn what_was_true_once_stays_true() {
        let readiness = Readiness::new(&["jobs", "history", "secret"]);
        assert_eq!(readiness.missing(), ["jobs", "history", "secret"]);
        readiness.clone().done("history");
        assert_eq!(readiness.missing(), ["jobs", "secret"]);
        readiness.done("history");
        readiness.done("jobs");
        readiness.done("secret");
        assert!(readiness.missing().is_empty());
    }
}
