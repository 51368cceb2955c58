//! A server, and the jobs that it serves.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use exorun::history::{ListedOccurrence, OccurrenceFilter, Paging, Reader, RunFilter, RunRecord};
use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::program::{Tenant, signal};

/// Nothing in these tests takes longer; what does hangs.
const HANG: Duration = Duration::from_secs(30);

/// A job that reads mailboxes when it is due.
pub(crate) fn job(name: &str, schedule: &str, more: &str) -> String {
    format!(
        "version: 1\nname: {name}\ntenant: contoso.onmicrosoft.com\nenvironment: O365Default\nauth:\n  \
         method: client_secret\n  client_id: 11111111-2222-3333-4444-555555555555\n  credential:\n    \
         env: EXORUN_CLIENT_SECRET\nservice: ExchangeOnline\nschedules:\n  - {schedule}\n{more}steps:\n  \
         - name: look\n    cmdlet: Get-Mailbox\n    parameters:\n      ResultSize: 10\n"
    )
}

/// A job that changes mailboxes one by one, which takes as long as the tenant is large.
pub(crate) fn long_job(name: &str, schedule: &str, more: &str) -> String {
    let read = job(name, schedule, more);
    let head = read.split_once("steps:\n").unwrap().0;
    format!(
        "{head}steps:\n  - name: shared\n    cmdlet: Get-EXOMailbox\n    parameters:\n      ResultSize: Unlimited\n  \
         - name: harden\n    for_each: steps.shared.items\n    ensure: CASMailbox\n    \
         identity: ${{{{ item.ExternalDirectoryObjectId }}}}\n    properties:\n      PopEnabled: false\n"
    )
}

pub(crate) fn write(tenant: &Tenant, file: &str, text: &str) {
    std::fs::create_dir_all(tenant.path("jobs")).unwrap();
    // Renamed into its place, as whatever syncs files does it.
    let new = tenant.path("jobs").join(".new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(new, tenant.path("jobs").join(file)).unwrap();
}

pub(crate) fn command(tenant: &Tenant, more: &[&str]) -> Command {
    let mut arguments = vec!["serve", "jobs"];
    arguments.extend(more);
    let mut command = tenant.exorun(&arguments);
    command
        .env("EXORUN_ADMIN_ADDRESS", "off")
        .env("EXORUN_RELOAD_INTERVAL", "200ms")
        .env("EXORUN_HISTORY", tenant.path("history.sqlite"));
    command
}

/// A server that runs; everything it says is kept.
pub(crate) struct Server {
    pub(crate) child: Child,
    said: Arc<Mutex<String>>,
    reading: tokio::task::JoinHandle<()>,
}

impl Server {
    pub(crate) fn start(command: &mut Command) -> Server {
        let mut child = command.spawn().unwrap();
        let said: Arc<Mutex<String>> = Arc::default();
        let (lines, kept) = (child.stderr.take().unwrap(), Arc::clone(&said));
        let reading = tokio::spawn(async move {
            let mut lines = BufReader::new(lines).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                kept.lock().unwrap().push_str(&format!("{line}\n"));
            }
        });
        Server { child, said, reading }
    }

    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    pub(crate) async fn says(&self, words: &str) {
        let waited = tokio::time::timeout(HANG, async {
            while !self.said().contains(words) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        assert!(waited.await.is_ok(), "waited in vain for `{words}`:\n{}", self.said());
    }

    pub(crate) fn signal(&self, what: Signal) {
        signal(&self.child, what);
    }

    /// Its exit code and everything it said.
    pub(crate) async fn ended(mut self) -> (Option<i32>, String) {
        let status = tokio::time::timeout(HANG, self.child.wait()).await.expect("the server hangs").unwrap();
        self.reading.await.unwrap();
        let said = self.said.lock().unwrap().clone();
        (status.code(), said)
    }

    /// Asked to stop, and ended.
    pub(crate) async fn stopped(self) -> (Option<i32>, String) {
        self.signal(Signal::TERM);
        self.ended().await
    }
}

fn reader(tenant: &Tenant) -> Reader {
    Reader::open(&tenant.path("history.sqlite")).unwrap()
}

pub(crate) fn runs(tenant: &Tenant) -> Vec<RunRecord> {
    reader(tenant).runs(&RunFilter::default(), Paging { limit: 1000, after: None }).unwrap().items
}

pub(crate) fn occurrences(tenant: &Tenant) -> Vec<ListedOccurrence> {
    reader(tenant)
        .occurrences(&OccurrenceFilter::default(), Paging { limit: 1000, after: None })
        .unwrap()
        .items
}
