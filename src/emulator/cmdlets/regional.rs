//! Language, time zone and formats of a mailbox.

use super::super::directory::Class;
use super::super::errors::Failure;
use super::super::folders::{CULTURES, Culture, culture};
use super::super::prop::{Object, Prop};
use super::change::Changes;
use super::parameters::{Kind, Parameter, own, p};
use super::{Answer, Call, Cmdlet, Effect};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet { name: "Get-MailboxRegionalConfiguration", effect: Effect::Read, parameters: &[GET], run: get },
    Cmdlet { name: "Set-MailboxRegionalConfiguration", effect: Effect::Write, parameters: &[SET], run: set },
];

const GET: &[Parameter] = &[own("Identity"), own("UseCustomRouting"), own("VerifyDefaultFolderNameLanguage")];

const SET: &[Parameter] = &[
    own("Identity"),
    own("UseCustomRouting"),
    own("LocalizeDefaultFolderName"),
    own("Language"),
    p("TimeZone", Kind::NullableText),
    p("DateFormat", Kind::NullableText),
    p("TimeFormat", Kind::NullableText),
];

fn get(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let index = call.identity(Class::Regional)?;
    let mut object = call.read(Class::Regional, index);
    let matches = object.text("Language") == call.directory.folder_culture(index).name;
    let shown = call.given.switch("VerifyDefaultFolderNameLanguage")?.then_some(matches);
    object.set("DefaultFolderNameMatchingUserLanguage", Prop::Bool(shown.unwrap_or(false)));
    Ok(Answer::Objects(vec![object]))
}

fn set(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let index = call.identity(Class::Regional)?;
    let language = call.given.text("Language")?.map(|name| known(&name)).transpose()?;
    let localise = call.given.switch("LocalizeDefaultFolderName")?;
    let asked = call.given.switch("WhatIf")? || call.given.switch("Confirm")?;
    let answer = call.set(Class::Regional, index, |_, old, changes| {
        if let Some(language) = language {
            changes.insert("Language", Prop::text(language.name));
        }
        fit(old, changes)
    })?;
    if localise && !asked {
        let now = call.directory.current(Class::Regional, index);
        let name = now.text("Language").into_owned();
        let changed = call.directory.folder_culture(index).name != name && !name.is_empty();
        call.directory.folder_cultures.insert(index, name);
        return Ok(if changed { Answer::Done { warnings: Vec::new() } } else { answer });
    }
    Ok(answer)
}

fn known(name: &str) -> Result<&'static Culture, Failure> {
    let known = culture(name);
    known.ok_or_else(|| {
        let names: Vec<&str> = CULTURES.iter().map(|culture| culture.name).collect();
        Failure::not_emulated(&format!("the language {name} (known are {})", names.join(", ")))
    })
}

/// The formats must fit the language; null takes the language's first one.
fn fit(old: &Object, changes: &mut Changes) -> Result<(), Failure> {
    let language = changes.get("Language").or_else(|| old.get("Language")).and_then(Prop::as_text);
    let Some(language) = language.as_deref().and_then(culture) else { return Ok(()) };
    for (name, formats) in [("DateFormat", language.dates), ("TimeFormat", language.times)] {
        let own = changes.get(name).or_else(|| old.get(name)).and_then(Prop::as_text);
        match own.as_deref() {
            None => {
                changes.insert(name, Prop::text(formats[0]));
            }
            Some(own) if formats.contains(&own) => {}
            Some(own) => {
                let text = format!(
                    "{name} \"{own}\" isn't valid for current language setting \"{}\". Valid formats include \"{}\".",
                    language.name,
                    formats.join(", ")
                );
                return Err(Failure::invalid("Microsoft.Exchange.Data.DataValidationException", &text));
            }
        }
    }
    Ok(())
}
