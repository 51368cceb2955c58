//! The lease protocol over all interleavings of three runners and two slots.
//!
//! Ends with 0 if every property holds and the broken variant has the counterexample that it must have.

#![expect(clippy::disallowed_methods, reason = "it says how long a walk took")]

mod protocol;
mod rules;
mod state;

use std::process::ExitCode;
use std::time::Instant;

use protocol::{MOST, Protocol, Store};
use stateright::{Checker, Expectation, HasDiscoveries, Model};

fn main() -> ExitCode {
    let mut as_expected = true;
    for store in [Store::Local, Store::Leases] {
        as_expected &= holds(Protocol { store, without_quarantine: false });
    }
    as_expected &= breaks(Protocol { store: Store::Leases, without_quarantine: true });
    if as_expected { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Walks through all states of the protocol. Whether everything is as it should be.
fn holds(protocol: Protocol) -> bool {
    let checker = walk(protocol, HasDiscoveries::AnyFailures);
    let mut holds = true;
    for property in protocol.properties() {
        let found = checker.discovery(property.name);
        let (is_as_wanted, seen) = match (&property.expectation, &found) {
            (Expectation::Always | Expectation::Eventually, None) => (true, "holds in all states"),
            (Expectation::Always | Expectation::Eventually, Some(_)) => (false, "FAILS"),
            (Expectation::Sometimes, Some(_)) => (true, "was reached"),
            (Expectation::Sometimes, None) => (false, "WAS NEVER REACHED"),
        };
        println!("  {}: {seen}", property.name);
        if let (false, Some(path)) = (is_as_wanted, found) {
            println!("    {:?}", path.into_actions());
        }
        holds &= is_as_wanted;
    }
    holds
}

/// Walks until the promise is broken, which must happen: the checker would see it.
fn breaks(protocol: Protocol) -> bool {
    let checker = walk(protocol, HasDiscoveries::AnyFailures);
    match checker.discovery(MOST) {
        Some(path) => println!("  {MOST}: fails, as it must: {:?}", path.into_actions()),
        None => println!("  {MOST}: NO COUNTEREXAMPLE"),
    }
    checker.discovery(MOST).is_some()
}

fn walk(protocol: Protocol, until: HasDiscoveries) -> impl Checker<Protocol> {
    let began = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, Into::into);
    let checker = protocol.checker().threads(threads).finish_when(until).spawn_bfs().join();
    println!(
        "{:?}{}: {} states, {} unique, depth {}, {:.1} s",
        protocol.store,
        if protocol.without_quarantine { ", quarantine ignored" } else { "" },
        checker.state_count(),
        checker.unique_state_count(),
        checker.max_depth(),
        began.elapsed().as_secs_f64()
    );
    checker
}
