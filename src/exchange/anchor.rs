//! The routing hint that every request carries. Source: protocol reference, 3.3.

use uuid::Uuid;

use crate::catalog::Service;

/// The organization's own system mailbox, where calls land that have no mailbox of their own there.
const SYSTEM_MAILBOX: &str = "SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}";
/// The mailbox that keeps the audit settings.
const AUDIT_MAILBOX: &str = "SystemMailbox{8cc370d3-822a-4ab8-a926-bb94bd0641a9}";

/// Who makes the calls, as far as routing cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller<'a> {
    /// A person with this user principal name.
    Person(&'a str),
    /// A person of a partner, who has no mailbox in the customer's tenant. Source: protocol reference, 5.
    Partner,
    /// An application, as most clients and Microsoft's own documentation route one.
    Application,
    /// An application, as one reading of the module routes it: `UPN:OAuthUser@`.
    OAuthUser,
    /// Nobody in particular: only the tenant is known.
    Tenant,
}

/// The header's value for calls to `place`: the tenant's id, or its domain (see [`place`]).
pub fn anchor(caller: Caller<'_>, place: &str) -> String {
    match caller {
        Caller::Person(user_principal_name) => format!("UPN:{user_principal_name}"),
        Caller::Partner => format!("UPN:{SYSTEM_MAILBOX}@{place}"),
        Caller::Application => format!("APP:{SYSTEM_MAILBOX}@{place}"),
        Caller::OAuthUser => format!("UPN:OAuthUser@{place}"),
        Caller::Tenant => format!("TID:{place}"),
    }
}

/// The value for `Set-AdminAuditLogConfig`, which has to land on the mailbox that keeps the audit settings.
pub(super) fn audit_anchor(organization: &str) -> String {
    format!("UPN:{AUDIT_MAILBOX}@{organization}")
}

/// What an anchor names the tenant by: its id, but the initial domain for Security & Compliance, which does not
/// find the tenant by an id, and for [`Caller::OAuthUser`], whose form has a domain.
///
/// # Errors
/// In words, if a domain is needed and `organization` is an id.
pub fn place<'a>(
    service: Service,
    caller: Caller<'_>,
    tenant_id: &'a str,
    organization: &'a str,
) -> Result<&'a str, String> {
    let is_compliance = service == Service::SecurityCompliance;
    if !is_compliance && caller != Caller::OAuthUser {
        return Ok(tenant_id);
    }
    // A tenant has no domain in this form, which holds its id whatever the service.
    if caller == Caller::Tenant {
        return Ok(tenant_id);
    }
    if Uuid::try_parse(organization).is_ok() {
        let whose = if is_compliance { "Security & Compliance routes" } else { "this anchor routes" };
        return Err(format!(
            "{whose} by the tenant's initial domain: name the tenant by it (contoso.onmicrosoft.com), not by its id"
        ));
    }
    Ok(organization)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_routed_by_name_and_who_has_no_mailbox_by_the_system_mailbox() {
        assert_eq!(anchor(Caller::Person("admin@contoso.example"), "t"), "UPN:admin@contoso.example");
        assert_eq!(
            anchor(Caller::Application, "d3a1"),
            "APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@d3a1"
        );
        assert_eq!(
            anchor(Caller::Partner, "c057"),
            "UPN:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@c057"
        );
        assert_eq!(anchor(Caller::OAuthUser, "c.onmicrosoft.com"), "UPN:OAuthUser@c.onmicrosoft.com");
        assert_eq!(anchor(Caller::Tenant, "d3a1"), "TID:d3a1");
    }

    #[test]
    fn security_and_compliance_is_routed_by_the_domain_and_by_nothing_else() {
        let (id, domain) = ("11111111-2222-3333-4444-555555555555", "contoso.onmicrosoft.com");
        let exchange = Service::ExchangeOnline;
        assert_eq!(place(exchange, Caller::Application, id, domain), Ok(id));
        assert_eq!(place(exchange, Caller::OAuthUser, id, domain), Ok(domain));
        let compliance = Service::SecurityCompliance;
        assert_eq!(place(compliance, Caller::Application, id, domain), Ok(domain));
        assert!(place(compliance, Caller::Application, id, id).unwrap_err().contains("initial domain"));
        assert!(place(exchange, Caller::OAuthUser, id, id).unwrap_err().contains("initial domain"));
    }
}
