//! Every command block of the documentation is run, page by page, in a folder of its own.
//!
//! A block is what stands between ```` ```sh ```` and its end. Behind `sh` may stand:
//! - `exits=CODE`: some command of the block ends with this code (others with 0);
//! - `serves`: the one command goes on until SIGTERM, and ends well then;
//! - `needs=NEED`: it cannot run here, for a reason of [`NEEDS`].
//!
//! A ```` ```yaml file=NAME ```` block is a file that is there before the first command. What the next ```` ```text ```` block of the
//! same section shows is looked for in what the block has said.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "real processes run in real time")]

#[path = "../support/components.rs"]
mod components;
#[path = "../support/emulating.rs"]
mod emulating;
#[path = "../support/folder.rs"]
mod folder;
mod output;
mod page;
mod shell;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use page::Page;

/// Why a block cannot run in a test.
const NEEDS: [(&str, &str); 4] = [
    ("build", "builds the program or runs all tests: CI does it, and this test is a part of it"),
    ("cluster", "asks a Kubernetes API server"),
    ("docker", "asks a container engine: tests/image does it"),
    ("person", "a person has to sign in"),
];

/// How many blocks have which need. Who adds one says so here.
const HAVE_NEEDS: [(&str, usize); 4] = [("build", 1), ("cluster", 2), ("docker", 2), ("person", 1)];

/// Programs that blocks call. A page is skipped visibly where one is not installed.
const PROGRAMS: [(&str, &str); 5] = [
    ("bao", "bao"),
    ("curl", "curl"),
    ("helm", "helm3"),
    ("jq", "jq"),
    ("prometheus-pushgateway", "prometheus-pushgateway"),
];

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Markdown files below a folder, sorted.
fn pages_in(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(package().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn pages() -> Vec<Page> {
    let mut paths = vec![PathBuf::from("README.md")];
    for folder in ["docs", "charts", "deploy"] {
        paths.extend(pages_in(folder));
    }
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(package().join(&path)).unwrap();
        Page::read(&path.display().to_string(), &text)
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn what_a_block_needs_is_on_the_list() {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    let pages = pages();
    for block in pages.iter().flat_map(|page| &page.blocks) {
        if let Some(need) = &block.needs {
            let known = NEEDS.iter().find(|(name, _)| name == need);
            let (need, _) = known.unwrap_or_else(|| panic!("line {}: no need is called {need}", block.line));
            *count.entry(need).or_default() += 1;
        }
    }
    assert_eq!(count, BTreeMap::from(HAVE_NEEDS));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_block_runs() {
    let (mut ran, mut compared, mut failures) = (0, 0, Vec::new());
    for page in pages() {
        let Some(missing) = page.runs().next().map(|_| missing_program(&page)) else { continue };
        if missing {
            continue;
        }
        ran += page.runs().count();
        compared += page.runs().filter(|block| block.shows.is_some()).count();
        failures.extend(shell::run(&page).await.into_iter().map(|why| format!("{}:{why}", page.path)));
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    assert!(ran >= 20 && compared >= 5, "only {ran} blocks, {compared} with output, were found");
    let needing: usize = HAVE_NEEDS.iter().map(|(_, count)| count).sum();
    println!("{ran} blocks ran, {compared} of them with output beside them; {needing} need {HAVE_NEEDS:?}");
}

fn missing_program(page: &Page) -> bool {
    let test = format!("the blocks of {}", page.path);
    let called = |name: &str| page.runs().any(|block| block.lines.iter().any(|line| calls(line, name)));
    PROGRAMS.iter().any(|(name, program)| called(name) && !components::has(program, &test))
}

/// Whether `program` is a word of the line.
fn calls(line: &str, program: &str) -> bool {
    line.split([' ', '(', '|', '$', '"']).any(|word| word == program)
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_blocks_are_seen_with_their_line() {
    let run = async |text: &str| shell::run(&Page::read("docs/planted.md", text)).await;
    let good = "a\n```sh\nx=1; exorun check jobs\n```\nb\n```sh\necho $x\n```\n```text\n1\n```\n";
    assert_eq!(run(good).await, Vec::<String>::new());
    let failures = run("a\n```sh\ntrue\nexorun check no-such-folder\ntrue\n```\n").await;
    assert!(failures.len() == 1 && failures[0].starts_with("4: "), "{failures:?}");
    assert!(failures[0].contains("ends with 64"), "{failures:?}");
    assert_eq!(run("```sh exits=64\nexorun check no-such-folder\n```\n").await, Vec::<String>::new());
    let failures = run("```sh exits=64\nexorun check jobs\n```\n").await;
    assert_eq!(failures, ["1: no command ends with 64"]);
    let failures = run("```sh\necho 23 of 30\n```\n```text\n24 of 30\n```\n").await;
    assert!(failures.len() == 1 && failures[0].starts_with("5: not said: 24 of 30"), "{failures:?}");
    let failures = run("```sh serves\nfalse\n```\n").await;
    assert!(failures.last().is_some_and(|last| last.starts_with("1: it does not serve")), "{failures:?}");
}
