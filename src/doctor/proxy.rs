//! Which connections go through a proxy, and whether it lets them through.

use super::{Finding, Site};
use crate::exchange::transport::Connector;
use crate::exit::Exit;

pub(super) async fn look(sites: &[Site], connector: &Connector) -> Finding {
    let mut seen = Vec::new();
    for site in sites {
        let Some(proxy) = connector.hop(&site.origin).proxy else { continue };
        if let Err(why) = connector.look_through_proxy(&site.origin).await {
            let mend = "check the settings `proxy`, `proxy_credentials_file` and `no_proxy`, and ask who runs the proxy";
            return match why.split_once("): ") {
                Some((seen, own)) => Finding::failed(Exit::Failed, format!("{seen})"), own),
                None => Finding::failed(Exit::Failed, why, mend),
            };
        }
        seen.push(format!("{proxy} leads to the {} host {}", site.what, site.origin.host()));
    }
    match seen.is_empty() {
        true => Finding::information("no proxy is used for these hosts (settings `proxy`, `no_proxy`)"),
        false => Finding::ok(seen.join("; ")),
    }
}
