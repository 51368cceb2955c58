//! One flag for each setting, made from the settings' own table.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches, ValueHint};

use crate::settings::{TABLE, flag_name, variable_name};

/// What the command line says of settings.
#[derive(Clone, Debug, Default)]
pub(super) struct SettingFlags {
    /// By the setting's key.
    pub(super) values: BTreeMap<String, String>,
    /// `--settings FILE`.
    pub(super) file: Option<PathBuf>,
}

const FILE: &str = "settings_file";

/// Under which help lists them.
pub(super) const HEADING: &str = "Settings";

impl Args for SettingFlags {
    fn augment_args(command: Command) -> Command {
        let mut command = command.arg(
            Arg::new(FILE)
                .long("settings")
                .value_name("FILE")
                .value_hint(ValueHint::FilePath)
                .global(true)
                .help_heading(HEADING)
                .help("A YAML file of settings; EXORUN_SETTINGS names one too"),
        );
        for setting in TABLE {
            let help = format!("{} [env: {}]", setting.doc, variable_name(setting.key));
            let flag = Arg::new(setting.key)
                .long(flag_name(setting.key).trim_start_matches("--").to_owned())
                .value_name("VALUE")
                .global(true)
                .hide_short_help(true)
                .help_heading(HEADING)
                .help(help);
            // With the value behind a space, `--require-connections JOB` would take the job for it.
            command = command.arg(if setting.is_boolean() {
                flag.num_args(0..=1).require_equals(true).default_missing_value("true")
            } else {
                flag
            });
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        SettingFlags::augment_args(command)
    }
}

impl FromArgMatches for SettingFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<SettingFlags, Error> {
        let mut flags = SettingFlags::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.file = matches.get_one::<String>(FILE).map(PathBuf::from);
        for setting in TABLE {
            if let Some(value) = matches.get_one::<String>(setting.key) {
                self.values.insert(setting.key.to_owned(), value.clone());
            }
        }
        Ok(())
    }
}
