//! Mailboxes made and removed, archives switched on and off: `New-`, `Remove-`, `Enable-` and `Disable-Mailbox`.

use super::super::directory::Class;
use super::super::errors::Failure;
use super::super::mailbox::{EXCHANGE_GUID, EXTERNAL_ID, GUID};
use super::super::prop::Prop;
use super::super::random::guid;
use super::super::wanted::Wanted;
use super::addresses::{check_address, check_alias, derived_alias};
use super::change::Changes;
use super::mailbox::{mirror, type_changes};
use super::parameters::{Kind, Parameter, own, owns, p};
use super::{Answer, Call, Cmdlet, Effect};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet { name: "New-Mailbox", effect: Effect::Write, parameters: &[NEW_OWN, NEW], run: new },
    Cmdlet { name: "Remove-Mailbox", effect: Effect::Write, parameters: &[REMOVE], run: remove },
    Cmdlet { name: "Enable-Mailbox", effect: Effect::Write, parameters: &[ENABLE], run: enable },
    Cmdlet { name: "Disable-Mailbox", effect: Effect::Write, parameters: &[DISABLE], run: disable },
];

const NEW_OWN: &[Parameter] = &owns([
    "Name",
    "Shared",
    "Room",
    "Equipment",
    "Discovery",
    "MicrosoftOnlineServicesID",
    "Password",
    "EnableRoomMailboxAccount",
    "RoomMailboxPassword",
    "Alias",
    "DisplayName",
    "PrimarySmtpAddress",
    "FirstName",
    "LastName",
    "Initials",
    "Phone",
    "ResetPasswordOnNextLogon",
    "Archive",
    "Force",
    "MailboxRegion",
    "MailboxPlan",
    "OrganizationalUnit",
]);

const NEW: &[Parameter] = &[
    p("ModeratedBy", Kind::RecipientList),
    p("ModerationEnabled", Kind::Bool),
    p("SendModerationNotifications", Kind::Word),
    p("Office", Kind::Text),
    p("ResourceCapacity", Kind::Int),
    p("RoleAssignmentPolicy", Kind::NullableText),
];

const REMOVE: &[Parameter] = &owns(["Identity", "PermanentlyDelete", "Force", "PublicFolder"]);

const ENABLE: &[Parameter] = &[
    own("Identity"),
    own("Archive"),
    own("AutoExpandingArchive"),
    own("Force"),
    p("ArchiveName", Kind::List),
];

const DISABLE: &[Parameter] = &owns(["Identity", "Archive"]);

/// The sets of parameters; a mailbox is of one of them.
const SETS: [(&str, &str); 4] =
    [("Shared", "Shared"), ("Room", "Room"), ("Equipment", "Equipment"), ("Discovery", "Discovery")];

/// What only a user's mailbox has.
const OF_USERS: [&str; 2] = ["MicrosoftOnlineServicesID", "Password"];

/// Which kind of mailbox the parameters describe. Source: protocol reference, 6.1.
fn kind(call: &Call<'_>) -> Result<&'static str, Failure> {
    let mut kinds = Vec::new();
    for (switch, kind) in SETS {
        if call.given.switch(switch)? {
            kinds.push(kind);
        }
    }
    let of_users: Vec<&str> = OF_USERS.into_iter().filter(|name| call.given.value(name).is_some()).collect();
    // A room may have an account of its own.
    let room_account = call.boolean("EnableRoomMailboxAccount")?.unwrap_or(false) && kinds == ["Room"];
    match (kinds[..].first(), kinds.len()) {
        (Some(kind), 1) if of_users.is_empty() || room_account => Ok(kind),
        (Some(kind), 1) => Err(Failure::ambiguous(&format!(
            "Parameter '{}' cannot be used with parameter '{kind}'.",
            of_users[0]
        ))),
        (None, _) => match OF_USERS.into_iter().find(|name| call.given.value(name).is_none()) {
            Some(missing) => Err(Failure::missing_parameter(missing)),
            None => Ok("Regular"),
        },
        _ => Err(Failure::ambiguous(&format!("Parameters {} cannot be used together.", kinds.join(" and ")))),
    }
}

fn new(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let name = call.given.text("Name")?.filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Failure::missing_parameter("Name"))?;
    let kind = kind(call)?;
    let domain = call.directory.tenant.domain.clone();
    let upn = call.given.text("MicrosoftOnlineServicesID")?;
    let alias = match (call.given.text("Alias")?, &upn) {
        (Some(alias), _) => alias,
        (None, Some(upn)) => upn.split('@').next().unwrap_or_default().to_owned(),
        (None, None) => derived_alias(&name),
    };
    let primary = match (call.given.text("PrimarySmtpAddress")?, &upn) {
        (Some(address), _) => address,
        (None, Some(upn)) => upn.clone(),
        (None, None) => format!("{alias}@{domain}"),
    };
    let upn = upn.unwrap_or_else(|| format!("{alias}@{}", call.directory.tenant.initial_domain));
    if call.directory.find(Class::Mailbox, &name).is_some() || call.directory.shelf_has(&name) {
        return Err(Failure::invalid(
            "Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException",
            &format!("The name \"{name}\" is already being used. Please try another name."),
        ));
    }
    check_alias(call, None, &alias)?;
    check_address(call, None, &primary)?;
    check_address(call, None, &upn)?;
    let display = call.given.text("DisplayName")?.unwrap_or_else(|| name.clone());
    let (first, last) = (call.given.text("FirstName")?, call.given.text("LastName")?);
    let archive = call.given.switch("Archive")?;
    let unset = call.directory.tenant.mailbox(0, Wanted::ALL);
    let mut given = call.converted(&unset)?;
    if let Some(answer) = call.asked(&name)? {
        return Ok(answer);
    }
    let wall = call.wall;
    let when = call.when();
    let index = call.directory.create(
        |tenant, index| {
            let initial = format!("{alias}@{}", tenant.initial_domain);
            let mut addresses = vec![format!("SMTP:{primary}")];
            if !primary.eq_ignore_ascii_case(&initial) {
                addresses.push(format!("smtp:{initial}"));
            }
            let mut changes = type_changes(kind);
            changes.extend(Changes::from([
                ("Identity", Prop::text(name.clone())),
                ("Id", Prop::text(name.clone())),
                ("Name", Prop::text(name.clone())),
                ("DistinguishedName", Prop::text(tenant.dn(&name))),
                ("Guid", Prop::Guid(guid(tenant.seed, index, GUID))),
                ("ExchangeGuid", Prop::Guid(guid(tenant.seed, index, EXCHANGE_GUID))),
                ("ExternalDirectoryObjectId", Prop::text(guid(tenant.seed, index, EXTERNAL_ID).to_string())),
                ("Alias", Prop::text(alias.clone())),
                ("DisplayName", Prop::text(display)),
                ("UserPrincipalName", Prop::text(upn.clone())),
                ("WindowsLiveID", Prop::text(upn.clone())),
                ("MicrosoftOnlineServicesID", Prop::text(upn)),
                ("PrimarySmtpAddress", Prop::text(primary.clone())),
                ("WindowsEmailAddress", Prop::text(primary)),
                ("EmailAddresses", Prop::List(addresses)),
                ("AccountDisabled", Prop::Bool(kind != "Regular")),
                ("ForwardingAddress", Prop::Null),
                ("ForwardingSmtpAddress", Prop::Null),
                ("DeliverToMailboxAndForward", Prop::Bool(false)),
                ("IsDirSynced", Prop::Bool(false)),
                ("SKUAssigned", Prop::Null),
                ("WhenCreated", Prop::Date(wall)),
                ("WhenCreatedUTC", Prop::DateUtc(wall)),
                ("WhenChanged", Prop::Date(wall)),
                ("WhenChangedUTC", Prop::DateUtc(wall)),
            ]));
            if archive {
                changes.extend(archive_on(&name));
            }
            changes.append(&mut given);
            changes
        },
        when,
    );
    mirror(call, index);
    let names = [("FirstName", first), ("LastName", last)];
    let names = names.map(|(name, text)| (name, Prop::text(text.unwrap_or_default())));
    call.commit(Class::User, index, Changes::from(names));
    Ok(Answer::Objects(vec![call.directory.current(Class::Mailbox, index)]))
}

fn remove(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let purge = call.given.switch("PermanentlyDelete")?;
    if purge {
        // Only what is soft-deleted can be deleted for ever.
        let identity = call.given.text("Identity")?.ok_or_else(|| Failure::missing_parameter("Identity"))?;
        let found = call.directory.find_soft_deleted(&identity);
        let index = found.ok_or_else(|| Failure::not_found(&identity))?;
        if let Some(answer) = call.asked(&identity)? {
            return Ok(answer);
        }
        call.directory.remove(index, true, call.now, None);
        return Ok(Answer::Done { warnings: Vec::new() });
    }
    let index = call.identity(Class::Mailbox)?;
    let name = call.directory.name(index);
    if let Some(answer) = call.asked(&name)? {
        return Ok(answer);
    }
    call.directory.remove(index, false, call.now, call.stale);
    Ok(Answer::Done { warnings: Vec::new() })
}

fn archive_on(name: &str) -> Changes {
    Changes::from([
        ("ArchiveStatus", Prop::text("Active")),
        ("ArchiveState", Prop::text("Local")),
        ("ArchiveName", Prop::List(vec![format!("In-Place Archive - {name}")])),
    ])
}

/// The two switches are sets of their own.
fn enable(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let index = call.identity(Class::Mailbox)?;
    let (archive, expanding) = (call.given.switch("Archive")?, call.given.switch("AutoExpandingArchive")?);
    if archive == expanding {
        return Err(Failure::ambiguous("Exactly one of Archive and AutoExpandingArchive must be given."));
    }
    let name = call.directory.name(index);
    let has_archive = call.directory.current(Class::Mailbox, index).text("ArchiveStatus") == "Active";
    let refuse = |text: String| {
        Failure::invalid("Microsoft.Exchange.Configuration.Tasks.RecipientTaskException", &text)
    };
    if archive && has_archive {
        return Err(refuse(format!("The mailbox \"{name}\" already has an archive.")));
    }
    if expanding && !has_archive {
        return Err(refuse(format!("The mailbox \"{name}\" has no archive that could expand.")));
    }
    call.set(Class::Mailbox, index, |call, _, changes| {
        if expanding {
            // It cannot be taken back.
            changes.insert("AutoExpandingArchiveEnabled", Prop::Bool(true));
        } else {
            let given = call.given.value("ArchiveName").is_some();
            changes.extend(archive_on(&name).into_iter().filter(|(own, _)| !given || *own != "ArchiveName"));
        }
        Ok(())
    })
}

fn disable(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let index = call.identity(Class::Mailbox)?;
    if !call.given.switch("Archive")? {
        return Err(Failure::not_emulated("Disable-Mailbox without Archive"));
    }
    let name = call.directory.name(index);
    if call.directory.current(Class::Mailbox, index).text("ArchiveStatus") != "Active" {
        let text = format!("The mailbox \"{name}\" has no archive.");
        return Err(Failure::invalid("Microsoft.Exchange.Configuration.Tasks.RecipientTaskException", &text));
    }
    call.set(Class::Mailbox, index, |_, _, changes| {
        changes.insert("ArchiveStatus", Prop::text("None"));
        changes.insert("ArchiveState", Prop::text("None"));
        changes.insert("ArchiveName", Prop::List(Vec::new()));
        Ok(())
    })
}
