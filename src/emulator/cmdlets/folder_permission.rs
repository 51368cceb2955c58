//! Access lists of the folders of a mailbox: `upn:\Calendar`.

use super::super::directory::{Class, FolderPermission, Holder};
use super::super::errors::Failure;
use super::super::folders::CALENDAR;
use super::super::prop::{Object, Prop};
use super::super::versions::Versions;
use super::parameters::{Parameter, owns};
use super::values::not_one_of;
use super::{Answer, Call, Cmdlet, Effect};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet { name: "Get-MailboxFolderPermission", effect: Effect::Read, parameters: &[GET], run: get },
    Cmdlet { name: "Add-MailboxFolderPermission", effect: Effect::Write, parameters: &[WRITE], run: add },
    Cmdlet { name: "Set-MailboxFolderPermission", effect: Effect::Write, parameters: &[WRITE], run: set },
    Cmdlet {
        name: "Remove-MailboxFolderPermission",
        effect: Effect::Write,
        parameters: &[REMOVE],
        run: remove,
    },
];

const GET: &[Parameter] = &owns(["Identity", "User", "ResultSize", "SkipCount", "UseCustomRouting"]);

const WRITE: &[Parameter] =
    &owns(["Identity", "User", "AccessRights", "SharingPermissionFlags", "SendNotificationToUser"]);

const REMOVE: &[Parameter] = &owns(["Identity", "User", "Force", "SendNotificationToUser"]);

const RIGHTS: &[&str] = &[
    "None",
    "Owner",
    "PublishingEditor",
    "Editor",
    "PublishingAuthor",
    "Author",
    "NonEditingAuthor",
    "Reviewer",
    "Contributor",
    "AvailabilityOnly",
    "LimitedDetails",
    "CreateItems",
    "CreateSubfolders",
    "DeleteAllItems",
    "DeleteOwnedItems",
    "EditAllItems",
    "EditOwnedItems",
    "FolderContact",
    "FolderOwner",
    "FolderVisible",
    "ReadItems",
];

/// Rights that only calendars have.
const CALENDAR_RIGHTS: [&str; 2] = ["AvailabilityOnly", "LimitedDetails"];

/// A folder of a mailbox.
#[derive(Clone, Copy)]
struct Folder {
    mailbox: u64,
    number: usize,
}

/// The folder that `Identity` names. Folder names are in the mailbox's language.
fn folder(call: &Call<'_>) -> Result<Folder, Failure> {
    let identity = call.given.text("Identity")?.ok_or_else(|| Failure::missing_parameter("Identity"))?;
    let not_found = || Failure::not_found(&identity);
    let (mailbox, path) = identity.split_once(':').ok_or_else(not_found)?;
    let index = call.directory.find(Class::Mailbox, mailbox).ok_or_else(not_found)?;
    if !call.directory.is_there(Class::Mailbox, index, call.now) {
        return Err(not_found());
    }
    let name = path.trim_start_matches('\\');
    let number = call.directory.folder_culture(index).find(name).ok_or_else(not_found)?;
    Ok(Folder { mailbox: index, number })
}

/// What a folder's list is before anybody changed it.
fn begin(folder: Folder) -> Vec<FolderPermission> {
    let everybody = if folder.number == CALENDAR { "AvailabilityOnly" } else { "None" };
    [(Holder::Default, everybody), (Holder::Anonymous, "None")]
        .map(|(holder, right)| FolderPermission { holder, rights: vec![right.to_owned()], flags: Vec::new() })
        .to_vec()
}

fn entries(call: &Call<'_>, folder: Folder) -> Vec<FolderPermission> {
    let changed = call.directory.folder_permissions.get(&(folder.mailbox, folder.number));
    changed.map_or_else(|| begin(folder), |versions| versions.current().clone())
}

fn write(call: &mut Call<'_>, folder: Folder, entries: Vec<FolderPermission>) -> Answer {
    let (now, stale) = (call.now, call.stale);
    let versions = call.directory.folder_permissions.entry((folder.mailbox, folder.number));
    *versions.or_insert_with(|| Versions::new(begin(folder))).write(now, stale) = entries;
    Answer::Done { warnings: Vec::new() }
}

fn shown(call: &Call<'_>, holder: Holder) -> String {
    match holder {
        Holder::Default => "Default".to_owned(),
        Holder::Anonymous => "Anonymous".to_owned(),
        Holder::Mailbox(index) => {
            call.directory.current(Class::Mailbox, index).text("DisplayName").into_owned()
        }
    }
}

fn holder(call: &Call<'_>, user: &str) -> Result<Holder, Failure> {
    if user.eq_ignore_ascii_case("Default") {
        return Ok(Holder::Default);
    }
    if user.eq_ignore_ascii_case("Anonymous") {
        return Ok(Holder::Anonymous);
    }
    call.directory.find(Class::Mailbox, user).map(Holder::Mailbox).ok_or_else(|| {
        let text = format!(
            "The user \"{user}\" is either not valid SMTP address, or there is no matching information."
        );
        Failure::invalid("Microsoft.Exchange.Management.StoreTasks.InvalidExternalUserIdException", &text)
    })
}

fn get(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let folder = folder(call)?;
    let wanted = call.given.text("User")?.map(|user| holder(call, &user)).transpose()?;
    let name = call.directory.folder_culture(folder.mailbox).folder(folder.number);
    let identity = format!("{}:\\{name}", call.directory.name(folder.mailbox));
    let changed = call.directory.folder_permissions.get(&(folder.mailbox, folder.number));
    let entries = changed.map_or_else(|| begin(folder), |versions| versions.read(call.now).clone());
    let row = |entry: &FolderPermission| {
        let flags = if entry.flags.is_empty() { Prop::Null } else { Prop::text(entry.flags.join(", ")) };
        Object::new(vec![
            ("Identity", Prop::text(identity.clone())),
            ("FolderName", Prop::text(name)),
            ("User", Prop::text(shown(call, entry.holder))),
            ("AccessRights", Prop::List(entry.rights.clone())),
            ("SharingPermissionFlags", flags),
            ("IsValid", Prop::Bool(true)),
            ("ObjectState", Prop::text("New")),
        ])
    };
    let skip = match call.given.text("SkipCount")? {
        Some(text) => text.parse().map_err(|_| {
            Failure::transformation("SkipCount", "Cannot convert the value to type \"System.Int32\".")
        })?,
        None => 0,
    };
    let limit = call.given.result_size()?.limit().and_then(|limit| usize::try_from(limit).ok());
    let rows = entries
        .iter()
        .filter(|entry| wanted.is_none_or(|wanted| entry.holder == wanted))
        .skip(skip)
        .take(limit.unwrap_or(usize::MAX));
    Ok(Answer::Objects(rows.map(row).collect()))
}

/// The entry that `User`, `AccessRights` and `SharingPermissionFlags` describe.
fn described(call: &Call<'_>, folder: Folder) -> Result<FolderPermission, Failure> {
    let user = call.given.text("User")?.ok_or_else(|| Failure::missing_parameter("User"))?;
    let rights =
        call.given.list("AccessRights")?.ok_or_else(|| Failure::missing_parameter("AccessRights"))?;
    let canonical = |right: &String| {
        let found = RIGHTS.iter().find(|own| own.eq_ignore_ascii_case(right));
        found.map(|own| (*own).to_owned()).ok_or_else(|| not_one_of("AccessRights", right, RIGHTS))
    };
    let rights = rights.iter().map(canonical).collect::<Result<Vec<_>, _>>()?;
    let only_calendars = rights.iter().any(|right| CALENDAR_RIGHTS.contains(&right.as_str()));
    if only_calendars && folder.number != CALENDAR {
        let text = format!("The rights {} are for calendar folders only.", CALENDAR_RIGHTS.join(" and "));
        return Err(refused("InvalidOperationException", &text));
    }
    let flags: Vec<String> = call.words("SharingPermissionFlags")?.unwrap_or_default();
    let flags: Vec<String> = flags.into_iter().filter(|flag| flag != "None").collect();
    if !flags.is_empty() && (folder.number != CALENDAR || rights != ["Editor"]) {
        let text = "SharingPermissionFlags can be set for editors of a calendar folder only.";
        return Err(refused("InvalidOperationException", text));
    }
    Ok(FolderPermission { holder: holder(call, &user)?, rights, flags })
}

fn refused(exception: &str, text: &str) -> Failure {
    Failure::invalid(&format!("Microsoft.Exchange.Management.StoreTasks.{exception}"), text)
}

fn no_entry(call: &Call<'_>, holder: Holder) -> Failure {
    let text = format!("There is no existing permission entry found for user: {}.", shown(call, holder));
    refused("UserNotFoundInPermissionEntryException", &text)
}

fn target(call: &Call<'_>, folder: Folder) -> String {
    let name = call.directory.folder_culture(folder.mailbox).folder(folder.number);
    format!("{}:\\{name}", call.directory.name(folder.mailbox))
}

fn add(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let folder = folder(call)?;
    let new = described(call, folder)?;
    let mut entries = entries(call, folder);
    if entries.iter().any(|entry| entry.holder == new.holder) {
        let text = format!("An existing permission entry was found for user: {}.", shown(call, new.holder));
        return Err(refused("UserAlreadyExistsInPermissionEntryException", &text));
    }
    if let Some(answer) = call.asked(&target(call, folder))? {
        return Ok(answer);
    }
    entries.push(new);
    Ok(write(call, folder, entries))
}

fn set(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let folder = folder(call)?;
    let new = described(call, folder)?;
    let mut entries = entries(call, folder);
    let Some(entry) = entries.iter_mut().find(|entry| entry.holder == new.holder) else {
        return Err(no_entry(call, new.holder));
    };
    let name = target(call, folder);
    if let Some(answer) = call.asked(&name)? {
        return Ok(answer);
    }
    if *entry == new {
        let warning =
            format!("The command completed successfully but no settings of '{name}' have been modified.");
        return Ok(Answer::Done { warnings: vec![warning] });
    }
    *entry = new;
    Ok(write(call, folder, entries))
}

fn remove(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let folder = folder(call)?;
    let user = call.given.text("User")?.ok_or_else(|| Failure::missing_parameter("User"))?;
    let gone = holder(call, &user)?;
    if !matches!(gone, Holder::Mailbox(_)) {
        let text = format!("The permission entry of {} can't be removed.", shown(call, gone));
        return Err(refused("CannotRemoveSpecialUserException", &text));
    }
    let mut entries = entries(call, folder);
    let before = entries.len();
    entries.retain(|entry| entry.holder != gone);
    if entries.len() == before {
        return Err(no_entry(call, gone));
    }
    if let Some(answer) = call.asked(&target(call, folder))? {
        return Ok(answer);
    }
    Ok(write(call, folder, entries))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_calendar_shows_everybody_when_somebody_is_busy() {
        let right = |number| begin(Folder { mailbox: 0, number })[0].rights.clone();
        assert_eq!(right(CALENDAR), ["AvailabilityOnly"]);
        let others = (0..super::super::super::folders::TYPES.len()).filter(|number| *number != CALENDAR);
        assert!(others.into_iter().all(|number| right(number) == ["None"]));
    }
}
