//! `Get-`, `Add-` and `Remove-MailboxPermission`.

use super::super::directory::{Class, Permission};
use super::super::errors::Failure;
use super::super::prop::{Object, Prop};
use super::parameters::{Parameter, missing, own};
use super::values::not_one_of;
use super::{Answer, Call, Cmdlet, Effect};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet { name: "Get-MailboxPermission", effect: Effect::Read, parameters: &[GET], run: get },
    Cmdlet { name: "Add-MailboxPermission", effect: Effect::Write, parameters: &[ADD], run: add },
    Cmdlet { name: "Remove-MailboxPermission", effect: Effect::Write, parameters: &[REMOVE], run: remove },
];

const GET: &[Parameter] = &[
    own("Identity"),
    own("User"),
    own("ResultSize"),
    missing("Owner"),
    missing("GroupMailbox"),
    missing("SoftDeletedMailbox"),
];

const ADD: &[Parameter] = &[
    own("Identity"),
    own("User"),
    own("AccessRights"),
    own("AutoMapping"),
    own("Deny"),
    own("InheritanceType"),
    missing("Owner"),
    missing("GroupMailbox"),
];

const REMOVE: &[Parameter] = &[
    own("Identity"),
    own("User"),
    own("AccessRights"),
    own("Deny"),
    own("InheritanceType"),
    missing("ClearAutoMapping"),
    missing("ResetDefault"),
    missing("GroupMailbox"),
    missing("BypassMasterAccountSid"),
];

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
    let user = match call.given.text("User")? {
        Some(user) => Some(shown_user(call, &user)?),
        None => None,
    };
    let own = Permission {
        user: "NT AUTHORITY\\SELF".to_owned(),
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
    rows.extend(call.directory.permissions(index).iter().map(|permission| row(permission, false)));
    if let Some(user) = user {
        rows.retain(|row| row.text("User").eq_ignore_ascii_case(&user));
    }
    if let Some(limit) = call.given.result_size()?.limit() {
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    Ok(Answer::Objects(rows))
}

/// A trustee as the list shows it: the user principal name.
fn shown_user(call: &Call<'_>, user: &str) -> Result<String, Failure> {
    if user.eq_ignore_ascii_case("NT AUTHORITY\\SELF") || user.starts_with("S-1-5-") {
        return Ok(user.to_owned());
    }
    match call.directory.find(Class::Mailbox, user) {
        Some(index) => {
            Ok(call.directory.current(Class::Mailbox, index).text("UserPrincipalName").into_owned())
        }
        None => Err(Failure::not_found(user)),
    }
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
    let user = shown_user(call, &user)?;
    Ok((index, Permission { user, rights, deny: call.given.switch("Deny")? }))
}

fn add(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let (index, new) = wanted(call)?;
    let identity = call.read(Class::Mailbox, index).text("Identity").into_owned();
    if let Some(answer) = call.asked(&identity)? {
        return Ok(answer);
    }
    let entries = call.directory.permissions_mut(index);
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
    Ok(Answer::Done { warnings })
}

fn remove(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let (index, gone) = wanted(call)?;
    let identity = call.read(Class::Mailbox, index).text("Identity").into_owned();
    if let Some(answer) = call.asked(&identity)? {
        return Ok(answer);
    }
    let entries = call.directory.permissions_mut(index);
    let mut removed = false;
    for entry in entries.iter_mut().filter(|entry| entry.user == gone.user && entry.deny == gone.deny) {
        let before = entry.rights.len();
        entry.rights.retain(|right| !gone.rights.contains(right));
        removed |= entry.rights.len() < before;
    }
    entries.retain(|entry| !entry.rights.is_empty());
    let warnings = if removed {
        Vec::new()
    } else {
        vec![format!(
            "Can't remove the access control entry on the object \"{identity}\" for account \"{}\" because the ACE isn't present.",
            gone.user
        )]
    };
    Ok(Answer::Done { warnings })
}
