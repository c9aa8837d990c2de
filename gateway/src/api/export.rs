//! What the box has of an account beside its messages, files and notifications, in one answer:
//! `/api/users/me/export`. The rest is read by the page where it is (docs/protocol.md), as
//! `hearth export` does; what is sealed the box has only sealed.

use std::sync::Arc;

use hearth_protocol::bytes::b64u;
use hearth_protocol::schema::B64u;
use hearth_store::{Grant, Grantee};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::auth::{Me, TokenList};
use super::blocks::Blocks;
use super::contacts::Contacts;
use super::extract::{Caller, caller, with};
use super::reply::{Answer, answer};
use super::rooms::RoomList;
use super::sessions::SessionList;
use crate::app::App;
use crate::error::ApiError;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(export))]
pub struct Doc;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    path!("api" / "users" / "me" / "export")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(export)
        .map(answer)
        .boxed()
}

/// An account, each part as its own request gives it.
#[derive(Serialize, ToSchema)]
struct Export {
    /// As `GET /api/auth/me`.
    profile: Me,
    /// One's cards, the oldest first.
    #[schema(value_type = Vec<B64u>)]
    cards: Vec<String>,
    /// As `GET /api/rooms`: also how far one has read, and of which messages one is told.
    rooms: RoomList,
    /// As `GET /api/contacts`.
    contacts: Contacts,
    /// As `GET /api/blocks`.
    blocks: Blocks,
    /// As `GET /api/auth/sessions`.
    sessions: SessionList,
    /// As `GET /api/auth/tokens`.
    app_tokens: TokenList,
    /// Plain MQTT topics that one was granted.
    grants: Vec<Grant>,
}

/// Gives all that the box has of one's account beside messages, files and notifications.
#[utoipa::path(get, path = "/api/users/me/export", responses((status = 200, body = Export)))]
async fn export(app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    let (session, user) = (caller.login()?, caller.user);
    let mut grants = app.store.grants().await?;
    grants.retain(|grant| grant.to == Grantee::User(user));
    Answer::ok(&Export {
        profile: Me::of(&app, &caller).await?,
        cards: app.store.cards(user).await?.iter().map(|card| b64u(card)).collect(),
        rooms: RoomList::of(&app, user).await?,
        contacts: Contacts::of(&app, user).await?,
        blocks: Blocks::of(&app, user).await?,
        sessions: SessionList::of(&app, user, session).await?,
        app_tokens: app.store.tokens_of(user).await?.into(),
        grants,
    })
}

#[cfg(test)]
mod tests {
    use hearth_protocol::role::{HouseRole, RoomType, Sealing};
    use serde_json::json;

    use crate::testing::{House, Person};

    #[tokio::test]
    async fn an_export_has_what_each_part_gives_and_nothing_of_others() {
        let house = House::new().await;
        let anna = house.person("anna", HouseRole::Owner).await;
        let ben = house.person("ben", HouseRole::Member).await;
        house.room(RoomType::Private, Sealing::Open, &[&anna, &ben]).await;
        let secret = house.room(RoomType::Private, Sealing::Open, &[&ben]).await;
        house.call("PUT", &format!("/api/contacts/{}", ben.id), Some(&anna), json!({})).await;
        let label = json!({ "label": "phone" });
        let token = house.post("/api/auth/tokens", &anna, label).await.is(201);
        for (who, filter) in [(&anna, "mine/#"), (&ben, "his/#")] {
            let grant = json!({ "user_id": who.id, "filter": filter, "access": "read" });
            house.post("/api/grants", &anna, grant).await.is(201);
        }
        let export = house.get("/api/users/me/export", &anna).await.is(200);
        for (part, path) in [
            ("profile", "/api/auth/me"),
            ("rooms", "/api/rooms"),
            ("contacts", "/api/contacts"),
            ("blocks", "/api/blocks"),
            ("sessions", "/api/auth/sessions"),
            ("app_tokens", "/api/auth/tokens"),
        ] {
            assert_eq!(export[part], house.get(path, &anna).await.is(200), "{part}");
        }
        assert_eq!(export["cards"], json!([]));
        let grants = export["grants"].as_array().unwrap();
        assert_eq!((grants.len(), &grants[0]["filter"]), (1, &json!("mine/#")));
        let text = export.to_string();
        let app = token["token"].as_str().unwrap();
        assert!(!text.contains(&secret.to_string()) && !text.contains(app), "{text}");
        let app = Person { token: app.to_string(), ..anna };
        assert_eq!(house.get("/api/users/me/export", &app).await.code(), "forbidden");
    }
}
