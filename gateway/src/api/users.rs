//! People, their cards and vaults: `/api/users`, `/api/vault`.

use std::sync::Arc;

use hearth_protocol::bytes::b64u;
use hearth_protocol::ids::UserId;
use hearth_protocol::role::{HouseAction, HouseRole};
use hearth_protocol::schema::B64u;
use hearth_protocol::sealing::password::Cost;
use hearth_store::{Change, User, Vault};
use serde::{Deserialize, Serialize};
use utoipa::OpenApi;
use utoipa::ToSchema;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::error::ApiError;

/// A person as the others see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UserView {
    id: UserId,
    name: String,
    display_name: String,
    role: HouseRole,
    /// ms since 1970.
    created_at: u64,
    /// ms since 1970; 0: never.
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

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(one, cards, put_card, vault, swap_vault, disconnect))]
pub struct Doc;

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

/// Shows a person.
#[utoipa::path(get, path = "/api/users/{user}", responses((status = 200, body = UserView)))]
async fn one(app: Arc<App>, id: UserId) -> Result<Answer, ApiError> {
    Answer::ok(&UserView::from(person(&app, id).await?))
}

/// The cards of a person, the oldest first (sealing.md §2).
#[derive(Serialize, ToSchema)]
struct CardList {
    #[schema(value_type = Vec<B64u>)]
    cards: Vec<String>,
}

/// Lists the cards of a person.
#[utoipa::path(get, path = "/api/users/{user}/cards", responses((status = 200, body = CardList)))]
async fn cards(app: Arc<App>, id: UserId) -> Result<Answer, ApiError> {
    person(&app, id).await?;
    let cards = app.store.cards(id).await?;
    Answer::ok(&CardList { cards: cards.iter().map(|card| b64u(card)).collect() })
}

/// Ends every connection of a person at once.
#[utoipa::path(post, path = "/api/users/{user}/disconnect", responses((status = 204)))]
async fn disconnect(id: UserId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    app.roles.require(caller.user, HouseAction::Disconnect)?;
    app.disconnect(person(&app, id).await?.id);
    Answer::nothing()
}

/// A card that follows the last one.
#[derive(Deserialize, ToSchema)]
struct NewCard {
    #[serde(with = "hearth_protocol::bytes")]
    #[schema(value_type = B64u)]
    card: Vec<u8>,
}

/// Adds a card of one's own.
#[utoipa::path(put, path = "/api/users/me/card", request_body = NewCard, responses((status = 204)))]
async fn put_card(app: Arc<App>, caller: Caller, request: NewCard) -> Result<Answer, ApiError> {
    caller.login()?;
    let mut change = Change::of(vec![], app.clock.now_ms());
    app.put_card(&mut change, caller.user, request.card)?;
    app.store.change(change).await?;
    Answer::nothing()
}

/// A person's keys as their client sealed them, and what their password is stretched with.
#[derive(Serialize, ToSchema)]
struct VaultView {
    version: u64,
    #[serde(with = "hearth_protocol::bytes")]
    #[schema(value_type = B64u)]
    vault: Vec<u8>,
    #[serde(with = "hearth_protocol::bytes")]
    #[schema(value_type = B64u)]
    recovery: Vec<u8>,
    #[serde(with = "hearth_protocol::bytes::array")]
    #[schema(value_type = B64u)]
    salt: [u8; 16],
    cost: Cost,
}

/// Gives one's own keys as they were sealed.
#[utoipa::path(get, path = "/api/vault", responses((status = 200, body = VaultView)))]
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
    let Vault { version, vault, recovery } = vault;
    let (salt, cost) = (user.login.salt, user.login.cost);
    Answer::ok(&VaultView { version, vault, recovery, salt, cost })
}

/// The vault that follows version `expected_version` (0: there is none yet).
#[derive(Deserialize, ToSchema)]
struct NewVault {
    expected_version: u64,
    #[serde(with = "hearth_protocol::bytes")]
    #[schema(value_type = B64u)]
    vault: Vec<u8>,
    #[serde(with = "hearth_protocol::bytes")]
    #[schema(value_type = B64u)]
    recovery: Vec<u8>,
    /// With the first vault.
    #[serde(default, with = "hearth_protocol::bytes::option")]
    #[schema(value_type = Option<B64u>)]
    card: Option<Vec<u8>>,
}

/// The version that a vault has now.
#[derive(Serialize, ToSchema)]
struct VaultStored {
    version: u64,
}

/// Replaces one's own vault, if nobody was quicker.
#[utoipa::path(put, path = "/api/vault", request_body = NewVault,
    responses((status = 200, body = VaultStored)))]
async fn swap_vault(app: Arc<App>, caller: Caller, request: NewVault) -> Result<Answer, ApiError> {
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
            Answer::ok(&VaultStored { version: current + 1 })
        }
    }
}
