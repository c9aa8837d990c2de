//! Finding people, one's own profile, and what whoever runs the house does with accounts:
//! `/api/users`, `/api/users/search`, `/api/users/me`, `/api/bots`.

use std::sync::Arc;

use hearth_protocol::ids::{AttachmentId, TokenId, UserId};
use hearth_protocol::presence::PresenceChoice;
use hearth_protocol::role::{HouseAction, HouseRole};
use hearth_store::{Change, Edit, User};
use serde::de::Deserializer;
use serde::{Deserialize, Serialize};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::auth::{NewToken, TokenList, TokenRequest};
use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use super::users::UserView;
use crate::app::App;
use crate::bots::NewBot;
use crate::error::ApiError;
use crate::names::check_title;
use crate::people::Standing;

#[cfg(test)]
mod tests;

/// A person as they see themselves, and as whoever runs the house does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountView {
    #[serde(flatten)]
    user: UserView,
    /// What they want to be shown as.
    presence: PresenceChoice,
    /// When a guest's account ends, ms since 1970.
    guest_until: Option<u64>,
    /// Kept out by whoever runs the house.
    blocked: bool,
}

impl From<User> for AccountView {
    fn from(user: User) -> Self {
        let (presence, guest_until, blocked) = (user.presence, user.guest_until, user.blocked);
        Self { user: user.into(), presence, guest_until, blocked }
    }
}

/// Its routes; before those of one person, whose id `me` and `search` are not.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let search = path!("api" / "users" / "search")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .and(warp::query())
        .then(search)
        .map(answer);
    let list = path!("api" / "users")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .and(warp::query())
        .then(list)
        .map(answer);
    let me = path!("api" / "users" / "me")
        .and(warp::patch())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(change_me)
        .map(answer);
    search.or(list).unify().or(me).unify().or(managing(app)).unify().or(bots(app)).unify().boxed()
}

fn managing(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let change = path!("api" / "users" / UserId)
        .and(warp::patch())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(change)
        .map(answer);
    let end = path!("api" / "users" / UserId)
        .and(warp::delete())
        .and(with(app))
        .and(caller(app))
        .then(end)
        .map(answer);
    let reset = path!("api" / "users" / UserId / "reset")
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .then(reset)
        .map(answer);
    let sign_out = path!("api" / "users" / UserId / "sessions")
        .and(warp::delete())
        .and(with(app))
        .and(caller(app))
        .and(warp::query())
        .then(sign_out)
        .map(answer);
    change.or(end).unify().or(reset).unify().or(sign_out).unify().boxed()
}

fn bots(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let make = path!("api" / "bots")
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(make_bot)
        .map(answer);
    let tokens = path!("api" / "bots" / UserId / "tokens")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(bot_tokens)
        .map(answer);
    let make_token = path!("api" / "bots" / UserId / "tokens")
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(make_bot_token)
        .map(answer);
    let end_token = path!("api" / "bots" / UserId / "tokens" / TokenId)
        .and(warp::delete())
        .and(with(app))
        .and(caller(app))
        .then(end_bot_token)
        .map(answer);
    make.or(tokens).unify().or(make_token).unify().or(end_token).unify().boxed()
}

#[derive(Deserialize)]
struct Search {
    q: String,
    limit: Option<usize>,
    after: Option<UserId>,
}

#[derive(Deserialize)]
struct ListQuery {
    limit: Option<usize>,
    after: Option<UserId>,
}

/// A page of people.
#[derive(Serialize)]
struct Page<T> {
    users: Vec<T>,
    /// After whom the next page begins; `None`: this is the last one.
    next: Option<UserId>,
}

/// A page of those who are found, before it is looked at who may see whom.
async fn page(
    app: &App,
    beginning: &str,
    limit: Option<usize>,
    after: Option<UserId>,
) -> Result<Page<User>, ApiError> {
    let max = app.limits.page_entries_max;
    let limit = limit.unwrap_or(max);
    if !(1..=max).contains(&limit) {
        let message = format!("a page has 1 to {max} people");
        return Err(ApiError::invalid("bad_limit", message));
    }
    let users = app.store.find_users(beginning, after, limit).await?;
    let next = users.last().map(|user| user.id).filter(|_| users.len() == limit);
    Ok(Page { users, next })
}

/// Who is gone is found by whoever runs the house only.
async fn search(app: Arc<App>, caller: Caller, query: Search) -> Result<Answer, ApiError> {
    app.roles.require(caller.user, HouseAction::FindPeople)?;
    let max = app.limits.display_name_chars_max;
    let beginning = check_title("a search", &query.q, max)?;
    let Page { users, next } = page(&app, &beginning, query.limit, query.after).await?;
    let (now, all) = (app.clock.now_ms(), app.roles.may(caller.user, HouseAction::ManagePeople));
    let mut seen = vec![];
    for user in users {
        let there = all || user.may_sign_in(now).is_ok();
        if there && app.may_see(caller.user, user.id).await? {
            seen.push(UserView::from(user));
        }
    }
    Answer::ok(&Page { users: seen, next })
}

async fn list(app: Arc<App>, caller: Caller, query: ListQuery) -> Result<Answer, ApiError> {
    app.roles.require(caller.user, HouseAction::ManagePeople)?;
    let Page { users, next } = page(&app, "", query.limit, query.after).await?;
    let users: Vec<_> = users.into_iter().map(AccountView::from).collect();
    Answer::ok(&Page { users, next })
}

/// A field that is there, also as `null`.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// What somebody changes of their own profile; what is not there stays.
#[derive(Deserialize)]
struct ProfileChange {
    display_name: Option<String>,
    status_text: Option<String>,
    /// An attachment of one's own without a room, or (`null`) none.
    #[serde(default, deserialize_with = "given")]
    avatar: Option<Option<AttachmentId>>,
    presence: Option<PresenceChoice>,
}

async fn change_me(
    app: Arc<App>,
    caller: Caller,
    asked: ProfileChange,
) -> Result<Answer, ApiError> {
    let _turn = app.auth.turn.lock().await;
    let mut user = app.person(caller.user).await?;
    if let Some(name) = asked.display_name {
        let max = app.limits.display_name_chars_max;
        user.display_name = check_title("a display name", &name, max)?;
    }
    if let Some(text) = asked.status_text {
        user.status_text = text.trim().to_string();
    }
    user.avatar = asked.avatar.unwrap_or(user.avatar);
    user.presence = asked.presence.unwrap_or(user.presence);
    let edits = vec![Edit::UpdateUser(user.clone())];
    app.store.change(Change::of(edits, app.clock.now_ms())).await?;
    Answer::ok(&AccountView::from(user))
}

/// What whoever runs the house changes of an account; what is not there stays.
#[derive(Deserialize)]
struct StandingChange {
    role: Option<HouseRole>,
    /// ms since 1970, or (`null`) no end.
    #[serde(default, deserialize_with = "given")]
    guest_until: Option<Option<u64>>,
    blocked: Option<bool>,
}

async fn change(
    id: UserId,
    app: Arc<App>,
    caller: Caller,
    asked: StandingChange,
) -> Result<Answer, ApiError> {
    caller.login()?;
    app.roles.require(caller.user, HouseAction::ManagePeople)?;
    let StandingChange { role, guest_until, blocked } = asked;
    let standing = Standing { role, guest_until, blocked };
    let user = app.set_standing(caller.user, id, standing).await?;
    Answer::ok(&AccountView::from(user))
}

async fn end(id: UserId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    caller.login()?;
    app.roles.require(caller.user, HouseAction::ManagePeople)?;
    app.end_account(caller.user, id).await?;
    Answer::nothing()
}

async fn reset(id: UserId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    caller.login()?;
    app.roles.require(caller.user, HouseAction::ManagePeople)?;
    Answer::created(&app.make_reset(Some(caller.user), id).await?)
}

#[derive(Deserialize)]
struct SignOut {
    /// App tokens too.
    #[serde(default)]
    tokens: bool,
}

async fn sign_out(
    id: UserId,
    app: Arc<App>,
    caller: Caller,
    asked: SignOut,
) -> Result<Answer, ApiError> {
    caller.login()?;
    app.roles.require(caller.user, HouseAction::ManagePeople)?;
    app.sign_out(caller.user, id, asked.tokens).await?;
    Answer::nothing()
}

/// A bot with its first token.
#[derive(Serialize)]
struct MadeBot {
    user: AccountView,
    #[serde(flatten)]
    token: NewToken,
}

async fn make_bot(app: Arc<App>, caller: Caller, new: BotRequest) -> Result<Answer, ApiError> {
    caller.login()?;
    let (label, scope) = new.token.checked(&app)?;
    let bot = NewBot { name: new.name, display_name: new.display_name, label, scope };
    let (user, token, text) = app.make_bot(caller.user, bot).await?;
    Answer::created(&MadeBot { user: user.into(), token: NewToken::new(token, text) })
}

#[derive(Deserialize)]
struct BotRequest {
    name: String,
    display_name: Option<String>,
    token: TokenRequest,
}

async fn bot_tokens(id: UserId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    caller.login()?;
    let bot = app.require_bot(caller.user, id).await?;
    Answer::ok(&TokenList::from(app.store.tokens_of(bot.id).await?))
}

async fn make_bot_token(
    id: UserId,
    app: Arc<App>,
    caller: Caller,
    new: TokenRequest,
) -> Result<Answer, ApiError> {
    caller.login()?;
    let (label, scope) = new.checked(&app)?;
    let (token, text) = app.make_bot_token(caller.user, id, &label, scope).await?;
    Answer::created(&NewToken::new(token, text))
}

async fn end_bot_token(
    id: UserId,
    token: TokenId,
    app: Arc<App>,
    caller: Caller,
) -> Result<Answer, ApiError> {
    caller.login()?;
    app.end_bot_token(caller.user, id, token).await?;
    Answer::nothing()
}
