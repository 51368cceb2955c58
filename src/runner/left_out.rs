//! Items that a step failed on and that later steps over the same list leave out.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The items left out, one bit each, by the `for_each` that gives the list. What a step returned never changes, so the
/// same expression gives the same items in the same order.
#[derive(Debug, Default)]
pub(super) struct LeftOut(Mutex<BTreeMap<String, Vec<u64>>>);

impl LeftOut {
    /// Later loops over this list leave the item with this number out.
    pub(super) fn add(&self, for_each: &str, index: u64) {
        let (word, bit) = place(index);
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let words = lists.entry(for_each.to_owned()).or_default();
        if words.len() <= word {
            words.resize(word + 1, 0);
        }
        words[word] |= bit;
    }

    /// Whether a loop over this list leaves the item with this number out.
    pub(super) fn has(&self, for_each: &str, index: u64) -> bool {
        let (word, bit) = place(index);
        let lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists.get(for_each).and_then(|words| words.get(word)).is_some_and(|word| word & bit != 0)
    }
}

fn place(index: u64) -> (usize, u64) {
    // A list that is longer than the address space was never read.
    (usize::try_from(index / 64).unwrap_or(usize::MAX), 1 << (index % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_left_out_of_their_own_list_only() {
        let left_out = LeftOut::default();
        for index in [0, 63, 64, 100_000] {
            left_out.add("steps.a.items", index);
        }
        let of_a: Vec<u64> = (0..100_002).filter(|index| left_out.has("steps.a.items", *index)).collect();
        assert_eq!(of_a, [0, 63, 64, 100_000]);
        assert!(!left_out.has("steps.b.items", 0));
    }
}
