//! The cmdlets that the emulator knows: those written by hand, each with its own list of parameters, and those of the
//! catalog. All others are refused as the service refuses what a role does not include.

mod addresses;
mod auto_reply;
mod blocklist;
mod calendar;
mod cas;
mod catalogued;
mod change;
mod contact;
mod dynamic_group;
mod folder_permission;
mod group;
mod identify;
mod inbox_rules;
mod junk;
mod mailbox;
mod mailbox_life;
mod members;
mod parameters;
mod permission;
mod quarantine;
mod recipient;
mod regional;
mod reports;
mod rules;
mod send_as;
mod settle;
mod shelved;
mod target;
mod traces;
mod unified_group;
mod user;
mod values;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::directory::{Class, Directory};
use super::errors::Failure;
use super::filter::Filter;
use super::paging::RESULT_SIZE_DEFAULT;
use super::prop::Object;
use super::shelf::Source;
use super::wanted::Wanted;
pub(super) use calendar::BOOL_NAMES as CALENDAR_BOOLS;
use parameters::{Given, Parameter};

/// Whether a cmdlet changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Read,
    Write,
}

/// One cmdlet.
pub(super) struct Cmdlet {
    pub(super) name: &'static str,
    pub(super) effect: Effect,
    parameters: &'static [&'static [Parameter]],
    run: fn(&mut Call<'_>) -> Result<Answer, Failure>,
}

const CMDLETS: &[&[Cmdlet]] = &[
    mailbox::CMDLETS,
    mailbox_life::CMDLETS,
    recipient::CMDLETS,
    group::CMDLETS,
    members::CMDLETS,
    dynamic_group::CMDLETS,
    unified_group::CMDLETS,
    contact::CMDLETS,
    cas::CMDLETS,
    user::CMDLETS,
    auto_reply::CMDLETS,
    regional::CMDLETS,
    calendar::CMDLETS,
    junk::CMDLETS,
    inbox_rules::CMDLETS,
    folder_permission::CMDLETS,
    send_as::CMDLETS,
    permission::CMDLETS,
    reports::CMDLETS,
];

/// Every cmdlet.
pub(super) fn all() -> impl Iterator<Item = &'static Cmdlet> {
    all_hand_written().chain(catalogued::all())
}

fn all_hand_written() -> impl Iterator<Item = &'static Cmdlet> {
    CMDLETS.iter().copied().flatten()
}

fn hand_written(name: &str) -> Option<&'static Cmdlet> {
    all_hand_written().find(|cmdlet| cmdlet.name.eq_ignore_ascii_case(name))
}

impl Cmdlet {
    /// What follows the verb.
    fn noun(&self) -> &'static str {
        self.name.split_once('-').map_or("", |(_, noun)| noun)
    }

    /// Whether nothing but its parameters is known of it.
    pub(super) fn is_synthesized(&self) -> bool {
        catalogued::is_synthesized(self)
    }
}

/// The cmdlet of this name, in any case.
pub(super) fn find(name: &str) -> Option<&'static Cmdlet> {
    all().find(|cmdlet| cmdlet.name.eq_ignore_ascii_case(name))
}

/// The body of a request, read.
#[derive(Clone, Debug)]
pub(super) struct Invocation {
    pub(super) cmdlet: String,
    pub(super) parameters: serde_json::Map<String, Value>,
    /// The user principal name of the signed-in user; an application has none.
    pub(super) caller: Option<String>,
}

impl Invocation {
    pub(super) fn parse(body: &[u8]) -> Result<Invocation, Failure> {
        let body: Value =
            serde_json::from_slice(body).map_err(|error| Failure::bad_body(&error.to_string()))?;
        let input = &body["CmdletInput"];
        let Some(cmdlet) = input["CmdletName"].as_str() else {
            return Err(Failure::bad_body("CmdletInput.CmdletName must be a string."));
        };
        let Some(parameters) = input["Parameters"].as_object() else {
            return Err(Failure::bad_body("CmdletInput.Parameters must be an object; an empty one is {}."));
        };
        Ok(Invocation { cmdlet: cmdlet.to_owned(), parameters: parameters.clone(), caller: None })
    }
}

/// What a cmdlet shows.
pub(super) enum Answer {
    Listing(Listing),
    Objects(Vec<Object>),
    /// Not all of them, and how to get the others.
    Some {
        objects: Vec<Object>,
        warnings: Vec<String>,
    },
    /// A write; most say nothing.
    Done {
        warnings: Vec<String>,
    },
    /// `WhatIf` or `Confirm`: what it would do.
    Confirm(String),
}

/// A cmdlet at work.
pub(super) struct Call<'a> {
    cmdlet: &'static Cmdlet,
    given: Given,
    /// The user principal name of the signed-in user; an application has none.
    caller: Option<String>,
    directory: &'a mut Directory,
    /// Milliseconds since boot.
    now: u64,
    wall: Timestamp,
    /// How long reads go on showing the old values.
    stale: Option<Duration>,
}

/// Checks the parameters and runs the cmdlet.
pub(super) fn run(
    cmdlet: &'static Cmdlet,
    invocation: &Invocation,
    directory: &mut Directory,
    now: u64,
    wall: Timestamp,
    stale: Option<Duration>,
) -> Result<Answer, Failure> {
    let given = Given::check(cmdlet.name, cmdlet.effect, cmdlet.parameters, &invocation.parameters)?;
    let caller = invocation.caller.clone();
    (cmdlet.run)(&mut Call { cmdlet, given, caller, directory, now, wall, stale })
}

impl Call<'_> {
    /// The object that `parameter` names, if the parameter is given.
    fn named(&self, class: Class, parameter: &'static str) -> Result<Option<u64>, Failure> {
        if self.given.value(parameter).is_none() {
            return Ok(None);
        }
        // An empty identity names nothing; to take it for "all" would be the worst of guesses.
        let identity = self.given.text(parameter)?.filter(|text| !text.is_empty()).ok_or_else(|| {
            Failure::transformation(parameter, "The argument is null or empty. Provide one that is not.")
        })?;
        let found = self.directory.find(class, &identity);
        let found = found.filter(|index| self.directory.is_there(class, *index, self.now));
        found.map(Some).ok_or_else(|| Failure::not_found(&identity))
    }

    /// The object that `Identity` must name.
    fn identity(&self, class: Class) -> Result<u64, Failure> {
        self.named(class, "Identity")?.ok_or_else(|| Failure::missing_parameter("Identity"))
    }

    fn read(&self, class: Class, index: u64) -> Object {
        self.directory.read(class, index, self.now)
    }

    /// What `WhatIf` and `Confirm` answer, if one of them was given.
    fn asked(&self, target: &str) -> Result<Option<Answer>, Failure> {
        let asked = self.given.switch("WhatIf")? || self.given.switch("Confirm")?;
        let text = format!("Performing the operation \"{}\" on target \"{target}\".", self.cmdlet.name);
        Ok(asked.then_some(Answer::Confirm(text)))
    }

    /// One object by `Identity`, else a listing.
    fn one_or_all(&self, class: Class) -> Result<Answer, Failure> {
        match self.named(class, "Identity")? {
            Some(index) => Ok(Answer::Objects(vec![self.read(class, index)])),
            None => Ok(Answer::Listing(self.listing(class)?)),
        }
    }
}

/// How many objects a listing may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResultSize {
    /// Not given.
    Default,
    Number(u64),
    Unlimited,
}

impl ResultSize {
    pub(super) fn limit(self) -> Option<u64> {
        match self {
            ResultSize::Default => Some(RESULT_SIZE_DEFAULT),
            ResultSize::Number(number) => Some(number),
            ResultSize::Unlimited => None,
        }
    }

    /// What is said when there was more.
    pub(super) fn warnings(self) -> Vec<String> {
        let more = "There are more results available than are currently displayed. To view them, increase the value \
                    for the ResultSize parameter.";
        let default = "By default, only the first 1000 items are returned. Use the ResultSize parameter to specify the \
                       number of items returned. To return all items, specify \"-ResultSize Unlimited\".";
        match self {
            ResultSize::Default => vec![default.to_owned(), more.to_owned()],
            _ => vec![more.to_owned()],
        }
    }
}

/// Many objects, page by page.
pub(super) struct Listing {
    pub(super) source: Source,
    pub(super) result_size: ResultSize,
    /// The only properties that are shown.
    pub(super) only: Option<&'static [&'static str]>,
    /// More conditions go beside it by [`Listing::and`].
    filter: Option<Filter>,
    types: Option<Vec<String>>,
    anr: Option<String>,
}

impl Call<'_> {
    /// The listing that the parameters describe.
    fn listing(&self, source: impl Into<Source>) -> Result<Listing, Failure> {
        let source = source.into();
        let given = &self.given;
        let filter = given.text("Filter")?.map(|text| self.filter(source, &text)).transpose()?;
        let types = given.list("RecipientTypeDetails")?;
        if let Some(unknown) =
            types.iter().flatten().find(|own| !TYPES.iter().any(|t| t.eq_ignore_ascii_case(own)))
        {
            return Err(values::not_one_of("RecipientTypeDetails", unknown, TYPES));
        }
        let anr = given.text("Anr")?.map(|text| text.to_lowercase());
        Ok(Listing { source, result_size: given.result_size()?, only: None, filter, types, anr })
    }

    fn filter(&self, source: Source, text: &str) -> Result<Filter, Failure> {
        let refuse = |problem: &str| {
            Failure::invalid("Microsoft.Exchange.Configuration.Tasks.InvalidFilterException", problem)
        };
        let filter = Filter::parse(text).map_err(|problem| refuse(&problem))?;
        // All objects of a class or a noun have the same properties. Where there is no object, all names will do.
        let example = (0..source.len(self.directory)).find_map(|i| source.read(self.directory, i, self.now));
        let unknown = |name: &&str| example.as_ref().is_some_and(|example| example.get(name).is_none());
        match filter.properties().into_iter().find(unknown) {
            Some(unknown) => Err(refuse(&format!("'{unknown}' is not a recognized filterable property."))),
            None => Ok(filter),
        }
    }
}

impl Listing {
    /// Shows only what passes this filter, too.
    fn and(&mut self, more: Filter) {
        self.filter = Some(match self.filter.take() {
            Some(own) => Filter::And(Box::new(own), Box::new(more)),
            None => more,
        });
    }

    /// Whether the listing shows the object.
    pub(super) fn passes(&self, directory: &Directory, index: u64, now: u64) -> bool {
        let Source::Class(class) = self.source else {
            let Some(object) = self.source.read(directory, index, now) else { return false };
            let is_of_type = self.types.as_ref().is_none_or(|types| {
                let own = object.text("RecipientTypeDetails");
                types.iter().any(|wanted| wanted.eq_ignore_ascii_case(&own))
            });
            return is_of_type
                && self.filter.as_ref().is_none_or(|filter| filter.matches(&object))
                && self.anr.as_deref().is_none_or(|start| begins(&object, start));
        };
        if !directory.is_there(class, index, now) {
            return false;
        }
        if let Some(types) = &self.types {
            let own = directory.type_details(index, now);
            if !types.iter().any(|wanted| wanted.eq_ignore_ascii_case(&own)) {
                return false;
            }
        }
        let has = |names: &[String], test: &dyn Fn(&Object) -> bool| {
            test(&directory.read_some(class, index, now, Wanted::only(Some(names))))
        };
        if let Some(filter) = &self.filter {
            let names: Vec<String> = filter.properties().into_iter().map(str::to_owned).collect();
            if !has(&names, &|object| filter.matches(object)) {
                return false;
            }
        }
        self.anr
            .as_deref()
            .is_none_or(|start| has(&NAMES.map(str::to_owned), &|object| begins(object, start)))
    }
}

/// What `Anr` looks at.
const NAMES: [&str; 6] = ["DisplayName", "Name", "Alias", "PrimarySmtpAddress", "FirstName", "LastName"];

/// Whether one of the object's names, or a word of one, begins so.
fn begins(object: &Object, start: &str) -> bool {
    NAMES.iter().any(|name| {
        let text = object.text(name).to_lowercase();
        text.starts_with(start) || text.split(' ').any(|word| word.starts_with(start))
    })
}

const TYPES: &[&str] = &[
    "UserMailbox",
    "LinkedMailbox",
    "SharedMailbox",
    "LegacyMailbox",
    "RoomMailbox",
    "EquipmentMailbox",
    "MailContact",
    "MailUser",
    "DiscoveryMailbox",
    "GroupMailbox",
    "SchedulingMailbox",
    "TeamMailbox",
    "PublicFolderMailbox",
    "LinkedRoomMailbox",
    "MailUniversalDistributionGroup",
    "MailUniversalSecurityGroup",
    "DynamicDistributionGroup",
    "RoomList",
    "GuestMailUser",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::mailbox::Tenant;
    use super::*;

    fn run_with(
        directory: &mut Directory,
        cmdlet: &'static Cmdlet,
        parameters: Value,
    ) -> Result<Answer, Failure> {
        let Value::Object(parameters) = parameters else { panic!("an object") };
        let invocation = Invocation { cmdlet: cmdlet.name.to_owned(), parameters, caller: None };
        let wall = "2026-01-01T00:00:00Z".parse().unwrap();
        run(cmdlet, &invocation, directory, 0, wall, None)
    }

    #[test]
    fn no_value_of_any_parameter_panics() {
        let mut directory = Directory::new(Tenant::new(1, 5, "contoso.onmicrosoft.com"));
        let id = directory.current(Class::Mailbox, 0).text("Guid").into_owned();
        let junk = [
            json!(null),
            json!(true),
            json!(-1),
            json!(1.5e300),
            json!(""),
            json!("\u{0}\u{1F600}'\"@:x"),
            json!("99999999999999999999.25:61:61"),
            json!([]),
            json!([null, [], {}]),
            json!({}),
            json!({"@odata.type": "#Exchange.GenericHashTable"}),
            json!({"@odata.type": "#Exchange.GenericHashTable", "add": null, "remove": [1, "x"]}),
            json!({"@odata.type": 7, "add": "x"}),
        ];
        for cmdlet in all() {
            let identities: &[&str] = if hand_written(cmdlet.name).is_some() {
                &["Identity", "Mailbox", "User"]
            } else {
                &["Identity"]
            };
            for parameter in cmdlet.parameters.iter().copied().flatten() {
                for value in &junk {
                    for identity in identities {
                        let mut given = json!({parameter.name: value});
                        if parameter.name != *identity {
                            given[identity] = json!(id);
                        }
                        let _ = run_with(&mut directory, cmdlet, given);
                    }
                }
            }
        }
    }

    #[test]
    fn every_settable_property_can_be_read() {
        let directory = Directory::new(Tenant::new(1, 5, "contoso.onmicrosoft.com"));
        for (cmdlet, class) in [
            ("Set-Mailbox", Class::Mailbox),
            ("Set-CASMailbox", Class::CasMailbox),
            ("Set-User", Class::User),
            ("Set-MailboxAutoReplyConfiguration", Class::AutoReply),
            ("Set-MailboxRegionalConfiguration", Class::Regional),
            ("Set-CalendarProcessing", Class::CalendarProcessing),
            ("Set-MailboxJunkEmailConfiguration", Class::JunkEmail),
        ] {
            let object = directory.current(class, 0);
            for parameter in find(cmdlet).unwrap().parameters.iter().copied().flatten() {
                let readable = parameter.property.is_empty() || object.get(parameter.property).is_some();
                assert!(readable, "{cmdlet} -{} sets a property that no read shows", parameter.name);
            }
        }
    }
}
