//! A value with the state that reads still show after a write. Source: protocol reference, 3.12.

use std::time::Duration;

/// A value, and the old one that reads show until a time in milliseconds since boot.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Versions<T> {
    current: T,
    stale: Option<(u64, T)>,
}

impl<T: Clone> Versions<T> {
    pub(super) fn new(current: T) -> Versions<T> {
        Versions { current, stale: None }
    }

    /// The value as a read at `now` shows it.
    pub(super) fn read(&self, now: u64) -> &T {
        match &self.stale {
            Some((until, old)) if now < *until => old,
            _ => &self.current,
        }
    }

    /// The value as it is, whatever reads still show.
    pub(super) fn current(&self) -> &T {
        &self.current
    }

    /// The value to be changed; reads go on showing what they show now for `stale`.
    pub(super) fn write(&mut self, now: u64, stale: Option<Duration>) -> &mut T {
        self.stale = stale.map(|stale| (after(now, stale), self.read(now).clone()));
        &mut self.current
    }
}

/// `time` after `now`, both in milliseconds since boot.
pub(super) fn after(now: u64, time: Duration) -> u64 {
    now.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_write_does_not_show_the_first_one_early() {
        let mut value = Versions::new(1);
        let stale = Some(Duration::from_secs(2));
        *value.write(1000, stale) = 2;
        *value.write(1500, stale) = 3;
        assert_eq!((*value.read(3499), *value.read(3500), *value.current()), (1, 3, 3));
        *value.write(5000, None) = 4;
        assert_eq!(*value.read(5000), 4);
    }
}
