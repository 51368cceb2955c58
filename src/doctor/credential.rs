//! Can what the run needs be read where the job says it is kept? Values are looked at here and shown nowhere.

use secrecy::ExposeSecret;

use super::needs::{self, By, Need};
use super::{Account, Finding, Parts};

pub(super) async fn look<A: Account>(parts: &Parts<A>) -> Finding {
    // What Vault keeps has a rung of its own, which was climbed just now.
    let needs = needs::of(&parts.job, &parts.target.auth).into_iter().filter(|need| !need.is_in_vault());
    let mut seen: Vec<String> = Vec::new();
    let mut doubt = None;
    for need in needs {
        if let Err(error) = need.look(&*parts.secrets).await {
            let mend = match need.by {
                By::Step { .. } => "mend the place that the step names, or name another",
                By::Signin(_) | By::KeptSignin => "mend the place that `credential` names, or name another",
            };
            return need.unread(&error, mend);
        }
        let Need { place, by } = need;
        if let By::Signin(what @ "client_secret") = by
            && let Ok(secret) = parts.secrets.text(&place, what).await
            && uuid::Uuid::try_parse(secret.expose_secret()).is_ok()
        {
            doubt = Some(place.to_string());
        }
        let place = place.to_string();
        if !seen.contains(&place) {
            seen.push(place);
        }
    }
    if seen.is_empty() {
        return Finding::information("this way to sign in keeps no secret on this host");
    }
    let seen = format!("{} can be read", seen.join(" and "));
    match doubt {
        None => Finding::ok(seen),
        Some(place) => Finding::warning(
            format!("{seen}; {place} holds a GUID, which no client secret is"),
            "put the secret's value there, not its id (the portal shows both; the value only once)",
        ),
    }
}
