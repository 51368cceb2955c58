//! Automatic replies.

use super::super::directory::Class;
use super::super::errors::Failure;
use super::super::prop::Prop;
use super::parameters::{Kind, Parameter, missing, own, p};
use super::{Answer, Call, Cmdlet, Effect};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet {
        name: "Get-MailboxAutoReplyConfiguration",
        effect: Effect::Read,
        parameters: &[GET],
        run: get_reply,
    },
    Cmdlet {
        name: "Set-MailboxAutoReplyConfiguration",
        effect: Effect::Write,
        parameters: &[SET_REPLY],
        run: set_reply,
    },
];

const GET: &[Parameter] = &[own("Identity"), missing("ResultSize")];

const SET_REPLY: &[Parameter] = &[
    own("Identity"),
    p("AutoReplyState", Kind::OneOf(&["Disabled", "Enabled", "Scheduled"])),
    p("InternalMessage", Kind::Text),
    p("ExternalMessage", Kind::Text),
    p("ExternalAudience", Kind::OneOf(&["None", "Known", "All"])),
    p("CreateOOFEvent", Kind::Bool),
    p("OOFEventSubject", Kind::Text),
    p("DeclineEventsForScheduledOOF", Kind::Bool),
    p("DeclineAllEventsForScheduledOOF", Kind::Bool),
    p("AutoDeclineFutureRequestsWhenOOF", Kind::Bool),
    p("DeclineMeetingMessage", Kind::Text),
    missing("StartTime"),
    missing("EndTime"),
    missing("EventsToDeleteIDs"),
    missing("IgnoreDefaultScope"),
];

fn get_reply(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let index = call.identity(Class::AutoReply)?;
    Ok(Answer::Objects(vec![call.read(Class::AutoReply, index)]))
}

fn set_reply(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let index = call.identity(Class::AutoReply)?;
    call.set(Class::AutoReply, index, |_, _, changes| {
        for message in ["InternalMessage", "ExternalMessage"] {
            if let Some(Prop::Text(text)) = changes.get_mut(message) {
                *text = in_html(text).into();
            }
        }
        Ok(())
    })
}

/// The service wraps a message in HTML; one that is wrapped already stays as it is.
fn in_html(text: &str) -> String {
    if text.is_empty() || text.trim_start().to_ascii_lowercase().starts_with("<html") {
        return text.to_owned();
    }
    format!("<html>\n<body>\n{text}\n</body>\n</html>\n")
}
