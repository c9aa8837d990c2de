//! MQTT 3.1.1 and 5.0 for Hearth: own sessions, with rumqttd's router as the bus of room events.
//!
//! Read in this order:
//!
//! - [`gate`]: what the broker asks of its owner
//! - [`broker`]: the broker as its owner sees it; [`reason`] codes, [`counts`], a [`link`] to it
//! - `hub`: what all connections share: `registry` of sessions, `routes` of plain topics
//!   (a `tree` of filters, each `group` that shares one), `retained` messages, `rooms` with
//!   their `bus`, `departures` of those who left, each account's `pace`, `presence`, its `load`
//!   of what is on its way, and what of it is `waiting` for the gate
//! - [`shelf`]: what of all that outlives a restart
//! - `session`: one connection, from its first byte to its last; its `mailbox`
//! - `listener`: TCP, TLS and WebSocket; [`ws`] makes a stream of bytes from frames
//!
//! A publish goes `session/inbound` → [`Gate::accept`] → `routes` → `mailbox` →
//! `session/outbound`. A stored event goes [`Broker::publish_event`] → `rooms` → `bus` →
//! `session/feed` → `session/outbound`; what the bus skips comes from [`Gate::backlog`].

pub mod bounds;
pub mod broker;
mod bus;
pub mod counts;
mod departures;
#[cfg(feature = "fuzz")]
pub mod fuzz;
pub mod gate;
mod group;
mod hub;
pub mod link;
mod listener;
mod load;
mod mailbox;
mod message;
mod pace;
mod presence;
pub mod reason;
mod refusals;
mod registry;
mod retained;
mod rooms;
mod routes;
mod session;
pub mod shelf;
mod tree;
mod waiting;
pub mod ws;

pub use broker::Broker;
pub use counts::Counts;
pub use gate::{
    Backlog, Gate, Login, OnceKey, PresenceChange, Properties, Publish, Qos, Verdict, Version,
};
pub use link::{Heard, Link, LinkError};
pub use presence::Present;
pub use reason::Reason;
pub use shelf::{Shelf, ShelfChange};
