//! `exorun metrics delete`: a job is no more, and its metrics need not stay.

use clap::{Args, Subcommand};

use super::setting_flags::SettingFlags;
use super::start::{self, Workers};
use crate::app::push::gateway;
use crate::clocks::Clocks;
use crate::exit::Exit;
use crate::observe::metrics::Peer;
use crate::observe::push::{Gateway, Group};
use crate::runner::progress::Progress;

/// What a Pushgateway holds of jobs.
#[derive(Debug, Args)]
pub(super) struct MetricsArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Delete what the Pushgateway holds of jobs that are no more: it forgets nothing by itself, and alerts would go on.
    Delete(DeleteArgs),
}

#[derive(Debug, Args)]
struct DeleteArgs {
    /// Names of jobs.
    #[arg(required = true, value_name = "JOB")]
    jobs: Vec<String>,
    /// The tenant that they ran against, as they named it: the label `target`.
    #[arg(long, value_name = "TENANT")]
    target: String,
}

pub(super) fn main(args: MetricsArgs, flags: SettingFlags) -> Exit {
    let MetricsArgs { command: Command::Delete(args) } = args;
    let settings = match start::settings_of(flags) {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    let clocks = Clocks::system();
    if let Err(exit) = start::logs(&settings, &clocks, &Progress::hidden()) {
        return exit;
    }
    match gateway(&settings, &clocks) {
        Ok(Some(gateway)) => {
            start::block_on(Workers::One, deleted(args, gateway)).unwrap_or_else(|exit| exit)
        }
        Ok(None) => start::refuse("no Pushgateway is known: name it with --pushgateway-url"),
        Err(error) => start::refuse(&error.to_string()),
    }
}

async fn deleted(DeleteArgs { jobs, target }: DeleteArgs, gateway: Gateway) -> Exit {
    let mut exit = Exit::Done;
    for job in &jobs {
        let of = |peer| Group { job, target: &target, peer };
        let (service, emulator) = (of(Peer::Service), of(Peer::Emulator));
        let deleted = match gateway.delete(&service).await {
            Ok(()) => gateway.delete(&emulator).await,
            failed => failed,
        };
        match deleted {
            Ok(()) => {
                if start::print(&format!("deleted: {job} of {target}\n")) != Exit::Done {
                    return Exit::Failed;
                }
            }
            Err(error) => {
                start::refuse(&error.to_string());
                exit = Exit::Failed;
            }
        }
    }
    exit
}
