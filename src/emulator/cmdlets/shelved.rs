//! What the plain verbs do to objects on a shelf.

use serde_json::Value;

use super::super::directory::Class;
use super::super::errors::Failure;
use super::super::filter::{Filter, Operator};
use super::super::prop::{Object, Prop};
use super::super::shelf::Source;
use super::super::synthesized::{self, Shape, shape};
use super::catalogued::{Run, is_synthesized, verb};
use super::settle::{Verb, settle};
use super::{Answer, Call, rules};

/// Cmdlets of shelves with a way of their own.
pub(super) const RUNS: &[(&str, Run)] =
    &[("Enable-OrganizationCustomization", customize), ("Get-OutboundConnector", outbound_connectors)];

pub(super) fn get(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let noun = call.noun();
    call.begin(noun);
    // Values are checked even where nothing is looked up with them.
    call.check_values()?;
    // The documentation demands an identity of some reads that list without one.
    if is_synthesized(call.cmdlet) {
        call.require()?;
    }
    let shape = shape(noun);
    if let (Some(identity), false) = (call.naming("Identity")?, matches!(shape, Shape::Single | Shape::Added))
    {
        let number = match shape {
            Shape::OfMailbox => call.of_mailbox(&identity)?,
            Shape::None => {
                // What belongs to a mailbox or an object of another noun is none; other names are not found.
                let known = call.directory.find(Class::Mailbox, &identity).is_some();
                return if known {
                    Ok(Answer::Objects(Vec::new()))
                } else {
                    Err(Failure::not_found(&identity))
                };
            }
            _ => call
                .directory
                .shelf
                .find(noun, &identity, call.now)
                .ok_or_else(|| Failure::not_found(&identity))?,
        };
        let object = Source::Shelf(noun).read(call.directory, number, call.now);
        return object
            .map(|object| Answer::Objects(vec![object]))
            .ok_or_else(|| Failure::not_found(&identity));
    }
    let mut listing = call.listing(Source::Shelf(noun))?;
    if shape != Shape::Single {
        for (name, value) in wanted(call, noun)? {
            listing.and(Filter::Test {
                property: name.to_owned(),
                operator: Operator::Equal,
                value: Some(value),
            });
        }
    }
    Ok(Answer::Listing(listing))
}

/// Parameters of a read that are called as a property choose the objects that have the value.
fn wanted(call: &Call<'_>, noun: &'static str) -> Result<Vec<(&'static str, String)>, Failure> {
    let Some((_, example)) = call.directory.shelf.list(noun, call.now).next() else { return Ok(Vec::new()) };
    let mut wanted = Vec::new();
    for (parameter, value) in call.given.iter() {
        let name = parameter.name;
        let chooses = !matches!(name, "Filter" | "ResultSize" | "Anr") && example.get(name).is_some();
        // A switch that is off asks for nothing.
        if chooses && !matches!(value, Value::Null | Value::Bool(false) | Value::Array(_) | Value::Object(_))
        {
            wanted.push((name, super::values::scalar(name, value)?));
        }
    }
    Ok(wanted)
}

pub(super) fn new(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let noun = call.noun();
    call.begin(noun);
    call.require()?;
    let number = call.directory.shelf.len(noun);
    let name = new_name(call, noun, number)?;
    let mut object = synthesized::object(&call.directory.tenant, noun, number, &name, Some(call.wall));
    call.apply(&mut object)?;
    if let (Shape::Added, Some(parent)) = (shape(noun), call.naming("Identity")?) {
        // An entry is found by what it is an entry of.
        object.set("Identity", Prop::text(parent));
    }
    settle(call, Verb::New, None, &mut object)?;
    if call.directory.shelf.is_taken(noun, &name) {
        return Err(exists(shape(noun), &name));
    }
    if let Some(answer) = call.asked(&name)? {
        return Ok(answer);
    }
    let when = call.when();
    let number = call.directory.shelf.add(noun, object, when);
    rules::place(call, noun, number);
    let made = call.directory.shelf.current(noun, number).cloned();
    Ok(Answer::Objects(made.into_iter().collect()))
}

fn exists(shape: Shape, name: &str) -> Failure {
    match shape {
        Shape::Added => Failure::invalid(
            "Microsoft.Exchange.Management.Tasks.MemberAlreadyExistsException",
            &format!("\"{name}\" is already there."),
        ),
        _ => Failure::invalid(
            "Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException",
            &format!("The object '{name}' already exists. Choose another name."),
        ),
    }
}

/// What a new object is called: its `Name`, else the values of what is always required.
fn new_name(call: &Call<'_>, noun: &str, number: u64) -> Result<String, Failure> {
    if let Some(name) = call.naming("Name")? {
        return Ok(name);
    }
    let mut parts: Vec<String> = call.naming("Identity")?.into_iter().collect();
    parts.extend(call.keys()?.into_iter().map(|(_, value)| value).filter(|value| !value.is_empty()));
    Ok(if parts.is_empty() { format!("{noun} {}", number + 1) } else { parts.join("\\") })
}

pub(super) fn set(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let noun = call.noun();
    call.begin(noun);
    if is_synthesized(call.cmdlet) {
        call.require()?;
    }
    let number = call.target()?;
    let Some(old) = call.directory.shelf.current(noun, number).cloned() else {
        return Err(Failure::not_found(noun));
    };
    let mut new = old.clone();
    call.apply(&mut new)?;
    if old.get("Name") != new.get("Name") {
        rename(call, noun, &mut new)?;
    }
    settle(call, Verb::Set, Some(&old), &mut new)?;
    write(call, number, &old, &new)
}

fn rename(call: &Call<'_>, noun: &str, object: &mut Object) -> Result<(), Failure> {
    let name = object.text("Name").into_owned();
    if name.is_empty() {
        return Err(Failure::transformation(
            "Name",
            "The argument is null or empty. Provide one that is not.",
        ));
    }
    if call.directory.shelf.is_taken(noun, &name) {
        return Err(exists(Shape::Made, &name));
    }
    object.set("Identity", Prop::text(name.clone()));
    object.set("Id", Prop::text(name));
    Ok(())
}

/// Writes what differs, or says that nothing does.
pub(super) fn write(call: &mut Call<'_>, number: u64, old: &Object, new: &Object) -> Result<Answer, Failure> {
    let noun = call.noun();
    let changes: Vec<(&'static str, Prop)> = new
        .iter()
        .filter(|(name, prop)| old.get(name) != Some(prop))
        .map(|(name, prop)| (name, prop.clone()))
        .collect();
    let name = old.text("Identity").into_owned();
    if let Some(answer) = call.asked(&name)? {
        return Ok(answer);
    }
    if changes.is_empty() {
        let warning =
            format!("The command completed successfully but no settings of '{name}' have been modified.");
        return Ok(Answer::Done { warnings: vec![warning] });
    }
    let when = call.when();
    let moved = changes.iter().any(|(name, _)| *name == "Priority");
    call.directory.shelf.write(noun, number, changes, when);
    if moved {
        rules::place(call, noun, number);
    }
    Ok(Answer::Done { warnings: Vec::new() })
}

pub(super) fn remove(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let noun = call.noun();
    call.begin(noun);
    let number = call.target()?;
    let Some(object) = call.directory.shelf.current(noun, number).cloned() else {
        return Err(Failure::not_found(noun));
    };
    let name = object.text("Identity").into_owned();
    settle(call, Verb::Remove, Some(&object), &mut object.clone())?;
    if let Some(answer) = call.asked(&name)? {
        return Ok(answer);
    }
    let when = call.when();
    call.directory.shelf.remove(noun, number, when);
    rules::close_up(call, noun);
    Ok(Answer::Done { warnings: Vec::new() })
}

/// Enable and Disable.
pub(super) fn toggle(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let noun = call.noun();
    call.begin(noun);
    let number = call.target()?;
    let Some(old) = call.directory.shelf.current(noun, number).cloned() else {
        return Err(Failure::not_found(noun));
    };
    let on = verb(call.cmdlet) == "Enable";
    let mut new = old.clone();
    if old.get("State").is_some() {
        new.set("State", Prop::text(if on { "Enabled" } else { "Disabled" }));
    } else {
        new.set("Enabled", Prop::Bool(on));
    }
    settle(call, Verb::Set, Some(&old), &mut new)?;
    write(call, number, &old, &new)
}

/// A read whose objects nobody made up.
pub(super) fn nothing_to_show(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.require()?;
    call.check_values()?;
    Ok(Answer::Objects(Vec::new()))
}

/// A write whose effect nobody described: the answer says that there was none.
pub(super) fn nothing_done(call: &mut Call<'_>) -> Result<Answer, Failure> {
    call.require()?;
    call.check_values()?;
    if let Some(answer) = call.asked(call.noun())? {
        return Ok(answer);
    }
    let warning = format!(
        "exorun emulator: {} is synthesized. Its parameters were checked, and nothing was done.",
        call.cmdlet.name
    );
    Ok(Answer::Done { warnings: vec![warning] })
}

fn customize(call: &mut Call<'_>) -> Result<Answer, Failure> {
    const NOUN: &str = "OrganizationConfig";
    call.begin(NOUN);
    let Some((number, config)) = call.directory.shelf.list(NOUN, call.now).next() else {
        return Err(Failure::not_found(NOUN));
    };
    if config.get("IsDehydrated") == Some(&Prop::Bool(false)) {
        return Err(Failure::invalid(
            "System.InvalidOperationException",
            "This operation is not required. Organization is already enabled for customization.",
        ));
    }
    if let Some(answer) = call.asked(NOUN)? {
        return Ok(answer);
    }
    let when = call.when();
    call.directory.shelf.write(NOUN, number, [("IsDehydrated", Prop::Bool(false))], when);
    Ok(Answer::Done { warnings: Vec::new() })
}

/// Connectors of the test mode are shown to those who ask only. Source: protocol reference, 6.3.
fn outbound_connectors(call: &mut Call<'_>) -> Result<Answer, Failure> {
    let all = call.given.switch("IncludeTestModeConnectors")?;
    let answer = get(call)?;
    Ok(match answer {
        Answer::Listing(mut listing) if !all => {
            listing.and(Filter::Test {
                property: "TestMode".to_owned(),
                operator: Operator::NotEqual,
                value: Some("True".to_owned()),
            });
            Answer::Listing(listing)
        }
        answer => answer,
    })
}
