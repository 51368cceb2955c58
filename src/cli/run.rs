//! `exorun run`: one job, from file to report.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Command, Id};
use tracing::{error, warn};
use uuid::Uuid;

use super::emulate::{Embedded, EmulatorArgs};
use super::setting_flags::SettingFlags;
use super::start::{self, Ready, Workers};
use crate::app::permitted::Permitted;
use crate::app::practices::{Doing, Recorded};
use crate::app::recording::{Identities, Recorder};
use crate::app::{Access, Company, Credentials, RunOptions, history, scope, write_metrics};
use crate::clocks::Clocks;
use crate::exit::Exit;
use crate::runner::report::RunReport;
use crate::runner::{Mode, table};
use crate::settings::Settings;
use crate::spec::job::{GivenInput, Job};
use crate::spec::resolve_inputs;

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// The job file.
    file: PathBuf,
    /// Which job, if the file has several.
    #[arg(long, value_name = "NAME")]
    job: Option<String>,
    /// Only read, print what would change, and exit with 2 if something would.
    #[arg(long)]
    dry_run: bool,
    /// Refuse every cmdlet that is not in the reviewed list of reads.
    #[arg(long)]
    read_only: bool,
    /// A value for an input of the job.
    #[arg(long = "input", value_name = "NAME=VALUE", value_parser = given_input)]
    inputs: Vec<GivenInput>,
    /// Write the report as JSON to this file.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write metrics to this file, for the node exporter's textfile collector.
    #[arg(long, value_name = "FILE")]
    metrics_file: Option<PathBuf>,
    /// Write every request and answer of the run into this empty folder (mode 0700), without credentials.
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// What --record does with user names, addresses and other identities: replaced by stand-ins, or keep.
    #[arg(long, value_name = "HOW", default_value = "replaced", value_parser = identities, requires = "record")]
    record_identities: Identities,
    /// Run against an emulator that lives as long as the run.
    #[arg(long)]
    emulate: bool,
    #[command(flatten)]
    emulator: EmulatorArgs,
}

/// Options of the emulator without `--emulate` are a mistake that would write to a tenant.
pub(super) fn emulator_needs_emulate(command: Command) -> Command {
    let options: Vec<Id> = EmulatorArgs::augment_args(Command::new("emulator"))
        .get_arguments()
        .map(|option| option.get_id().clone())
        .collect();
    options
        .into_iter()
        .fold(command, |command, option| command.mut_arg(option, |option| option.requires("emulate")))
}

fn identities(text: &str) -> Result<Identities, String> {
    match text {
        "replaced" => Ok(Identities::Replaced),
        "keep" => Ok(Identities::Kept),
        other => Err(format!("`{other}` is none of replaced, keep")),
    }
}

/// Where the run is written down.
fn recorder(args: &RunArgs, clocks: &Clocks) -> Result<Recorder, Exit> {
    let Some(folder) = &args.record else { return Ok(Recorder::off()) };
    Recorder::create(folder, args.record_identities, clocks.clone()).map_err(|why| start::refuse(&why))
}

fn given_input(text: &str) -> Result<GivenInput, String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok(GivenInput { name: name.to_owned(), value: value.to_owned() })
}

pub(super) fn main(args: RunArgs, flags: SettingFlags) -> Exit {
    let job = match one_job(&args.file, args.job.as_deref()) {
        Ok(job) => job,
        Err(exit) => return exit,
    };
    if args.read_only
        && !args.dry_run
        && let Some(step) = job.steps.iter().find(|step| !step.action.only_reads())
    {
        start::refuse(&format!(
            "--read-only: step {} may change something; nothing was connected",
            step.name
        ));
        return Exit::RefusedByPolicy;
    }
    let workers = if args.emulate { Workers::Two } else { Workers::One };
    start::block_on(workers, embedded_run(args, job, flags)).unwrap_or_else(|exit| exit)
}

/// The job meant by `file` and `name`, or every problem of the file on standard error.
pub(super) fn one_job(file: &std::path::Path, name: Option<&str>) -> Result<Job, Exit> {
    let jobs = crate::spec::read_jobs(file).map_err(|problems| start::refuse_file(&problems))?;
    let names: Vec<String> = jobs.iter().map(|job| job.name.to_string()).collect();
    let mut wanted = jobs.into_iter().filter(|job| name.is_none_or(|name| job.name.as_str() == name));
    let place = file.display();
    match (wanted.next(), wanted.next(), name) {
        (Some(only), None, _) => Ok(only),
        (None, _, Some(name)) => {
            Err(start::refuse(&format!("{place} has no job `{name}`; it has {}", names.join(", "))))
        }
        (None, _, None) => Err(start::refuse(&format!("{place} has no job"))),
        (Some(_), Some(_), _) => Err(start::refuse(&format!(
            "{place} has several jobs ({}): say which with --job",
            names.join(", ")
        ))),
    }
}

/// With `--emulate`, the emulator's endpoints, authority and secret come in through the settings and the secret
/// source, as a tenant's would.
async fn embedded_run(args: RunArgs, job: Job, mut flags: SettingFlags) -> Exit {
    let clocks = Clocks::system();
    let recorded = if args.record.is_some() { Recorded::Bodies } else { Recorded::Nothing };
    let permitted = start::settings_of(flags.clone()).and_then(|settings| {
        start::permitted(&job, &settings, Doing::Work(recorded)).map(|permitted| (settings, permitted))
    });
    let (settings, permitted) = match permitted {
        Ok(permitted) => permitted,
        Err(exit) => return exit,
    };
    if !args.emulate {
        return configured_run(&args, job, permitted, settings, Credentials::AsTheJobSays, clocks).await;
    }
    let embedded = match Embedded::start(&args.emulator, &permitted.target, &clocks).await {
        Ok(embedded) => embedded,
        Err(why) => return start::refuse(&why),
    };
    embedded.lay_over(&mut flags);
    let exit = match start::settings_of(flags) {
        Ok(settings) => match scope(&settings, &permitted.target, job.service) {
            Ok(scope) => {
                let given = embedded.given(&permitted.target.auth, &scope);
                let credentials = Credentials::Given(Box::new(given));
                configured_run(&args, job, permitted, settings, credentials, clocks).await
            }
            Err(why) => start::refuse(&why),
        },
        Err(exit) => exit,
    };
    embedded.stop().await;
    exit
}

async fn configured_run(
    args: &RunArgs,
    job: Job,
    permitted: Permitted,
    settings: Settings,
    credentials: Credentials,
    clocks: Clocks,
) -> Exit {
    let inputs = match resolve_inputs(&job, &args.inputs) {
        Ok(inputs) => inputs,
        Err(problems) => {
            for problem in problems {
                start::refuse(&problem);
            }
            return Exit::BadInput;
        }
    };
    let recorder = match recorder(args, &clocks) {
        Ok(recorder) => recorder,
        Err(exit) => return exit,
    };
    let ready = start::ready(settings, permitted, credentials, clocks);
    let (Ready { app, stop, console, output, progress }, target) = match ready {
        Ok(ready) => ready,
        Err(exit) => return exit,
    };
    let app = app.recorded_by(recorder.clone());
    if args.record.is_some() && args.record_identities == Identities::Kept {
        warn!(
            "THE RECORDING HOLDS IDENTITIES: user names, addresses and everything else that the service answers stay as \
             they are; do not pass it on"
        );
    }
    app.loaded(&job, &target);
    let mode = if args.dry_run { Mode::DryRun } else { Mode::Apply };
    let access = if args.dry_run || args.read_only { Access::ReadOnly } else { Access::ReadWrite };
    let (job, given) = (Arc::new(job), inputs.clone());
    let options = RunOptions {
        run_id: Uuid::new_v4(),
        company: Company::Alone,
        inputs,
        mode,
        access,
        stop: stop.clone(),
        console: console.clone(),
        progress,
    };
    let mut report = app.run(Arc::clone(&job), target.clone(), options).await;
    app.end().await;
    if let Err(why) = recorder.finish(&job, &target, &given) {
        lost(&mut report, &why);
    }
    // The files come first: a run without the report that was asked for has failed, and table and metrics say so.
    if let Some(why) = args.report.as_deref().and_then(|path| report.write(path).err()) {
        lost(&mut report, &why);
    }
    app.count(&report);
    if let Some(why) = args.metrics_file.as_deref().and_then(|path| write_metrics(&app, path).err()) {
        lost(&mut report, &why);
    }
    if let Err(why) = history::add(app.settings(), &report, app.clocks()).await {
        warn!("the run is not in the history: {why}");
    }
    let shown = console.lines(&table(&report));
    if let Err(error) = shown.and(start::said(&output, &stop, app.clocks()).await) {
        error!("the report on standard output is lost: {error}");
    }
    app.push(&report, &stop).await;
    report.exit()
}

/// A file that was asked for could not be written: what was done is not all that was asked for.
fn lost(report: &mut RunReport, why: &str) {
    error!("{why}");
    if matches!(report.exit(), Exit::Done | Exit::ChangesPending) {
        report.fail(why);
    }
}
