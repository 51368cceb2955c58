//! Addresses and aliases of recipients: what may be written, and what follows from it.

use super::super::directory::Class;
use super::super::errors::Failure;
use super::super::prop::{Object, Prop};
use super::Call;
use super::change::Changes;

/// The addresses after the changes so far.
pub(super) fn addresses(old: &Object, changes: &Changes) -> Vec<String> {
    match changes.get("EmailAddresses").or_else(|| old.get("EmailAddresses")) {
        Some(Prop::List(items)) => items.clone(),
        _ => Vec::new(),
    }
}

/// Makes one address the primary one, and the former an alias.
pub(super) fn with_primary(all: &[String], primary: &str) -> Vec<String> {
    let mut new = vec![format!("SMTP:{primary}")];
    for item in all {
        let Some((kind, rest)) = item.split_once(':') else { continue };
        if kind.eq_ignore_ascii_case("smtp") {
            if !rest.eq_ignore_ascii_case(primary) {
                new.push(format!("smtp:{rest}"));
            }
        } else {
            new.push(item.clone());
        }
    }
    new
}

/// Exactly one primary address, known domains, nobody else's address. Returns the primary one.
pub(super) fn checked(call: &Call<'_>, index: u64, all: &[String]) -> Result<String, Failure> {
    let recipient =
        |text: &str| Failure::invalid("Microsoft.Exchange.Configuration.Tasks.RecipientTaskException", text);
    let primaries: Vec<&str> = all.iter().filter_map(|item| item.strip_prefix("SMTP:")).collect();
    let [primary] = primaries[..] else {
        return Err(recipient("There must be exactly one primary SMTP address (SMTP:) in EmailAddresses."));
    };
    let smtp = all
        .iter()
        .filter_map(|item| item.split_once(':'))
        .filter(|(kind, _)| kind.eq_ignore_ascii_case("smtp"));
    for (_, address) in smtp {
        check_address(call, Some(index), address)?;
    }
    Ok(primary.to_owned())
}

/// An address of a domain of the tenant that nobody but the mailbox `own` has.
pub(super) fn check_address(call: &Call<'_>, own: Option<u64>, address: &str) -> Result<(), Failure> {
    let domain = address.rsplit_once('@').map(|(_, domain)| domain).unwrap_or_default();
    let domains = call.directory.tenant.accepted_domains();
    if !domains.iter().any(|own| own.eq_ignore_ascii_case(domain)) {
        return Err(Failure::invalid(
            "Microsoft.Exchange.Management.Tasks.NotAcceptedDomainException",
            &format!(
                "You can't use the domain {domain} because it's not an accepted domain for your organization."
            ),
        ));
    }
    let other = call.directory.find(Class::Mailbox, address).is_some_and(|other| Some(other) != own);
    if other || call.directory.shelf_has(address) {
        return Err(Failure::invalid(
            "Microsoft.Exchange.Data.Directory.ProxyAddressExistsException",
            &format!(
                "The proxy address \"SMTP:{address}\" is already being used by another recipient. Please choose another proxy address."
            ),
        ));
    }
    Ok(())
}

/// The alias that is made of a name where none is given: its letters and digits.
pub(super) fn derived_alias(name: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || "-._".contains(c) { Some(c) } else { None };
    let alias: String = name.chars().filter_map(kept).collect();
    if alias.is_empty() { "mailbox".to_owned() } else { alias }
}

pub(super) fn check_alias(call: &Call<'_>, own: Option<u64>, alias: &str) -> Result<(), Failure> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    if alias.is_empty() || alias.len() > 64 || !alias.chars().all(allowed) {
        let text = format!(
            "\"{alias}\" isn't valid for Alias. Valid values are strings of ASCII letters, digits and some punctuation."
        );
        return Err(Failure::invalid("Microsoft.Exchange.Data.DataValidationException", &text));
    }
    let other = call.directory.find(Class::Mailbox, alias).is_some_and(|other| Some(other) != own);
    if other || call.directory.shelf_has(alias) {
        return Err(Failure::invalid(
            "Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException",
            &format!("The alias \"{alias}\" is already being used by another recipient."),
        ));
    }
    Ok(())
}
