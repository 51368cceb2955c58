//! What every command does before its own work: settings, logs, a runtime.

use std::io::Write;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tracing::warn;

use super::setting_flags::SettingFlags;
use super::signals;
use crate::app::permitted::{Barred, Permitted, judged};
use crate::app::practices::Doing;
use crate::app::{App, Credentials, Terminal};
use crate::clocks::Clocks;
use crate::exit::Exit;
use crate::observe::escape::one_line;
use crate::observe::logs;
use crate::observe::outlet::Outlet;
use crate::observe::tail::Tail;
use crate::runner::Console;
use crate::runner::progress::Progress;
use crate::runner::stop::Stop;
use crate::settings::{ProcessEnvironment, Settings, for_programs};
use crate::spec::Problems;
use crate::spec::job::{Job, TargetSpec};

/// Threads that a command's work runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Workers {
    /// For a run: it waits for one answer at a time, and waking a second thread at each step of a call costs more than
    /// the call. Files of slots and outputs are written on threads of their own.
    One,
    /// For the emulator, which answers several callers at once.
    Two,
}

/// As much as the main thread has: a run is one nested future, and an unoptimized build needs more of the stack for it
/// than a thread usually gets. What is not used costs nothing.
const STACK_BYTES: usize = 8 * 1024 * 1024;

/// Longer messages are cut: they quote what was given.
const MESSAGE_CHARS_MAX: usize = 4096;

/// What may be on its way to standard error and output: minutes of lines at level `trace`, and a dry run's list of
/// 100,000 objects.
const LOG_BYTES_MAX: usize = 4 * 1024 * 1024;
const OUTPUT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How long the end of the process waits for a reader of the log that does not read.
const LOG_PATIENCE: Duration = Duration::from_secs(2);

/// How long output that nobody reads is waited for when somebody has asked to stop.
const OUTPUT_PATIENCE: Duration = Duration::from_secs(2);

/// How long reads and writes of files that nobody waits for any more may take at the end.
const READS_PATIENCE: Duration = Duration::from_secs(2);

/// Log lines on their way. One for the process, as the log is.
static LOG: OnceLock<Outlet> = OnceLock::new();

/// Waits for log lines that are on their way.
pub(super) fn drain_log() {
    if let Some(log) = LOG.get() {
        log.drain(LOG_PATIENCE);
    }
}

/// Says on standard error, in one line, why the command cannot start.
pub(super) fn refuse(message: &str) -> Exit {
    drain_log();
    let _closed = writeln!(std::io::stderr(), "error: {}", one_line(message, MESSAGE_CHARS_MAX));
    Exit::BadInput
}

/// Prints what a command was asked for. Who closed the pipe has seen enough.
pub(super) fn print(text: &str) -> Exit {
    let mut out = std::io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            refuse(&format!("standard output: {error}"));
            Exit::Failed
        }
        _ => Exit::Done,
    }
}

/// Every problem of a job or connections file on standard error.
pub(super) fn refuse_file(problems: &Problems) -> Exit {
    let _closed = writeln!(std::io::stderr(), "{}", problems.render_plain());
    Exit::BadInput
}

/// Where the job runs and as whom, if connections and profile permit it; else every reason on standard error.
pub(super) fn permitted(job: &Job, settings: &Settings, doing: Doing) -> Result<Permitted, Exit> {
    judged(job, settings, doing).map_err(told)
}

/// Every reason on standard error.
pub(super) fn told(barred: Barred) -> Exit {
    let exit = barred.exit();
    match barred {
        Barred::File(problems) => return refuse_file(&problems),
        Barred::NoTarget(why) => return refuse(&why),
        Barred::ByPolicy(refusals) => {
            for refusal in &refusals {
                refuse(refusal);
            }
        }
    }
    refuse("nothing was connected");
    exit
}

/// The settings, or every problem of them on standard error.
pub(super) fn settings_of(flags: SettingFlags) -> Result<Settings, Exit> {
    Settings::load(flags.values, &ProcessEnvironment, flags.file.as_deref()).map_err(|problems| {
        for problem in &problems {
            refuse(&problem.to_string());
        }
        Exit::BadInput
    })
}

/// Starts the logs; what the terminal shows of progress makes way for their lines.
pub(super) fn logs(settings: &Settings, clocks: &Clocks, progress: &Progress) -> Result<(), Exit> {
    logs_kept(settings, clocks, progress, None)
}

/// The same; the last lines stay in `tail`.
fn logs_kept(
    settings: &Settings,
    clocks: &Clocks,
    progress: &Progress,
    tail: Option<&Tail>,
) -> Result<(), Exit> {
    let out: Box<dyn Write + Send> = match progress.log_output() {
        Some(terminal) => Box::new(terminal),
        None => {
            let log = outlet(std::io::stderr(), LOG_BYTES_MAX)?;
            Box::new(LOG.get_or_init(|| log).clone())
        }
    };
    let out = match tail {
        Some(tail) => tail.beside(out),
        None => out,
    };
    logs::init(settings.log_format, settings.log_level.clone(), clocks, out)
        .map_err(|error| refuse(&error.to_string()))?;
    for unknown in settings.unknown_variables() {
        warn!("{unknown}");
    }
    // A panic is caught at the run's edge; here it only gets a line of its own, with its place.
    std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    Ok(())
}

/// What the console's lines go through.
pub(super) fn output() -> Result<Outlet, Exit> {
    outlet(std::io::stdout(), OUTPUT_BYTES_MAX)
}

fn outlet(stream: impl Write + Send + 'static, bytes_max: usize) -> Result<Outlet, Exit> {
    Outlet::start(stream, bytes_max).map_err(|error| refuse(&format!("a thread cannot be started: {error}")))
}

/// A program that can run something: logs are on, signals are heard, nothing is connected.
pub(super) struct Ready {
    pub(super) app: App,
    /// Asked by the first signal, insisted on by the second.
    pub(super) stop: Stop,
    pub(super) console: Console,
    /// What the console's lines go through.
    pub(super) output: Outlet,
    pub(super) progress: Progress,
}

/// Everything between the settings and the work, and the target that is permitted.
pub(super) fn ready(
    settings: Settings,
    permitted: Permitted,
    credentials: Credentials,
    clocks: Clocks,
) -> Result<(Ready, TargetSpec), Exit> {
    ready_keeping(settings, permitted, credentials, clocks, None)
}

/// The same; the last lines of the log stay in `tail`.
pub(super) fn ready_keeping(
    settings: Settings,
    permitted: Permitted,
    credentials: Credentials,
    clocks: Clocks,
    tail: Option<&Tail>,
) -> Result<(Ready, TargetSpec), Exit> {
    let progress = Progress::for_terminal();
    logs_kept(&settings, &clocks, &progress, tail)?;
    for warning in &permitted.warnings {
        warn!("{warning}");
    }
    let grace = settings.drain_grace;
    let app = App::new(settings, credentials, clocks.clone()).map_err(|error| refuse(&error.to_string()))?;
    let app = match Terminal::attended(clocks.clone(), for_programs()) {
        Some(terminal) => app.attended_by(Arc::new(terminal)),
        None => app,
    };
    let stop = Stop::new();
    signals::listen(stop.clone(), grace, clocks)?;
    let output = output()?;
    let ready = Ready { app, stop, console: Console::new(output.clone()), output, progress };
    Ok((ready, permitted.target))
}

/// Waits until what the run said is written: no session is open any more. Who asks to stop is not kept waiting.
///
/// # Errors
/// What was said is lost, at least in part.
pub(super) async fn said(output: &Outlet, stop: &Stop, clocks: &Clocks) -> std::io::Result<()> {
    let hurried = async {
        stop.asked().await;
        clocks.sleep(OUTPUT_PATIENCE).await;
    };
    let written = tokio::select! {
        written = output.drained() => written,
        () = hurried => Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "nobody reads it")),
    };
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error),
        // Who closed a pipe has seen enough.
        _ => Ok(()),
    }
}

/// Runs a command's work to its end.
///
/// On a worker, not on this thread: there a transport's task and the work that waits for it take turns.
pub(super) fn block_on<T: Send + 'static>(
    workers: Workers,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Exit> {
    // The first provider wins, and only this one is compiled in.
    let _installed_already = rustls::crypto::ring::default_provider().install_default();
    let workers = match workers {
        Workers::One => 1,
        Workers::Two => 2,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => {
            let done = runtime.block_on(runtime.spawn(work));
            // A file that never gives anything, a pipe say, is still being read.
            runtime.shutdown_timeout(READS_PATIENCE);
            match done {
                Ok(done) => Ok(done),
                // Nothing cancels it: it has panicked.
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        }
        Err(error) => Err(refuse(&format!("the runtime cannot be started: {error}"))),
    }
}
