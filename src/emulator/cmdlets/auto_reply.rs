//! Automatic replies.

use super::super::directory::Class;
use super::super::errors::Failure;
use super::super::prop::Prop;
use super::parameters::{Kind, Parameter, all, own, p};
use super::{Answer, Call, Cmdlet, Effect};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet { name: "Get-MailboxAutoReplyConfiguration", effect: Effect::Read, parameters: &[GET], run: get },
    Cmdlet {
        name: "Set-MailboxAutoReplyConfiguration",
        effect: Effect::Write,
        parameters: &[SET, BOOLS],
        run: set,
    },
];

const GET: &[Parameter] = &[own("Identity"), own("UseCustomRouting")];

const SET: &[Parameter] = &[
    own("Identity"),
    own("IgnoreDefaultScope"),
    p("AutoReplyState", Kind::Word),
    p("InternalMessage", Kind::Text),
    p("ExternalMessage", Kind::Text),
    p("ExternalAudience", Kind::Word),
    p("StartTime", Kind::Date),
    p("EndTime", Kind::Date),
    p("OOFEventSubject", Kind::Text),
    p("DeclineMeetingMessage", Kind::Text),
];

const BOOLS: &[Parameter] = &all(
    [
        "CreateOOFEvent",
        "DeclineEventsForScheduledOOF",
        "DeclineAllEventsForScheduledOOF",
        "AutoDeclineFutureRequestsWhenOOF",
    ],
    Kind::Bool,
);

fn get(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let index = call.identity(Class::AutoReply)?;
    Ok(Answer::Objects(vec![call.read(Class::AutoReply, index)]))
}

fn set(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let index = call.identity(Class::AutoReply)?;
    call.set(Class::AutoReply, index, |_, old, changes| {
        for message in ["InternalMessage", "ExternalMessage"] {
            if let Some(Prop::Text(text)) = changes.get_mut(message) {
                *text = in_html(text).into();
            }
        }
        let at = |name| match changes.get(name).or_else(|| old.get(name)) {
            Some(Prop::Date(at)) => Some(*at),
            _ => None,
        };
        let state = changes.get("AutoReplyState").or_else(|| old.get("AutoReplyState"));
        let scheduled = state == Some(&Prop::text("Scheduled"));
        if scheduled && at("StartTime") >= at("EndTime") {
            let text = "The end time must be later than the start time of scheduled automatic replies.";
            return Err(Failure::invalid("Microsoft.Exchange.Data.DataValidationException", text));
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
