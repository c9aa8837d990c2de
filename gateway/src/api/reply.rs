//! The one place that makes HTTP answers: JSON, statuses, errors of one shape.

use std::convert::Infallible;

use bytes::Bytes;
use hearth_protocol::refusal::{Kind, Refusal};
use serde::Serialize;
use utoipa::ToSchema;
use warp::Rejection;
use warp::http::StatusCode;
use warp::http::header::{CACHE_CONTROL, HeaderValue, RETRY_AFTER};
use warp::reject::{self, Reject};
use warp::reply::Response;

use crate::error::ApiError;
use crate::http::server::Shared;

/// What a handler answers when all went well.
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    body: Option<Bytes>,
    content_type: &'static str,
    /// The bytes are there anyway, however many take them.
    shared: bool,
}

const JSON: &str = "application/json";
/// When it is worth asking a box again that cannot now, in s.
const RETRY_S: u64 = 5;

impl Answer {
    /// 200 with JSON.
    pub fn ok(value: &impl Serialize) -> Result<Self, ApiError> {
        Self::with(StatusCode::OK, value)
    }

    /// 201 with JSON.
    pub fn created(value: &impl Serialize) -> Result<Self, ApiError> {
        Self::with(StatusCode::CREATED, value)
    }

    /// 204.
    pub fn nothing() -> Result<Self, ApiError> {
        Ok(Self { status: StatusCode::NO_CONTENT, body: None, content_type: JSON, shared: false })
    }

    /// 200 with text of a format of its own.
    pub fn text(text: String, content_type: &'static str) -> Result<Self, ApiError> {
        let (status, body) = (StatusCode::OK, Some(text.into()));
        Ok(Self { status, body, content_type, shared: false })
    }

    /// 200 with what is the same for everyone and made once.
    pub fn fixed(bytes: Bytes, content_type: &'static str) -> Result<Self, ApiError> {
        Ok(Self { status: StatusCode::OK, body: Some(bytes), content_type, shared: true })
    }

    /// 503 with JSON.
    pub fn unavailable(value: &impl Serialize) -> Result<Self, ApiError> {
        Self::with(StatusCode::SERVICE_UNAVAILABLE, value)
    }

    fn with(status: StatusCode, value: &impl Serialize) -> Result<Self, ApiError> {
        let body = serde_json::to_vec(value).map_err(|error| ApiError::unwritable(&error))?;
        Ok(Self { status, body: Some(body.into()), content_type: JSON, shared: false })
    }
}

/// Text as it stands in HTML.
pub fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;")
}

/// Every answer that is a no.
#[derive(Serialize, ToSchema)]
pub struct Refused<'a> {
    /// A word for programs: `not_found`, `id_taken` …
    code: &'a str,
    /// What happened, to what.
    message: &'a str,
    /// What to do about it; may be empty.
    hint: &'a str,
}

/// A rejection that carries its answer.
impl Reject for ApiError {}

/// The response to what a handler returned.
pub fn answer(result: Result<Answer, ApiError>) -> Response {
    match result {
        Ok(answer) => {
            let mut response = Response::new(answer.body.unwrap_or_default().into());
            *response.status_mut() = answer.status;
            headers(&mut response, answer.content_type);
            if answer.shared {
                response.extensions_mut().insert(Shared);
            }
            response
        }
        Err(error) => refuse(&error.0),
    }
}

fn headers(response: &mut Response, content_type: &'static str) {
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// `{code, message, hint}` with the status of its kind.
pub fn refuse(no: &Refusal) -> Response {
    let body = Refused { code: no.code, message: &no.message, hint: no.hint };
    // Three texts are always written.
    let body = serde_json::to_vec(&body).unwrap_or_default();
    let mut response = Response::new(body.into());
    *response.status_mut() =
        StatusCode::from_u16(no.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    headers(&mut response, JSON);
    let retry_after_s = match no.kind {
        Kind::TooMany { retry_after_ms } => Some(retry_after_ms.div_ceil(1_000)),
        Kind::Unavailable => Some(RETRY_S),
        _ => None,
    };
    if let Some(seconds) = retry_after_s.map(HeaderValue::from) {
        response.headers_mut().insert(RETRY_AFTER, seconds);
    }
    response
}

/// Turns whatever no route took into an answer.
pub async fn recover(rejection: Rejection) -> Result<Response, Infallible> {
    let simple = |status: StatusCode, code: &'static str, message: &str| {
        let mut response = refuse(&Refusal::new(Kind::Invalid, code, message));
        *response.status_mut() = status;
        response
    };
    Ok(if let Some(ApiError(no)) = rejection.find::<ApiError>() {
        refuse(no)
    } else if rejection.find::<reject::PayloadTooLarge>().is_some() {
        simple(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is too large")
    } else if rejection.find::<reject::LengthRequired>().is_some() {
        simple(StatusCode::LENGTH_REQUIRED, "length_required", "say the body's length")
    } else if rejection.find::<reject::InvalidQuery>().is_some() {
        simple(StatusCode::BAD_REQUEST, "bad_query", "the query does not read")
    } else if rejection.find::<reject::MissingHeader>().is_some()
        || rejection.find::<reject::InvalidHeader>().is_some()
    {
        simple(StatusCode::BAD_REQUEST, "bad_header", "a header is missing or does not read")
    } else if rejection.find::<reject::MethodNotAllowed>().is_some() {
        simple(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "not with this method")
    } else {
        nothing_here()
    })
}

/// 404 for a path that no route has.
pub fn nothing_here() -> Response {
    refuse(&Refusal::new(Kind::NotFound, "not_found", "there is nothing at this path"))
}
