//! Places for processes: when one has ended, the next is started there.

use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::program::{CLIENT_SECRET, Tenant};

/// Waiting behind the others included, a run takes a part of this; what takes more hangs.
const HANG: Duration = Duration::from_secs(600);

pub(crate) const JOB: &str = "version: 1
name: NAME
description: A run in a storm.
tenant: contoso.onmicrosoft.com
environment: O365Default
auth:
  method: client_secret
  client_id: 11111111-2222-3333-4444-555555555555
  credential:
    env: EXORUN_CLIENT_SECRET
service: ExchangeOnline
limits:
  max_sessions: SESSIONS
steps:
  - name: some
    cmdlet: Get-Mailbox
    parameters:
      ResultSize: 10
    select: [ExternalDirectoryObjectId]
  - name: write
    for_each: steps.some.items
    cmdlet: Set-Mailbox
    parameters:
      Identity: ${{ item.ExternalDirectoryObjectId }}
      CustomAttribute1: x
";

/// What was done to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Harm {
    None,
    Killed,
    /// Stopped for longer than a lease, then let go on.
    Stopped,
    /// SIGTERM.
    Asked,
}

/// How a process ended.
pub(crate) struct Outcome {
    seat: String,
    pub(crate) harm: Harm,
    code: Option<i32>,
    signal: Option<i32>,
    said: String,
}

impl Outcome {
    /// What it was and what it said, for a test that fails.
    pub(crate) fn tell(&self) -> String {
        let Outcome { seat, harm, code, signal, said } = self;
        format!("{seat}, {harm:?}: code {code:?}, signal {signal:?}\n{said}")
    }

    pub(crate) fn is_allowed(&self) -> bool {
        match (self.harm, self.code, self.signal) {
            // Whatever is done to a process, it may have ended just before.
            (_, Some(0), _) => true,
            (Harm::None, ..) => false,
            (Harm::Killed, code, signal) => code.is_none() && signal == Some(Signal::KILL.as_raw()),
            // The call in hand was cut short, or its lease was lost; at least its sign-in timed out.
            (Harm::Stopped, code, _) => matches!(code, Some(1 | 3)),
            // It has not listened yet when it was asked, or it has.
            (Harm::Asked, code, signal) => code == Some(75) || signal == Some(Signal::TERM.as_raw()),
        }
    }
}

struct Seat {
    /// Names the process for good, unlike its number.
    process: Option<Arc<OwnedFd>>,
    harm: Harm,
}

/// The places, by number.
#[derive(Clone)]
pub(crate) struct Seats(Arc<Mutex<Vec<Seat>>>);

impl Seats {
    pub(crate) fn new(count: usize) -> Seats {
        let seats = (0..count).map(|_| Seat { process: None, harm: Harm::None }).collect();
        Seats(Arc::new(Mutex::new(seats)))
    }

    /// The job's name of a seat's processes; it stands in the slot's record.
    pub(crate) fn name(number: usize) -> String {
        format!("seat-{number:02}")
    }

    /// Whose seat a job's name says.
    pub(crate) fn number(name: &str) -> Option<usize> {
        name.strip_prefix("seat-")?.parse().ok()
    }

    /// Sends `signal` to a seat's process, if there is one and nothing was done to it yet.
    pub(crate) fn harm(&self, number: usize, harm: Harm, signal: Signal) -> Option<Arc<OwnedFd>> {
        let mut seats = self.0.lock().unwrap();
        let seat = &mut seats[number];
        let process = seat.process.clone().filter(|_| seat.harm == Harm::None)?;
        pidfd_send_signal(&process, signal).ok()?;
        seat.harm = harm;
        Some(process)
    }

    /// Keeps every seat taken up to `ends`, and waits for the last processes.
    pub(crate) async fn fill(
        &self,
        tenant: &Tenant,
        settings: &[(&str, String)],
        ends: Instant,
    ) -> Vec<Outcome> {
        let count = self.0.lock().unwrap().len();
        let seats = (0..count).map(|number| self.fill_one(number, tenant, settings, ends));
        futures_util::future::join_all(seats).await.into_iter().flatten().collect()
    }

    async fn fill_one(
        &self,
        number: usize,
        tenant: &Tenant,
        settings: &[(&str, String)],
        ends: Instant,
    ) -> Vec<Outcome> {
        let name = Seats::name(number);
        let file = tenant.path(&format!("{name}.yaml"));
        let sessions = if number.is_multiple_of(2) { "2" } else { "1" };
        std::fs::write(&file, JOB.replace("NAME", &name).replace("SESSIONS", sessions)).unwrap();
        let mut outcomes = Vec::new();
        while Instant::now() < ends {
            let mut command = tenant.exorun(&["run", file.to_str().unwrap(), "--session-wait", "10m"]);
            let child = command.envs(settings.iter().cloned()).spawn().unwrap();
            let pid = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
            let process = Arc::new(pidfd_open(pid, PidfdFlags::empty()).unwrap());
            self.0.lock().unwrap()[number] = Seat { process: Some(process), harm: Harm::None };
            let output = tokio::time::timeout(HANG, child.wait_with_output()).await;
            let output = output.unwrap_or_else(|_| panic!("{name} hangs")).unwrap();
            let mut said = String::from_utf8(output.stdout).unwrap();
            said.push_str(&String::from_utf8(output.stderr).unwrap());
            assert!(!said.contains(CLIENT_SECRET), "the secret is in the output");
            let ended = Seat { process: None, harm: Harm::None };
            let harm = std::mem::replace(&mut self.0.lock().unwrap()[number], ended).harm;
            let (code, signal) = (output.status.code(), output.status.signal());
            outcomes.push(Outcome { seat: name.clone(), harm, code, signal, said });
        }
        outcomes
    }
}
