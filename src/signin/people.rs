//! The person at the keyboard, if there is one: how they are shown things and asked for things.

use async_trait::async_trait;
use secrecy::SecretString;
use tracing::warn;

use crate::observe::logs::PROMPT_TARGET;

/// Whether a person sees what is shown, and can answer now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// At a terminal.
    Somebody,
    /// A pod, a cron job, a pipe.
    Nobody,
}

/// Shows people things and asks them. Nothing here blocks the runtime.
#[async_trait]
pub trait People: Send + Sync + 'static {
    /// Who is there.
    fn presence(&self) -> Presence;

    /// Shows one line, with an address or a code.
    fn show(&self, message: &str);

    /// Asks for a line of text.
    ///
    /// # Errors
    /// Why nobody could be asked.
    ///
    /// # Cancel safety
    /// Dropped, the terminal is as it was; what is typed afterwards is lost.
    async fn line(&self, question: &str) -> Result<String, String>;

    /// Asks for a secret, which is not echoed.
    ///
    /// # Errors
    /// Why nobody could be asked.
    ///
    /// # Cancel safety
    /// As [`People::line`].
    async fn secret(&self, question: &str) -> Result<SecretString, String>;

    /// Opens an address in this machine's browser. The address is seen by every user of the machine.
    ///
    /// # Errors
    /// Why it could not be opened; it can still be opened by hand.
    async fn open(&self, address: &str) -> Result<(), String>;
}

/// Nobody is there; whoever reads the log may act on it.
#[derive(Clone, Copy, Debug)]
pub struct Unattended;

/// Why nobody could be asked.
const NO_TERMINAL: &str = "there is no terminal to ask at";

#[async_trait]
impl People for Unattended {
    fn presence(&self) -> Presence {
        Presence::Nobody
    }

    fn show(&self, message: &str) {
        warn!(target: PROMPT_TARGET, "{message}");
    }

    async fn line(&self, _: &str) -> Result<String, String> {
        Err(NO_TERMINAL.to_owned())
    }

    async fn secret(&self, _: &str) -> Result<SecretString, String> {
        Err(NO_TERMINAL.to_owned())
    }

    async fn open(&self, _: &str) -> Result<(), String> {
        Err("nobody is at this machine".to_owned())
    }
}
