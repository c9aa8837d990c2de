//! People, their cards and vaults: `/api/users`, `/api/vault`.

use std::sync::Arc;

use hearth_protocol::bytes::b64u;
use hearth_protocol::ids::{AttachmentId, UserId};
use hearth_protocol::role::{HouseAction, HouseRole};
use hearth_protocol::schema::B64u;
use hearth_protocol::sealing::password::Cost;
use hearth_store::{Change, User};
use serde::{Deserialize, Serialize};
use utoipa::OpenApi;
use utoipa::ToSchema;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::auth::password::vault_conflict;
use crate::error::ApiError;

/// A person as the others see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UserView {
    id: UserId,
    name: String,
    display_name: String,
    avatar: Option<AttachmentId>,
    status_text: String,
    role: HouseRole,
    /// ms since 1970.
    created_at: u64,
    /// ms since 1970; 0: never, or not for the asker.
    last_seen: u64,
}

impl UserView {
    /// Who somebody is, and nothing of how they are.
    pub fn who(user: User) -> Self {
        let user = Self::whole(user);
        Self { avatar: None, status_text: String::new(), last_seen: 0, ..user }
    }

    /// All of it: for themselves, and for [`App::seen_by`].
    pub fn whole(user: User) -> Self {
        Self {
            id: user.id,
            name: user.name,
            display_name: user.display_name,
            avatar: user.avatar,
            status_text: user.status_text,
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
        .then(|id, app, caller| one(app, caller, id))
        .map(answer);
    let cards = path!("api" / "users" / UserId / "cards")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(|id, app, caller| cards(app, caller, id))
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

/// Somebody whom the asker may know of.
async fn seen(app: &App, caller: &Caller, id: UserId) -> Result<User, ApiError> {
    let user = app.person(id).await?;
    if app.may_see(caller.user, id) {
        return Ok(user);
    }
    Err(ApiError::not_found("person"))
}

/// Shows a person.
#[utoipa::path(get, path = "/api/users/{user}", responses((status = 200, body = UserView)))]
async fn one(app: Arc<App>, caller: Caller, id: UserId) -> Result<Answer, ApiError> {
    let user = seen(&app, &caller, id).await?;
    Answer::ok(&app.seen_by(caller.user, user))
}

/// The cards of a person, the oldest first (sealing.md §2).
#[derive(Serialize, ToSchema)]
struct CardList {
    #[schema(value_type = Vec<B64u>)]
    cards: Vec<String>,
}

/// Lists the cards of a person, also to whoever is in a sealed room that ever listed them.
#[utoipa::path(get, path = "/api/users/{user}/cards", responses((status = 200, body = CardList)))]
async fn cards(app: Arc<App>, caller: Caller, id: UserId) -> Result<Answer, ApiError> {
    // The same reads, whether or not there is such a person.
    let seen = app.store.user(id).await?.is_some() && app.may_see(caller.user, id);
    if !seen && !app.is_listed_with(caller.user, id).await? {
        return Err(ApiError::not_found("person"));
    }
    let cards = app.store.cards(id).await?;
    Answer::ok(&CardList { cards: cards.iter().map(|card| b64u(card)).collect() })
}

/// Ends every connection of a person at once.
#[utoipa::path(post, path = "/api/users/{user}/disconnect", responses((status = 204)))]
async fn disconnect(id: UserId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    app.roles.require(caller.user, HouseAction::Disconnect)?;
    app.disconnect(app.person(id).await?.id, Some(caller.user)).await?;
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
    app.follow_card(&mut change, caller.user, request.card).await?;
    app.change_epoch(change).await?;
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
    /// Those of the password that one signs in with; else of an older one, since a reset.
    under_login: bool,
}

/// Gives one's own keys as they were sealed.
#[utoipa::path(get, path = "/api/vault", responses((status = 200, body = VaultView)))]
async fn vault(app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    caller.login()?;
    let login = app.person(caller.user).await?.login;
    let vault = app.store.vault(caller.user).await?.ok_or_else(|| {
        ApiError::new(
            hearth_protocol::refusal::Kind::NotFound,
            "no_vault",
            "this account has no keys yet",
        )
        .hint("PUT the first vault with expected_version 0 and the card")
    })?;
    let under_login = vault.sealed_under.is_none();
    let (salt, cost) =
        vault.sealed_under.map_or((login.salt, login.cost), |under| (under.salt, under.cost));
    let (version, recovery, vault) = (vault.version, vault.recovery, vault.vault);
    Answer::ok(&VaultView { version, vault, recovery, salt, cost, under_login })
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
    /// The root in it lies under the password that one signs in with now.
    #[serde(default)]
    under_login: bool,
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
    let (current, under) = match app.store.vault(caller.user).await? {
        Some(vault) => (vault.version, vault.sealed_under),
        None => (0, None),
    };
    if current != request.expected_version {
        return Err(vault_conflict());
    }
    let mut change = Change::of(vec![], app.clock.now_ms());
    match request.card {
        Some(card) => app.follow_card(&mut change, caller.user, card).await?,
        None if current == 0 => {
            return Err(ApiError::invalid("card_required", "the first vault brings the card"));
        }
        None => {}
    }
    // Who rewrites the second part only leaves the root under what it lay under.
    let under = under.filter(|_| !request.under_login);
    let sealed = (request.vault, request.recovery);
    app.put_vault(&mut change, caller.user, current, sealed, under)?;
    match app.store.change(change).await {
        Err(hearth_store::StoreError::Stale { .. }) => Err(vault_conflict()),
        done => {
            done?;
            Answer::ok(&VaultStored { version: current + 1 })
        }
    }
}

#[cfg(test)]
mod tests;
