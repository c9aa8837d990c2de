//! One's own logins and the pairing of a new device.

use hearth_protocol::limits::days_ms;
use hearth_protocol::role::HouseRole;
use serde_json::{Value, json};

use super::*;
use crate::api::extract::identify;
use crate::testing::{Answered, BEGINS_MS, House, Person};

const AT: &str = "/api/auth/sessions";

async fn delete(house: &House, path: &str, who: &Person) -> Answered {
    house.call("DELETE", path, Some(who), Value::Null).await
}

fn signed_in(session: &Value, like: &Person) -> Person {
    let id = session["session_id"].as_str().unwrap().parse().unwrap();
    Person { session: id, token: session["token"].as_str().unwrap().into(), ..like.clone() }
}

async fn app_token(house: &House, of: &Person) -> Person {
    let (_, token) = house.app.auth.make_app_token(of.id, "script", None).await.unwrap();
    Person { token, ..of.clone() }
}

#[tokio::test]
async fn logins_are_listed_with_their_device_and_when_they_were_used() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Member).await;
    house.later(1_000);
    let phone = house.post(AT, &anna, json!({ "label": " phone " })).await.is(201);
    assert_eq!(phone["user"]["name"], "anna");
    let phone = signed_in(&phone, &anna);
    house.later(5_000);
    let sessions = house.get(AT, &phone).await.is(200)["sessions"].clone();
    let [first, second] = [&sessions[0], &sessions[1]];
    assert_eq!((&first["label"], &first["current"]), (&json!("test"), &json!(false)));
    assert_eq!(first["last_seen"], BEGINS_MS + 1_000, "when it made the other");
    assert_eq!((&second["label"], &second["current"]), (&json!("phone"), &json!(true)));
    assert_eq!(
        (&second["created_at"], &second["last_seen"]),
        (&json!(BEGINS_MS + 1_000), &json!(BEGINS_MS + 6_000))
    );
    assert!(second.get("refresh_hash").is_none());
}

#[tokio::test]
async fn a_login_is_ended_by_its_owner_and_nobody_else() {
    let house = House::new().await;
    let (anna, ben) = (
        house.person("anna", HouseRole::Owner).await,
        house.person("ben", HouseRole::Member).await,
    );
    let phone = signed_in(&house.post(AT, &anna, json!({})).await.is(201), &anna);
    let tablet = signed_in(&house.post(AT, &anna, json!({})).await.is(201), &anna);
    assert_eq!(delete(&house, &format!("{AT}/{}", ben.session), &anna).await.code(), "not_found");
    delete(&house, &format!("{AT}/{}", phone.session), &anna).await.is(204);
    assert_eq!(house.get(AT, &phone).await.code(), "wrong_token");
    assert_eq!(delete(&house, &format!("{AT}/{}", phone.session), &anna).await.code(), "not_found");
    delete(&house, AT, &tablet).await.is(204);
    assert_eq!(house.get(AT, &anna).await.code(), "wrong_token");
    let left = house.get(AT, &tablet).await.is(200)["sessions"].clone();
    assert_eq!(left.as_array().unwrap().len(), 1);
    house.get(AT, &ben).await.is(200);
}

#[tokio::test]
async fn an_app_token_does_not_reach_logins_and_there_are_only_so_many() {
    let limits = hearth_protocol::limits::Limits { sessions_per_user_max: 2, ..Default::default() };
    let house = House::with(limits).await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let app = app_token(&house, &anna).await;
    assert_eq!(house.get(AT, &app).await.code(), "forbidden");
    assert_eq!(house.post(AT, &app, json!({})).await.code(), "forbidden");
    assert_eq!(delete(&house, AT, &app).await.code(), "forbidden");
    assert_eq!(house.call("GET", AT, None, Value::Null).await.code(), "sign_in");
    assert_eq!(house.post(AT, &anna, json!({})).await.code(), "limit_reached");
}

#[tokio::test]
async fn a_pairing_passes_through_without_a_login() {
    let house = House::new().await;
    let path = format!("/api/pair/{}", b64u(&[7; 16]));
    let put = async |byte: u8| {
        let body = json!({ "message": b64u(&[byte]) });
        house.call("POST", &path, None, body).await
    };
    let get =
        async |query: &str| house.call("GET", &format!("{path}{query}"), None, Value::Null).await;
    assert_eq!(get("").await.code(), "not_found");
    for number in 1..=3 {
        assert_eq!(put(number).await.is(201)["number"], number);
    }
    assert_eq!(put(4).await.code(), "channel_full");
    assert_eq!(get("?after=2").await.is(200)["messages"], json!([b64u(&[3])]));
    assert_eq!(get("?after=-1").await.code(), "bad_query");
    let body = json!({ "message": b64u(&[1]) });
    let bad = house.call("POST", "/api/pair/abc", None, body).await;
    assert_eq!(bad.code(), "bad_channel");
    let long = json!({ "message": b64u(&[1; 4_097]) });
    assert_eq!(house.call("POST", &path, None, long).await.code(), "bad_message");
    house.later(120_000);
    assert_eq!(get("").await.code(), "not_found");
    house.later(days_ms(1));
    assert_eq!(put(1).await.is(201)["number"], 1);
}

#[tokio::test]
async fn a_login_that_ended_while_the_body_came_makes_nothing_any_more() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let header = format!("Bearer {}", anna.token);
    let asked = (warp::http::Method::POST, "/api/auth/tokens");
    let caller = identify(&house.app, Some(&header), asked).await.unwrap();
    assert_eq!(caller.login().unwrap(), anna.session);
    house.change(vec![Edit::RemoveSession(anna.session)]).await;
    assert_eq!(caller.login().unwrap_err().0.code, "session_ended");
}
