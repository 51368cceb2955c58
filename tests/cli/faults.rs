//! Every fault that the protocol reference names (section 9), each through a real run of one job: a listing of two
//! pages, an `ensure` over what it found, and one plain write. The fault meets the first page, the `ensure`'s second
//! write and the plain write. The emulator's record is the witness of what was done and how often.

use std::collections::BTreeMap;

use exorun::emulator::{Compression, Options};
use serde_json::{Value, json};

use super::program::{Tenant, fault, requests};
use super::write_log;

const STEPS: &str = "  - name: some
    cmdlet: Get-CASMailbox
    parameters:
      ResultSize: 7
    select: [ExternalDirectoryObjectId]
  - name: office
    for_each: steps.some.items
    ensure: Mailbox
    identity: ${{ item.ExternalDirectoryObjectId }}
    properties:
      CustomAttribute1: x
    on_error: continue
  - name: plain
    for_each: steps.some.items
    when: item_index == 0
    cmdlet: Set-CASMailbox
    parameters:
      Identity: ${{ item.ExternalDirectoryObjectId }}
      OWAEnabled: false
    on_error: continue
";

/// Reads that `ensure` needs for seven objects when nothing goes wrong: before and after each write.
const READS: u64 = 14;

struct Row {
    name: &'static str,
    faults: Vec<String>,
    compression: Compression,
    seen: Seen,
    /// What the log says of it.
    words: &'static str,
}

/// What a run came to, in the columns of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    exit: i32,
    /// Requests for the listing.
    listed: u64,
    /// Repeats that the report counts, over all steps.
    retries: u64,
    /// Objects of `ensure`.
    changed: u64,
    failed: u64,
    /// Whether `ensure` read more often than it has to.
    reread: bool,
    /// How the plain write ended, by the write log.
    plain: &'static str,
    /// Lines of the write log that say `unknown`.
    doubt: usize,
    /// Requests that write, as the emulator has them.
    sent: u64,
    /// Tokens that were fetched.
    tokens: u64,
}

/// A run in which nothing goes wrong.
const FINE: Seen = Seen {
    exit: 0,
    listed: 2,
    retries: 0,
    changed: 7,
    failed: 0,
    reread: false,
    plain: "done",
    doubt: 0,
    sent: 8,
    tokens: 1,
};

/// The listing is asked for again; both writes may have been done or not: `ensure` looks and goes on, the plain write
/// stays in doubt and is not repeated. Here neither was done.
const LOST: Seen =
    Seen { exit: 3, listed: 3, retries: 1, reread: true, plain: "in doubt", doubt: 2, sent: 9, ..FINE };

/// The same, but the writes had been done: nothing is sent again.
const DONE_UNSEEN: Seen = Seen { sent: 8, reread: false, ..LOST };

/// The listing fails, and nothing is done with what did not come.
const NO_LISTING: Seen = Seen { exit: 1, listed: 1, changed: 0, plain: "not tried", sent: 0, ..FINE };

/// The first challenge is answered by a token that was asked for with its claims, and that one meets no other.
const CHALLENGED: Seen = Seen { listed: 3, tokens: 2, ..FINE };

/// Two writes are refused for certain.
const REFUSED: Seen = Seen { exit: 3, changed: 6, failed: 1, plain: "failed", ..FINE };

/// `kind` at the listing's first page, at the second write of `ensure` and at the plain write.
fn everywhere(kind: &str) -> Vec<String> {
    ["cmdlet=Get-CASMailbox:nth=1", "cmdlet=Set-Mailbox:nth=2", "cmdlet=Set-CASMailbox:nth=1"]
        .map(|place| format!("{kind}:{place}"))
        .into()
}

/// As [`everywhere`], but for the listing.
fn at_writes(kind: &str) -> Vec<String> {
    everywhere(kind).split_off(1)
}

/// Names of the service's exceptions that pass by themselves. Source: protocol reference, 3.10.
const TRANSIENT: [&str; 6] = [
    "ADTransientException",
    "SuitabilityDirectoryException",
    "DCOverloadedException",
    "ServerInMMException",
    "ADServerSettingsChangedException",
    "StorageTransientException",
];

fn rows() -> Vec<Row> {
    let row = |name, faults, seen, words| Row { name, faults, compression: Compression::Gzip, seen, words };
    let bad_page = vec!["badpage:cmdlet=Get-CASMailbox:nth=2".to_owned()];
    let throttled = Seen { listed: 3, retries: 3, sent: 10, ..FINE };
    let mut rows = vec![
        row("no fault", Vec::new(), FINE, "outcome=done"),
        row("429, Retry-After: 0.3", everywhere("429:retry_after=0.3"), throttled, "trying again in 300"),
        row("concurrency told by text", everywhere("concurrency"), throttled, "concurrent requests"),
        row("proxying between versions", everywhere("proxy"), LOST, "CmdletProxyException"),
        row("claims challenge", everywhere("cae"), CHALLENGED, "outcome=done"),
        row("503", everywhere("503"), LOST, "transient (HTTP 503)"),
        row("504", everywhere("504"), LOST, "transient (HTTP 504)"),
        row("502, HTML", everywhere("html502"), LOST, "an HTML page came instead of an answer"),
        row("slow beyond the time-out", everywhere("slow:ms=60000"), LOST, "timeout"),
        row("slow after the commit", everywhere("slow_after_commit:ms=60000"), DONE_UNSEEN, "timeout"),
        row("reset before the commit", everywhere("reset"), LOST, "connection"),
        row("reset after the commit", everywhere("reset_after_commit"), DONE_UNSEEN, "connection"),
        row("stale reads", everywhere("stale:seconds=1"), Seen { reread: true, ..FINE }, "outcome=done"),
        row("truncated JSON", everywhere("truncate"), DONE_UNSEEN, "protocol (HTTP 200)"),
        row("403, NUL bytes: writes", at_writes("nul403"), REFUSED, "forbidden (HTTP 403)"),
        row("403, NUL bytes: listing", everywhere("nul403"), NO_LISTING, "forbidden (HTTP 403)"),
        row("expired page", bad_page, Seen { listed: 4, retries: 1, ..FINE }, "listing again from the start"),
        row("401", everywhere("401"), Seen { listed: 3, sent: 10, tokens: 4, ..FINE }, "outcome=done"),
        row("@adminapi.errors: writes", at_writes("errors:text=half of it"), REFUSED, "half of it"),
        row(
            "@adminapi.errors: listing",
            everywhere("errors:text=half of it"),
            Seen { listed: 2, ..NO_LISTING },
            "half of it",
        ),
    ];
    let exceptions =
        TRANSIENT.map(|name| row(name, everywhere(&format!("500:exception={name}")), LOST, name));
    rows.extend(exceptions);
    let plain = |row| Row { compression: Compression::Off, ..row };
    rows.push(plain(row("gzip off", Vec::new(), FINE, "outcome=done")));
    rows.push(plain(row(
        "truncated JSON, gzip off",
        everywhere("truncate"),
        DONE_UNSEEN,
        "the answer ended",
    )));
    rows
}

fn faults_of(request: &Value) -> Vec<&str> {
    request["faults"].as_array().unwrap().iter().filter_map(Value::as_str).collect()
}

/// How often the emulator carried out each write, by cmdlet and object.
fn committed(requests: &Value) -> BTreeMap<(String, String), u64> {
    let mut done = BTreeMap::new();
    for request in requests.as_array().unwrap() {
        let Some(what) = request["what"].as_str().filter(|what| what.starts_with("Set-")) else { continue };
        let after =
            |fault: &&str| fault.starts_with("ResetAfterCommit") || fault.starts_with("SlowAfterCommit");
        if request["status"] == 200 || faults_of(request).iter().any(after) {
            let object = request["body"]["CmdletInput"]["Parameters"]["Identity"].as_str().unwrap();
            *done.entry((what.to_owned(), object.to_owned())).or_default() += 1;
        }
    }
    done
}

/// Objects whose write may or may not have been done, and that were written again, or left, without a look at them.
fn not_looked_at(requests: &Value) -> Vec<String> {
    let mut doubtful: BTreeMap<&str, bool> = BTreeMap::new();
    let mut wrong = Vec::new();
    for request in requests.as_array().unwrap() {
        let Some(object) = request["body"]["CmdletInput"]["Parameters"]["Identity"].as_str() else {
            continue;
        };
        match request["what"].as_str().unwrap() {
            "Set-Mailbox" => {
                if doubtful.get(object) == Some(&true) {
                    wrong.push(object.to_owned());
                }
                let met = |kind: &str| faults_of(request).iter().any(|fault| fault.starts_with(kind));
                // Too many at once is said before anything is done, whatever status it is said with.
                let certain =
                    matches!(request["status"].as_u64(), Some(200 | 401 | 403 | 429)) || met("Concurrency");
                let certain = certain && !met("Truncate");
                doubtful.insert(object, !certain);
            }
            "Get-Mailbox" => {
                doubtful.insert(object, false);
            }
            _ => {}
        }
    }
    wrong.extend(doubtful.into_iter().filter(|(_, in_doubt)| *in_doubt).map(|(object, _)| object.to_owned()));
    wrong
}

/// Runs the job under a row's faults; also what there is to say if that was wrong.
async fn run(row: &Row) -> (Seen, Vec<String>) {
    let faults = row.faults.iter().map(|spec| fault(spec)).collect();
    let options = Options { mailboxes: 12, faults, compression: row.compression, ..Options::default() };
    let tenant = Tenant::start(options).await;
    let job = tenant.job("", STEPS);
    let (run, report) = tenant.reported(&job, &["--page-size", "5", "--call-timeout", "1s"]).await;
    tenant.assert_all_closed();
    let (counters, recorded) = (tenant.emulator.counters(), tenant.emulator.requests());
    let steps = report["steps"].as_array().unwrap();
    let of = |step: usize, what: &str| steps.get(step).map_or(0, |step| step[what].as_u64().unwrap());
    let log = write_log(&run.stderr);
    let plain: Vec<&&str> = log.iter().filter(|line| line.contains("cmdlet=Set-CASMailbox")).collect();
    let plain = match plain.as_slice() {
        [] => "not tried",
        [line] if line.contains("outcome=done") => "done",
        [line] if line.contains("outcome=unknown") => "in doubt",
        [_] => "failed",
        _ => "several",
    };
    let seen = Seen {
        exit: run.code.unwrap(),
        listed: requests(&counters, "Get-CASMailbox"),
        retries: (0..3).map(|step| of(step, "retries")).sum(),
        changed: of(1, "changed"),
        failed: of(1, "failed"),
        reread: requests(&counters, "Get-Mailbox") > READS,
        plain,
        doubt: log.iter().filter(|line| line.contains("outcome=unknown")).count(),
        sent: requests(&counters, "Set-Mailbox") + requests(&counters, "Set-CASMailbox"),
        tokens: requests(&counters, "token"),
    };
    let mut wrong = Vec::new();
    let done = committed(&recorded);
    if done.values().any(|times| *times > 1) {
        wrong.push(format!("written more than once: {done:?}"));
    }
    let changed = done.keys().filter(|(what, _)| what == "Set-Mailbox").count() as u64;
    // What reports errors in a good answer was done in part, and is not called changed.
    if changed != seen.changed && !row.name.starts_with("@adminapi.errors") {
        wrong.push(format!("{changed} objects were changed, the report says {}", seen.changed));
    }
    let unseen = not_looked_at(&recorded);
    if !unseen.is_empty() {
        wrong.push(format!("in doubt and not looked at: {unseen:?}"));
    }
    if !run.stderr.contains(row.words) {
        wrong.push(format!("the log does not say `{}`", row.words));
    }
    if seen != row.seen {
        wrong.push(format!("expected {:?}", row.seen));
    }
    if !wrong.is_empty() {
        wrong.push(format!("{report:#}\n{}", run.stderr));
    }
    (seen, wrong)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_the_reference_ends_as_the_table_says() {
    println!(
        "{:32} exit listed retries changed failed reread plain      in-doubt sent tokens",
        "fault (sessions are all closed)"
    );
    let mut wrong = Vec::new();
    let rows = rows();
    for some in rows.chunks(4) {
        let runs = futures_util::future::join_all(some.iter().map(run)).await;
        for (row, (seen, problems)) in some.iter().zip(runs) {
            let Seen { exit, listed, retries, changed, failed, reread, plain, doubt, sent, tokens } = seen;
            println!(
                "{:32} {exit:4} {listed:6} {retries:7} {changed:7} {failed:6} {reread:6} {plain:10} {doubt:8} {sent:4} {tokens:6}",
                row.name
            );
            if !problems.is_empty() {
                wrong.push(format!("{}: {seen:?}\n{}", row.name, problems.join("\n")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn the_witness_sees_what_is_written_twice_or_unread() {
    let request = |what: &str, status: Option<u16>, faults: &[&str]| {
        json!({"what": what, "status": status, "faults": faults,
            "body": {"CmdletInput": {"Parameters": {"Identity": "a"}}}})
    };
    let lost = || request("Set-Mailbox", None, &["ResetAfterCommit"]);
    let read = || request("Get-Mailbox", Some(200), &[]);
    let again = || request("Set-Mailbox", Some(200), &[]);
    let twice = json!([lost(), read(), again()]);
    assert_eq!(committed(&twice).into_values().collect::<Vec<_>>(), [2]);
    assert_eq!(not_looked_at(&twice), [""; 0]);
    assert_eq!(not_looked_at(&json!([lost(), again()])), ["a"]);
    assert_eq!(not_looked_at(&json!([read(), lost()])), ["a"]);
    assert_eq!(not_looked_at(&json!([request("Set-Mailbox", Some(200), &["Truncate"])])), ["a"]);
}
