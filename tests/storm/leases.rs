//! Real processes whose slots are Leases: what they are started with, and one of them stopped past its lease.

use std::path::PathBuf;
use std::sync::Arc;

use exorun::clocks::Clocks;
use exorun::slots::{KubernetesStore, SlotStore, kubernetes};
use rustix::process::Signal;

use crate::lease_server::LeaseServer;
use crate::program::{Tenant, ended, signal};
use crate::seats::JOB;
use crate::{SLOTS, TURN, tenant, times};

const TOKEN: &str = "first-token";

/// The stand-in for an API server.
pub(crate) struct Leases {
    _server: LeaseServer,
    kubeconfig: PathBuf,
}

impl Leases {
    pub(crate) async fn start(tenant: &Tenant) -> Leases {
        let (server, kubeconfig) = (LeaseServer::start(Clocks::system()).await, tenant.path("kubeconfig"));
        std::fs::write(&kubeconfig, server.kubeconfig(TOKEN)).unwrap();
        Leases { _server: server, kubeconfig }
    }

    pub(crate) fn settings(&self) -> [(&'static str, String); 2] {
        let kubeconfig = self.kubeconfig.to_str().unwrap().to_owned();
        [("EXORUN_SLOT_STORE", "kubernetes".to_owned()), ("EXORUN_KUBECONFIG", kubeconfig)]
    }

    /// The store as somebody sees it who only looks.
    pub(crate) async fn store(&self) -> Arc<dyn SlotStore> {
        let api = Arc::new(kubernetes::connect(Some(&self.kubeconfig), None).await.unwrap());
        let (namespace, clocks) = ("jobs".to_owned(), Clocks::system());
        Arc::new(KubernetesStore::new(api, namespace, SLOTS, times(), clocks, "watcher".to_owned()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_was_stopped_past_its_lease_finds_it_lost_and_says_so() {
    let _turn = TURN.lock().await;
    let tenant = tenant().await;
    let leases = Leases::start(&tenant).await;
    let job = tenant.path("job.yaml");
    std::fs::write(&job, JOB.replace("NAME", "stopped").replace("SESSIONS", "1")).unwrap();
    let start = || {
        let mut command = tenant.exorun(&["run", job.to_str().unwrap(), "--session-limit", "1"]);
        command.envs(leases.settings()).spawn().unwrap()
    };
    let stopped = start();
    tenant.calls("Set-Mailbox", 2).await;
    signal(&stopped, Signal::STOP);
    // Only the other's eyes and patience end the lease; it gets the only slot then.
    let other = start();
    tenant.until("the other's session", |counters| counters.sessions.opened >= 2).await;
    signal(&stopped, Signal::CONT);
    let stopped = ended(stopped).await;
    assert!(
        matches!(stopped.code, Some(1 | 3)),
        "{:?}\n{}\n{}",
        stopped.code,
        stopped.stdout,
        stopped.stderr
    );
    let said = format!("{}{}", stopped.stdout, stopped.stderr);
    assert!(said.contains("lease is lost"), "{said}");
    ended(other).await.assert_code(0);
    let sessions = tenant.emulator.counters().sessions;
    assert_eq!((sessions.peak_of_one_account, sessions.refused), (1, 0), "{sessions:?}");
}
