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

/// The header's value for calls to `place`: the tenant's id, or its domain ([`routed`] chooses).
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

/// The header's value for `caller` in a service. Security & Compliance finds the tenant by its initial domain and by
/// nothing else, so there an anchor without it (another domain of a person's name, the tenant's id) gives way to the
/// system mailbox of that domain.
///
/// # Errors
/// In words, if a domain is needed and `organization`, the tenant as the job names it, is an id.
pub fn routed(
    service: Service,
    caller: Caller<'_>,
    tenant_id: &str,
    organization: &str,
) -> Result<String, String> {
    let is_compliance = service == Service::SecurityCompliance;
    let caller = match caller {
        Caller::Person(name) if is_compliance && !is_of(name, organization) => Caller::Partner,
        Caller::Tenant if is_compliance => Caller::Application,
        caller => caller,
    };
    let wants_domain = match caller {
        Caller::Person(_) | Caller::Tenant => false,
        Caller::OAuthUser => true,
        Caller::Partner | Caller::Application => is_compliance,
    };
    if wants_domain && Uuid::try_parse(organization).is_ok() {
        let whose = if is_compliance { "Security & Compliance routes" } else { "this anchor routes" };
        return Err(format!(
            "{whose} by the tenant's initial domain: name the tenant by it (contoso.onmicrosoft.com), not by its id"
        ));
    }
    Ok(anchor(caller, if wants_domain { organization } else { tenant_id }))
}

fn is_of(name: &str, domain: &str) -> bool {
    name.rsplit_once('@').is_some_and(|(_, of)| of.eq_ignore_ascii_case(domain))
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
        let system = "SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}";
        let exchange = |caller| routed(Service::ExchangeOnline, caller, id, domain).unwrap();
        assert_eq!(exchange(Caller::Application), format!("APP:{system}@{id}"));
        assert_eq!(exchange(Caller::Person("a@c.example")), "UPN:a@c.example");
        assert_eq!(exchange(Caller::OAuthUser), format!("UPN:OAuthUser@{domain}"));
        assert_eq!(exchange(Caller::Tenant), format!("TID:{id}"));
        let compliance = |caller| routed(Service::SecurityCompliance, caller, id, domain).unwrap();
        assert_eq!(compliance(Caller::Application), format!("APP:{system}@{domain}"));
        assert_eq!(compliance(Caller::Tenant), format!("APP:{system}@{domain}"));
        assert_eq!(compliance(Caller::Partner), format!("UPN:{system}@{domain}"));
        assert_eq!(compliance(Caller::Person("a@c.example")), format!("UPN:{system}@{domain}"));
        assert_eq!(compliance(Caller::Person("a@Contoso.onmicrosoft.com")), "UPN:a@Contoso.onmicrosoft.com");
        let by_id = |service, caller| routed(service, caller, id, id).unwrap_err();
        assert!(by_id(Service::SecurityCompliance, Caller::Application).contains("initial domain"));
        assert!(by_id(Service::SecurityCompliance, Caller::Person("a@c.example")).contains("initial domain"));
        assert!(by_id(Service::ExchangeOnline, Caller::OAuthUser).contains("initial domain"));
    }
}
