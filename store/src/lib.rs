//! Hearth's history and accounts: an engine of bytes, encrypted at rest, and the nouns above it.
//!
//! Read in this order:
//!
//! - [`engine`]: the seam: a sorted map of bytes with atomic batches; in memory, or redb
//! - [`disk`], [`sealed_file`], [`master_key`]: what lies below redb, encrypted page by page;
//!   `sim_disk` and `sim_folder` are the disks of tests, which lose power and pages
//! - [`keys`], [`record`]: the whole key space, and how values look
//! - one file per noun: [`house`], [`users`], [`vaults`], [`sessions`], [`tokens`], [`rooms`],
//!   [`members`], [`bundles`], [`invites`], [`proofs`], [`devices`], [`grants`], [`messages`],
//!   [`shelf`]
//! - [`change`]: every write but a message's is one atomic change
//! - [`store`]: what the gateway holds; its one appender numbers everything that is written

pub mod bundles;
pub mod change;
pub mod devices;
pub mod disk;
pub mod engine;
pub mod error;
pub mod grants;
pub mod house;
pub mod invites;
pub mod keys;
pub mod master_key;
pub mod members;
pub mod messages;
pub mod proofs;
pub mod record;
pub mod rooms;
pub mod sealed_file;
pub mod sessions;
pub mod shelf;
#[cfg(any(test, feature = "sim"))]
pub mod sim_disk;
#[cfg(any(test, feature = "sim"))]
pub mod sim_folder;
pub mod store;
pub mod tokens;
pub mod users;
pub mod vaults;

mod appender;
mod edits;
#[cfg(test)]
mod nouns_tests;
mod stage;
#[cfg(test)]
mod testing;

pub use bundles::Bundle;
pub use change::{Change, Edit};
pub use devices::Device;
pub use disk::{DATABASE_FILE, Disk, FileDisk, FileError, FileFolder, Folder};
pub use engine::memory::Memory;
pub use engine::redb::{Compacted, Redb, Usage};
pub use engine::{Batch, Engine, EngineError, Snapshot};
pub use error::StoreError;
pub use grants::{Grant, Grantee};
pub use house::House;
pub use invites::Invite;
pub use master_key::{DataKey, KeyError, load_or_create};
pub use members::Member;
pub use messages::{Appended, NewEvent, Once, PageQuery, StoredEvent};
pub use proofs::JoinProof;
pub use rooms::Room;
pub use sealed_file::OpenError;
pub use sessions::Session;
pub use shelf::ShelfEdit;
pub use store::{Committed, Store, Touch};
pub use tokens::AppToken;
pub use users::{Login, User};
pub use vaults::Vault;
