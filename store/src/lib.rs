//! Hearth's history and accounts: an engine of bytes, encrypted at rest, and the nouns above it.
//!
//! Read in this order:
//!
//! - [`engine`]: the seam: a sorted map of bytes with atomic batches; in memory, or redb
//! - [`disk`], [`sealed_file`], [`master_key`]: what lies below redb, encrypted page by page; in
//!   memory its keys lie in [`locked`] pages; `sim_disk` and `sim_folder` are the disks of tests,
//!   which lose power and pages, `hurt` is an engine of theirs
//! - [`keys`], [`record`]: the whole key space, and how values look
//! - one file per noun: [`house`], [`settings`], [`addresses`], [`users`], [`contacts`],
//!   [`blocks`], [`vaults`], [`resets`], [`sessions`], [`tokens`], [`rooms`], [`members`],
//!   [`sanctions`], [`receipts`], [`pins`],
//!   [`bundles`], [`invites`], [`proofs`], [`devices`], [`grants`], [`messages`], [`reactions`],
//!   [`notifications`], [`reports`], [`audit`], [`shelf`], [`attachments`] with their files
//! - [`sweeps`], [`retention`]: what goes by itself, in small commits
//! - [`change`]: every write but a message's is one atomic change
//! - [`backup`]: the whole house as one sealed file, and back
//! - [`migrate`]: data of an older program becomes data of this one
//! - [`store`]: what the gateway holds; its one appender numbers everything that is written

pub mod addresses;
pub mod attachments;
pub mod audit;
pub mod backup;
pub mod blocks;
pub mod bundles;
pub mod change;
pub mod contacts;
pub mod devices;
pub mod disk;
pub mod engine;
pub mod error;
pub mod grants;
pub mod house;
#[cfg(any(test, feature = "sim"))]
pub mod hurt;
pub mod invites;
pub mod keys;
pub mod master_key;
pub mod members;
pub mod messages;
pub mod migrate;
pub mod notifications;
pub mod pins;
pub mod proofs;
pub mod reactions;
pub mod receipts;
pub mod record;
pub mod reports;
pub mod resets;
pub mod retention;
pub mod rooms;
pub mod sanctions;
pub mod sealed_file;
pub mod sessions;
pub mod settings;
pub mod shelf;
#[cfg(any(test, feature = "sim"))]
pub mod sim_disk;
#[cfg(any(test, feature = "sim"))]
pub mod sim_folder;
pub mod store;
pub mod sweeps;
pub mod tokens;
pub mod users;
pub mod vaults;

mod appender;
mod edits;
mod heads;
mod locked;
mod measure;
#[cfg(test)]
mod nouns_tests;
mod stage;
#[cfg(test)]
mod testing;

pub use addresses::AddressRules;
pub use attachments::{
    Attachment, Attachments, FILES_FOLDER, NewAttachment, Reading, Shown, SweptFiles,
};
pub use audit::{AuditEntry, Subject};
pub use backup::{BackupError, BackupPlan};
pub use blocks::Block;
pub use bundles::Bundle;
pub use change::{Change, Edit};
pub use contacts::Contact;
pub use devices::{Device, Plain};
pub use disk::{DATABASE_FILE, Disk, FileDisk, FileError, FileFolder, Folder};
pub use engine::memory::Memory;
pub use engine::redb::{Compacted, Redb, Usage};
pub use engine::{Batch, Engine, EngineError, Snapshot};
pub use error::{Rule, StoreError};
pub use grants::{Grant, Grantee};
pub use house::House;
pub use invites::Invite;
pub use master_key::{Credential, DataKey, KeyError, Keys, NewWay, Opened, Passphrase, Way};
pub use members::{Member, Notify};
pub use messages::history::{Page, PageQuery, Span};
pub use messages::views::{MessageView, ViewPage};
pub use messages::{
    About, Appended, Deleted, Edited, Effect, EventKind, NewEvent, Once, Parent, Right, StoredEvent,
};
pub use migrate::refuse_newer;
pub use notifications::{Notification, NotificationKind};
pub use pins::Pin;
pub use proofs::JoinProof;
pub use reactions::{Reacted, normal_emoji};
pub use receipts::Receipt;
pub use reports::{Decision, Report, Verdict};
pub use resets::Reset;
pub use rooms::{History, Room};
pub use sanctions::{Sanction, Sentence};
pub use sealed_file::OpenError;
pub use sessions::Session;
pub use settings::{Registration, Settings};
pub use shelf::ShelfEdit;
pub use store::{Committed, Store, Touch};
pub use sweeps::{Sweep, Swept};
pub use tokens::{AppToken, Scope};
pub use users::{Login, User};
pub use vaults::{SealedUnder, Vault};
