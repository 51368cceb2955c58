//! What there is one of for each mailbox besides the mailbox itself: automatic replies, regional settings, calendar
//! processing, junk email.

use super::cmdlets::CALENDAR_BOOLS;
use super::folders;
use super::mailbox::Tenant;
use super::people::{self, Kind};
use super::prop::{Object, Prop};
use super::random::mix;

const LOGON: u64 = 23;

impl Tenant {
    /// Whether nobody ever opened the mailbox; one that a cmdlet made is never opened.
    pub(super) fn never_logged_on(&self, index: u64) -> bool {
        index >= self.mailboxes || mix(self.seed, index, LOGON).is_multiple_of(9)
    }

    /// Properties of the settings of one mailbox.
    fn settings(&self, index: u64, own: Vec<(&'static str, Prop)>) -> Object {
        let name = self.name(index);
        let mut p = vec![("Identity", Prop::text(name.clone())), ("MailboxOwnerId", Prop::text(name))];
        p.extend(own);
        p.extend([("IsValid", Prop::Bool(true)), ("ObjectState", Prop::text("Unchanged"))]);
        Object::new(p)
    }

    pub(super) fn auto_reply(&self, index: u64) -> Object {
        self.settings(
            index,
            vec![
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
            ],
        )
    }

    /// Nothing is set before somebody opened the mailbox.
    pub(super) fn regional(&self, index: u64) -> Object {
        let culture = folders::made_up(self, index);
        let set =
            |text: &'static str| if self.never_logged_on(index) { Prop::Null } else { Prop::text(text) };
        self.settings(
            index,
            vec![
                ("Language", set(culture.name)),
                ("TimeZone", set(culture.time_zone)),
                ("DateFormat", set(culture.dates[0])),
                ("TimeFormat", set(culture.times[0])),
                ("DefaultFolderNameMatchingUserLanguage", Prop::Bool(false)),
            ],
        )
    }

    /// Rooms answer by themselves.
    pub(super) fn calendar_processing(&self, index: u64) -> Object {
        let room = people::kind(self.seed, index) == Kind::Room;
        let mut p = vec![
            ("AutomateProcessing", Prop::text(if room { "AutoAccept" } else { "AutoUpdate" })),
            ("BookingType", Prop::text("Standard")),
            ("BookingWindowInDays", Prop::Int(180)),
            ("MaximumDurationInMinutes", Prop::Int(1440)),
            ("MinimumDurationInMinutes", Prop::Int(0)),
            ("ConflictPercentageAllowed", Prop::Int(0)),
            ("MaximumConflictInstances", Prop::Int(0)),
            ("PostReservationMaxClaimTimeInMinutes", Prop::Int(10)),
            ("AdditionalResponse", Prop::text("")),
            ("ResourceDelegates", Prop::List(Vec::new())),
            ("BookInPolicy", Prop::List(Vec::new())),
            ("RequestInPolicy", Prop::List(Vec::new())),
            ("RequestOutOfPolicy", Prop::List(Vec::new())),
        ];
        const ON: [&str; 14] = [
            "AddNewRequestsTentatively",
            "AddOrganizerToSubject",
            "AllBookInPolicy",
            "AllowRecurringMeetings",
            "DeleteAttachments",
            "DeleteComments",
            "DeleteNonCalendarItems",
            "DeleteSubject",
            "EnableResponseDetails",
            "EnforceSchedulingHorizon",
            "ForwardRequestsToDelegates",
            "OrganizerInfo",
            "RemovePrivateProperty",
            "TentativePendingApproval",
        ];
        p.extend(CALENDAR_BOOLS.map(|name| (name, Prop::Bool(ON.contains(&name)))));
        self.settings(index, p)
    }

    pub(super) fn junk_email(&self, index: u64) -> Object {
        self.settings(
            index,
            vec![
                ("Enabled", Prop::Bool(!self.never_logged_on(index))),
                ("TrustedListsOnly", Prop::Bool(false)),
                ("ContactsTrusted", Prop::Bool(false)),
                ("TrustedSendersAndDomains", Prop::List(Vec::new())),
                ("TrustedRecipientsAndDomains", Prop::List(Vec::new())),
                ("BlockedSendersAndDomains", Prop::List(Vec::new())),
            ],
        )
    }
}
