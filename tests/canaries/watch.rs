//! A run as others on the host see it while it works: its arguments, its children, its limits.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::process::Command;

/// Nothing here takes longer; what does hangs.
const HANG: Duration = Duration::from_secs(60);

/// What was seen of a run.
pub(crate) struct Seen {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// Of the program itself, not of what started it.
    pub(crate) arguments: Vec<u8>,
    pub(crate) children: Vec<u32>,
    /// How large a core may be.
    pub(crate) core: Option<String>,
}

/// What the looks at a process have seen.
#[derive(Default)]
struct Looks {
    arguments: Vec<u8>,
    children: Vec<u32>,
    core: Option<String>,
}

impl Looks {
    fn look(&mut self, process: &Path) {
        let read = std::fs::read(process.join("cmdline")).unwrap_or_default();
        // A process that ends under the read leaves its beginning only.
        if read.len() > self.arguments.len() {
            self.arguments = read;
        }
        self.children.extend(children_of(process));
        // The first looks may come before the program has said so.
        self.core = core_limit(process).or(self.core.take());
    }
}

/// Who has started the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Started {
    /// The test.
    Here,
    /// What types at its terminal, and knows what is typed.
    AtATerminal,
}

impl Started {
    /// The program's own process.
    fn process(self, child: &Path) -> Option<PathBuf> {
        let is_program = |process: &PathBuf| {
            let file = std::fs::read_link(process.join("exe")).unwrap_or_default();
            file.file_name().is_some_and(|name| name == "exorun")
        };
        match self {
            Started::Here => Some(child.to_owned()),
            Started::AtATerminal => {
                let children = children_of(child).into_iter();
                children.map(|id| PathBuf::from(format!("/proc/{id}"))).find(is_program)
            }
        }
    }
}

/// Runs to the end, and looks again and again meanwhile: on a thread of its own, because the tenant's work on a busy
/// machine keeps a task waiting for longer than the run takes.
pub(crate) async fn watched(mut command: Command, started: Started) -> Seen {
    let child = command.spawn().unwrap();
    let child_process = PathBuf::from(format!("/proc/{}", child.id().unwrap()));
    let over = Arc::new(AtomicBool::new(false));
    let seen_to_end = Arc::clone(&over);
    let watching = std::thread::spawn(move || {
        let mut looks = Looks::default();
        while !seen_to_end.load(Ordering::Relaxed) {
            if let Some(process) = started.process(&child_process) {
                looks.look(&process);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        looks
    });
    let ended = tokio::time::timeout(HANG, child.wait_with_output()).await;
    over.store(true, Ordering::Relaxed);
    let Looks { arguments, mut children, core } = watching.join().unwrap();
    let output = ended.expect("the run hangs").unwrap();
    children.sort_unstable();
    children.dedup();
    Seen {
        code: output.status.code(),
        stdout: output.stdout,
        stderr: output.stderr,
        arguments,
        children,
        core,
    }
}

fn children_of(process: &Path) -> Vec<u32> {
    let threads = std::fs::read_dir(process.join("task")).into_iter().flatten().flatten();
    let lists =
        threads.map(|thread| std::fs::read_to_string(thread.path().join("children")).unwrap_or_default());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<u32>>())
        .collect()
}

/// The soft limit.
fn core_limit(process: &Path) -> Option<String> {
    let limits = std::fs::read_to_string(process.join("limits")).ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max core file size"))?;
    line.split_whitespace().next().map(str::to_owned)
}
