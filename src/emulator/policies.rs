//! Protection policies, the marking of external senders, automatic replies.

use super::mailbox::Tenant;
use super::prop::{Object, Prop};
use super::random::guid;

const POLICY: u64 = 50;

/// Policies are numbered far away from the mailboxes, so that their made-up dates differ.
const FAR: u64 = 1 << 41;

impl Tenant {
    pub(super) fn outbound_spam_policy(&self) -> Object {
        let id = guid(self.seed, 0, POLICY);
        let mut p = self.directory_properties(FAR, "Default", id, "msExchHostedOutboundSpamFilterConfig");
        p.extend([
            ("AdminDisplayName", Prop::text("")),
            ("Enabled", Prop::Bool(true)),
            ("IsDefault", Prop::Bool(true)),
            ("AutoForwardingMode", Prop::text("Automatic")),
            ("ActionWhenThresholdReached", Prop::text("BlockUserForToday")),
            ("RecipientLimitExternalPerHour", Prop::Int(0)),
            ("RecipientLimitInternalPerHour", Prop::Int(0)),
            ("RecipientLimitPerDay", Prop::Int(0)),
            ("BccSuspiciousOutboundMail", Prop::Bool(false)),
            ("BccSuspiciousOutboundAdditionalRecipients", Prop::List(Vec::new())),
            ("NotifyOutboundSpam", Prop::Bool(false)),
            ("NotifyOutboundSpamRecipients", Prop::List(Vec::new())),
        ]);
        Object::new(p)
    }

    pub(super) fn external_in_outlook(&self) -> Object {
        Object::new(vec![
            ("Identity", Prop::text(self.id.to_string())),
            ("Enabled", Prop::Bool(false)),
            ("AllowList", Prop::List(vec![String::new()])),
            ("IsValid", Prop::Bool(true)),
            ("ObjectState", Prop::text("Unchanged")),
        ])
    }

    pub(super) fn auto_reply(&self, index: u64) -> Object {
        let name = self.name(index);
        Object::new(vec![
            ("Identity", Prop::text(name.clone())),
            ("MailboxOwnerId", Prop::text(name)),
            ("AutoReplyState", Prop::text("Disabled")),
            ("InternalMessage", Prop::text("")),
            ("ExternalMessage", Prop::text("")),
            ("ExternalAudience", Prop::text("All")),
            ("StartTime", Prop::Date(self.created(index))),
            ("EndTime", Prop::Date(self.created(index))),
            ("CreateOOFEvent", Prop::Bool(false)),
            ("OOFEventSubject", Prop::text("")),
            ("DeclineEventsForScheduledOOF", Prop::Bool(false)),
            ("DeclineAllEventsForScheduledOOF", Prop::Bool(false)),
            ("AutoDeclineFutureRequestsWhenOOF", Prop::Bool(false)),
            ("DeclineMeetingMessage", Prop::text("")),
            ("IsValid", Prop::Bool(true)),
            ("ObjectState", Prop::text("Unchanged")),
        ])
    }
}
