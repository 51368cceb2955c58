//! `exorun schema`: the JSON Schema of jobs and connections, for editors and other tools.

use std::io::{self, Write};

use crate::exit::Exit;

#[derive(Debug, clap::Args)]
pub(super) struct SchemaArgs {
    /// Indent it for people; editors need no indentation.
    #[arg(long)]
    pretty: bool,
}

pub(super) fn run(args: &SchemaArgs, out: &mut dyn Write) -> Exit {
    let schema = crate::spec::schema();
    let written = if args.pretty {
        serde_json::to_writer_pretty(&mut *out, &schema)
    } else {
        serde_json::to_writer(&mut *out, &schema)
    };
    let written = written.map_err(io::Error::from).and_then(|()| writeln!(out)).and_then(|()| out.flush());
    match written {
        // Whoever closed the pipe has read enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            super::start::refuse(&format!("the schema cannot be written: {error}"));
            Exit::Failed
        }
        _ => Exit::Done,
    }
}
