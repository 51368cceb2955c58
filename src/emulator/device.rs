//! Device codes. Pure: `now` is an argument, in milliseconds since boot.

use std::collections::HashMap;
use std::time::Duration;

use uuid::Uuid;

use super::entra::Wish;
use super::options::DeviceApproval;
use super::random::mix;

/// Codes kept; the oldest go first.
const KEPT_MAX: usize = 10_000;

/// What the user said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Pending,
    /// By the person of this user principal name; `None`: by the administrator.
    Approved(Option<String>),
    Declined,
}

/// What a poll finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Polled {
    Pending,
    SlowDown,
    /// With what was asked for, and who approved.
    Approved(Wish, Option<String>),
    Declined,
    Expired,
    /// Never issued, issued to another application, or used already.
    Unknown,
}

#[derive(Debug)]
struct Code {
    user_code: String,
    client_id: String,
    wish: Wish,
    issued: u64,
    expires: u64,
    polled: Option<u64>,
    polls: u32,
    answer: Answer,
}

#[derive(Debug)]
pub(super) struct Devices {
    codes: HashMap<String, Code>,
}

/// A fresh device code and what the user types.
pub(super) struct Issued {
    pub(super) device_code: String,
    pub(super) user_code: String,
}

impl Devices {
    pub(super) fn new() -> Devices {
        Devices { codes: HashMap::new() }
    }

    pub(super) fn issue(&mut self, client_id: &str, wish: Wish, now: u64, life: Duration) -> Issued {
        if self.codes.len() >= KEPT_MAX {
            let oldest = self.codes.iter().min_by_key(|(_, code)| code.issued).map(|(code, _)| code.clone());
            oldest.and_then(|code| self.codes.remove(&code));
        }
        let device_code = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let user_code = user_code(Uuid::new_v4().as_u128() as u64);
        let expires = now.saturating_add(u64::try_from(life.as_millis()).unwrap_or(u64::MAX));
        self.codes.insert(
            device_code.clone(),
            Code {
                user_code: user_code.clone(),
                client_id: client_id.to_owned(),
                wish,
                issued: now,
                expires,
                polled: None,
                polls: 0,
                answer: Answer::Pending,
            },
        );
        Issued { device_code, user_code }
    }

    pub(super) fn poll(
        &mut self,
        device_code: &str,
        client_id: &str,
        now: u64,
        interval: Duration,
        approval: DeviceApproval,
    ) -> Polled {
        let Some(code) = self.codes.get_mut(device_code).filter(|code| code.client_id == client_id) else {
            return Polled::Unknown;
        };
        if now >= code.expires {
            return Polled::Expired;
        }
        let interval = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX);
        let too_fast = code.polled.is_some_and(|polled| now.saturating_sub(polled) < interval);
        code.polled = Some(now);
        if too_fast {
            return Polled::SlowDown;
        }
        code.polls += 1;
        match approval {
            DeviceApproval::AfterPolls(pending) if code.polls > pending => {
                code.answer = Answer::Approved(None)
            }
            DeviceApproval::Declined => code.answer = Answer::Declined,
            _ => {}
        }
        match &code.answer {
            Answer::Pending => Polled::Pending,
            Answer::Declined => Polled::Declined,
            Answer::Approved(upn) => {
                let approved = Polled::Approved(code.wish.clone(), upn.clone());
                self.codes.remove(device_code);
                approved
            }
        }
    }

    /// The user's answer; false if nobody was given that code.
    pub(super) fn answer(&mut self, user_code: &str, answer: Answer) -> bool {
        let found = self.codes.values_mut().find(|code| code.user_code.eq_ignore_ascii_case(user_code));
        found.map(|code| code.answer = answer).is_some()
    }

    /// Which application was given a user code that still waits for its answer.
    pub(super) fn asked_by(&self, user_code: &str, now: u64) -> Option<String> {
        self.codes
            .values()
            .find(|code| {
                code.user_code.eq_ignore_ascii_case(user_code)
                    && code.answer == Answer::Pending
                    && now < code.expires
            })
            .map(|code| code.client_id.clone())
    }

    /// User codes that wait for an answer.
    pub(super) fn waiting(&self) -> Vec<String> {
        self.codes
            .values()
            .filter(|code| code.answer == Answer::Pending)
            .map(|code| code.user_code.clone())
            .collect()
    }
}

/// Nine letters without look-alikes.
fn user_code(random: u64) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    (0..9).map(|n| char::from(LETTERS[usize::try_from(mix(random, n, 0) % 32).expect("below 32")])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(5);
    const LIFE: Duration = Duration::from_secs(900);

    fn wish() -> Wish {
        Wish::bare("https://outlook.office365.com")
    }

    #[test]
    fn a_code_is_pending_then_approved_then_used_up() {
        let mut devices = Devices::new();
        let issued = devices.issue("app", wish(), 0, LIFE);
        let poll = |devices: &mut Devices, client: &str, now| {
            devices.poll(&issued.device_code, client, now, INTERVAL, DeviceApproval::Manual)
        };
        assert_eq!(poll(&mut devices, "app", 0), Polled::Pending);
        assert_eq!(poll(&mut devices, "app", 4999), Polled::SlowDown);
        assert_eq!(poll(&mut devices, "other", 10_000), Polled::Unknown);
        assert_eq!(poll(&mut devices, "app", 10_000), Polled::Pending);
        assert!(devices.answer(&issued.user_code.to_lowercase(), Answer::Approved(Some("a@b".into()))));
        assert_eq!(poll(&mut devices, "app", 15_000), Polled::Approved(wish(), Some("a@b".into())));
        assert_eq!(poll(&mut devices, "app", 20_000), Polled::Unknown);
    }

    #[test]
    fn a_code_declines_expires_and_approves_itself() {
        let mut devices = Devices::new();
        let code = |devices: &mut Devices| devices.issue("app", wish(), 0, LIFE).device_code;
        let declined = code(&mut devices);
        assert_eq!(devices.poll(&declined, "app", 1, INTERVAL, DeviceApproval::Declined), Polled::Declined);
        let late = code(&mut devices);
        assert_eq!(devices.poll(&late, "app", 900_000, INTERVAL, DeviceApproval::Manual), Polled::Expired);
        let own = code(&mut devices);
        let approval = DeviceApproval::AfterPolls(1);
        assert_eq!(devices.poll(&own, "app", 0, INTERVAL, approval), Polled::Pending);
        assert_eq!(devices.poll(&own, "app", 5000, INTERVAL, approval), Polled::Approved(wish(), None));
        assert!(!devices.answer("NOSUCH", Answer::Approved(None)));
    }
}
