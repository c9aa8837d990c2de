//! Epochs over REST: by the page, and only so many at a time.

use hearth_protocol::limits::Limits;
use hearth_protocol::role::{HouseRole, RoomType};
use hearth_protocol::sealing::epoch::Rules;
use serde_json::json;

use crate::testing::House;

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
