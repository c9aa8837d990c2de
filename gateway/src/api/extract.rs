//! What routes take from a request: the app, who asks, the body.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::str::FromStr;
use std::string::FromUtf8Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use futures_util::{Stream, StreamExt};

use hearth_protocol::ids::{DeviceId, RoomId, SessionId, UserId};
use hearth_protocol::limits::wide;
use hearth_protocol::principal::Principal;
use hearth_protocol::refusal::Kind;
use hearth_protocol::role::HouseAction;
use serde::de::DeserializeOwned;
use warp::http::Method;
use warp::path::FullPath;
use warp::{Filter, Rejection};

use super::bodies::Whose;
use crate::app::App;
use crate::auth::live::Live;
use crate::auth::sessions::ended;
use crate::error::ApiError;
use crate::http::budget::Room;
use crate::moderation::Act;
use crate::scopes::{covers_request, out_of_scope};

/// The address a request came from; the listener puts it into the request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// A person who asks, after the token was checked.
#[derive(Clone)]
pub struct Caller {
    /// Who.
    pub user: UserId,
    /// Through which login; `None` through an app token.
    pub session: Option<SessionId>,
    live: Arc<Live>,
}

impl Caller {
    /// The login behind it, which may have ended while the body came: keys and tokens are not for
    /// apps.
    pub fn login(&self) -> Result<SessionId, ApiError> {
        let session = self.session.ok_or_else(|| {
            ApiError::forbidden("an app token does not reach keys, tokens, logins and grants")
                .hint("sign in with the password")
        })?;
        let held = self.live.holds(&Principal::Person { user: self.user, session });
        if held { Ok(session) } else { Err(ended()) }
    }
}

/// A device that asks, and the room its door leads into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    /// Which.
    pub device: DeviceId,
    /// Where to.
    pub room: RoomId,
}

/// The app, for handlers.
pub fn with(
    app: &Arc<App>,
) -> impl Filter<Extract = (Arc<App>,), Error = Infallible> + Clone + use<> {
    let app = app.clone();
    warp::any().map(move || app.clone())
}

/// A part of a path in clear, which may be written with percent signs (RFC 3986 §2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded(pub String);

impl FromStr for Decoded {
    type Err = FromUtf8Error;

    fn from_str(part: &str) -> Result<Self, FromUtf8Error> {
        let mut bytes = Vec::with_capacity(part.len());
        let mut rest = part.as_bytes();
        while let Some((&byte, after)) = rest.split_first() {
            let hex = |two: &&[u8]| byte == b'%' && two.iter().all(u8::is_ascii_hexdigit);
            let digits = after.get(..2).filter(hex);
            let coded = digits.and_then(|digits| std::str::from_utf8(digits).ok());
            match coded.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                Some(coded) => {
                    bytes.push(coded);
                    rest = &after[2..];
                }
                None => {
                    bytes.push(byte);
                    rest = after;
                }
            }
        }
        String::from_utf8(bytes).map(Decoded)
    }
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
    with(app)
        .and(warp::header::optional::<String>("authorization"))
        .and(warp::method())
        .and(warp::path::full())
        .and_then(|app: Arc<App>, header: Option<String>, method, path: FullPath| async move {
            let asked = (method, path.as_str());
            identify(&app, header.as_deref(), asked).await.map_err(Rejection::from)
        })
}

/// The signed-in person, or their app, as what they came: for what goes on after the request.
pub fn principal(
    app: &Arc<App>,
) -> impl Filter<Extract = (Principal,), Error = Rejection> + Clone + use<> {
    with(app)
        .and(warp::header::optional::<String>("authorization"))
        .and(warp::method())
        .and(warp::path::full())
        .and_then(|app: Arc<App>, header: Option<String>, method, path: FullPath| async move {
            let asked = (method, path.as_str());
            covered(&app, header.as_deref(), asked).await.map_err(Rejection::from)
        })
}

async fn door(app: &App, header: Option<&str>) -> Result<Door, ApiError> {
    match app.auth.principal(bearer(header)?).await? {
        Principal::Device { device, room } => Ok(Door { device, room }),
        _ => Err(ApiError::forbidden("a door opens by its device's token")
            .hint("people write by POST /api/rooms/{room}/messages")),
    }
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
            let asked = (Method::GET, "/metrics");
            let caller = identify(&app, header.as_deref(), asked).await?;
            app.roles.require(caller.user, HouseAction::SeeCounts)
        })
}

/// The person, or their app, behind a request that the token is for.
async fn covered(
    app: &App,
    header: Option<&str>,
    (method, path): (Method, &str),
) -> Result<Principal, ApiError> {
    let who = person(app, bearer(header)?).await?;
    let scope = app.auth.live.scope(&who);
    if scope.is_some_and(|scope| !covers_request(&scope, method.as_str(), path)) {
        return Err(out_of_scope().into());
    }
    Ok(who)
}

/// Who asks.
pub(super) async fn identify(
    app: &App,
    header: Option<&str>,
    asked: (Method, &str),
) -> Result<Caller, ApiError> {
    let changes_something = is_paced(&asked);
    let (user, session) = match covered(app, header, asked).await? {
        Principal::Person { user, session } => (user, Some(session)),
        Principal::App { user, .. } => (user, None),
        Principal::Device { .. } | Principal::Local(_) => return Err(no_person()),
    };
    app.was_active(user);
    if changes_something {
        app.not_too_often(Act::Change(user))?;
    }
    Ok(Caller { user, session, live: app.auth.live.clone() })
}

/// Whether a request is counted among those that change something; messages have a pace of their
/// own.
fn is_paced((method, path): &(Method, &str)) -> bool {
    !matches!(*method, Method::GET | Method::HEAD) && !path.ends_with("/messages")
}

/// The token in an Authorization header.
fn bearer(header: Option<&str>) -> Result<&str, ApiError> {
    let no = |message: &str| {
        ApiError::new(Kind::Unauthenticated, "sign_in", message)
            .hint("send `Authorization: Bearer TOKEN`; POST /api/auth/login gives one")
    };
    let header = header.ok_or_else(|| no("this needs a token"))?;
    let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(no("the Authorization header is not `Bearer TOKEN`"));
    }
    Ok(token.trim())
}

fn no_person() -> ApiError {
    ApiError::forbidden("a device's token opens its door and nothing else")
        .hint("post by MQTT, or by POST /api/door")
}

/// The person, or their app, behind a token; devices have none of this.
pub async fn person(app: &App, token: &str) -> Result<Principal, ApiError> {
    match app.auth.principal(token).await? {
        who @ (Principal::Person { .. } | Principal::App { .. }) => Ok(who),
        Principal::Device { .. } | Principal::Local(_) => Err(no_person()),
    }
}

/// A JSON body of at most `json_bytes_max`; goes after [`caller`].
pub fn body<T: DeserializeOwned + Send>(
    app: &Arc<App>,
) -> impl Filter<Extract = (T,), Error = Rejection> + Clone + use<T> {
    body_up_to(app, app.limits.json_bytes_max, Whose::Known)
}

/// The same from nobody yet, with keys: an account that is made.
pub fn new_body<T: DeserializeOwned + Send>(
    app: &Arc<App>,
) -> impl Filter<Extract = (T,), Error = Rejection> + Clone + use<T> {
    body_up_to(app, app.limits.json_bytes_max, Whose::Anyone)
}

/// A JSON body of at most `json_open_bytes_max`, from nobody yet.
pub fn open_body<T: DeserializeOwned + Send>(
    app: &Arc<App>,
) -> impl Filter<Extract = (T,), Error = Rejection> + Clone + use<T> {
    body_up_to(app, app.limits.json_open_bytes_max, Whose::Anyone)
}

/// A device and what it posts: any bytes, at most `event_bytes_max`. They are read although it may
/// be refused: curl 7.88 over HTTP/2 takes an answer before the end of its request for a fault.
pub fn post_of_device(
    app: &Arc<App>,
) -> impl Filter<Extract = (Door, Bytes), Error = Rejection> + Clone + use<> {
    let within = Duration::from_millis(wide(app.limits.http_body_ms_max));
    warp::body::content_length_limit(wide(app.limits.event_bytes_max))
        .and(with(app))
        .and(warp::header::optional::<String>("authorization"))
        .and(address())
        .and(warp::body::stream())
        .and_then(move |app: Arc<App>, header: Option<String>, address, chunks| async move {
            let door = door(&app, header.as_deref()).await;
            let whose = if door.is_ok() { Whose::Known } else { Whose::Anyone };
            let mut room = app.bodies.begin(whose, address);
            let bytes = collect(chunks, within, &mut room).await;
            Ok::<_, Rejection>((door?, Bytes::from(bytes?)))
        })
        .untuple_one()
}

fn body_up_to<T: DeserializeOwned + Send>(
    app: &Arc<App>,
    max: usize,
    whose: Whose,
) -> impl Filter<Extract = (T,), Error = Rejection> + Clone + use<T> {
    bytes_up_to(app, max, whose)
        .and_then(|bytes: Bytes| async move { read_json(&bytes).map_err(Rejection::from) })
}

fn bytes_up_to(
    app: &Arc<App>,
    max: usize,
    whose: Whose,
) -> impl Filter<Extract = (Bytes,), Error = Rejection> + Clone + use<> {
    let max = wide(max);
    let within = Duration::from_millis(wide(app.limits.http_body_ms_max));
    warp::body::content_length_limit(max)
        .and(with(app))
        .and(address())
        .and(warp::body::stream())
        .and_then(move |app: Arc<App>, address, chunks| async move {
            let mut room = app.bodies.begin(whose, address);
            let bytes = collect(chunks, within, &mut room).await;
            bytes.map(Bytes::from).map_err(Rejection::from)
        })
}

/// An object; serde would also take an array of its fields.
fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let no = |why: String| {
        ApiError::invalid("bad_json", format!("the body does not read: {why}"))
            .hint("send JSON as docs/protocol.md describes it")
    };
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(no("it is an array, not an object".to_string()));
    }
    serde_json::from_slice(bytes).map_err(|error| no(error.to_string()))
}

/// The whole of a body whose length was announced and is below the limit.
async fn collect<B: Buf>(
    chunks: impl Stream<Item = Result<B, warp::Error>>,
    within: Duration,
    room: &mut Room,
) -> Result<Vec<u8>, ApiError> {
    let broken = |error| ApiError::invalid("bad_body", format!("the body broke off: {error}"));
    let read = async {
        let mut bytes = vec![];
        let mut chunks = pin!(chunks);
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(broken)?;
            room.take(chunk.remaining())?;
            bytes.put(chunk);
        }
        Ok(bytes)
    };
    let late = |_| ApiError::invalid("too_slow", "the body took too long; send it again");
    tokio::time::timeout(within, read).await.map_err(late)?
}

#[cfg(test)]
mod tests {
    use hearth_protocol::role::HouseRole;

    use super::*;
    use crate::testing::House;

    #[test]
    fn a_body_is_an_object_and_no_array_of_its_fields() {
        #[derive(Debug, serde::Deserialize)]
        struct Named {
            name: String,
        }
        let read = |body: &str| read_json::<Named>(body.as_bytes()).map(|named| named.name);
        assert_eq!(read(" {\"name\":\"anna\"}").unwrap(), "anna");
        for body in ["[\"anna\"]", "\n [\"anna\"]", "[]", "null", ""] {
            assert_eq!(read(body).unwrap_err().0.code, "bad_json", "{body}");
        }
    }

    #[tokio::test]
    async fn a_body_that_finds_no_room_is_sent_again_later_and_gives_back_what_it_had() {
        use hearth_protocol::limits::Limits;
        let house = House::with(Limits { bodies_bytes_max: 400, ..Limits::default() }).await;
        let anna = house.person("anna", HouseRole::Owner).await;
        let nobody = serde_json::json!({ "name": "x".repeat(100) });
        for (path, who) in [("/api/auth/login", None), ("/api/rooms", Some(&anna))] {
            let refused = house.call("POST", path, who, nobody.clone()).await;
            assert_eq!((refused.status, refused.code().as_str()), (503, "busy"), "{path}");
            assert_eq!(refused.headers["retry-after"], "5");
        }
        let room = serde_json::json!({ "name": "Hall", "type": "private", "sealing": "open" });
        for _ in 0..8 {
            house.post("/api/rooms", &anna, room.clone()).await.is(201);
        }
    }

    #[test]
    fn a_part_of_a_path_is_read_with_and_without_percent_signs() {
        let cases = [
            ("%F0%9F%91%8D", Some("👍")),
            ("%e2%9d%a4%EF%B8%8F", Some("❤\u{fe0f}")),
            ("👍", Some("👍")),
            ("100%", Some("100%")),
            ("%zz%4%+f", Some("%zz%4%+f")),
            ("%ff", None),
        ];
        for (part, expected) in cases {
            let read = part.parse().ok().map(|Decoded(text)| text);
            assert_eq!(read.as_deref(), expected, "{part}");
        }
    }
}
