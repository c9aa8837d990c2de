//! Hearth's history and accounts: an engine of bytes, encrypted at rest, and the nouns above it.
//!
//! Read in this order:
//!
//! - [`engine`]: the seam: a sorted map of bytes with atomic batches; in memory, or redb
//! - [`disk`], [`sealed_file`], [`master_key`]: what lies below redb, encrypted page by page
//! - [`keys`], [`record`]: the whole key space, and how values look
//! - one file per noun: [`house`], [`users`], [`vaults`], [`sessions`], [`tokens`], [`rooms`],
//!   [`members`], [`bundles`], [`invites`], [`proofs`], [`devices`], [`messages`]
//! - [`change`]: every write but a message's is one atomic change
//! - [`store`]: what the gateway holds; its one appender numbers everything that is written

pub mod bundles;
pub mod change;
pub mod devices;
pub mod engine;
pub mod error;
pub mod house;
pub mod invites;
pub mod keys;
pub mod members;
pub mod messages;
pub mod proofs;
pub mod record;
pub mod rooms;
pub mod sessions;
pub mod store;
pub mod tokens;
pub mod users;
pub mod vaults;

mod appender;
mod edits;
mod stage;

pub use bundles::Bundle;
pub use change::{Change, Edit};
pub use devices::Device;
pub use engine::memory::Memory;
pub use engine::{Batch, Engine, EngineError};
pub use error::StoreError;
pub use house::House;
pub use invites::Invite;
pub use members::Member;
pub use messages::{Appended, NewEvent, Once, PageQuery, StoredEvent};
pub use proofs::JoinProof;
pub use rooms::Room;
pub use sessions::Session;
pub use store::{Committed, Store, Touch};
pub use tokens::AppToken;
pub use users::{Login, User};
pub use vaults::Vault;
