//! Calls: the token and the lease.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use exorun::exchange::errors::{ErrorKind, Happened};
use exorun::exchange::{CmdletRequest, Member};
use exorun::session::{CallError, Session, Wait};
use tokio_util::task::TaskTracker;

use super::support::{Act, House, Items, Op, SHORT, StoreAct, StoreOp, read, run, write};
use super::{Failure, SOON, assert_settled, one_read, secs, slow_call};

#[tokio::test(start_paused = true)]
async fn a_401_is_answered_with_one_new_token_and_one_repeat() {
    let unauthorized = || Act::Fail(SOON, ErrorKind::Unauthorized, Happened::No);
    let house = House::new();
    house.service.script(move |op| match op {
        Op::Call { token, .. } if token == "token-0" => unauthorized(),
        _ => Act::Take(SOON),
    });
    assert_eq!(one_read(&house).await.unwrap(), 1);
    assert_eq!((house.tokens.renewals.load(Ordering::SeqCst), house.service.calls()), (1, 2));
    assert_eq!(house.tokens.refused_again.load(Ordering::SeqCst), 0);

    let house = House::new();
    house.service.script(move |op| slow_call(op, unauthorized()));
    let error = one_read(&house).await.unwrap_err();
    assert!(
        matches!(error, Failure::Call(CallError::Remote(error)) if error.kind == ErrorKind::Unauthorized)
    );
    assert_eq!((house.tokens.renewals.load(Ordering::SeqCst), house.service.calls()), (1, 2));
    assert_eq!(
        house.tokens.refused_again.load(Ordering::SeqCst),
        1,
        "its source is told that it was in vain"
    );
    assert_settled(&house).await;
}

#[tokio::test(start_paused = true)]
async fn where_no_other_token_would_help_the_401_is_given_back() {
    let house = House::new();
    house.service.script(|op| slow_call(op, Act::Fail(SOON, ErrorKind::Unauthorized, Happened::No)));
    house.tokens.spent.store(true, Ordering::SeqCst);
    let work = async |session: &mut Session| -> Result<(), Failure> {
        let refused = session.call(&read(), &mut Items::default()).await;
        assert!(matches!(refused, Err(CallError::Remote(error)) if error.kind == ErrorKind::Unauthorized));
        let (request, mut first, mut second) = (read(), Items::default(), Items::default());
        let mut members = [&mut first, &mut second].map(|sink| Member { request: &request, sink });
        let refused = session.batch(&mut members).await?;
        assert!(refused.iter().all(|member| member.is_err()), "{refused:?}");
        let refused = session.exported(&request, &[]).await;
        assert!(matches!(refused, Err(CallError::Remote(error)) if error.kind == ErrorKind::Unauthorized));
        Ok(())
    };
    house.sessions.with_session(&run("r1"), Wait::OnlyIfFreeNow, work).await.unwrap();
    assert_eq!((house.tokens.renewals.load(Ordering::SeqCst), house.service.calls()), (0, 4));
    assert_settled(&house).await;
}

#[tokio::test(start_paused = true)]
async fn what_the_caller_may_run_is_asked_with_a_new_token_after_a_401() {
    let house = House::new();
    house.service.script(|op| match op {
        Op::Call { token, .. } if token == "token-0" => {
            Act::Fail(SOON, ErrorKind::Unauthorized, Happened::No)
        }
        _ => Act::Take(SOON),
    });
    let work = async |session: &mut Session| -> Result<(), Failure> {
        let name = read().cmdlet;
        assert_eq!(session.exported(&read(), std::slice::from_ref(&name)).await?, [name.as_str()]);
        Ok(())
    };
    house.sessions.with_session(&run("r1"), Wait::OnlyIfFreeNow, work).await.unwrap();
    assert_eq!((house.tokens.renewals.load(Ordering::SeqCst), house.service.calls()), (1, 2));
    assert_settled(&house).await;
}

#[tokio::test(start_paused = true)]
async fn a_repeated_listing_starts_again_and_a_write_of_unknown_outcome_is_not_repeated() {
    let house = House::new();
    house.service.script(move |op| match op {
        Op::Call { token, .. } if token == "token-0" => {
            Act::Fail(SOON, ErrorKind::Unauthorized, Happened::Unknown)
        }
        _ => Act::Take(SOON),
    });
    let work = async |session: &mut Session| -> Result<(), Failure> {
        let mut items = Items::default();
        assert!(matches!(session.call(&write(), &mut items).await, Err(CallError::Remote(_))));
        assert_eq!((items.restarts, items.items.len(), house.service.calls()), (0, 0, 1));
        session.call(&read(), &mut items).await?;
        assert_eq!((items.restarts, items.items.len(), house.service.calls()), (1, 1, 3));
        Ok(())
    };
    house.sessions.with_session(&run("r1"), Wait::OnlyIfFreeNow, work).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_run_that_lost_its_lease_makes_no_further_call() {
    let house = House::new();
    let work = async |session: &mut Session| -> Result<(), Failure> {
        session.call(&read(), &mut Items::default()).await?;
        house.store.lose(1);
        house.clocks.sleep(secs(4)).await;
        for _ in 0..2 {
            let error = session.call(&read(), &mut Items::default()).await.unwrap_err();
            assert!(matches!(error, CallError::LeaseLost { happened: Happened::No, .. }), "{error}");
        }
        Ok(())
    };
    house.sessions.with_session(&run("r1"), Wait::OnlyIfFreeNow, work).await.unwrap();
    assert_eq!(house.service.calls(), 1);
    assert!(house.watcher.seen().iter().any(|text| text.starts_with("lost 1")));
    assert_eq!((house.service.live(), house.store.in_use()), (0, (0, 1)));
}

#[tokio::test(start_paused = true)]
async fn a_lease_lost_during_a_call_cancels_it() {
    let house = House::new();
    house.service.script(|op| slow_call(op, Act::Hang));
    let (begun, store) = (house.clocks.boot(), house.store.clone());
    let asked = Arc::new(AtomicU32::new(0));
    let asking = asked.clone();
    house.store.script(move |op| {
        asking.fetch_add(u32::from(op == StoreOp::Renew), Ordering::SeqCst);
        StoreAct::Take(SOON)
    });
    let tracker = TaskTracker::new();
    let clocks = house.clocks.clone();
    tracker.spawn(async move {
        clocks.sleep(secs(1)).await;
        store.lose(1);
    });
    let work = async |session: &mut Session| -> Result<(), Failure> {
        let error = session.call(&write(), &mut Items::default()).await.unwrap_err();
        assert!(matches!(error, CallError::LeaseLost { happened: Happened::Unknown, .. }), "{error}");
        assert!(house.clocks.boot().since(begun) < SHORT.lease / 2 + secs(1));
        let before = asked.load(Ordering::SeqCst);
        let error = session.call(&read(), &mut Items::default()).await.unwrap_err();
        assert!(matches!(error, CallError::LeaseLost { happened: Happened::No, .. }), "{error}");
        assert_eq!(
            asked.load(Ordering::SeqCst),
            before,
            "what is lost is lost: the store is not asked again"
        );
        Ok(())
    };
    house.sessions.with_session(&run("r1"), Wait::OnlyIfFreeNow, work).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_write_begins_with_half_of_its_lease_left() {
    let house = House::new();
    let work = async |session: &mut Session| -> Result<(), Failure> {
        session.call(&write(), &mut Items::default()).await?;
        assert_eq!(house.store.renewals(), 1, "the record names the call's limit before the first call");
        session.call(&write(), &mut Items::default()).await?;
        assert_eq!(house.store.renewals(), 1);
        house.clocks.sleep(Duration::from_millis(3100)).await;
        assert_eq!(house.store.renewals(), 2, "renewed in the middle, without a call");
        session.call(&write(), &mut Items::default()).await?;
        assert_eq!(house.store.renewals(), 2);
        house.clocks.sleep(SHORT.lease * 3).await;
        let renewals = house.store.renewals();
        assert!((7..=8).contains(&renewals), "{renewals}");
        session.call(&write(), &mut Items::default()).await?;
        assert_eq!(house.store.renewals(), renewals);
        let long = CmdletRequest { timeout: secs(3), ..write() };
        session.call(&long, &mut Items::default()).await?;
        assert_eq!(house.store.renewals(), renewals + 1, "a longer call is named first");
        Ok(())
    };
    house.sessions.with_session(&run("r1"), Wait::OnlyIfFreeNow, work).await.unwrap();
    assert_settled(&house).await;
}

#[tokio::test(start_paused = true)]
async fn renewal_goes_on_during_a_long_call() {
    let house = House::new();
    house.service.script(|op| slow_call(op, Act::Take(secs(60))));
    let long = CmdletRequest { timeout: secs(100), ..write() };
    let work = async |session: &mut Session| -> Result<u64, Failure> {
        Ok(session.call(&long, &mut Items::default()).await?.items)
    };
    let items = house.sessions.with_session(&run("r1"), Wait::OnlyIfFreeNow, work).await.unwrap();
    assert_eq!(items, 1);
    assert!((19..=21).contains(&house.store.renewals()), "{}", house.store.renewals());
    assert_settled(&house).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_outlasts_the_last_good_renewal_is_cancelled_before_the_lease_ends() {
    for (request, happened) in [(write(), Happened::Unknown), (read(), Happened::No)] {
        for act in [StoreAct::Hang, StoreAct::Fail] {
            let house = House::new();
            house.service.script(|op| slow_call(op, Act::Hang));
            let mut renewals = 0;
            house.store.script(move |op| {
                renewals += u32::from(op == StoreOp::Renew);
                if op == StoreOp::Renew && renewals > 1 { act } else { StoreAct::Take(SOON) }
            });
            let work = async |session: &mut Session| -> Result<(), Failure> {
                let begun = house.clocks.boot();
                let error = session.call(&request, &mut Items::default()).await.unwrap_err();
                assert!(matches!(error, CallError::CutShort { .. }), "{error}");
                assert_eq!((error.happened(), error.ends_session()), (happened, true));
                let after = house.clocks.boot().since(begun);
                assert!(after < SHORT.lease && after >= SHORT.lease * 8 / 10, "{after:?}");
                let error = session.call(&request, &mut Items::default()).await.unwrap_err();
                assert!(matches!(error, CallError::Gone), "{error}");
                Ok(())
            };
            house.sessions.with_session(&run("r1"), Wait::OnlyIfFreeNow, work).await.unwrap();
            assert_settled(&house).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_renewal_a_read_may_use_what_is_left_and_a_write_may_not() {
    let house = House::new();
    let mut renewals = 0;
    house.store.script(move |op| {
        renewals += u32::from(op == StoreOp::Renew);
        if op == StoreOp::Renew && renewals > 1 { StoreAct::Fail } else { StoreAct::Take(SOON) }
    });
    let work = async |session: &mut Session| -> Result<(), Failure> {
        session.call(&read(), &mut Items::default()).await?;
        house.clocks.sleep(secs(4)).await;
        session.call(&read(), &mut Items::default()).await?;
        let error = session.call(&write(), &mut Items::default()).await.unwrap_err();
        assert!(matches!(error, CallError::Renew(_)) && error.happened() == Happened::No, "{error}");
        house.clocks.sleep(secs(2)).await;
        assert_eq!(house.service.live(), 0, "none is kept beyond its lease, call or not");
        let error = session.call(&read(), &mut Items::default()).await.unwrap_err();
        assert!(matches!(error, CallError::Gone), "{error}");
        Ok(())
    };
    house.sessions.with_session(&run("r1"), Wait::OnlyIfFreeNow, work).await.unwrap();
    assert_eq!(house.service.calls(), 2);
    assert!(house.watcher.seen().contains(&"not renewed 1".to_owned()), "{:?}", house.watcher.seen());
    assert_settled(&house).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_asks_for_a_renewal_does_not_keep_the_session_beyond_its_lease() {
    let house = House::new();
    let (begun, mut renewals) = (house.clocks.boot(), 0);
    house.store.script(move |op| {
        renewals += u32::from(op == StoreOp::Renew);
        if op == StoreOp::Renew && renewals > 1 { StoreAct::Hang } else { StoreAct::Take(SOON) }
    });
    let work = async |session: &mut Session| -> Result<(), Failure> {
        session.call(&read(), &mut Items::default()).await?;
        house.clocks.sleep_until(begun + secs(4)).await;
        let error = session.call(&write(), &mut Items::default()).await.unwrap_err();
        assert!(matches!(error, CallError::Renew(_)) && error.happened() == Happened::No, "{error}");
        house.clocks.sleep_until(begun + SHORT.lease).await;
        assert_eq!(house.service.live(), 0, "{:?}", house.watcher.seen());
        let error = session.call(&read(), &mut Items::default()).await.unwrap_err();
        assert!(matches!(error, CallError::Gone), "{error}");
        Ok(())
    };
    house.sessions.with_session(&run("r1"), Wait::OnlyIfFreeNow, work).await.unwrap();
    assert_eq!(house.service.calls(), 1);
    assert_settled(&house).await;
}

#[tokio::test(start_paused = true)]
async fn the_record_names_the_call_in_hand_and_what_was_given_up_before() {
    let house = House::new();
    let slow = Arc::new(AtomicU32::new(0));
    let is_slow = slow.clone();
    house.service.script(move |op| match is_slow.load(Ordering::SeqCst) {
        0 => Act::Take(SOON),
        _ => slow_call(op, Act::Hang),
    });
    let long = CmdletRequest { timeout: secs(100), ..read() };
    let work = async |session: &mut Session| -> Result<(), Failure> {
        let id = session.facts().connection_id.to_string();
        let named = || house.store.call_limit(&id);
        session.call(&long, &mut Items::default()).await?;
        assert_eq!(named(), Some(secs(100)));
        session.call(&read(), &mut Items::default()).await?;
        house.clocks.sleep(SHORT.lease).await;
        assert_eq!(named(), Some(read().timeout), "the long one was answered");
        slow.store(1, Ordering::SeqCst);
        assert!(house.clocks.timeout(secs(1), session.call(&long, &mut Items::default())).await.is_err());
        slow.store(0, Ordering::SeqCst);
        session.call(&read(), &mut Items::default()).await?;
        house.clocks.sleep(SHORT.lease).await;
        assert_eq!(named(), Some(secs(100)), "the service may still work on what was given up");
        Ok(())
    };
    house.sessions.with_session(&run("r1"), Wait::OnlyIfFreeNow, work).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_lease_lost_between_calls_closes_the_session_at_once() {
    let house = House::new();
    let work = async |session: &mut Session| -> Result<(), Failure> {
        session.call(&read(), &mut Items::default()).await?;
        house.store.lose(1);
        house.clocks.sleep(SHORT.lease / 2 + secs(1)).await;
        assert_eq!(house.service.live(), 0);
        Ok(())
    };
    house.sessions.with_session(&run("r1"), Wait::OnlyIfFreeNow, work).await.unwrap();
    assert!(house.watcher.seen().iter().any(|text| text.starts_with("lost 1")));
    assert_eq!(house.store.in_use(), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn after_a_cancelled_call_the_session_can_make_another() {
    let house = House::new();
    house.service.script(|op| slow_call(op, Act::Take(secs(2))));
    let work = async |session: &mut Session| -> Result<(), Failure> {
        let (request, mut items) = (read(), Items::default());
        assert!(house.clocks.timeout(secs(1), session.call(&request, &mut items)).await.is_err());
        session.call(&request, &mut items).await.unwrap();
        Ok(())
    };
    house.sessions.with_session(&run("r1"), Wait::OnlyIfFreeNow, work).await.unwrap();
    assert_eq!(house.service.calls(), 2);
    assert_settled(&house).await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_for_concurrency_leaves_fewer_slots_to_all_holders() {
    for kind in [ErrorKind::SessionLimit, ErrorKind::Throttled] {
        let house = House::new();
        house.service.script(move |op| slow_call(op, Act::Fail(SOON, kind, Happened::No)));
        let work = async |session: &mut Session| -> Result<(), Failure> {
            assert_eq!(house.store.lowered_to(), None);
            assert!(matches!(session.call(&read(), &mut Items::default()).await, Err(CallError::Remote(_))));
            assert_eq!(house.store.lowered_to(), Some(1), "one session was too many: one may stay");
            let none = async |_: &mut Session| -> Result<(), Failure> { Ok(()) };
            let further = house.sessions.with_session(&run("further"), Wait::OnlyIfFreeNow, none).await;
            assert!(further.is_err(), "{kind:?}: no further session for now");
            let more = house.sessions.with_session(&run("more"), Wait::UpTo(secs(1)), none).await;
            let Err(Failure::Session(error)) = more else { panic!("{kind:?}: one is enough") };
            assert!(error.to_string().contains("and no more than 1 for now"), "{error}");
            Ok(())
        };
        house.sessions.with_session(&run("a"), Wait::UpTo(secs(1)), work).await.unwrap();
        assert_settled(&house).await;
    }
}
