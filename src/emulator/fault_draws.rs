//! The faults in force: finding the requests that they meet.

use super::faults::{At, BATCH, Fault, Kind};
use super::random::mix;

/// The faults in force, and how often each has met its requests.
#[derive(Debug)]
pub(super) struct Faults {
    seed: u64,
    active: Vec<Active>,
}

#[derive(Debug)]
struct Active {
    fault: Fault,
    /// Tells equal faults' dice apart.
    number: u64,
    seen: u64,
    fired: u64,
}

impl Faults {
    pub(super) fn new(seed: u64, faults: Vec<Fault>) -> Faults {
        let mut all = Faults { seed, active: Vec::new() };
        all.add(faults);
        all
    }

    pub(super) fn add(&mut self, faults: Vec<Fault>) {
        for fault in faults {
            let number = self.active.len() as u64;
            self.active.push(Active { fault, number, seen: 0, fired: 0 });
        }
    }

    pub(super) fn clear(&mut self) {
        self.active.clear();
    }

    /// Each fault's text, the requests it looked at and those it met.
    pub(super) fn list(&self) -> Vec<(String, u64, u64)> {
        self.active.iter().map(|a| (a.fault.spec.clone(), a.seen, a.fired)).collect()
    }

    /// What goes wrong with this request.
    pub(super) fn draw(&mut self, at: At, cmdlet: &str) -> Vec<Kind> {
        let seed = self.seed;
        self.active.iter_mut().filter_map(|active| active.draw(seed, at, cmdlet)).collect()
    }
}

impl Active {
    fn draw(&mut self, seed: u64, at: At, cmdlet: &str) -> Option<Kind> {
        let fault = &self.fault;
        if fault.at != At::Any && fault.at != at {
            return None;
        }
        let meant = match &fault.cmdlet {
            Some(wanted) => wanted.eq_ignore_ascii_case(cmdlet),
            None => cmdlet != BATCH,
        };
        if !meant {
            return None;
        }
        self.seen += 1;
        let dice = (mix(seed, self.seen, 1000 + self.number) >> 11) as f64 / (1_u64 << 53) as f64;
        let meets = fault.nth.is_none_or(|nth| nth == self.seen)
            && fault.every.is_none_or(|every| self.seen.is_multiple_of(every))
            && fault.chance.is_none_or(|chance| dice < chance)
            && fault.count.is_none_or(|count| self.fired < count);
        if !meets {
            return None;
        }
        self.fired += 1;
        Some(fault.kind.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(spec: &str) -> Fault {
        spec.parse().unwrap()
    }

    /// Which of the first ten requests a fault meets.
    fn met(spec: &str) -> Vec<usize> {
        let mut faults = Faults::new(1, vec![fault(spec)]);
        (1..=10).filter(|_| !faults.draw(At::Api, "Get-Mailbox").is_empty()).collect()
    }

    #[test]
    fn a_fault_meets_the_requests_it_names() {
        assert_eq!(met("503"), (1..=10).collect::<Vec<_>>());
        assert_eq!(met("503:nth=3").len(), 1);
        assert_eq!(met("503:every=4").len(), 2);
        assert_eq!(met("503:count=2").len(), 2);
        assert_eq!(met("503:cmdlet=Set-Mailbox"), Vec::<usize>::new());
        assert_eq!(met("503:cmdlet=get-mailbox:count=1").len(), 1);
        assert_eq!(met("503:at=token"), Vec::<usize>::new());
    }

    #[test]
    fn chance_follows_the_seed() {
        let half = || {
            let mut faults = Faults::new(5, vec![fault("503:chance=0.5")]);
            (0..1000).map(|_| !faults.draw(At::Api, "").is_empty()).collect::<Vec<bool>>()
        };
        assert_eq!(half(), half());
        let share = half().iter().filter(|met| **met).count();
        assert!((400..600).contains(&share), "{share} of 1000");
    }

    #[test]
    fn a_batch_as_a_whole_is_met_by_its_name_only() {
        let mut faults = Faults::new(1, vec![fault("503"), fault("429:cmdlet=$batch")]);
        assert_eq!(faults.draw(At::Api, BATCH), [Kind::Status { status: 429, retry_after: None }]);
        assert_eq!(faults.draw(At::Api, "Get-Mailbox"), [Kind::Status { status: 503, retry_after: None }]);
    }
}
