//! A run as others on the host see it while it works: its arguments, its children, its limits.

use std::path::{Path, PathBuf};
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

/// Runs to the end, and looks again and again meanwhile.
pub(crate) async fn watched(mut command: Command) -> Seen {
    let child = command.spawn().unwrap();
    let process = PathBuf::from(format!("/proc/{}", child.id().unwrap()));
    let (mut arguments, mut children, mut core) = (Vec::new(), Vec::new(), None);
    let ended = tokio::time::timeout(HANG, child.wait_with_output());
    tokio::pin!(ended);
    let output = loop {
        tokio::select! {
            output = &mut ended => break output.expect("the run hangs").unwrap(),
            () = tokio::time::sleep(Duration::from_millis(2)) => {
                let read = std::fs::read(process.join("cmdline")).unwrap_or_default();
                if !read.is_empty() {
                    arguments = read;
                }
                children.extend(children_of(&process));
                // The first looks may come before the program has said so.
                core = core_limit(&process).or(core);
            }
        }
    };
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
