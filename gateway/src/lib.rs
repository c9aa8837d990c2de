//! The appliance: one program that serves, stores and routes what it cannot read.
//!
//! The life of a message, from its door to everyone (docs/architecture.md), in this order:
//!
//! - [`gate`]: what MQTT clients may do, [`shelf`]: what of MQTT outlives a restart · [`api`]: REST
//! - [`ingest`]: the one path of every message · [`moderation`]: how fast
//! - [`membership`]: who may do what in which room
//! - [`roles`], [`grants`]: who may do what in the house, and outside Hearth's topics
//! - [`sanctions`], [`reports`], [`audit`]: who is kicked, muted or banned, why, and the log of it
//! - [`blocks`], [`contacts`]: who wants to hear of whom
//! - [`notifications`]: what a person is alerted to
//! - [`sweeps`]: what goes by itself, [`guests`] among it · [`attachments`]: files, in and out
//! - [`presence`]: who is there · [`refusals`]: what was refused · [`counts`]: how busy it is
//! - [`aftermath`]: what follows a commit · [`history`]: what clients get · [`place`]: from where
//! - [`rooms`], [`members`], [`invites`], [`messages`], [`receipts`]: what people do in rooms
//! - [`aftermath`]: what follows a commit · [`history`]: what clients get
//! - [`feed`]: who listens outside MQTT · [`ws`], [`sse`]: how
//!
//! Around it:
//!
//! - [`app`]: the state they share · [`error`], [`clock`], [`config`], [`names`]
//! - [`auth`]: who is it · [`accounts`], [`devices`], [`bundles`]: how they come to be
//! - [`registration`]: by an invite ([`invites`]), by an open house, as a guest
//! - [`people`]: who may know of whom, and what becomes of an account · [`past`]: whom rooms listed
//! - [`addresses`]: from where the house is reached · [`scopes`]: by which token
//! - [`bots`]: accounts of programs · [`audit`]: the log of what is done by whoever runs the house
//! - [`appliance`], [`http`], [`mqtt_thread`], [`web`], [`admin`]: the running program; where it
//!   listens: [`listening`]
//! - [`claim`]: the data folder before it is open · [`beginning`]: what is noted of a start
//! - [`upkeep`] of its file · [`trouble`]: what its
//!   database could not do · [`thief`]: who could read it · [`hardening`]
//! - [`authority`], [`tls`]: the certificates of the house, and TLS with them or given ones
//! - [`cli`]: the command · [`member`]: a person who signed in on this machine

pub mod accounts;
pub mod addresses;
pub mod admin;
pub mod aftermath;
pub mod api;
pub mod app;
pub mod appliance;
pub mod attachments;
pub mod audit;
pub mod auth;
pub mod authority;
pub mod backups;
pub mod beginning;
pub mod blocks;
pub mod bots;
pub mod bundles;
pub mod claim;
pub mod cli;
pub mod clock;
pub mod config;
pub mod contacts;
pub mod counts;
pub mod devices;
pub mod error;
pub mod feed;
pub mod gate;
pub mod grants;
pub mod guests;
pub mod hardening;
pub mod history;
pub mod http;
pub mod ingest;
pub mod invites;
pub mod listening;
pub mod member;
pub mod members;
pub mod membership;
pub mod messages;
pub mod moderation;
pub mod mqtt_thread;
pub mod names;
pub mod notifications;
#[cfg(test)]
mod paging_tests;
pub mod past;
pub mod people;
pub mod place;
pub mod presence;
pub mod receipts;
pub mod refusals;
pub mod registration;
pub mod reports;
#[cfg(test)]
mod role_tests;
pub mod roles;
pub mod rooms;
pub mod sanctions;
pub mod scopes;
pub mod shelf;
pub mod sse;
pub mod sweeps;
#[cfg(test)]
mod testing;
pub mod thief;
pub mod tls;
pub mod trouble;
pub mod upkeep;
pub mod web;
pub mod ws;
