//! Sign-ins that are under way on pages. Pure: `now` is an argument, in milliseconds since boot.

use std::collections::HashMap;

use uuid::Uuid;

/// Flows kept; the oldest go first.
const KEPT_MAX: usize = 1000;

/// How long a person may take between two pages.
const LIFE_MILLIS: u64 = 15 * 60 * 1000;

/// Wrong passwords and codes in one flow.
const TRIES_MAX: u32 = 10;

/// What a sign-in is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::emulator::entra) enum Purpose {
    /// The fields of the authorize request that is answered at its end.
    Authorize(Vec<(String, String)>),
    /// The device code that is confirmed at its end.
    Device {
        /// As the person typed it.
        user_code: String,
        /// The application that asked for it.
        client_id: String,
    },
}

/// The page a person is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::emulator::entra) enum Step {
    Name,
    Password {
        upn: String,
    },
    Code {
        upn: String,
    },
    /// Signed in: whether to stay so, or whether the device is theirs.
    Confirm {
        upn: String,
    },
}

/// One person's way through the pages.
#[derive(Clone, Debug)]
pub(in crate::emulator::entra) struct Flow {
    pub(super) purpose: Purpose,
    pub(super) step: Step,
    /// What the same browser has in its cookie; a form from elsewhere has not.
    browser: String,
    seen: u64,
    pub(super) tries: u32,
}

impl Flow {
    /// Counts a wrong answer; false when there were too many.
    pub(super) fn may_try_again(&mut self) -> bool {
        self.tries += 1;
        self.tries < TRIES_MAX
    }
}

/// The flows there are, by the token in their forms.
#[derive(Debug, Default)]
pub(in crate::emulator::entra) struct Flows(HashMap<String, Flow>);

impl Flows {
    /// Begins one; the token for its forms.
    pub(super) fn begin(&mut self, purpose: Purpose, step: Step, browser: &str, now: u64) -> String {
        if self.0.len() >= KEPT_MAX {
            let oldest = self.0.iter().min_by_key(|(_, flow)| flow.seen).map(|(token, _)| token.clone());
            oldest.and_then(|token| self.0.remove(&token));
        }
        let token = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let flow = Flow { purpose, step, browser: browser.to_owned(), seen: now, tries: 0 };
        self.0.insert(token.clone(), flow);
        token
    }

    /// The flow of a form that this browser was given, taken out; `None`: there is none (any more).
    pub(super) fn take(&mut self, token: &str, browser: &str, now: u64) -> Option<Flow> {
        let flow = self.0.get(token)?;
        if flow.browser != browser || now.saturating_sub(flow.seen) >= LIFE_MILLIS {
            return None;
        }
        self.0.remove(token)
    }

    /// Puts it back, on its next page.
    pub(super) fn put(&mut self, token: &str, flow: Flow, now: u64) {
        self.0.insert(token.to_owned(), Flow { seen: now, ..flow });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_belongs_to_one_browser_and_lives_a_while() {
        let mut flows = Flows::default();
        let begin = |flows: &mut Flows| flows.begin(Purpose::Authorize(Vec::new()), Step::Name, "own", 0);
        let token = begin(&mut flows);
        assert!(flows.take(&token, "other", 0).is_none());
        assert!(flows.take("made-up", "own", 0).is_none());
        let flow = flows.take(&token, "own", LIFE_MILLIS - 1).unwrap();
        assert!(flows.take(&token, "own", 0).is_none(), "a form is sent once");
        flows.put(&token, flow, LIFE_MILLIS - 1);
        assert!(flows.take(&token, "own", 2 * LIFE_MILLIS - 1).is_none());
    }

    #[test]
    fn tries_end() {
        let mut flows = Flows::default();
        let token = flows.begin(Purpose::Authorize(Vec::new()), Step::Name, "own", 0);
        let mut flow = flows.take(&token, "own", 0).unwrap();
        assert_eq!((0..20).take_while(|_| flow.may_try_again()).count(), 9);
    }
}
