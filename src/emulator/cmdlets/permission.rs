//! `Get-`, `Add-` and `Remove-MailboxPermission`.

use super::super::directory::{Class, Permission};
use super::super::errors::Failure;
use super::super::prop::{Object, Prop};
use super::parameters::{Parameter, owns};
use super::values::not_one_of;
use super::{Answer, Call, Cmdlet, Effect};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet { name: "Get-MailboxPermission", effect: Effect::Read, parameters: &[GET], run: get },
    Cmdlet { name: "Add-MailboxPermission", effect: Effect::Write, parameters: &[ADD], run: add },
    Cmdlet { name: "Remove-MailboxPermission", effect: Effect::Write, parameters: &[REMOVE], run: remove },
];

const GET: &[Parameter] = &owns([
    "Identity",
    "User",
    "ResultSize",
    "Owner",
    "UseCustomRouting",
    "IncludeUnresolvedPermissions",
    "ReadFromDomainController",
]);

const ADD: &[Parameter] = &owns([
    "Identity",
    "User",
    "AccessRights",
    "AutoMapping",
    "Deny",
    "InheritanceType",
    "IgnoreDefaultScope",
]);

const REMOVE: &[Parameter] = &owns([
    "Identity",
    "User",
    "AccessRights",
    "Deny",
    "InheritanceType",
    "IgnoreDefaultScope",
    "ClearAutoMapping",
    "ResetDefault",
    "BypassMasterAccountSid",
]);

/// The mailbox's own user, as access lists show it.
pub(super) const SELF: &str = "NT AUTHORITY\\SELF";

const RIGHTS: &[&str] = &[
    "FullAccess",
    "SendAs",
    "ExternalAccount",
    "DeleteItem",
    "ReadPermission",
    "ChangePermission",
    "ChangeOwner",
];

/// Entries of an access list, at most [doc: 500].
const ENTRIES_MAX: usize = 500;

fn get(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let index = call.identity(Class::Mailbox)?;
    let identity = call.read(Class::Mailbox, index).text("Identity").into_owned();
    if call.given.switch("Owner")? {
        let owner = Object::new(vec![
            ("Identity", Prop::text(identity)),
            ("Owner", Prop::text("NT AUTHORITY\\SYSTEM")),
            ("IsValid", Prop::Bool(true)),
            ("ObjectState", Prop::text("Unchanged")),
        ]);
        return Ok(Answer::Objects(vec![owner]));
    }
    let user = match call.given.text("User")? {
        Some(user) => Some(shown_user(call, &user)?),
        None => None,
    };
    let own = Permission {
        user: SELF.to_owned(),
        rights: vec!["FullAccess".to_owned(), "ReadPermission".to_owned()],
        deny: false,
    };
    let domain = Permission {
        user: "S-1-5-21-1234567890-1234567890-1234567890-512".to_owned(),
        rights: vec!["FullAccess".to_owned()],
        deny: true,
    };
    let row = |permission: &Permission, inherited: bool| {
        Object::new(vec![
            ("Identity", Prop::text(identity.clone())),
            ("User", Prop::text(permission.user.clone())),
            ("AccessRights", Prop::List(permission.rights.clone())),
            ("IsInherited", Prop::Bool(inherited)),
            ("Deny", Prop::Bool(permission.deny)),
            ("InheritanceType", Prop::text("All")),
            ("IsValid", Prop::Bool(true)),
            ("ObjectState", Prop::text("Unchanged")),
        ])
    };
    let mut rows = vec![row(&own, false), row(&domain, true)];
    let explicit = call.directory.permissions.get(&index).map(|list| list.read(call.now).as_slice());
    rows.extend(explicit.unwrap_or_default().iter().map(|permission| row(permission, false)));
    if let Some(user) = user {
        rows.retain(|row| row.text("User").eq_ignore_ascii_case(&user));
    }
    if let Some(limit) = call.given.result_size()?.limit() {
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    Ok(Answer::Objects(rows))
}

/// A trustee as the list shows it: the user principal name.
pub(super) fn shown_user(call: &Call<'_>, user: &str) -> Result<String, Failure> {
    if user.eq_ignore_ascii_case(SELF) || user.starts_with("S-1-5-") {
        return Ok(user.to_owned());
    }
    // Groups and contacts have no user principal name and are shown by their own.
    let object = call.recipient_called(user).map(|target| call.recipient_object(target));
    let object = object.ok_or_else(|| Failure::not_found(user))?;
    let name = if object.get("UserPrincipalName").is_some() { "UserPrincipalName" } else { "Name" };
    Ok(object.text(name).into_owned())
}

/// Who, what, and on which mailbox.
fn wanted(call: &Call<'_>) -> Result<(u64, Permission), Failure> {
    let index = call.identity(Class::Mailbox)?;
    let user = call.given.text("User")?.ok_or_else(|| Failure::missing_parameter("User"))?;
    let rights =
        call.given.list("AccessRights")?.ok_or_else(|| Failure::missing_parameter("AccessRights"))?;
    let canonical = |right: &String| {
        let found = RIGHTS.iter().find(|own| own.eq_ignore_ascii_case(right));
        found.map(|own| (*own).to_owned()).ok_or_else(|| not_one_of("AccessRights", right, RIGHTS))
    };
    let rights = rights.iter().map(canonical).collect::<Result<Vec<_>, _>>()?;
    call.boolean("AutoMapping")?;
    let user = shown_user(call, &user)?;
    Ok((index, Permission { user, rights, deny: call.given.switch("Deny")? }))
}

fn add(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let (index, new) = wanted(call)?;
    let identity = call.read(Class::Mailbox, index).text("Identity").into_owned();
    if let Some(answer) = call.asked(&identity)? {
        return Ok(answer);
    }
    let (now, stale) = (call.now, call.stale);
    let list = call.directory.permissions.entry(index).or_default();
    let mut entries = list.current().clone();
    let full = entries.len() >= ENTRIES_MAX;
    let warnings = match entries.iter_mut().find(|entry| entry.user == new.user && entry.deny == new.deny) {
        Some(entry) if new.rights.iter().all(|right| entry.rights.contains(right)) => vec![format!(
            "The appropriate access control entry is already present on the object \"{identity}\" for account \"{}\".",
            new.user
        )],
        Some(entry) => {
            for right in new.rights {
                if !entry.rights.contains(&right) {
                    entry.rights.push(right);
                }
            }
            Vec::new()
        }
        None if full => {
            let text = format!("The access list of \"{identity}\" has {ENTRIES_MAX} entries already.");
            return Err(Failure::invalid(
                "Microsoft.Exchange.Management.Tasks.RecipientTaskException",
                &text,
            ));
        }
        None => {
            entries.push(new);
            Vec::new()
        }
    };
    if warnings.is_empty() {
        *list.write(now, stale) = entries;
    }
    Ok(Answer::Done { warnings })
}

fn remove(call: &mut Call<'_>) -> Result<Answer, Failure> {
    if call.given.switch("ResetDefault")? || call.given.switch("ClearAutoMapping")? {
        return reset(call);
    }
    let (index, gone) = wanted(call)?;
    let identity = call.read(Class::Mailbox, index).text("Identity").into_owned();
    if let Some(answer) = call.asked(&identity)? {
        return Ok(answer);
    }
    let (now, stale) = (call.now, call.stale);
    let list = call.directory.permissions.entry(index).or_default();
    let mut entries = list.current().clone();
    for entry in entries.iter_mut().filter(|entry| entry.user == gone.user && entry.deny == gone.deny) {
        entry.rights.retain(|right| !gone.rights.contains(right));
    }
    entries.retain(|entry| !entry.rights.is_empty());
    if entries == *list.current() {
        let warning = format!(
            "Can't remove the access control entry on the object \"{identity}\" for account \"{}\" because the ACE isn't present.",
            gone.user
        );
        return Ok(Answer::Done { warnings: vec![warning] });
    }
    *list.write(now, stale) = entries;
    Ok(Answer::Done { warnings: Vec::new() })
}

/// `ResetDefault` drops every entry that a cmdlet added; `ClearAutoMapping` changes what nobody can read.
fn reset(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let both = call.given.switch("ResetDefault")? && call.given.switch("ClearAutoMapping")?;
    if both || call.given.value("AccessRights").is_some() || call.given.value("User").is_some() {
        return Err(Failure::ambiguous("ResetDefault and ClearAutoMapping go with Identity alone."));
    }
    let index = call.identity(Class::Mailbox)?;
    let identity = call.directory.name(index);
    if let Some(answer) = call.asked(&identity)? {
        return Ok(answer);
    }
    if call.given.switch("ResetDefault")? {
        let (now, stale) = (call.now, call.stale);
        call.directory.permissions.entry(index).or_default().write(now, stale).clear();
    }
    Ok(Answer::Done { warnings: Vec::new() })
}
