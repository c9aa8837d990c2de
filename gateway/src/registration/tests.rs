//! Who makes an account, and what guests get.

use hearth_protocol::ids::RoomId;
use hearth_protocol::limits::{Limits, days_ms};
use hearth_protocol::role::{RoomRole, RoomType, Sealing};
use hearth_protocol::sealing::Secret;
use hearth_protocol::sealing::card::Card;
use hearth_protocol::sealing::identity::Identity;
use hearth_protocol::sealing::kdf::sha256;
use hearth_store::{House as HouseRecord, Invite, Room, Settings};
use serde_json::{Value, json};

use super::*;
use crate::accounts::member;
use crate::testing::{Answered, BEGINS_MS, House, Person};

const AUTH: [u8; 32] = [9; 32];

/// An account with keys, as a client brings it.
fn account(name: &str) -> Value {
    let user = UserId::new(BEGINS_MS, random());
    let identity = Identity::from_root(Secret::from_bytes(random())).unwrap();
    let card = Card::first(&identity, user, BEGINS_MS).unwrap();
    json!({ "user_id": user, "name": name, "salt": b64u(&[1; 16]), "cost": Cost::default(),
            "auth_key": b64u(&[2; 32]), "card": b64u(&card.encode()), "vault": b64u(&[3]),
            "recovery": b64u(&[4]) })
}

async fn register(house: &House, body: Value) -> Answered {
    house.call("POST", "/api/auth/register", None, body).await
}

/// A house with a general room.
async fn inhabited(limits: Limits) -> (House, Person, RoomId) {
    let house = House::with(limits).await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let id = RoomId::new(BEGINS_MS, random());
    let room = house.app.new_room(id, "General", RoomType::Public, anna.id).unwrap();
    let room = Room { general: true, ..room };
    let owner = member(&room, anna.id, RoomRole::Owner, BEGINS_MS);
    let named = HouseRecord { name: "Home".into(), created_at: BEGINS_MS };
    house.change(vec![Edit::SetHouse(named), Edit::PutRoom(room), Edit::PutMember(owner)]).await;
    (house, anna, id)
}

async fn open(house: &House) {
    let settings = Settings { version: 1, registration: Registration::Open, ..Settings::default() };
    house.change(vec![Edit::SwapSettings { expected: 0, settings }]).await;
}

fn code(number: u8) -> InviteCode {
    InviteCode::new([number; 10])
}

/// Makes an invite by REST.
async fn invite(
    house: &House,
    by: &Person,
    room: RoomId,
    number: u8,
    until: Option<u64>,
) -> Answered {
    let body = json!({ "code": code(number), "auth_hash": b64u(&sha256(&AUTH)), "blob": b64u(&[1]),
                       "expires_at": BEGINS_MS + days_ms(7), "uses": 5, "guest_until": until,
                       "bundles": [] });
    house.post(&format!("/api/rooms/{room}/invites"), by, body).await
}

async fn guest(house: &House, number: u8, name: &str) -> Answered {
    let body = json!({ "code": code(number), "auth": b64u(&AUTH), "display_name": name });
    house.call("POST", "/api/auth/guest", None, body).await
}

#[tokio::test]
async fn a_house_is_open_only_when_it_says_so() {
    let (house, _, general) = inhabited(Limits::default()).await;
    let needed = house.call("GET", "/api/setup", None, Value::Null).await.is(200);
    assert_eq!(needed, json!({ "needed": false, "registration": "invite" }));
    let refused = register(&house, account("ben")).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "invite_required"));
    open(&house).await;
    let made = register(&house, account("ben")).await.is(201);
    assert_eq!(made["user"]["role"], "member");
    let ben = made["user"]["id"].as_str().unwrap().parse().unwrap();
    assert!(house.app.membership.is_member(general, ben));
    assert_eq!(register(&house, account("BEN")).await.code(), "name_taken");
    let mut half = account("cem");
    half["auth"] = json!(b64u(&AUTH));
    assert_eq!(register(&house, half).await.code(), "bad_invite");
}

#[tokio::test]
async fn an_open_house_that_nobody_set_up_takes_nobody() {
    let house = House::new().await;
    open(&house).await;
    assert_eq!(register(&house, account("ben")).await.code(), "invite_required");
}

#[tokio::test]
async fn an_open_house_makes_so_many_accounts_in_an_hour() {
    let (house, ..) = inhabited(Limits { accounts_per_hour_max: 2, ..Limits::default() }).await;
    open(&house).await;
    register(&house, account("ben")).await.is(201);
    assert_eq!(register(&house, account("ben")).await.code(), "name_taken", "not counted");
    register(&house, account("cem")).await.is(201);
    let refused = register(&house, account("dora")).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_many_accounts"));
    assert_eq!(refused.headers["retry-after"], "3600");
    house.later(3_600_000);
    register(&house, account("dora")).await.is(201);
}

#[tokio::test]
async fn an_invite_for_guests_leads_to_its_room_and_ends_on_its_day() {
    let (house, anna, general) = inhabited(Limits::default()).await;
    let room = house.room(RoomType::Private, Sealing::Open, &[&anna]).await;
    let until = BEGINS_MS + days_ms(2);
    invite(&house, &anna, room, 1, Some(until)).await.is(201);
    let mut body = account("gus");
    body["code"] = json!(code(1));
    body["auth"] = json!(b64u(&AUTH));
    body["joins"] = json!([]);
    let made = register(&house, body).await.is(201);
    assert_eq!(made["user"]["role"], "guest");
    let gus = made["user"]["id"].as_str().unwrap().parse().unwrap();
    assert!(house.app.membership.is_member(room, gus));
    assert!(!house.app.membership.is_member(general, gus));
    let visitor = guest(&house, 1, " Visitor ").await.is(201);
    assert_eq!(
        (&visitor["user"]["display_name"], &visitor["user"]["role"]),
        (&json!("Visitor"), &json!("guest"))
    );
    let token = visitor["token"].as_str().unwrap().to_string();
    let visitor = Person { token, ..anna.clone() };
    let rooms = house.get("/api/rooms", &visitor).await.is(200);
    assert_eq!(rooms["rooms"].as_array().unwrap().len(), 1);
    let me = house.get("/api/auth/me", &visitor).await.is(200);
    assert_eq!(me["user"]["guest_until"], until);
    house.later(days_ms(2));
    assert_eq!(house.get("/api/rooms", &visitor).await.code(), "wrong_token");
    assert_eq!(guest(&house, 1, "Late").await.code(), "invite_expired");
}

#[tokio::test]
async fn a_guest_without_a_password_needs_an_invite_for_one_and_an_open_room() {
    let (house, anna, general) = inhabited(Limits::default()).await;
    let sealed = house.room(RoomType::Private, Sealing::Sealed, &[&anna]).await;
    let until = Some(BEGINS_MS + days_ms(1));
    invite(&house, &anna, general, 1, None).await.is(201);
    assert_eq!(guest(&house, 1, "Gus").await.code(), "account_required");
    assert_eq!(guest(&house, 2, "Gus").await.code(), "not_found");
    let record = Invite {
        rooms: vec![sealed],
        code: code(3),
        guest_until: until,
        ..house.app.store.invite(code(1)).await.unwrap().unwrap()
    };
    house.change(vec![Edit::PutInvite(record)]).await;
    assert_eq!(guest(&house, 3, "Gus").await.code(), "account_required");
    let open = house.room(RoomType::Private, Sealing::Open, &[&anna]).await;
    invite(&house, &anna, open, 4, until).await.is(201);
    assert_eq!(guest(&house, 4, "").await.code(), "bad_name");
    assert_eq!(guest(&house, 4, &"x".repeat(51)).await.code(), "bad_name");
    guest(&house, 4, &"x".repeat(50)).await.is(201);
    let wrong = json!({ "code": code(4), "auth": b64u(&[8; 32]), "display_name": "Gus" });
    assert_eq!(house.call("POST", "/api/auth/guest", None, wrong).await.code(), "not_found");
    // The last of five uses.
    for _ in 0..4 {
        guest(&house, 4, "Gus").await.is(201);
    }
    assert_eq!(guest(&house, 4, "Gus").await.code(), "invite_used_up");
}

#[tokio::test]
async fn a_guest_lets_in_guests_only_and_for_no_longer_than_they_stay() {
    let (house, _, general) = inhabited(Limits::default()).await;
    let gus = house.person("gus", HouseRole::Guest).await;
    let room = house.room(RoomType::Private, Sealing::Open, &[&gus]).await;
    let until = BEGINS_MS + days_ms(3);
    let user = house.app.person(gus.id).await.unwrap();
    house.change(vec![Edit::UpdateUser(User { guest_until: Some(until), ..user })]).await;
    assert_eq!(invite(&house, &gus, room, 1, None).await.code(), "forbidden");
    assert_eq!(invite(&house, &gus, room, 1, Some(until + 1)).await.code(), "forbidden");
    invite(&house, &gus, room, 1, Some(until)).await.is(201);
    let long = Some(BEGINS_MS + days_ms(365) + 1);
    assert_eq!(invite(&house, &gus, room, 2, long).await.code(), "bad_expiry");
    assert_eq!(invite(&house, &gus, room, 2, Some(BEGINS_MS)).await.code(), "bad_expiry");
    // A guest who takes up a member's invite stays out of the general room.
    let anna = house.person("ann", HouseRole::Admin).await;
    let kitchen = house.room(RoomType::Private, Sealing::Open, &[&anna]).await;
    let hall = house.app.membership.room(general).unwrap().room.clone();
    let enter = Edit::PutMember(member(&hall, anna.id, RoomRole::Member, BEGINS_MS));
    house.change(vec![enter]).await;
    invite(&house, &anna, kitchen, 3, None).await.is(201);
    let body = json!({ "auth": b64u(&AUTH), "joins": [] });
    let path = format!("/api/invites/{}/accept", code(3));
    let joined = house.post(&path, &gus, body).await.is(200);
    assert_eq!(joined["rooms"], json!([kitchen]));
    assert!(!house.app.membership.is_member(general, gus.id));
}

#[tokio::test]
async fn by_a_code_alone_one_makes_an_account_that_lives_here_or_a_guests() {
    let (house, anna, general) = inhabited(Limits::default()).await;
    let room = house.room(RoomType::Private, Sealing::Open, &[&anna]).await;
    let path = format!("/api/rooms/{room}/invites");
    let made = house.post(&path, &anna, json!({})).await.is(201);
    let mut body = account("ben");
    body["code"] = made["code"].clone();
    let ben = register(&house, body).await.is(201)["user"]["id"].clone();
    let ben = ben.as_str().unwrap().parse().unwrap();
    for at in [room, general] {
        assert!(house.app.membership.is_member(at, ben));
    }
    let until = BEGINS_MS + days_ms(1);
    let made = house.post(&path, &anna, json!({ "guest_until": until })).await.is(201);
    let body = json!({ "code": made["code"], "display_name": "Gus" });
    let gus = house.call("POST", "/api/auth/guest", None, body).await.is(201);
    let gus = gus["user"]["id"].as_str().unwrap().parse().unwrap();
    assert!(house.app.membership.is_member(room, gus));
    assert!(!house.app.membership.is_member(general, gus));
}

#[tokio::test]
async fn a_house_that_takes_no_guests_lets_none_in() {
    let (house, anna, _) = inhabited(Limits { guest_days_max: 0, ..Limits::default() }).await;
    let room = house.room(RoomType::Private, Sealing::Open, &[&anna]).await;
    let until = Some(BEGINS_MS + days_ms(1));
    assert_eq!(invite(&house, &anna, room, 1, until).await.code(), "no_guests");
    invite(&house, &anna, room, 1, None).await.is(201);
    // One that was made before.
    let record = Invite {
        code: code(2),
        guest_until: until,
        ..house.app.store.invite(code(1)).await.unwrap().unwrap()
    };
    house.change(vec![Edit::PutInvite(record)]).await;
    assert_eq!(guest(&house, 2, "Gus").await.code(), "no_guests");
    let mut body = account("gus");
    (body["code"], body["auth"]) = (json!(code(2)), json!(b64u(&AUTH)));
    assert_eq!(register(&house, body).await.code(), "no_guests");
}
