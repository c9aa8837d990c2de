//! MQTT 3.1.1 and 5.0 for Hearth: own sessions, with rumqttd's router as the bus of room events.
//!
//! Read in this order:
//!
//! - [`gate`]: what the broker asks of its owner
//! - [`broker`]: the broker as its owner sees it
//! - [`reason`]: reason codes
//! - [`counts`]: what is counted

pub mod broker;
pub mod counts;
pub mod gate;
pub mod reason;

pub use broker::Broker;
pub use counts::Counts;
pub use gate::{
    Backlog, Gate, Login, PresenceChange, Properties, Publish, Qos, Verdict, Version,
};
pub use reason::Reason;
