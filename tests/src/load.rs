//! Loads on a broker, each with one client thread, and what they measure.
#![allow(clippy::expect_used, clippy::unwrap_used, missing_docs)]

use std::future::poll_fn;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::raw::Raw;

/// The payload of every message.
pub const PAYLOAD: [u8; 200] = [b'x'; 200];
/// How far a publisher runs ahead of the slowest subscriber: brokers drop QoS 0 for slow readers.
const AHEAD_MAX: usize = 2_000;
/// QoS 1 publishes a publisher has under way.
const WINDOW: usize = 64;
/// A load that lasts longer has lost a message: none of them takes a tenth of this.
const PATIENCE: Duration = Duration::from_secs(60);

/// A broker, and the topics of one conversation on it.
#[derive(Debug, Clone)]
pub struct Target {
    pub mqtt: SocketAddr,
    pub user: String,
    pub token: String,
    /// Where to publish.
    pub inlet: String,
    /// Where it arrives.
    pub outlet: String,
}

impl Target {
    pub async fn connect(&self, client_id: &str) -> Raw {
        Raw::connect(self.mqtt, client_id, &self.user, &self.token).await
    }

    pub async fn readers(&self, count: usize, qos: u8) -> Vec<Raw> {
        let mut readers = vec![];
        for number in 0..count {
            let mut reader = self.connect(&format!("reader{number}")).await;
            reader.subscribe(&self.outlet, qos).await;
            readers.push(reader);
        }
        readers
    }
}

/// One publisher, some subscribers: messages delivered in a second.
pub async fn fan_out(target: &Target, qos: u8, readers: usize, count: usize) -> f64 {
    let mut readers = target.readers(readers, qos).await;
    let mut writer = target.connect("writer").await;
    let (begun, mut sent) = (Instant::now(), 0);
    let all = poll_fn(|cx| {
        loop {
            let slowest = readers.iter().map(|reader| reader.delivered).min().unwrap();
            while sent < count
                && sent < slowest + AHEAD_MAX
                && (qos == 0 || sent < writer.acknowledged + WINDOW)
            {
                writer.publish(&target.inlet, qos, &PAYLOAD);
                sent += 1;
            }
            let mut moved = writer.poll(cx);
            for reader in &mut readers {
                moved |= reader.poll(cx);
            }
            if slowest == count && (qos == 0 || writer.acknowledged == count) {
                return Poll::Ready(());
            }
            if !moved {
                return Poll::Pending;
            }
        }
    });
    let complete = tokio::time::timeout(PATIENCE, all).await.is_ok();
    let delivered: usize = readers.iter().map(|reader| reader.delivered).sum();
    assert!(complete, "{delivered} of {} arrived", count * readers.len());
    let last = readers.iter().map(|reader| reader.last).max().unwrap();
    delivered as f64 / (last - begun).as_secs_f64()
}

/// Publishers that do not wait for each acknowledgement: acknowledged in a second, QoS 1.
pub async fn pipelined(target: &Target, writers: usize, each: usize) -> f64 {
    let mut pipes = vec![];
    for number in 0..writers {
        pipes.push((target.connect(&format!("writer{number}")).await, 0));
    }
    let begun = Instant::now();
    let mut pump = |cx: &mut Context<'_>| {
        let mut moved = false;
        for (writer, sent) in &mut pipes {
            while *sent < each && *sent < writer.acknowledged + WINDOW {
                writer.publish(&target.inlet, 1, &PAYLOAD);
                *sent += 1;
            }
            moved |= writer.poll(cx);
        }
        (moved, pipes.iter().all(|(writer, _)| writer.acknowledged == each))
    };
    poll_fn(|cx| {
        loop {
            match pump(cx) {
                (_, true) => return Poll::Ready(()),
                (false, false) => return Poll::Pending,
                (true, false) => {}
            }
        }
    })
    .await;
    (writers * each) as f64 / begun.elapsed().as_secs_f64()
}

/// One message at a time, QoS 1: ms from its publish to its delivery, sorted.
pub async fn one_by_one(target: &Target, count: usize) -> Vec<f64> {
    let mut reader = target.readers(1, 1).await.remove(0);
    let mut writer = target.connect("writer").await;
    let mut times = vec![];
    for number in 1..=count {
        let begun = Instant::now();
        writer.publish(&target.inlet, 1, &PAYLOAD);
        poll_fn(|cx| {
            while writer.poll(cx) | reader.poll(cx) {}
            let done = writer.acknowledged == number && reader.delivered == number;
            if done { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        times.push((reader.last - begun).as_secs_f64() * 1_000.0);
    }
    times.sort_by(f64::total_cmp);
    times
}
