//! `ensure`: read, write only what differs, read again.

use std::time::Duration;

use serde_json::Value;
use tracing::{debug, warn};

use super::acting::{Acting, OBJECT_CHARS_MAX, Outcome};
use super::call::{Call, Select};
use super::calling::first_two;
use super::console::{shown, would_change, would_edit};
use super::context::Mode;
use super::declaration::{Declaration, Drift, no_declaration, text_of};
use super::halt::{Failure, Weight};
use super::items::Items;
use crate::catalog::{CmdletName, Required};
use crate::exchange::errors::Happened;
use crate::exit::Exit;
use crate::observe::escape::one_line;
use crate::rules::duration::show;
use crate::session::Session;
use crate::spec::template::{Scope, Template};

/// Writes of one object whose outcome stayed in doubt. Each is preceded by a read, so none is blind.
const WRITES_MAX: u32 = 3;
/// The first pause before an object is read once more; it doubles.
const REREAD_FIRST: Duration = Duration::from_millis(250);
const REREAD_PAUSE_MAX: Duration = Duration::from_secs(15);
/// A write in doubt is looked for during this part of the time that a write may take to be seen.
const IN_DOUBT_PART: u32 = 4;

/// What must hold for one object.
#[derive(Clone, Copy)]
pub(super) struct Ensure<'a> {
    pub(super) noun: &'a str,
    pub(super) get: &'a CmdletName,
    pub(super) set: &'a CmdletName,
    pub(super) identity: Option<&'a Template>,
    pub(super) properties: &'a [(String, Template)],
}

/// An object's declaration, evaluated.
pub(super) struct Declared<'a> {
    ensure: Ensure<'a>,
    pub(super) identity: Option<String>,
    properties: Vec<(&'a str, Declaration)>,
}

impl Acting<'_> {
    /// Makes what is declared hold; `ahead` is the object, if it was read already.
    pub(super) async fn ensure(
        &self,
        session: &mut Session,
        declared: &Declared<'_>,
        read: &Call,
        ahead: Option<Result<Items, Failure>>,
    ) -> Result<Outcome, Failure> {
        let noun = declared.ensure.noun;
        let observed = match ahead {
            Some(items) => the_one(first_two(&items?)?, noun)?,
            None => self.read_one(session, read, noun).await?,
        };
        let drift = declared.drift(&observed)?;
        let changes = drift.len() as u64;
        if drift.is_empty() {
            return Ok(Outcome::Unchanged);
        }
        if self.run.mode == Mode::DryRun {
            self.print(declared, &observed, &drift);
            return Ok(Outcome::Pending { changes });
        }
        self.budget.reserve(changes)?;
        let names: Vec<&str> = drift.iter().map(|property| property.name).collect();
        let write = declared.write_call(&drift);
        let written = self.write_until_seen(session, declared, read, &write, &names).await;
        match written {
            Ok(()) => Ok(Outcome::Changed { changes }),
            Err(failure) => {
                if !failure.is_in_doubt() {
                    self.budget.give_back(changes);
                }
                Err(failure)
            }
        }
    }

    async fn write_until_seen(
        &self,
        session: &mut Session,
        declared: &Declared<'_>,
        read: &Call,
        write: &Call,
        names: &[&str],
    ) -> Result<(), Failure> {
        let mut writes = 0;
        loop {
            writes += 1;
            let doubt = match self.write(session, write, names).await {
                Ok(_) => None,
                Err(failure) if failure.is_in_doubt() && failure.weight == Weight::Ordinary => Some(failure),
                Err(failure) => return Err(failure),
            };
            let patience = match &doubt {
                None => self.run.reread_wait,
                Some(_) => self.run.reread_wait / IN_DOUBT_PART,
            };
            let left = match self.look_again(session, declared, read, patience).await {
                Ok(None) => return Ok(()),
                Ok(Some(left)) => left,
                // The service has confirmed the write; only the look at it was cut off.
                Err(again) if doubt.is_none() && again.weight == Weight::EndsRun(Exit::Interrupted) => {
                    return Ok(());
                }
                Err(again) => return Err(after_doubt(doubt, again)),
            };
            match doubt {
                None => {
                    let message = format!("written, but it did not stick within {}: {left}", show(patience));
                    return Err(Failure {
                        happened: Happened::Unknown,
                        ..Failure::new("did_not_stick", message)
                    });
                }
                Some(failure) if writes == WRITES_MAX => {
                    let message = format!("given up after {writes} writes in doubt: {}", failure.message);
                    return Err(Failure { message, ..failure });
                }
                Some(failure) => {
                    warn!(error = %failure.message, "the write was in doubt and is not to be seen, writing again");
                }
            }
        }
    }

    /// Reads until everything is as declared, or says what is not.
    async fn look_again(
        &self,
        session: &mut Session,
        declared: &Declared<'_>,
        read: &Call,
        patience: Duration,
    ) -> Result<Option<String>, Failure> {
        let began = self.run.clocks.boot();
        let mut pause = REREAD_FIRST;
        loop {
            let observed = self.read_one(session, read, declared.ensure.noun).await?;
            let drift = declared.drift(&observed)?;
            if drift.is_empty() {
                return Ok(None);
            }
            if self.run.clocks.boot().since(began) + pause > patience {
                let left: Vec<String> = drift.iter().map(Drift::describe).collect();
                return Ok(Some(left.join(", ")));
            }
            debug!(pause_ms = pause.as_millis() as u64, "the write is not to be seen yet, reading again");
            tokio::select! {
                () = self.run.clocks.sleep(pause) => {}
                () = self.run.stop.asked() => {}
            }
            pause = (pause * 2).min(REREAD_PAUSE_MAX);
        }
    }

    async fn read_one(&self, session: &mut Session, call: &Call, noun: &str) -> Result<Value, Failure> {
        the_one(self.read(session, call).await?, noun)
    }

    fn print(&self, declared: &Declared<'_>, observed: &Value, drift: &[Drift<'_>]) {
        let name = observed.get("Identity").map(shown);
        let mut lines = match (name, &declared.identity) {
            (Some(name), Some(identity)) if name != *identity => {
                format!("{} {name} ({})", declared.ensure.noun, one_line(identity, OBJECT_CHARS_MAX))
            }
            (Some(name), _) => format!("{} {name}", declared.ensure.noun),
            (None, Some(identity)) => {
                format!("{} {}", declared.ensure.noun, one_line(identity, OBJECT_CHARS_MAX))
            }
            (None, None) => declared.ensure.noun.to_owned(),
        };
        for property in drift {
            lines.push('\n');
            lines.push_str(&match &property.to {
                Declaration::Whole(to) => would_change(property.name, Some(&property.from), to),
                Declaration::Edit(edit) => would_edit(property.name, edit),
            });
        }
        self.print_lines(&lines);
    }
}

fn the_one(mut items: Vec<Value>, noun: &str) -> Result<Value, Failure> {
    match (items.pop(), items.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => Err(Failure::new("not_found", format!("there is no such {noun}"))),
        (Some(_), false) => {
            Err(Failure::new("ambiguous", format!("the identity names more than one {noun}; use an id")))
        }
    }
}

/// The object could not be read after a write in doubt: the doubt is what has to be reported.
fn after_doubt(doubt: Option<Failure>, again: Failure) -> Failure {
    match doubt {
        None => again,
        Some(doubt) => {
            let message =
                format!("in doubt whether it was done: {}; reading again: {}", doubt.message, again.message);
            Failure { message, weight: again.weight, ..doubt }
        }
    }
}

impl<'a> Declared<'a> {
    pub(super) fn evaluate(ensure: Ensure<'a>, scope: &Scope) -> Result<Declared<'a>, Failure> {
        let identity = match ensure.identity {
            None => None,
            Some(template) => match template.eval(scope)? {
                Value::String(identity) if !identity.is_empty() => Some(identity),
                Value::Number(identity) => Some(identity.to_string()),
                other => {
                    let message = format!(
                        "the identity of this {} is {}; it must be a text",
                        ensure.noun,
                        shown(&other)
                    );
                    return Err(Failure::new("expression", message));
                }
            },
        };
        let mut properties = Vec::new();
        for (name, template) in ensure.properties {
            let declared = Declaration::new(template.eval(scope)?, text_of(ensure.set, name));
            let declared = declared.map_err(|error| no_declaration(name, &error))?;
            properties.push((name.as_str(), declared));
        }
        Ok(Declared { ensure, identity, properties })
    }

    fn identity_parameter(&self) -> Vec<(String, Value)> {
        self.identity
            .iter()
            .map(|identity| ("Identity".to_owned(), Value::String(identity.clone())))
            .collect()
    }

    pub(super) fn read_call(&self) -> Call {
        let names = std::iter::once("Identity").chain(self.properties.iter().map(|(name, _)| *name));
        Call::new(self.ensure.get, self.identity_parameter(), Select::named(names))
    }

    fn write_call(&self, drift: &[Drift<'_>]) -> Call {
        let mut parameters = self.identity_parameter();
        for (name, declared) in &self.properties {
            let differs = drift.iter().find(|property| property.name == *name);
            if differs.is_some() || self.is_always_required(name) {
                let declared = differs.map_or(declared, |property| &property.to);
                parameters.push(((*name).to_owned(), declared.to_value()));
            }
        }
        Call::new(self.ensure.set, parameters, Select::all())
    }

    /// # Errors
    /// A declared property that the object came without cannot be ensured: nobody could say that it holds.
    fn drift(&self, observed: &Value) -> Result<Vec<Drift<'_>>, Failure> {
        let mut drift = Vec::new();
        for (name, declared) in &self.properties {
            let found = observed.get(*name);
            let Some(left) = declared.left(found, text_of(self.ensure.set, name)) else {
                let message = format!(
                    "{} did not return {name}, so whether it differs cannot be seen; set it with a `cmdlet` step",
                    self.ensure.get
                );
                return Err(Failure::new("not_observable", message));
            };
            if let Some(to) = left.0 {
                drift.push(Drift { name, from: found.cloned().unwrap_or_default(), to });
            }
        }
        Ok(drift)
    }

    /// Some cmdlets refuse a call without a certain property, whether it changes or not.
    fn is_always_required(&self, property: &str) -> bool {
        let parameter = self.ensure.set.cmdlet().and_then(|cmdlet| cmdlet.parameter(property));
        parameter.is_some_and(|parameter| parameter.required() == Required::Always)
    }
}
