//! One's own logins, another password, a link for one, and the pairing of a new device:
//! `/api/auth/sessions`, `/api/auth/password`, `/api/auth/reset`, `/api/pair`.

use std::net::IpAddr;
use std::sync::Arc;

use hearth_protocol::bytes::{b64u, from_b64u};
use hearth_protocol::ids::{SessionId, UserId};
use hearth_protocol::schema::B64u;
use hearth_store::{Change, Edit};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, address, body, caller, open_body, with};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::auth::SessionReply;
use crate::auth::pairing::ChannelId;
use crate::auth::password::PasswordChange;
use crate::auth::reset::UseReset;
use crate::auth::sessions::ended;
use crate::error::ApiError;

#[cfg(test)]
mod tests;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(list, make, end_others, end, password, reset, put_message, messages))]
pub struct Doc;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let list = path!("api" / "auth" / "sessions")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(list)
        .map(answer);
    let make = path!("api" / "auth" / "sessions")
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(make)
        .map(answer);
    let end_others = path!("api" / "auth" / "sessions")
        .and(warp::delete())
        .and(with(app))
        .and(caller(app))
        .then(end_others)
        .map(answer);
    let end = path!("api" / "auth" / "sessions" / SessionId)
        .and(warp::delete())
        .and(with(app))
        .and(caller(app))
        .then(end)
        .map(answer);
    let password = path!("api" / "auth" / "password")
        .and(warp::put())
        .and(with(app))
        .and(caller(app))
        .and(address())
        .and(body(app))
        .then(password)
        .map(answer);
    let reset = path!("api" / "auth" / "reset")
        .and(warp::post())
        .and(with(app))
        .and(open_body(app))
        .then(reset)
        .map(answer);
    let sessions = list.or(make).unify().or(end_others).unify().or(end).unify();
    sessions.or(password).unify().or(reset).unify().or(pairing(app)).unify().boxed()
}

fn pairing(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let put = path!("api" / "pair" / String)
        .and(warp::post())
        .and(with(app))
        .and(address())
        .and(open_body(app))
        .then(put_message)
        .map(answer);
    let get = path!("api" / "pair" / String)
        .and(warp::get())
        .and(with(app))
        .and(warp::query())
        .then(messages)
        .map(answer);
    put.or(get).unify().boxed()
}

/// A login of somebody.
#[derive(Serialize, ToSchema)]
struct SessionView {
    id: SessionId,
    /// What its device is called.
    label: String,
    /// ms since 1970.
    created_at: u64,
    /// ms since 1970.
    last_seen: u64,
    /// Whether it is the one that asks.
    current: bool,
}

/// A person's logins, the oldest first.
#[derive(Serialize, ToSchema)]
pub struct SessionList {
    sessions: Vec<SessionView>,
}

impl SessionList {
    /// The logins of a person, of which one asks.
    pub async fn of(app: &App, user: UserId, current: SessionId) -> Result<Self, ApiError> {
        let now = app.clock.now_ms();
        let mut sessions = vec![];
        for session in app.store.sessions_of(user).await? {
            let last_seen = app.auth.live.last_seen(&session);
            if !session.is_over(now, &app.limits) {
                let (id, label, created_at) = (session.id, session.label, session.created_at);
                let current = id == current;
                sessions.push(SessionView { id, label, created_at, last_seen, current });
            }
        }
        Ok(Self { sessions })
    }
}

/// Lists one's logins.
#[utoipa::path(get, path = "/api/auth/sessions", responses((status = 200, body = SessionList)))]
async fn list(app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    let current = caller.login()?;
    Answer::ok(&SessionList::of(&app, caller.user, current).await?)
}

/// What the new device is called.
#[derive(Deserialize, ToSchema)]
struct NewSession {
    #[serde(default)]
    label: String,
}

/// Makes a login for a device that is being paired: its secrets go to it sealed.
#[utoipa::path(post, path = "/api/auth/sessions", request_body = NewSession,
    responses((status = 201, body = SessionReply)))]
async fn make(app: Arc<App>, caller: Caller, new: NewSession) -> Result<Answer, ApiError> {
    let login = caller.login()?;
    // Not after the password was changed, however little.
    let _turn = app.auth.turn.lock().await;
    let user = app.person(caller.user).await?;
    if app.store.session(login).await?.is_none() {
        return Err(ended());
    }
    let made = app.auth.new_session(user.id, &new.label);
    let edits = vec![Edit::PutSession(made.session.clone())];
    app.store.change(Change::of(edits, app.clock.now_ms())).await?;
    Answer::created(&app.auth.reply(made, user)?)
}

/// Ends a login of one's own.
#[utoipa::path(delete, path = "/api/auth/sessions/{session}", responses((status = 204)))]
async fn end(id: SessionId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    caller.login()?;
    let session = app.store.session(id).await?;
    if session.is_none_or(|session| session.user != caller.user) {
        return Err(ApiError::not_found("login"));
    }
    app.store.change(Change::of(vec![Edit::RemoveSession(id)], app.clock.now_ms())).await?;
    Answer::nothing()
}

/// Ends all of one's logins but the one that asks.
#[utoipa::path(delete, path = "/api/auth/sessions", responses((status = 204)))]
async fn end_others(app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    let this = caller.login()?;
    let edits = app.auth.ends(caller.user, Some(this), false).await?;
    app.store.change(Change::of(edits, app.clock.now_ms())).await?;
    Answer::nothing()
}

/// Sets another password.
#[utoipa::path(put, path = "/api/auth/password", request_body = PasswordChange,
    responses((status = 204)))]
async fn password(
    app: Arc<App>,
    caller: Caller,
    address: IpAddr,
    request: PasswordChange,
) -> Result<Answer, ApiError> {
    let session = caller.login()?;
    app.change_password(caller.user, session, address, request).await?;
    Answer::nothing()
}

/// Whose password was set: they sign in with it next.
#[derive(Serialize, ToSchema)]
struct ResetDone {
    username: String,
}

/// Sets a password by a link.
#[utoipa::path(post, path = "/api/auth/reset", security(()), request_body = UseReset,
    responses((status = 200, body = ResetDone)))]
async fn reset(app: Arc<App>, request: UseReset) -> Result<Answer, ApiError> {
    Answer::ok(&ResetDone { username: app.use_reset(request).await? })
}

/// A message of a pairing: a public key, or what is handed over, sealed.
#[derive(Deserialize, ToSchema)]
struct PairMessage {
    #[serde(with = "hearth_protocol::bytes")]
    #[schema(value_type = B64u)]
    message: Vec<u8>,
}

fn channel(text: &str) -> Result<ChannelId, ApiError> {
    let id = from_b64u(text).and_then(|bytes| bytes.try_into().ok());
    id.ok_or_else(|| ApiError::invalid("bad_channel", "a channel is 16 random bytes in base64url"))
}

/// The number that a message got, from 1.
#[derive(Serialize, ToSchema)]
struct PairPlace {
    number: usize,
}

/// Puts a message into a pairing's channel.
#[utoipa::path(post, path = "/api/pair/{channel}", security(()), request_body = PairMessage,
    responses((status = 201, body = PairPlace)))]
async fn put_message(
    id: String,
    app: Arc<App>,
    address: IpAddr,
    sent: PairMessage,
) -> Result<Answer, ApiError> {
    let (id, now) = (channel(&id)?, app.clock.now_ms());
    let number = app.auth.channels.put(id, sent.message, address, now, &app.limits)?;
    Answer::created(&PairPlace { number })
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct After {
    /// Those after this number.
    #[serde(default)]
    after: usize,
}

/// The messages of a pairing.
#[derive(Serialize, ToSchema)]
struct PairMessages {
    #[schema(value_type = Vec<B64u>)]
    messages: Vec<String>,
}

/// Gives the messages of a pairing.
#[utoipa::path(get, path = "/api/pair/{channel}", security(()), params(After),
    responses((status = 200, body = PairMessages)))]
async fn messages(id: String, app: Arc<App>, query: After) -> Result<Answer, ApiError> {
    let found = app.auth.channels.after(channel(&id)?, query.after, app.clock.now_ms());
    let found = found.ok_or_else(|| ApiError::not_found("pairing"))?;
    Answer::ok(&PairMessages { messages: found.iter().map(|message| b64u(message)).collect() })
}
