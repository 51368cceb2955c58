//! `exorun explain`: what a job does, in words; connects to nothing and reads no secret.

use std::path::PathBuf;

use clap::Args;

use super::run;
use super::setting_flags::SettingFlags;
use super::start;
use crate::app::permitted::target_of;
use crate::app::practices::judge_job;
use crate::app::{endpoint_setting, endpoints};
use crate::exit::Exit;
use crate::settings::Settings;
use crate::spec::explain::{Addresses, Place, explain};
use crate::spec::job::{Job, Target};

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The job file.
    file: PathBuf,
    /// Which job, if the file has several.
    #[arg(long, value_name = "NAME")]
    job: Option<String>,
}

pub(super) fn main(args: &ExplainArgs, flags: SettingFlags) -> Exit {
    let explained = run::one_job(&args.file, args.job.as_deref()).and_then(|job| {
        let settings = start::settings_of(flags)?;
        let place = place(&job, &settings)?;
        Ok(explain(&job, &place))
    });
    match explained {
        Ok(text) => start::print(&text),
        Err(exit) => exit,
    }
}

/// A connection can only be looked up if its file is known; a job can be read without it.
fn place(job: &Job, settings: &Settings) -> Result<Place, Exit> {
    if matches!(job.target, Target::Connection { .. }) && settings.connections_file.is_none() {
        return Ok(Place { target: None, addresses: None, refusals: Vec::new() });
    }
    let (target, mut refusals) = target_of(job, settings).map_err(start::told)?;
    refusals.extend(judge_job(settings, job, Some(&target)).refused);
    let addresses = endpoints(settings, &target, job.service).map(|(login, exchange)| Addresses {
        login,
        login_is_set: settings.login_endpoint.is_some(),
        exchange,
        exchange_is_set: endpoint_setting(settings, job.service).is_some(),
    });
    Ok(Place { target: Some(target), addresses: Some(addresses), refusals })
}
