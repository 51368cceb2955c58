//! May the account use the service as Microsoft's module does? Source: protocol reference, 2.1 (`EXOModuleEnabled`) and
//! 3.13 (the module's file).

use super::{Finding, session};
use crate::exchange::errors::ErrorKind;
use crate::exit::Exit;
use crate::observe::escape::one_line;
use crate::session::CallError;
use crate::signin::AccessToken;

/// What a refusal of this kind was seen to name. The service's own sentence is not documented.
const SWITCH: [&str; 2] = ["EXOModuleEnabled", "RemotePowerShellEnabled"];

pub(super) fn ok(token: &AccessToken) -> Finding {
    if token.facts.delegated {
        Finding::ok("the service gives this user the module's file: module access is on")
    } else {
        Finding::ok("the service gives this application the module's file")
    }
}

pub(super) fn refused(token: &AccessToken, error: &CallError) -> Finding {
    let CallError::Remote(remote) = error else {
        return session::failed(error, "try again; the service did not answer");
    };
    if !matches!(remote.kind, ErrorKind::Unauthorized | ErrorKind::Forbidden) {
        return session::failed(error, "try again; the service did not answer as it should");
    }
    let text = remote.to_string();
    let seen = text.split_once(" -> ").map_or(text.as_str(), |(seen, _)| seen);
    let actor = one_line(&token.facts.actor, 120);
    let enable = format!("another administrator runs `Set-User {actor} -EXOModuleEnabled $true`");
    let finding = if SWITCH.iter().any(|switch| text.contains(switch)) {
        Finding::failed(Exit::Failed, format!("module access of {actor} is switched off: {seen}"), enable)
    } else if token.facts.delegated {
        let mend = format!(
            "give {actor} a role that Exchange knows (a role group, or Exchange Administrator in Entra); if it has one, its \
             module access may be switched off: {enable}"
        );
        Finding::failed(Exit::Failed, format!("{actor} may use nothing here: {seen}"), mend)
    } else {
        let mend = "an application needs both: the app role Exchange.ManageAsApp with admin consent, and a directory role \
                    (Exchange Administrator, Global Reader, …) or a role group (New-ServicePrincipal, Add-RoleGroupMember); a new role \
                    takes up to an hour";
        Finding::failed(Exit::Failed, format!("application {actor} may use nothing here: {seen}"), mend)
    };
    finding.with_id("request_id", remote.request_id.clone())
}
