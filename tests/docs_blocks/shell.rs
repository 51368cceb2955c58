//! The blocks of one page, in one shell, beside an emulated tenant.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Command;

use crate::emulating::Emulating;
use crate::folder::copy;
use crate::output::not_said;
use crate::package;
use crate::page::Page;

/// A page takes seconds; what does not hangs.
const HANG: Duration = Duration::from_secs(120);

/// What stands on a line of its own where the page has a fence; all else of the page is left out.
fn script(page: &Page) -> String {
    let end = page.blocks.iter().map(|block| block.line + block.lines.len() + 1).max().unwrap_or(0);
    // Each command has the line in the script that it has on the page, so what the shell says of lines is true.
    let mut script = vec![String::new(); end];
    for block in page.runs() {
        let exits = block.exits.map(|code| code.to_string()).unwrap_or_default();
        let body = if block.serves { " __body() {" } else { "" };
        script[block.line - 1] = format!("__begin {} {exits};{body}", block.line);
        script[block.line..block.line + block.lines.len()].clone_from_slice(&block.lines);
        script[block.line + block.lines.len()] = if block.serves { "}; __serve" } else { "__end" }.to_owned();
    }
    script.join("\n") + "\n"
}

/// The program, what a newcomer calls it by, and Helm by its plain name.
fn programs(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let link = |from: &Path, name: &str| std::os::unix::fs::symlink(from, folder.join(name)).unwrap();
    link(Path::new(env!("CARGO_BIN_EXE_exorun")), "exorun");
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(helm) =
        std::env::split_paths(&path).map(|folder| folder.join("helm3")).find(|helm| helm.is_file())
    {
        link(&helm, "helm");
    }
    let cargo = "#!/bin/sh\n[ \"$1\" = run ] || exit 97\nwhile [ \"$1\" != -- ]; do shift; done\nshift\nexec exorun \"$@\"\n";
    std::fs::write(folder.join("cargo"), cargo).unwrap();
    std::fs::set_permissions(folder.join("cargo"), std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs the page's blocks: what went wrong, each with its line.
pub(crate) async fn run(page: &Page) -> Vec<String> {
    let tenant = Emulating::start(&[]).await;
    let scratch = tempfile::tempdir().unwrap();
    let (folder, results, bin) =
        (scratch.path().join("folder"), scratch.path().join("results"), scratch.path().join("bin"));
    for name in ["jobs", "charts", "tests/bad-specs"] {
        copy(&package().join(name), &folder.join(name));
    }
    for (name, text) in &page.files {
        std::fs::write(folder.join(name), text).unwrap();
    }
    std::fs::create_dir_all(&results).unwrap();
    std::fs::write(results.join("page.sh"), script(page)).unwrap();
    programs(&bin);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([bin].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let mut child = Command::new("bash")
        .arg(package().join("tests/docs_blocks/prelude.sh"))
        .env_clear()
        .env("PATH", path)
        .env("HOME", &folder)
        .env("RESULTS", &results)
        // Where a page names no settings of its own, the reader's tenant is meant: here an emulated one.
        .env("EXORUN_SETTINGS", tenant.out("settings.yaml"))
        .env("EXORUN_CLIENT_SECRET", std::fs::read_to_string(tenant.out("client-secret")).unwrap())
        .env("EXORUN_STATE_DIR", scratch.path().join("state"))
        // A page may run more than a minute's worth of jobs, beside other pages' servers.
        .env("EXORUN_OPENS_PER_MINUTE", "1000")
        .env("EXORUN_ADMIN_ADDRESS", "127.0.0.1:0")
        .current_dir(&folder)
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let group = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    let ended = tokio::time::timeout(HANG, child.wait()).await;
    // What its blocks have left in the background.
    let _ended_already = kill_process_group(group, Signal::KILL);
    // Which of the two comes first on a terminal is chance.
    let said = |line: usize, first: &str, then: &str| {
        let stream = |stream: &str| std::fs::read_to_string(results.join(format!("{line}.{stream}")));
        stream(first).unwrap_or_default() + &stream(then).unwrap_or_default()
    };
    let all = |line: usize| said(line, "out", "err");
    let reached = page.runs().filter(|block| results.join(format!("{}.out", block.line)).exists()).last();
    let reached = reached.map_or(0, |block| block.line);
    let mut failures: Vec<String> = std::fs::read_to_string(results.join("failures"))
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect();
    match ended {
        Err(_) => failures.push(format!("{reached}: the block hangs; it said:\n{}", all(reached))),
        Ok(status) if !status.as_ref().unwrap().success() => match failures.last_mut() {
            Some(failure) => *failure = format!("{failure}; it said:\n{}", all(reached)),
            None => failures.push(format!("{reached}: {status:?}; it said:\n{}", all(reached))),
        },
        Ok(_) => {
            for block in page.runs() {
                let Some(shown) = &block.shows else { continue };
                let lacking = not_said(&shown.lines, &all(block.line));
                let other_order = not_said(&shown.lines, &said(block.line, "err", "out"));
                if let (Some(line), Some(_)) = (lacking, other_order) {
                    let at = shown.line + 1 + shown.lines.iter().position(|one| one == line).unwrap();
                    failures.push(format!("{at}: not said: {line}; but:\n{}", all(block.line)));
                }
            }
        }
    }
    failures
}
