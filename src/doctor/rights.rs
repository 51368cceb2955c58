//! What the token is for, and what it allows. A token that a run refuses never comes so far.

use super::Finding;
use crate::observe::escape::one_line;
use crate::rules::rights::Worth;
use crate::signin::AccessToken;

pub(super) fn look(token: &AccessToken) -> Finding {
    let facts = &token.facts;
    let seen = format!(
        "for {}, tenant {}, {}",
        one_line(&facts.audience, 120),
        one_line(&facts.tenant_id, 64),
        facts.shown_rights()
    );
    match facts.worth() {
        Worth::Known => Finding::ok(seen),
        _ => Finding::warning(
            format!(
                "{seen}: none of them is known to let it call cmdlets, and the setting `expected_rights` is `any`"
            ),
            facts.mend_of_rights(),
        ),
    }
}
