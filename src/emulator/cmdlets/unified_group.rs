//! Microsoft 365 groups.

use super::super::errors::Failure;
use super::super::groups::{self, UNIFIED};
use super::super::prop::Prop;
use super::super::versions::Versions;
use super::group::{CUSTOM, RECIPIENTS};
use super::parameters::{Kind, Parameter, all, own, owns, p};
use super::recipient::SHOWN;
use super::{Answer, Call, Cmdlet, Effect};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet { name: "Get-UnifiedGroup", effect: Effect::Read, parameters: &[GET], run: get },
    Cmdlet {
        name: "Set-UnifiedGroup",
        effect: Effect::Write,
        parameters: &[SET, SET_BOOLS, RECIPIENTS, CUSTOM],
        run: set,
    },
    Cmdlet { name: "New-UnifiedGroup", effect: Effect::Write, parameters: &[NEW], run: new },
    Cmdlet { name: "Remove-UnifiedGroup", effect: Effect::Write, parameters: &[REMOVE], run: remove },
    Cmdlet { name: "Get-UnifiedGroupLinks", effect: Effect::Read, parameters: &[LINKS_GET], run: links },
    Cmdlet { name: "Add-UnifiedGroupLinks", effect: Effect::Write, parameters: &[LINKS], run: add_links },
    Cmdlet {
        name: "Remove-UnifiedGroupLinks",
        effect: Effect::Write,
        parameters: &[LINKS],
        run: remove_links,
    },
];

const GET: &[Parameter] = &owns(["Identity", "Filter", "ResultSize", "IncludeAllProperties"]);

/// Switches when they are written, booleans when they are read. Source: protocol reference, 6.2.
const SWITCHES: [(&str, &str); 7] = [
    ("AlwaysSubscribeMembersToCalendarEvents", "AlwaysSubscribeMembersToCalendarEvents"),
    ("AutoSubscribeNewMembers", "AutoSubscribeNewMembers"),
    ("CalendarMemberReadOnly", "CalendarMemberReadOnly"),
    ("ConnectorsEnabled", "ConnectorsEnabled"),
    ("HiddenFromExchangeClientsEnabled", "HiddenFromExchangeClientsEnabled"),
    ("SubscriptionEnabled", "SubscriptionEnabled"),
    ("UnifiedGroupWelcomeMessageEnabled", "WelcomeMessageEnabled"),
];

const SET: &[Parameter] = &[
    own("Identity"),
    own("ForceUpgrade"),
    own("PrimarySmtpAddress"),
    own("AlwaysSubscribeMembersToCalendarEvents"),
    own("AutoSubscribeNewMembers"),
    own("CalendarMemberReadOnly"),
    own("ConnectorsEnabled"),
    own("HiddenFromExchangeClientsEnabled"),
    own("SubscriptionEnabled"),
    own("UnifiedGroupWelcomeMessageEnabled"),
    p("AccessType", Kind::Word),
    p("Alias", Kind::Text),
    p("AuditLogAgeLimit", Kind::Span),
    p("Classification", Kind::Text),
    p("DisplayName", Kind::Text),
    p("EmailAddresses", Kind::ProxyAddresses),
    p("Language", Kind::Text),
    p("MailTip", Kind::NullableText),
    p("MailTipTranslations", Kind::List),
    p("MaxReceiveSize", Kind::Size),
    p("MaxSendSize", Kind::Size),
    p("Notes", Kind::Text),
];

const SET_BOOLS: &[Parameter] = &all(
    [
        "HiddenFromAddressListsEnabled",
        "IsMemberAllowedToEditContent",
        "ModerationEnabled",
        "RequireSenderAuthenticationEnabled",
    ],
    Kind::Bool,
);

const NEW: &[Parameter] = &[
    own("DisplayName"),
    own("Name"),
    own("Alias"),
    own("PrimarySmtpAddress"),
    own("Owner"),
    own("Members"),
    p("AccessType", Kind::Word),
    p("Language", Kind::Text),
    p("Notes", Kind::Text),
    p("Classification", Kind::Text),
    p("RequireSenderAuthenticationEnabled", Kind::Bool),
];

const REMOVE: &[Parameter] = &owns(["Identity", "Force"]);
const LINKS_GET: &[Parameter] = &owns(["Identity", "LinkType", "ResultSize"]);
const LINKS: &[Parameter] = &owns(["Identity", "LinkType", "Links"]);

fn get(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.one_or_all_on_shelf(UNIFIED)
}

fn set(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let number = call.on_shelf(UNIFIED)?;
    call.set_on_shelf(UNIFIED, number, |call, old, changes| {
        for (parameter, property) in SWITCHES {
            if call.given.value(parameter).is_some() {
                changes.insert(property, Prop::Bool(call.given.switch(parameter)?));
            }
        }
        call.refine_recipient(old, changes, &["PrimarySmtpAddress"])
    })
}

/// The signed-in user. An application gets no further: it reads groups and their links, and sets groups. Source: protocol
/// reference, 2.1 and 6.2.
fn user<'a>(call: &'a Call<'_>) -> Result<&'a str, Failure> {
    call.caller.as_deref().ok_or_else(|| Failure::role(403, &format!("that calls {}", call.cmdlet.name)))
}

fn new(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let owner = user(call)?.to_owned();
    let display = call.given.text("DisplayName")?.filter(|name| !name.is_empty());
    let display = display.ok_or_else(|| Failure::missing_parameter("DisplayName"))?;
    let name = call.given.text("Name")?.unwrap_or(display);
    let names = call.new_names(&name)?;
    let owner = call.recipient_name(&call.given.text("Owner")?.unwrap_or(owner))?;
    let mut members = vec![Call::guid_of(&call.reference(&owner)?)];
    for member in call.items("Members")?.unwrap_or_default() {
        let id = Call::guid_of(&call.reference(&member)?);
        if !members.contains(&id) {
            members.push(id);
        }
    }
    let always = call.newborn(UNIFIED, &name);
    let mut object = groups::unified(always, &names, vec![owner]);
    for (name, prop) in call.converted(&object)? {
        object.set(name, prop);
    }
    if let Some(answer) = call.asked(&name)? {
        return Ok(answer);
    }
    let when = call.when();
    call.directory.members.insert(Call::guid_of(&object), Versions::new(members));
    call.directory.shelf.add(UNIFIED, object.clone(), when);
    Ok(Answer::Objects(vec![object]))
}

fn remove(call: &mut Call<'_>) -> Result<Answer, Failure> {
    user(call)?;
    call.remove_from_shelf(UNIFIED)
}

/// The only links that are kept are members; owners are `ManagedBy`.
fn only_members(call: &Call<'_>) -> Result<(), Failure> {
    let kind = call.given.text("LinkType")?.ok_or_else(|| Failure::missing_parameter("LinkType"))?;
    match call.word("LinkType", &kind)?.as_str() {
        "Members" => Ok(()),
        other => Err(Failure::not_emulated(&format!("LinkType {other}"))),
    }
}

fn links(call: &mut Call<'_>) -> Result<Answer, Failure> {
    only_members(call)?;
    let number = call.on_shelf(UNIFIED)?;
    let group = call.directory.shelf.current(UNIFIED, number).map(Call::guid_of).unwrap_or_default();
    let limit = call.given.result_size()?.limit().and_then(|limit| usize::try_from(limit).ok());
    let mut rows = call.members_of(group);
    rows.truncate(limit.unwrap_or(usize::MAX));
    rows.iter_mut().for_each(|row| row.keep(SHOWN));
    Ok(Answer::Objects(rows))
}

fn add_links(call: &mut Call<'_>) -> Result<Answer, Failure> {
    change_links(call, true)
}

fn remove_links(call: &mut Call<'_>) -> Result<Answer, Failure> {
    change_links(call, false)
}

fn change_links(call: &mut Call<'_>, add: bool) -> Result<Answer, Failure> {
    user(call)?;
    only_members(call)?;
    let number = call.on_shelf(UNIFIED)?;
    let group = call.directory.shelf.current(UNIFIED, number).cloned().unwrap_or_default();
    let links = call.items("Links")?.ok_or_else(|| Failure::missing_parameter("Links"))?;
    let mut ids = Vec::new();
    for link in links {
        ids.push(Call::guid_of(&call.reference(&link)?));
    }
    if let Some(answer) = call.asked(&group.text("Identity"))? {
        return Ok(answer);
    }
    let (now, stale) = (call.now, call.stale);
    let members = call.directory.members.entry(Call::guid_of(&group)).or_default().write(now, stale);
    members.retain(|own| !ids.contains(own));
    if add {
        members.append(&mut ids);
    }
    Ok(Answer::Done { warnings: Vec::new() })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::directory::{Class, Directory};
    use super::super::super::mailbox::Tenant;
    use super::super::super::prop::Object;
    use super::super::{Invocation, find, run};
    use super::*;

    /// What the cmdlet shows to a signed-in user, here the holder of the first mailbox.
    fn by_user(directory: &mut Directory, cmdlet: &str, parameters: Value) -> Result<Vec<Object>, Failure> {
        let caller = directory.current(Class::Mailbox, 0).text("UserPrincipalName").into_owned();
        let Value::Object(parameters) = parameters else { panic!("an object") };
        let invocation = Invocation { cmdlet: cmdlet.to_owned(), parameters, caller: Some(caller) };
        let wall = "2026-01-01T00:00:00Z".parse().unwrap();
        match run(find(cmdlet).unwrap(), &invocation, directory, 0, wall, None)? {
            Answer::Objects(objects) => Ok(objects),
            _ => Ok(Vec::new()),
        }
    }

    #[test]
    fn people_make_groups_link_members_and_own_what_they_made() {
        let mut directory = Directory::new(Tenant::new(1, 5, "contoso.onmicrosoft.com"));
        let me = directory.name(0);
        let other = directory.name(1);
        let made = by_user(&mut directory, "New-UnifiedGroup", json!({"DisplayName": "Team X"})).unwrap();
        assert_eq!(made[0].get("ManagedBy"), Some(&Prop::List(vec![me.clone()])));
        let link = json!({"Identity": "Team X", "LinkType": "Members", "Links": [other]});
        by_user(&mut directory, "Add-UnifiedGroupLinks", link.clone()).unwrap();
        let members = json!({"Identity": "Team X", "LinkType": "Members"});
        let shown = by_user(&mut directory, "Get-UnifiedGroupLinks", members.clone()).unwrap();
        let names: Vec<_> = shown.iter().map(|row| row.text("Name").into_owned()).collect();
        assert_eq!(names, [me.clone(), directory.name(1)]);
        by_user(&mut directory, "Remove-UnifiedGroupLinks", link).unwrap();
        assert_eq!(by_user(&mut directory, "Get-UnifiedGroupLinks", members).unwrap().len(), 1);
        by_user(&mut directory, "Remove-UnifiedGroup", json!({"Identity": "Team X"})).unwrap();
        assert!(by_user(&mut directory, "Get-UnifiedGroup", json!({"Identity": "Team X"})).is_err());

        let list = by_user(&mut directory, "New-DistributionGroup", json!({"Name": "Mine"})).unwrap();
        assert_eq!(list[0].get("ManagedBy"), Some(&Prop::List(vec![me])), "the creator is the owner");
        by_user(&mut directory, "Set-DistributionGroup", json!({"Identity": "Mine", "MailTip": "x"}))
            .unwrap();
        let gone = by_user(&mut directory, "Remove-DistributionGroup", json!({"Identity": "Mine"}));
        assert!(gone.is_ok(), "an owner needs no switch");
    }
}
