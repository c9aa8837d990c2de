//! The REST interface: one file per noun, each with its routes and handlers.
//!
//! - [`extract`]: what routes take from a request
//! - [`reply`]: the one place that makes answers · [`entries`]: as much of a list as fits
//! - [`setup`], [`auth`], [`sessions`], [`users`], [`people`], [`export`], [`settings`],
//!   [`addresses`], [`grants`], [`bots`]: the house and its people
//! - [`openapi`]: the description of them all
//! - [`notifications`], [`contacts`], [`blocks`]: what one hears of, and of whom
//! - [`mutes`], [`bans`], [`reports`], [`audit`]: who keeps order, and how
//! - [`rooms`], [`members`], [`messages`], [`message`], [`attachments`], [`bundles`],
//!   [`invites`], [`devices`], [`door`]: rooms
//! - [`reactions`], [`receipts`], [`pins`], [`room_view`]: what goes with them

pub mod addresses;
pub mod attachments;
pub mod audit;
pub mod auth;
pub mod bans;
pub mod blocks;
pub mod bodies;
pub mod bots;
pub mod bundles;
pub mod contacts;
pub mod devices;
pub mod door;
pub mod entries;
pub mod export;
pub mod extract;
pub mod grants;
pub mod invites;
pub mod members;
pub mod message;
pub mod messages;
pub mod mutes;
pub mod notifications;
pub mod openapi;
pub mod people;
pub mod pins;
pub mod reactions;
pub mod receipts;
pub mod reply;
pub mod reports;
pub mod room_view;
pub mod rooms;
pub mod sessions;
pub mod settings;
pub mod setup;
pub mod users;

use std::sync::Arc;

use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use crate::app::App;

/// Every route under `/api`.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let house = setup::routes(app)
        .or(auth::routes(app))
        .unify()
        .or(sessions::routes(app))
        .unify()
        .or(export::routes(app))
        .unify()
        .or(people::routes(app))
        .unify()
        .or(bots::routes(app))
        .unify()
        .or(users::routes(app))
        .unify()
        .or(addresses::routes(app))
        .unify()
        .or(settings::routes(app))
        .unify()
        .or(grants::routes(app))
        .unify()
        .or(openapi::routes(app))
        .unify();
    let of_rooms = messages::routes(app)
        .or(message::routes(app))
        .unify()
        .or(rooms::routes(app))
        .unify()
        .or(members::routes(app))
        .unify()
        .or(bundles::routes(app))
        .unify()
        .or(invites::routes(app))
        .unify()
        .or(devices::routes(app))
        .unify()
        .or(door::routes(app))
        .unify();
    let in_rooms = receipts::routes(app)
        .or(reactions::routes(app))
        .unify()
        .or(pins::routes(app))
        .unify()
        .or(attachments::routes(app))
        .unify();
    let order = mutes::routes(app)
        .or(bans::routes(app))
        .unify()
        .or(reports::routes(app))
        .unify()
        .or(audit::routes(app))
        .unify();
    let heard = notifications::routes(app)
        .or(contacts::routes(app))
        .unify()
        .or(blocks::routes(app))
        .unify();
    of_rooms.or(in_rooms).unify().or(house).unify().or(order).unify().or(heard).unify().boxed()
}

#[cfg(test)]
mod hidden_tests;
