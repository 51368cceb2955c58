//! Does the sign-in service know the tenant, and does the tenant live in the cloud that the job names?

use super::{Account, Finding, Parts};

pub(super) async fn look<A: Account>(parts: &Parts<A>) -> Finding {
    let named = parts.target.organization();
    let tenant = match parts.account.tenant().await {
        Ok(tenant) => tenant,
        Err(error) => {
            let exit = super::exit_of(&error);
            return match error.message.split_once(": write ") {
                Some((seen, mend)) => Finding::failed(exit, seen, format!("write {mend}")),
                None => super::refused(&error, "check `tenant` and `environment`"),
            };
        }
    };
    let region = tenant.region.scope.as_deref().unwrap_or("not said");
    match &tenant.id {
        Some(id) => Finding::ok(format!("{named} is tenant {id}, region {region}")),
        None => Finding::information(format!(
            "the tenant's id and cloud are not known before the sign-in: {} gave no discovery document, or the setting \
             `discovery` is off",
            parts.endpoint.base
        )),
    }
}
