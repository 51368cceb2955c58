//! Can connections be made to where calls go: the hosts themselves, or the proxy?

use std::time::Duration;

use super::{Finding, Site};
use crate::clocks::Clocks;
use crate::exchange::probe::Hop;
use crate::exchange::transport::Connector;
use crate::exit::Exit;

pub(super) async fn look(sites: &[Site], connector: &Connector, limit: Duration, clocks: &Clocks) -> Finding {
    let mut seen = Vec::new();
    for site in sites {
        let Hop { host, port, proxy } = connector.hop(&site.origin);
        let what = if proxy.is_some() { "proxy" } else { site.what };
        let connected = clocks.timeout(limit, connector.look_at_hop(&site.origin)).await;
        let why = match connected {
            Ok(Ok(())) => {
                seen.push(format!("{what} {host}:{port} answers"));
                continue;
            }
            Ok(Err(error)) => error.to_string(),
            Err(elapsed) => elapsed.to_string(),
        };
        let seen = format!("no TCP connection to the {what} host at {host}:{port}: {why}");
        let mend = match proxy {
            None => format!(
                "let this host out to TCP {port} of {host} (firewall, network policy), or name the way out with the setting `proxy`"
            ),
            Some(_) => format!(
                "check the setting `proxy` and its variables, or let this host out to TCP {port} of {host}"
            ),
        };
        return Finding::failed(Exit::Failed, seen, mend);
    }
    seen.dedup();
    Finding::ok(seen.join("; "))
}
