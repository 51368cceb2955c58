//! Do the names of the hosts lead to addresses?

use super::{Finding, Site};
use crate::exchange::probe::Hop;
use crate::exchange::transport::Connector;
use crate::exit::Exit;

/// Addresses of one name that are shown.
const SHOWN_MAX: usize = 3;

pub(super) async fn look(sites: &[Site], connector: &Connector) -> Finding {
    let mut seen = Vec::new();
    for site in sites {
        let Hop { host, port, proxy } = connector.hop(&site.origin);
        // Behind a proxy, names are the proxy's to resolve.
        let what = if proxy.is_some() { "proxy" } else { site.what };
        let host = host.as_str();
        if host.parse::<std::net::IpAddr>().is_ok() {
            seen.push(format!("{what} {host} is an address"));
            continue;
        }
        let found = tokio::net::lookup_host((host, port)).await;
        let mut addresses: Vec<String> = match found {
            Ok(found) => found.map(|address| address.ip().to_string()).collect(),
            Err(error) => return nothing(site, what, host, &error.to_string()),
        };
        addresses.dedup();
        if addresses.is_empty() {
            return nothing(site, what, host, "the answer is empty");
        }
        let more = if addresses.len() > SHOWN_MAX { ", …" } else { "" };
        addresses.truncate(SHOWN_MAX);
        seen.push(format!("{what} {host} is {}{more}", addresses.join(", ")));
    }
    seen.dedup();
    Finding::ok(seen.join("; "))
}

fn nothing(site: &Site, what: &str, host: &str, why: &str) -> Finding {
    let seen = format!("the name of the {what} host, {host}, leads to no address: {why}");
    let mend = format!(
        "check `environment` and the setting `{}` for a misspelt name, then this host's resolver (/etc/resolv.conf)",
        if what == "proxy" { "proxy" } else { site.setting }
    );
    Finding::failed(Exit::Failed, seen, mend)
}
