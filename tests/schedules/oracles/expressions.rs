//! Random questions from a seed: expressions, zones, and instants near changes of clocks.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

/// A small generator of its own: the same seed asks the same questions wherever it runs (Steele and others, "Fast
/// splittable pseudorandom number generators").
pub(super) struct Draws(pub(super) u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn within(&mut self, from: u64, to: u64) -> u64 {
        from + self.next() % (to - from + 1)
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.within(0, of.len() as u64 - 1) as usize]
    }

    /// Whether something of so many percent happens.
    fn happens(&mut self, percent: u64) -> bool {
        self.within(1, 100) <= percent
    }
}

const ZONES: [&str; 9] = [
    "UTC",
    "America/New_York",
    "Europe/London",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "America/Sao_Paulo",
    "Africa/Cairo",
    "Asia/Kolkata",
];
const MONTHS: [&str; 12] =
    ["JAN", "feb", "Mar", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "dec"];
const WEEKDAYS: [&str; 7] = ["SUN", "mon", "Tue", "WED", "THU", "FRI", "SAT"];

/// 1 January 2017 and 2030.
const YEARS: (u64, u64) = (1_483_228_800, 1_893_456_000);

/// One question: the same for everybody.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) fields: [String; 5],
    pub(super) zone: &'static str,
    pub(super) after: i64,
    pub(super) count: u32,
}

impl Question {
    pub(super) fn cron(&self) -> String {
        self.fields.join(" ")
    }

    /// As the oracles are asked.
    pub(super) fn plain(&self) -> Value {
        json!({"cron": self.cron(), "time_zone": self.zone, "after": self.after, "count": self.count})
    }
}

/// The changes of the zones' clocks in those years.
pub(super) fn changes() -> Vec<(&'static str, i64)> {
    let (from, until) = YEARS;
    let of_zone = |name: &'static str| {
        let zone = TimeZone::get(name).unwrap();
        let start = Timestamp::from_second(from as i64).unwrap();
        let changes: Vec<i64> = zone
            .following(start)
            .map(|change| change.timestamp().as_second())
            .take_while(|at| *at < until as i64)
            .collect();
        changes.into_iter().map(move |at| (name, at))
    };
    ZONES.into_iter().flat_map(of_zone).collect()
}

pub(super) fn question(draws: &mut Draws, changes: &[(&'static str, i64)]) -> Question {
    let fields = [plain(draws, 0, 59, 15), plain(draws, 0, 23, 30), day(draws), month(draws), weekday(draws)];
    let (zone, after) = if draws.happens(40) {
        let (zone, change) = changes[draws.within(0, changes.len() as u64 - 1) as usize];
        (zone, change - draws.within(0, 30 * 3600) as i64)
    } else {
        (draws.one(&ZONES), draws.within(YEARS.0, YEARS.1) as i64)
    };
    Question { fields, zone, after, count: 3 }
}

/// Values, ranges and steps, or in so many percent everything.
fn plain(draws: &mut Draws, least: u64, most: u64, star: u64) -> String {
    if draws.happens(star) {
        return "*".to_owned();
    }
    let entries = if draws.happens(70) { 1 } else { draws.within(2, 3) };
    let entry = |draws: &mut Draws| {
        // A range of one value is a slip that everybody reads in a way of his own.
        let a = draws.within(least, most - 1);
        let b = draws.within(a + 1, most);
        // A step of everything would be one value; what reaches past the range is another question.
        let step = draws.within(2, (most - least) / 2);
        match draws.within(1, 10) {
            1..=6 => draws.within(least, most).to_string(),
            7 => format!("{a}-{b}"),
            8 => format!("{a}-{b}/{step}"),
            _ => format!("*/{step}"),
        }
    };
    (0..entries).map(|_| entry(draws)).collect::<Vec<_>>().join(",")
}

fn day(draws: &mut Draws) -> String {
    match draws.within(1, 100) {
        1..=55 => "*".to_owned(),
        56..=88 => plain(draws, 1, 31, 0),
        89..=92 => "L".to_owned(),
        // What a shorter month makes of `31W` is for the tests of the rule.
        93..=96 => format!("{}W", draws.within(1, 28)),
        97..=98 => "LW".to_owned(),
        _ => format!("L-{}", draws.within(1, 5)),
    }
}

fn month(draws: &mut Draws) -> String {
    match draws.within(1, 100) {
        1..=65 => "*".to_owned(),
        66..=85 => plain(draws, 1, 12, 0),
        86..=92 => draws.one(&MONTHS).to_owned(),
        _ => {
            let a = draws.within(0, 10);
            format!("{}-{}", MONTHS[a as usize], MONTHS[draws.within(a + 1, 11) as usize])
        }
    }
}

fn weekday(draws: &mut Draws) -> String {
    let name = |draws: &mut Draws| draws.one(&WEEKDAYS).to_owned();
    match draws.within(1, 100) {
        1..=55 => "*".to_owned(),
        56..=72 => plain(draws, 0, 6, 0),
        73..=79 => name(draws),
        80..=83 => format!("{},{}", name(draws), name(draws)),
        84..=88 => {
            let a = draws.within(1, 5);
            format!("{}-{}", WEEKDAYS[a as usize], WEEKDAYS[draws.within(a + 1, 6) as usize])
        }
        89..=90 => "7".to_owned(),
        91..=92 => format!("{}-SUN", WEEKDAYS[draws.within(1, 6) as usize]),
        93..=96 => format!("{}#{}", name(draws), draws.within(1, 5)),
        _ => format!("{}L", draws.within(0, 6)),
    }
}
