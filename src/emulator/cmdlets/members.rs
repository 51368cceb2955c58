//! Who is in a distribution group or a role group: `Get-`, `Add-`, `Remove-`, `Update-…Member`.

use uuid::Uuid;

use super::super::errors::Failure;
use super::super::groups::{GROUP, ROLE_GROUP};
use super::super::prop::Object;
use super::parameters::{Parameter, owns};
use super::recipient::SHOWN;
use super::{Answer, Call, Cmdlet, Effect};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet { name: "Get-DistributionGroupMember", effect: Effect::Read, parameters: &[GET], run: get_group },
    Cmdlet { name: "Add-DistributionGroupMember", effect: Effect::Write, parameters: &[ONE], run: add_group },
    Cmdlet {
        name: "Remove-DistributionGroupMember",
        effect: Effect::Write,
        parameters: &[ONE],
        run: remove_group,
    },
    Cmdlet {
        name: "Update-DistributionGroupMember",
        effect: Effect::Write,
        parameters: &[ALL],
        run: update_group,
    },
    Cmdlet { name: "Get-RoleGroupMember", effect: Effect::Read, parameters: &[GET], run: get_role },
    Cmdlet { name: "Add-RoleGroupMember", effect: Effect::Write, parameters: &[ONE], run: add_role },
    Cmdlet { name: "Remove-RoleGroupMember", effect: Effect::Write, parameters: &[ONE], run: remove_role },
    Cmdlet { name: "Update-RoleGroupMember", effect: Effect::Write, parameters: &[ALL], run: update_role },
];

const GET: &[Parameter] = &owns(["Identity", "ResultSize"]);
const ONE: &[Parameter] = &owns(["Identity", "Member", "BypassSecurityGroupManagerCheck"]);
const ALL: &[Parameter] = &owns(["Identity", "Members", "BypassSecurityGroupManagerCheck"]);

impl Call<'_> {
    /// The members of a group as recipients, as a read shows them.
    pub(super) fn members_of(&self, group: Uuid) -> Vec<Object> {
        let ids = self.directory.members.get(&group).map(|list| list.read(self.now).as_slice());
        let ids = ids.unwrap_or_default().iter();
        ids.filter_map(|id| self.recipient_called(&id.to_string()))
            .map(|target| self.recipient_object(target))
            .collect()
    }
}

/// The group that `Identity` names, for a write by somebody who may.
fn group(call: &Call<'_>, noun: &'static str) -> Result<Object, Failure> {
    let number = call.on_shelf(noun)?;
    let group = call.directory.shelf.current(noun, number).cloned().unwrap_or_default();
    // Role groups have no owners by name; what a caller may do there is a matter of roles.
    if noun == GROUP {
        call.may_change(&group)?;
    }
    Ok(group)
}

fn get(call: &Call<'_>, noun: &'static str) -> Result<Answer, Failure> {
    let identity = call.given.text("Identity")?.filter(|text| !text.is_empty());
    let identity = identity.ok_or_else(|| Failure::missing_parameter("Identity"))?;
    let shelf = &call.directory.shelf;
    let number = shelf.find(noun, &identity, call.now).ok_or_else(|| Failure::not_found(&identity))?;
    let group = shelf.read(noun, number, call.now).map(Call::guid_of).unwrap_or_default();
    let limit = call.given.result_size()?.limit().and_then(|limit| usize::try_from(limit).ok());
    let mut rows = call.members_of(group);
    rows.truncate(limit.unwrap_or(usize::MAX));
    rows.iter_mut().for_each(|row| row.keep(SHOWN));
    Ok(Answer::Objects(rows))
}

fn member(call: &Call<'_>) -> Result<Object, Failure> {
    let member = call.given.text("Member")?.ok_or_else(|| Failure::missing_parameter("Member"))?;
    call.reference(&member)
}

fn refused(exception: &str, member: &Object, group: &Object, is: &str) -> Failure {
    let text =
        format!("The recipient \"{}\" {is} of the group \"{}\".", member.text("Name"), group.text("Name"));
    Failure::invalid(&format!("Microsoft.Exchange.Management.Tasks.{exception}"), &text)
}

fn add(call: &mut Call<'_>, noun: &'static str) -> Result<Answer, Failure> {
    let group = group(call, noun)?;
    let member = member(call)?;
    let id = Call::guid_of(&member);
    let members = call.directory.members.get(&Call::guid_of(&group));
    if members.is_some_and(|list| list.current().contains(&id)) {
        return Err(refused("MemberAlreadyExistsException", &member, &group, "is already a member"));
    }
    if let Some(answer) = call.asked(&group.text("Identity"))? {
        return Ok(answer);
    }
    let (now, stale) = (call.now, call.stale);
    call.directory.members.entry(Call::guid_of(&group)).or_default().write(now, stale).push(id);
    Ok(Answer::Done { warnings: Vec::new() })
}

fn remove(call: &mut Call<'_>, noun: &'static str) -> Result<Answer, Failure> {
    let group = group(call, noun)?;
    let member = member(call)?;
    let id = Call::guid_of(&member);
    let members = call.directory.members.get(&Call::guid_of(&group));
    if !members.is_some_and(|list| list.current().contains(&id)) {
        return Err(refused("MemberNotFoundException", &member, &group, "isn't a member"));
    }
    if let Some(answer) = call.asked(&group.text("Identity"))? {
        return Ok(answer);
    }
    let (now, stale) = (call.now, call.stale);
    call.directory
        .members
        .entry(Call::guid_of(&group))
        .or_default()
        .write(now, stale)
        .retain(|own| *own != id);
    Ok(Answer::Done { warnings: Vec::new() })
}

/// Replaces all members.
fn update(call: &mut Call<'_>, noun: &'static str) -> Result<Answer, Failure> {
    let group = group(call, noun)?;
    let mut members = Vec::new();
    for member in call.items("Members")?.unwrap_or_default() {
        let id = Call::guid_of(&call.reference(&member)?);
        if !members.contains(&id) {
            members.push(id);
        }
    }
    if let Some(answer) = call.asked(&group.text("Identity"))? {
        return Ok(answer);
    }
    let (now, stale) = (call.now, call.stale);
    *call.directory.members.entry(Call::guid_of(&group)).or_default().write(now, stale) = members;
    Ok(Answer::Done { warnings: Vec::new() })
}

fn get_group(call: &mut Call<'_>) -> Result<Answer, Failure> {
    get(call, GROUP)
}

fn add_group(call: &mut Call<'_>) -> Result<Answer, Failure> {
    add(call, GROUP)
}

fn remove_group(call: &mut Call<'_>) -> Result<Answer, Failure> {
    remove(call, GROUP)
}

fn update_group(call: &mut Call<'_>) -> Result<Answer, Failure> {
    update(call, GROUP)
}

fn get_role(call: &mut Call<'_>) -> Result<Answer, Failure> {
    get(call, ROLE_GROUP)
}

fn add_role(call: &mut Call<'_>) -> Result<Answer, Failure> {
    add(call, ROLE_GROUP)
}

fn remove_role(call: &mut Call<'_>) -> Result<Answer, Failure> {
    remove(call, ROLE_GROUP)
}

fn update_role(call: &mut Call<'_>) -> Result<Answer, Failure> {
    update(call, ROLE_GROUP)
}
