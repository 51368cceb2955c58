//! `exorun schema`: the JSON Schema of jobs and connections, for editors and other tools.

use crate::exit::Exit;

#[derive(Debug, clap::Args)]
pub(super) struct SchemaArgs {
    /// Indent it for people; editors need no indentation.
    #[arg(long)]
    pretty: bool,
}

pub(super) fn main(args: &SchemaArgs) -> Exit {
    let schema = crate::spec::schema();
    super::start::print(&if args.pretty { format!("{schema:#}\n") } else { format!("{schema}\n") })
}
