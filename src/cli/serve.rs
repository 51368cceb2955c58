//! `exorun serve`: jobs by their schedules, until it is told to stop.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use tokio::sync::Notify;
use tracing::{info, warn};

use super::setting_flags::SettingFlags;
use super::signals::{self, Hangup};
use super::start::{self, Workers};
use crate::app::serve::{Serving, ServingError};
use crate::app::{App, Credentials};
use crate::clocks::Clocks;
use crate::exit::Exit;
use crate::runner::Console;
use crate::runner::progress::Progress;
use crate::runner::stop::Stop;

/// Run jobs by their schedules, until SIGTERM; SIGHUP has the job files read again.
///
/// Ends with 0 if nothing was cut short, with 75 if a run was. docs/serve.md says more.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Job files, or folders of them. They are followed: a change takes effect without a restart.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

pub(super) fn main(args: ServeArgs, flags: SettingFlags) -> Exit {
    start::block_on(Workers::Two, serve(args, flags)).unwrap_or_else(|exit| exit)
}

async fn serve(args: ServeArgs, flags: SettingFlags) -> Exit {
    let settings = match start::settings_of(flags) {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    let clocks = Clocks::system();
    if let Err(exit) = start::logs(&settings, &clocks, &Progress::hidden()) {
        return exit;
    }
    let (stop, reload) = (Stop::new(), Arc::new(Notify::new()));
    let hangup = Hangup::Reloads(Arc::clone(&reload));
    if let Err(exit) = signals::listen_with(hangup, stop.clone(), settings.drain_grace, clocks.clone()) {
        return exit;
    }
    let output = match start::output() {
        Ok(output) => output,
        Err(exit) => return exit,
    };
    let app = match App::new(settings, Credentials::AsTheJobSays, clocks) {
        Ok(app) => Arc::new(app),
        Err(error) => return start::refuse(&error.to_string()),
    };
    let serving = Serving { paths: args.paths, stop, reload, console: Console::new(output) };
    let served = Arc::clone(&app).serve(serving).await;
    app.end().await;
    match served {
        Ok(drained) if drained.cut_short.is_empty() && drained.left.is_empty() => {
            info!("stopped: nothing was cut short, every session is closed");
            Exit::Done
        }
        Ok(drained) => {
            for cut in drained.cut_short.iter().chain(&drained.left) {
                warn!(job = %cut.job, run = %cut.run, due = %cut.due, "cut short by the stop");
            }
            Exit::Interrupted
        }
        Err(error) => {
            start::refuse(&error.to_string());
            if let ServingError::NoJobs(broken) = &error {
                for broken in broken {
                    start::refuse(&format!("{}: {}", broken.path.display(), broken.why));
                }
            }
            error.exit()
        }
    }
}
