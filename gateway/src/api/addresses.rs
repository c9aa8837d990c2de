//! From where the house is reached: `/api/settings/addresses`, and the door in front of every other
//! path.

use std::net::IpAddr;
use std::sync::Arc;

use hearth_protocol::network::Network;
use hearth_protocol::role::HouseAction;
use hearth_store::AddressRules;
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path, reject};

use super::extract::{Caller, Peer, address, body, caller, with};
use super::reply::{Answer, answer, refuse};
use crate::addresses::NewRules;
use crate::app::App;
use crate::error::ApiError;

#[cfg(test)]
mod tests;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(rules, set))]
pub struct Doc;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let get = path!("api" / "settings" / "addresses")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .and(address())
        .then(rules)
        .map(answer);
    let put = path!("api" / "settings" / "addresses")
        .and(warp::put())
        .and(with(app))
        .and(caller(app))
        .and(address())
        .and(body(app))
        .then(set)
        .map(answer);
    get.or(put).unify().boxed()
}

/// Answers whom the house does not let in, whatever they ask for; else it is not there.
pub fn door(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    with(app)
        .and(warp::ext::optional::<Peer>())
        .and_then(|app: Arc<App>, peer: Option<Peer>| async move {
            let refused = peer.map(|Peer(peer)| app.addresses.admit(peer.ip()));
            match refused {
                Some(Err(refusal)) => Ok(refuse(&refusal)),
                _ => Err(reject::not_found()),
            }
        })
        .boxed()
}

/// The rules, and from where they are looked at.
#[derive(Serialize, ToSchema)]
struct RulesView<'a> {
    #[serde(flatten)]
    rules: &'a AddressRules,
    /// The asker's address, as the box sees it.
    #[schema(value_type = String)]
    yours: IpAddr,
}

/// Shows from where the house is reached.
#[utoipa::path(get, path = "/api/settings/addresses", responses((status = 200, body = RulesView)))]
async fn rules(app: Arc<App>, caller: Caller, yours: IpAddr) -> Result<Answer, ApiError> {
    app.roles.require(caller.user, HouseAction::ManageSettings)?;
    let rules = app.addresses.rules();
    Answer::ok(&RulesView { rules: &rules, yours: yours.to_canonical() })
}

/// The rules to be.
#[derive(Deserialize, ToSchema)]
struct RulesRequest {
    /// The version that is replaced.
    version: u64,
    /// These and no others; empty: all.
    allow: Vec<Network>,
    /// Not these, even if they are allowed.
    deny: Vec<Network>,
    /// Also if they shut out the asker.
    #[serde(default)]
    force: bool,
}

/// Replaces the rules, if nobody was quicker.
#[utoipa::path(put, path = "/api/settings/addresses", request_body = RulesRequest,
    responses((status = 200, body = RulesView)))]
async fn set(
    app: Arc<App>,
    caller: Caller,
    yours: IpAddr,
    request: RulesRequest,
) -> Result<Answer, ApiError> {
    caller.login()?;
    app.roles.require(caller.user, HouseAction::ManageSettings)?;
    let RulesRequest { version, allow, deny, force } = request;
    let keep = Some(yours).filter(|_| !force);
    let new = NewRules { expected: Some(version), allow, deny, keep };
    let rules = app.set_addresses(Some(caller.user), new).await?;
    Answer::ok(&RulesView { rules: &rules, yours: yours.to_canonical() })
}
