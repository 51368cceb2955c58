//! The `X-AnchorMailbox` header: which mailbox's server a request is routed to. Source: protocol reference, 3.3.

/// The organization's system mailbox, where calls land that have no mailbox of their own there.
const SYSTEM_MAILBOX: &str = "SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}";

/// Who makes the calls, as far as routing cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller<'a> {
    /// A person with this user principal name.
    Person(&'a str),
    /// A person of a partner, who has no mailbox in the customer's tenant. Source: protocol reference, 5.
    Partner,
    /// An application.
    Application,
}

/// The header's value for calls to the tenant `tenant_id`.
pub fn anchor(caller: Caller<'_>, tenant_id: &str) -> String {
    match caller {
        Caller::Person(user_principal_name) => format!("UPN:{user_principal_name}"),
        Caller::Partner => format!("UPN:{SYSTEM_MAILBOX}@{tenant_id}"),
        Caller::Application => format!("APP:{SYSTEM_MAILBOX}@{tenant_id}"),
    }
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
    }
}
