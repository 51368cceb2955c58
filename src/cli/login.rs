//! `exorun login` and `exorun logout`: a person signs in once for runs that nobody attends, and takes it back.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use tracing::info;

use super::invoke::ServiceName;
use super::run;
use super::setting_flags::SettingFlags;
use super::start::{self, Ready, Workers};
use crate::app::permitted::of_connection;
use crate::app::practices::Doing;
use crate::app::{AskedBy, Credentials, LoggedOut, Revoked, SigninError, kept_at};
use crate::clocks::Clocks;
use crate::exit::Exit;
use crate::observe::escape::one_line;
use crate::observe::logs::WRITE_TARGET;
use crate::runner;
use crate::settings::{ProcessEnvironment, has_display};
use crate::spec::invocation;
use crate::spec::job::{ConnectionName, Job, Service, TargetSpec};

/// Whose sign-in is meant.
#[derive(Debug, Args)]
struct Whose {
    /// A job file, whose tenant and `auth` are used; where no such file is, the name of a connection.
    #[arg(
        value_name = "JOB|CONNECTION",
        required_unless_present = "connection",
        conflicts_with = "connection"
    )]
    file: Option<PathBuf>,
    /// A connection of the file that the setting `connections_file` names.
    #[arg(long, value_name = "NAME")]
    connection: Option<ConnectionName>,
    /// Which job, if the file has several.
    #[arg(long = "job-name", value_name = "NAME", conflicts_with = "connection")]
    name: Option<String>,
}

impl Whose {
    /// The connection, if one is named.
    fn connection(&self) -> Option<ConnectionName> {
        let file = self.file.as_deref().filter(|file| !file.exists());
        let named = file.and_then(Path::to_str).and_then(ConnectionName::new);
        self.connection.clone().or(named)
    }

    fn job(&self, service: Service) -> Result<Job, Exit> {
        match (&self.file, self.connection()) {
            (_, Some(connection)) => Ok(invocation::job(connection, service)),
            (Some(file), None) => run::one_job(file, self.name.as_deref()),
            (None, None) => Err(start::refuse("give a job file or --connection NAME")),
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct LoginArgs {
    #[command(flatten)]
    whose: Whose,
    /// How: in this machine's browser (the default where there is a display), or by a code confirmed anywhere.
    #[arg(long, value_enum)]
    method: Option<By>,
    /// The service of a connection (ExchangeOnline if left out); a job file says its own.
    #[arg(long, value_enum)]
    service: Option<ServiceName>,
}

#[derive(Debug, Args)]
pub(super) struct LogoutArgs {
    #[command(flatten)]
    whose: Whose,
    /// Do not ask: for where no terminal is.
    #[arg(long)]
    yes: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    /// This machine's browser.
    Browser,
    /// A code that is confirmed in a browser anywhere.
    Device,
}

/// What both commands need before anything connects: the target keeps a sign-in, and the program is ready.
fn prepared(whose: &Whose, job: &Job, flags: SettingFlags) -> Result<(Ready, TargetSpec), Exit> {
    let settings = start::settings_of(flags)?;
    let permitted = match whose.connection() {
        Some(_) => of_connection(job, &settings).map_err(start::told)?,
        None => start::permitted(job, &settings, Doing::Keeping)?,
    };
    kept_at(&permitted.target.auth).map_err(|why| start::refuse(&why))?;
    start::ready(settings, permitted, Credentials::AsTheJobSays, Clocks::system())
}

pub(super) fn login(args: LoginArgs, flags: SettingFlags) -> Exit {
    if args.service.is_some() && args.whose.connection().is_none() {
        return start::refuse("--service is for a connection: a job file says its own service");
    }
    let service = args.service.map_or(Service::ExchangeOnline, ServiceName::service);
    let job = match args.whose.job(service) {
        Ok(job) => job,
        Err(exit) => return exit,
    };
    start::block_on(Workers::One, log_in(args, job, flags)).unwrap_or_else(|exit| exit)
}

async fn log_in(args: LoginArgs, job: Job, flags: SettingFlags) -> Exit {
    let (Ready { app, stop, console, output, .. }, target) = match prepared(&args.whose, &job, flags) {
        Ok(prepared) => prepared,
        Err(exit) => return exit,
    };
    let asked_by = match args.method {
        Some(By::Browser) => AskedBy::Browser,
        Some(By::Device) => AskedBy::Device,
        None if has_display(&ProcessEnvironment) => AskedBy::Browser,
        None => AskedBy::Device,
    };
    let place = kept_at(&target.auth).map_or_else(|why| why, |place| place.to_string());
    let confirmed = tokio::select! {
        confirmed = app.login(&target, job.service, asked_by) => confirmed.map_err(told),
        () = stop.asked() => Err(stopped("before anybody had signed in; nothing was written")),
    };
    let kept = match confirmed {
        // Short beside what the person has done: who asks to stop is kept waiting for it, who insists is not.
        Ok(confirmed) => tokio::select! {
            kept = confirmed.keep() => kept.map_err(told),
            () = stop.insisted() => Err(stopped(&format!(
                "while the sign-in was written: it may be kept at {place}, or what was there before"
            ))),
        },
        Err(exit) => Err(exit),
    };
    app.settle().await;
    app.end().await;
    let logged_in = match kept {
        Ok(logged_in) => logged_in,
        Err(exit) => return exit,
    };
    let (facts, version) = (&logged_in.token.facts, logged_in.version);
    info!(
        target: WRITE_TARGET, action = "login", actor = %facts.actor, tenant_id = %facts.tenant_id, place = %place,
        version, outcome = "done", "a person has signed in, and the refresh token is kept"
    );
    let said = format!("{} is signed in; the sign-in is kept at {place}\n", one_line(&facts.actor, 120));
    match console.lines(&said).and(start::said(&output, &stop, app.clocks()).await) {
        Ok(()) => Exit::Done,
        Err(_) => Exit::Failed,
    }
}

pub(super) fn logout(args: LogoutArgs, flags: SettingFlags) -> Exit {
    // Whichever service the sign-in was for, the refresh token is one.
    let job = match args.whose.job(Service::ExchangeOnline) {
        Ok(job) => job,
        Err(exit) => return exit,
    };
    start::block_on(Workers::One, log_out(args, job, flags)).unwrap_or_else(|exit| exit)
}

async fn log_out(args: LogoutArgs, job: Job, flags: SettingFlags) -> Exit {
    let (Ready { app, stop, console, output, .. }, target) = match prepared(&args.whose, &job, flags) {
        Ok(prepared) => prepared,
        Err(exit) => return exit,
    };
    let place = kept_at(&target.auth).map_or_else(|why| why, |place| place.to_string());
    if !args.yes {
        let question = format!("Delete the sign-in kept at {place}? Runs that use it will fail. [y/N] ");
        let answered = tokio::select! {
            answered = app.people().line(&question) => answered,
            () = stop.asked() => return Exit::Interrupted,
        };
        match answered {
            Ok(answer) if matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes") => {}
            Ok(_) => {
                start::refuse("nothing was deleted");
                return Exit::RefusedByPolicy;
            }
            Err(why) => return start::refuse(&format!("{why}: say --yes if that is meant")),
        }
    }
    let logged_out = tokio::select! {
        logged_out = app.logout(&target, job.service) => logged_out.map_err(told),
        () = stop.asked() => Err(stopped(&format!(
            "while the sign-in kept at {place} was taken back: it may be revoked or not, and deleted or not; start it again"
        ))),
    };
    app.settle().await;
    app.end().await;
    let logged_out = match logged_out {
        Ok(logged_out) => logged_out,
        Err(exit) => return exit,
    };
    let (said, exit) = match logged_out {
        LoggedOut::NothingThere => (format!("no sign-in is kept at {place}\n"), Exit::Done),
        LoggedOut::Deleted { user, revoked } => {
            let user = user.unwrap_or_else(|| "(not written down)".to_owned());
            let (word, text, exit) = of_revocation(&revoked);
            info!(
                target: WRITE_TARGET, action = "logout", user = %user, place = %place, revoked = word, outcome = "done",
                "a kept refresh token is deleted"
            );
            (
                format!("the sign-in of {user} kept at {place} is deleted with all its versions\n{text}\n"),
                exit,
            )
        }
    };
    match console.lines(&said).and(start::said(&output, &stop, app.clocks()).await) {
        Ok(()) => exit,
        Err(_) => Exit::Failed,
    }
}

/// Why it came to nothing, on standard error.
fn told(error: SigninError) -> Exit {
    start::refuse(&error.to_string());
    runner::signin_exit(error.kind)
}

/// That somebody has stopped it, and what may be the case.
fn stopped(when: &str) -> Exit {
    start::refuse(&format!("stopped {when}"));
    Exit::Interrupted
}

/// A word for the log, what a person is told, and how the command ends.
fn of_revocation(revoked: &Revoked) -> (&'static str, String, Exit) {
    const BY_HAND: &str = "a copy of it stays good until an administrator revokes the user's sessions (Entra admin \
                           center: the user, Revoke sessions), the password is changed, or it is unused for 90 days";
    match revoked {
        Revoked::Now => ("yes", "the sign-in service has revoked it".to_owned(), Exit::Done),
        Revoked::NoWay => {
            let text = format!("the sign-in service has no way to revoke one refresh token: {BY_HAND}");
            ("no_way", text, Exit::Done)
        }
        Revoked::Failed(why) => {
            let why = one_line(why, 300);
            ("failed", format!("the sign-in service could not revoke it ({why}): {BY_HAND}"), Exit::Failed)
        }
    }
}
