//! The table of the house (`protocol::role::may_in_house`), cell by cell: over REST by a login, by
//! app tokens and by a device's, over MQTT by what each may see.

use hearth_protocol::grant::Access;
use hearth_protocol::ids::GrantId;
use hearth_protocol::role::{HouseAction, may_in_house};
use hearth_store::Scope;

use super::*;

/// Whoever is tried, somebody to be acted on whom they share no room with, a public room.
struct Yard {
    house: House,
    who: Person,
    ben: Person,
    room: RoomId,
}

impl Yard {
    async fn new(role: HouseRole) -> Yard {
        let house = House::new().await;
        house.named().await;
        let anna = house.person("anna", HouseRole::Owner).await;
        let ben = house.person("ben", HouseRole::Member).await;
        let who = house.person("who", role).await;
        let room = house.room(RoomType::Public, Sealing::Open, &[&anna]).await;
        Yard { house, who, ben, room }
    }

    /// Requests that do this.
    fn requests(&self, action: HouseAction) -> Vec<(&'static str, String, Value)> {
        let (ben, room) = (self.ben.id, self.room);
        let of_ben = |tail: &str| format!("/api/users/{ben}{tail}");
        let read = |path: &str| ("GET", path.to_string(), Value::Null);
        match action {
            HouseAction::ManageGrants => {
                let grant = json!({ "user_id": ben, "filter": "home/#", "access": "read" });
                vec![read("/api/grants"), ("POST", "/api/grants".into(), grant)]
            }
            HouseAction::Disconnect => vec![("POST", of_ben("/disconnect"), Value::Null)],
            HouseAction::SeeCounts => vec![read("/metrics")],
            HouseAction::MakeRooms => {
                let room = json!({ "name": "Attic", "type": "private", "sealing": "open" });
                vec![("POST", "/api/rooms".into(), room)]
            }
            HouseAction::FindRooms => vec![
                read(&format!("/api/rooms/{room}")),
                ("POST", format!("/api/rooms/{room}/join"), Value::Null),
            ],
            HouseAction::FindPeople => {
                vec![read("/api/users/search?q=b"), read(&of_ben("")), read(&of_ben("/cards"))]
            }
            HouseAction::ManagePeople => vec![
                read("/api/users"),
                ("PATCH", of_ben(""), json!({ "blocked": false })),
                ("POST", of_ben("/reset"), Value::Null),
                ("DELETE", of_ben("/sessions"), Value::Null),
                ("POST", "/api/bots".into(), json!({ "name": "bot", "token": { "label": "x" } })),
                ("DELETE", of_ben(""), Value::Null),
            ],
            HouseAction::ManageAdmins => vec![("PATCH", of_ben(""), json!({ "role": "admin" }))],
            HouseAction::ManageSettings => {
                let settings = json!({
                    "house": "Home", "registration": "invite", "version": 0,
                    "retention_days": 0, "retention_bytes": 0, "audit_days": null,
                    "attachment_user_mib": null, "attachment_house_mib": null,
                });
                let rules = json!({ "version": 0, "allow": [], "deny": [] });
                vec![
                    read("/api/settings/addresses"),
                    read("/api/settings/storage"),
                    ("PUT", "/api/settings".into(), settings),
                    ("PUT", "/api/settings/addresses".into(), rules),
                ]
            }
            HouseAction::Moderate => vec![read("/api/audit"), read("/api/reports?status=open")],
        }
    }

    async fn token(&self, scope: Option<Scope>) -> Person {
        let text = self.house.app.auth.make_app_token(self.who.id, "x", scope).await.unwrap().1;
        Person { token: text, ..self.who.clone() }
    }

    async fn is_refused(&self, who: &Person, request: &(&'static str, String, Value)) -> bool {
        let (method, path, body) = request;
        let answer = self.house.call(method, path, Some(who), body.clone()).await;
        assert!(answer.status < 500 && answer.status != 401, "{request:?}: {}", answer.body);
        [403, 404].contains(&answer.status)
    }
}

#[tokio::test]
async fn rest_answers_as_the_table_of_the_house_says() {
    for role in HOUSE_ROLES {
        for action in HouseAction::ALL {
            let yard = Yard::new(role).await;
            for request in yard.requests(action) {
                let refused = yard.is_refused(&yard.who, &request).await;
                assert_eq!(refused, !may_in_house(role, action), "{role:?}: {request:?}");
            }
        }
    }
}

#[tokio::test]
async fn an_app_token_never_opens_more_than_its_person_and_its_scope() {
    for role in HOUSE_ROLES {
        for action in HouseAction::ALL {
            let yard = Yard::new(role).await;
            let whole = yard.token(None).await;
            let reader = yard.token(Some(Scope { access: Access::Read, rooms: None })).await;
            let rooms = Some(vec![yard.room]);
            let of_a_room = yard.token(Some(Scope { access: Access::Both, rooms })).await;
            for request in yard.requests(action) {
                let what = format!("{role:?}: {request:?}");
                if request.0 != "GET" {
                    assert!(yard.is_refused(&reader, &request).await, "{what}");
                }
                if !request.1.starts_with("/api/rooms/") {
                    assert!(yard.is_refused(&of_a_room, &request).await, "{what}");
                }
                if !may_in_house(role, action) {
                    assert!(yard.is_refused(&whole, &request).await, "{what}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_devices_token_opens_no_request_but_its_door() {
    let yard = Yard::new(HouseRole::Owner).await;
    let kitchen = yard.house.room(RoomType::Private, Sealing::Open, &[&yard.who]).await;
    let path = format!("/api/rooms/{kitchen}/devices");
    let made = yard.house.post(&path, &yard.who, json!({ "name": "oven" })).await.is(201);
    let token = made["token"].as_str().unwrap().to_string();
    let oven = Person { token, ..yard.who.clone() };
    for action in HouseAction::ALL {
        for request in yard.requests(action) {
            assert!(yard.is_refused(&oven, &request).await, "{request:?}");
        }
    }
    for path in ["/api/rooms", "/api/notifications", "/api/notifications/stream", "/api/vault"] {
        assert_eq!(yard.house.get(path, &oven).await.status, 403, "{path}");
    }
    for tail in ["", "/messages", "/members", "/devices"] {
        let path = format!("/api/rooms/{kitchen}{tail}");
        assert_eq!(yard.house.get(&path, &oven).await.status, 403, "{path}");
    }
}

#[tokio::test]
async fn mqtt_shows_the_counts_as_the_table_of_the_house_says() {
    for role in HOUSE_ROLES {
        let yard = Yard::new(role).await;
        let gate = HouseGate::new(&yard.house.app);
        let (user, session) = (yard.who.id, yard.who.session);
        let who = Principal::Person { user, session };
        let may = may_in_house(role, HouseAction::SeeCounts);
        let topic = "$SYS/broker/clients/connected";
        assert_eq!(gate.may_subscribe(&who, topic).is_ok(), may, "{role:?}");
        assert_eq!(gate.may_receive(&who, topic), may, "{role:?}");
        // Nobody may use plain topics that are granted to nobody, whoever they are.
        assert!(gate.may_subscribe(&who, "home/#").is_err(), "{role:?}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_answered_alike_for_what_is_not_ones_own() {
    let yard = Yard::new(HouseRole::Member).await;
    let Yard { house, who, ben, .. } = &yard;
    let private = house.room(RoomType::Private, Sealing::Open, &[ben]).await;
    let path = format!("/api/rooms/{private}/messages");
    let said = house.post(&path, ben, json!({ "content": "x" })).await.is(201);
    let devices = format!("/api/rooms/{private}/devices");
    let device = house.post(&devices, ben, json!({ "name": "oven" })).await.is(201);
    let invite = house.post(&format!("/api/rooms/{private}/invites"), ben, json!({})).await.is(201);
    let token = house.app.auth.make_app_token(ben.id, "x", None).await.unwrap().0.id;
    let id = |value: &Value| value.as_str().unwrap().to_string();
    let fresh = |_: &str| GrantId::new(BEGINS_MS, random()).to_string();
    for (method, before, theirs, after) in [
        ("GET", "/api/messages/", id(&said["id"]), ""),
        ("DELETE", "/api/messages/", id(&said["id"]), ""),
        ("GET", "/api/messages/", id(&said["id"]), "/receipts"),
        ("DELETE", "/api/devices/", id(&device["device"]["id"]), ""),
        ("DELETE", "/api/auth/sessions/", ben.session.to_string(), ""),
        ("DELETE", "/api/auth/tokens/", token.to_string(), ""),
        ("GET", "/api/rooms/", private.to_string(), ""),
        ("DELETE", "/api/rooms/", private.to_string(), ""),
        ("POST", "/api/rooms/", private.to_string(), "/leave"),
    ] {
        let unknown = format!("{before}{}{after}", fresh(&theirs));
        let unknown = house.call(method, &unknown, Some(who), Value::Null).await;
        let path = format!("{before}{theirs}{after}");
        let answer = house.call(method, &path, Some(who), Value::Null).await;
        assert_eq!((answer.status, unknown.status), (404, 404), "{method} {path}");
        assert_eq!(answer.bytes, unknown.bytes, "{method} {path}");
    }
    // An invite's code is all there is to know of it: nobody but its room takes it back.
    let path = format!("/api/invites/{}", id(&invite["code"]));
    let theirs = house.call("DELETE", &path, Some(who), Value::Null).await;
    let unknown = house.call("DELETE", "/api/invites/0123456789", Some(who), Value::Null).await;
    assert_eq!((theirs.status, theirs.bytes), (404, unknown.bytes));
}
