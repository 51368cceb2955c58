//! `exorun schema` beside the checker, in validators and in a language server that nobody here wrote.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../support/components.rs"]
mod components;
mod keys;
mod peers;

use std::path::{Path, PathBuf};

/// The files of a folder with this ending, in order.
fn yaml_files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files
}

/// The schema as the command prints it, in a file of its own.
fn schema_file(folder: &Path) -> PathBuf {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_exorun")).arg("schema").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let path = folder.join("exorun.schema.json");
    std::fs::write(&path, output.stdout).unwrap();
    path
}
