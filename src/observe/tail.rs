//! The last lines of the log, kept in memory beside their way out: for a bundle.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Lines that are kept; a climb at level `trace` writes some hundred.
const LINES_MAX: usize = 500;

/// Keeps what passes through. Cheap to clone; all clones are the same tail.
#[derive(Clone, Debug, Default)]
pub struct Tail(Arc<Mutex<VecDeque<String>>>);

impl Tail {
    /// The lines so far, the oldest first, each with its line end.
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// A writer that keeps what goes to `out`. A line is one write, as the log writes it.
    pub fn beside(&self, out: Box<dyn Write + Send>) -> Box<dyn Write + Send> {
        Box::new(Beside { tail: self.clone(), out })
    }
}

struct Beside {
    tail: Tail,
    out: Box<dyn Write + Send>,
}

impl Write for Beside {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut lines = self.tail.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES_MAX {
            lines.pop_front();
        }
        lines.push_back(String::from_utf8_lossy(line).into_owned());
        drop(lines);
        // Whole, or the rest would be kept once more.
        self.out.write_all(line).map(|()| line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_and_all_go_out() {
        let tail = Tail::default();
        let mut out = tail.beside(Box::new(io::sink()));
        for number in 0..LINES_MAX + 2 {
            out.write_all(format!("{number}\n").as_bytes()).unwrap();
        }
        let lines = tail.lines();
        assert_eq!((lines.len(), lines[0].as_str()), (LINES_MAX, "2\n"));
    }
}
