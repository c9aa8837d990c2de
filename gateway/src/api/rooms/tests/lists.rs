//! Lists of rooms within their bounds.

use super::*;

#[tokio::test]
async fn public_rooms_come_by_the_page() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let mut rooms = vec![];
    for _ in 0..3 {
        house.later(1_000);
        rooms.push(house.room(RoomType::Public, Sealing::Open, &[&anna]).await);
    }
    rooms.reverse();
    let page = house.get("/api/rooms/public?limit=2", &anna).await.is(200);
    let ids = |page: &Value| {
        let rooms = page["rooms"].as_array().unwrap();
        rooms.iter().map(|room| room["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&page), [json!(rooms[0]), json!(rooms[1])]);
    assert_eq!(page["next"], json!(rooms[1]));
    let path = format!("/api/rooms/public?limit=2&after={}", rooms[1]);
    let page = house.get(&path, &anna).await.is(200);
    assert_eq!((ids(&page), &page["next"]), (vec![json!(rooms[2])], &Value::Null));
    let hidden = house.room(RoomType::Private, Sealing::Open, &[&anna]).await;
    let path = format!("/api/rooms/public?after={hidden}");
    assert_eq!(house.get(&path, &anna).await.code(), "not_found");
    for limit in ["0", "101"] {
        let path = format!("/api/rooms/public?limit={limit}");
        assert_eq!(house.get(&path, &anna).await.code(), "bad_limit");
    }
}

/// What is unread for somebody in two rooms, each with a message that was edited often.
async fn unread(list_events_max: usize) -> Vec<u64> {
    let limits = Limits { list_events_max, messages_per_10_s: 0, ..Limits::default() };
    let house = House::with(limits).await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let ben = house.person("ben", HouseRole::Member).await;
    for _ in 0..2 {
        let room = house.room(RoomType::Private, Sealing::Open, &[&anna, &ben]).await;
        let path = format!("/api/rooms/{room}/messages");
        let said = house.post(&path, &ben, json!({ "content": "x" })).await.is(201);
        let message = format!("/api/messages/{}", said["id"].as_str().unwrap());
        for number in 0..29 {
            let body = json!({ "content": format!("x{number}") });
            house.call("PUT", &message, Some(&ben), body).await.is(200);
        }
        house.later(1_000);
    }
    let list = house.get("/api/rooms", &anna).await.is(200);
    let unread = list["rooms"].as_array().unwrap().iter().map(|room| room["unread"].as_u64());
    unread.map(Option::unwrap).collect()
}

#[tokio::test]
async fn a_list_of_rooms_looks_at_so_many_events_and_counts_the_rest_by_positions() {
    assert_eq!(unread(60).await, [1, 1]);
    // The room with the newest message is looked at, of the other one the ten newest events.
    assert_eq!(unread(30).await, [1, 20]);
    assert_eq!(unread(0).await, [20, 20]);
}
