//! Logins, sessions and app tokens: `/api/auth`.

use std::net::IpAddr;
use std::sync::Arc;

use hearth_protocol::ids::{SessionId, TokenId};
use hearth_protocol::schema::B64u;
use hearth_store::{AppToken, Change, Edit, Scope};
use serde::{Deserialize, Serialize};
use utoipa::OpenApi;
use utoipa::{IntoParams, ToSchema};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, address, body, caller, new_body, open_body, with};
use super::people::AccountView;
use super::reply::{Answer, answer};
use crate::app::App;
use crate::auth::password::proof;
use crate::auth::{Params, SessionReply};
use crate::error::ApiError;
use crate::names::check_title;
use crate::registration::{NewGuest, Register};

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(
    params,
    login,
    register,
    guest,
    refresh,
    logout,
    me,
    list_tokens,
    make_token,
    end_token
))]
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
        .and(open_body(app))
        .then(login)
        .map(answer);
    let register = path!("api" / "auth" / "register")
        .and(warp::post())
        .and(with(app))
        .and(new_body(app))
        .then(register)
        .map(answer);
    let guest = path!("api" / "auth" / "guest")
        .and(warp::post())
        .and(with(app))
        .and(open_body(app))
        .then(guest)
        .map(answer);
    let refresh = path!("api" / "auth" / "refresh")
        .and(warp::post())
        .and(with(app))
        .and(open_body(app))
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
    let entries = register.or(guest).unify();
    let without_token = params.or(login).unify().or(entries).unify().or(refresh).unify();
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
#[schema(example = json!({ "username": "anna", "password": "correct horse" }))]
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
    let proof = proof(request.auth_key, request.password)?;
    Answer::ok(&app.auth.login(&request.username, proof, &request.label, address).await?)
}

/// Makes an account by an invite.
#[utoipa::path(post, path = "/api/auth/register", security(()), request_body = Register,
    responses((status = 201, body = SessionReply)))]
async fn register(app: Arc<App>, request: Register) -> Result<Answer, ApiError> {
    Answer::created(&app.register(request).await?)
}

/// Makes a guest's account by an invite into open rooms.
#[utoipa::path(post, path = "/api/auth/guest", security(()), request_body = NewGuest,
    responses((status = 201, body = SessionReply)))]
async fn guest(app: Arc<App>, request: NewGuest) -> Result<Answer, ApiError> {
    Answer::created(&app.let_in(request).await?)
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
pub struct Me {
    user: AccountView,
    /// The login that asks; `None`: an app token.
    session_id: Option<SessionId>,
    /// Of the sealed keys; `None`: the account has none yet.
    vault_version: Option<u64>,
}

impl Me {
    /// Whoever asks.
    pub async fn of(app: &App, caller: &Caller) -> Result<Self, ApiError> {
        let vault_version = app.store.vault(caller.user).await?.map(|vault| vault.version);
        let user = AccountView::from(app.person(caller.user).await?);
        Ok(Self { user, session_id: caller.session, vault_version })
    }
}

/// Shows who asks.
#[utoipa::path(get, path = "/api/auth/me", responses((status = 200, body = Me)))]
async fn me(app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    Answer::ok(&Me::of(&app, &caller).await?)
}

/// Lists one's own app tokens.
#[utoipa::path(get, path = "/api/auth/tokens", responses((status = 200, body = TokenList)))]
async fn list_tokens(app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    caller.login()?;
    let tokens = app.store.tokens_of(caller.user).await?;
    Answer::ok(&TokenList::from(tokens))
}

/// An app token as its owner sees it.
#[derive(Serialize, ToSchema)]
pub struct TokenView {
    id: TokenId,
    label: String,
    /// ms since 1970.
    created_at: u64,
    /// ms since 1970; 0: never.
    last_used_at: u64,
    /// What it is for; `None`: whatever its person may do.
    scope: Option<Scope>,
}

impl From<AppToken> for TokenView {
    fn from(token: AppToken) -> Self {
        let AppToken { id, label, created_at, last_used_at, scope, .. } = token;
        Self { id, label, created_at, last_used_at, scope }
    }
}

/// Somebody's app tokens, the oldest first.
#[derive(Serialize, ToSchema)]
pub struct TokenList {
    tokens: Vec<TokenView>,
}

impl From<Vec<AppToken>> for TokenList {
    fn from(tokens: Vec<AppToken>) -> Self {
        Self { tokens: tokens.into_iter().map(TokenView::from).collect() }
    }
}

/// An app token when it is made: the only time that its text is shown.
#[derive(Serialize, ToSchema)]
pub struct TokenMade {
    token: String,
    #[serde(flatten)]
    view: TokenView,
}

impl TokenMade {
    /// With the text that only its owner gets.
    pub fn new(token: AppToken, text: String) -> Self {
        Self { token: text, view: token.into() }
    }
}

/// What a new app token is to be.
#[derive(Deserialize, ToSchema)]
pub struct NewToken {
    label: String,
    scope: Option<Scope>,
}

impl NewToken {
    /// Its label and scope, checked.
    pub fn checked(self, app: &App) -> Result<(String, Option<Scope>), ApiError> {
        let label = check_title("a label", &self.label, app.limits.display_name_chars_max)?;
        let rooms = self.scope.as_ref().and_then(|scope| scope.rooms.as_ref());
        let max = app.limits.token_rooms_max;
        if rooms.is_some_and(|rooms| rooms.is_empty() || rooms.len() > max) {
            let message = format!("a token is for 1 to {max} rooms, or (null) for all");
            return Err(ApiError::invalid("bad_scope", message));
        }
        Ok((label, self.scope))
    }
}

/// Makes an app token; its text is told this once.
#[utoipa::path(post, path = "/api/auth/tokens", request_body = NewToken,
    responses((status = 201, body = TokenMade)))]
async fn make_token(app: Arc<App>, caller: Caller, request: NewToken) -> Result<Answer, ApiError> {
    caller.login()?;
    let (label, scope) = request.checked(&app)?;
    let (token, text) = app.auth.make_app_token(caller.user, &label, scope).await?;
    Answer::created(&TokenMade::new(token, text))
}

/// Ends an app token.
#[utoipa::path(delete, path = "/api/auth/tokens/{id}", responses((status = 204)))]
async fn end_token(app: Arc<App>, caller: Caller, id: TokenId) -> Result<Answer, ApiError> {
    caller.login()?;
    let tokens = app.store.tokens_of(caller.user).await?;
    if !tokens.iter().any(|token| token.id == id) {
        return Err(ApiError::not_found("token"));
    }
    app.store.change(Change::of(vec![Edit::RemoveToken(id)], app.clock.now_ms())).await?;
    Answer::nothing()
}
