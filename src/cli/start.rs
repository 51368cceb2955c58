//! What every command does before its own work: settings, logs, a runtime.

use std::io::Write;

use tracing::warn;

use super::setting_flags::SettingFlags;
use super::signals;
use crate::app::{App, Credentials};
use crate::clocks::Clocks;
use crate::exit::Exit;
use crate::observe::escape::one_line;
use crate::observe::logs;
use crate::runner::Console;
use crate::runner::progress::Progress;
use crate::runner::stop::Stop;
use crate::settings::{ProcessEnvironment, Settings};
use crate::spec::job::{Job, Target, TargetSpec};
use crate::spec::{Connections, Problems, read_connections};

/// Two are enough: the work waits for the network.
const WORKER_THREADS: usize = 2;

/// Longer messages are cut: they quote what was given.
const MESSAGE_CHARS_MAX: usize = 4096;

/// Says on standard error, in one line, why the command cannot start.
pub(super) fn refuse(message: &str) -> Exit {
    let _closed = writeln!(std::io::stderr(), "error: {}", one_line(message, MESSAGE_CHARS_MAX));
    Exit::BadInput
}

/// Every problem of a job or connections file on standard error.
pub(super) fn refuse_file(problems: &Problems) -> Exit {
    let _closed = writeln!(std::io::stderr(), "{}", problems.render_plain());
    Exit::BadInput
}

/// Where the job runs and as whom. The file of connections is read only for a job that names one, so that a mistake
/// in it stops no other job.
pub(super) fn target_of(job: &Job, settings: &Settings) -> Result<TargetSpec, Exit> {
    let connections = match (&job.target, &settings.connections_file) {
        (Target::Connection(_), Some(file)) => {
            read_connections(file).map_err(|problems| refuse_file(&problems))?
        }
        _ => Connections::none(),
    };
    connections.target(job).map_err(|error| refuse(&error.to_string()))
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
    logs::init(settings.log_format, settings.log_level.clone(), clocks, progress.log_output())
        .map_err(|error| refuse(&error.to_string()))?;
    for unknown in settings.unknown_variables() {
        warn!("{unknown}");
    }
    // A panic is caught at the run's edge; here it only gets a line of its own, with its place.
    std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    Ok(())
}

/// A program that can run something: logs are on, signals are heard, nothing is connected.
pub(super) struct Ready {
    pub(super) app: App,
    /// Asked by the first signal, insisted on by the second.
    pub(super) stop: Stop,
    pub(super) console: Console,
    pub(super) progress: Progress,
}

/// Everything between the settings and the work.
pub(super) fn ready(settings: Settings, credentials: Credentials, clocks: Clocks) -> Result<Ready, Exit> {
    let progress = Progress::for_terminal();
    logs(&settings, &clocks, &progress)?;
    let grace = settings.drain_grace;
    let app = App::new(settings, credentials, clocks.clone()).map_err(|error| refuse(&error.to_string()))?;
    let stop = Stop::new();
    signals::listen(stop.clone(), grace, clocks)?;
    Ok(Ready { app, stop, console: Console::new(std::io::stdout()), progress })
}

/// Runs a command's work to its end.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Exit> {
    // The first provider wins, and only this one is compiled in.
    let _installed_already = rustls::crypto::ring::default_provider().install_default();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(WORKER_THREADS).enable_all().build();
    match runtime {
        Ok(runtime) => Ok(runtime.block_on(work)),
        Err(error) => Err(refuse(&format!("the runtime cannot be started: {error}"))),
    }
}
