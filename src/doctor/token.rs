//! Does the sign-in service give a token? Then the rung above is known too: what the token is for.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Account, Asking, Climb, Finding, Name, Parts, rights};
use crate::signin::{AccessToken, SigninError, SigninErrorKind, TokenSource};
use crate::spec::job::Who;

/// Climbs both rungs.
pub(super) async fn climb<A: Account>(
    parts: &Parts<A>,
    climb: &mut Climb<'_>,
) -> Option<(Arc<dyn TokenSource>, AccessToken)> {
    if !climb.goes_on() {
        return None;
    }
    let method = &parts.target.auth.method;
    if method.asks_a_person() && parts.asking == Asking::Nobody {
        let why = format!(
            "`method: {}` asks a person to sign in; with --sign-in it is asked for now",
            method.as_str()
        );
        climb.block(why);
        return None;
    }
    let may_ask = parts.asking == Asking::ThePerson && method.who() != Who::Application;
    let limit = if may_ask { parts.limits.person } else { parts.limits.signin };
    let mut fetched = None;
    let mut unfit = None;
    let work = async {
        let tokens = match parts.account.tokens().await {
            Ok(tokens) => tokens,
            Err(error) => return refused(&error),
        };
        match tokens.token().await {
            Ok(token) => {
                let until = Timestamp::from_second(token.expires_at.as_second()).unwrap_or(token.expires_at);
                let seen = format!("{} signed in; the token is good until {until}", who(&token));
                fetched = Some((tokens, token));
                Finding::ok(seen)
            }
            Err(error) if error.kind == SigninErrorKind::Unfit => {
                unfit = Some(refused(&error));
                Finding::ok("a token was given")
            }
            Err(error) => refused(&error),
        }
    };
    climb.rung(Name::Token, limit, work).await;
    match (unfit, fetched) {
        (Some(unfit), _) => {
            climb.found(Name::Rights, &unfit, std::time::Duration::ZERO);
            None
        }
        (None, Some((tokens, token))) => {
            climb.found(Name::Rights, &rights::look(&token), std::time::Duration::ZERO);
            Some((tokens, token))
        }
        (None, None) => None,
    }
}

fn who(token: &AccessToken) -> String {
    let kind = if token.facts.delegated { "user" } else { "application" };
    format!("{kind} {}", crate::observe::escape::one_line(&token.facts.actor, 120))
}

fn refused(error: &SigninError) -> Finding {
    let mend = match error.kind {
        SigninErrorKind::Refused => {
            "look the code up at https://login.microsoftonline.com/error, or ask who runs the tenant"
        }
        SigninErrorKind::Unfit => "grant what is missing, or use another application or account",
        SigninErrorKind::Forbidden => "ask who owns the connections and the profile of this host",
        SigninErrorKind::BadInput => "mend `auth` of the job, or the setting that is named",
        SigninErrorKind::Throttled => "wait before the next sign-in: something may sign in in a loop",
        SigninErrorKind::Unavailable => "try again; if it stays so, look at the way to the sign-in service",
        SigninErrorKind::NobodyThere => {
            "sign in where a person sees the code, or use a method without a person"
        }
    };
    // Messages of our own name their mend behind a colon.
    let is_ours = matches!(error.kind, SigninErrorKind::Unfit | SigninErrorKind::NobodyThere);
    match error.message.split_once(": ") {
        Some((seen, own)) if is_ours && !error.message.contains(" -> ") => {
            Finding::failed(super::exit_of(error), seen, own)
        }
        _ => super::refused(error, mend),
    }
}
