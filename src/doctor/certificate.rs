//! The application's certificate: its key is there, belongs to it, and it has not ended.

use super::{Account, Finding, Parts};
use crate::exit::Exit;
use crate::rules::validity::{Validity, validity};

const RENEW: &str =
    "make a new one, upload it to the app registration beside the old one, then replace the secret";

pub(super) async fn look<A: Account>(parts: &Parts<A>) -> Finding {
    let term = match parts.account.certificate().await {
        Ok(Some(term)) => term,
        Ok(None) => return Finding::information("this way to sign in has no certificate of ours"),
        Err(error) => {
            let exit = super::exit_of(&error);
            return Finding::failed(
                exit,
                error.message,
                "mend it as it says; docs/signin.md has the forms of keys and certificates",
            );
        }
    };
    let now = parts.clocks.wall();
    let (name, ends) = (&term.name, term.not_after);
    let days = ends.duration_since(now).as_hours() / 24;
    match validity(term.not_before, ends, now) {
        Validity::Good => Finding::ok(format!("{name} is good until {ends}, {days} days")),
        Validity::EndsSoon => Finding::warning(format!("{name} ends at {ends}, in {days} days"), RENEW),
        Validity::Ended => Finding::failed(Exit::BadInput, format!("{name} ended at {ends}"), RENEW),
        Validity::NotYet => Finding::failed(
            Exit::BadInput,
            format!("{name} is not valid before {}", term.not_before),
            "look at this host's clock, or wait",
        ),
    }
}
