//! The line of those who wait for a slot: who came first is served first, and who falls silent is passed over.
//!
//! Waiting is a promise about fairness, not about safety: a line that is lost or torn lets somebody in too early, and the
//! slots still keep everybody apart.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::rules::time::BootTime;

/// More than wait for one account in earnest; whoever comes after that many waits without a place in the line.
pub const LENGTH_MAX: usize = 400;

/// One that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiter {
    /// Unique to the wait: the connection id of the session to be.
    pub id: String,
    /// When it was last seen to wait.
    pub seen: BootTime,
}

/// Those who wait, in order of arrival.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Queue(pub Vec<Waiter>);

/// Whether somebody with `ahead` others in front may take one of `free` slots: each of them has one to take.
pub fn may_take(free: u32, ahead: u32) -> bool {
    ahead < free
}

impl Queue {
    /// How many others wait in front of `id`: all of them, if it is not in the line. Who has been silent for longer than
    /// `patience` (stopped, killed, cut off) is passed over, but keeps its place.
    pub fn ahead(&self, id: &str, now: BootTime, patience: Duration) -> u32 {
        let before = self.0.iter().take_while(|waiter| waiter.id != id);
        let live = before.filter(|waiter| now <= waiter.seen + patience).count();
        u32::try_from(live).unwrap_or(u32::MAX)
    }

    /// How many wait and are not silent.
    pub fn waiting(&self, now: BootTime, patience: Duration) -> u32 {
        self.ahead("", now, patience)
    }

    /// `id` waits at `now`: it goes to the end of the line, or is seen in its place. Whether that is worth writing down:
    /// a waiter is seen often enough when it is noted every third of `patience`.
    pub fn stand(&mut self, id: &str, now: BootTime, patience: Duration) -> bool {
        let length = self.0.len();
        match self.0.iter_mut().find(|waiter| waiter.id == id) {
            Some(waiter) if waiter.seen <= now && now < waiter.seen + patience / 3 => false,
            Some(waiter) => {
                waiter.seen = now;
                true
            }
            None if length < LENGTH_MAX => {
                self.0.push(Waiter { id: id.to_owned(), seen: now });
                true
            }
            None => false,
        }
    }

    /// `id`, whose turn it was and who has got nothing all the same, waits at `now` in front of everybody.
    pub fn stand_first(&mut self, id: &str, now: BootTime) {
        self.leave(id);
        self.0.insert(0, Waiter { id: id.to_owned(), seen: now });
        self.0.truncate(LENGTH_MAX);
    }

    /// `id` waits no longer. Whether it did.
    pub fn leave(&mut self, id: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|waiter| waiter.id != id);
        self.0.len() != before
    }

    /// Forgets who has been silent for four times `patience`, and takes stamps after `now`, which come from another
    /// clock, as made now: else nobody would ever pass them over.
    pub fn tidy(&mut self, now: BootTime, patience: Duration) {
        self.0.retain(|waiter| now <= waiter.seen + patience * 4);
        for waiter in &mut self.0 {
            waiter.seen = waiter.seen.min(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn at(seconds: u64) -> BootTime {
        BootTime::from_millis(seconds * 1000)
    }

    fn line(of: &[(&str, u64)]) -> Queue {
        Queue(of.iter().map(|(id, seen)| Waiter { id: (*id).to_owned(), seen: at(*seen) }).collect())
    }

    #[test]
    fn who_came_first_is_served_first() {
        let mut queue = Queue::default();
        assert!(queue.stand("a", at(1), PATIENCE) && queue.stand("b", at(2), PATIENCE));
        assert_eq!(["a", "b", "new"].map(|id| queue.ahead(id, at(3), PATIENCE)), [0, 1, 2]);
        assert!(may_take(1, 0) && !may_take(1, 1) && may_take(2, 1) && !may_take(0, 0));
        assert!(queue.leave("a") && !queue.leave("a"));
        assert_eq!(queue.ahead("b", at(3), PATIENCE), 0);
    }

    #[test]
    fn who_is_silent_is_passed_over_and_keeps_its_place_for_a_while() {
        let mut queue = line(&[("a", 10), ("b", 30)]);
        assert_eq!(queue.ahead("b", at(40), PATIENCE), 1);
        assert_eq!(queue.ahead("b", at(41), PATIENCE), 0);
        assert!(queue.stand("a", at(50), PATIENCE), "it goes on after a stop");
        assert_eq!(queue.ahead("b", at(50), PATIENCE), 1);
        queue.tidy(at(30 + 121), PATIENCE);
        assert_eq!(queue, line(&[("a", 50)]));
    }

    #[test]
    fn a_waiter_is_noted_every_third_of_the_patience() {
        let mut queue = line(&[("a", 10)]);
        assert!(!queue.stand("a", at(19), PATIENCE));
        assert!(queue.stand("a", at(20), PATIENCE));
        assert_eq!(queue, line(&[("a", 20)]));
    }

    #[test]
    fn a_line_that_is_too_long_takes_nobody_more() {
        let mut queue = Queue::default();
        for number in 0..LENGTH_MAX {
            assert!(queue.stand(&number.to_string(), at(1), PATIENCE));
        }
        assert!(!queue.stand("late", at(1), PATIENCE));
    }

    #[test]
    fn who_has_lost_what_it_was_let_in_for_is_first_again() {
        let mut queue = line(&[("b", 10), ("c", 10)]);
        queue.stand_first("a", at(12));
        assert_eq!(queue, line(&[("a", 12), ("b", 10), ("c", 10)]));
        queue.stand_first("c", at(13));
        assert_eq!(queue, line(&[("c", 13), ("a", 12), ("b", 10)]), "nobody stands in it twice");
        for number in 0..LENGTH_MAX {
            queue.stand_first(&number.to_string(), at(14));
        }
        assert_eq!(queue.0.len(), LENGTH_MAX);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Pass(u64),
        Look(u8),
        Leave(u8),
        Free(u8),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => (0u64..40).prop_map(Step::Pass),
            6 => (0u8..6).prop_map(Step::Look),
            1 => (0u8..6).prop_map(Step::Leave),
            2 => (0u8..3).prop_map(Step::Free),
        ];
        prop::collection::vec(step, 1..100)
    }

    proptest! {
        /// The model: a list of arrivals. Nobody is let in before one that came earlier and has looked within the
        /// patience, as many are let in as there are slots, and the first in line never has anybody ahead.
        #[test]
        fn nobody_overtakes_one_that_looks(steps in steps()) {
            let mut queue = Queue::default();
            let (mut now, mut free) = (at(1000), 0u32);
            let mut model: Vec<(u8, BootTime)> = Vec::new();
            for step in steps {
                match step {
                    Step::Pass(seconds) => now = now + Duration::from_secs(seconds),
                    Step::Free(slots) => free += u32::from(slots),
                    Step::Leave(id) => {
                        let left = queue.leave(&id.to_string());
                        prop_assert_eq!(left, model.iter().any(|(one, _)| *one == id));
                        model.retain(|(one, _)| *one != id);
                    }
                    Step::Look(id) => {
                        queue.tidy(now, PATIENCE);
                        // A note may be a third of the patience old.
                        let note = PATIENCE / 3;
                        for (one, seen) in std::mem::take(&mut model) {
                            if queue.0.iter().any(|waiter| waiter.id == one.to_string()) {
                                model.push((one, seen));
                            } else {
                                prop_assert!(seen + PATIENCE * 4 < now + note, "forgotten too early");
                            }
                        }
                        let ahead = queue.ahead(&id.to_string(), now, PATIENCE);
                        let place = model.iter().position(|(one, _)| *one == id).unwrap_or(model.len());
                        let surely = model[..place].iter().filter(|(_, seen)| now + note <= *seen + PATIENCE);
                        prop_assert!(ahead as usize >= surely.count());
                        prop_assert!(ahead as usize <= place);
                        if may_take(free, ahead) {
                            free -= 1;
                            queue.leave(&id.to_string());
                            model.retain(|(one, _)| *one != id);
                        } else {
                            queue.stand(&id.to_string(), now, PATIENCE);
                            match model.iter_mut().find(|(one, _)| *one == id) {
                                Some((_, seen)) => *seen = now,
                                None => model.push((id, now)),
                            }
                        }
                    }
                }
                prop_assert_eq!(queue.0.len(), queue.0.iter().map(|w| &w.id).collect::<std::collections::HashSet<_>>().len());
            }
        }
    }
}
