//! The broker over in-memory streams, with a scripted gate; one behaviour per file.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod acknowledgements;
mod aliases;
mod arbitrary_bytes;
mod bounds;
mod connecting;
mod disconnecting;
mod exactly_once;
mod expiring;
mod handshakes;
mod history;
mod households;
mod links;
mod listeners;
mod malformed;
mod model;
mod presence;
mod qos;
mod queues;
mod rates;
mod refusals;
mod restarts;
mod retained;
mod room_events;
mod shared;
mod slow_disks;
mod slow_readers;
mod subscriptions;
mod support;
mod takeover;
mod tcp;
mod tls;
mod websocket;
mod wills;
