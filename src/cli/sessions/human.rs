//! The list for people.

use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};

use crate::observe::escape::one_line;
use crate::rules::duration::show_about;
use crate::slots::{ListedAccount, ListedSlot, ListedState};

const TEXT_CHARS_MAX: usize = 80;

pub(super) fn table(reach: &str, accounts: &[ListedAccount], now: Timestamp) -> String {
    if accounts.is_empty() {
        return format!("no account has had a session {reach}\n");
    }
    let mut out = String::new();
    for (index, listed) in accounts.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        account(&mut out, reach, listed, now);
    }
    out
}

fn account(out: &mut String, reach: &str, listed: &ListedAccount, now: Timestamp) {
    let account = &listed.account;
    let text = |text: &str| one_line(text, TEXT_CHARS_MAX);
    let (object, tenant, cloud) = (text(&account.object_id), text(&account.tenant_id), text(&account.cloud));
    let held = listed.slots.iter().filter(|slot| matches!(slot.state, ListedState::Held { .. })).count();
    let quarantined = listed.slots.len() - held;
    let digest = account.digest();
    let short = digest.get(..8).unwrap_or(&digest);
    let _ = writeln!(out, "account {short}: object {object} of tenant {tenant} at {cloud}, {reach}");
    let _ = write!(
        out,
        "  {held} of {} slots in use, {quarantined} in quarantine, {} waiting, {} opened in the last minute",
        listed.limit, listed.waiting, listed.opens
    );
    if let Some(left) = listed.lowered_to {
        let _ = write!(out, "; {left} for now, because the service has refused or throttled the account");
    }
    out.push('\n');
    for slot in &listed.slots {
        let _ = writeln!(out, "  slot {}  {}", slot.slot.0, state(slot, now));
    }
}

fn state(slot: &ListedSlot, now: Timestamp) -> String {
    let text = |text: &str| one_line(text, TEXT_CHARS_MAX);
    match &slot.state {
        ListedState::Held { holder, place, since, lease_ends, .. } => format!(
            "held         job {}, run {}, {}, since {}; lease {}",
            text(&holder.job),
            text(&holder.run_id),
            text(place),
            second(*since),
            ends(*lease_ends, now)
        ),
        ListedState::Quarantined { since, until } => format!(
            "quarantined  since {}; free at {} (in {})",
            second(*since),
            second(*until),
            show_about(std::time::Duration::try_from(until.duration_since(now)).unwrap_or_default())
        ),
    }
}

fn ends(at: Timestamp, now: Timestamp) -> String {
    let left = at.duration_since(now);
    match std::time::Duration::try_from(left) {
        Ok(left) => format!("ends at {} (in {})", second(at), show_about(left)),
        Err(_) => {
            let ago = std::time::Duration::try_from(SignedDuration::ZERO.saturating_sub(left));
            format!("ended at {} ({} ago)", second(at), show_about(ago.unwrap_or_default()))
        }
    }
}

/// To the second.
fn second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::app::listed;
    use crate::slots::{AccountKey, Holder, SlotId};

    fn accounts() -> Vec<ListedAccount> {
        let at = |text: &str| text.parse().unwrap();
        let holder = Holder {
            run_id: "run-1".to_owned(),
            job: "night\u{1b}[31mly".to_owned(),
            connection_id: "connection-1".to_owned(),
        };
        let held = |place: &str, lease_ends: &str| ListedState::Held {
            holder: holder.clone(),
            place: place.to_owned(),
            since: at("2026-03-02T09:00:00.25Z"),
            lease_ends: at(lease_ends),
            call_limit: Duration::from_secs(960),
        };
        let states = [
            held("process 7", "2026-03-02T09:01:30Z"),
            held("pod exorun-1", "2026-03-02T09:00:50Z"),
            ListedState::Quarantined { since: at("2026-03-02T09:00:00Z"), until: at("2026-03-02T09:16:00Z") },
        ];
        let slots = states.into_iter().zip(1..).map(|(state, slot)| ListedSlot { slot: SlotId(slot), state });
        vec![ListedAccount {
            account: AccountKey {
                cloud: "https://login.microsoftonline.com".to_owned(),
                tenant_id: "11111111-2222-3333-4444-555555555555".to_owned(),
                object_id: "66666666-7777-8888-9999-000000000000".to_owned(),
            },
            limit: 5,
            lowered_to: Some(4),
            opens: 2,
            waiting: 3,
            slots: slots.collect(),
        }]
    }

    #[test]
    fn each_slot_says_who_has_it_and_until_when() {
        let now = "2026-03-02T09:01:00Z".parse().unwrap();
        insta::assert_snapshot!(table("on this host", &accounts(), now));
        assert_eq!(table("on this host", &[], now), "no account has had a session on this host\n");
    }

    #[test]
    fn json_is_one_object_of_the_documented_shape() {
        let now = "2026-03-02T09:01:00Z".parse().unwrap();
        insta::assert_snapshot!(format!("{:#}\n", listed("in namespace jobs", &accounts(), now)));
    }
}
