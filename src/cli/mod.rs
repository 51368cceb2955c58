//! The command line: one file or folder a command. No logic here, only words.

mod check;
mod cmdlets;
mod doctor;
mod documentation;
mod emulate;
mod explain;
mod history;
mod invoke;
mod login;
mod metrics;
mod new;
mod next;
mod run;
mod schema;
mod serve;
mod sessions;
mod setting_flags;
pub mod settings;
mod signals;
mod start;

pub use documentation::documentation;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

use crate::exit::Exit;
use setting_flags::SettingFlags;

/// What `--version` says, of every command.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("EXORUN_REVISION"), ")");

/// Runs Exchange Online and Security & Compliance administration unattended.
///
/// Exit codes: 0 done or in sync, 1 failed, 2 changes pending (dry run), 3 partly failed, 64 bad usage, job or
/// settings, 69 no session in time or throttled past the budget, 75 interrupted with all sessions closed, 77 sign-in
/// refused, 78 refused by policy or by a limit of the job.
#[derive(Debug, Parser)]
#[command(name = "exorun", version = VERSION, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    settings: SettingFlags,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a commented job to start from.
    New(new::NewArgs),
    Check(check::CheckArgs),
    /// Say in words, and as PowerShell, what a job does; nothing is connected.
    Explain(explain::ExplainArgs),
    Next(next::NextArgs),
    /// Run a job.
    Run(run::RunArgs),
    Serve(serve::ServeArgs),
    Doctor(doctor::DoctorArgs),
    /// Call one cmdlet by hand.
    Invoke(invoke::InvokeArgs),
    /// Have a person sign in once, and keep the refresh token in Vault for runs that nobody attends.
    Login(login::LoginArgs),
    /// Delete a kept sign-in, and revoke it where the service has a way.
    Logout(login::LogoutArgs),
    Cmdlets(cmdlets::CmdletsArgs),
    /// Serve an emulator of Entra sign-in and Exchange Online on loopback.
    Emulate(emulate::EmulateArgs),
    Sessions(sessions::SessionsArgs),
    History(history::HistoryArgs),
    Metrics(metrics::MetricsArgs),
    /// Print the JSON Schema of jobs and connections, for completion in editors.
    Schema(schema::SchemaArgs),
    /// Print each setting with its value and where it came from.
    Settings,
}

/// Parses the command line and does what it says.
pub fn main() -> ExitCode {
    leave_no_core();
    let command = Cli::command().mut_subcommand("run", run::emulator_needs_emulate);
    let parsed = command.try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are asked for; anything else is bad usage, with our own code for it.
            let exit = if error.use_stderr() { Exit::BadInput } else { Exit::Done };
            let _closed = error.print();
            return exit.into();
        }
    };
    let Cli { command, settings } = cli;
    let exit: Exit = match command {
        Command::New(args) => new::main(&args),
        Command::Check(args) => check::main(&args, settings),
        Command::Cmdlets(args) => cmdlets::main(&args),
        Command::Next(args) => next::main(&args),
        Command::Explain(args) => explain::main(&args, settings),
        Command::Run(args) => run::main(args, settings),
        Command::Serve(args) => serve::main(args, settings),
        Command::Doctor(args) => doctor::main(args, settings),
        Command::Invoke(args) => invoke::main(args, settings),
        Command::Login(args) => login::login(args, settings),
        Command::Logout(args) => login::logout(args, settings),
        Command::Emulate(args) => emulate::main(args, settings),
        Command::Sessions(args) => sessions::main(args, settings),
        Command::History(args) => history::main(&args, settings),
        Command::Metrics(args) => metrics::main(args, settings),
        Command::Schema(args) => schema::main(&args),
        Command::Settings => start::settings_of(settings)
            .map_or_else(|exit| exit, |settings| settings::run(&settings, &mut std::io::stdout())),
    };
    start::drain_log();
    exit.into()
}

/// A core would hold secrets and tokens. As far as the system lets us: a program that cannot say so runs all the same.
fn leave_no_core() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let _kept = setrlimit(Resource::Core, none);
    // The limit does not bind a core that is piped to a program, as systemd does it.
    let _kept = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}
