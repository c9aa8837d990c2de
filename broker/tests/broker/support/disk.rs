//! A shelf in memory, and houses that crash and start again on it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending, ready};
use hearth_broker::shelf::Row;
use hearth_broker::{Broker, Shelf, ShelfChange};
use hearth_protocol::ids::Position;
use hearth_protocol::limits::Limits;
use hearth_protocol::refusal::{Kind, Refusal};
use tokio::sync::watch;

use super::{Client, House, Script, stay};

/// Outlives every broker.
#[derive(Default)]
pub struct Disk {
    pub rows: Mutex<BTreeMap<Bytes, Bytes>>,
    limits: Arc<Limits>,
}

/// What connects one broker to the disk, until its power is cut.
pub struct Plug {
    disk: Arc<Disk>,
    /// Saves that still reach the disk; after them nothing does, and nobody is answered.
    pub left: AtomicUsize,
    /// Saves that fail first.
    pub failing: AtomicUsize,
    /// Saves wait until this is true.
    pub open: watch::Sender<bool>,
}

impl Shelf for Plug {
    fn load(&self) -> BoxFuture<'_, Result<Vec<Row>, Refusal>> {
        let rows = self.disk.rows.lock().unwrap();
        ready(Ok(rows.iter().map(|(k, v)| (k.clone(), v.clone())).collect())).boxed()
    }

    fn save(&self, changes: Vec<ShelfChange>) -> BoxFuture<'_, Result<(), Refusal>> {
        async move {
            self.open.subscribe().wait_for(|open| *open).await.unwrap();
            let less = |n: usize| n.checked_sub(1);
            let (seq, rel) = (Ordering::SeqCst, Ordering::Relaxed);
            if self.failing.fetch_update(seq, rel, less).is_ok() {
                return Err(Refusal::new(Kind::Unavailable, "disk_full", "no room"));
            }
            match self.left.fetch_update(seq, rel, less) {
                Err(_) => return pending().await,
                Ok(left) => {
                    self.disk.apply(changes);
                    // The last one reaches the disk, and its answer nobody.
                    if left == 1 {
                        return pending().await;
                    }
                }
            }
            Ok(())
        }
        .boxed()
    }
}

impl Disk {
    fn apply(&self, changes: Vec<ShelfChange>) {
        let mut rows = self.rows.lock().unwrap();
        for change in changes {
            match change {
                ShelfChange::Put { key, value } => {
                    rows.insert(key, value);
                }
                ShelfChange::Remove { key } => {
                    rows.remove(&key);
                }
                ShelfChange::RemoveAll { prefix } => {
                    rows.retain(|key, _| !key.starts_with(&prefix));
                }
            }
        }
    }

    /// A house on this disk. What the gate knows (history) outlives houses too.
    pub async fn house(self: &Arc<Self>, gate: &Arc<Script>) -> (House, Arc<Plug>) {
        let plug = Arc::new(Plug {
            disk: self.clone(),
            left: AtomicUsize::new(usize::MAX),
            failing: AtomicUsize::new(0),
            open: watch::Sender::new(true),
        });
        let broker = Broker::new(self.limits.clone());
        let heads: Vec<_> = {
            let history = gate.history.lock().unwrap();
            let head = |events: &Vec<Bytes>| Position(events.len().try_into().unwrap());
            history.iter().map(|(room, events)| (*room, head(events))).collect()
        };
        broker.know_rooms(heads);
        broker.restore(plug.clone()).await.unwrap();
        broker.open(gate.clone());
        (House { broker, gate: gate.clone() }, plug)
    }
}

impl Plug {
    /// From now on nothing reaches the disk.
    pub fn cut(&self) {
        self.left.store(0, Ordering::SeqCst);
    }
}

/// A disk, and the house that lives on it now.
pub struct Home {
    pub disk: Arc<Disk>,
    pub house: House,
    pub plug: Arc<Plug>,
}

impl Home {
    pub async fn new() -> Home {
        Home::with(|_| {}).await
    }

    pub async fn with(limit: impl FnOnce(&mut Limits)) -> Home {
        let mut limits = Limits::default();
        limit(&mut limits);
        let disk = Arc::new(Disk { limits: Arc::new(limits), ..Disk::default() });
        let gate = Arc::new(Script::default());
        let (house, plug) = disk.house(&gate).await;
        Home { disk, house, plug }
    }

    /// The broker dies and another starts.
    pub async fn crash(&mut self) {
        self.plug.cut();
        (self.house, self.plug) = self.disk.house(&self.house.gate).await;
    }

    pub async fn restart(&mut self) {
        self.house.broker.shutdown().await;
        (self.house, self.plug) = self.disk.house(&self.house.gate).await;
    }

    /// A client whose session stays; whether there was one.
    pub async fn stays(&self, id: &str) -> (Client, bool) {
        let (client, ack) = self.house.connect(id, stay).await;
        (client, ack.session_present)
    }

    pub fn rows(&self) -> usize {
        self.disk.rows.lock().unwrap().len()
    }
}
