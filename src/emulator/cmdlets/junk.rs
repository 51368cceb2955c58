//! The junk email settings of a mailbox.

use super::super::directory::Class;
use super::super::errors::Failure;
use super::parameters::{Kind, Parameter, own, p};
use super::{Answer, Call, Cmdlet, Effect};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet { name: "Get-MailboxJunkEmailConfiguration", effect: Effect::Read, parameters: &[GET], run: get },
    Cmdlet { name: "Set-MailboxJunkEmailConfiguration", effect: Effect::Write, parameters: &[SET], run: set },
];

const GET: &[Parameter] = &[own("Identity")];

const SET: &[Parameter] = &[
    own("Identity"),
    own("IgnoreDefaultScope"),
    p("Enabled", Kind::Bool),
    p("TrustedListsOnly", Kind::Bool),
    p("ContactsTrusted", Kind::Bool),
    p("TrustedSendersAndDomains", Kind::List),
    p("TrustedRecipientsAndDomains", Kind::List),
    p("BlockedSendersAndDomains", Kind::List),
];

fn get(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let index = call.identity(Class::JunkEmail)?;
    Ok(Answer::Objects(vec![call.read(Class::JunkEmail, index)]))
}

fn set(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let index = call.identity(Class::JunkEmail)?;
    // Source: protocol reference, 6.1; the exception's name is not published.
    if call.directory.tenant.never_logged_on(index) {
        let name = call.directory.name(index);
        let text = format!(
            "The junk email rule of mailbox '{name}' isn't available. The user must sign in to the mailbox once before it can be configured."
        );
        return Err(Failure::invalid("Microsoft.Exchange.Data.Storage.InvalidOperationException", &text));
    }
    call.set(Class::JunkEmail, index, |_, _, _| Ok(()))
}
