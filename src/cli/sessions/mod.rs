//! `exorun sessions`: what an account's slots are doing, and an operator's way to take one back.

mod human;
mod release;

use clap::{Args, Subcommand, ValueEnum};

use super::setting_flags::SettingFlags;
use super::start::{self, Workers};
use crate::app::{self, Slots};
use crate::clocks::Clocks;
use crate::exit::Exit;
use crate::runner::progress::Progress;
use crate::settings::Settings;
use crate::slots::{ListedAccount, SlotError};

/// Show which sessions are open and by whom, over all runs that share the slots.
#[derive(Debug, Args)]
pub(super) struct SessionsArgs {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    whose: Whose,
    /// The form of the list.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// Whose slots are meant.
#[derive(Debug, Args)]
struct Whose {
    /// One account: its object id, its tenant id, or the beginning of its name in the list. Left out: all.
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Release(release::ReleaseArgs),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for people.
    Human,
    /// One JSON object: docs/sessions.md.
    Json,
}

pub(super) fn main(args: SessionsArgs, flags: SettingFlags) -> Exit {
    let settings = match start::settings_of(flags) {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    let work = async move {
        let clocks = Clocks::system();
        if let Err(exit) = start::logs(&settings, &clocks, &Progress::for_terminal()) {
            return exit;
        }
        match args.command {
            Some(Command::Release(release)) => release::main(release, &settings, &clocks).await,
            None => list(&args.whose, args.format, &settings, &clocks).await,
        }
    };
    start::block_on(Workers::One, work).unwrap_or_else(|exit| exit)
}

async fn list(whose: &Whose, format: Format, settings: &Settings, clocks: &Clocks) -> Exit {
    let (slots, accounts) = match listed(settings, clocks).await {
        Ok(listed) => listed,
        Err(exit) => return exit,
    };
    let accounts = match &whose.account {
        None => accounts,
        Some(name) => {
            let found: Vec<ListedAccount> = accounts.into_iter().filter(|one| is_meant(one, name)).collect();
            if found.is_empty() && format == Format::Human {
                return start::refuse(&format!("no account `{name}` has had a session {}", slots.reach));
            }
            found
        }
    };
    let now = clocks.wall();
    start::print(&match format {
        Format::Human => human::table(&slots.reach, &accounts, now),
        Format::Json => format!("{:#}\n", app::listed(&slots.reach, &accounts, now)),
    })
}

/// The store, and what it knows of all accounts.
async fn listed(settings: &Settings, clocks: &Clocks) -> Result<(Slots, Vec<ListedAccount>), Exit> {
    let listed = async {
        let slots = app::slots(settings, app::session_times(settings).slots(), clocks).await?;
        let accounts = slots.store.list(None).await?;
        Ok((slots, accounts))
    };
    listed.await.map_err(|error: SlotError| failed(&error))
}

fn failed(error: &SlotError) -> Exit {
    let exit = start::refuse(&error.to_string());
    match error {
        SlotError::Unavailable { .. } => Exit::NoSession,
        SlotError::Store { .. } | SlotError::Lost { .. } => exit,
    }
}

fn is_meant(listed: &ListedAccount, name: &str) -> bool {
    let account = &listed.account;
    let is = |text: &str| text.eq_ignore_ascii_case(name);
    is(&account.object_id)
        || is(&account.tenant_id)
        || (!name.is_empty() && account.digest().starts_with(&name.to_ascii_lowercase()))
}
