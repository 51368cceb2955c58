//! Runs that wait for a slot, or do not.

use exorun::session::{Session, SessionError, SessionTimes, Wait};
use exorun::slots::{Busy, SlotError};

use super::support::{House, SHORT, StoreAct, run};
use super::{Failure, assert_settled, one_read, secs};

#[tokio::test(start_paused = true)]
async fn a_run_waits_for_its_first_session_and_not_for_further_ones() {
    let house = House::with(1, SHORT);
    let work = async |_: &mut Session| -> Result<(), Failure> {
        let further = one_read(&house).await.unwrap_err();
        assert!(matches!(further, Failure::Session(SessionError::NoneFree { held: 1, quarantined: 0 })));
        let begun = house.clocks.boot();
        let work = async |_: &mut Session| -> Result<(), Failure> { Ok(()) };
        let spent = house.sessions.with_session(&run("r2"), Wait::UpTo(secs(3)), work).await.unwrap_err();
        let Failure::Session(SessionError::NoSession { busy: Busy { held: 1, quarantined: 0, .. }, waited }) =
            spent
        else {
            panic!("{spent:?}")
        };
        assert!(waited >= secs(3) && waited < secs(4), "{waited:?}");
        // Leaving the line is one more operation of the store.
        assert_eq!(house.clocks.boot().since(begun), waited + std::time::Duration::from_millis(1));
        Ok(())
    };
    house.sessions.with_session(&run("r1"), Wait::UpTo(secs(1)), work).await.unwrap();
    let refusals: Vec<_> =
        house.watcher.seen().into_iter().filter(|text| text.starts_with("refused")).collect();
    assert_eq!(refusals, ["refused: none_free", "refused: no_session"]);
    assert_settled(&house).await;
}

#[tokio::test(start_paused = true)]
async fn the_budget_of_opens_makes_runs_wait_although_slots_are_free() {
    let house = House::with(5, SessionTimes { opens_per_minute: 2, ..SHORT });
    let begun = house.clocks.boot();
    one_read(&house).await.unwrap();
    one_read(&house).await.unwrap();
    assert!(matches!(one_read(&house).await, Err(Failure::Session(SessionError::NoneFree { .. }))));
    let work = async |_: &mut Session| -> Result<(), Failure> { Ok(()) };
    let spent = house.sessions.with_session(&run("r"), Wait::UpTo(secs(5)), work).await.unwrap_err();
    assert!(matches!(spent, Failure::Session(SessionError::NoSession { busy, .. }) if busy.opens_exhausted));
    house.sessions.with_session(&run("r"), Wait::UpTo(secs(90)), work).await.unwrap();
    let waited = house.clocks.boot().since(begun);
    assert!(waited >= secs(60) && waited < secs(61), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_of_the_same_process_is_woken_when_a_slot_comes_back() {
    let polling = exorun::rules::slots::Polling { min: secs(1000), max: secs(1000) };
    let house = House::with(1, SessionTimes { polling, ..SHORT });
    let begun = house.clocks.boot();
    let first = async |_: &mut Session| -> Result<(), Failure> {
        house.clocks.sleep(secs(3)).await;
        Ok(())
    };
    let second = async |_: &mut Session| -> Result<(), Failure> { Ok(()) };
    let (labels, wait) = ([run("r1"), run("r2")], Wait::UpTo(secs(5000)));
    let (first, second) = tokio::join!(
        house.sessions.with_session(&labels[0], wait, first),
        house.sessions.with_session(&labels[1], wait, second),
    );
    first.and(second).unwrap();
    assert!(house.clocks.boot().since(begun) < secs(4));
    assert_settled(&house).await;
}

#[tokio::test(start_paused = true)]
async fn who_came_first_gets_the_slot_first_and_who_gives_up_is_out_of_the_way() {
    let house = House::with(1, SHORT);
    let order = std::sync::Mutex::new(Vec::new());
    let hold = async |name: &'static str, waits: u64, holds: u64| {
        let work = async |_: &mut Session| -> Result<(), Failure> {
            order.lock().unwrap().push(name);
            house.clocks.sleep(secs(holds)).await;
            Ok(())
        };
        let label = run(name);
        house.sessions.with_session(&label, Wait::UpTo(secs(waits)), work).await.is_ok()
    };
    let after = async |millis: u64| house.clocks.sleep(std::time::Duration::from_millis(millis)).await;
    let passing = async {
        after(400).await;
        one_read(&house).await.is_ok()
    };
    let dropped = async {
        after(100).await;
        house.clocks.timeout(secs(3), hold("dropped", 100, 1)).await.is_ok()
    };
    let ended = tokio::join!(
        hold("first", 1, 10),
        dropped,
        async {
            after(200).await;
            hold("gives up", 4, 1).await
        },
        async {
            after(300).await;
            hold("second", 100, 2).await
        },
        async {
            after(500).await;
            hold("third", 100, 2).await
        },
        passing,
        async {
            after(9000).await;
            house.store.waiting()
        },
    );
    assert_eq!(ended, (true, false, false, true, true, false, 2));
    assert_eq!(*order.lock().unwrap(), ["first", "second", "third"]);
    assert_settled(&house).await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_for_a_while_is_waited_for() {
    let house = House::with(1, SHORT);
    let (begun, clocks) = (house.clocks.boot(), house.clocks.clone());
    house.store.script(move |_| match clocks.boot().since(begun) {
        away if away < secs(3) => StoreAct::Unavailable,
        away if away < secs(5) => StoreAct::Hang,
        _ => StoreAct::Take(std::time::Duration::from_millis(1)),
    });
    let work = async |_: &mut Session| -> Result<(), Failure> { Ok(()) };
    house.sessions.with_session(&run("r"), Wait::UpTo(secs(20)), work).await.unwrap();
    assert!(house.watcher.seen().contains(&"store failed".to_owned()));
    house.store.script(|_| StoreAct::Unavailable);
    let error = house.sessions.with_session(&run("r"), Wait::UpTo(secs(2)), work).await.unwrap_err();
    assert!(matches!(error, Failure::Session(SessionError::Slot(SlotError::Unavailable { .. }))));
    assert!(matches!(one_read(&house).await, Err(Failure::Session(SessionError::Slot(_)))));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_or_hangs_is_an_error_and_nothing_is_opened() {
    for act in [StoreAct::Fail, StoreAct::Hang] {
        let house = House::new();
        house.store.script(move |_| act);
        let error = one_read(&house).await.unwrap_err();
        assert!(matches!(error, Failure::Session(SessionError::Slot(_))), "{error:?}");
        assert_eq!(house.service.opened(), 0);
    }
}
