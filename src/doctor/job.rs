//! The ground: where the job goes and who signs in, as its file, its connection and the settings say together.

use super::Finding;
use crate::exchange::transport::Origin;
use crate::exit::Exit;
use crate::observe::escape::one_line;
use crate::spec::job::{Service, TargetSpec};

/// The job's target and addresses are known.
pub fn placed(target: &TargetSpec, service: Service, login: &str, origin: &Origin) -> Finding {
    let auth = &target.auth;
    let who = match (&auth.user_principal_name, &auth.client_id) {
        (Some(user), _) => format!("user {}", one_line(user, 120)),
        (None, Some(client)) => format!("client {}", one_line(client, 64)),
        (None, None) => "whoever signs in".to_owned(),
    };
    Finding::ok(format!(
        "{who} by `{}` into {} of {} ({}); sign-in at {}, service at {origin}",
        auth.method.as_str(),
        service.as_str(),
        one_line(target.organization(), 120),
        target.environment.as_str(),
        one_line(login, 200),
    ))
}

/// They are not, and this is why, with the mend behind the last colon or semicolon.
pub fn not_placed(exit: Exit, why: &str) -> Finding {
    let split = why.rsplit_once("; ").or_else(|| why.rsplit_once(": "));
    match split {
        // Of several reasons of a policy each has its own mend.
        _ if exit == Exit::RefusedByPolicy => Finding::failed(
            exit,
            why,
            "ask who owns the connections and the profile of this host; docs/connections.md has the rules",
        ),
        Some((seen, mend)) => Finding::failed(exit, seen, mend),
        None => Finding::failed(exit, why, "mend the job, its connection or the setting that is named"),
    }
}
