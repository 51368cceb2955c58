//! TCP to a host that has several addresses: an unreachable first one must not eat the time of the others.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::net::{TcpStream, lookup_host};

use super::fence::Fence;
use crate::clocks::Clocks;

/// How long an address is tried alone before the next one is tried beside it (RFC 8305, 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to the first address of `host` that answers; none is tried past `fence`.
///
/// # Errors
/// The name cannot be resolved, or the last failure of its addresses.
///
/// # Cancel safety
/// Dropped before it returns, all attempts are dropped with it.
pub(super) async fn tcp(clocks: &Clocks, fence: &Fence, host: &str, port: u16) -> io::Result<TcpStream> {
    let addresses: Vec<SocketAddr> = lookup_host((host, port)).await?.collect();
    first_of(clocks, fence, interleaved(addresses)).await
}

/// IPv6 and IPv4 by turns, beginning with what the resolver put first: a whole family may be unreachable.
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(first) = addresses.first().map(SocketAddr::is_ipv6) else { return addresses };
    let (one, other): (Vec<_>, Vec<_>) = addresses.iter().partition(|address| address.is_ipv6() == first);
    let longest = one.len().max(other.len());
    (0..longest).flat_map(|index| [one.get(index), other.get(index)]).flatten().copied().collect()
}

async fn first_of(clocks: &Clocks, fence: &Fence, addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut tried = FuturesUnordered::new();
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    loop {
        fence.check()?;
        match waiting.next() {
            Some(address) => tried.push(TcpStream::connect(address)),
            None if tried.is_empty() => return Err(failure),
            None => {}
        }
        let done = match waiting.len() {
            0 => tried.next().await,
            _ => clocks.timeout(HEAD_START, tried.next()).await.unwrap_or(None),
        };
        match done {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => failure = error,
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    #[tokio::test]
    async fn an_address_that_never_answers_costs_the_next_one_a_quarter_of_a_second() {
        // Connections above its backlog are not answered at all.
        let full = TcpSocket::new_v4().unwrap();
        full.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let full = full.listen(1).unwrap();
        let silent = full.local_addr().unwrap();
        let mut filling = Vec::new();
        let clocks = Clocks::system();
        let fence = Fence::none(clocks.clone());
        while let Ok(stream) = clocks.timeout(Duration::from_millis(100), TcpStream::connect(silent)).await {
            filling.push(stream.unwrap());
        }
        let good = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let refused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let addresses = vec![refused, silent, good.local_addr().unwrap()];
        let connected = clocks.timeout(Duration::from_secs(10), first_of(&clocks, &fence, addresses)).await;
        assert_eq!(connected.unwrap().unwrap().peer_addr().unwrap(), good.local_addr().unwrap());
        assert!(first_of(&clocks, &fence, vec![refused, refused]).await.is_err());
        assert!(first_of(&clocks, &fence, Vec::new()).await.is_err());
    }

    #[test]
    fn families_take_turns() {
        let read = |text: &str| text.split(' ').map(|one| one.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let mixed = interleaved(read("[2001:db8::1]:1 [2001:db8::2]:1 192.0.2.1:1 192.0.2.2:1 192.0.2.3:1"));
        let turns = read("[2001:db8::1]:1 192.0.2.1:1 [2001:db8::2]:1 192.0.2.2:1 192.0.2.3:1");
        assert_eq!(mixed, turns);
        assert_eq!(interleaved(Vec::new()), Vec::new());
    }
}
