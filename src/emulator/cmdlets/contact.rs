//! Contacts and users whose mail goes outside: `Get-`, `New-`, `Set-` and `Remove-` of `MailContact` and `MailUser`.

use super::super::directory::Class;
use super::super::errors::Failure;
use super::super::groups::{self, CONTACT, MAIL_USER, Names};
use super::super::prop::{Object, Prop};
use super::addresses::derived_alias;
use super::change::Changes;
use super::group::{CUSTOM, RECIPIENTS};
use super::parameters::{Kind, Parameter, all, own, owns, p};
use super::{Answer, Call, Cmdlet, Effect};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet { name: "Get-MailContact", effect: Effect::Read, parameters: &[GET], run: get_contact },
    Cmdlet { name: "New-MailContact", effect: Effect::Write, parameters: &[NEW, FORMATS], run: new_contact },
    Cmdlet {
        name: "Set-MailContact",
        effect: Effect::Write,
        parameters: &[SET, FORMATS, SET_FORMATS, BOOLS, RECIPIENTS, CUSTOM],
        run: set_contact,
    },
    Cmdlet { name: "Remove-MailContact", effect: Effect::Write, parameters: &[REMOVE], run: remove_contact },
    Cmdlet { name: "Get-MailUser", effect: Effect::Read, parameters: &[GET], run: get_user },
    Cmdlet {
        name: "New-MailUser",
        effect: Effect::Write,
        parameters: &[NEW, NEW_USER, FORMATS],
        run: new_user,
    },
    Cmdlet {
        name: "Set-MailUser",
        effect: Effect::Write,
        parameters: &[SET, SET_USER, FORMATS, SET_FORMATS, BOOLS, RECIPIENTS, CUSTOM],
        run: set_user,
    },
    Cmdlet { name: "Remove-MailUser", effect: Effect::Write, parameters: &[REMOVE], run: remove_user },
];

const GET: &[Parameter] = &owns(["Identity", "Filter", "ResultSize"]);

const NEW: &[Parameter] = &owns([
    "Name",
    "Alias",
    "DisplayName",
    "ExternalEmailAddress",
    "FirstName",
    "LastName",
    "Initials",
    "OrganizationalUnit",
]);

const NEW_USER: &[Parameter] = &owns(["MicrosoftOnlineServicesID", "Password", "PrimarySmtpAddress"]);

const FORMATS: &[Parameter] = &[
    p("MacAttachmentFormat", Kind::Word),
    p("MessageBodyFormat", Kind::Word),
    p("MessageFormat", Kind::Word),
    p("UsePreferMessageFormat", Kind::Bool),
    p("SendModerationNotifications", Kind::Word),
    p("ModerationEnabled", Kind::Bool),
];

const SET_FORMATS: &[Parameter] = &[p("UseMapiRichTextFormat", Kind::Word)];

const SET: &[Parameter] = &[
    own("Identity"),
    own("ForceUpgrade"),
    own("ExternalEmailAddress"),
    own("WindowsEmailAddress"),
    p("Name", Kind::Text),
    p("Alias", Kind::Text),
    p("DisplayName", Kind::Text),
    p("SimpleDisplayName", Kind::Text),
    p("EmailAddresses", Kind::ProxyAddresses),
    p("MailTip", Kind::NullableText),
    p("MailTipTranslations", Kind::List),
];

const SET_USER: &[Parameter] = &[
    own("MicrosoftOnlineServicesID"),
    own("Password"),
    own("PrimarySmtpAddress"),
    own("ResetPasswordOnNextLogon"),
    p("MaxReceiveSize", Kind::Size),
    p("MaxSendSize", Kind::Size),
    p("RecipientLimits", Kind::Text),
];

const BOOLS: &[Parameter] =
    &all(["HiddenFromAddressListsEnabled", "RequireSenderAuthenticationEnabled"], Kind::Bool);

const REMOVE: &[Parameter] = &owns(["Identity"]);

/// The target address, without the prefix that reads show. Source: protocol reference, 6.2.
fn target(call: &Call<'_>) -> Result<Option<String>, Failure> {
    let Some(text) = call.given.text("ExternalEmailAddress")? else { return Ok(None) };
    let (prefix, address) = text.split_once(':').unwrap_or(("SMTP", &text));
    match address.split_once('@') {
        Some((local, domain))
            if prefix.eq_ignore_ascii_case("smtp") && !local.is_empty() && domain.contains('.') =>
        {
            Ok(Some(address.to_owned()))
        }
        _ => Err(Failure::transformation(
            "ExternalEmailAddress",
            &format!("Cannot convert value \"{text}\" to type \"Microsoft.Exchange.Data.ProxyAddress\"."),
        )),
    }
}

fn free(call: &Call<'_>, address: &str, own: Option<&Object>) -> Result<(), Failure> {
    let is_own =
        own.is_some_and(|own| own.text("EmailAddresses").to_lowercase().contains(&address.to_lowercase()));
    let taken = call.directory.find(Class::Mailbox, address).is_some() || call.directory.shelf_has(address);
    if taken && !is_own {
        return Err(Failure::invalid(
            "Microsoft.Exchange.Data.Directory.ProxyAddressExistsException",
            &format!(
                "The proxy address \"SMTP:{address}\" is already being used by another recipient. Please choose another proxy address."
            ),
        ));
    }
    Ok(())
}

fn new(call: &mut Call<'_>, noun: &'static str) -> Result<Answer, Failure> {
    let name = call.new_name()?;
    let external = target(call)?;
    let upn = if noun == MAIL_USER { call.given.text("MicrosoftOnlineServicesID")? } else { None };
    let external = match (external, &upn) {
        (Some(external), _) => external,
        (None, Some(upn)) => upn.clone(),
        (None, None) => return Err(Failure::missing_parameter("ExternalEmailAddress")),
    };
    free(call, &external, None)?;
    let alias = call.given.text("Alias")?.unwrap_or_else(|| derived_alias(&name));
    for taken in [&name, &alias] {
        if call.directory.find(Class::Mailbox, taken).is_some() || call.directory.shelf_has(taken) {
            return Err(Failure::invalid(
                "Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException",
                &format!("The name \"{taken}\" is already being used. Please try another name."),
            ));
        }
    }
    let display = call.given.text("DisplayName")?.unwrap_or_else(|| name.clone());
    let primary = upn.unwrap_or_else(|| external.clone());
    let always = call.newborn(noun, &name);
    let mut object = groups::external(always, &Names { alias, display, primary }, noun, &external);
    for (name, prop) in call.converted(&object)? {
        object.set(name, prop);
    }
    if let Some(answer) = call.asked(&name)? {
        return Ok(answer);
    }
    let when = call.when();
    call.directory.shelf.add(noun, object.clone(), when);
    Ok(Answer::Objects(vec![object]))
}

fn set(call: &mut Call<'_>, noun: &'static str) -> Result<Answer, Failure> {
    let number = call.on_shelf(noun)?;
    call.set_on_shelf(noun, number, |call, old, changes| refine(call, noun, old, changes))
}

fn refine(call: &Call<'_>, noun: &str, old: &Object, changes: &mut Changes) -> Result<(), Failure> {
    if let Some(external) = target(call)? {
        free(call, &external, Some(old))?;
        changes.insert("ExternalEmailAddress", Prop::text(format!("SMTP:{external}")));
    }
    if noun == MAIL_USER
        && let Some(upn) = call.given.text("MicrosoftOnlineServicesID")?
    {
        changes.insert("UserPrincipalName", Prop::text(upn.clone()));
        changes.insert("MicrosoftOnlineServicesID", Prop::text(upn));
    }
    let primaries: &[&'static str] = if noun == MAIL_USER {
        &["WindowsEmailAddress", "PrimarySmtpAddress"]
    } else {
        &["WindowsEmailAddress"]
    };
    call.refine_recipient(old, changes, primaries)
}

fn get_contact(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.one_or_all_on_shelf(CONTACT)
}

fn new_contact(call: &mut Call<'_>) -> Result<Answer, Failure> {
    new(call, CONTACT)
}

fn set_contact(call: &mut Call<'_>) -> Result<Answer, Failure> {
    set(call, CONTACT)
}

fn remove_contact(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.remove_from_shelf(CONTACT)
}

fn get_user(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.one_or_all_on_shelf(MAIL_USER)
}

fn new_user(call: &mut Call<'_>) -> Result<Answer, Failure> {
    new(call, MAIL_USER)
}

fn set_user(call: &mut Call<'_>) -> Result<Answer, Failure> {
    set(call, MAIL_USER)
}

fn remove_user(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.remove_from_shelf(MAIL_USER)
}
