//! This host's clock against the sign-in service's `Date`.

use super::Finding;
use crate::exit::Exit;
use crate::rules::duration::show_about;
use crate::rules::skew::{Skew, skew};
use crate::signin::endpoint::LoginEndpoint;

const MEND: &str =
    "set this host's clock (chrony, systemd-timesyncd; in a virtual machine the time of its host)";

pub(super) async fn look(endpoint: &LoginEndpoint) -> Finding {
    let began = endpoint.clocks.wall();
    let theirs = match endpoint.date().await {
        Ok(Some(theirs)) => theirs,
        Ok(None) => {
            return Finding::information(
                "the sign-in service's answer has no Date: the clocks cannot be compared",
            );
        }
        Err(error) => {
            let mend = "look at what stands between this host and the sign-in service (the setting `proxy`)";
            return super::refused(&error, mend);
        }
    };
    // A header counts whole seconds, and was written somewhere between the two looks at our clock.
    let ours = began + (endpoint.clocks.wall().duration_since(began)) / 2;
    let apart = theirs.duration_since(ours);
    let way = if apart.is_negative() { "ahead of" } else { "behind" };
    let apart_shown = show_about(apart.unsigned_abs());
    match skew(ours, theirs) {
        Skew::Fine => Finding::ok("this host and the sign-in service agree on the time, within a minute"),
        Skew::Growing => Finding::warning(
            format!(
                "this host's clock is {apart_shown} {way} the sign-in service's; from five minutes on sign-ins are refused"
            ),
            MEND,
        ),
        Skew::Broken => Finding::failed(
            Exit::Failed,
            format!(
                "this host's clock is {apart_shown} {way} the sign-in service's: assertions and tokens are refused (AADSTS700024)"
            ),
            MEND,
        ),
    }
}
