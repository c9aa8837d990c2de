//! The store alone: the same rows by the same calls that the gateway makes.

#[path = "../store/houses.rs"]
#[allow(dead_code)]
mod houses;

use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use hearth_store::{PageQuery, Store};

/// An open store with a room that has a history, and one to write into.
pub struct Bare(Store);

const READ: usize = 0;
const WRITTEN: usize = 1;

impl Bare {
    pub async fn open(folder: &Path, history: usize) -> Bare {
        let store = houses::open(&folder.join("bare.db")).await;
        houses::furnish(&store, 2).await;
        for chunk in 0..history / 100 {
            let events = (0..100).map(|_| store.append(houses::event(READ, chunk as u64 + 1)));
            for appended in join_all(events).await {
                appended.unwrap();
            }
        }
        Bare(store)
    }

    /// Microseconds of a page.
    pub async fn pages(&self, clients: usize, each: usize) -> f64 {
        let begun = Instant::now();
        let reading = (0..clients).map(|_| async {
            for _ in 0..each {
                self.page().await;
            }
        });
        join_all(reading).await;
        begun.elapsed().as_secs_f64() * 1e6 / (clients * each) as f64
    }

    async fn page(&self) {
        let page = self.0.views(houses::room_id(READ), PageQuery::newest(50)).await.unwrap();
        assert_eq!(page.views.len(), 50);
    }

    async fn post(&self) {
        self.0.append(houses::event(WRITTEN, 1)).await.unwrap();
    }

    /// Microseconds of a durable append.
    pub async fn posts(&self, clients: usize, each: usize) -> f64 {
        let begun = Instant::now();
        let writing = (0..clients).map(|_| async {
            for _ in 0..each {
                self.post().await;
            }
        });
        join_all(writing).await;
        begun.elapsed().as_secs_f64() * 1e6 / (clients * each) as f64
    }

    /// How long each append took while people write and read at their own pace.
    pub async fn active(&self, people: usize, pace: Duration, how_long: Duration) -> Vec<Duration> {
        let times = super::clients::at_a_pace(people, pace, how_long, async |_| {
            let begun = Instant::now();
            self.post().await;
            let took = begun.elapsed();
            self.page().await;
            took
        });
        times.await
    }

    pub async fn close(self) {
        self.0.close().await;
    }
}
