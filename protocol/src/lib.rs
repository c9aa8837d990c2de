//! What all parts of Hearth agree on. No I/O, no async, no clock, no randomness of its own.
//!
//! Read in this order:
//!
//! - [`ids`]: the names of things
//! - [`topic`]: MQTT names, filters and Hearth's topics
//! - [`grant`]: rights to plain topics
//! - [`event`]: what travels in a room, and the frame around it
//! - [`role`]: who may do what
//! - [`principal`]: who somebody is
//! - [`presence`]: what people choose to show · [`folding`]: how their names are compared
//! - [`network`]: addresses by their prefix
//! - [`limits`]: every number that limits something
//! - [`refusal`]: one way to say no
//! - [`bytes`]: base64url and hex inside JSON
//! - [`sealing`]: the formats `hearth/v1`

pub mod bytes;
pub mod event;
pub mod folding;
pub mod grant;
pub mod ids;
pub mod limits;
pub mod network;
pub mod presence;
pub mod principal;
pub mod refusal;
pub mod role;
pub mod sealing;
pub mod topic;
