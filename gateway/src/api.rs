//! The REST interface: one file per noun, each with its routes and handlers.
//!
//! - [`extract`]: what routes take from a request
//! - [`reply`]: the one place that makes answers
//! - [`openapi`]: the description of them all
//! - [`setup`], [`auth`], [`users`], [`settings`], [`grants`]: the house and its people
//! - [`rooms`], [`members`], [`messages`], [`attachments`], [`bundles`], [`invites`],
//!   [`devices`]: rooms

pub mod attachments;
pub mod auth;
pub mod bundles;
pub mod devices;
pub mod extract;
pub mod grants;
pub mod invites;
pub mod members;
pub mod messages;
pub mod openapi;
pub mod reply;
pub mod rooms;
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
        .or(users::routes(app))
        .unify()
        .or(settings::routes(app))
        .unify()
        .or(grants::routes(app))
        .unify()
        .or(openapi::routes(app))
        .unify();
    let of_rooms = messages::routes(app)
        .or(rooms::routes(app))
        .unify()
        .or(members::routes(app))
        .unify()
        .or(bundles::routes(app))
        .unify()
        .or(invites::routes(app))
        .unify()
        .or(devices::routes(app))
        .unify();
    let of_rooms = of_rooms.or(attachments::routes(app)).unify();
    of_rooms.or(house).unify().boxed()
}
