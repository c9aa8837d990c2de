//! A house for tests: the real binary on free ports of loopback, its data in a temporary folder.
//!
//! - [`house`]: starts, kills and restarts it, and asks it things
//! - [`shell`]: its first person, and what commands say
//! - [`publisher`]: a person's MQTT app that knows what was acknowledged
//! - [`load`]: loads on any broker, by [`raw`], a client that costs next to nothing

pub mod house;
pub mod load;
pub mod publisher;
pub mod raw;
pub mod shell;

pub use house::{House, Person};
pub use publisher::Publisher;
