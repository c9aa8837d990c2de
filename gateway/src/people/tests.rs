//! What changes of an account do to its rooms.

use hearth_protocol::ids::RoomId;
use hearth_protocol::role::Sealing;
use hearth_store::Room;
use serde_json::Value;

use super::*;
use crate::testing::{House, Person};

async fn general(house: &House, members: &[&Person]) -> RoomId {
    let now = house.app.clock.now_ms();
    let id = RoomId::new(now, random());
    let room = house.app.new_room(id, "General", RoomType::Public, members[0].id).unwrap();
    let room = Room { general: true, sealing: Sealing::Sealed, ..room };
    let mut edits = vec![Edit::PutRoom(room.clone())];
    for person in members {
        edits.push(Edit::PutMember(member(&room, person.id, RoomRole::Owner, now)));
    }
    house.change(edits).await;
    id
}

fn role(role: HouseRole) -> Standing {
    Standing { role: Some(role), ..Standing::default() }
}

#[tokio::test]
async fn the_general_room_is_everyones_but_the_guests() {
    let house = House::new().await;
    let owner = house.person("owner", HouseRole::Owner).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let general = general(&house, &[&owner, &ben]).await;
    let inside = || house.app.membership.is_member(general, ben.id);
    let set = async |to| house.app.set_standing(owner.id, ben.id, role(to)).await.unwrap();
    set(HouseRole::Guest).await;
    let state = house.app.membership.room(general).unwrap();
    assert!(!inside() && state.room.rotation_due, "who is left makes the next epoch");
    let stay = Some(Some(house.app.clock.now_ms() + 5));
    let standing = Standing { guest_until: stay, ..Standing::default() };
    house.app.set_standing(owner.id, ben.id, standing).await.unwrap();
    let user = set(HouseRole::Member).await;
    assert!(inside());
    assert_eq!(user.guest_until, None);
    set(HouseRole::Admin).await;
    assert!(inside());
}

#[tokio::test]
async fn an_account_that_ends_leaves_its_rooms_and_hands_over_what_it_owned() {
    let house = House::new().await;
    let owner = house.person("owner", HouseRole::Owner).await;
    let ben = house.person("ben", HouseRole::Member).await;
    house.later(1);
    let cem = house.person("cem", HouseRole::Member).await;
    house.later(1);
    let dora = house.person("dora", HouseRole::Member).await;
    let private = RoomType::Private;
    let his = house.room(private, Sealing::Open, &[&ben, &cem, &dora]).await;
    let alone = house.room(private, Sealing::Open, &[&ben]).await;
    let sealed = house.room(private, Sealing::Sealed, &[&owner, &ben]).await;
    let room = house.app.membership.room(his).unwrap().room.clone();
    let admin = member(&room, dora.id, RoomRole::Admin, 1);
    house.change(vec![Edit::UpdateMember(admin)]).await;
    let path = format!("/api/users/{}", ben.id);
    let end = async |who: &Person| house.call("DELETE", &path, Some(who), Value::Null).await;
    assert_eq!(end(&cem).await.code(), "forbidden");
    end(&owner).await.is(204);
    assert!(house.app.membership.rooms_of(ben.id).is_empty());
    let now_is = house.app.membership.room(his).unwrap();
    assert_eq!(now_is.members.get(&dora.id), Some(&RoomRole::Owner), "the admin before the oldest");
    assert!(house.app.membership.room(alone).unwrap().members.is_empty());
    assert!(house.app.membership.room(sealed).unwrap().room.rotation_due);
    assert!(house.app.person(ben.id).await.unwrap().blocked);
    assert_eq!(house.get("/api/rooms", &ben).await.code(), "wrong_token");
    end(&owner).await.is(204);
    let own = format!("/api/users/{}", owner.id);
    let refused = house.call("DELETE", &own, Some(&owner), Value::Null).await;
    assert_eq!(refused.code(), "not_yourself");
}

#[tokio::test]
async fn two_changes_of_one_account_at_once_both_hold() {
    let house = House::new().await;
    let owner = house.person("owner", HouseRole::Owner).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let block = Standing { blocked: Some(true), ..Standing::default() };
    let text = serde_json::json!({ "status_text": "here" });
    let (blocked, _) = tokio::join!(
        house.app.set_standing(owner.id, ben.id, block),
        house.call("PATCH", "/api/users/me", Some(&ben), text),
    );
    blocked.unwrap();
    assert!(house.app.person(ben.id).await.unwrap().blocked, "not written over");
}
