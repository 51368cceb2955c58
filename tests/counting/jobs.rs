//! Jobs of many kinds, and their schedules in a form that the oracle reads too.

use std::sync::Arc;
use std::time::Duration;

use exorun::rules::schedule::{Cron, Dst, Gap, Missed, Overlap, Overlapping, RunPolicy, Schedule};
use exorun::scheduler::Entry;
use jiff::tz::TimeZone;

use crate::chance::Chance;
use crate::work::NoWork;

/// When it is due, said without cron.
#[derive(Clone, Debug)]
pub(crate) enum When {
    /// At these minutes of these hours, on these days of the week (Monday is 1).
    At { minutes: Vec<u8>, hours: Vec<u8>, weekdays: Vec<u8>, gap_after: bool, both: bool },
    /// At this minute of every hour whose number `step` divides.
    Hourly { minute: u8, step: u8 },
    /// On this day of the month.
    Monthly { day: u8, hour: u8, gap_after: bool, both: bool },
    /// So many quarters of an hour apart.
    Every { quarters: u32 },
}

#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) when: When,
    pub(crate) zone: String,
    pub(crate) jitter: Duration,
}

#[derive(Clone)]
pub(crate) struct JobSpec {
    pub(crate) name: Arc<str>,
    pub(crate) specs: Vec<Spec>,
    pub(crate) policy: RunPolicy,
    pub(crate) account: Arc<str>,
}

impl Spec {
    pub(crate) fn schedule(&self) -> Schedule {
        let list = |numbers: &[u8]| numbers.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
        let dst = |gap_after: bool, both: bool| Dst {
            gap: if gap_after { Gap::After } else { Gap::Skip },
            overlap: if both { Overlap::Both } else { Overlap::First },
        };
        let zone = || TimeZone::get(&self.zone).unwrap();
        let cron = |text: String, dst: Dst| Schedule::cron(Cron::parse(&text).unwrap(), zone(), dst);
        let schedule = match &self.when {
            When::At { minutes, hours, weekdays, gap_after, both } => cron(
                format!("{} {} * * {}", list(minutes), list(hours), list(weekdays)),
                dst(*gap_after, *both),
            ),
            When::Hourly { minute, step } => cron(format!("{minute} */{step} * * *"), Dst::default()),
            When::Monthly { day, hour, gap_after, both } => {
                cron(format!("0 {hour} {day} * *"), dst(*gap_after, *both))
            }
            When::Every { quarters } => {
                Schedule::every(Duration::from_secs(u64::from(*quarters) * 900)).unwrap()
            }
        };
        schedule.with_jitter(self.jitter)
    }

    /// A schedule in `zone`, mostly where clocks are changed.
    pub(crate) fn by_chance(chance: &mut Chance, zone: &str) -> Spec {
        let (gap_after, both) = (chance.once_in(2), chance.once_in(2));
        let quarter = |chance: &mut Chance| *chance.of(&[0, 15, 30, 45]);
        let when = match chance.below(20) {
            0..=10 => When::At {
                minutes: if chance.once_in(4) { vec![0, 30] } else { vec![quarter(chance)] },
                hours: match chance.below(4) {
                    0 => vec![*chance.of(&[0, 1, 3, 4, 23])],
                    1 if chance.once_in(4) => vec![1, 2, 3],
                    _ => vec![2],
                },
                weekdays: if chance.once_in(6) { (1..=7).collect() } else { vec![6, 7] },
                gap_after,
                both,
            },
            11..=17 => When::Monthly {
                day: 1 + chance.below(31) as u8,
                hour: chance.below(4) as u8,
                gap_after,
                both,
            },
            18 if chance.once_in(3) => {
                When::Hourly { minute: quarter(chance), step: *chance.of(&[6, 8, 12]) }
            }
            _ => When::Every { quarters: *chance.of(&[77, 4 * 24 * 3, 4 * 24 * 7]) },
        };
        let jitter = if chance.once_in(4) { 1 + chance.below(3600) } else { 0 };
        Spec { when, zone: zone.to_owned(), jitter: Duration::from_secs(jitter) }
    }
}

impl JobSpec {
    pub(crate) fn entry(&self) -> Entry {
        Entry {
            name: Arc::clone(&self.name),
            schedules: self.specs.iter().map(Spec::schedule).collect(),
            policy: Arc::new(self.policy.clone()),
            account: Arc::clone(&self.account),
            work: Arc::new(NoWork),
        }
    }

    pub(crate) fn by_chance(chance: &mut Chance, number: usize, zones: &[String]) -> JobSpec {
        let mut specs: Vec<Spec> = zones.iter().map(|zone| Spec::by_chance(chance, zone)).collect();
        // `every` has no zone: two of a job may be the same.
        specs.sort_by_key(|spec| spec.schedule().canonical());
        specs.dedup_by_key(|spec| spec.schedule().canonical());
        JobSpec {
            name: format!("job-{number}").into(),
            specs,
            policy: policy(chance),
            account: format!("account-{}", number % 25).into(),
        }
    }
}

pub(crate) fn policy(chance: &mut Chance) -> RunPolicy {
    let overlap =
        *chance.of(&[Overlapping::Forbid, Overlapping::Queue, Overlapping::Replace, Overlapping::Allow]);
    let missed = match (chance.below(4), overlap) {
        (0, Overlapping::Queue | Overlapping::Allow) => Missed::All { max: 1 + chance.below(20) as u32 },
        (1, _) => Missed::Skip,
        _ => Missed::Latest,
    };
    let starting_deadline = chance.once_in(3).then(|| Duration::from_secs(60 + chance.below(7200)));
    RunPolicy { overlap, missed, starting_deadline, suspend: chance.once_in(20), ..RunPolicy::default() }
}
