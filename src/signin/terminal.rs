//! A person at the terminal that the program was started from.

use std::ffi::OsString;
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};
use secrecy::SecretString;
use tokio::sync::oneshot;

use super::people::{People, Presence};
use crate::clocks::Clocks;
use crate::observe::escape::one_line;

/// The terminal itself, whatever standard input and output are.
const TERMINAL: &str = "/dev/tty";

/// What opens an address in the person's own browser.
const OPENER: &str = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };

/// An opener hands the address over and ends; some stay as long as a browser that they started.
const OPENER_TIME_MAX: Duration = Duration::from_secs(3);

/// How long a signal may take from the question to whoever listens to signals.
const SIGNAL_TIME_MAX: Duration = Duration::from_secs(2);

/// A terminal with somebody before it.
pub struct Terminal {
    clocks: Clocks,
    /// What programs that are started for the person get as their environment.
    variables: Vec<(OsString, OsString)>,
}

impl Terminal {
    /// The terminal, if a person sees standard error there and the program may read from it: a program in the
    /// background would be stopped by the system instead of answered. `variables` is all that programs started for the
    /// person get as their environment.
    pub fn attended(clocks: Clocks, variables: Vec<(OsString, OsString)>) -> Option<Terminal> {
        let terminal = File::open(TERMINAL).ok()?;
        let in_front = tcgetpgrp(&terminal).is_ok_and(|group| group == rustix::process::getpgrp());
        (std::io::stderr().is_terminal() && in_front).then_some(Terminal { clocks, variables })
    }
}

/// Puts the terminal's echo back, also if the question was given up while its reader still waits.
struct Echo(Option<(File, Termios)>);

impl Echo {
    fn kept() -> Echo {
        let terminal = File::open(TERMINAL).ok();
        Echo(terminal.and_then(|terminal| tcgetattr(&terminal).ok().map(|modes| (terminal, modes))))
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let Some((terminal, modes)) = &self.0 else { return };
        let changed = tcgetattr(terminal)
            .is_ok_and(|now| now.local_modes & LocalModes::ECHO != modes.local_modes & LocalModes::ECHO);
        if changed {
            let _gone = tcsetattr(terminal, OptionalActions::Now, modes);
        }
    }
}

/// Runs a blocking question on a thread of its own. Not on the runtime's: that would wait for its answer before the
/// program can end.
async fn asked<T: Send + 'static>(
    clocks: &Clocks,
    question: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, String> {
    let (answer, answered) = oneshot::channel();
    let started = std::thread::Builder::new().name("question".to_owned()).spawn(move || {
        let _nobody_waits = answer.send(question());
    });
    started.map_err(|error| format!("a thread cannot be started: {error}"))?;
    match answered.await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::Interrupted => {
            // The signal that interrupted it ends the run, in words of its own.
            clocks.sleep(SIGNAL_TIME_MAX).await;
            Err("interrupted".to_owned())
        }
        Ok(Err(error)) => Err(format!("the terminal cannot be read: {error}")),
        Err(_) => Err("the terminal cannot be read".to_owned()),
    }
}

#[async_trait]
impl People for Terminal {
    fn presence(&self) -> Presence {
        Presence::Somebody
    }

    fn show(&self, message: &str) {
        // Not through the log: a person reads this now, without time and level, whatever the log's form is.
        let _closed = writeln!(std::io::stderr(), "{}", one_line(message, usize::MAX));
    }

    async fn line(&self, question: &str) -> Result<String, String> {
        let question = one_line(question, 200);
        asked(&self.clocks, move || {
            let mut terminal = File::options().read(true).write(true).open(TERMINAL)?;
            terminal.write_all(question.as_bytes())?;
            let mut line = String::new();
            std::io::BufRead::read_line(&mut std::io::BufReader::new(terminal), &mut line)?;
            Ok(line.trim().to_owned())
        })
        .await
    }

    async fn secret(&self, question: &str) -> Result<SecretString, String> {
        let question = one_line(question, 200);
        let _echo = Echo::kept();
        asked(&self.clocks, move || rpassword::prompt_password(question).map(SecretString::from)).await
    }

    async fn open(&self, address: &str) -> Result<(), String> {
        let started = tokio::process::Command::new(OPENER)
            .arg(address)
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let mut opener = started.map_err(|error| format!("{OPENER}: {error}"))?;
        match self.clocks.timeout(OPENER_TIME_MAX, opener.wait()).await {
            Ok(Ok(status)) if !status.success() => Err(format!("{OPENER} ended with {status}")),
            Ok(Err(error)) => Err(format!("{OPENER}: {error}")),
            Ok(Ok(_)) | Err(_) => Ok(()),
        }
    }
}
