//! Backups: one file that holds the whole house as of one moment, sealed to age recipients, and a
//! new data folder made of it.
//!
//! A file has its name only when it is whole and durable, and so has a restored folder. A file that
//! was cut or changed is refused before its folder has a name. Neither is ever whole in memory.
//! What is inside is the house itself, not its key: a restored house has a new data key.
//!
//! - [`frame`]: the format · [`making`]: the file · [`restoring`]: the folder
//! - [`attachments`]: the files beside the database · [`plan`]: who can open backups, and the last
//! - [`error`]: why not

mod attachments;
mod error;
mod frame;
mod making;
pub(crate) mod plan;
mod reading;
mod restoring;
#[cfg(test)]
mod tests;

pub use error::BackupError;
pub use frame::Counts;
pub use making::{Made, Making, Progress};
pub use plan::BackupPlan;
pub use restoring::{Restored, check, restore};
