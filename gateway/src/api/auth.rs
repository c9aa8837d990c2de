//! Logins, sessions and app tokens: `/api/auth`.

use std::net::IpAddr;
use std::sync::Arc;

use hearth_protocol::ids::TokenId;
use hearth_store::{Change, Edit};
use serde::Deserialize;
use serde_json::json;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, address, body, caller, with};
use super::reply::{Answer, answer};
use super::users::UserView;
use crate::accounts::Register;
use crate::app::App;
use crate::auth::Proof;
use crate::error::ApiError;
use crate::names::check_title;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let at = || warp::path("api").and(warp::path("auth"));
    let params = at()
        .and(path!("params"))
        .and(warp::get())
        .and(with(app))
        .and(warp::query())
        .then(params)
        .map(answer);
    let login = at()
        .and(path!("login"))
        .and(warp::post())
        .and(with(app))
        .and(address())
        .and(body(app))
        .then(login)
        .map(answer);
    let register = at()
        .and(path!("register"))
        .and(warp::post())
        .and(with(app))
        .and(body(app))
        .then(register)
        .map(answer);
    let refresh = at()
        .and(path!("refresh"))
        .and(warp::post())
        .and(with(app))
        .and(body(app))
        .then(refresh)
        .map(answer);
    let logout = at()
        .and(path!("logout"))
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .then(logout)
        .map(answer);
    let me =
        at().and(path!("me")).and(warp::get()).and(with(app)).and(caller(app)).then(me).map(answer);
    let without_token = params.or(login).unify().or(register).unify().or(refresh).unify();
    without_token.or(logout).unify().or(me).unify().or(tokens(app)).unify().boxed()
}

fn tokens(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let at = || warp::path("api").and(warp::path("auth")).and(warp::path("tokens"));
    let list = at()
        .and(warp::path::end())
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(list_tokens)
        .map(answer);
    let make = at()
        .and(warp::path::end())
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(make_token)
        .map(answer);
    let end = at()
        .and(path!(TokenId))
        .and(warp::delete())
        .and(with(app))
        .and(caller(app))
        .then(|id, app, caller| end_token(app, caller, id))
        .map(answer);
    list.or(make).unify().or(end).unify().boxed()
}

#[derive(Deserialize)]
struct ParamsQuery {
    username: String,
}

async fn params(app: Arc<App>, query: ParamsQuery) -> Result<Answer, ApiError> {
    Answer::ok(&app.auth.params(&query.username).await?)
}

#[derive(Deserialize)]
struct LoginRequest {
    username: String,
    #[serde(default, with = "hearth_protocol::bytes::option")]
    auth_key: Option<Vec<u8>>,
    password: Option<String>,
    #[serde(default)]
    label: String,
}

async fn login(app: Arc<App>, address: IpAddr, request: LoginRequest) -> Result<Answer, ApiError> {
    let proof = match (request.auth_key, request.password) {
        (Some(key), None) => {
            let length = |_| ApiError::invalid("bad_auth_key", "auth_key has 32 bytes");
            Proof::AuthKey(key.try_into().map_err(length)?)
        }
        (None, Some(password)) => Proof::Password(password),
        _ => {
            let message = "a login brings either `auth_key` or `password`";
            return Err(ApiError::invalid("bad_login", message));
        }
    };
    Answer::ok(&app.auth.login(&request.username, proof, &request.label, address).await?)
}

async fn register(app: Arc<App>, request: Register) -> Result<Answer, ApiError> {
    Answer::created(&app.register(request).await?)
}

#[derive(Deserialize)]
struct RefreshRequest {
    refresh: String,
}

async fn refresh(app: Arc<App>, request: RefreshRequest) -> Result<Answer, ApiError> {
    Answer::ok(&app.auth.refresh(&request.refresh).await?)
}

async fn logout(app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    let edits = vec![Edit::RemoveSession(caller.login()?)];
    app.store.change(Change::of(edits, app.clock.now_ms())).await?;
    Answer::nothing()
}

async fn me(app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    let user = app.store.user(caller.user).await?.ok_or_else(|| ApiError::not_found("person"))?;
    Answer::ok(&json!({ "user": UserView::from(user) }))
}

async fn list_tokens(app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    caller.login()?;
    let tokens = app.store.tokens_of(caller.user).await?;
    let tokens: Vec<_> = tokens
        .into_iter()
        .map(|token| {
            json!({ "id": token.id, "label": token.label, "created_at": token.created_at,
                    "last_used_at": token.last_used_at })
        })
        .collect();
    Answer::ok(&json!({ "tokens": tokens }))
}

#[derive(Deserialize)]
struct TokenRequest {
    label: String,
}

async fn make_token(
    app: Arc<App>,
    caller: Caller,
    request: TokenRequest,
) -> Result<Answer, ApiError> {
    caller.login()?;
    let label = check_title("a label", &request.label, app.limits.display_name_chars_max)?;
    let (token, text) = app.auth.make_app_token(caller.user, &label).await?;
    Answer::created(&json!({ "id": token.id, "label": token.label, "token": text,
                             "created_at": token.created_at }))
}

async fn end_token(app: Arc<App>, caller: Caller, id: TokenId) -> Result<Answer, ApiError> {
    caller.login()?;
    let tokens = app.store.tokens_of(caller.user).await?;
    if !tokens.iter().any(|token| token.id == id) {
        return Err(ApiError::not_found("token"));
    }
    app.store.change(Change::of(vec![Edit::RemoveToken(id)], app.clock.now_ms())).await?;
    Answer::nothing()
}
