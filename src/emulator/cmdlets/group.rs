//! Distribution groups: `Get-`, `New-`, `Set-` and `Remove-DistributionGroup`.

use super::super::directory::Class;
use super::super::errors::Failure;
use super::super::groups::{self, GROUP, Names};
use super::super::mailbox::CUSTOM_ATTRIBUTES;
use super::super::prop::{Object, Prop};
use super::super::shelf::{Source, always};
use super::super::versions::Versions;
use super::addresses::{addresses, check_address, derived_alias, with_primary};
use super::change::Changes;
use super::parameters::{Kind, Parameter, all, own, owns, p};
use super::{Answer, Call, Cmdlet, Effect};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet { name: "Get-DistributionGroup", effect: Effect::Read, parameters: &[GET], run: get },
    Cmdlet {
        name: "New-DistributionGroup",
        effect: Effect::Write,
        parameters: &[NEW, NEW_MODERATED, SHARED, SHARED_BOOLS],
        run: new,
    },
    Cmdlet {
        name: "Set-DistributionGroup",
        effect: Effect::Write,
        parameters: &[SET, SHARED, SHARED_BOOLS, SET_BOOLS, RECIPIENTS, CUSTOM],
        run: set,
    },
    Cmdlet { name: "Remove-DistributionGroup", effect: Effect::Write, parameters: &[REMOVE], run: remove },
];

const GET: &[Parameter] = &owns(["Identity", "Filter", "ResultSize", "RecipientTypeDetails", "ManagedBy"]);

const NEW: &[Parameter] = &owns([
    "Name",
    "Alias",
    "DisplayName",
    "PrimarySmtpAddress",
    "Type",
    "Members",
    "CopyOwnerToMember",
    "ManagedBy",
    "IgnoreNamingPolicy",
    "RoomList",
    "OrganizationalUnit",
]);

const NEW_MODERATED: &[Parameter] = &[p("ModeratedBy", Kind::RecipientList)];

const SHARED: &[Parameter] = &[
    p("MemberJoinRestriction", Kind::Word),
    p("MemberDepartRestriction", Kind::Word),
    p("SendModerationNotifications", Kind::Word),
    p("Description", Kind::List),
    p("HiddenGroupMembershipEnabled", Kind::Bool),
];

const SHARED_BOOLS: &[Parameter] = &all(
    [
        "BccBlocked",
        "BypassNestedModerationEnabled",
        "ModerationEnabled",
        "RequireSenderAuthenticationEnabled",
    ],
    Kind::Bool,
);

const SET: &[Parameter] = &[
    own("Identity"),
    own("BypassSecurityGroupManagerCheck"),
    own("ForceUpgrade"),
    own("IgnoreNamingPolicy"),
    own("UpdateMemberCount"),
    own("PrimarySmtpAddress"),
    own("WindowsEmailAddress"),
    own("RoomList"),
    p("Name", Kind::Text),
    p("Alias", Kind::Text),
    p("DisplayName", Kind::Text),
    p("SimpleDisplayName", Kind::Text),
    p("EmailAddresses", Kind::ProxyAddresses),
    p("MailTip", Kind::NullableText),
    p("MailTipTranslations", Kind::List),
    p("ManagedBy", Kind::RecipientList),
];

const SET_BOOLS: &[Parameter] = &all(
    [
        "HiddenFromAddressListsEnabled",
        "ReportToManagerEnabled",
        "ReportToOriginatorEnabled",
        "SendOofMessageToOriginatorEnabled",
    ],
    Kind::Bool,
);

/// Lists of recipients that every kind of group and contact has.
pub(super) const RECIPIENTS: &[Parameter] = &all(
    [
        "AcceptMessagesOnlyFrom",
        "AcceptMessagesOnlyFromDLMembers",
        "AcceptMessagesOnlyFromSendersOrMembers",
        "BypassModerationFromSendersOrMembers",
        "GrantSendOnBehalfTo",
        "ModeratedBy",
        "RejectMessagesFrom",
        "RejectMessagesFromDLMembers",
        "RejectMessagesFromSendersOrMembers",
    ],
    Kind::RecipientList,
);

pub(super) const CUSTOM: &[Parameter] = &all(CUSTOM_ATTRIBUTES, Kind::Text);

const REMOVE: &[Parameter] = &owns(["Identity", "BypassSecurityGroupManagerCheck"]);

/// Who a group belongs to that an application made: it is no recipient and cannot be named.
const APPLICATIONS: &str = "Organization Management";

impl Call<'_> {
    /// The object of a shelf that `Identity` names, for a write.
    pub(super) fn on_shelf(&self, noun: &'static str) -> Result<u64, Failure> {
        let identity = self.given.text("Identity")?.filter(|text| !text.is_empty());
        let identity = identity.ok_or_else(|| Failure::missing_parameter("Identity"))?;
        let found = self.directory.shelf.find_to_write(noun, &identity, self.now);
        found.ok_or_else(|| Failure::not_found(&identity))
    }

    /// A new object of the noun, with what every directory object has.
    pub(super) fn newborn(&self, noun: &'static str, name: &str) -> Object {
        let number = self.directory.shelf.len(noun);
        always(&self.directory.tenant, noun, number, name, Some(self.wall))
    }

    /// One object of a shelf by `Identity`, else a listing.
    pub(super) fn one_or_all_on_shelf(&self, noun: &'static str) -> Result<Answer, Failure> {
        if self.given.value("Identity").is_none() {
            return Ok(Answer::Listing(self.listing(Source::Shelf(noun))?));
        }
        let identity = self.given.text("Identity")?.filter(|text| !text.is_empty()).ok_or_else(|| {
            Failure::transformation("Identity", "The argument is null or empty. Provide one that is not.")
        })?;
        let shelf = &self.directory.shelf;
        let found =
            shelf.find(noun, &identity, self.now).and_then(|number| shelf.read(noun, number, self.now));
        let found = found.ok_or_else(|| Failure::not_found(&identity))?;
        Ok(Answer::Objects(vec![found.clone()]))
    }

    /// Alias, display name and primary address of a new recipient: as given, else derived from its name.
    pub(super) fn new_names(&self, name: &str) -> Result<Names, Failure> {
        let alias = self.given.text("Alias")?.unwrap_or_else(|| derived_alias(name));
        let address = format!("{alias}@{}", self.directory.tenant.domain);
        let primary = if self.given.value("PrimarySmtpAddress").is_some() {
            self.given.text("PrimarySmtpAddress")?.unwrap_or(address)
        } else {
            address
        };
        for taken in [name, &alias] {
            if self.directory.find(Class::Mailbox, taken).is_some() || self.directory.shelf_has(taken) {
                return Err(Failure::invalid(
                    "Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException",
                    &format!("The name \"{taken}\" is already being used. Please try another name."),
                ));
            }
        }
        check_address(self, None, &primary)?;
        let display = self.given.text("DisplayName")?.unwrap_or_else(|| name.to_owned());
        Ok(Names { alias, display, primary })
    }

    /// The name of a new object.
    pub(super) fn new_name(&self) -> Result<String, Failure> {
        let name = self.given.text("Name")?.filter(|name| !name.is_empty());
        name.ok_or_else(|| Failure::missing_parameter("Name"))
    }

    /// The name by which recipients refer to the signed-in user; an application has none.
    fn caller_name(&self) -> Option<String> {
        let upn = self.caller.as_deref()?;
        self.recipient_name(upn).ok()
    }

    /// Refuses whoever does not own the group and does not say that this is known. Source: protocol reference, 6.2.
    pub(super) fn may_change(&self, group: &Object) -> Result<(), Failure> {
        let owners = match group.get("ManagedBy") {
            Some(Prop::List(owners)) => owners.as_slice(),
            _ => &[],
        };
        let is_owner = self.caller_name().is_some_and(|caller| owners.contains(&caller));
        if is_owner || self.given.switch("BypassSecurityGroupManagerCheck")? {
            return Ok(());
        }
        Err(Failure::invalid(
            "Microsoft.Exchange.Management.Tasks.OperationRequiresGroupManagerException",
            "You don't have sufficient permissions. This operation can only be performed by a manager of the group.",
        ))
    }

    /// Other addresses that follow from parameters, and the checks of addresses and names.
    pub(super) fn refine_recipient(
        &self,
        old: &Object,
        changes: &mut Changes,
        primary_parameters: &[&'static str],
    ) -> Result<(), Failure> {
        for parameter in primary_parameters {
            if self.given.value(parameter).is_some()
                && let Some(primary) = self.given.text(parameter)?
            {
                let all = addresses(old, changes);
                changes.insert("EmailAddresses", Prop::List(with_primary(&all, &primary)));
            }
        }
        let old_addresses = addresses(old, &Changes::new());
        if let Some(Prop::List(all)) = changes.get("EmailAddresses") {
            let is_new = |item: &&String| !old_addresses.iter().any(|own| own.eq_ignore_ascii_case(item));
            for item in all.iter().filter(is_new) {
                if let Some((kind, address)) = item.split_once(':')
                    && kind.eq_ignore_ascii_case("smtp")
                {
                    check_address(self, None, address)?;
                }
            }
            let primaries: Vec<&str> = all.iter().filter_map(|item| item.strip_prefix("SMTP:")).collect();
            let [primary] = primaries[..] else {
                return Err(Failure::invalid(
                    "Microsoft.Exchange.Configuration.Tasks.RecipientTaskException",
                    "There must be exactly one primary SMTP address (SMTP:) in EmailAddresses.",
                ));
            };
            let primary = primary.to_owned();
            changes.insert("PrimarySmtpAddress", Prop::text(primary.clone()));
            changes.insert("WindowsEmailAddress", Prop::text(primary));
        }
        for name in ["Name", "Alias"] {
            let new = changes.get(name).and_then(Prop::as_text).map(std::borrow::Cow::into_owned);
            let Some(new) = new.filter(|new| !new.eq_ignore_ascii_case(&old.text(name))) else { continue };
            if self.directory.find(Class::Mailbox, &new).is_some() || self.directory.shelf_has(&new) {
                return Err(Failure::invalid(
                    "Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException",
                    &format!("The name \"{new}\" is already being used. Please try another name."),
                ));
            }
            if name == "Name" {
                changes.insert("DistinguishedName", Prop::text(self.directory.tenant.dn(&new)));
                for identity in ["Identity", "Id"] {
                    changes.insert(identity, Prop::text(new.clone()));
                }
            }
        }
        Ok(())
    }
}

fn get(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let Some(manager) = call.given.text("ManagedBy")? else { return call.one_or_all_on_shelf(GROUP) };
    let manager = call.recipient_name(&manager)?;
    let mut listing = call.listing(Source::Shelf(GROUP))?;
    listing.and(super::super::filter::Filter::equal("ManagedBy", &manager));
    Ok(Answer::Listing(listing))
}

fn new(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let name = call.new_name()?;
    let names = call.new_names(&name)?;
    let kind = call.given.text("Type")?.map(|kind| call.word("Type", &kind)).transpose()?;
    let managers = match call.items("ManagedBy")? {
        Some(managers) => {
            managers.iter().map(|manager| call.recipient_name(manager)).collect::<Result<Vec<_>, _>>()?
        }
        // The creator becomes the owner.
        None => vec![call.caller_name().unwrap_or_else(|| APPLICATIONS.to_owned())],
    };
    let mut members = Vec::new();
    for member in call.items("Members")?.unwrap_or_default() {
        let id = Call::guid_of(&call.reference(&member)?);
        if !members.contains(&id) {
            members.push(id);
        }
    }
    if call.given.switch("CopyOwnerToMember")? {
        for owner in managers.iter().filter(|owner| owner.as_str() != APPLICATIONS) {
            let id = Call::guid_of(&call.reference(owner)?);
            if !members.contains(&id) {
                members.push(id);
            }
        }
    }
    let always = call.newborn(GROUP, &name);
    let mut object = groups::group(always, &names, kind.as_deref() == Some("Security"), managers);
    for (name, prop) in call.converted(&object)? {
        object.set(name, prop);
    }
    if call.given.switch("RoomList")? {
        object.set("RecipientTypeDetails", Prop::text("RoomList"));
    }
    if let Some(answer) = call.asked(&name)? {
        return Ok(answer);
    }
    let when = call.when();
    call.directory.members.insert(Call::guid_of(&object), Versions::new(members));
    call.directory.shelf.add(GROUP, object.clone(), when);
    Ok(Answer::Objects(vec![object]))
}

fn set(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let number = call.on_shelf(GROUP)?;
    let group = call.directory.shelf.current(GROUP, number).cloned().unwrap_or_default();
    call.may_change(&group)?;
    call.set_on_shelf(GROUP, number, |call, old, changes| {
        if changes.get("ManagedBy") == Some(&Prop::List(Vec::new())) {
            let text = "The group must have at least one manager.";
            return Err(Failure::invalid(
                "Microsoft.Exchange.Configuration.Tasks.RecipientTaskException",
                text,
            ));
        }
        if call.given.switch("RoomList")? {
            changes.insert("RecipientTypeDetails", Prop::text("RoomList"));
        }
        call.refine_recipient(old, changes, &["WindowsEmailAddress", "PrimarySmtpAddress"])
    })
}

fn remove(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let number = call.on_shelf(GROUP)?;
    let group = call.directory.shelf.current(GROUP, number).cloned().unwrap_or_default();
    call.may_change(&group)?;
    if let Some(answer) = call.asked(&group.text("Identity"))? {
        return Ok(answer);
    }
    let when = call.when();
    call.directory.shelf.remove(GROUP, number, when);
    Ok(Answer::Done { warnings: Vec::new() })
}
