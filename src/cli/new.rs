//! `exorun new`: a commented job to start from.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::invoke::ServiceName;
use super::start;
use crate::exit::Exit;
use crate::observe::whole_file::{self, NotWritten};
use crate::spec::draft::{Wanted, draft};
use crate::spec::job::JobName;

#[derive(Debug, Args)]
pub(super) struct NewArgs {
    /// The job's name: lower-case letters, digits and hyphens.
    #[arg(default_value = "my-job", value_parser = job_name)]
    name: JobName,
    /// The job calls this cmdlet.
    #[arg(long, value_name = "CMDLET", conflicts_with = "ensure")]
    cmdlet: Option<String>,
    /// The job ensures properties of this noun: CASMailbox, TransportConfig, …
    #[arg(long, value_name = "NOUN")]
    ensure: Option<String>,
    /// The service that answers.
    #[arg(long, value_enum, default_value = "ExchangeOnline")]
    service: ServiceName,
    /// Write the job to this file, which must not be there, instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn job_name(text: &str) -> Result<JobName, String> {
    JobName::new(text).ok_or_else(|| {
        "write lower-case letters, digits and hyphens, at most 63, first and last no hyphen".to_owned()
    })
}

pub(super) fn main(args: &NewArgs) -> Exit {
    let wanted = match (&args.cmdlet, &args.ensure) {
        (Some(cmdlet), _) => Wanted::Cmdlet(cmdlet),
        (None, Some(noun)) => Wanted::Ensure(noun),
        (None, None) => Wanted::Anything,
    };
    let file = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.yaml", args.name)));
    let text = match draft(&args.name, args.service.service(), wanted, &file) {
        Ok(text) => text,
        Err(why) => return start::refuse(&why),
    };
    match &args.output {
        None => start::print(&text),
        Some(path) => create(path, &text),
    }
}

fn create(path: &Path, text: &str) -> Exit {
    let created = whole_file::create_whole(path, whole_file::SHARED, |file| file.write_all(text.as_bytes()));
    let place = path.display();
    match created {
        Ok(()) => Exit::Done,
        Err(NotWritten { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {
            start::refuse(&format!("{place} is there already, and it stays as it is: name another file"))
        }
        Err(error) => {
            start::refuse(&format!("{place} {error}"));
            Exit::Failed
        }
    }
}
