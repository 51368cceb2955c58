//! The end of a session's lease, where its transports see it: past it no byte leaves.
//!
//! Calls are cancelled before their lease ends, but hyper's connection is a task of its own, and a process that was
//! stopped goes on in the middle of whatever it was doing. Only here nothing comes between the look at the clock and the
//! write.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::clocks::Clocks;
use crate::rules::time::BootTime;

/// Until when bytes may leave. Whoever keeps the lease moves it; cheap to clone.
#[derive(Clone)]
pub struct Fence(Arc<Inner>);

struct Inner {
    /// Milliseconds of the clock that counts suspension.
    shut_at: AtomicU64,
    clocks: Clocks,
}

impl Fence {
    /// Bytes may leave until `at`.
    pub fn until(at: BootTime, clocks: Clocks) -> Fence {
        Fence(Arc::new(Inner { shut_at: AtomicU64::new(at.as_millis()), clocks }))
    }

    /// For what needs no lease: a look whether a host can be reached.
    pub fn none(clocks: Clocks) -> Fence {
        Fence::until(BootTime::from_millis(u64::MAX), clocks)
    }

    /// From now on bytes may leave until `at`: the lease was renewed; or, with the past, lost.
    pub fn move_to(&self, at: BootTime) {
        self.0.shut_at.store(at.as_millis(), Ordering::Release);
    }

    /// # Errors
    /// No byte may leave any more.
    pub(super) fn check(&self) -> io::Result<()> {
        if self.is_shut() { Err(shut()) } else { Ok(()) }
    }

    /// Whether no byte may leave any more.
    pub fn is_shut(&self) -> bool {
        self.0.shut_at.load(Ordering::Acquire) <= self.0.clocks.boot().as_millis()
    }
}

/// What bytes travel on, behind a fence.
pub(super) struct Fenced<W> {
    wire: W,
    fence: Fence,
}

impl<W> Fenced<W> {
    pub(super) fn new(wire: W, fence: Fence) -> Fenced<W> {
        Fenced { wire, fence }
    }
}

fn shut() -> io::Error {
    io::Error::other("the session's lease has ended")
}

impl<W: AsyncRead + Unpin> AsyncRead for Fenced<W> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_read(context, buffer)
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Fenced<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.fence.check()?;
        Pin::new(&mut self.wire).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // What is below may have kept bytes back.
        self.fence.check()?;
        Pin::new(&mut self.wire).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.fence.check()?;
        Pin::new(&mut self.wire).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.wire.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn past_the_fence_no_byte_leaves() {
        let clocks = Clocks::simulated(Duration::from_secs(100), jiff::Timestamp::UNIX_EPOCH, 1.0);
        let fence = Fence::until(clocks.boot() + Duration::from_secs(10), clocks.clone());
        let (ours, mut theirs) = tokio::io::duplex(64);
        let mut wire = Fenced::new(ours, fence.clone());
        wire.write_all(b"one").await.unwrap();
        clocks.sleep(Duration::from_secs(10)).await;
        assert!(wire.write_all(b"two").await.unwrap_err().to_string().contains("lease has ended"));
        fence.move_to(clocks.boot() + Duration::from_secs(10));
        wire.write_all(b"three").await.unwrap();
        fence.move_to(BootTime::default());
        assert!(wire.write_all(b"four").await.is_err());
        drop(wire);
        let mut got = String::new();
        theirs.read_to_string(&mut got).await.unwrap();
        assert_eq!(got, "onethree");
    }
}
