//! How a mailbox answers meeting requests.

use super::super::directory::Class;
use super::super::errors::Failure;
use super::parameters::{Kind, Parameter, all, own, p};
use super::{Answer, Call, Cmdlet, Effect};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet { name: "Get-CalendarProcessing", effect: Effect::Read, parameters: &[GET], run: get },
    Cmdlet {
        name: "Set-CalendarProcessing",
        effect: Effect::Write,
        parameters: &[SET, BOOLS, NUMBERS],
        run: set,
    },
];

const GET: &[Parameter] = &[own("Identity"), own("UseCustomRouting")];

/// Delegates come back as names, those who may book as legacy DNs. Source: protocol reference, 6.1.
const SET: &[Parameter] = &[
    own("Identity"),
    own("IgnoreDefaultScope"),
    p("AutomateProcessing", Kind::Word),
    p("BookingType", Kind::Word),
    p("AdditionalResponse", Kind::Text),
    p("ResourceDelegates", Kind::RecipientList),
    p("BookInPolicy", Kind::LegacyNames),
    p("RequestInPolicy", Kind::LegacyNames),
    p("RequestOutOfPolicy", Kind::LegacyNames),
];

pub(in super::super) const BOOL_NAMES: [&str; 25] = [
    "AddAdditionalResponse",
    "AddNewRequestsTentatively",
    "AddOrganizerToSubject",
    "AllBookInPolicy",
    "AllowConflicts",
    "AllowRecurringMeetings",
    "AllRequestInPolicy",
    "AllRequestOutOfPolicy",
    "DeleteAttachments",
    "DeleteComments",
    "DeleteNonCalendarItems",
    "DeleteSubject",
    "EnableAutoRelease",
    "EnableResponseDetails",
    "EnforceCapacity",
    "EnforceSchedulingHorizon",
    "ForwardRequestsToDelegates",
    "OrganizerInfo",
    "ProcessExternalMeetingMessages",
    "RemoveCanceledMeetings",
    "RemoveForwardedMeetingNotifications",
    "RemoveOldMeetingMessages",
    "RemovePrivateProperty",
    "ScheduleOnlyDuringWorkHours",
    "TentativePendingApproval",
];

const BOOLS: &[Parameter] = &all(BOOL_NAMES, Kind::Bool);

const NUMBERS: &[Parameter] = &all(
    [
        "BookingWindowInDays",
        "ConflictPercentageAllowed",
        "MaximumConflictInstances",
        "MaximumDurationInMinutes",
        "MinimumDurationInMinutes",
        "PostReservationMaxClaimTimeInMinutes",
    ],
    Kind::Int,
);

fn get(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let index = call.identity(Class::CalendarProcessing)?;
    Ok(Answer::Objects(vec![call.read(Class::CalendarProcessing, index)]))
}

fn set(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let index = call.identity(Class::CalendarProcessing)?;
    call.set(Class::CalendarProcessing, index, |_, _, _| Ok(()))
}
