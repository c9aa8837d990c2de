//! Logins, sessions and app tokens: `/api/auth`.

use std::net::IpAddr;
use std::sync::Arc;

use hearth_protocol::ids::TokenId;
use hearth_protocol::schema::B64u;
use hearth_store::{AppToken, Change, Edit};
use serde::{Deserialize, Serialize};
use utoipa::OpenApi;
use utoipa::{IntoParams, ToSchema};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, address, body, caller, with};
use super::reply::{Answer, answer};
use super::users::UserView;
use crate::accounts::Register;
use crate::app::App;
use crate::auth::{Params, Proof, SessionReply};
use crate::error::ApiError;
use crate::names::check_title;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(params, login, register, refresh, logout, me, list_tokens, make_token, end_token))]
pub struct Doc;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let params = path!("api" / "auth" / "params")
        .and(warp::get())
        .and(with(app))
        .and(warp::query())
        .then(params)
        .map(answer);
    let login = path!("api" / "auth" / "login")
        .and(warp::post())
        .and(with(app))
        .and(address())
        .and(body(app))
        .then(login)
        .map(answer);
    let register = path!("api" / "auth" / "register")
        .and(warp::post())
        .and(with(app))
        .and(body(app))
        .then(register)
        .map(answer);
    let refresh = path!("api" / "auth" / "refresh")
        .and(warp::post())
        .and(with(app))
        .and(body(app))
        .then(refresh)
        .map(answer);
    let logout = path!("api" / "auth" / "logout")
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .then(logout)
        .map(answer);
    let me = path!("api" / "auth" / "me")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(me)
        .map(answer);
    let without_token = params.or(login).unify().or(register).unify().or(refresh).unify();
    without_token.or(logout).unify().or(me).unify().or(tokens(app)).unify().boxed()
}

fn tokens(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let list = path!("api" / "auth" / "tokens")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(list_tokens)
        .map(answer);
    let make = path!("api" / "auth" / "tokens")
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(make_token)
        .map(answer);
    let end = path!("api" / "auth" / "tokens" / TokenId)
        .and(warp::delete())
        .and(with(app))
        .and(caller(app))
        .then(|id, app, caller| end_token(app, caller, id))
        .map(answer);
    list.or(make).unify().or(end).unify().boxed()
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ParamsQuery {
    /// Whose.
    username: String,
}

/// Gives the salt and cost by which a password is stretched.
#[utoipa::path(get, path = "/api/auth/params", security(()), params(ParamsQuery),
    responses((status = 200, body = Params)))]
async fn params(app: Arc<App>, query: ParamsQuery) -> Result<Answer, ApiError> {
    Answer::ok(&app.auth.params(&query.username).await?)
}

/// Who signs in, by either `auth_key` or `password`.
#[derive(Deserialize, ToSchema)]
struct LoginRequest {
    username: String,
    /// 32 bytes, of the stretched password (sealing.md §2).
    #[serde(default, with = "hearth_protocol::bytes::option")]
    #[schema(value_type = Option<B64u>)]
    auth_key: Option<Vec<u8>>,
    password: Option<String>,
    /// What the list of logins calls it.
    #[serde(default)]
    label: String,
}

/// Signs in.
#[utoipa::path(post, path = "/api/auth/login", security(()), request_body = LoginRequest,
    responses((status = 200, body = SessionReply)))]
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

/// Makes an account by an invite.
#[utoipa::path(post, path = "/api/auth/register", security(()), request_body = Register,
    responses((status = 201, body = SessionReply)))]
async fn register(app: Arc<App>, request: Register) -> Result<Answer, ApiError> {
    Answer::created(&app.register(request).await?)
}

/// The secret of a login.
#[derive(Deserialize, ToSchema)]
struct RefreshRequest {
    refresh: String,
}

/// Gives a login its next token.
#[utoipa::path(post, path = "/api/auth/refresh", security(()), request_body = RefreshRequest,
    responses((status = 200, body = SessionReply)))]
async fn refresh(app: Arc<App>, request: RefreshRequest) -> Result<Answer, ApiError> {
    Answer::ok(&app.auth.refresh(&request.refresh).await?)
}

/// Ends the login that asks.
#[utoipa::path(post, path = "/api/auth/logout", responses((status = 204)))]
async fn logout(app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    let edits = vec![Edit::RemoveSession(caller.login()?)];
    app.store.change(Change::of(edits, app.clock.now_ms())).await?;
    Answer::nothing()
}

/// Who asks.
#[derive(Serialize, ToSchema)]
struct Me {
    user: UserView,
}

/// Shows who asks.
#[utoipa::path(get, path = "/api/auth/me", responses((status = 200, body = Me)))]
async fn me(app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    let user = app.store.user(caller.user).await?.ok_or_else(|| ApiError::not_found("person"))?;
    Answer::ok(&Me { user: user.into() })
}

/// An app token as its owner sees it.
#[derive(Serialize, ToSchema)]
struct TokenView {
    id: TokenId,
    label: String,
    /// ms since 1970.
    created_at: u64,
    /// ms since 1970; 0: never.
    last_used_at: u64,
}

impl From<AppToken> for TokenView {
    fn from(token: AppToken) -> Self {
        let AppToken { id, label, created_at, last_used_at, .. } = token;
        Self { id, label, created_at, last_used_at }
    }
}

/// One's own app tokens.
#[derive(Serialize, ToSchema)]
struct TokenList {
    tokens: Vec<TokenView>,
}

/// Lists one's own app tokens.
#[utoipa::path(get, path = "/api/auth/tokens", responses((status = 200, body = TokenList)))]
async fn list_tokens(app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    caller.login()?;
    let tokens = app.store.tokens_of(caller.user).await?;
    Answer::ok(&TokenList { tokens: tokens.into_iter().map(TokenView::from).collect() })
}

/// A new app token with the text that nobody sees again.
#[derive(Serialize, ToSchema)]
struct TokenMade {
    id: TokenId,
    label: String,
    token: String,
    /// ms since 1970.
    created_at: u64,
}

/// What an app token is for.
#[derive(Deserialize, ToSchema)]
struct NewToken {
    label: String,
}

/// Makes an app token; its text is told this once.
#[utoipa::path(post, path = "/api/auth/tokens", request_body = NewToken,
    responses((status = 201, body = TokenMade)))]
async fn make_token(app: Arc<App>, caller: Caller, request: NewToken) -> Result<Answer, ApiError> {
    caller.login()?;
    let label = check_title("a label", &request.label, app.limits.display_name_chars_max)?;
    let (token, text) = app.auth.make_app_token(caller.user, &label).await?;
    let AppToken { id, label, created_at, .. } = token;
    Answer::created(&TokenMade { id, label, token: text, created_at })
}

/// Ends an app token.
#[utoipa::path(delete, path = "/api/auth/tokens/{token}", responses((status = 204)))]
async fn end_token(app: Arc<App>, caller: Caller, id: TokenId) -> Result<Answer, ApiError> {
    caller.login()?;
    let tokens = app.store.tokens_of(caller.user).await?;
    if !tokens.iter().any(|token| token.id == id) {
        return Err(ApiError::not_found("token"));
    }
    app.store.change(Change::of(vec![Edit::RemoveToken(id)], app.clock.now_ms())).await?;
    Answer::nothing()
}
