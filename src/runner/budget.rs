//! The job's `max_changes`: the run stops before the change that would be one too many.

use std::sync::{Mutex, PoisonError};

use super::halt::Failure;
use crate::exit::Exit;

/// Changes made or reserved, over all sessions of the run.
#[derive(Debug)]
pub(super) struct ChangeBudget {
    most: Option<u64>,
    used: Mutex<u64>,
}

impl ChangeBudget {
    pub(super) fn new(most: Option<u64>) -> ChangeBudget {
        ChangeBudget { most, used: Mutex::new(0) }
    }

    /// Reserves `changes` before they are written.
    ///
    /// # Errors
    /// Ends the run with 78 if they would pass the limit; nothing is reserved then.
    pub(super) fn reserve(&self, changes: u64) -> Result<(), Failure> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = used.saturating_add(changes);
        match self.most {
            Some(most) if wanted > most => {
                let message = format!(
                    "limits.max_changes is {most}: {} made, {changes} more would pass it; look at a dry run, then \
                     raise the limit",
                    *used
                );
                Err(Failure::ends_run("max_changes", Exit::RefusedByPolicy, message))
            }
            _ => {
                *used = wanted;
                Ok(())
            }
        }
    }

    /// Gives back what was not needed.
    pub(super) fn give_back(&self, changes: u64) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        *used = used.saturating_sub(changes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_change_after_the_last_allowed_one_is_refused_and_reserves_nothing() {
        let budget = ChangeBudget::new(Some(3));
        assert!(budget.reserve(2).is_ok());
        let refused = budget.reserve(2).unwrap_err();
        assert!(refused.message.contains("max_changes is 3: 2 made"), "{}", refused.message);
        assert!(budget.reserve(1).is_ok());
        budget.give_back(1);
        assert!(budget.reserve(1).is_ok());
        assert!(budget.reserve(1).is_err());
        assert!(ChangeBudget::new(None).reserve(u64::MAX).is_ok());
    }
}
