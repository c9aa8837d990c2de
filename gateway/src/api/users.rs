//! People, their cards and vaults: `/api/users`, `/api/vault`.

use std::sync::Arc;

use hearth_protocol::bytes::b64u;
use hearth_protocol::ids::UserId;
use hearth_protocol::role::{HouseAction, HouseRole};
use hearth_store::{Change, User};
use serde::{Deserialize, Serialize};
use serde_json::json;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::error::ApiError;

/// A person as the others see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserView {
    id: UserId,
    name: String,
    display_name: String,
    role: HouseRole,
    created_at: u64,
    last_seen: u64,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            name: user.name,
            display_name: user.display_name,
            role: user.role,
            created_at: user.created_at,
            last_seen: user.last_seen,
        }
    }
}

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let one = path!("api" / "users" / UserId)
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(|id, app, _caller| one(app, id))
        .map(answer);
    let cards = path!("api" / "users" / UserId / "cards")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(|id, app, _caller| cards(app, id))
        .map(answer);
    let put_card = path!("api" / "users" / "me" / "card")
        .and(warp::put())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(put_card)
        .map(answer);
    let vault = path!("api" / "vault")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(vault)
        .map(answer);
    let swap = path!("api" / "vault")
        .and(warp::put())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(swap_vault)
        .map(answer);
    let disconnect = path!("api" / "users" / UserId / "disconnect")
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .then(disconnect)
        .map(answer);
    let people = one.or(cards).unify().or(put_card).unify().or(disconnect).unify();
    people.or(vault).unify().or(swap).unify().boxed()
}

async fn person(app: &App, id: UserId) -> Result<User, ApiError> {
    app.store.user(id).await?.ok_or_else(|| ApiError::not_found("person"))
}

async fn one(app: Arc<App>, id: UserId) -> Result<Answer, ApiError> {
    Answer::ok(&UserView::from(person(&app, id).await?))
}

async fn cards(app: Arc<App>, id: UserId) -> Result<Answer, ApiError> {
    person(&app, id).await?;
    let cards = app.store.cards(id).await?;
    let cards: Vec<_> = cards.iter().map(|card| b64u(card)).collect();
    Answer::ok(&json!({ "cards": cards }))
}

async fn disconnect(id: UserId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    app.roles.require(caller.user, HouseAction::Disconnect)?;
    app.disconnect(person(&app, id).await?.id, Some(caller.user)).await?;
    Answer::nothing()
}

#[derive(Deserialize)]
struct CardRequest {
    #[serde(with = "hearth_protocol::bytes")]
    card: Vec<u8>,
}

async fn put_card(app: Arc<App>, caller: Caller, request: CardRequest) -> Result<Answer, ApiError> {
    caller.login()?;
    let mut change = Change::of(vec![], app.clock.now_ms());
    app.put_card(&mut change, caller.user, request.card)?;
    app.store.change(change).await?;
    Answer::nothing()
}

async fn vault(app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    caller.login()?;
    let user = person(&app, caller.user).await?;
    let vault = app.store.vault(caller.user).await?.ok_or_else(|| {
        ApiError::new(
            hearth_protocol::refusal::Kind::NotFound,
            "no_vault",
            "this account has no keys yet",
        )
        .hint("PUT the first vault with expected_version 0 and the card")
    })?;
    Answer::ok(&json!({
        "version": vault.version,
        "vault": b64u(&vault.vault),
        "recovery": b64u(&vault.recovery),
        "salt": b64u(&user.login.salt),
        "cost": user.login.cost,
    }))
}

#[derive(Deserialize)]
struct VaultRequest {
    expected_version: u64,
    #[serde(with = "hearth_protocol::bytes")]
    vault: Vec<u8>,
    #[serde(with = "hearth_protocol::bytes")]
    recovery: Vec<u8>,
    #[serde(default, with = "hearth_protocol::bytes::option")]
    card: Option<Vec<u8>>,
}

async fn swap_vault(
    app: Arc<App>,
    caller: Caller,
    request: VaultRequest,
) -> Result<Answer, ApiError> {
    caller.login()?;
    let current = app.store.vault(caller.user).await?.map_or(0, |vault| vault.version);
    let conflict = || {
        ApiError::conflict("vault_conflict", "another device changed the vault meanwhile")
            .hint("GET /api/vault, merge, and try again")
    };
    if current != request.expected_version {
        return Err(conflict());
    }
    let mut change = Change::of(vec![], app.clock.now_ms());
    match request.card {
        Some(card) => app.put_card(&mut change, caller.user, card)?,
        None if current == 0 => {
            return Err(ApiError::invalid("card_required", "the first vault brings the card"));
        }
        None => {}
    }
    let (vault, recovery) = (request.vault, request.recovery);
    app.put_vault(&mut change, caller.user, current, vault, recovery)?;
    match app.store.change(change).await {
        Err(hearth_store::StoreError::Stale { .. }) => Err(conflict()),
        done => {
            done?;
            Answer::ok(&json!({ "version": current + 1 }))
        }
    }
}
