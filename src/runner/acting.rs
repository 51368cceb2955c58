//! One action on one object: expressions in, a call out, the outcome counted and logged.

use serde_json::Value;
use tracing::{info, warn};

use super::bytes;
use super::call::{Call, KeptSecret, Select};
use super::calling::partial;
use super::collect::Collect;
use super::context::{Mode, RunParts};
use super::ensure::{Declared, Ensure};
use super::halt::{Failure, Weight};
use super::items::Items;
use super::tally::Tally;
use crate::exchange::errors::ErrorKind;
use crate::exchange::{CallSummary, Intent};
use crate::exit::Exit;
use crate::observe::escape::one_line;
use crate::observe::metrics::ObjectResult;
use crate::rules::time::BootTime;
use crate::session::Session;
use crate::spec::job::{Action, Keep, Step};
use crate::spec::template::{Scope, SecretValue, Template};

/// Identities in logs and reports are cut here.
pub(super) const OBJECT_CHARS_MAX: usize = 120;

/// One step at work: shared by all its sessions.
pub(super) struct Acting<'a> {
    pub(super) run: &'a RunParts,
    pub(super) step: &'a Step,
    pub(super) tally: &'a Tally,
    /// When the step's time ends.
    pub(super) deadline: Option<BootTime>,
    /// Changes the run has made or reserved, against the job's limit.
    pub(super) budget: &'a super::budget::ChangeBudget,
    /// Items of loops that earlier steps failed on.
    pub(super) left_out: &'a super::left_out::LeftOut,
}

/// What became of one object.
#[derive(Debug)]
pub(super) enum Outcome {
    /// A read returned items.
    Read(Items),
    Changed {
        changes: u64,
    },
    Unchanged,
    Pending {
        changes: u64,
    },
}

/// The step's action on one object, its expressions evaluated.
pub(super) struct Doing<'a> {
    pub(super) object: Option<String>,
    what: What<'a>,
    /// What its first read returned, if that was made together with others'.
    pub(super) ahead: Option<Result<Items, Failure>>,
}

enum What<'a> {
    Call(Call),
    Ensure { declared: Declared<'a>, read: Call },
}

impl Doing<'_> {
    /// The read that the action begins with, if it is one that the service takes together with others.
    pub(super) fn first_read(&self) -> Option<&Call> {
        let (What::Call(call) | What::Ensure { read: call, .. }) = &self.what;
        (call.intent == Intent::Read && call.may_be_batched()).then_some(call)
    }

    /// Whether it compares what it reads with what is declared.
    pub(super) fn ensures(&self) -> bool {
        matches!(self.what, What::Ensure { .. })
    }

    /// What is kept of the items that [`Doing::first_read`] returns.
    pub(super) fn keep<'s>(&self, step: &'s Step) -> &'s Keep {
        match &self.what {
            What::Call(_) => &step.keep,
            What::Ensure { .. } => &Keep::All,
        }
    }
}

impl<'a> Acting<'a> {
    /// Evaluates the step's action for one object.
    ///
    /// # Errors
    /// An expression's failure, not counted yet.
    pub(super) fn prepare(&self, scope: &Scope) -> Result<Doing<'a>, Failure> {
        let what = match &self.step.action {
            Action::Cmdlet { cmdlet, parameters } => {
                let wanted = Select::of(&self.step.select, &self.step.keep);
                let Evaluated { values, secrets } = evaluated(parameters, scope)?;
                What::Call(Call::new(cmdlet, values, wanted).with_secrets(secrets))
            }
            Action::Ensure { noun, get, set, identity, properties } => {
                let ensure = Ensure { noun, get, set, identity: identity.as_ref(), properties };
                let declared = Declared::evaluate(ensure, scope)?;
                let read = declared.read_call();
                What::Ensure { declared, read }
            }
        };
        let object = match &what {
            What::Call(call) => call.object.as_deref(),
            What::Ensure { declared, .. } => declared.identity.as_deref(),
        };
        Ok(Doing { object: object.map(|object| one_line(object, OBJECT_CHARS_MAX)), what, ahead: None })
    }

    /// Does the step's action once, counts its outcome, and hands back the items of a read.
    ///
    /// # Errors
    /// The failure, already counted and logged; its weight says what it means for the run.
    pub(super) async fn once(
        &self,
        session: &mut Session,
        doing: Result<Doing<'_>, Failure>,
    ) -> Result<Option<Items>, Failure> {
        let (outcome, object) = match doing {
            Err(failure) => (Err(failure), None),
            Ok(Doing { object, what, ahead }) => {
                let outcome = match &what {
                    What::Call(call) => self.cmdlet(session, call, ahead).await,
                    What::Ensure { declared, read } => self.ensure(session, declared, read, ahead).await,
                };
                (outcome, object)
            }
        };
        self.count(&outcome, object.as_deref());
        match outcome {
            Ok(Outcome::Read(items)) => Ok(Some(items)),
            Ok(_) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    fn count(&self, outcome: &Result<Outcome, Failure>, object: Option<&str>) {
        let result = match outcome {
            Ok(Outcome::Read(items)) => {
                self.tally.counts().items += crate::spec::template::StepItems::count(items);
                return;
            }
            Ok(Outcome::Changed { changes }) => {
                let mut counts = self.tally.counts();
                counts.changed += 1;
                counts.changes += changes;
                ObjectResult::Changed
            }
            Ok(Outcome::Unchanged) => {
                self.tally.counts().unchanged += 1;
                ObjectResult::Unchanged
            }
            Ok(Outcome::Pending { changes }) => {
                let mut counts = self.tally.counts();
                counts.pending += 1;
                counts.changes += changes;
                ObjectResult::Pending
            }
            Err(failure) => {
                // A run that was told to stop, or that has reached its limit, did not fail on this object.
                let untouched =
                    matches!(failure.weight, Weight::EndsRun(Exit::Interrupted | Exit::RefusedByPolicy));
                if untouched && !failure.is_in_doubt() {
                    return;
                }
                self.tally.failed(object, failure);
                warn!(object, kind = failure.kind, error = %failure.message, "failed");
                ObjectResult::Failed
            }
        };
        self.run.metrics.object(self.run.job.name.as_str(), self.step.name.as_str(), result);
    }

    async fn cmdlet(
        &self,
        session: &mut Session,
        call: &Call,
        ahead: Option<Result<Items, Failure>>,
    ) -> Result<Outcome, Failure> {
        if let Some(items) = ahead {
            return items.map(Outcome::Read);
        }
        if call.intent == Intent::Read {
            let mut collect = Collect::new(&self.step.keep);
            let summary = self.call(session, call, &mut collect).await?;
            let items = collect.spool.finish().map_err(|error| Failure::new("spool", error.to_string()))?;
            return match summary.errors.first() {
                None => Ok(Outcome::Read(items)),
                Some(first) => Err(partial(&summary, first)),
            };
        }
        if self.run.mode == Mode::DryRun {
            self.print_lines(&super::console::would_call(call));
            return Ok(Outcome::Pending { changes: 1 });
        }
        self.budget.reserve(1)?;
        match self.write(session, call, &[]).await {
            Ok(summary) if changed_nothing(&summary) => {
                self.budget.give_back(1);
                Ok(Outcome::Unchanged)
            }
            Ok(_) => Ok(Outcome::Changed { changes: 1 }),
            // Who adds what is there already has what was wanted.
            Err(failure) if failure.kind == ErrorKind::AlreadyExists.word() => {
                self.budget.give_back(1);
                info!(object = call.object, "there already: {}", failure.message);
                Ok(Outcome::Unchanged)
            }
            Err(failure) if failure.is_in_doubt() => {
                let message = format!("in doubt whether it was done, and not repeated: {}", failure.message);
                Err(Failure { message, ..failure })
            }
            Err(failure) => Err(failure),
        }
    }

    /// What a dry run says. Lost lines are logged; the counts and the exit code still say what is pending.
    pub(super) fn print_lines(&self, lines: &str) {
        if let Err(error) = self.run.console.lines(lines) {
            warn!(error = %error, "a line on standard output is lost");
        }
    }
}

/// A cmdlet's parameters before it is called.
struct Evaluated {
    values: Vec<(String, Value)>,
    secrets: Vec<KeptSecret>,
}

/// The values of a cmdlet's parameters, with the bytes of files read, and apart from them where its secrets are kept.
fn evaluated(templates: &[(String, Template)], scope: &Scope) -> Result<Evaluated, Failure> {
    let mut all = Evaluated { values: Vec::new(), secrets: Vec::new() };
    for (name, template) in templates {
        let (place, user_name) = match template {
            Template::Secret(SecretValue::Text(place)) => (place, None),
            Template::Secret(SecretValue::Credential { user_name, password }) => {
                let Value::String(user_name) = user_name.eval(scope)? else {
                    let why = format!("{name}: the user name is no text");
                    return Err(Failure::new("expression", why));
                };
                (password, Some(user_name))
            }
            Template::Bytes(bytes) => {
                let value = bytes::value(bytes);
                let value = value.map_err(|why| Failure::new("file", format!("{name}: {why}")))?;
                all.values.push((name.clone(), value));
                continue;
            }
            plain => {
                all.values.push((name.clone(), plain.eval(scope)?));
                continue;
            }
        };
        all.secrets.push(KeptSecret { name: name.clone(), place: place.clone(), user_name });
    }
    Ok(all)
}

/// "The command completed successfully but no settings of '…' have been modified."
fn changed_nothing(summary: &CallSummary) -> bool {
    summary.warnings.iter().any(|warning| warning.contains("no settings of"))
}
