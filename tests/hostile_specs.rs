//! Files and expressions made to break the reader: each ends soon, in little memory, with its limit or its mistake named.
#![expect(clippy::disallowed_methods, reason = "a deadline is real time")]

use std::collections::BTreeMap;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use exorun::spec::job::StepName;
use exorun::spec::template::{Expression, Scope, StepItems};
use rustix::process::{Resource, Rlimit, setrlimit};
use serde_json::{Value, json};

const DEADLINE: Duration = Duration::from_secs(20);

const HEAD: &str = "version: 1\nname: a-job\ntenant: contoso.onmicrosoft.com\nauth: {method: device}\n";
const STEPS: &str = "steps:\n  - name: some\n    cmdlet: Get-Mailbox\n";

/// `exorun check` of a file with these bytes, in half a gigabyte of addresses and no more seconds of work than the
/// deadline has; what needs more of either is killed, and so has no exit code.
fn check(bytes: &[u8]) -> Output {
    let folder = tempfile::tempdir().expect("can make a folder");
    std::fs::write(folder.path().join("job.yaml"), bytes).expect("can write");
    let limits = format!("ulimit -v 500000; ulimit -t {}; exec \"$0\" check job.yaml", DEADLINE.as_secs());
    let mut shell = Command::new("sh");
    shell.args(["-c", &limits, env!("CARGO_BIN_EXE_exorun")]).current_dir(folder.path());
    shell.output().expect("there is a shell")
}

fn refused(what: &str, file: impl AsRef<[u8]>, said: &str) {
    let Output { status, stdout, stderr } = check(file.as_ref());
    let stderr = String::from_utf8(stderr).expect("is text");
    let shown = &stderr[..stderr.floor_char_boundary(2_000)];
    assert_eq!(status.code(), Some(64), "{what}: {status}\n{shown}");
    assert!(stderr.contains(said), "{what} is not told {said:?}:\n{shown}");
    assert!(stdout.is_empty(), "{what} is taken for right");
    // Fifty problems of at most a screen each, however large the file is.
    assert!(stderr.len() < 200_000, "{what}: {} bytes of advice", stderr.len());
    assert!(!stderr.contains(|char: char| char.is_control() && char != '\n'), "{what}: {shown:?}");
}

#[test]
fn hostile_files_end_soon_in_little_memory() {
    let steps = |steps: &str| format!("{HEAD}steps:\n{steps}");
    let laughs: String =
        (1..9).map(|n| format!("  l{n}: &l{n} [{}]\n", vec![format!("*l{}", n - 1); 9].join(", "))).collect();
    let nested = |open: &str, close: &str| {
        format!("{HEAD}labels:\n  a: {}{}\n", open.repeat(10_000), close.repeat(10_000))
    };
    let blocks: String = (0..1_300).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    let many = |count: usize| {
        steps(&(0..count).map(|n| format!("- {{name: s{n}, cmdlet: Get-Mailbox}}\n")).collect::<String>())
    };
    let expression = |text: &str| format!("{HEAD}{STEPS}    when: \"{text}\"\n");

    refused("nothing", "", "the file holds no job");
    refused("10 MB", "a: b\n".repeat(2_000_000), "FILE_BYTES_MAX");
    refused("one line of 10 MB", "x".repeat(10_000_000), "FILE_BYTES_MAX");
    refused("laughs", format!("{HEAD}labels:\n  l0: &l0 [x, x]\n{laughs}"), "ALIASE");
    refused("an alias in itself", format!("{HEAD}labels: &a [*a]\n"), "never end");
    refused("tabs", format!("{HEAD}steps:\n\t- name: a\n"), "tab");
    refused("bytes that are no UTF-8", [HEAD.as_bytes(), b"\xc3\x28\xff"].concat(), "not UTF-8 from here on");
    refused("UTF-16", b"\xff\xfev\0e\0r\0", "the file is UTF-16");
    refused("NUL", format!("{HEAD}\0{STEPS}"), "a NUL character");
    refused("a list", "- version: 1\n- name: x\n", "is a map of keys and values, found a list");
    refused("a scalar", "version 1", "is a map of keys and values, found `version 1`");
    refused("a tag", format!("{HEAD}steps: !!python/object:os.system x\n"), "tag");
    refused("a key twice", format!("{HEAD}name: b\n{STEPS}"), "twice");
    refused(
        "a step's name twice",
        steps("- {name: a, cmdlet: Get-Mailbox}\n- {name: a, cmdlet: Get-Mailbox}\n"),
        "two steps",
    );
    refused("201 steps", many(201), "STEPS_MAX");
    refused("10,000 steps", many(10_000), "NODES_MAX");
    refused("a step in itself", expression("steps.some.count > 1"), "the step `some` refers to itself");
    refused("lists in lists", nested("[", "]"), "DEPTH_MAX");
    refused("lists in lists, never closed", nested("[", ""), "DEPTH_MAX");
    refused("maps in maps", nested("{a: ", "}"), "DEPTH_MAX");
    refused("dashes in one line", format!("{HEAD}labels:\n  {}\n", "- ".repeat(10_000)), "DEPTH_MAX");
    refused("maps in maps, by lines", blocks, "DEPTH_MAX");
    refused(
        "brackets in an expression",
        expression(&format!("{}1", "(".repeat(4_000))),
        "EXPRESSION_DEPTH_MAX",
    );
    refused(
        "an expression of 60 KB",
        expression(&format!("{}1", "1 + ".repeat(15_000))),
        "EXPRESSION_BYTES_MAX",
    );
    refused(
        "a growing regular expression",
        expression("run.id is matches('((a{99}){99}){99}')"),
        "REGEX_BYTES_MAX",
    );
}

/// Files whose checking once took the square of their size, or the price of each thing in them thousands of times.
#[test]
fn a_megabyte_of_the_same_is_checked_in_one_go() {
    let parameters = |text: &str| format!("{HEAD}{STEPS}    parameters:\n{text}");
    let numbered = |count: usize, one: &dyn Fn(usize) -> String| (0..count).map(one).collect::<String>();
    let name = |n: usize| format!("{}{}Enabled", ["Forwarded", "Calendar", "Hold"][n % 3], n);
    let step = |n: usize| {
        let given = numbered(120, &|k| format!("    {}: x\n", name(n * 120 + k)));
        format!("- name: s{n}\n  cmdlet: Set-Mailbox\n  parameters:\n{given}")
    };
    let never = numbered(32, &|n| format!("- {{cron: '{n} 0 31 2 *', time_zone: UTC}}\n"));
    let regex = |n: usize| format!("run.id is matches('[a-z]{{{}}}')", n + 300);
    let line = |n: usize| {
        format!(
            "    - \"${{{{ {} }}}}\"\n",
            (0..80).map(|k| regex(n * 80 + k)).collect::<Vec<_>>().join(" or ")
        )
    };
    let list = |lines: &str| {
        format!(
            "{HEAD}steps:\n- name: a\n  cmdlet: Set-Mailbox\n  parameters:\n    Identity: x\n    EmailAddresses:\n{lines}"
        )
    };
    let sides = [("add", 'a'), ("remove", 'b')].map(|(side, letter)| {
        format!("      {side}: [{} {letter}]\n", numbered(24_000, &|n| format!("{letter}{n}, ")))
    });

    refused("colons and spaces", format!("a{}{}", ":".repeat(500_000), " ".repeat(500_000)), "error");
    refused(
        "thousands of expressions in a text",
        parameters(&format!("      Identity: '{}'\n", "${{ a }}".repeat(8_000))),
        "nothing is called `a`",
    );
    refused(
        "texts of many expressions",
        list(&format!("    - '{}'\n", numbered(5_000, &|n| format!("${{{{ a{n} }}}}"))).repeat(10)),
        "nothing is called `a0`",
    );
    refused("unknown parameters", format!("{HEAD}steps:\n{}", numbered(200, &step)), "has no parameter");
    refused(
        "days that never come",
        format!("{HEAD}schedules:\n{never}steps: []\n---\n").repeat(20),
        "is never due",
    );
    refused("regular expressions", list(&numbered(200, &line)), "REGEXES_MAX");
    let edit = list(&sides.concat());
    assert_eq!(check(edit.as_bytes()).status.code(), Some(0), "two long sides of an edit");
}

#[test]
fn line_ends_and_a_mark_of_windows_are_no_mistake() {
    let file = format!("\u{feff}{HEAD}{STEPS}").replace('\n', "\r\n");
    let Output { status, stdout, stderr } = check(file.as_bytes());
    assert_eq!(status.code(), Some(0), "{}", String::from_utf8_lossy(&stderr));
    let said = "ok: job.yaml: job a-job, 1 step\nchecked 1 file: 1 job, 0 errors, 0 warnings\n";
    assert_eq!(String::from_utf8_lossy(&stdout), said);
}

/// A step with more items than an expression may go over twice.
struct Many;

impl StepItems for Many {
    fn count(&self) -> u64 {
        1_000_000
    }

    fn items(&self) -> Box<dyn Iterator<Item = std::io::Result<Value>> + Send> {
        Box::new((0..1_000_000).map(|n| Ok(json!({"N": n}))))
    }
}

/// What the expression ends with, which is no panic, within the deadline.
fn evaluated(source: &str) -> Result<Value, String> {
    let mut steps: BTreeMap<StepName, Arc<dyn StepItems>> = BTreeMap::new();
    steps.insert(StepName::new("many").expect("is a name"), Arc::new(Many));
    let item = json!({"Long": "a".repeat(100_000), "List": vec![1; 1_000]});
    let scope = Scope { steps: Arc::new(steps), item: Some((Arc::new(item), 0)), ..Scope::default() };
    let start = Instant::now();
    let value = Expression::compile(source)
        .and_then(|expression| expression.eval(&scope))
        .map_err(|error| error.message);
    assert!(start.elapsed() < DEADLINE, "{source:.80}: {:?}", start.elapsed());
    value
}

#[test]
fn expressions_that_grow_or_never_end_are_stopped() {
    // What an evaluation may hold at once is far below; a gigabyte for one text is over it, and kills this process.
    let most = Rlimit { current: Some(2_000_000_000), maximum: Some(2_000_000_000) };
    setrlimit(Resource::As, most).expect("a limit can be lowered");
    let many = "steps.many.items";
    let mut bad = Vec::new();
    for (source, said) in [
        ("'x' * 10**9".to_owned(), "EXPRESSION_FUEL"),
        ("item.Long * 100000".to_owned(), "EXPRESSION_FUEL"),
        ("('x' * 90000000) ~ ('x' * 90000000)".to_owned(), "EXPRESSION_FUEL"),
        ("[1] * 10**9".to_owned(), "too large"),
        ("[[1] * 10000] * 10000".to_owned(), "MAX"),
        ("[item.Long] * 10000".to_owned(), "RESULT_BYTES_MAX"),
        (
            format!("{many} | map(attribute='N') | select('in', {many} | map(attribute='N') | list) | list"),
            "EXPRESSION_FUEL",
        ),
        (format!("{many} | sort(attribute='N') | unique | reverse | list"), "EXPRESSION_FUEL"),
        (
            format!("[{}]", [many; 8].map(|items| format!("({items} | list | length)")).join(", ")),
            "EXPRESSION_FUEL",
        ),
        ("range(10**12)".to_owned(), "range"),
        ("10**10**10".to_owned(), ""),
        ("item.Long is matches('(a|aa|a*)*b(a+)+$')".to_owned(), "false"),
        ("item.Long is matches('((a{99}){99}){99}')".to_owned(), "REGEX_BYTES_MAX"),
        (format!("{}1{}", "[".repeat(24), "]".repeat(24)), "1"),
        ("not ".repeat(500) + "true", "true"),
        ("1 if ".repeat(400), "not an expression"),
        ("1 if true else ".repeat(250) + "1", "1"),
        ("-".repeat(4_000) + "1", "EXPRESSION_OPERATORS_MAX"),
        ("1**".repeat(1_300) + "1", "EXPRESSION_OPERATORS_MAX"),
        ("1 + ".repeat(1_000) + "1", "EXPRESSION_OPERATORS_MAX"),
        ("item.List".to_owned() + &"[0:]".repeat(480), "1"),
        ("item.Long".to_owned() + &" | list".repeat(480) + " | length", "EXPRESSION_FUEL"),
    ] {
        let ended = evaluated(&source);
        let shown = ended.map_or_else(|message| message, |value| value.to_string());
        if !shown.contains(said) {
            bad.push(format!("{source:.80}: {shown:.200}"));
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
}
