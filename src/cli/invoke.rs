//! `exorun invoke`: one cmdlet by hand, through the same sign-in, slots and sessions as a job.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use uuid::Uuid;

use super::run;
use super::setting_flags::SettingFlags;
use super::start::{self, Ready, Workers};
use crate::app::practices::{Doing, Recorded};
use crate::app::{Access, Company, Credentials, RunOptions};
use crate::clocks::Clocks;
use crate::exit::Exit;
use crate::runner::{Mode, invoked};
use crate::spec::invocation::{self, Reads};
use crate::spec::job::{ConnectionName, Job, Service};

#[derive(Debug, Args)]
pub(super) struct InvokeArgs {
    /// The cmdlet, in any case.
    cmdlet: String,
    /// Its parameters: NAME=VALUE, lists separated by commas.
    #[arg(value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    #[command(flatten)]
    place: Place,
    /// Which job, if the file has several.
    #[arg(long = "job-name", value_name = "NAME", conflicts_with = "connection")]
    name: Option<String>,
    /// The service of the connection; a job file says its own.
    #[arg(long, value_enum, default_value = "ExchangeOnline", conflicts_with = "file")]
    service: ServiceName,
    /// Properties to ask for and to show.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    select: Vec<String>,
    /// How the items are shown.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Allow a cmdlet that is not in the reviewed list of reads.
    #[arg(long)]
    allow_write: bool,
}

/// Where the call goes, and as whom.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Place {
    /// A job file whose tenant and sign-in are used.
    #[arg(long = "job", value_name = "FILE")]
    file: Option<PathBuf>,
    /// A connection of the file that the setting `connections_file` names.
    #[arg(long, value_name = "NAME")]
    connection: Option<ConnectionName>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct ServiceName(Service);

impl ServiceName {
    /// The service with this name.
    pub(super) fn service(self) -> Service {
        self.0
    }
}

impl ValueEnum for ServiceName {
    fn value_variants<'a>() -> &'a [ServiceName] {
        const ALL: [ServiceName; 3] =
            [ServiceName(Service::ALL[0]), ServiceName(Service::ALL[1]), ServiceName(Service::ALL[2])];
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.as_str()).alias(self.0.short()))
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// Columns for people.
    Table,
    /// A JSON list.
    Json,
}

pub(super) fn main(args: InvokeArgs, flags: SettingFlags) -> Exit {
    let job = match (&args.place.file, &args.place.connection) {
        (Some(file), _) => match run::one_job(file, args.name.as_deref()) {
            Ok(job) => job,
            Err(exit) => return exit,
        },
        (None, Some(connection)) => invocation::job(connection.clone(), args.service.0),
        (None, None) => return start::refuse("give --job FILE or --connection NAME"),
    };
    let (step, reads) = match invocation::step(job.service, &args.cmdlet, &args.parameters, &args.select) {
        Ok(checked) => checked,
        Err(problems) => {
            for problem in problems {
                start::refuse(&problem);
            }
            return Exit::BadInput;
        }
    };
    if reads == Reads::AndWrites && !args.allow_write {
        start::refuse(&format!("{} may change something: say --allow-write if that is meant", args.cmdlet));
        return Exit::RefusedByPolicy;
    }
    let job = Job { steps: vec![step], inputs: Vec::new(), ..job };
    start::block_on(Workers::One, invoke(args, job, flags)).unwrap_or_else(|exit| exit)
}

async fn invoke(args: InvokeArgs, job: Job, flags: SettingFlags) -> Exit {
    let settings = match start::settings_of(flags) {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    let prepared = start::permitted(&job, &settings, Doing::Work(Recorded::Nothing))
        .and_then(|permitted| start::ready(settings, permitted, Credentials::AsTheJobSays, Clocks::system()));
    let (Ready { app, stop, console, output, progress }, target) = match prepared {
        Ok(prepared) => prepared,
        Err(exit) => return exit,
    };
    let access = if args.allow_write { Access::ReadWrite } else { Access::ReadOnly };
    let options = RunOptions {
        run_id: Uuid::new_v4(),
        company: Company::Alone,
        inputs: BTreeMap::new(),
        mode: Mode::Apply,
        access,
        stop: stop.clone(),
        console: console.clone(),
        progress,
    };
    let only_reads = job.steps.iter().all(|step| step.action.only_reads());
    let (report, items) = app.run_for_items(Arc::new(job), target, options).await;
    app.end().await;
    if let Some(reason) = &report.reason {
        start::refuse(reason);
    }
    let shown = match (&items, args.format) {
        (None, _) => return report.exit(),
        (Some(items), Format::Table) => invoked::table(items, &args.select, only_reads),
        (Some(items), Format::Json) => invoked::json(items),
    };
    // The items are what was asked for: lost, the call has failed.
    let shown = shown.and_then(|text| console.lines(&text));
    if let Err(error) = shown.and(start::said(&output, &stop, app.clocks()).await) {
        start::refuse(&format!("standard output: {error}"));
        return Exit::Failed;
    }
    report.exit()
}
