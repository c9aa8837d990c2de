//! What not every client could read, or would never grow old, the box does not take.

use hearth_protocol::bytes::b64u;
use hearth_protocol::ids::EventId;
use hearth_protocol::limits::hours_ms;
use hearth_protocol::role::{HouseRole, RoomType};
use hearth_protocol::sealing::epoch::Rules;
use hearth_protocol::sealing::event::Kind;
use hearth_protocol::sealing::kdf;
use serde_json::{Value, json};

use crate::clock::random;
use crate::testing::sealed::{Epoch, Keyed};
use crate::testing::{BEGINS_MS, House};

const RULES: Rules = Rules::new(RoomType::Private);
const BEYOND: u64 = 1 << 53;

/// lp(JSON) ‖ what follows, signed by somebody, as requests carry it.
fn signed(json: &str, follows: &[u8], tag: &str, parts: &[&[u8]], by: &Keyed) -> String {
    let mut out = vec![];
    kdf::lp(&mut out, json.as_bytes());
    out.extend_from_slice(follows);
    out.extend_from_slice(&by.identity.sign.sign(&kdf::ctx(tag, parts)));
    b64u(&out)
}

/// An epoch with another header, well signed.
fn forged(json: &str, epoch: &Epoch, by: &Keyed) -> String {
    let file = epoch.bundle.age_file();
    let mut follows = vec![];
    kdf::lp(&mut follows, file);
    let parts = [json.as_bytes(), &kdf::sha256(file)];
    signed(json, &follows, "hearth/v1/epoch", &parts, by)
}

fn card(fields: &Value, by: &Keyed) -> String {
    let json = fields.to_string();
    signed(&json, &[], "hearth/v1/card", &[json.as_bytes()], by)
}

#[tokio::test]
async fn an_epoch_that_browsers_cannot_read_is_not_taken() {
    let house = House::new().await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    let (room, first) = house.sealed_room(&anna).await;
    let path = format!("/api/rooms/{room}/bundles");
    let next = first.next(RULES, &[&anna]);
    let header = serde_json::to_value(&next.bundle.header).unwrap();
    let post = async |json: &str| {
        let body = json!({ "bundle": forged(json, &next, &anna) });
        house.post(&path, &anna.person, body).await.code()
    };
    let invite = json!({ "code": "aaaaaaaaaa", "by": anna.id(), "expires": BEGINS_MS, "uses": 1,
        "sign_public": anna.identity.sign.public(), "recipient": anna.identity.age.recipient() });
    for (field, value, code) in [
        ("at", json!(BEYOND), "bad_sealed"),
        ("rules", json!(["private", "all", false]), "bad_sealed"),
        ("invites", json!([invite]), "bad_sealed"),
        ("later", json!({ "more": true }), "bad_bundle"),
        ("later", Value::Null, "bad_bundle"),
    ] {
        let mut header = header.clone();
        header[field] = value;
        assert_eq!(post(&header.to_string()).await, code, "{field}");
    }
    let twice = header.to_string().replacen('{', r#"{"later":1,"later":1,"#, 1);
    assert_eq!(post(&twice).await, "bad_sealed");
    assert_eq!(post(&header.to_string()).await, "201");
}

#[tokio::test]
async fn an_epoch_from_the_day_after_tomorrow_is_not_taken_unless_the_box_doubts_its_clock() {
    let house = House::new().await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    let (room, first) = house.sealed_room(&anna).await;
    let path = format!("/api/rooms/{room}/bundles");
    let post = async |before: &Epoch, at: u64| {
        let next = before.next(RULES, &[&anna]);
        let mut header = serde_json::to_value(&next.bundle.header).unwrap();
        header["at"] = json!(at);
        let body = json!({ "bundle": forged(&header.to_string(), &next, &anna) });
        house.post(&path, &anna.person, body).await.code()
    };
    let latest = BEGINS_MS + hours_ms(24);
    assert_eq!(post(&first, latest + 1).await, "clock_ahead");
    assert_eq!(post(&first, BEYOND - 1).await, "clock_ahead");
    assert_eq!(post(&first, latest).await, "201");
    let (other, first) = house.sealed_room(&anna).await;
    let next = first.next(RULES, &[&anna]);
    let mut header = serde_json::to_value(&next.bundle.header).unwrap();
    header["at"] = json!(latest + 1);
    house.app.trust.find(false);
    let body = json!({ "bundle": forged(&header.to_string(), &next, &anna) });
    let path = format!("/api/rooms/{other}/bundles");
    house.post(&path, &anna.person, body).await.is(201);
}

#[tokio::test]
async fn a_card_that_browsers_cannot_read_is_not_taken() {
    let house = House::new().await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    let latest = BEGINS_MS + hours_ms(24);
    let put = async |created: u64, more: Option<&str>| {
        let mut fields = json!({ "user": anna.id(), "age": anna.identity.age.recipient(),
            "ed25519": anna.identity.sign.public(), "created": created });
        if let Some(more) = more {
            fields[more] = json!(1);
        }
        let body = json!({ "card": card(&fields, &anna) });
        house.put("/api/users/me/card", &anna.person, body).await.code()
    };
    assert_eq!(put(1 << 60, None).await, "bad_sealed");
    assert_eq!(put(latest + 1, None).await, "clock_ahead");
    assert_eq!(put(BEGINS_MS, Some("later")).await, "bad_card");
    assert_eq!(put(latest, None).await, "204");
}

#[tokio::test]
async fn an_event_with_an_id_that_names_nothing_is_not_taken() {
    let house = House::new().await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    let (room, first) = house.sealed_room(&anna).await;
    let id = || EventId::new(BEGINS_MS, random());
    let good = first.wire(&anna, id(), Kind::Content, 1);
    let mut nil = first.wire(&anna, id(), Kind::Content, 1);
    nil[5..21].fill(0);
    assert_eq!(house.send_sealed(room, &anna, &nil).await.code(), "bad_sealed");
    let mut target = first.wire(&anna, id(), Kind::Tombstone(id()), 1);
    target[50..66].fill(0);
    assert_eq!(house.send_sealed(room, &anna, &target).await.code(), "bad_sealed");
    let mut far = good.clone();
    far[42..50].copy_from_slice(&BEYOND.to_be_bytes());
    assert_eq!(house.send_sealed(room, &anna, &far).await.code(), "bad_sealed");
    house.send_sealed(room, &anna, &good).await.is(201);
}
