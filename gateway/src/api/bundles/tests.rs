//! Epochs over REST: by the page, and only so many at a time.

use std::sync::Arc;

use hearth_protocol::bytes::b64u;
use hearth_protocol::ids::{DeviceId, EventId, InviteCode, RoomId};
use hearth_protocol::limits::Limits;
use hearth_protocol::role::{HouseRole, RoomType};
use hearth_protocol::sealing::Secret;
use hearth_protocol::sealing::card::Card;
use hearth_protocol::sealing::door;
use hearth_protocol::sealing::epoch::{Header, History, Invited, Rules};
use hearth_protocol::sealing::event::Kind;
use hearth_protocol::sealing::identity::Identity;
use hearth_protocol::sealing::invite::InviteKeys;
use hearth_store::Memory;
use serde_json::json;

use crate::clock::random;
use crate::testing::sealed::{Epoch, Keyed};
use crate::testing::{BEGINS_MS, House, Person};

const RULES: Rules = Rules::new(RoomType::Private);

#[tokio::test]
async fn epochs_come_by_the_page_and_each_once() {
    let house = House::with(Limits { page_bundles_max: 2, ..Limits::default() }).await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    let eve = house.person("eve", HouseRole::Member).await;
    let (room, mut epoch) = house.sealed_room(&anna).await;
    let path = format!("/api/rooms/{room}/bundles");
    for number in 2..=5 {
        epoch = epoch.next(RULES, &[&anna]);
        let made = house.post(&path, &anna.person, json!({ "bundle": epoch.b64u() })).await;
        assert_eq!(made.is(201)["epoch"], json!(number));
    }
    let page = async |query: &str| {
        let page = house.get(&format!("{path}?{query}"), &anna.person).await.is(200);
        let bundles = page["bundles"].as_array().unwrap();
        let epochs: Vec<_> = bundles.iter().map(|one| one["epoch"].as_u64().unwrap()).collect();
        (epochs, page["more"].as_bool().unwrap())
    };
    assert_eq!(page("").await, (vec![1, 2], true));
    assert_eq!(page("after=2").await, (vec![3, 4], true));
    assert_eq!(page("after=4").await, (vec![5], false));
    assert_eq!(page("after=5").await, (vec![], false));
    assert_eq!(page("limit=1").await, (vec![1], true));
    for (query, code) in
        [("limit=0", "bad_limit"), ("limit=3", "bad_limit"), ("after=x", "bad_query")]
    {
        assert_eq!(house.get(&format!("{path}?{query}"), &anna.person).await.code(), code);
    }
    assert_eq!(house.get(&path, &eve).await.code(), "not_found");
}

#[tokio::test]
async fn a_page_of_epochs_ends_where_its_bytes_do() {
    let house = House::with(Limits { page_bundles_mib: 0, ..Limits::default() }).await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    let (room, first) = house.sealed_room(&anna).await;
    let path = format!("/api/rooms/{room}/bundles");
    let second = first.next(RULES, &[&anna]);
    house.post(&path, &anna.person, json!({ "bundle": second.b64u() })).await.is(201);
    let page = house.get(&path, &anna.person).await.is(200);
    assert_eq!(page["bundles"].as_array().unwrap().len(), 1, "always one");
    assert_eq!(page["more"], json!(true));
}

#[tokio::test]
async fn a_bundle_has_so_many_bytes_and_no_more() {
    let engine = Arc::new(Memory::new());
    let house = House::upon(engine.clone(), Limits::default()).await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    house.app.close().await;
    let room = RoomId::new(BEGINS_MS, random());
    let first = Epoch::first(room, RoomType::Private, &[&anna]);
    let length = first.bundle.encode().len();
    let new = json!({ "id": room, "name": "Den", "type": "private", "bundle": first.b64u() });
    for (bundle_bytes_max, code) in [(length - 1, "bad_bundle"), (length, "201")] {
        let limits = Limits { bundle_bytes_max, ..Limits::default() };
        let house = House::upon(engine.clone(), limits).await;
        assert_eq!(house.post("/api/rooms", &anna.person, new.clone()).await.code(), code);
        house.app.close().await;
    }
    assert_eq!(Limits::default().bundle_bytes_max, 262_144);
}

#[tokio::test]
async fn a_room_makes_only_so_many_epochs_in_10_minutes() {
    let house = House::with(Limits { epochs_per_10_min: 2, ..Limits::default() }).await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    let (room, first) = house.sealed_room(&anna).await;
    let path = format!("/api/rooms/{room}/bundles");
    house.later(1_000);
    let second = first.next(RULES, &[&anna]);
    house.post(&path, &anna.person, json!({ "bundle": second.b64u() })).await.is(201);
    let third = second.next(RULES, &[&anna]);
    let body = json!({ "bundle": third.b64u() });
    house.later(599_000 - 1);
    let refused = house.post(&path, &anna.person, body.clone()).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_fast"));
    assert_eq!(refused.headers["retry-after"], "1");
    house.later(1);
    house.post(&path, &anna.person, body).await.is(201);
}

#[tokio::test]
async fn a_card_that_follows_wants_an_epoch_that_lists_it() {
    let house = House::new().await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    let ben = house.keyed("ben", HouseRole::Member).await;
    let (room, first) = house.sealed_room(&anna).await;
    let second = first.next(RULES, &[&anna, &ben]);
    let add = json!({ "user_id": ben.id(), "bundle": second.b64u() });
    house.post(&format!("/api/rooms/{room}/members"), &anna.person, add).await.is(201);
    let path = format!("/api/rooms/{room}/bundles");
    let put = async |card: &Card| {
        let body = json!({ "card": b64u(&card.encode()) });
        house.put("/api/users/me/card", &ben.person, body).await
    };
    let wire = |epoch: &Epoch| {
        let id = EventId::new(BEGINS_MS, random());
        epoch.wire(&anna, id, Kind::Content, 1)
    };
    let old = Card::first(&ben.identity, ben.id(), BEGINS_MS).unwrap();
    put(&old).await.is(204);
    house.send_sealed(room, &anna, &wire(&second)).await.is(201);

    // Keys that begin anew: whoever makes the epoch decides.
    let card = |root: [u8; 32], before: &Card, by: Option<&Identity>| {
        let identity = Identity::from_root(Secret::from_bytes(root)).unwrap();
        let card = Card::next(&identity, BEGINS_MS + 1, before, by.map(|one| &one.sign)).unwrap();
        (identity, card)
    };
    put(&card(random(), &old, None).1).await.is(204);
    assert_eq!(house.send_sealed(room, &anna, &wire(&second)).await.code(), "rotate_first");
    let view = house.get(&format!("/api/rooms/{room}"), &anna.person).await.is(200);
    assert_eq!(view["rotation_due"], json!(true));
    let third = second.next(RULES, &[&anna, &ben]);
    house.post(&path, &anna.person, json!({ "bundle": third.b64u() })).await.is(201);
    house.send_sealed(room, &anna, &wire(&third)).await.is(201);

    // A lost device: keys that have signed newer ones are listed no more.
    let (root, lost) = (random(), house.keyed("lost", HouseRole::Member).await);
    let first = Card::first(&lost.identity, lost.id(), BEGINS_MS).unwrap();
    let (identity, renewed) = card(root, &first, Some(&lost.identity));
    let fourth = third.next(RULES, &[&anna, &ben, &lost]);
    let add = json!({ "user_id": lost.id(), "bundle": fourth.b64u() });
    house.post(&format!("/api/rooms/{room}/members"), &anna.person, add).await.is(201);
    let body = json!({ "card": b64u(&renewed.encode()) });
    house.put("/api/users/me/card", &lost.person, body).await.is(204);
    assert_eq!(house.send_sealed(room, &anna, &wire(&fourth)).await.code(), "rotate_first");
    let stale = fourth.next(RULES, &[&anna, &ben, &lost]);
    let refused = house.post(&path, &anna.person, json!({ "bundle": stale.b64u() })).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "old_card"));
    let found = Keyed { person: lost.person, identity };
    let fifth = fourth.next(RULES, &[&anna, &ben, &found]);
    house.post(&path, &anna.person, json!({ "bundle": fifth.b64u() })).await.is(201);
    house.send_sealed(room, &anna, &wire(&fifth)).await.is(201);
}

/// Makes an invite for so many, which expires after a second, with the epoch that names it.
async fn invites(
    house: &House,
    room: RoomId,
    before: &Epoch,
    by: &Keyed,
    (number, uses): (u8, u32),
    members: &[&Keyed],
) -> Epoch {
    let keys = InviteKeys::new(&Secret::from_bytes(random())).unwrap();
    let (code, expires) = (InviteCode::new([number; 10]), BEGINS_MS + 1_000);
    let invited = Invited {
        code,
        by: by.id(),
        sign_public: keys.sign.public(),
        recipient: keys.age.recipient(),
        expires,
        uses,
    };
    let next = before.changed(members, |header| header.invites.push(invited));
    let new = json!({
        "code": code,
        "auth_hash": b64u(&[1; 32]),
        "blob": b64u(&[1; 40]),
        "expires_at": expires,
        "uses": uses,
        "bundles": [{ "room": room, "bundle": next.b64u() }],
    });
    house.post(&format!("/api/rooms/{room}/invites"), &by.person, new).await.is(201);
    next
}

#[tokio::test]
async fn a_day_after_an_invite_has_expired_an_epoch_without_it_comes_first() {
    let house = House::new().await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    let (room, first) = house.sealed_room(&anna).await;
    let second = invites(&house, room, &first, &anna, (1, 1), &[&anna]).await;
    let wire = |by: &Keyed, epoch: &Epoch, seq: u64| {
        epoch.wire(by, EventId::new(BEGINS_MS, random()), Kind::Content, seq)
    };
    house.later(1_000 + 24 * 3_600_000);
    let anna = Keyed { person: house.again(&anna.person).await, ..anna };
    house.send_sealed(room, &anna, &wire(&anna, &second, 1)).await.is(201);
    house.later(1);
    assert_eq!(
        house.send_sealed(room, &anna, &wire(&anna, &second, 2)).await.code(),
        "rotate_first"
    );
    let view = house.get(&format!("/api/rooms/{room}"), &anna.person).await.is(200);
    assert_eq!(view["rotation_due"], json!(true));
    let third = second.inviting(vec![], &[&anna]);
    let path = format!("/api/rooms/{room}/bundles");
    house.post(&path, &anna.person, json!({ "bundle": third.b64u() })).await.is(201);
    house.send_sealed(room, &anna, &wire(&anna, &third, 2)).await.is(201);
}

#[tokio::test]
async fn the_rules_change_by_who_manages_the_room() {
    let house = House::new().await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    let ben = house.keyed("ben", HouseRole::Member).await;
    let (room, first) = house.sealed_room(&anna).await;
    let second = first.next(RULES, &[&anna, &ben]);
    let add = json!({ "user_id": ben.id(), "bundle": second.b64u() });
    house.post(&format!("/api/rooms/{room}/members"), &anna.person, add).await.is(201);
    let path = format!("/api/rooms/{room}/bundles");
    let post = async |by: &Keyed, epoch: &Epoch| {
        house.post(&path, &by.person, json!({ "bundle": epoch.b64u() })).await.code()
    };
    let hints = Rules { hints: true, ..RULES };
    for rules in [hints, Rules { history: History::SinceJoin, ..RULES }] {
        assert_eq!(post(&ben, &second.next(rules, &[&ben, &anna])).await, "forbidden");
    }
    let third = second.next(RULES, &[&ben, &anna]);
    assert_eq!(post(&ben, &third).await, "201");
    let fourth = third.next(hints, &[&anna, &ben]);
    assert_eq!(post(&anna, &fourth).await, "201");
    assert_eq!(post(&ben, &fourth.next(RULES, &[&ben, &anna])).await, "forbidden");
    assert_eq!(post(&ben, &fourth.next(hints, &[&ben, &anna])).await, "201");
}

#[tokio::test]
async fn a_persons_epochs_of_a_day_have_so_many_bytes_over_all_rooms() {
    let house = House::with(Limits { bundle_bytes_per_day: 3_000, ..Limits::default() }).await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    let (mut rooms, mut bytes) = (vec![], 0);
    let refused = loop {
        let room = RoomId::new(BEGINS_MS, random());
        let first = Epoch::first(room, RoomType::Private, &[&anna]);
        let new = json!({ "id": room, "name": "x", "type": "private", "bundle": first.b64u() });
        let made = house.post("/api/rooms", &anna.person, new).await;
        bytes += first.bundle.encode().len();
        if made.status != 201 {
            break made;
        }
        rooms.push((room, first));
        assert!(bytes <= 3_000);
    };
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_fast"));
    assert!(bytes > 3_000 && rooms.len() > 1, "{bytes}");
    house.later(hearth_protocol::limits::days_ms(1));
    let anna = Keyed { person: house.again(&anna.person).await, ..anna };
    let (room, first) = rooms.pop().unwrap();
    let body = json!({ "bundle": first.next(RULES, &[&anna]).b64u() });
    house.post(&format!("/api/rooms/{room}/bundles"), &anna.person, body).await.is(201);
}

/// A sealed room of anna, who owns it, and ben, with an invite of hers for three and a device.
struct Den {
    house: House,
    room: RoomId,
    anna: Keyed,
    ben: Keyed,
    code: InviteCode,
    device: DeviceId,
    head: Epoch,
}

impl Den {
    async fn new() -> Den {
        let house = House::new().await;
        let anna = house.keyed("anna", HouseRole::Owner).await;
        let ben = house.keyed("ben", HouseRole::Member).await;
        let (room, first) = house.sealed_room(&anna).await;
        let second = first.next(RULES, &[&anna, &ben]);
        let add = json!({ "user_id": ben.id(), "bundle": second.b64u() });
        house.post(&format!("/api/rooms/{room}/members"), &anna.person, add).await.is(201);
        let third = invites(&house, room, &second, &anna, (7, 3), &[&anna, &ben]).await;
        let device = DeviceId::new(BEGINS_MS, random());
        let head = third.changed(&[&anna, &ben], |header| {
            let door = door::identity(&third.keys, device).unwrap().recipient();
            header.doors.push((device, door, header.epoch));
        });
        let new = json!({ "id": device, "name": "oven", "bundle": head.b64u() });
        house.post(&format!("/api/rooms/{room}/devices"), &anna.person, new).await.is(201);
        Den { house, room, anna, ben, code: InviteCode::new([7; 10]), device, head }
    }

    /// Ben makes the next epoch.
    async fn ben(&mut self, change: impl FnOnce(&mut Header)) -> String {
        let next = self.head.changed(&[&self.ben, &self.anna], change);
        self.post(&self.ben.person.clone(), next).await
    }

    /// Anna makes the next epoch.
    async fn anna(&mut self, change: impl FnOnce(&mut Header)) -> String {
        let next = self.head.changed(&[&self.anna, &self.ben], change);
        self.post(&self.anna.person.clone(), next).await
    }

    async fn post(&mut self, by: &Person, next: Epoch) -> String {
        let path = format!("/api/rooms/{}/bundles", self.room);
        let answer = self.house.post(&path, by, json!({ "bundle": next.b64u() })).await;
        if answer.status == 201 {
            self.head = next;
        }
        answer.code()
    }
}

#[tokio::test]
async fn an_invite_stays_in_the_epochs_of_who_could_not_take_it_back() {
    let mut den = Den::new().await;
    assert_eq!(den.ben(|header| header.invites.clear()).await, "drops_invite");
    assert_eq!(den.ben(|header| header.invites[0].uses = 2).await, "drops_invite");
    assert_eq!(den.ben(|_| {}).await, "201");
    // An admin takes uses away, or all of them.
    assert_eq!(den.anna(|header| header.invites[0].uses = 2).await, "201");
    assert_eq!(den.ben(|header| header.invites[0].uses = 1).await, "drops_invite");
    // By the clock of who makes the epoch it has expired.
    let expires = den.head.bundle.header.invites[0].expires;
    let gone = |at: u64| move |header: &mut Header| (header.at, header.invites) = (at, vec![]);
    assert_eq!(den.ben(gone(expires - 1)).await, "drops_invite");
    assert_eq!(den.ben(gone(expires)).await, "201");

    // One that was taken back goes, by anyone.
    let mut den = Den::new().await;
    den.house.delete(&format!("/api/invites/{}", den.code), &den.anna.person).await.is(204);
    assert_eq!(den.ben(|_| {}).await, "unknown_invite");
    assert_eq!(den.ben(|header| header.invites.clear()).await, "201");
    let mut den = Den::new().await;
    assert_eq!(den.anna(|header| header.invites.clear()).await, "201");
}

#[tokio::test]
async fn a_door_stays_in_the_epochs_of_who_does_not_manage_devices() {
    let mut den = Den::new().await;
    assert_eq!(den.ben(|header| header.doors.clear()).await, "drops_door");
    let other = den.anna.identity.age.recipient();
    assert_eq!(den.ben(|header| header.doors[0].1 = other).await, "drops_door");
    assert_eq!(den.ben(|header| header.doors[0].2 = 1).await, "drops_door");
    assert_eq!(den.ben(|_| {}).await, "201");
    let renewed =
        |header: &mut Header| (header.doors[0].1, header.doors[0].2) = (other, header.epoch);
    assert_eq!(den.ben(renewed).await, "201");
    assert_eq!(den.anna(|header| header.doors.clear()).await, "201");

    let mut den = Den::new().await;
    den.house.delete(&format!("/api/devices/{}", den.device), &den.anna.person).await.is(204);
    assert_eq!(den.ben(|_| {}).await, "unknown_device");
    assert_eq!(den.ben(|header| header.doors.clear()).await, "201");
}
