//! Who may start: a total limit, a limit for those who share an account, and the order in which the others wait.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::held::JobKey;

/// How many runs at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of all jobs together.
    pub runs_max: u32,
    /// Of the jobs that sign in alike: each needs at least one of the account's sessions.
    pub runs_of_account_max: u32,
    /// Occurrences of one job that may wait; further ones are skipped.
    pub waiting_of_job_max: u32,
}

/// Jobs that sign in alike, in the order in which they were met.
pub(super) type AccountKey = u32;

/// The places for runs, and the jobs whose next waiting occurrence may take one.
pub(super) struct Places {
    limits: Limits,
    running: u32,
    names: HashMap<Arc<str>, AccountKey>,
    accounts: BTreeMap<AccountKey, Account>,
    /// The accounts that have a place and a job that waits for one, by how long that has waited.
    open: BTreeSet<(Timestamp, AccountKey)>,
}

#[derive(Default)]
struct Account {
    running: u32,
    ready: BTreeSet<(Timestamp, JobKey)>,
    /// Under which time it stands among the open ones.
    open_at: Option<Timestamp>,
}

impl Places {
    pub(super) fn new(limits: Limits) -> Places {
        Places { limits, running: 0, names: HashMap::new(), accounts: BTreeMap::new(), open: BTreeSet::new() }
    }

    pub(super) fn account(&mut self, name: &Arc<str>) -> AccountKey {
        if let Some(key) = self.names.get(name) {
            return *key;
        }
        let key = AccountKey::try_from(self.names.len()).expect("fewer accounts than jobs");
        self.names.insert(Arc::clone(name), key);
        key
    }

    pub(super) fn running(&self) -> u32 {
        self.running
    }

    /// A run begins.
    pub(super) fn take(&mut self, account: AccountKey) {
        self.running += 1;
        self.change(account, |account| account.running += 1);
    }

    /// A run is over.
    pub(super) fn give_back(&mut self, account: AccountKey) {
        self.running = self.running.checked_sub(1).expect("a place is given back once");
        self.change(account, |account| account.running -= 1);
    }

    /// The job's next occurrence, of this time, may start as soon as there is a place.
    pub(super) fn ready(&mut self, account: AccountKey, at: Timestamp, job: JobKey) {
        self.change(account, |account| {
            account.ready.insert((at, job));
        });
    }

    /// It may not, or has started.
    pub(super) fn not_ready(&mut self, account: AccountKey, at: Timestamp, job: JobKey) {
        self.change(account, |account| {
            account.ready.remove(&(at, job));
        });
    }

    /// The job that has waited longest of those for which there is a place.
    pub(super) fn next(&self) -> Option<JobKey> {
        if self.running >= self.limits.runs_max {
            return None;
        }
        let (_, account) = self.open.first()?;
        self.accounts.get(account)?.ready.first().map(|(_, job)| *job)
    }

    fn change(&mut self, key: AccountKey, what: impl FnOnce(&mut Account)) {
        let account = self.accounts.entry(key).or_default();
        what(account);
        let has_place = account.running < self.limits.runs_of_account_max;
        let open_at = account.ready.first().filter(|_| has_place).map(|(at, _)| *at);
        if open_at != account.open_at {
            account.open_at.map(|at| self.open.remove(&(at, key)));
            open_at.map(|at| self.open.insert((at, key)));
            account.open_at = open_at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    #[test]
    fn who_waited_longest_is_next_among_those_who_have_a_place() {
        let mut places = Places::new(Limits { runs_max: 3, runs_of_account_max: 2, waiting_of_job_max: 10 });
        let (one, other) = (places.account(&"one".into()), places.account(&"other".into()));
        assert_eq!((one, other, places.account(&"one".into())), (0, 1, 0));
        for (second, job) in [(1, 11), (2, 12), (3, 13)] {
            places.ready(one, at(second), job);
        }
        places.ready(other, at(4), 21);
        let mut started = Vec::new();
        while let Some(job) = places.next() {
            let account = if job < 20 { one } else { other };
            places.not_ready(account, at(i64::from(job % 10)), job);
            if job == 21 {
                places.not_ready(other, at(4), 21);
            }
            places.take(account);
            started.push(job);
        }
        // The account's two places, then the other account's job, then the total is reached.
        assert_eq!(started, [11, 12, 21]);
        places.give_back(other);
        assert_eq!(places.next(), None, "the third job has no place of its account");
        places.give_back(one);
        assert_eq!(places.next(), Some(13));
    }
}
