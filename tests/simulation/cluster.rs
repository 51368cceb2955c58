//! An API server in memory that keeps Leases as the real one does, and the network between it and a process.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use exorun::clocks::Clocks;
use exorun::rules::slots::Terms;
use exorun::rules::slots::opens::Budget;
use exorun::rules::time::BootTime;
use exorun::slots::SlotTimes;
use exorun::slots::kubernetes::{Answer, ApiError, LeaseApi};
use k8s_openapi::api::coordination::v1::Lease;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use crate::support::{Chance, Process, Records};
use crate::trace::Trace;
use crate::weather::Outage;

/// `holderIdentity` of a slot that nobody has.
const QUARANTINED: &str = "quarantined";

type Applied<T> = Result<T, ApiError>;

#[derive(Clone)]
pub(crate) struct Cluster(Arc<Server>);

struct Server {
    /// The true time.
    clocks: Clocks,
    /// The server's own, which the `Date` of its answers shows.
    own: Clocks,
    objects: Mutex<Objects>,
    outage: Outage,
    opens: Budget,
    lease: Duration,
    trace: Trace,
    tasks: TaskTracker,
    is_calm: AtomicBool,
}

#[derive(Default)]
struct Objects {
    leases: BTreeMap<String, Lease>,
    /// When a holder last wrote to a slot.
    held: BTreeMap<String, BootTime>,
    versions: u64,
    takes: Vec<BootTime>,
    broken: Vec<String>,
}

impl Cluster {
    pub(crate) fn new(
        clocks: Clocks,
        own: Clocks,
        outage: Outage,
        times: SlotTimes,
        trace: Trace,
    ) -> Cluster {
        let SlotTimes { opens, terms: Terms { lease, .. }, .. } = times;
        let (objects, tasks) = (Mutex::default(), TaskTracker::new());
        let is_calm = AtomicBool::new(false);
        Cluster(Arc::new(Server { clocks, own, objects, outage, opens, lease, trace, tasks, is_calm }))
    }

    /// From now on the network does what it should.
    pub(crate) fn calm(&self) {
        self.0.is_calm.store(true, Ordering::SeqCst);
    }

    /// Promises that were not kept.
    pub(crate) fn broken(&self) -> Vec<String> {
        self.0.objects.lock().unwrap().broken.clone()
    }

    /// Whether slot `number` is held under a lease that has not ended.
    pub(crate) fn is_used(&self, number: u32) -> bool {
        let (now, objects) = (self.0.clocks.boot(), self.0.objects.lock().unwrap());
        let end = format!("-{number}");
        objects.held.iter().any(|(name, written)| name.ends_with(&end) && now <= *written + self.0.lease)
    }
}

impl Records for Cluster {
    fn lease_ends(&self, connection_id: &str) -> Option<BootTime> {
        let objects = self.0.objects.lock().unwrap();
        let of_it = |lease: &&Lease| holder(lease).is_some_and(|holder| holder.ends_with(connection_id));
        let names = objects.leases.values().filter(of_it).filter_map(|lease| lease.metadata.name.as_ref());
        // A take that nobody heard of leaves a record under the same name, which nobody renews.
        let ends = names.filter_map(|name| objects.held.get(name)).map(|written| *written + self.0.lease);
        ends.max()
    }

    /// A holder's clock may be 1 % slow, and so it may think the lease to be longer.
    fn left_for_a_write(&self) -> Duration {
        self.0.lease * 48 / 100
    }
}

/// A Lease in a few words, without what is not in the seed.
fn told(lease: &Lease) -> String {
    let spec = lease.spec.clone().unwrap_or_default();
    let who = spec.holder_identity.map(|holder| holder.split('_').next().unwrap_or_default().to_owned());
    format!("{} for {} s", who.unwrap_or("free".to_owned()), spec.lease_duration_seconds.unwrap_or_default())
}

/// Who holds a slot by its Lease.
fn holder(lease: &Lease) -> Option<&str> {
    let holder = lease.spec.as_ref()?.holder_identity.as_deref()?;
    (holder != QUARANTINED).then_some(holder)
}

impl Server {
    fn store(&self, objects: &mut Objects, mut lease: Lease) -> Lease {
        let now = self.clocks.boot();
        let name = lease.metadata.name.clone().unwrap_or_default();
        let before = objects.leases.get(&name).and_then(holder).map(str::to_owned);
        objects.versions += 1;
        lease.metadata.resource_version = Some(objects.versions.to_string());
        self.trace.note(now, || format!("server: {name} is {}", told(&lease)));
        match holder(&lease) {
            Some(holder) => {
                if before.as_deref() != Some(holder) {
                    self.note_take(objects, now);
                }
                objects.held.insert(name.clone(), now);
            }
            None => drop(objects.held.remove(&name)),
        }
        objects.leases.insert(name, lease.clone());
        lease
    }

    /// Each take of a slot is an open of the budget, whoever takes it.
    fn note_take(&self, objects: &mut Objects, now: BootTime) {
        // The server's clock, which the budget goes by, may be 1 % fast.
        let window = self.opens.window * 98 / 100;
        objects.takes.retain(|take| now < *take + window);
        objects.takes.push(now);
        if self.opens.limit < objects.takes.len() as u32 {
            let text = format!("{} opens in a window at {}", objects.takes.len(), now.as_millis());
            objects.broken.push(text);
        }
    }

    fn list(&self, selector: &str) -> Applied<Vec<Lease>> {
        let wanted: Vec<(&str, &str)> = selector.split(',').filter_map(|pair| pair.split_once('=')).collect();
        let selected = |lease: &&Lease| {
            let labels = lease.metadata.labels.clone().unwrap_or_default();
            wanted.iter().all(|(key, value)| labels.get(*key).is_some_and(|label| label == value))
        };
        Ok(self.objects.lock().unwrap().leases.values().filter(selected).cloned().collect())
    }

    fn get(&self, name: &str) -> Applied<Lease> {
        let objects = self.objects.lock().unwrap();
        objects.leases.get(name).cloned().ok_or_else(|| ApiError::NotFound(name.to_owned()))
    }

    fn create(&self, lease: &Lease) -> Applied<Lease> {
        let mut objects = self.objects.lock().unwrap();
        let name = lease.metadata.name.clone().unwrap_or_default();
        if objects.leases.contains_key(&name) {
            return Err(ApiError::AlreadyExists);
        }
        let mut lease = lease.clone();
        lease.metadata.uid = Some(format!("uid-{}", objects.versions));
        Ok(self.store(&mut objects, lease))
    }

    fn replace(&self, lease: &Lease) -> Applied<Lease> {
        let mut objects = self.objects.lock().unwrap();
        let name = lease.metadata.name.clone().unwrap_or_default();
        let Some(stored) = objects.leases.get(&name) else { return Err(ApiError::NotFound(name)) };
        let same = (&stored.metadata.uid, &stored.metadata.resource_version)
            == (&lease.metadata.uid, &lease.metadata.resource_version);
        if !same {
            return Err(ApiError::Conflict);
        }
        if stored == lease {
            return Ok(lease.clone());
        }
        Ok(self.store(&mut objects, lease.clone()))
    }

    fn delete(&self, name: &str, version: &str) -> Applied<()> {
        let mut objects = self.objects.lock().unwrap();
        let stored = objects.leases.get(name).ok_or_else(|| ApiError::NotFound(name.to_owned()))?;
        if stored.metadata.resource_version.as_deref() != Some(version) {
            return Err(ApiError::Conflict);
        }
        objects.leases.remove(name);
        objects.held.remove(name);
        Ok(())
    }
}

/// What becomes of a request on its way.
#[derive(Clone, Copy)]
enum Fate {
    Arrives,
    /// Sent again by the network, which nobody knows of, after the answer has gone.
    Twice(Duration),
    Lost,
    AnswerLost,
    /// Done, and answered with an error.
    DoneButFailed,
    Refused,
}

/// The network between one process and the server.
#[derive(Clone)]
pub(crate) struct Link {
    cluster: Cluster,
    process: Process,
    chance: Arc<Mutex<Chance>>,
    is_cut: Arc<Mutex<bool>>,
}

impl Link {
    pub(crate) fn new(cluster: Cluster, process: Process, chance: Chance) -> Link {
        Link { cluster, process, chance: Arc::new(Mutex::new(chance)), is_cut: Arc::default() }
    }

    /// While it is cut nothing arrives, neither there nor here.
    pub(crate) fn cut(&self, is_cut: bool) {
        *self.is_cut.lock().unwrap() = is_cut;
    }

    fn is_cut(&self) -> bool {
        *self.is_cut.lock().unwrap()
    }

    fn fate(&self) -> (Duration, Fate, Duration) {
        let mut chance = self.chance.lock().unwrap();
        if self.cluster.0.is_calm.load(Ordering::SeqCst) {
            return (chance.millis(20), Fate::Arrives, chance.millis(20));
        }
        let way = |chance: &mut Chance| match chance.next() % 100 {
            // Later than anybody waits for it.
            0 => chance.millis(3000),
            1..4 => chance.millis(900),
            _ => Duration::from_millis(1) + chance.millis(40),
        };
        let there = way(&mut chance);
        let fate = match chance.next() % 200 {
            0..2 => Fate::Lost,
            2..4 => Fate::AnswerLost,
            4..6 => Fate::Twice(chance.millis(4000)),
            6 => Fate::DoneButFailed,
            7..9 => Fate::Refused,
            _ => Fate::Arrives,
        };
        (there, fate, way(&mut chance))
    }

    /// Sends a request. It goes its way whatever becomes of the process.
    async fn send<T: Send + 'static>(
        &self,
        apply: impl Fn(&Server) -> Applied<T> + Send + 'static,
    ) -> Result<Answer<T>, ApiError> {
        let (answer, received) = oneshot::channel();
        let link = self.clone();
        let (there, fate, back) = self.fate();
        let travel = async move {
            let server = &link.cluster.0;
            let unavailable = |text: &str| Err(ApiError::Unavailable(text.to_owned()));
            let was_cut = link.is_cut();
            server.clocks.sleep(there).await;
            let reply = match fate {
                _ if was_cut || link.is_cut() => return,
                Fate::Lost => return,
                _ if server.outage.is_on() => unavailable("told to fail"),
                Fate::Refused => Err(ApiError::Throttled { retry_after: None }),
                Fate::DoneButFailed => {
                    let _ = apply(server);
                    unavailable("told to fail after it was done")
                }
                Fate::Arrives | Fate::Twice(_) | Fate::AnswerLost => {
                    apply(server).map(|value| Answer { value, server_time: server.date() })
                }
            };
            server.clocks.sleep(back).await;
            if link.is_cut() || matches!(fate, Fate::AnswerLost) {
                return;
            }
            // Whoever asked may not wait any more.
            let _ = answer.send(reply);
            if let Fate::Twice(later) = fate {
                server.clocks.sleep(later).await;
                let _ = apply(server);
            }
        };
        let process = self.process.clone();
        let ask = async {
            self.cluster.0.tasks.spawn(travel);
            match received.await {
                Ok(reply) => reply,
                // Silence.
                Err(_) => std::future::pending().await,
            }
        };
        process.live(ask).await
    }
}

impl Server {
    /// Whole seconds, as an HTTP date has them.
    fn date(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(self.own.wall().as_second()).unwrap()
    }
}

#[async_trait]
impl LeaseApi for Link {
    async fn list(&self, selector: &str) -> Result<Answer<Vec<Lease>>, ApiError> {
        let selector = selector.to_owned();
        self.send(move |server| server.list(&selector)).await
    }

    async fn get(&self, name: &str) -> Result<Answer<Lease>, ApiError> {
        let name = name.to_owned();
        self.send(move |server| server.get(&name)).await
    }

    async fn create(&self, lease: &Lease) -> Result<Answer<Lease>, ApiError> {
        let lease = lease.clone();
        self.send(move |server| server.create(&lease)).await
    }

    async fn replace(&self, lease: &Lease) -> Result<Answer<Lease>, ApiError> {
        let lease = lease.clone();
        self.send(move |server| server.replace(&lease)).await
    }

    async fn delete(&self, name: &str, resource_version: &str) -> Result<Answer<()>, ApiError> {
        let (name, version) = (name.to_owned(), resource_version.to_owned());
        self.send(move |server| server.delete(&name, &version)).await
    }
}
