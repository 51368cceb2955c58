//! Every session is closed, on every path.

use std::sync::Arc;
use std::time::Duration;

use exorun::exchange::errors::{ErrorKind, Happened};
use exorun::session::{CallError, Finished, Session, SessionError, Wait};
use tokio_util::task::TaskTracker;

use super::support::{self, Act, House, Items, Op, SHORT, StoreAct, StoreOp, read, run};
use super::{Failure, SOON, assert_settled, one_read, secs, slow_call};

#[tokio::test(start_paused = true)]
async fn a_session_is_closed_when_the_work_returns() {
    let house = House::new();
    assert_eq!(one_read(&house).await.unwrap(), 1);
    assert_eq!(house.watcher.seen(), ["opened 1", "closed 1 by Return: Cleanly, Free"]);
    assert_settled(&house).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_can_be_spawned() {
    let house = Arc::new(House::new());
    let (tracker, spawned) = (TaskTracker::new(), house.clone());
    let done = tracker.spawn(async move {
        let label = run("r1");
        let mut items = Items::default();
        let items = &mut items;
        spawned
            .sessions
            .with_session(
                &label,
                Wait::UpTo(secs(1)),
                async |session: &mut Session| -> Result<u64, Failure> {
                    let first = session.call(&read(), &mut *items).await?.items;
                    Ok(first + session.call(&read(), &mut *items).await?.items)
                },
            )
            .await
    });
    assert_eq!(done.await.unwrap().unwrap(), 2);
    assert_settled(&house).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_cut_short_in_a_call_still_disconnects() {
    let house = House::new();
    house.service.script(|op| if op == Op::Close { Act::Take(SOON) } else { slow_call(op, Act::Hang) });
    assert!(house.clocks.timeout(secs(1), one_read(&house)).await.is_err());
    assert_eq!(house.service.live(), 1);
    assert_settled(&house).await;
    assert_eq!(house.watcher.last(), "closed 1 by Drop: Cleanly, Free");
}

#[tokio::test(start_paused = true)]
async fn a_run_cut_short_while_it_closes_still_disconnects() {
    let house = House::new();
    house.service.script(|op| Act::Take(Duration::from_millis(if op == Op::Close { 400 } else { 10 })));
    assert!(house.clocks.timeout(Duration::from_millis(200), one_read(&house)).await.is_err());
    assert_eq!(house.service.live(), 1);
    assert_settled(&house).await;
    assert_eq!(house.watcher.last(), "closed 1 by Return: Cleanly, Free");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_panics_still_disconnects() {
    for in_call in [true, false] {
        let house = Arc::new(House::new());
        house.service.script(move |op| slow_call(op, if in_call { Act::Panic } else { Act::Take(SOON) }));
        let (tracker, spawned) = (TaskTracker::new(), house.clone());
        let run = tracker.spawn(async move {
            let label = run("r1");
            let work = async |session: &mut Session| -> Result<(), Failure> {
                session.call(&read(), &mut Items::default()).await?;
                support::quiet_panic()
            };
            spawned.sessions.with_session(&label, Wait::OnlyIfFreeNow, work).await
        });
        assert!(run.await.unwrap_err().is_panic());
        assert_settled(&house).await;
        assert_eq!(house.watcher.last(), "closed 1 by Drop: Cleanly, Free");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_cut_short_while_it_opens_is_opened_and_closed_by_the_reaper() {
    let house = House::new();
    house.service.script(|op| Act::Take(Duration::from_millis(if op == Op::Open { 300 } else { 10 })));
    assert!(house.clocks.timeout(Duration::from_millis(100), one_read(&house)).await.is_err());
    assert_settled(&house).await;
    assert_eq!((house.service.opened(), house.service.calls()), (1, 0));
    assert_eq!(house.watcher.last(), "closed 1 by Drop: Cleanly, Free");
}

#[tokio::test(start_paused = true)]
async fn an_open_that_never_ends_is_quarantined() {
    let house = House::new();
    house.service.script(|_| Act::Hang);
    assert!(house.clocks.timeout(Duration::from_millis(100), one_read(&house)).await.is_err());
    assert_eq!(house.reaper.finish(secs(10)).await, Finished::Clean);
    assert_eq!(house.store.in_use(), (0, 1));
    assert_eq!(house.watcher.last(), "closed 1 by Drop: Unconfirmed, Quarantine");

    // Nobody cuts this one short but the end of its lease.
    let error = one_read(&house).await.unwrap_err();
    assert!(
        matches!(error, Failure::Session(SessionError::Open(error)) if error.happened == Happened::Unknown)
    );
    assert_eq!(house.store.in_use(), (0, 2));
    house.clocks.sleep(SHORT.quarantine + secs(1)).await;
    assert_settled(&house).await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_open_frees_the_slot_only_if_nothing_was_opened() {
    for (happened, in_use) in [(Happened::No, (0, 0)), (Happened::Unknown, (0, 1))] {
        let house = House::new();
        house.service.script(move |_| Act::Fail(SOON, ErrorKind::Network, happened));
        let error = one_read(&house).await.unwrap_err();
        assert!(matches!(error, Failure::Session(SessionError::Open(_))), "{error:?}");
        assert_eq!(house.store.in_use(), in_use);
    }
}

#[tokio::test(start_paused = true)]
async fn a_close_that_fails_hangs_or_panics_quarantines_the_slot() {
    for act in [Act::Fail(SOON, ErrorKind::Network, Happened::Unknown), Act::Hang, Act::Panic] {
        let house = House::new();
        house.service.script(move |op| if op == Op::Close { act.clone() } else { Act::Take(SOON) });
        assert_eq!(one_read(&house).await.unwrap(), 1);
        assert_eq!(house.reaper.finish(secs(10)).await, Finished::Clean);
        assert_eq!((house.service.live(), house.store.in_use()), (1, (0, 1)));
        assert_eq!(house.watcher.last(), "closed 1 by Return: Unconfirmed, Quarantine");
        house.clocks.sleep(SHORT.lease + read().timeout + SHORT.quarantine).await;
        assert_settled(&house).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_return_that_fails_or_hangs_ends_in_quarantine() {
    for act in [StoreAct::Fail, StoreAct::Hang] {
        let house = House::new();
        house.store.script(move |op| if op == StoreOp::GiveBack { act } else { StoreAct::Take(SOON) });
        assert_eq!(one_read(&house).await.unwrap(), 1);
        assert_eq!((house.service.live(), house.store.in_use()), (0, (0, 1)));
        assert_eq!(house.reaper.finish(secs(10)).await, Finished::Clean);
    }
}

#[tokio::test(start_paused = true)]
async fn the_reaper_says_what_is_left() {
    let house = House::new();
    let work = async |_: &mut Session| -> Result<(), Failure> {
        assert_eq!(house.reaper.finish(secs(1)).await, Finished::CutShort { left: 1 });
        Ok(())
    };
    house.sessions.with_session(&run("r1"), Wait::OnlyIfFreeNow, work).await.unwrap();
    assert_settled(&house).await;
}

#[tokio::test(start_paused = true)]
async fn the_works_own_error_is_the_result() {
    let house = House::new();
    house.service.script(|op| if op == Op::Close { Act::Hang } else { Act::Take(SOON) });
    let work = async |_: &mut Session| -> Result<(), Failure> { Err(Failure::Call(CallError::Gone)) };
    let error = house.sessions.with_session(&run("r1"), Wait::OnlyIfFreeNow, work).await.unwrap_err();
    assert!(matches!(error, Failure::Call(CallError::Gone)));
}
