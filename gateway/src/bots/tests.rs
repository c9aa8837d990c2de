//! Bots are made by whoever runs the house, and act by their tokens.

use hearth_protocol::limits::Limits;
use hearth_protocol::role::{RoomRole, RoomType, Sealing};
use serde_json::{Value, json};

use super::*;
use crate::accounts::member;
use crate::testing::{House, Person};

fn new(name: &str) -> Value {
    json!({ "name": name, "display_name": "Weather", "token": { "label": "first" } })
}

#[tokio::test]
async fn a_bot_acts_by_its_tokens_in_the_rooms_it_is_added_to() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let room = house.room(RoomType::Private, Sealing::Open, &[&anna]).await;
    let mut asked = new("weather");
    asked["token"]["scope"] = json!({ "access": "write", "rooms": [room] });
    let made = house.post("/api/bots", &anna, asked).await.is(201);
    assert_eq!(made["user"]["role"], "bot");
    let id: UserId = made["user"]["id"].as_str().unwrap().parse().unwrap();
    let token = made["token"].as_str().unwrap().to_string();
    let bot = Person { id, token, ..anna.clone() };
    let post = async |room| {
        let path = format!("/api/rooms/{room}/messages");
        house.post(&path, &bot, json!({ "content": "rain" })).await.code()
    };
    assert_eq!(post(room).await, "not_found", "it is in no room yet");
    let state = house.app.membership.room(room).unwrap();
    let now = house.app.clock.now_ms();
    let enter = member(&state.room, id, RoomRole::Member, now);
    house.change(vec![Edit::PutMember(enter)]).await;
    assert_eq!(post(room).await, "201");
    let elsewhere = house.room(RoomType::Public, Sealing::Open, &[&anna]).await;
    assert_eq!(post(elsewhere).await, "out_of_scope");
    let path = format!("/api/rooms/{room}/messages");
    assert_eq!(house.get(&path, &bot).await.code(), "out_of_scope");
    let login = json!({ "username": "weather", "auth_key":
                        hearth_protocol::bytes::b64u(&[0; 32]) });
    let refused = house.call("POST", "/api/auth/login", None, login).await;
    assert_eq!(refused.code(), "wrong_login");
}

#[tokio::test]
async fn bots_and_their_tokens_are_for_whoever_runs_the_house() {
    let limits = Limits { sessions_per_user_max: 2, ..Limits::default() };
    let house = House::with(limits).await;
    let anna = house.person("anna", HouseRole::Admin).await;
    let ben = house.person("ben", HouseRole::Member).await;
    assert_eq!(house.post("/api/bots", &ben, new("weather")).await.code(), "forbidden");
    assert_eq!(house.post("/api/bots", &anna, new("we")).await.code(), "bad_name");
    let made = house.post("/api/bots", &anna, new("weather")).await.is(201);
    assert_eq!(house.post("/api/bots", &anna, new("Weather")).await.code(), "name_taken");
    let tokens = format!("/api/bots/{}/tokens", made["user"]["id"].as_str().unwrap());
    let label = json!({ "label": "second" });
    assert_eq!(house.post(&tokens, &ben, label.clone()).await.code(), "forbidden");
    assert_eq!(house.get(&tokens, &ben).await.code(), "forbidden");
    let second = house.post(&tokens, &anna, label.clone()).await.is(201);
    assert_eq!(house.post(&tokens, &anna, label.clone()).await.code(), "limit_reached");
    let listed = house.get(&tokens, &anna).await.is(200)["tokens"].clone();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    let one = format!("{tokens}/{}", second["id"].as_str().unwrap());
    let end = async |who: &Person, path: &str| {
        house.call("DELETE", path, Some(who), Value::Null).await.code()
    };
    assert_eq!(end(&ben, &one).await, "forbidden");
    assert_eq!(end(&anna, &one).await, "204");
    assert_eq!(end(&anna, &one).await, "not_found");
    let person = format!("/api/bots/{}/tokens", ben.id);
    assert_eq!(house.post(&person, &anna, label).await.code(), "not_found", "a person is no bot");
    let mut acts: Vec<_> =
        house.app.store.audit(None, 9).await.unwrap().into_iter().map(|e| e.action).collect();
    acts.sort_unstable();
    assert_eq!(acts, ["bot.make", "bot.token", "bot.token_end"]);
}
