//! Sizes and counts of a mailbox and of its folders.

use super::super::directory::Class;
use super::super::errors::Failure;
use super::super::folders;
use super::super::prop::Prop;
use super::parameters::{Parameter, owns};
use super::values::not_one_of;
use super::{Answer, Call, Cmdlet, Effect};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet {
        name: "Get-MailboxStatistics",
        effect: Effect::Read,
        parameters: &[STATISTICS],
        run: statistics,
    },
    Cmdlet {
        name: "Get-MailboxFolderStatistics",
        effect: Effect::Read,
        parameters: &[FOLDERS],
        run: folder_statistics,
    },
];

const STATISTICS: &[Parameter] = &owns(["Identity", "Archive", "UseCustomRouting"]);

const FOLDERS: &[Parameter] = &owns([
    "Identity",
    "FolderScope",
    "IncludeOldestAndNewestItems",
    "ResultSize",
    "SkipCount",
    "UseCustomRouting",
]);

fn statistics(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let index = call.identity(Class::Mailbox)?;
    let mailbox = call.read(Class::Mailbox, index);
    let archive = call.given.switch("Archive")?;
    if archive && mailbox.text("ArchiveStatus") != "Active" {
        let text = format!("The mailbox \"{}\" has no archive.", mailbox.text("Identity"));
        return Err(Failure::invalid("Microsoft.Exchange.Configuration.Tasks.RecipientTaskException", &text));
    }
    if index >= call.directory.tenant.mailboxes {
        let warning = format!(
            "The user hasn't logged on to mailbox '{}', so there is no data to return. After the user logs on, this warning will no longer appear.",
            mailbox.text("Identity")
        );
        return Ok(Answer::Done { warnings: vec![warning] });
    }
    let mut shown = call.directory.tenant.statistics(index, archive);
    shown.set("DisplayName", Prop::text(mailbox.text("DisplayName").into_owned()));
    shown.set("MailboxTypeDetail", Prop::text(mailbox.text("RecipientTypeDetails").into_owned()));
    Ok(Answer::Objects(vec![shown]))
}

fn folder_statistics(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let index = call.identity(Class::Mailbox)?;
    let scope = call.given.text("FolderScope")?.unwrap_or_else(|| "All".to_owned());
    let all = scope.eq_ignore_ascii_case("All");
    if !all && !folders::TYPES.iter().any(|own| own.eq_ignore_ascii_case(&scope)) {
        return Err(not_one_of("FolderScope", &scope, &folders::TYPES));
    }
    let dates = call.given.switch("IncludeOldestAndNewestItems")?;
    let skip = match call.given.text("SkipCount")? {
        Some(text) => text.parse().map_err(|_| {
            Failure::transformation("SkipCount", "Cannot convert the value to type \"System.Int32\".")
        })?,
        None => 0,
    };
    let limit = call.given.result_size()?.limit().and_then(|limit| usize::try_from(limit).ok());
    let name = call.directory.name(index);
    let culture = call.directory.folder_culture(index);
    let rows = (0..folders::TYPES.len())
        .filter(|number| all || folders::TYPES[*number].eq_ignore_ascii_case(&scope))
        .skip(skip)
        .take(limit.unwrap_or(usize::MAX));
    let shown = rows.map(|number| {
        let tenant = &call.directory.tenant;
        tenant.folder_statistics(index, &name, number, culture.folder(number), dates)
    });
    Ok(Answer::Objects(shown.collect()))
}
