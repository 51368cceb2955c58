//! Work on several threads whose results come in the order of the tasks.

use std::collections::VecDeque;
use std::num::NonZero;
use std::sync::mpsc::{Receiver, RecvError, SyncSender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};

/// More would wait for the disk and cost memory.
const THREADS_MAX: usize = 8;

/// Results that may be ready before the one that is due, for each thread: they bound the memory.
const AHEAD_PER_THREAD: usize = 8;

/// Does `work` for every number below `count`, on as many threads as the machine has processors, and gives the results
/// to `take` in the order of the numbers, each as soon as it and all before it are there.
///
/// # Errors
/// The first error of `take`; nothing is taken after it.
///
/// # Panics
/// If `work` panics.
pub(super) fn in_order<T: Send, E>(
    count: usize,
    work: impl Fn(usize) -> T + Sync,
    mut take: impl FnMut(usize, T) -> Result<(), E>,
) -> Result<(), E> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX).min(count);
    let (give, given) = channel::<(usize, SyncSender<T>)>();
    let given = Mutex::new(given);
    let (given, work) = (&given, &work);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(move || {
                while let Ok((number, result)) = next(given) {
                    // Nobody waits for it after an error.
                    let _unwanted = result.send(work(number));
                }
            });
        }
        // Moved into this scope, so that it ends before the threads are waited for: without it they have no next task.
        let give = give;
        let mut due = VecDeque::new();
        let mut begun = 0;
        for number in 0..count {
            while begun < count && due.len() < threads * AHEAD_PER_THREAD {
                let (result, place) = sync_channel(1);
                // It fails only if no thread is left; then no result comes either.
                let _no_thread = give.send((begun, result));
                due.push_back(place);
                begun += 1;
            }
            let result = due.pop_front().and_then(|place: Receiver<T>| place.recv().ok());
            // The thread has panicked, and the scope passes that on.
            let Some(result) = result else { break };
            take(number, result)?;
        }
        Ok(())
    })
}

/// The next task; an error if there is none any more.
fn next<T>(given: &Mutex<Receiver<T>>) -> Result<T, RecvError> {
    given.lock().unwrap_or_else(PoisonError::into_inner).recv()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn results_come_in_order_and_not_far_ahead() {
        let done = AtomicUsize::new(0);
        let taken = AtomicUsize::new(0);
        let mut seen = Vec::new();
        let work = |number: usize| {
            done.fetch_add(1, Ordering::SeqCst);
            // The first results are the slowest: the others must wait for them.
            let spins = if number.is_multiple_of(50) { 2_000_000 } else { 10 };
            (0..spins).fold(number, |sum: usize, next| std::hint::black_box(sum.wrapping_add(next)));
            assert!(
                done.load(Ordering::SeqCst) - taken.load(Ordering::SeqCst)
                    <= THREADS_MAX * AHEAD_PER_THREAD + 1
            );
            number * 2
        };
        let all: Result<(), ()> = in_order(300, work, |number, result| {
            taken.fetch_add(1, Ordering::SeqCst);
            seen.push((number, result));
            Ok(())
        });
        assert_eq!(all, Ok(()));
        assert_eq!(seen, (0..300).map(|number| (number, number * 2)).collect::<Vec<_>>());
        assert_eq!(in_order(0, |_| (), |_, ()| Err("nothing is taken")), Ok(()));
    }

    #[test]
    fn an_error_ends_it_early() {
        let done = AtomicUsize::new(0);
        let work = |_: usize| done.fetch_add(1, Ordering::SeqCst);
        let ended = in_order(10_000, work, |number, _| if number == 3 { Err(number) } else { Ok(()) });
        assert_eq!(ended, Err(3));
        assert!(done.into_inner() <= 4 + THREADS_MAX * AHEAD_PER_THREAD);
    }

    #[test]
    fn a_panic_of_the_work_is_passed_on_and_does_not_hang() {
        let work = |number: usize| assert_ne!(number, 5, "planted");
        let ended = std::panic::catch_unwind(|| in_order(1_000, work, |_, ()| Ok::<(), ()>(())));
        assert!(ended.is_err());
    }
}
