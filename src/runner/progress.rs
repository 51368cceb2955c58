//! A progress bar for people: on a terminal only.

use std::io::{self, IsTerminal, Write};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Where progress is drawn, if it is.
#[derive(Clone, Debug)]
pub struct Progress(Option<MultiProgress>);

/// Standard error for log lines on a terminal: bars make way while one is written.
#[derive(Clone, Debug)]
pub struct LogOutput(MultiProgress);

impl Progress {
    /// On standard error if that is a terminal; else nowhere, because nobody looks.
    pub fn for_terminal() -> Progress {
        Progress(std::io::stderr().is_terminal().then(MultiProgress::new))
    }

    /// Nowhere: runs that work side by side would draw over each other.
    pub fn hidden() -> Progress {
        Progress(None)
    }

    /// Where log lines go if bars are drawn, so that bars and lines do not tear each other apart.
    pub fn log_output(&self) -> Option<LogOutput> {
        self.0.clone().map(LogOutput)
    }

    /// A bar over `total` objects of `step`.
    pub(super) fn bar(&self, step: &str, total: u64) -> Bar {
        let style = ProgressStyle::with_template("{prefix:>16} {wide_bar} {pos}/{len} {eta}");
        let bar = match &self.0 {
            Some(bars) => bars.add(ProgressBar::new(total)),
            None => ProgressBar::hidden(),
        };
        let bar = bar.with_prefix(step.to_owned());
        Bar(style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style)))
    }
}

impl Write for LogOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.suspend(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Cleared when dropped, so that no half bar stays on the screen.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn advance(&self) {
        self.0.inc(1);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
