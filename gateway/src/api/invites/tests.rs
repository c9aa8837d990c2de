//! Invites over REST: how long they last, how often they are used, and who takes them back.

use hearth_protocol::bytes::b64u;
use hearth_protocol::ids::{InviteCode, RoomId};
use hearth_protocol::limits::days_ms;
use hearth_protocol::role::{HouseRole, RoomRole, RoomType, Sealing};
use hearth_protocol::sealing::Secret;
use hearth_protocol::sealing::epoch::{Invited, Rules};
use hearth_protocol::sealing::invite::{InviteKeys, Joining};
use hearth_protocol::sealing::kdf::sha256;
use hearth_store::{Edit, Invite};
use serde_json::{Value, json};

use crate::accounts::member;
use crate::clock::random;
use crate::testing::sealed::{Epoch, Keyed};
use crate::testing::{BEGINS_MS, House, Person};

const AUTH: [u8; 32] = [7; 32];

/// An invite of this code with what else is said.
fn invite(code: &str, more: Value) -> Value {
    let mut body = json!({ "code": code, "auth_hash": b64u(&sha256(&AUTH)), "blob": "AAAA" });
    let more = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(more);
    body
}

async fn accept(house: &House, code: &str, who: &Person) -> String {
    let body = json!({ "auth": b64u(&AUTH), "joins": [] });
    house.post(&format!("/api/invites/{code}/accept"), who, body).await.code()
}

/// An owner, a member, two outside; an open room of the first two.
async fn open() -> (House, [Person; 4], RoomId) {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let eve = house.person("eve", HouseRole::Member).await;
    let zoe = house.person("zoe", HouseRole::Member).await;
    let room = house.room(RoomType::Private, Sealing::Open, &[&anna, &ben]).await;
    (house, [anna, ben, eve, zoe], room)
}

#[tokio::test]
async fn an_invite_is_for_one_and_a_week_unless_it_says_otherwise() {
    let (house, [anna, ben, eve, zoe], room) = open().await;
    let path = format!("/api/rooms/{room}/invites");
    let code = "0123456789";
    assert_eq!(house.post(&path, &ben, invite(code, json!({}))).await.code(), "forbidden");
    assert_eq!(house.post(&path, &eve, invite(code, json!({}))).await.code(), "not_found");
    let made = house.post(&path, &anna, invite(code, json!({}))).await.is(201);
    assert_eq!(made["expires_at"], json!(BEGINS_MS + days_ms(7)));
    assert_eq!(made["uses_left"], json!(1));
    assert_eq!(house.post(&path, &anna, invite(code, json!({}))).await.code(), "id_taken");
    assert_eq!(accept(&house, code, &eve).await, "200");
    assert_eq!(accept(&house, code, &zoe).await, "invite_used_up");
    let late = "ABCDEFGHJK";
    house.post(&path, &anna, invite(late, json!({ "uses": 2 }))).await.is(201);
    house.later(days_ms(7) - 1);
    let anna = house.again(&anna).await;
    let zoe = house.again(&zoe).await;
    assert_eq!(house.get(&path, &anna).await.is(200)["invites"].as_array().unwrap().len(), 2);
    house.later(1);
    assert_eq!(accept(&house, late, &zoe).await, "invite_expired");
}

#[tokio::test]
async fn an_invite_has_its_bounds() {
    let (house, [anna, ..], room) = open().await;
    let path = format!("/api/rooms/{room}/invites");
    let latest = BEGINS_MS + days_ms(365);
    for (number, (more, code)) in [
        (json!({ "expires_at": BEGINS_MS }), "bad_expiry"),
        (json!({ "expires_at": BEGINS_MS + 1 }), "201"),
        (json!({ "expires_at": latest }), "201"),
        (json!({ "expires_at": latest + 1 }), "bad_expiry"),
        (json!({ "uses": 0 }), "bad_uses"),
        (json!({ "uses": 1_000 }), "201"),
        (json!({ "uses": 1_001 }), "bad_uses"),
        (json!({ "blob": "" }), "bad_blob"),
        (json!({ "blob": b64u(&[0; 4_096]) }), "201"),
        (json!({ "blob": b64u(&[0; 4_097]) }), "bad_blob"),
    ]
    .into_iter()
    .enumerate()
    {
        let body = invite(&format!("000000000{number}"), more.clone());
        let answered = house.post(&path, &anna, body).await;
        let taken = answered.status == 201;
        let found = if taken { "201".into() } else { answered.code() };
        assert_eq!(found, code, "{more}");
    }
}

#[tokio::test]
async fn an_invite_is_taken_back_by_its_maker_or_an_admin() {
    let (house, [anna, ben, eve, _], room) = open().await;
    let code = "0123456789";
    let path = format!("/api/rooms/{room}/invites");
    house.post(&path, &anna, invite(code, json!({ "uses": 9 }))).await.is(201);
    let one = format!("/api/invites/{code}");
    assert_eq!(house.delete(&one, &ben).await.code(), "not_found", "a member");
    house.later(1);
    assert_eq!(house.delete(&one, &anna).await.status, 204);
    let audit = house.app.store.audit(None, 9).await.unwrap();
    let actions: Vec<_> = audit.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["invite.revoke", "invite.create"]);
    assert_eq!(accept(&house, code, &eve).await, "invite_revoked");
    assert_eq!(house.call("GET", &one, None, Value::Null).await.code(), "invite_revoked");
}

#[tokio::test]
async fn who_was_listed_does_not_come_back_by_a_link_but_by_an_admin() {
    let house = House::new().await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    let ben = house.keyed("ben", HouseRole::Member).await;
    let (room, first) = house.sealed_room(&anna).await;
    let second = first.next(Rules::new(RoomType::Private), &[&anna, &ben]);
    let add = json!({ "user_id": ben.id(), "bundle": second.b64u() });
    let members = format!("/api/rooms/{room}/members");
    house.post(&members, &anna.person, add).await.is(201);
    let leave = format!("/api/rooms/{room}/leave");
    assert_eq!(house.post(&leave, &ben.person, Value::Null).await.status, 204);
    let third = second.next(Rules::new(RoomType::Private), &[&anna]);
    let code = "0123456789";
    let bundles = json!({ "bundles": [{ "room": room, "bundle": third.b64u() }] });
    let path = format!("/api/rooms/{room}/invites");
    house.post(&path, &anna.person, invite(code, bundles)).await.is(201);
    let body = json!({ "auth": b64u(&AUTH), "joins": [] });
    let refused = house.post(&format!("/api/invites/{code}/accept"), &ben.person, body).await;
    assert_eq!(refused.code(), "listed_before");
    assert!(refused.body["hint"].as_str().unwrap().contains("admin"), "{}", refused.body);
    let fourth = third.next(Rules::new(RoomType::Private), &[&anna, &ben]);
    let add = json!({ "user_id": ben.id(), "bundle": fourth.b64u() });
    house.post(&members, &anna.person, add).await.is(201);
}

#[tokio::test]
async fn an_open_rooms_invite_needs_no_keys_and_opens_by_its_code() {
    let (house, [anna, ben, eve, zoe], room) = open().await;
    let path = format!("/api/rooms/{room}/invites");
    assert_eq!(house.post(&path, &ben, json!({})).await.code(), "forbidden");
    let made = house.post(&path, &anna, json!({ "uses": 2 })).await.is(201);
    let code = made["code"].as_str().unwrap();
    assert_eq!(made["path"], json!(format!("/i/{code}")));
    assert_eq!(made["expires_at"], json!(BEGINS_MS + days_ms(7)));
    let one = format!("/api/invites/{code}");
    let look = house.call("GET", &one, None, Value::Null).await.is(200);
    assert_eq!((&look["rooms"][0]["id"], &look["blob"]), (&json!(room), &Value::Null));
    let take = async |who: &Person, body: Value| {
        house.post(&format!("{one}/accept"), who, body).await.code()
    };
    assert_eq!(take(&eve, json!({ "auth": b64u(&AUTH) })).await, "not_found");
    assert_eq!(take(&eve, json!({})).await, "200");
    assert_eq!(take(&zoe, json!({ "auth": "", "joins": [] })).await, "200");
    assert!(house.app.membership.is_member(room, eve.id));
    assert_eq!(take(&zoe, json!({})).await, "invite_used_up");
    // One that has a secret does not open without.
    house.post(&path, &anna, invite("0123456789", json!({}))).await.is(201);
    let keyed = house.post("/api/invites/0123456789/accept", &eve, json!({})).await;
    assert_eq!(keyed.code(), "not_found");
    for half in [json!({ "code": "0123456789" }), json!({ "blob": "AAAA" })] {
        assert_eq!(house.post(&path, &anna, half).await.code(), "bad_invite");
    }
    let short = json!({ "code": "1123456789", "auth_hash": "AAAA", "blob": "AAAA" });
    assert_eq!(house.post(&path, &anna, short).await.code(), "bad_invite");
    let sealed = house.room(RoomType::Private, Sealing::Sealed, &[&anna]).await;
    let refused = house.post(&format!("/api/rooms/{sealed}/invites"), &anna, json!({})).await;
    assert_eq!(refused.code(), "bundle_required");
}

#[tokio::test]
async fn a_join_proof_is_by_the_links_secret_and_for_ones_own_keys() {
    let house = House::new().await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    let ben = house.keyed("ben", HouseRole::Member).await;
    let eve = house.keyed("eve", HouseRole::Member).await;
    let (room, first) = house.sealed_room(&anna).await;
    let keys = InviteKeys::new(&Secret::from_bytes(random())).unwrap();
    let code = InviteCode::new([1; 10]);
    let expires = BEGINS_MS + days_ms(7);
    let (sign_public, recipient) = (keys.sign.public(), keys.age.recipient());
    let invited = Invited { code, by: anna.id(), sign_public, recipient, expires, uses: 9 };
    let second = first.inviting(vec![invited], &[&anna]);
    let bundles = json!([{ "room": room, "bundle": second.b64u() }]);
    let made = invite(code.as_str(), json!({ "uses": 9, "bundles": bundles }));
    house.post(&format!("/api/rooms/{room}/invites"), &anna.person, made).await.is(201);

    let proof = |who: &Keyed, keys: &InviteKeys| {
        let (user, fingerprint) = (who.id(), who.identity.fingerprint(who.id()));
        Joining { code, room, user, fingerprint }.prove(keys)
    };
    let take = async |who: &Keyed, proof: &[u8]| {
        let joins = json!([{ "room": room, "proof": b64u(proof) }]);
        let body = json!({ "auth": b64u(&AUTH), "joins": joins });
        house.post(&format!("/api/invites/{code}/accept"), &who.person, body).await.code()
    };
    let other = InviteKeys::new(&Secret::from_bytes(random())).unwrap();
    let mut long = proof(&ben, &keys).to_vec();
    long.push(0);
    for (bad, refusal) in [
        (vec![0], "bad_json"),
        (long, "bad_json"),
        (vec![0; 64], "bad_proof"),
        (proof(&ben, &other).to_vec(), "bad_proof"),
        (proof(&eve, &keys).to_vec(), "bad_proof"),
    ] {
        assert_eq!(take(&ben, &bad).await, refusal);
    }
    assert!(!house.app.membership.is_member(room, ben.id()));
    assert_eq!(take(&ben, &proof(&ben, &keys)).await, "200");
    let members = house.get(&format!("/api/rooms/{room}/members"), &anna.person).await.is(200);
    assert_eq!(members["waiting"][0]["proof"], json!(b64u(&proof(&ben, &keys))));
    // An epoch that names the invite no more.
    let body = json!({ "bundle": second.inviting(vec![], &[&anna]).b64u() });
    house.post(&format!("/api/rooms/{room}/bundles"), &anna.person, body).await.is(201);
    assert_eq!(take(&eve, &proof(&eve, &keys)).await, "invite_revoked");
}

#[tokio::test]
async fn a_code_that_opens_by_itself_is_shown_to_those_who_may_make_such_a_one() {
    let (house, [anna, ben, eve, _], room) = open().await;
    let gus = house.person("gus", HouseRole::Guest).await;
    let state = house.app.membership.room(room).unwrap();
    let admin = |who: &Person| member(&state.room, who.id, RoomRole::Admin, BEGINS_MS);
    house.change(vec![Edit::PutMember(admin(&gus)), Edit::PutMember(admin(&eve))]).await;
    let path = format!("/api/rooms/{room}/invites");
    let until = BEGINS_MS + days_ms(2);
    house.post(&path, &anna, invite("0123456789", json!({}))).await.is(201);
    house.post(&path, &anna, json!({})).await.is(201);
    house.post(&path, &eve, json!({ "guest_until": until })).await.is(201);
    let app = house.app.auth.make_app_token(anna.id, "x", None).await.unwrap().1;
    let app = Person { token: app, ..anna.clone() };
    let seen = async |who: &Person| {
        house.get(&path, who).await.is(200)["invites"].as_array().unwrap().len()
    };
    for (who, count) in [(&anna, 3), (&eve, 3), (&gus, 2), (&ben, 1), (&app, 1)] {
        assert_eq!(seen(who).await, count);
    }
    // Whoever made one goes on seeing it.
    let member = member(&state.room, eve.id, RoomRole::Member, BEGINS_MS);
    house.change(vec![Edit::UpdateMember(member)]).await;
    assert_eq!(seen(&eve).await, 2);
    let audit = house.app.store.audit(None, 9).await.unwrap();
    let codes: Vec<_> = audit.iter().map(|entry| entry.detail["code"].as_str().unwrap()).collect();
    // One that opens nothing without its secret is told; of one time they are in any order.
    let (whole, begun): (Vec<&str>, Vec<&str>) =
        codes.into_iter().partition(|code| code.len() == 10);
    assert_eq!((whole, begun.len()), (vec!["0123456789"], 2));
    assert!(begun.iter().all(|code| code.chars().count() == 4), "{begun:?}");
}

#[tokio::test]
async fn a_code_alone_opens_no_room_that_was_sealed_since() {
    let house = House::new().await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    let eve = house.keyed("eve", HouseRole::Member).await;
    let room = house.room(RoomType::Private, Sealing::Open, &[&anna.person]).await;
    let path = format!("/api/rooms/{room}/invites");
    let made = house.post(&path, &anna.person, json!({ "uses": 9 })).await.is(201);
    let until = json!({ "guest_until": BEGINS_MS + days_ms(2) });
    let guests = house.post(&path, &anna.person, until).await.is(201)["code"].clone();
    house.post(&path, &anna.person, invite("0123456789", json!({}))).await.is(201);
    let first = Epoch::first(room, RoomType::Private, &[&anna]);
    let seal = json!({ "sealing": "sealed", "bundle": first.b64u() });
    house.put(&format!("/api/rooms/{room}"), &anna.person, seal).await.is(200);
    let code = made["code"].as_str().unwrap().parse().unwrap();
    let ended = house.app.store.invite(code).await.unwrap().unwrap();
    assert!(ended.revoked);
    // One that stands, as where the room was sealed before such invites ended by that.
    let stands = Invite { code: InviteCode::new([9; 10]), revoked: false, ..ended };
    house.change(vec![Edit::PutInvite(stands.clone())]).await;
    let joins = json!({ "joins": [{ "room": room, "proof": b64u(&[0; 64]) }] });
    for code in [code, stands.code] {
        let one = format!("/api/invites/{code}");
        let taken = house.post(&format!("{one}/accept"), &eve.person, joins.clone()).await;
        assert_eq!((taken.status, taken.code().as_str()), (410, "invite_revoked"));
        assert_eq!(house.call("GET", &one, None, Value::Null).await.code(), "invite_revoked");
    }
    let body = json!({ "code": guests, "display_name": "Gus" });
    let guest = house.call("POST", "/api/auth/guest", None, body).await;
    assert_eq!(guest.code(), "invite_revoked");
    // One with a secret was made into an open room: the epoch does not name it.
    let body = json!({ "auth": b64u(&AUTH), "joins": joins["joins"] });
    let keyed = house.post("/api/invites/0123456789/accept", &eve.person, body).await;
    assert_eq!((keyed.status, keyed.code().as_str()), (410, "invite_revoked"));
    assert!(!house.app.membership.is_member(room, eve.id()));
}
