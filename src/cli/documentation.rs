//! The page on the command line, made from the commands themselves, so that it cannot say something else than `--help`.

use clap::{Arg, Command, CommandFactory};

use super::{Cli, run, setting_flags};

/// The page `docs/command-line.md`; a test compares the two.
pub fn documentation() -> String {
    let mut page = String::from(
        "# The command line\n\n\
         Made from the commands themselves; `EXORUN_TEST_UPDATE=1 cargo test --test docs` writes it anew.\n\n\
         Every command also takes each setting as a flag, `--session-wait 5m` for `session_wait`: [settings.md](settings.md) has them.\n\
         Exit codes are those of the [README](../README.md#exit-codes).\n",
    );
    let mut root = Cli::command().mut_subcommand("run", run::emulator_needs_emulate);
    root.build();
    for command in root.get_subcommands().filter(|command| is_shown(command)) {
        write(&mut page, "exorun", command, 2);
    }
    page
}

fn is_shown(command: &Command) -> bool {
    command.get_name() != "help" && !command.is_hide_set()
}

fn write(page: &mut String, above: &str, command: &Command, depth: usize) {
    let name = format!("{above} {}", command.get_name());
    let about = command.get_long_about().or_else(|| command.get_about()).map(ToString::to_string);
    page.push_str(&format!("\n{} `{name}`\n\n{}\n", "#".repeat(depth), about.unwrap_or_default()));
    let mut arguments: Vec<&Arg> = command
        .get_arguments()
        .filter(|argument| {
            !matches!(argument.get_id().as_str(), "help" | "version")
                && !argument.is_hide_set()
                && argument.get_help_heading() != Some(setting_flags::HEADING)
        })
        .collect();
    if !arguments.is_empty() {
        arguments.sort_by_key(|argument| !argument.is_positional());
        page.push_str("\n| Argument | Default | What it is |\n| --- | --- | --- |\n");
        for argument in arguments {
            page.push_str(&row(argument));
        }
    }
    for below in command.get_subcommands().filter(|command| is_shown(command)) {
        write(page, &name, below, depth + 1);
    }
}

fn row(argument: &Arg) -> String {
    let values: Vec<String> = argument
        .get_value_names()
        .unwrap_or_default()
        .iter()
        .filter(|_| argument.get_action().takes_values())
        .map(|name| name.to_string())
        .collect();
    let form = match argument.get_long() {
        None => values.join(" "),
        Some(long) if values.is_empty() => format!("--{long}"),
        Some(long) => format!("--{long} <{}>", values.join("> <")),
    };
    let many = if argument.get_num_args().is_some_and(|number| number.max_values() > 1) { "…" } else { "" };
    let default: Vec<String> =
        argument.get_default_values().iter().map(|value| format!("`{}`", value.to_string_lossy())).collect();
    let default = if argument.get_action().takes_values() { default.join(" ") } else { String::new() };
    let help = argument.get_long_help().or_else(|| argument.get_help()).map(ToString::to_string);
    let mut help = help.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    let words: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|word| argument.get_action().takes_values() && !word.is_hide_set())
        .map(|word| format!("`{}`", word.get_name()))
        .collect();
    if !words.is_empty() {
        help = format!("{help}{} {}", if help.is_empty() { "" } else { ":" }, words.join(", "));
    }
    let row = [format!("`{form}{many}`"), default, help].map(|cell| cell.replace('|', "\\|"));
    format!("| {} |\n", row.join(" | "))
}
