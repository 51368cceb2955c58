//! A standard stream that may stand still: what is said goes out on a thread of its own.
//!
//! A pipe whose reader pauses (`less`, a log collector without disk) blocks whoever writes to it. In a run that would
//! be the one who renews the lease, hears signals and closes the session. So a writer here waits a short while at
//! most, and a line that finds no room after it is lost, with a note in its place.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

/// How long a writer waits for room, once for each standstill. Less than the margin of a lease (a tenth of it).
const PATIENCE: Duration = Duration::from_secs(1);

/// A stream with room for lines that are on their way. Cheap to clone; all clones are the same stream.
#[derive(Clone)]
pub struct Outlet(Arc<Shared>);

struct Shared {
    bytes_max: usize,
    state: Mutex<State>,
    /// The thread has work.
    said: Condvar,
    /// The thread has done some.
    gone: Condvar,
    gone_async: Notify,
}

#[derive(Default)]
struct State {
    /// Each is one write, so that lines of several processes on one pipe stay whole. The first is on its way.
    lines: VecDeque<Arc<[u8]>>,
    bytes: usize,
    written: u64,
    /// A writer has waited in vain; the next ones do not.
    is_stuck: bool,
    lost: u64,
    failed: Option<io::Error>,
}

impl State {
    fn has_room(&self, length: usize, bytes_max: usize) -> bool {
        self.lines.is_empty() || self.bytes + length <= bytes_max
    }

    fn push(&mut self, line: &[u8]) {
        self.bytes += line.len();
        self.lines.push_back(line.into());
    }
}

impl Outlet {
    /// Starts a thread that writes to `stream`; `bytes_max` may be on their way.
    ///
    /// # Errors
    /// The system has no thread for it.
    pub fn start(mut stream: impl Write + Send + 'static, bytes_max: usize) -> io::Result<Outlet> {
        let outlet = Outlet(Arc::new(Shared {
            bytes_max,
            state: Mutex::default(),
            said: Condvar::new(),
            gone: Condvar::new(),
            gone_async: Notify::new(),
        }));
        let shared = Arc::clone(&outlet.0);
        // Never waited for: it ends with the process, perhaps in the middle of a write that nobody takes.
        std::thread::Builder::new().name("outlet".to_owned()).spawn(move || shared.write_out(&mut stream))?;
        Ok(outlet)
    }

    /// Waits until everything is written, as long as the stream moves at least every `patience`.
    pub fn drain(&self, patience: Duration) {
        let mut state = self.0.lock();
        while !state.lines.is_empty() {
            let before = state.written;
            let still = |state: &mut State| !state.lines.is_empty() && state.written == before;
            let waited = self.0.gone.wait_timeout_while(state, patience, still);
            let (now, result) = waited.unwrap_or_else(PoisonError::into_inner);
            if result.timed_out() {
                return;
            }
            state = now;
        }
    }

    /// Waits until everything is written, for as long as that takes. Cancel safe.
    ///
    /// # Errors
    /// Something was not written since the last [`Write::flush`].
    pub async fn drained(&self) -> io::Result<()> {
        loop {
            let gone = self.0.gone_async.notified();
            {
                let mut state = self.0.lock();
                if state.lines.is_empty() {
                    return state.failed.take().map_or(Ok(()), Err);
                }
            }
            gone.await;
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_out(&self, stream: &mut impl Write) {
        loop {
            let waited = self.said.wait_while(self.lock(), |state| state.lines.is_empty());
            let next = waited.unwrap_or_else(PoisonError::into_inner).lines.front().cloned();
            let Some(line) = next else { continue };
            let written = stream.write_all(&line).and_then(|()| stream.flush());
            let mut state = self.lock();
            state.lines.pop_front();
            state.bytes -= line.len();
            state.written += 1;
            if let Err(error) = written {
                state.failed = Some(error);
            }
            drop(state);
            self.gone.notify_all();
            self.gone_async.notify_waiters();
        }
    }
}

impl Write for Outlet {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let Shared { bytes_max, said, gone, .. } = &*self.0;
        let mut state = self.0.lock();
        if !state.is_stuck && !state.has_room(line.len(), *bytes_max) {
            let full = |state: &mut State| !state.has_room(line.len(), *bytes_max);
            let waited = gone.wait_timeout_while(state, PATIENCE, full);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.is_stuck = !state.has_room(line.len(), *bytes_max);
        if state.is_stuck {
            state.lost += 1;
            return Err(io::Error::new(io::ErrorKind::TimedOut, "nobody reads it"));
        }
        if let lost @ 1.. = std::mem::take(&mut state.lost) {
            state.push(format!("({lost} lines are lost here: nobody read them)\n").as_bytes());
        }
        state.push(line);
        said.notify_one();
        Ok(line.len())
    }

    /// Does not wait: says what went wrong since the last time.
    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().failed.take().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Writes one line for each word of permission.
    struct Gated(mpsc::Receiver<()>, Arc<Mutex<Vec<u8>>>);

    impl Write for Gated {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(io::Error::other)?;
            self.1.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn who_writes_to_a_stream_that_stands_still_goes_on_and_the_loss_is_told() {
        let (open, gate) = mpsc::channel();
        let seen = Arc::<Mutex<Vec<u8>>>::default();
        let mut outlet = Outlet::start(Gated(gate, Arc::clone(&seen)), 10).unwrap();
        for line in ["one\n", "two\n"] {
            outlet.write_all(line.as_bytes()).unwrap();
        }
        for _ in 0..100 {
            assert_eq!(outlet.write_all(b"three\n").unwrap_err().kind(), io::ErrorKind::TimedOut);
        }
        open.send(()).unwrap();
        open.send(()).unwrap();
        outlet.drain(Duration::from_secs(10));
        open.send(()).unwrap();
        open.send(()).unwrap();
        outlet.write_all(b"four\n").unwrap();
        outlet.drain(Duration::from_secs(10));
        let seen = String::from_utf8(seen.lock().unwrap().clone()).unwrap();
        assert_eq!(seen, "one\ntwo\n(100 lines are lost here: nobody read them)\nfour\n");
    }

    #[test]
    fn what_was_not_written_is_told_later_and_once() {
        let (open, gate) = mpsc::channel();
        drop(open);
        let mut outlet = Outlet::start(Gated(gate, Arc::default()), 10).unwrap();
        outlet.write_all(b"x").unwrap();
        outlet.drain(Duration::from_secs(10));
        assert!(outlet.flush().is_err());
        assert!(outlet.flush().is_ok());
    }
}
