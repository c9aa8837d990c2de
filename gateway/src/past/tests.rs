//! Who gets whose cards: without them nobody could read a room on, or make its next epoch.

use hearth_protocol::role::{HouseRole, RoomType};
use hearth_protocol::sealing::epoch::Rules;
use serde_json::{Value, json};

use super::*;
use crate::testing::House;
use crate::testing::sealed::{Epoch, Keyed};

const RULES: Rules = Rules::new(RoomType::Private);

async fn cards_of(house: &House, who: &Keyed, of: &Keyed) -> String {
    house.get(&format!("/api/users/{}/cards", of.id()), &who.person).await.code()
}

/// Adds somebody to a room.
async fn add(house: &House, epoch: &Epoch, there: &[&Keyed], new: &Keyed) -> Epoch {
    let room = epoch.bundle.header.room;
    let next = epoch.next(RULES, &[there, &[new]].concat());
    let body = json!({ "user_id": new.id(), "bundle": next.b64u() });
    house.post(&format!("/api/rooms/{room}/members"), &there[0].person, body).await.is(201);
    next
}

#[tokio::test]
async fn who_shares_a_sealed_room_gets_the_cards_of_whom_they_block_or_are_blocked_by() {
    let house = House::new().await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    let ben = house.keyed("ben", HouseRole::Member).await;
    let eve = house.keyed("eve", HouseRole::Member).await;
    let (_, first) = house.sealed_room(&anna).await;
    let second = add(&house, &first, &[&anna], &ben).await;
    let block = async |who: &Keyed, other: &Keyed| {
        let path = format!("/api/blocks/{}", other.id());
        house.call("PUT", &path, Some(&who.person), Value::Null).await.is(204);
    };
    block(&ben, &anna).await;
    block(&ben, &eve).await;
    for (who, of) in [(&eve, &ben), (&ben, &eve)] {
        assert_eq!(cards_of(&house, who, of).await, "not_found", "they share no room yet");
    }
    for (who, of) in [(&anna, &ben), (&ben, &anna)] {
        assert_eq!(cards_of(&house, who, of).await, "200");
        let person = house.get(&format!("/api/users/{}", of.id()), &who.person).await;
        assert_eq!(person.code(), "not_found", "and nothing else");
    }
    add(&house, &second, &[&anna, &ben], &eve).await;
    assert_eq!(cards_of(&house, &ben, &eve).await, "200", "a newer epoch counts");
}

#[tokio::test]
async fn a_guest_gets_the_cards_of_all_whom_the_epochs_of_their_rooms_list() {
    let house = House::new().await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    let ben = house.keyed("ben", HouseRole::Member).await;
    let eve = house.keyed("eve", HouseRole::Member).await;
    let guest = house.keyed("guest", HouseRole::Guest).await;
    let (room, first) = house.sealed_room(&anna).await;
    let second = add(&house, &first, &[&anna], &ben).await;
    house.delete(&format!("/api/rooms/{room}/members/{}", ben.id()), &anna.person).await.is(204);
    assert_eq!(cards_of(&house, &guest, &ben).await, "not_found");
    let third = second.next(RULES, &[&anna]);
    let path = format!("/api/rooms/{room}/bundles");
    house.post(&path, &anna.person, json!({ "bundle": third.b64u() })).await.is(201);
    add(&house, &third, &[&anna], &guest).await;
    assert_eq!(cards_of(&house, &guest, &ben).await, "200");
    let hidden = house.get(&format!("/api/users/{}/cards", eve.id()), &guest.person).await;
    let nobody = format!("/api/users/{}/cards", UserId::new(1, [1; 10]));
    let nobody = house.get(&nobody, &guest.person).await;
    assert_eq!((hidden.status, hidden.bytes), (404, nobody.bytes));
}
