//! Answers that end half way, and lines that go dead, with and without HAProxy's part in TLS.

use std::time::{Duration, Instant};

use super::emulating::Emulating;
use super::haproxy::{Haproxy, Tls};
use super::toxic::{Harm, Toxic};
use super::{
    GIVES_UP_WITHIN, Running, all_closed, answered, emulator, hardening, has_haproxy, listing, run_through,
};

/// In the midst of the first answer: a handshake is shorter, a page of a thousand mailboxes longer.
const IN_THE_LISTING: usize = 6_000;
const MANY: &str = "6000";

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_cut_off_once_is_read_again_and_complete() {
    if !has_haproxy("a_listing_cut_off_once_is_read_again_and_complete") {
        return;
    }
    // Not a dead line behind HTTP/2: HAProxy puts the second try on the same one.
    for (tls, harm) in [
        (Tls::Through, Harm::CutAfter(IN_THE_LISTING)),
        (Tls::Through, Harm::StallAfter(IN_THE_LISTING)),
        (Tls::Ended, Harm::CutAfter(IN_THE_LISTING)),
        (Tls::EndedForHttp1, Harm::CutAfter(IN_THE_LISTING)),
        (Tls::EndedForHttp1, Harm::StallAfter(IN_THE_LISTING)),
    ] {
        let emulator = emulator(MANY).await;
        let line = Toxic::start(emulator.port("exchange_endpoint"), harm, 1).await;
        let proxy = Haproxy::start(tls, line.port, &emulator.out("ca.pem"), "");
        let run = run_through(&emulator, &proxy, &listing(&emulator), &[]).await;
        run.ended.assert_code(0);
        assert_eq!(line.met(), 1, "{tls:?} {harm:?}");
        assert_eq!(run.report["steps"][0]["items"], 6000, "{tls:?} {harm:?}: {}", run.report);
        assert!(run.sum("retries") >= 1, "{tls:?} {harm:?}: {}", run.report);
        all_closed(&emulator).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_is_always_cut_off_is_an_error_and_never_a_shorter_list() {
    if !has_haproxy("a_listing_that_is_always_cut_off_is_an_error_and_never_a_shorter_list") {
        return;
    }
    for tls in [Tls::Through, Tls::Ended, Tls::EndedForHttp1] {
        for harm in [Harm::CutAfter(IN_THE_LISTING), Harm::StallAfter(IN_THE_LISTING)] {
            let emulator = emulator(MANY).await;
            let line = Toxic::start(emulator.port("exchange_endpoint"), harm, usize::MAX).await;
            let proxy = Haproxy::start(tls, line.port, &emulator.out("ca.pem"), "");
            let run = run_through(&emulator, &proxy, &listing(&emulator), &[]).await;
            run.assert_failed(1, &["failed: all: ", "given up after 3 tries"]);
            assert_eq!(run.report["steps"][0]["items"], 0, "{tls:?} {harm:?}: {}", run.report);
            assert!(line.met() >= 1, "{tls:?} {harm:?}");
            all_closed(&emulator).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn transports_that_die_between_writes_cost_time_and_no_write_is_made_twice() {
    if !has_haproxy("transports_that_die_between_writes_cost_time_and_no_write_is_made_twice") {
        return;
    }
    // Room for a few answers, ten reads in one among them.
    for (tls, harm) in [
        (Tls::Through, Harm::CutAfter(24_000)),
        (Tls::Through, Harm::StallAfter(24_000)),
        (Tls::Ended, Harm::CutAfter(24_000)),
        (Tls::EndedForHttp1, Harm::CutAfter(24_000)),
    ] {
        let emulator = emulator("200").await;
        let line = Toxic::start(emulator.port("exchange_endpoint"), harm, usize::MAX).await;
        let proxy = Haproxy::start(tls, line.port, &emulator.out("ca.pem"), "");
        let run = run_through(&emulator, &proxy, &hardening(), &[]).await;
        run.ended.assert_code(0);
        assert!(line.met() >= 2, "{tls:?} {harm:?}: {}", line.met());
        assert!(run.took < Duration::from_secs(30), "{tls:?} {harm:?}: {:?}", run.took);
        let state = all_closed(&emulator).await;
        let changed = run.sum("changed");
        assert!(changed > 20, "{tls:?} {harm:?}: {}", run.report);
        let seen = (state["changed_objects"].as_u64().unwrap(), answered(&state, "Set-CASMailbox"));
        assert_eq!(seen, (changed, changed), "{tls:?} {harm:?}: {state}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_dies_in_the_midst_of_writes_ends_the_run_and_every_write_is_accounted_for() {
    if !has_haproxy(
        "a_service_that_dies_in_the_midst_of_writes_ends_the_run_and_every_write_is_accounted_for",
    ) {
        return;
    }
    for tls in [Tls::Through, Tls::Ended, Tls::EndedForHttp1] {
        let mut emulator = Emulating::start(&["--mailboxes", "300", "--latency", "20ms"]).await;
        let proxy = Haproxy::start(tls, emulator.port("exchange_endpoint"), &emulator.out("ca.pem"), "");
        let running = Running::start(&emulator, &proxy.endpoint(), &proxy.ca_file, &hardening(), &[]);
        let patience = Instant::now() + Duration::from_secs(30);
        let seen = loop {
            let seen = answered(&emulator.state().await, "Set-CASMailbox");
            if seen >= 5 || Instant::now() > patience {
                break seen;
            }
        };
        emulator.kill().await;
        let killed = Instant::now();
        let run = running.end().await;
        let took = killed.elapsed();
        run.ended.assert_code(1);
        assert!(took < GIVES_UP_WITHIN, "{tls:?}: {took:?}");
        let output = format!("{tls:?}\n{}\n{}", run.ended.stdout, run.ended.stderr);
        assert!(output.contains("given up after 3 tries"), "{output}");
        let of = |outcome: &str| run.ended.stderr.matches(&format!("outcome={outcome} ")).count() as u64;
        assert!(seen >= 5 && of("done") + of("unknown") >= seen, "{seen} were seen\n{output}");
        // Two sessions have two calls in hand at most; whoever reads the output is told of each.
        let doubts = run.ended.stdout.matches("in doubt whether it was done").count() as u64;
        assert!(of("unknown") <= 2 && doubts == of("unknown"), "{output}");
    }
}
