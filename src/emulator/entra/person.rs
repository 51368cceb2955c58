//! Who can sign in as a person: the administrator, and the holders of mailboxes; and what stops them.

use uuid::Uuid;

use super::super::account::Trouble;
use super::super::directory::Class;
use super::super::prop::Prop;
use super::super::random::guid;
use super::super::state::State;
use super::super::tokens::{Rights, Subject};
use super::{Refusal, codes, refusal};

const ADMINISTRATOR: u64 = 61;
const ACCOUNT: u64 = 62;
const PARTNER: u64 = 63;

/// A person of the tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) upn: String,
    oid: Uuid,
    rights: Rights,
    disabled: bool,
}

impl Person {
    pub(super) fn administrator(state: &State) -> Person {
        Person {
            upn: format!("admin@{}", state.tenant.initial_domain),
            oid: guid(state.tenant.seed, 0, ADMINISTRATOR),
            rights: Rights::Full,
            disabled: false,
        }
    }

    /// Whose user principal name this is. Holders of mailboxes have no directory role.
    pub(super) fn find(state: &State, upn: &str) -> Result<Person, Refusal> {
        let administrator = Person::administrator(state);
        if administrator.upn.eq_ignore_ascii_case(upn) {
            return Ok(administrator);
        }
        if let Some((number, upn)) = state.signins().account(upn) {
            let oid = guid(state.tenant.seed, number, ACCOUNT);
            return Ok(Person { upn, oid, rights: Rights::Full, disabled: false });
        }
        if let Some(partner) = partner(state, upn) {
            return partner;
        }
        let directory = state.directory();
        let user = directory.find(Class::User, upn).map(|index| directory.current(Class::User, index));
        user.filter(|user| user.text("UserPrincipalName").eq_ignore_ascii_case(upn))
            .and_then(|user| {
                Some(Person {
                    upn: user.text("UserPrincipalName").into_owned(),
                    oid: Uuid::parse_str(&user.text("ExternalDirectoryObjectId")).ok()?,
                    rights: Rights::NoDirectoryRole,
                    disabled: matches!(user.get("AccountDisabled"), Some(Prop::Bool(true))),
                })
            })
            .ok_or_else(|| stopped(50_034))
    }

    pub(super) fn subject(&self, client_id: &str) -> Subject {
        Subject {
            client_id: client_id.to_owned(),
            oid: self.oid,
            upn: Some(self.upn.clone()),
            rights: self.rights,
        }
    }

    /// Whether a program may sign in for this person without a page.
    pub(super) fn admit_without_page(&self, state: &State) -> Result<(), Refusal> {
        self.admit(state)?;
        match state.signins().trouble(&self.upn) {
            Some(Trouble::SecondFactor) => Err(stopped(50_076)),
            _ => Ok(()),
        }
    }

    /// What stops this person, if anything does; a second factor is not looked at.
    pub(super) fn admit(&self, state: &State) -> Result<(), Refusal> {
        if self.disabled {
            return Err(stopped(50_057));
        }
        match state.signins().trouble(&self.upn) {
            Some(Trouble::Refused(code)) => Err(stopped(code)),
            Some(Trouble::Federated | Trouble::SecondFactor) | None => Ok(()),
        }
    }
}

/// A user of another tenant: with a relationship one who works here without a mailbox. Source: protocol reference, 5.
fn partner(state: &State, upn: &str) -> Option<Result<Person, Refusal>> {
    let (_, domain) = upn.rsplit_once('@')?;
    if state.tenant.accepted_domains().iter().any(|own| own.eq_ignore_ascii_case(domain)) {
        return None;
    }
    let known = state.options.partner_users.iter().enumerate();
    let found = known.clone().find(|(_, partner)| partner.eq_ignore_ascii_case(upn));
    let person = found.map(|(number, partner)| Person {
        upn: partner.clone(),
        oid: guid(state.tenant.seed, number as u64, PARTNER),
        rights: Rights::Full,
        disabled: false,
    });
    Some(person.ok_or_else(|| stopped(50_020)))
}

/// The refusal of a person. Source: protocol reference, 2.2 (`suberror`, `claims`), 2.3 and 2.4 (`invalid_grant`).
pub(super) fn stopped(code: u32) -> Refusal {
    let (text, suberror) = codes::of_person(code).expect("only codes of the table get here");
    let claims = codes::wants_claims(code).then(|| {
        let policy = Uuid::new_v4();
        format!(r#"{{"access_token":{{"capolids":{{"essential":true,"values":["{policy}"]}}}}}}"#)
    });
    Refusal { suberror, claims, ..refusal(400, "invalid_grant", code, text) }
}
