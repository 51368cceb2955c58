//! What was published of other programs' locks that failed, told for ours: argo-workflows' semaphores, by issue number.
//! Each for the stores that it could happen to: the one of a host, and the one of Leases.

use std::sync::Arc;
use std::time::Duration;

use exorun::clocks::Clocks;
use exorun::rules::slots::Terms;
use exorun::session::{Session, SessionTimes, Wait};
use exorun::slots::{
    AccountKey, Ask, Attempt, Holder, KubernetesStore, LocalStore, Returned, SlotError, SlotLease, SlotStore,
};
use tokio_util::task::TaskTracker;

use crate::cluster::{Cluster, Link};
use crate::runs::RunError;
use crate::support::{Chance, House, Process, SHORT, StoreAct, StoreOp, account, paused_clocks, run};
use crate::trace::Trace;
use crate::weather::Outage;

const SLOTS: u32 = 3;

/// A place for slots, and a way to come to it anew, as a process that has just started does.
struct Stand {
    clocks: Clocks,
    place: Place,
}

enum Place {
    Folder(tempfile::TempDir),
    Cluster(Cluster, Outage),
}

impl Stand {
    fn all() -> [Stand; 2] {
        let (clocks, outage) = (paused_clocks(), Outage::default());
        let own = Clocks::simulated(Duration::ZERO, clocks.wall(), 1.0);
        let times = SHORT.slots();
        let cluster = Cluster::new(clocks.clone(), own, outage.clone(), times, Trace::default());
        cluster.calm();
        let folder = tempfile::tempdir().unwrap();
        [Place::Folder(folder), Place::Cluster(cluster, outage)]
            .map(|place| Stand { clocks: clocks.clone(), place })
    }

    /// The store as a process that has just started sees it.
    fn anew(&self) -> Arc<dyn SlotStore> {
        let (times, clocks) = (SHORT.slots(), self.clocks.clone());
        match &self.place {
            Place::Folder(folder) => {
                Arc::new(LocalStore::new(folder.path().to_owned(), SLOTS, times, clocks).unwrap())
            }
            Place::Cluster(cluster, _) => {
                let link = Link::new(cluster.clone(), Process::new(), Chance::new(1));
                let (namespace, pod) = ("exorun".to_owned(), "a-pod".to_owned());
                Arc::new(KubernetesStore::new(Arc::new(link), namespace, SLOTS, times, clocks, pod))
            }
        }
    }
}

fn holder(name: &str) -> Holder {
    Holder { run_id: name.into(), job: "a-job".into(), connection_id: format!("connection-{name}") }
}

async fn attempt(store: &Arc<dyn SlotStore>, account: &AccountKey, name: &str) -> Option<Box<dyn SlotLease>> {
    loop {
        match store.attempt(account, &holder(name), Ask::InPassing).await.unwrap() {
            Attempt::Lease(lease) => return Some(lease),
            // On the first use the Leases are made; whoever comes next finds them.
            Attempt::Busy(busy) if busy.held + busy.quarantined == 0 => {}
            Attempt::Busy(_) => return None,
        }
    }
}

/// #10286: when the controller started anew, the first holder of each semaphore was forgotten.
#[tokio::test(start_paused = true)]
async fn argo_10286_who_starts_anew_sees_every_holder_the_first_included() {
    for stand in Stand::all() {
        let store = stand.anew();
        let mut held = Vec::new();
        for number in 1..=SLOTS {
            held.push(attempt(&store, &account(), &format!("h{number}")).await.unwrap());
            // Each time by eyes that have seen nothing yet.
            let anew = stand.anew();
            let listed = anew.list(Some(&account())).await.unwrap();
            assert_eq!(listed[0].slots.len(), held.len(), "{listed:?}");
        }
        assert!(attempt(&stand.anew(), &account(), "one too many").await.is_none());
    }
}

/// #16772: a holder that ended while the store was away stood there for ever.
#[tokio::test(start_paused = true)]
async fn argo_16772_a_holder_that_ends_while_the_store_is_away_does_not_stay() {
    for stand in Stand::all() {
        let store = stand.anew();
        let mut held = Vec::new();
        for number in 1..=SLOTS {
            held.push(attempt(&store, &account(), &format!("h{number}")).await.unwrap());
        }
        match &stand.place {
            // The folder cannot be written to for a moment: it is another file there.
            Place::Folder(folder) => {
                let (path, away) = (folder.path().to_owned(), folder.path().with_extension("away"));
                std::fs::rename(&path, &away).unwrap();
                for lease in held {
                    assert!(lease.give_back(Returned::Free).await.is_err());
                }
                std::fs::rename(&away, &path).unwrap();
            }
            Place::Cluster(_, outage) => {
                outage.begin();
                for lease in held {
                    assert!(lease.give_back(Returned::Free).await.is_err());
                }
                outage.end(stand.clocks.boot());
            }
        }
        let (began, Terms { lease, quarantine }) = (stand.clocks.boot(), SHORT.terms());
        let store = stand.anew();
        while attempt(&store, &account(), "later").await.is_none() {
            stand.clocks.sleep(Duration::from_millis(250)).await;
        }
        // By the server's clock of whole seconds, read every quarter of one.
        let bound = lease + quarantine + Duration::from_secs(3);
        assert!(stand.clocks.boot().since(began) <= bound, "{:?}", stand.clocks.boot().since(began));
    }
}

/// #17013: a waiter that ended with an error stayed in the line, before all who came later.
#[tokio::test(start_paused = true)]
async fn argo_17013_a_waiter_that_ends_with_an_error_is_not_in_the_line() {
    let house = House::with(1, SessionTimes { patience: Duration::from_secs(3600), ..SHORT });
    let first = house.store.of(&Process::new());
    let Attempt::Lease(held) = first.attempt(&account(), &holder("first"), Ask::InPassing).await.unwrap()
    else {
        panic!("it is free");
    };
    let mut looks = 0;
    house.store.script(move |op| {
        looks += u32::from(op == StoreOp::Attempt);
        if looks == 3 && op == StoreOp::Attempt { StoreAct::Fail } else { StoreAct::Take(Duration::ZERO) }
    });
    let work = async |_: &mut Session| -> Result<(), RunError> { panic!("there is none") };
    let label = run("waiter");
    let waits = house.sessions.with_session(&label, Wait::UpTo(Duration::from_secs(60)), work);
    assert!(waits.await.is_err());
    assert_eq!(house.store.waiting(), 0);
    drop(held);
}

/// #7633: terminated, a workflow kept its lock, and one that waited kept its place.
#[tokio::test(start_paused = true)]
async fn argo_7633_what_is_cut_short_keeps_neither_slot_nor_place() {
    let house = Arc::new(House::with(1, SHORT));
    let tracker = TaskTracker::new();
    let begin = |name: &'static str| {
        let house = house.clone();
        tracker.spawn(async move {
            let work = async |_: &mut Session| -> Result<(), RunError> { std::future::pending().await };
            house.sessions.with_session(&run(name), Wait::UpTo(Duration::from_secs(3600)), work).await.is_ok()
        })
    };
    let holds = begin("holds");
    house.clocks.sleep(Duration::from_secs(1)).await;
    let waits = begin("waits");
    house.clocks.sleep(Duration::from_secs(1)).await;
    assert_eq!((house.store.in_use(), house.store.waiting()), ((1, 0), 1));
    waits.abort();
    holds.abort();
    house.clocks.sleep(Duration::from_secs(1)).await;
    assert_eq!((house.store.in_use(), house.store.waiting()), ((0, 0), 0));
    assert_eq!(house.service.live(), 0);
}

/// #8684: acquire and release named the holder in two formats, so that nothing was released.
#[tokio::test(start_paused = true)]
async fn argo_8684_an_account_and_a_holder_have_one_spelling() {
    let AccountKey { cloud, tenant_id, object_id } = account();
    let shouted = AccountKey {
        cloud: cloud.to_uppercase(),
        tenant_id: "AAAAAAAA-2222-3333-4444-555555555555".to_owned(),
        object_id,
    };
    let said = AccountKey { cloud, tenant_id: shouted.tenant_id.to_lowercase(), ..shouted.clone() };
    assert_ne!(tenant_id, said.tenant_id);
    for stand in Stand::all() {
        let store = stand.anew();
        let mut held = Vec::new();
        for number in 1..=SLOTS {
            let account = if number % 2 == 0 { &shouted } else { &said };
            held.push(attempt(&store, account, &format!("h{number}")).await.unwrap());
        }
        assert!(attempt(&store, &shouted, "late").await.is_none());
        // Each is given back by a renewed lease, and found free under both spellings.
        let mut lease = held.remove(0);
        lease.renew(Duration::ZERO).await.unwrap();
        lease.give_back(Returned::Free).await.unwrap();
        let again = attempt(&stand.anew(), &shouted, "again").await.unwrap();
        let lost = again.give_back(Returned::Free).await;
        assert!(!matches!(lost, Err(SlotError::Lost { .. })), "{lost:?}");
        assert!(attempt(&stand.anew(), &said, "and again").await.is_some());
    }
}
