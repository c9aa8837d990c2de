//! Finding people, one's own profile, and what whoever runs the house does with accounts:
//! `/api/users`, `/api/users/search`, `/api/users/me`.

use std::sync::Arc;

use hearth_protocol::ids::{AttachmentId, UserId};
use hearth_protocol::presence::PresenceChoice;
use hearth_protocol::role::{HouseAction, HouseRole};
use hearth_store::{Change, Edit, User};
use serde::de::Deserializer;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::entries::{first_within, limit_within};
use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use super::users::UserView;
use crate::app::App;
use crate::auth::reset::ResetLink;
use crate::error::ApiError;
use crate::names::check_title;
use crate::people::Standing;

#[cfg(test)]
mod tests;

/// A person as they see themselves, and as whoever runs the house does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
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
        Self { user: UserView::whole(user), presence, guest_until, blocked }
    }
}

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(search, list, change_me, change, end, reset, sign_out))]
pub struct Doc;

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
    search.or(list).unify().or(me).unify().or(managing(app)).unify().boxed()
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

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Search {
    /// The beginning of a name or display name; empty: everybody.
    #[serde(default)]
    q: String,
    /// How many at most.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// Those after this one.
    after: Option<UserId>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// Those after this one.
    after: Option<UserId>,
}

/// A page of people.
#[derive(Serialize, ToSchema)]
struct PeoplePage<T> {
    users: Vec<T>,
    /// After whom the next page begins; `None`: this is the last one.
    next: Option<UserId>,
}

impl<T: Serialize> PeoplePage<(UserId, T)> {
    /// As much of it as an answer has room for.
    fn answer(self, app: &App) -> Result<Answer, ApiError> {
        let (ids, views): (Vec<_>, Vec<_>) = self.users.into_iter().unzip();
        let users = first_within(views, app.limits.page_bytes_max)?;
        let left_out = users.len() < ids.len();
        let last = users.len().checked_sub(1).map(|last| ids[last]).filter(|_| left_out);
        Answer::ok(&PeoplePage { users, next: last.or(self.next) })
    }
}

/// A page of those who are found, before it is looked at who may see whom.
async fn page(
    app: &App,
    beginning: &str,
    limit: Option<usize>,
    after: Option<UserId>,
) -> Result<PeoplePage<User>, ApiError> {
    let max = app.limits.page_entries_max;
    let limit = limit_within(limit, max, max)?;
    let users = app.store.find_users(beginning, after, limit).await?;
    let next = users.last().map(|user| user.id).filter(|_| users.len() == limit);
    Ok(PeoplePage { users, next })
}

/// Finds people; who is gone only for whoever runs the house.
#[utoipa::path(get, path = "/api/users/search", params(Search),
    responses((status = 200, body = PeoplePage<UserView>)))]
async fn search(app: Arc<App>, caller: Caller, query: Search) -> Result<Answer, ApiError> {
    app.roles.require(caller.user, HouseAction::FindPeople)?;
    let max = app.limits.display_name_chars_max;
    let beginning = match query.q.trim() {
        "" => String::new(),
        some => check_title("a search", some, max)?,
    };
    let PeoplePage { users, next } = page(&app, &beginning, query.limit, query.after).await?;
    let (now, all) = (app.clock.now_ms(), app.roles.may(caller.user, HouseAction::ManagePeople));
    let mut seen = vec![];
    for user in users {
        let there = all || user.may_sign_in(now).is_ok();
        if there && app.may_see(caller.user, user.id) {
            seen.push((user.id, app.seen_by(caller.user, user)));
        }
    }
    PeoplePage { users: seen, next }.answer(&app)
}

/// Lists the accounts of the house.
#[utoipa::path(get, path = "/api/users", params(ListQuery),
    responses((status = 200, body = PeoplePage<AccountView>)))]
async fn list(app: Arc<App>, caller: Caller, query: ListQuery) -> Result<Answer, ApiError> {
    app.roles.require(caller.user, HouseAction::ManagePeople)?;
    let PeoplePage { users, next } = page(&app, "", query.limit, query.after).await?;
    let users = users.into_iter().map(|user| (user.id, AccountView::from(user))).collect();
    PeoplePage { users, next }.answer(&app)
}

/// A field that is there, also as `null`.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// What somebody changes of their own profile; what is not there stays.
#[derive(Deserialize, ToSchema)]
struct ProfileChange {
    /// What one signs in with; through a login.
    name: Option<String>,
    display_name: Option<String>,
    status_text: Option<String>,
    /// An attachment of one's own without a room, or (`null`) none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<AttachmentId>)]
    avatar: Option<Option<AttachmentId>>,
    presence: Option<PresenceChoice>,
}

/// Changes one's own profile.
#[utoipa::path(patch, path = "/api/users/me", request_body = ProfileChange,
    responses((status = 200, body = AccountView)))]
async fn change_me(
    app: Arc<App>,
    caller: Caller,
    asked: ProfileChange,
) -> Result<Answer, ApiError> {
    let _turn = app.auth.turn.lock().await;
    let mut user = app.person(caller.user).await?;
    let mut change = Change::of(vec![], app.clock.now_ms());
    if let Some(name) = asked.name.filter(|name| *name != user.name) {
        caller.login()?;
        app.rename(&mut change, &mut user, name)?;
    }
    if let Some(name) = asked.display_name {
        let max = app.limits.display_name_chars_max;
        user.display_name = check_title("a display name", &name, max)?;
    }
    if let Some(text) = asked.status_text {
        user.status_text = text.trim().to_string();
    }
    user.avatar = asked.avatar.unwrap_or(user.avatar);
    user.presence = asked.presence.unwrap_or(user.presence);
    change.edits.push(Edit::UpdateUser(user.clone()));
    app.store.change(change).await?;
    Answer::ok(&AccountView::from(user))
}

/// What whoever runs the house changes of an account; what is not there stays.
#[derive(Deserialize, ToSchema)]
struct StandingChange {
    role: Option<HouseRole>,
    /// ms since 1970, or (`null`) no end.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u64>)]
    guest_until: Option<Option<u64>>,
    blocked: Option<bool>,
}

/// Changes somebody's role, end or admission.
#[utoipa::path(patch, path = "/api/users/{user}", request_body = StandingChange,
    responses((status = 200, body = AccountView)))]
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

/// Ends an account.
#[utoipa::path(delete, path = "/api/users/{user}", responses((status = 204)))]
async fn end(id: UserId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    caller.login()?;
    app.roles.require(caller.user, HouseAction::ManagePeople)?;
    app.end_account(caller.user, id).await?;
    Answer::nothing()
}

/// Makes a link by which somebody sets a new password.
#[utoipa::path(post, path = "/api/users/{user}/reset", responses((status = 201, body = ResetLink)))]
async fn reset(id: UserId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    caller.login()?;
    app.roles.require(caller.user, HouseAction::ManagePeople)?;
    Answer::created(&app.make_reset(Some(caller.user), id).await?)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SignOut {
    /// App tokens too.
    #[serde(default)]
    tokens: bool,
}

/// Ends somebody's logins.
#[utoipa::path(delete, path = "/api/users/{user}/sessions", params(SignOut),
    responses((status = 204)))]
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
