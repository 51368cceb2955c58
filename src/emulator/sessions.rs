//! Sessions, counted by the emulator's own rule. Pure: `now` is an argument, in milliseconds since boot.
//!
//! The rule is ours, not the service's, which publishes no limit for REST. A session is a `connection-id`; a request
//! without one belongs to its transport. It is live from its first request until its last transport ended with
//! close_notify, or the emulator cut that transport, or nothing was heard of it for the idle time. A transport that
//! ended without close_notify is unclean: its session counts as live until the idle time is over.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::options::SessionsMode;

/// Who signed in: the token's `tid` and its `oid`.
pub(super) type Account = String;

/// What tells an account's sessions apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// The request's `connection-id`.
    ConnectionId(String),
    /// No such header: the transport itself.
    Transport(u64),
}

/// How a transport ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Clean,
    Unclean,
    Cut,
}

/// Sessions, counted since the start, by a rule of the emulator's own.
///
/// A session is a `connection-id` of one account (the token's `tid` and `oid`); a request without one belongs to its
/// TCP connection. It is live from its first request until its last transport ended with close_notify, or the
/// emulator cut that transport, or nothing was heard of it for [`Options::session_idle`](super::Options). A transport
/// that ended without close_notify is unclean: its session counts as live until the idle time is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SessionCounters {
    /// Sessions that began.
    pub opened: u64,
    /// Sessions that are over.
    pub closed: u64,
    /// Transports of sessions that the peer ended without close_notify.
    pub unclean: u64,
    /// Requests refused because their session would have been one too many.
    pub refused: u64,
    /// Sessions that count as live now, of all accounts.
    pub live: u64,
    /// The most that were live at a time, of all accounts.
    pub peak: u64,
    /// The most that were live at a time, of any one account.
    pub peak_of_one_account: u64,
    /// Transports of sessions that the emulator cut.
    pub cut: u64,
}

/// One session too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) limit: u32,
}

#[derive(Debug, Default)]
struct Session {
    transports: HashSet<u64>,
    /// A transport vanished; the session lasts until it is idle.
    left_unclean: bool,
    in_hand: u32,
    last_heard: u64,
}

#[derive(Debug)]
pub(super) struct Sessions {
    mode: SessionsMode,
    limit: u32,
    idle_millis: u64,
    live: HashMap<Account, HashMap<Key, Session>>,
    counters: SessionCounters,
}

impl Sessions {
    pub(super) fn new(mode: SessionsMode, limit: u32, idle_millis: u64) -> Sessions {
        Sessions { mode, limit, idle_millis, live: HashMap::new(), counters: SessionCounters::default() }
    }

    /// A request of `account` came by `transport`. Each `Ok` is followed by one [`Sessions::done`].
    pub(super) fn request(
        &mut self,
        account: &str,
        key: &Key,
        transport: u64,
        now: u64,
    ) -> Result<(), Refused> {
        if self.mode == SessionsMode::Off {
            return Ok(());
        }
        self.expire(now);
        let of_account = self.live.entry(account.to_owned()).or_default();
        if !of_account.contains_key(key) {
            if self.mode == SessionsMode::Strict && of_account.len() >= self.limit as usize {
                self.counters.refused += 1;
                return Err(Refused { limit: self.limit });
            }
            of_account.insert(key.clone(), Session::default());
            let of_account = of_account.len() as u64;
            let c = &mut self.counters;
            c.opened += 1;
            c.live += 1;
            c.peak = c.peak.max(c.live);
            c.peak_of_one_account = c.peak_of_one_account.max(of_account);
        }
        let session = self
            .live
            .get_mut(account)
            .and_then(|all| all.get_mut(key))
            .expect("it was there or just put there");
        session.transports.insert(transport);
        session.in_hand += 1;
        session.last_heard = now;
        Ok(())
    }

    /// The request was answered, or given up.
    pub(super) fn done(&mut self, account: &str, key: &Key, now: u64) {
        if let Some(session) = self.live.get_mut(account).and_then(|all| all.get_mut(key)) {
            session.in_hand = session.in_hand.saturating_sub(1);
            session.last_heard = now;
        }
    }

    /// A transport is over.
    pub(super) fn ended(&mut self, transport: u64, ending: Ending, now: u64) {
        self.expire(now);
        let mut carried = false;
        for sessions in self.live.values_mut() {
            sessions.retain(|_, session| {
                if !session.transports.remove(&transport) {
                    return true;
                }
                carried = true;
                session.left_unclean |= ending == Ending::Unclean;
                let over = session.transports.is_empty() && !session.left_unclean;
                if over {
                    self.counters.closed += 1;
                    self.counters.live -= 1;
                }
                !over
            });
        }
        self.live.retain(|_, sessions| !sessions.is_empty());
        match ending {
            Ending::Unclean if carried => self.counters.unclean += 1,
            Ending::Cut if carried => self.counters.cut += 1,
            _ => {}
        }
    }

    /// The counters, after closing what is idle.
    pub(super) fn counters(&mut self, now: u64) -> SessionCounters {
        self.expire(now);
        self.counters
    }

    /// Live sessions of each account.
    pub(super) fn by_account(&self) -> Vec<(Account, usize)> {
        self.live.iter().map(|(account, sessions)| (account.clone(), sessions.len())).collect()
    }

    fn expire(&mut self, now: u64) {
        for sessions in self.live.values_mut() {
            sessions.retain(|_, session| {
                let idle = session.in_hand == 0 && now.saturating_sub(session.last_heard) >= self.idle_millis;
                if idle {
                    self.counters.closed += 1;
                    self.counters.live -= 1;
                }
                !idle
            });
        }
        self.live.retain(|_, sessions| !sessions.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: u64 = 900_000;

    fn id(text: &str) -> Key {
        Key::ConnectionId(text.to_owned())
    }

    fn strict() -> Sessions {
        Sessions::new(SessionsMode::Strict, 5, IDLE)
    }

    #[test]
    fn the_sixth_of_an_account_is_refused_and_other_accounts_are_not() {
        let mut sessions = strict();
        for n in 0..5 {
            assert_eq!(sessions.request("a", &id(&n.to_string()), n, 0), Ok(()));
        }
        assert_eq!(sessions.request("a", &id("5"), 5, 0), Err(Refused { limit: 5 }));
        assert_eq!(sessions.request("b", &id("5"), 5, 0), Ok(()));
        let counters = sessions.counters(0);
        assert_eq!((counters.opened, counters.refused, counters.live), (6, 1, 6));
        assert_eq!((counters.peak, counters.peak_of_one_account), (6, 5));
        sessions.ended(0, Ending::Clean, 1);
        assert_eq!(sessions.request("a", &id("5"), 5, 1), Ok(()), "a closed one makes room");
    }

    #[test]
    fn a_session_ends_with_its_last_transport() {
        let mut sessions = strict();
        sessions.request("a", &id("x"), 1, 0).unwrap();
        sessions.request("a", &id("x"), 2, 0).unwrap();
        sessions.ended(1, Ending::Clean, 1);
        assert_eq!(sessions.counters(1).live, 1);
        sessions.ended(2, Ending::Clean, 1);
        let counters = sessions.counters(1);
        assert_eq!((counters.opened, counters.closed, counters.live, counters.unclean), (1, 1, 0, 0));
    }

    #[test]
    fn without_a_connection_id_each_transport_is_a_session() {
        let mut sessions = strict();
        for transport in 1..=2 {
            sessions.request("a", &Key::Transport(transport), transport, 0).unwrap();
            sessions.request("a", &Key::Transport(transport), transport, 0).unwrap();
        }
        assert_eq!(sessions.counters(0).opened, 2);
    }

    #[test]
    fn an_unclean_transport_counts_until_the_idle_time() {
        let mut sessions = strict();
        sessions.request("a", &id("x"), 1, 0).unwrap();
        sessions.request("a", &id("x"), 2, 0).unwrap();
        sessions.done("a", &id("x"), 10);
        sessions.done("a", &id("x"), 10);
        sessions.ended(1, Ending::Unclean, 20);
        sessions.ended(2, Ending::Clean, 30);
        assert_eq!(sessions.counters(IDLE + 9).live, 1);
        let counters = sessions.counters(IDLE + 10);
        assert_eq!((counters.live, counters.closed, counters.unclean), (0, 1, 1));
    }

    #[test]
    fn a_cut_transport_is_not_unclean_and_closes_its_session() {
        let mut sessions = strict();
        sessions.request("a", &id("x"), 1, 0).unwrap();
        sessions.ended(1, Ending::Cut, 1);
        let counters = sessions.counters(1);
        assert_eq!((counters.live, counters.closed, counters.unclean, counters.cut), (0, 1, 0, 1));
    }

    #[test]
    fn a_transport_without_a_session_counts_nowhere() {
        let mut sessions = strict();
        sessions.ended(7, Ending::Unclean, 1);
        assert_eq!(sessions.counters(1), SessionCounters::default());
    }

    #[test]
    fn an_idle_session_closes_but_not_while_a_request_is_in_hand() {
        let mut sessions = strict();
        sessions.request("a", &id("x"), 1, 0).unwrap();
        assert_eq!(sessions.counters(10 * IDLE).live, 1);
        sessions.done("a", &id("x"), 10 * IDLE);
        assert_eq!(sessions.counters(11 * IDLE).live, 0);
        sessions.request("a", &id("x"), 1, 11 * IDLE).unwrap();
        assert_eq!(sessions.counters(11 * IDLE).opened, 2, "the same id opens anew");
    }

    #[test]
    fn count_only_counts_and_off_does_not() {
        let mut count = Sessions::new(SessionsMode::Count, 1, IDLE);
        let mut off = Sessions::new(SessionsMode::Off, 1, IDLE);
        for n in 0..3 {
            count.request("a", &id(&n.to_string()), n, 0).unwrap();
            off.request("a", &id(&n.to_string()), n, 0).unwrap();
        }
        assert_eq!((count.counters(0).live, count.counters(0).refused), (3, 0));
        assert_eq!(off.counters(0), SessionCounters::default());
    }
}
