//! Whose password is it? Federated accounts need their own sign-in service, from here or from the person's browser.

use std::time::Duration;

use super::{Account, Finding, Parts};
use crate::exchange::transport::Origin;
use crate::exit::Exit;
use crate::observe::escape::one_line;
use crate::signin::realm::{Realm, Sts};
use crate::spec::job::{Method, Who};

/// Who answers at all answers soon.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn look<A: Account>(parts: &Parts<A>) -> Finding {
    let auth = &parts.target.auth;
    if auth.method.who() == Who::Application {
        return Finding::information("an application signs in: it has no realm");
    }
    let Some(upn) = &auth.user_principal_name else {
        return Finding::information(
            "the job names no user (`user_principal_name`): whose password it is is not known",
        );
    };
    let realm = match parts.endpoint.realm(upn).await {
        Ok(realm) => realm,
        Err(error) => {
            return super::refused(&error, "check `login_endpoint`");
        }
    };
    let upn = one_line(upn, 120);
    match realm {
        Realm::Managed => Finding::ok(format!("the password of {upn} is Entra's own")),
        Realm::Unknown => Finding::warning(
            format!("the sign-in service does not know the domain of {upn}"),
            "check `user_principal_name` and `environment`",
        ),
        Realm::Federated { sts } => federated(parts, &upn, sts).await,
    }
}

async fn federated<A: Account>(parts: &Parts<A>, upn: &str, sts: Option<Sts>) -> Finding {
    let (place, reach) = match sts {
        None => ("a sign-in service that is not named".to_owned(), Err("it is not named".to_owned())),
        Some(Sts { host, port }) => (format!("{host}:{port}"), reached(parts, &host, port).await),
    };
    let is_password = matches!(parts.target.auth.method, Method::Password { .. } | Method::InlineCredential);
    match (reach, is_password) {
        (Ok(()), false) => {
            Finding::ok(format!("{upn} is federated; its sign-in service {place} can be reached"))
        }
        (Ok(()), true) => Finding::failed(
            Exit::SigninRefused,
            format!("{upn} is federated with {place}: Entra takes no password of it"),
            "use `method: device` or `browser`, a non-federated account, or an application",
        ),
        (Err(why), true) => Finding::failed(
            Exit::SigninRefused,
            format!("{upn} is federated, and its sign-in service {place} cannot be reached: {why}"),
            "use a non-federated account (of the tenant's onmicrosoft.com domain) or an application",
        ),
        (Err(why), false) => Finding::warning(
            format!("{upn} is federated, and its sign-in service {place} cannot be reached from here: {why}"),
            "sign in with a browser that reaches it, or use a non-federated account or an application",
        ),
    }
}

/// The way that the service's own hosts have, through the proxy if there is one.
async fn reached<A: Account>(parts: &Parts<A>, host: &str, port: u16) -> Result<(), String> {
    let origin = Origin::parse(&format!("https://{host}:{port}"))?;
    let reaching = parts.connector.look_through_proxy(&origin);
    match parts.clocks.timeout(PATIENCE, reaching).await {
        Ok(reached) => reached.map_err(|why| one_line(&why, 200)),
        Err(elapsed) => Err(elapsed.to_string()),
    }
}
