//! `exorun doctor`: climbs from the job to a harmless read, and names the first broken rung with its mend.

mod human;

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::run;
use super::setting_flags::SettingFlags;
use super::start::{self, Ready, Workers};
use crate::app::permitted::{Barred, judged};
use crate::app::practices::{Doing, Recorded};
use crate::app::{
    Asking, Case, Contents, Credentials, Report, Unattended, barred_report, hurried, write_bundle,
};
use crate::clocks::Clocks;
use crate::exit::Exit;
use crate::observe::escape::one_line;
use crate::observe::tail::Tail;
use crate::settings::{Settings, Shown};
use crate::spec::job::{Job, TargetSpec};

/// Find out why a job cannot run: network, clock, sign-in, rights, sessions, and one harmless read.
///
/// Nothing is written. Ends with 0 if nothing is broken, else with the code of the first broken rung: 1 network or service,
/// 64 job, settings or credential, 69 no session, 75 interrupted, 77 sign-in refused, 78 refused by policy.
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// The job file.
    #[arg(value_name = "JOB")]
    file: PathBuf,
    /// Which job, if the file has several.
    #[arg(long = "job", value_name = "NAME")]
    name: Option<String>,
    /// How the climb is shown.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    /// Write what was found into this file, for a support case: gzipped tar, identities replaced. What is there stays.
    #[arg(long, value_name = "FILE.tar.gz")]
    bundle: Option<PathBuf>,
    /// Let a job that signs in a person ask one now.
    #[arg(long)]
    sign_in: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line a rung, and the first broken one once more with its mend.
    Human,
    /// One JSON object, as docs/doctor.md describes it.
    Json,
}

pub(super) fn main(args: DoctorArgs, flags: SettingFlags) -> Exit {
    if let Some(bundle) = &args.bundle
        && std::fs::symlink_metadata(bundle).is_ok()
    {
        return start::refuse(&format!(
            "--bundle {}: something is there already; name another file",
            bundle.display()
        ));
    }
    let job = match run::one_job(&args.file, args.name.as_deref()) {
        Ok(job) => job,
        Err(exit) => return exit,
    };
    start::block_on(Workers::One, climb(args, job, flags)).unwrap_or_else(|exit| exit)
}

async fn climb(args: DoctorArgs, job: Job, flags: SettingFlags) -> Exit {
    let settings = match start::settings_of(flags) {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    let shown: Vec<Shown> = settings.origins().to_vec();
    let tail = Tail::default();
    let permitted = match judged(&job, &settings, Doing::Work(Recorded::Nothing)) {
        Ok(permitted) => permitted,
        Err(barred) => return told_barred(&args, &job, &settings, &barred),
    };
    let (settings, clocks) = (hurried(settings), Clocks::system());
    let ready = start::ready_keeping(settings, permitted, Credentials::AsTheJobSays, clocks, Some(&tail));
    let (Ready { app, stop, console, output, .. }, target) = match ready {
        Ok(ready) => ready,
        Err(exit) => return exit,
    };
    let (app, asking) = match args.sign_in {
        true => (app, Asking::ThePerson),
        // A sign-in that is kept is used; who would have to be asked is not.
        false => (app.attended_by(Arc::new(Unattended)), Asking::Nobody),
    };
    let case = Case { job: Arc::new(job), target, asking, stop: stop.clone() };
    let human = args.format == Format::Human;
    let mut lost = Ok(());
    if human {
        lost = console.lines(&human::head(&case.job, app.peer(), Some(case.target.organization())));
    }
    let report = app
        .climb(&case, &mut |rung| {
            if let (true, Ok(()), Some(line)) = (human, &lost, human::line(rung)) {
                lost = console.lines(&line);
            }
        })
        .await;
    app.end().await;
    let report = match report {
        Ok(report) => report,
        Err(error) => return start::refuse(&error.to_string()),
    };
    let text = if human { human::end(&report) } else { report.json().trim_end().to_owned() };
    let said = lost.and_then(|()| console.lines(&text)).and(start::said(&output, &stop, app.clocks()).await);
    let said = said.map_err(|error| format!("standard output: {error}"));
    let contents = contents(&report, &shown, (&case.job, Some(&case.target)), &tail);
    ended(report.exit, said, bundled(&args, contents, app.clocks()))
}

/// A job that may not be started is not climbed with: a climb uses its credential as a run does.
fn told_barred(args: &DoctorArgs, job: &Job, settings: &Settings, barred: &Barred) -> Exit {
    let why = match barred {
        Barred::File(problems) => one_line(&problems.render_plain(), 600),
        Barred::NoTarget(why) => why.clone(),
        Barred::ByPolicy(refusals) => refusals.join("; "),
    };
    let clocks = Clocks::system();
    let report = barred_report(job, settings, barred.exit(), &why, &clocks);
    let text = match args.format {
        Format::Json => report.json(),
        Format::Human => {
            let mut lines = vec![human::head(job, report.peer, None)];
            lines.extend(report.rungs.iter().filter_map(human::line));
            lines.push(human::end(&report));
            format!("{}\n", lines.join("\n"))
        }
    };
    // It says itself what it cannot write.
    start::print(&text);
    let contents = contents(&report, settings.origins(), (job, None), &Tail::default());
    ended(report.exit, Ok(()), bundled(args, contents, &clocks))
}

/// Writes the bundle, if one was asked for.
fn bundled(args: &DoctorArgs, contents: Contents<'_>, clocks: &Clocks) -> Result<(), String> {
    let Some(path) = &args.bundle else { return Ok(()) };
    write_bundle(path, contents, clocks.wall())
        .map_err(|error| format!("--bundle {}: {error}", path.display()))
}

/// How the command ends: what was asked for and is lost makes a good end a failed one.
fn ended(exit: Exit, said: Result<(), String>, bundled: Result<(), String>) -> Exit {
    let lost: Vec<String> = [said, bundled].into_iter().filter_map(Result::err).collect();
    for why in &lost {
        start::refuse(why);
    }
    if exit == Exit::Done && !lost.is_empty() { Exit::Failed } else { exit }
}

fn contents<'a>(
    report: &'a Report,
    shown: &[Shown],
    job: (&'a Job, Option<&'a TargetSpec>),
    tail: &Tail,
) -> Contents<'a> {
    let settings = shown.iter().map(|shown| {
        let value = shown.value.clone().unwrap_or_else(|| "-".to_owned());
        [shown.key.to_owned(), value, one_line(&shown.origin.to_string(), 300)]
    });
    Contents { report, settings: settings.collect(), job, log: tail.lines() }
}
