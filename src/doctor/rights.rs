//! What the token is for, and what it allows. Source: protocol reference, 2.1 (the scope trap).

use super::Finding;
use crate::observe::escape::one_line;
use crate::signin::AccessToken;

/// What names of rights for Exchange begin with.
const EXCHANGE_RIGHTS: [&str; 6] =
    ["Exchange.", "AdminApi.", "FfoPowerShell.", "RemotePowerShell.", "full_access_as_", "EWS."];
/// The role of an application.
const APP_ROLE: &str = "Exchange.ManageAsApp";
const NAMES_SHOWN_MAX: usize = 8;

pub(super) fn look(token: &AccessToken) -> Finding {
    let facts = &token.facts;
    let mut names: Vec<String> = facts.rights.iter().map(|name| one_line(name, 80)).collect();
    let more = if names.len() > NAMES_SHOWN_MAX { ", …" } else { "" };
    names.truncate(NAMES_SHOWN_MAX);
    let seen = format!(
        "for {}, tenant {}, {} {}{more}",
        one_line(&facts.audience, 120),
        one_line(&facts.tenant_id, 64),
        if facts.delegated { "scopes" } else { "roles" },
        names.join(", ")
    );
    let has = |right: &str| facts.rights.iter().any(|own| own.eq_ignore_ascii_case(right));
    if !facts.delegated && !has(APP_ROLE) {
        return Finding::warning(
            format!("{seen}: the role {APP_ROLE} is not among them"),
            format!(
                "grant the application {APP_ROLE} (Office 365 Exchange Online, application permission) with admin consent"
            ),
        );
    }
    let is_exchange = |own: &String| EXCHANGE_RIGHTS.iter().any(|start| own.starts_with(start));
    if facts.delegated && !facts.rights.iter().any(is_exchange) {
        return Finding::warning(
            format!("{seen}: none of them is for Exchange, and every cmdlet may be refused"),
            "consent to `Exchange.Manage` for this client, or leave `client_id` out to use the module's own",
        );
    }
    Finding::ok(seen)
}
