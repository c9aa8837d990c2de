//! Attachments and avatars: `/api/attachments`, and what they take: `/api/settings/storage`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Buf;
use futures_util::{Stream, StreamExt};
use hearth_protocol::ids::{AttachmentId, EventId, RoomId, UserId};
use hearth_protocol::limits::wide;
use hearth_protocol::refusal::{Kind, Refusal};
use hearth_protocol::role::{HouseAction, RoomAction};
use hearth_store::Attachment;
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi, ToSchema};
use warp::filters::BoxedFilter;
use warp::http::{HeaderMap, HeaderValue, Method, StatusCode};
use warp::reply::{Reply, Response};
use warp::{Filter, path};

use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::attachments::form::{self, Fields};
use crate::attachments::serving::{self, Served, Wanted};
use crate::attachments::upload::{Chunks, Purpose, Upload, timely};
use crate::attachments::{AttachmentView, Storage};
use crate::error::ApiError;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(upload, whole, thumbnail, withdraw, show, quarantine, release, storage))]
pub struct Doc;

/// How long the rest of a refused upload is read, so that its sender reads why.
const REST_WITHIN: Duration = Duration::from_secs(5);

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let upload = path!("api" / "attachments" / "upload")
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .and(warp::query())
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(upload)
        .map(answer);
    let whole = path!("api" / "attachments" / AttachmentId)
        .and(warp::get().or(warp::head()).unify())
        .and(with(app))
        .and(caller(app))
        .and(warp::method())
        .and(warp::header::headers_cloned())
        .then(whole);
    let small = path!("api" / "attachments" / AttachmentId / "thumbnail")
        .and(warp::get().or(warp::head()).unify())
        .and(with(app))
        .and(caller(app))
        .and(warp::method())
        .and(warp::header::headers_cloned())
        .then(thumbnail);
    let remove = path!("api" / "attachments" / AttachmentId)
        .and(warp::delete())
        .and(with(app))
        .and(caller(app))
        .then(withdraw)
        .map(answer);
    let show = path!("api" / "attachments" / AttachmentId / "message")
        .and(warp::put())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(show)
        .map(answer);
    let files = upload.or(whole).unify().or(small).unify().or(remove).unify().or(show).unify();
    files.or(of_admins(app)).unify().boxed()
}

/// What only admins do.
fn of_admins(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let quarantine = path!("api" / "attachments" / AttachmentId / "quarantine")
        .and(warp::put())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(quarantine)
        .map(answer);
    let release = path!("api" / "attachments" / AttachmentId / "quarantine")
        .and(warp::delete())
        .and(with(app))
        .and(caller(app))
        .then(release)
        .map(answer);
    let storage = path!("api" / "settings" / "storage")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(storage)
        .map(answer);
    quarantine.or(release).unify().or(storage).unify().boxed()
}

/// Where an upload goes; a form may say it too.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct UploadRequest {
    /// For messages of this room.
    room: Option<RoomId>,
    /// `1`: to be an avatar.
    #[serde(default)]
    avatar: u8,
    /// What the file is called, where the body is the file.
    filename: Option<String>,
}

/// Stores a file for messages of a room, or to be an avatar; the body is the file, or a form.
#[utoipa::path(post, path = "/api/attachments/upload", params(UploadRequest),
    request_body(content_type = "application/octet-stream"),
    responses((status = 201, body = AttachmentView)))]
async fn upload<B: Buf + 'static>(
    app: Arc<App>,
    caller: Caller,
    request: UploadRequest,
    headers: HeaderMap,
    chunks: impl Stream<Item = Result<B, warp::Error>> + Send + 'static,
) -> Result<Answer, ApiError> {
    let chunks = chunks.map(|chunk| {
        let broke =
            |error: warp::Error| Refusal::new(Kind::Invalid, "broke_off", error.to_string());
        chunk.map(|mut chunk| chunk.copy_to_bytes(chunk.remaining())).map_err(broke)
    });
    let mut chunks = timely(chunks.boxed(), &app.limits);
    let taken = take(&app, &caller, request, &headers, &mut chunks).await;
    let attachment = match taken {
        Ok(attachment) => attachment,
        Err(no) => {
            read_rest(&app, &headers, chunks).await;
            return Err(no);
        }
    };
    let view = AttachmentView::from(&attachment);
    tokio::spawn(async move { app.picture(&attachment).await });
    Answer::created(&view)
}

async fn take(
    app: &App,
    caller: &Caller,
    request: UploadRequest,
    headers: &HeaderMap,
    chunks: &mut Chunks<'_>,
) -> Result<Attachment, ApiError> {
    let boundary = form::boundary(text(headers, "content-type"))?;
    let announced = text(headers, "content-length").and_then(|length| length.parse().ok());
    let max = form::max_bytes(&app.limits);
    if announced.is_some_and(|announced| announced > wide(max)) {
        let message = format!(
            "an attachment has at most {} bytes, an avatar {}",
            app.limits.attachment_bytes_max, app.limits.avatar_bytes_max
        );
        return Err(ApiError::new(Kind::TooLarge, "too_large", message)
            .hint("make it smaller, or send it in parts"));
    }
    let by = caller.user;
    match boundary {
        None => {
            let to = purpose(app, by, request.room, request.avatar == 1)?;
            let upload = Upload { by, to, name: request.filename, size_bytes: announced };
            app.upload(upload, chunks.boxed()).await
        }
        Some(boundary) => {
            let (fields, file) = form::open(chunks.boxed(), boundary, &app.limits).await?;
            let Fields { room, avatar, name } = fields;
            let room = match request.room {
                None => room.map(|room| room.parse()).transpose()?,
                room => room,
            };
            let to = purpose(app, by, room, avatar || request.avatar == 1)?;
            let name = request.filename.or(name);
            app.upload(Upload { by, to, name, size_bytes: None }, file).await
        }
    }
}

fn purpose(app: &App, by: UserId, room: Option<RoomId>, avatar: bool) -> Result<Purpose, ApiError> {
    match (room, avatar) {
        (Some(room), false) => {
            let state = app.membership.require(room, by, RoomAction::Write)?;
            state.may_speak(by, app.clock.now_ms())?;
            Ok(Purpose::Room(state))
        }
        (None, true) => Ok(Purpose::Avatar),
        _ => Err(ApiError::invalid("bad_query", "an upload is for a room or to be an avatar")
            .hint("say ?room=ID or ?avatar=1")),
    }
}

/// Reads what still comes of a refused upload: who sends it looks for the answer afterwards.
async fn read_rest(app: &App, headers: &HeaderMap, mut chunks: Chunks<'_>) {
    // Whoever asked first (RFC 9110 §10.1.1) waits for the answer before the body.
    if headers.contains_key("expect") {
        return;
    }
    let mut left = form::max_bytes(&app.limits);
    let read = async {
        while let Some(Ok(bytes)) = chunks.next().await {
            left = left.saturating_sub(bytes.len());
            if left == 0 {
                break;
            }
        }
    };
    if tokio::time::timeout(REST_WITHIN, read).await.is_err() {
        tracing::debug!("the rest of a refused upload did not come");
    }
}

/// Gives an attachment, or a part of it (`Range`).
#[utoipa::path(get, path = "/api/attachments/{attachment}",
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 304), (status = 416)))]
async fn whole(
    id: AttachmentId,
    app: Arc<App>,
    caller: Caller,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let answered = async {
        let attachment = app.attachment_for(caller.user, id).await?;
        let served = serving::serve(&attachment, &wanted(&headers));
        let body = match served.bytes.filter(|_| method != Method::HEAD) {
            Some(bytes) => {
                let bytes = serving::body(app.files()?, &attachment, bytes).await?;
                warp::reply::stream(bytes).into_response()
            }
            None => Response::default(),
        };
        dress(body, served)
    };
    answered.await.unwrap_or_else(|no| answer(Err(no)))
}

/// Gives the small picture of an image.
#[utoipa::path(get, path = "/api/attachments/{attachment}/thumbnail",
    responses((status = 200, body = Vec<u8>, content_type = "image/jpeg"), (status = 304)))]
async fn thumbnail(
    id: AttachmentId,
    app: Arc<App>,
    caller: Caller,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let answered = async {
        let attachment = app.attachment_for(caller.user, id).await?;
        let picture = app.files()?.thumbnail(&attachment).await?;
        let served = serving::serve_thumbnail(&attachment, &picture, &wanted(&headers));
        let body = match served.status {
            200 if method != Method::HEAD => Response::new(picture.into()),
            _ => Response::default(),
        };
        dress(body, served)
    };
    answered.await.unwrap_or_else(|no: ApiError| answer(Err(no)))
}

/// An answer with its status and headers.
fn dress(mut response: Response, served: Served) -> Result<Response, ApiError> {
    let broken = |error: String| ApiError::new(Kind::Unavailable, "unwritable_answer", error);
    *response.status_mut() =
        StatusCode::from_u16(served.status).map_err(|error| broken(error.to_string()))?;
    for (name, value) in served.headers {
        let value = HeaderValue::from_str(&value).map_err(|error| broken(error.to_string()))?;
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

fn wanted(headers: &HeaderMap) -> Wanted {
    let own = |name| text(headers, name).map(str::to_string);
    Wanted { range: own("range"), if_range: own("if-range"), if_none_match: own("if-none-match") }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Takes back an own upload that nothing shows yet.
#[utoipa::path(delete, path = "/api/attachments/{attachment}", responses((status = 204)))]
async fn withdraw(id: AttachmentId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    app.withdraw_attachment(caller.user, id).await?;
    Answer::nothing()
}

/// In which message of a sealed room an attachment is shown.
#[derive(Debug, Deserialize, ToSchema)]
struct ShowRequest {
    /// The message's id, which its sender makes.
    event: EventId,
}

/// Says in which message of a sealed room an own attachment is shown.
#[utoipa::path(put, path = "/api/attachments/{attachment}/message", request_body = ShowRequest,
    responses((status = 204)))]
async fn show(
    id: AttachmentId,
    app: Arc<App>,
    caller: Caller,
    request: ShowRequest,
) -> Result<Answer, ApiError> {
    app.show_attachment(caller.user, id, request.event).await?;
    Answer::nothing()
}

/// Why an attachment is kept from everybody.
#[derive(Debug, Deserialize, ToSchema)]
struct QuarantineRequest {
    /// For the audit log.
    reason: String,
}

/// Keeps an attachment from everybody; for the owner and admins of the house.
#[utoipa::path(put, path = "/api/attachments/{attachment}/quarantine",
    request_body = QuarantineRequest, responses((status = 204)))]
async fn quarantine(
    id: AttachmentId,
    app: Arc<App>,
    caller: Caller,
    request: QuarantineRequest,
) -> Result<Answer, ApiError> {
    app.roles.require(caller.user, HouseAction::Moderate)?;
    app.quarantine(caller.user, id, Some(request.reason)).await?;
    Answer::nothing()
}

/// Lets an attachment go again; for the owner and admins of the house.
#[utoipa::path(delete, path = "/api/attachments/{attachment}/quarantine",
    responses((status = 204)))]
async fn release(id: AttachmentId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    app.roles.require(caller.user, HouseAction::Moderate)?;
    app.quarantine(caller.user, id, None).await?;
    Answer::nothing()
}

/// Tells what attachments take; for the owner and admins of the house.
#[utoipa::path(get, path = "/api/settings/storage", responses((status = 200, body = Storage)))]
async fn storage(app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    app.roles.require(caller.user, HouseAction::ManageSettings)?;
    Answer::ok(&app.storage().await?)
}
