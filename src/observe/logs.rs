//! Log lines on standard error: human or JSON, one event a line, and each line reads alone.
//!
//! The fields of all spans around an event stand on its line (`run`, `job`, `tenant`, `step`, `cmdlet`, …), so that a
//! line that was found by a search says what it belongs to. Whatever a field holds, no control character leaves, and a
//! line cannot be forged: `logs/line.rs` sees to that.

mod line;

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Filter, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::clocks::Clocks;
use line::Fields;

/// The target of the write log: one event for each call that may have changed something. It is written at every
/// configured level, even `off`, because it is the record of what was done in the tenant.
pub const WRITE_TARGET: &str = "exorun::write";

/// The target of questions to people: without an answer the run cannot go on, so no level hides them.
pub const PROMPT_TARGET: &str = "exorun::prompt";

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `2026-11-22T02:00:01.123Z INFO  run=… job=… message key=value`
    Human,
    /// One flat JSON object a line.
    Json,
}

/// The subscriber is there already.
#[derive(Debug, thiserror::Error)]
#[error("logging was started twice")]
pub struct AlreadyStarted;

/// Sends the events of the whole process to `out`, from now on: standard error, or a terminal that draws bars too.
///
/// # Errors
/// [`AlreadyStarted`] on a second call.
pub fn init<W: Write + Send + 'static>(
    format: Format,
    filter: Targets,
    clocks: &Clocks,
    out: W,
) -> Result<(), AlreadyStarted> {
    let subscriber = subscriber(format, filter, clocks, out);
    tracing::subscriber::set_global_default(subscriber).map_err(|_| AlreadyStarted)
}

/// The subscriber behind [`init`], writing to `out`: for tests, with `tracing::subscriber::with_default`.
pub fn subscriber<W: Write + Send + 'static>(
    format: Format,
    filter: Targets,
    clocks: &Clocks,
    out: W,
) -> impl Subscriber + Send + Sync + 'static + use<W> {
    let lines = Lines { format, clocks: clocks.clone(), out: Mutex::new(Box::new(out)) };
    tracing_subscriber::registry().with(lines.with_filter(Wanted(filter)))
}

/// What is let through: our own spans always, because they only add fields to the events of others; the write log
/// always; everything else by the filter of the settings.
struct Wanted(Targets);

impl Wanted {
    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        let always = if metadata.is_span() {
            target == "exorun" || target.starts_with("exorun::")
        } else {
            target == WRITE_TARGET || target == PROMPT_TARGET
        };
        always || self.0.would_enable(target, metadata.level())
    }
}

impl<S> Filter<S> for Wanted {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.wants(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // Spans of any level are wanted, so no level can be ruled out beforehand; call sites are, one by one.
        None
    }
}

/// Writes a line for each event.
struct Lines {
    format: Format,
    clocks: Clocks,
    out: Mutex<Box<dyn Write + Send>>,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut own = Fields::default();
        event.record(&mut own);
        let message = own.take_message();
        let mut around = Fields::default();
        for span in context.event_scope(event).into_iter().flatten().collect::<Vec<_>>().into_iter().rev() {
            if let Some(fields) = span.extensions().get::<Fields>() {
                around.lay_over(fields);
            }
        }
        let head = line::Head {
            at: self.clocks.wall(),
            level: *event.metadata().level(),
            target: event.metadata().target(),
        };
        let text = match self.format {
            Format::Human => line::human(&head, &around, &message, &own),
            Format::Json => line::json(&head, around, &message, &own),
        };
        // A closed or full standard error must not end a run that holds sessions, so a failed write is dropped. The
        // line goes out in one write: lines of several processes on one pipe stay whole up to the pipe's own limit.
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

#[cfg(test)]
mod tests;
