//! Port 80, which Microsoft's documentation asks for and this program does not use. Source: protocol reference, 8.

use std::time::Duration;

use tokio::net::TcpStream;

use super::{Finding, Site};
use crate::clocks::Clocks;
use crate::exchange::transport::Connector;

const PORT: u16 = 80;
const NEEDED: &str = "exorun needs only 443 (Microsoft's page on the module asks for both: redirects and revocation lists of \
                      other programs)";
/// Who is let through answers at once; a firewall that says nothing should not hold up the climb.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) async fn look(sites: &[Site], connector: &Connector, clocks: &Clocks) -> Finding {
    let hops = sites.iter().map(|site| connector.hop(&site.origin));
    let straight: Vec<String> = hops.filter(|hop| hop.proxy.is_none()).map(|hop| hop.host).collect();
    if straight.is_empty() {
        return Finding::information(format!("everything goes through the proxy; {NEEDED}"));
    }
    let looks = straight.iter().map(|host| async move {
        let connected = clocks.timeout(PATIENCE, TcpStream::connect((host.as_str(), PORT))).await;
        let word = if matches!(connected, Ok(Ok(_))) { "open" } else { "closed" };
        format!("TCP 80 of {host} is {word}")
    });
    let mut seen = futures_util::future::join_all(looks).await;
    seen.dedup();
    Finding::information(format!("{}; {NEEDED}", seen.join(", ")))
}
