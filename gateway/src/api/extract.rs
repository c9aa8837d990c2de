//! What routes take from a request: the app, who asks, the body.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BufMut};
use futures_util::{Stream, StreamExt};

use hearth_protocol::ids::{SessionId, UserId};
use hearth_protocol::limits::wide;
use hearth_protocol::principal::Principal;
use hearth_protocol::refusal::Kind;
use hearth_protocol::role::HouseAction;
use serde::de::DeserializeOwned;
use warp::{Filter, Rejection};

use crate::app::App;
use crate::error::ApiError;

/// The address a request came from; the listener puts it into the request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// A person who asks, after the token was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub user: UserId,
    /// Through which login; `None` through an app token.
    pub session: Option<SessionId>,
}

impl Caller {
    /// The login behind it: keys and tokens are not for apps.
    pub fn login(&self) -> Result<SessionId, ApiError> {
        self.session.ok_or_else(|| {
            ApiError::forbidden("an app token does not reach keys, tokens, logins and grants")
                .hint("sign in with the password")
        })
    }
}

/// The app, for handlers.
pub fn with(
    app: &Arc<App>,
) -> impl Filter<Extract = (Arc<App>,), Error = Infallible> + Clone + use<> {
    let app = app.clone();
    warp::any().map(move || app.clone())
}

/// The address behind a request (loopback where there is none: the admin socket).
pub fn address() -> impl Filter<Extract = (IpAddr,), Error = Infallible> + Copy {
    warp::ext::optional::<Peer>().map(|peer: Option<Peer>| match peer {
        Some(Peer(address)) => address.ip(),
        None => IpAddr::V4(Ipv4Addr::LOCALHOST),
    })
}

/// The signed-in person; 401 without one. Goes after the path filters.
pub fn caller(
    app: &Arc<App>,
) -> impl Filter<Extract = (Caller,), Error = Rejection> + Clone + use<> {
    with(app).and(warp::header::optional::<String>("authorization")).and_then(
        |app: Arc<App>, header: Option<String>| async move {
            identify(&app, header.as_deref()).await.map_err(Rejection::from)
        },
    )
}

/// Whether the asker may see the counts: on this machine and not through a proxy, or by running
/// the house.
pub fn counts_reader(
    app: &Arc<App>,
) -> impl Filter<Extract = (Result<(), ApiError>,), Error = Rejection> + Clone + use<> {
    with(app)
        .and(warp::ext::optional::<Peer>())
        .and(warp::header::optional::<String>("forwarded"))
        .and(warp::header::optional::<String>("x-forwarded-for"))
        .and(warp::header::optional::<String>("authorization"))
        .then(|app: Arc<App>, peer: Option<Peer>, by, of, header: Option<String>| async move {
            let proxied = [by, of].iter().any(Option::is_some);
            let near = peer.is_some_and(|Peer(address)| address.ip().is_loopback());
            if near && !proxied {
                return Ok(());
            }
            let caller = identify(&app, header.as_deref()).await?;
            app.roles.require(caller.user, HouseAction::SeeCounts)
        })
}

async fn identify(app: &App, header: Option<&str>) -> Result<Caller, ApiError> {
    let no = |message: &str| {
        ApiError::new(Kind::Unauthenticated, "sign_in", message)
            .hint("send `Authorization: Bearer TOKEN`; POST /api/auth/login gives one")
    };
    let header = header.ok_or_else(|| no("this needs a token"))?;
    let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(no("the Authorization header is not `Bearer TOKEN`"));
    }
    match app.auth.principal(token.trim()).await? {
        Principal::Person { user, session } => Ok(Caller { user, session: Some(session) }),
        Principal::App { user, .. } => Ok(Caller { user, session: None }),
        Principal::Device { .. } | Principal::Local(_) => {
            Err(ApiError::forbidden("a device's token opens its door over MQTT and nothing else"))
        }
    }
}

/// A JSON body of at most `json_bytes_max`.
pub fn body<T: DeserializeOwned + Send>(
    app: &Arc<App>,
) -> impl Filter<Extract = (T,), Error = Rejection> + Clone + use<T> {
    let max = wide(app.limits.json_bytes_max);
    let within = Duration::from_millis(wide(app.limits.http_body_ms_max));
    warp::body::content_length_limit(max).and(warp::body::stream()).and_then(
        move |chunks| async move {
            let bytes = collect(chunks, within).await?;
            serde_json::from_slice(&bytes).map_err(|error| {
                Rejection::from(
                    ApiError::invalid("bad_json", format!("the body does not read: {error}"))
                        .hint("send JSON as docs/protocol.md describes it"),
                )
            })
        },
    )
}

/// The whole of a body whose length was announced and is below the limit.
async fn collect<B: Buf>(
    chunks: impl Stream<Item = Result<B, warp::Error>>,
    within: Duration,
) -> Result<Vec<u8>, ApiError> {
    let read = async {
        let mut bytes = vec![];
        let mut chunks = pin!(chunks);
        while let Some(chunk) = chunks.next().await {
            bytes.put(chunk?);
        }
        Ok::<_, warp::Error>(bytes)
    };
    match tokio::time::timeout(within, read).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => {
            Err(ApiError::invalid("bad_body", format!("the body broke off: {error}")))
        }
        Err(_) => Err(ApiError::invalid("too_slow", "the body took too long; send it again")),
    }
}
