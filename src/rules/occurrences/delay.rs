//! How long after its due times a schedule starts, so that not everything starts at once.

use std::time::Duration;

/// A part of `jitter` that is the same for ever for this job and schedule: their occurrences keep their order, and a restart
/// changes nothing.
pub fn delay(job: &str, schedule: &str, jitter: Duration) -> Duration {
    let millis = u64::try_from(jitter.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 {
        return Duration::ZERO;
    }
    Duration::from_millis(hash(job.bytes().chain([0]).chain(schedule.bytes())) % millis)
}

/// FNV-1a, finished so that its low digits are as good as its high ones. Written out because the standard library's hash may
/// change between versions.
fn hash(bytes: impl Iterator<Item = u8>) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in bytes {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_spread_over_the_jitter_and_stay_where_they_are() {
        let jitter = Duration::from_secs(600);
        let delays: Vec<Duration> =
            (0..1000).map(|job| delay(&format!("job-{job}"), "cron 0 2 * * * UTC", jitter)).collect();
        for minute in 0..10 {
            let from = Duration::from_secs(minute * 60);
            let within =
                delays.iter().filter(|delay| **delay >= from && **delay < from + Duration::from_secs(60));
            assert!((60..140).contains(&within.count()), "minute {minute}: {delays:?}");
        }
        assert_eq!(delay("a", "b", jitter), delay("a", "b", jitter));
        assert_ne!(delay("a", "bc", jitter), delay("ab", "c", jitter));
        assert_eq!(delay("a", "b", Duration::ZERO), Duration::ZERO);
        // A value that must stay: a new version of the program must not move every job.
        assert_eq!(
            delay("nightly", "cron 0 2 * * * Europe/Berlin", Duration::from_secs(3600)).as_millis(),
            3_206_439
        );
    }
}
