//! How the protocol's types are described in OpenAPI 3.1 (JSON Schema 2020-12), for the gateway.

use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::ids::InviteCode;
use crate::network::Network;

/// Bytes as base64url without padding, for `#[schema(value_type = B64u)]` on fields that
/// [`crate::bytes`] reads and writes.
pub struct B64u;

/// The canonical spelling: 36 characters, lower case.
const UUID: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";
/// The bits that are left over are 0.
const BASE64URL: &str =
    "^([A-Za-z0-9_-]{4})*([A-Za-z0-9_-][AQgw]|[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048])?$";

fn text(description: &str, pattern: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .pattern(Some(pattern))
}

/// A UUID of some kind.
pub fn uuid(what: &str) -> Object {
    text(what, UUID).format(Some(SchemaFormat::Custom("uuid".to_string()))).build()
}

/// So many bytes as base64url without padding.
pub fn b64u(what: &str, bytes: usize) -> Object {
    let whole = bytes / 3 * 4;
    let rest = match bytes % 3 {
        1 => "[A-Za-z0-9_-][AQgw]",
        2 => "[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048]",
        _ => "",
    };
    text(what, &format!("^[A-Za-z0-9_-]{{{whole}}}{rest}$")).build()
}

impl PartialSchema for B64u {
    fn schema() -> RefOr<Schema> {
        text("Bytes as base64url without padding.", BASE64URL).build().into()
    }
}

impl ToSchema for B64u {}

impl PartialSchema for InviteCode {
    fn schema() -> RefOr<Schema> {
        text(
            "An invite's code: ten characters of Crockford base32.",
            "^[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{10}$",
        )
        .build()
        .into()
    }
}

impl ToSchema for InviteCode {}

impl PartialSchema for Network {
    fn schema() -> RefOr<Schema> {
        text("An address, or a network as `192.168.0.0/16`.", "^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$")
            .build()
            .into()
    }
}

impl ToSchema for Network {}
