//! Who may send as a recipient: `Get-`, `Add-` and `Remove-RecipientPermission`.

use super::super::directory::SendAs;
use super::super::errors::Failure;
use super::super::prop::{Object, Prop};
use super::super::shelf::Source;
use super::super::wanted::Wanted;
use super::parameters::{Parameter, owns};
use super::permission::{SELF, shown_user};
use super::values::not_one_of;
use super::{Answer, Call, Cmdlet, Effect};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet { name: "Get-RecipientPermission", effect: Effect::Read, parameters: &[GET], run: get },
    Cmdlet { name: "Add-RecipientPermission", effect: Effect::Write, parameters: &[WRITE], run: add },
    Cmdlet { name: "Remove-RecipientPermission", effect: Effect::Write, parameters: &[WRITE], run: remove },
];

const GET: &[Parameter] =
    &owns(["Identity", "Trustee", "AccessRights", "ResultSize", "ReadFromDomainController"]);

const WRITE: &[Parameter] = &owns([
    "Identity",
    "Trustee",
    "AccessRights",
    "SkipDomainValidationForMailContact",
    "SkipDomainValidationForMailUser",
    "SkipDomainValidationForSharedMailbox",
]);

const RIGHTS: &[&str] = &["SendAs"];

fn rights(call: &Call<'_>) -> Result<Option<()>, Failure> {
    let Some(rights) = call.given.list("AccessRights")? else { return Ok(None) };
    match rights.iter().find(|right| !RIGHTS.iter().any(|own| own.eq_ignore_ascii_case(right))) {
        Some(unknown) => Err(not_one_of("AccessRights", unknown, RIGHTS)),
        None => Ok(Some(())),
    }
}

/// The recipient that `Identity` names.
fn recipient(call: &Call<'_>, identity: &str) -> Result<Object, Failure> {
    let found = call.recipient_called(identity).map(|target| call.recipient_object(target));
    found.ok_or_else(|| Failure::not_found(identity))
}

fn row(identity: &str, trustee: &str) -> Object {
    Object::new(vec![
        ("Identity", Prop::text(identity.to_owned())),
        ("Trustee", Prop::text(trustee.to_owned())),
        ("AccessControlType", Prop::text("Allow")),
        ("AccessRights", Prop::List(vec!["SendAs".to_owned()])),
        ("IsInherited", Prop::Bool(false)),
        ("InheritanceType", Prop::text("None")),
        ("IsValid", Prop::Bool(true)),
        ("ObjectState", Prop::text("Unchanged")),
    ])
}

fn get(call: &mut Call<'_>) -> Result<Answer, Failure> {
    rights(call)?;
    let trustee = call.given.text("Trustee")?.map(|trustee| shown_user(call, &trustee)).transpose()?;
    let is_wanted = |own: &str| trustee.as_deref().is_none_or(|wanted| own.eq_ignore_ascii_case(wanted));
    let now = call.now;
    let granted = |object: &Object| -> SendAs {
        let list = call.directory.send_as.get(&Call::guid_of(object));
        list.map(|list| list.read(now).clone()).unwrap_or_default()
    };
    let mut rows: Vec<Object> = match (call.given.text("Identity")?, &trustee) {
        (Some(identity), _) => {
            let object = recipient(call, &identity)?;
            let all = [SELF.to_owned()].into_iter().chain(granted(&object));
            all.filter(|own| is_wanted(own)).map(|own| row(&object.text("Identity"), &own)).collect()
        }
        // The reverse: whom a trustee may send as.
        (None, Some(trustee)) => {
            let lists = call.directory.send_as.iter();
            lists
                .filter(|(_, list)| list.read(now).iter().any(|own| own.eq_ignore_ascii_case(trustee)))
                .filter_map(|(id, _)| call.recipient_called(&id.to_string()))
                .map(|target| row(&call.recipient_object(target).text("Identity"), trustee))
                .collect()
        }
        (None, None) => return everybody(call),
    };
    if let Some(limit) = call.given.result_size()?.limit() {
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    Ok(Answer::Objects(rows))
}

/// Recipients of a tenant whose permissions may be listed without end.
const UNLIMITED_MAX: u64 = 10_000;

/// The permissions of all recipients. They are not made page by page, so an endless list of many is refused.
fn everybody(call: &Call<'_>) -> Result<Answer, Failure> {
    let size = call.given.result_size()?;
    let all = Source::Recipients.len(call.directory);
    if size.limit().is_none() && all > UNLIMITED_MAX {
        let text = format!("Get-RecipientPermission of more than {UNLIMITED_MAX} recipients at once");
        return Err(Failure::not_emulated(&text));
    }
    let most = size.limit().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let names = ["Identity".to_owned(), "Guid".to_owned()];
    let mut rows = (0..all)
        .filter_map(|index| {
            Source::Recipients.read_some(call.directory, index, call.now, Wanted::only(Some(&names)))
        })
        .flat_map(|object| {
            let list = call.directory.send_as.get(&Call::guid_of(&object));
            let granted = list.map(|list| list.read(call.now).clone()).unwrap_or_default();
            let trustees = [SELF.to_owned()].into_iter().chain(granted);
            trustees.map(|trustee| row(&object.text("Identity"), &trustee)).collect::<Vec<_>>()
        });
    let objects: Vec<Object> = rows.by_ref().take(most).collect();
    let warnings = if rows.next().is_some() { size.warnings() } else { Vec::new() };
    Ok(Answer::Some { objects, warnings })
}

/// The recipient and the trustee's name.
fn wanted(call: &Call<'_>) -> Result<(Object, String), Failure> {
    let identity = call.given.text("Identity")?.ok_or_else(|| Failure::missing_parameter("Identity"))?;
    let trustee = call.given.text("Trustee")?.ok_or_else(|| Failure::missing_parameter("Trustee"))?;
    rights(call)?.ok_or_else(|| Failure::missing_parameter("AccessRights"))?;
    Ok((recipient(call, &identity)?, shown_user(call, &trustee)?))
}

fn add(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let (object, trustee) = wanted(call)?;
    let identity = object.text("Identity").into_owned();
    if let Some(answer) = call.asked(&identity)? {
        return Ok(answer);
    }
    let (now, stale) = (call.now, call.stale);
    let list = call.directory.send_as.entry(Call::guid_of(&object)).or_default();
    if list.current().contains(&trustee) {
        let warning = format!(
            "The appropriate access control entry is already present on the object \"{identity}\" for account \"{trustee}\"."
        );
        return Ok(Answer::Done { warnings: vec![warning] });
    }
    list.write(now, stale).push(trustee.clone());
    // The service shows the new row.
    Ok(Answer::Objects(vec![row(&identity, &trustee)]))
}

fn remove(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let (object, trustee) = wanted(call)?;
    let identity = object.text("Identity").into_owned();
    if let Some(answer) = call.asked(&identity)? {
        return Ok(answer);
    }
    let (now, stale) = (call.now, call.stale);
    let list = call.directory.send_as.entry(Call::guid_of(&object)).or_default();
    if !list.current().contains(&trustee) {
        let warning = format!(
            "Can't remove the access control entry on the object \"{identity}\" for account \"{trustee}\" because the ACE isn't present."
        );
        return Ok(Answer::Done { warnings: vec![warning] });
    }
    list.write(now, stale).retain(|own| *own != trustee);
    Ok(Answer::Done { warnings: Vec::new() })
}
