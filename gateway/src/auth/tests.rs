//! Logins, their renewal, and what tokens are for.

use std::net::IpAddr;

use hearth_protocol::grant::Access;
use hearth_protocol::limits::{Limits, days_ms};
use hearth_protocol::role::HouseRole;
use hearth_store::{Edit, Login, Session, User};
use serde_json::{Value, json};

use hearth_protocol::bytes::b64u;

use super::*;
use crate::testing::{Answered, BEGINS_MS, House, Person};

const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// Gives somebody a password whose auth key is this byte.
pub(super) async fn password(house: &House, person: &Person, key: u8) {
    let old = house.app.person(person.id).await.unwrap();
    let login = Login { verifier: verifier(&[key; 32]), ..old.login };
    house.change(vec![Edit::UpdateUser(User { login, ..old })]).await;
}

pub(super) fn key(byte: u8) -> String {
    b64u(&[byte; 32])
}

pub(super) async fn login(house: &House, name: &str, byte: u8) -> Answered {
    let body = json!({ "username": name, "auth_key": key(byte), "label": "phone" });
    house.call("POST", "/api/auth/login", None, body).await
}

pub(super) async fn refresh(house: &House, secret: &Value) -> Answered {
    house.call("POST", "/api/auth/refresh", None, json!({ "refresh": secret })).await
}

pub(super) async fn anna() -> (House, Person) {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    password(&house, &anna, 1).await;
    (house, anna)
}

#[tokio::test]
async fn each_use_of_a_refresh_secret_brings_the_next() {
    let (house, _) = anna().await;
    let mut secret = login(&house, "anna", 1).await.is(200)["refresh"].clone();
    for _ in 0..3 {
        house.later(days_ms(89));
        let next = refresh(&house, &secret).await.is(200);
        assert_ne!(next["refresh"], secret);
        secret = next["refresh"].clone();
    }
    house.later(days_ms(90));
    assert_eq!(refresh(&house, &secret).await.code(), "session_ended");
}

#[tokio::test]
async fn an_answer_that_was_lost_is_given_again_for_a_while_and_a_copied_secret_ends_the_login() {
    let (house, _) = anna().await;
    let first = login(&house, "anna", 1).await.is(200);
    let second = refresh(&house, &first["refresh"]).await.is(200);
    house.later(299_999);
    let again = refresh(&house, &first["refresh"]).await.is(200);
    assert_eq!(again["refresh"], second["refresh"]);
    house.later(1);
    assert_eq!(refresh(&house, &first["refresh"]).await.code(), "session_ended");
    assert_eq!(refresh(&house, &second["refresh"]).await.code(), "session_ended");
}

#[tokio::test]
async fn a_secret_from_before_the_last_ends_the_login_at_once() {
    let (house, _) = anna().await;
    let first = login(&house, "anna", 1).await.is(200);
    let second = refresh(&house, &first["refresh"]).await.is(200);
    let third = refresh(&house, &second["refresh"]).await.is(200);
    assert_eq!(refresh(&house, &first["refresh"]).await.code(), "session_ended");
    assert_eq!(refresh(&house, &third["refresh"]).await.code(), "session_ended");
}

#[tokio::test]
async fn two_uses_at_once_get_the_same_answer() {
    let (house, _) = anna().await;
    let first = login(&house, "anna", 1).await.is(200);
    let (one, two) =
        tokio::join!(refresh(&house, &first["refresh"]), refresh(&house, &first["refresh"]));
    assert_eq!(one.is(200)["refresh"], two.is(200)["refresh"]);
}

#[tokio::test]
async fn a_forged_secret_harms_nobody_and_an_ended_login_does_not_come_back() {
    let (house, anna) = anna().await;
    let made = login(&house, "anna", 1).await.is(200);
    let secret = made["refresh"].as_str().unwrap();
    let mut forged = hearth_protocol::bytes::from_b64u(secret).unwrap();
    forged[23] = 9;
    for bad in [b64u(&forged), b64u(&forged[..40]), "x".to_string(), String::new()] {
        assert_eq!(refresh(&house, &bad.into()).await.code(), "session_ended");
    }
    let good = refresh(&house, &made["refresh"]).await.is(200);
    let ids = house.app.store.sessions_of(anna.id).await.unwrap();
    house.change(ids.iter().map(|session| Edit::RemoveSession(session.id)).collect()).await;
    assert_eq!(refresh(&house, &good["refresh"]).await.code(), "session_ended");
    assert!(house.app.store.sessions_of(anna.id).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_house_restored_from_a_backup_takes_the_secrets_that_it_gave_out_since() {
    let (house, anna) = anna().await;
    let first = login(&house, "anna", 1).await.is(200);
    let id = first["session_id"].as_str().unwrap().parse().unwrap();
    let on_the_day = house.app.store.session(id).await.unwrap().unwrap();
    let mut newest = first.clone();
    for _ in 0..3 {
        newest = refresh(&house, &newest["refresh"]).await.is(200);
    }
    house.change(vec![Edit::PutSession(on_the_day)]).await;
    house.later(days_ms(1));
    let next = refresh(&house, &newest["refresh"]).await.is(200);
    refresh(&house, &next["refresh"]).await.is(200);
    assert_eq!(refresh(&house, &first["refresh"]).await.code(), "session_ended");
    assert_eq!(house.app.store.sessions_of(anna.id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_secret_of_an_older_program_is_taken_once() {
    let (house, anna) = anna().await;
    let session = house.app.store.session(anna.session).await.unwrap().unwrap();
    let old = key(7);
    let refresh_hash = hearth_protocol::sealing::kdf::sha256(old.as_bytes());
    house.change(vec![Edit::PutSession(Session { refresh_hash, ..session })]).await;
    let next = refresh(&house, &json!(old)).await.is(200)["refresh"].clone();
    assert_eq!(refresh(&house, &json!(old)).await.code(), "session_ended");
    refresh(&house, &next).await.is(200);
}

#[tokio::test]
async fn unknown_names_and_wrong_passwords_are_answered_alike() {
    let (house, _) = anna().await;
    let (wrong, unknown) = (login(&house, "anna", 9).await, login(&house, "nobody", 9).await);
    assert_eq!((wrong.status, &wrong.bytes), (401, &unknown.bytes));
    assert_eq!((wrong.status, &wrong.headers), (unknown.status, &unknown.headers));
    let params = async |name: &str| {
        let path = format!("/api/auth/params?username={name}");
        house.call("GET", &path, None, Value::Null).await.is(200)
    };
    let unknown = params("nobody").await;
    assert_eq!(unknown, params("NoBody").await, "stable, whatever the case");
    assert_ne!(unknown["salt"], params("somebody").await["salt"]);
    let known = params("anna").await;
    assert_eq!(known["cost"], unknown["cost"]);
    assert_eq!(known["salt"].as_str().unwrap().len(), unknown["salt"].as_str().unwrap().len());
}

#[tokio::test]
async fn unknown_names_wait_after_failed_logins_like_known_ones() {
    for name in ["anna", "nobody"] {
        let (house, _) = anna().await;
        for _ in 0..5 {
            assert_eq!(login(&house, name, 9).await.code(), "wrong_login");
        }
        let refused = login(&house, name, 9).await;
        assert_eq!((refused.code().as_str(), refused.status), ("too_many_tries", 429));
        assert_eq!(refused.headers["retry-after"], "1", "{name}");
    }
}

#[tokio::test]
async fn a_full_set_of_logins_makes_room_by_the_one_used_longest_ago() {
    let limits = Limits { sessions_per_user_max: 2, ..Limits::default() };
    let house = House::with(limits).await;
    let anna = house.person("anna", HouseRole::Owner).await;
    password(&house, &anna, 1).await;
    house.later(1_000);
    let second = login(&house, "anna", 1).await.is(200);
    // The first one is used now, after the second began.
    house.later(1_000);
    house.get("/api/auth/me", &anna).await.is(200);
    login(&house, "anna", 1).await.is(200);
    house.get("/api/auth/me", &anna).await.is(200);
    assert_eq!(refresh(&house, &second["refresh"]).await.code(), "session_ended");
    assert_eq!(house.app.store.sessions_of(anna.id).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_guest_whose_time_is_over_is_out_at_once_on_every_door() {
    let (house, _) = anna().await;
    let guest = house.person("guest", HouseRole::Guest).await;
    password(&house, &guest, 1).await;
    let user = house.app.person(guest.id).await.unwrap();
    let until = Some(BEGINS_MS + 60_000);
    house.change(vec![Edit::UpdateUser(User { guest_until: until, ..user })]).await;
    let (_, text) = house.app.auth.make_app_token(guest.id, "script", None).await.unwrap();
    let made = login(&house, "guest", 1).await.is(200);
    let app = Person { token: text, ..guest.clone() };
    house.later(59_999);
    house.get("/api/auth/me", &guest).await.is(200);
    house.get("/api/auth/me", &app).await.is(200);
    house.later(1);
    assert_eq!(house.get("/api/auth/me", &guest).await.code(), "wrong_token");
    assert_eq!(house.get("/api/auth/me", &app).await.code(), "wrong_token");
    assert_eq!(refresh(&house, &made["refresh"]).await.code(), "gone");
    assert_eq!(login(&house, "guest", 1).await.code(), "gone");
    let who = house.app.auth.principal(&guest.token).await;
    assert!(who.is_err(), "MQTT asks the same");
}

#[tokio::test]
async fn a_token_opens_what_its_scope_says_over_rest() {
    let (house, anna) = anna().await;
    let make = async |scope: Value| {
        let body = json!({ "label": "script", "scope": scope });
        house.post("/api/auth/tokens", &anna, body).await
    };
    let made = make(json!({ "access": "read", "rooms": null })).await.is(201);
    assert_eq!(made["scope"]["access"], "read");
    let reader = Person { token: made["token"].as_str().unwrap().into(), ..anna.clone() };
    house.get("/api/rooms", &reader).await.is(200);
    let body = json!({ "display_name": "x" });
    let refused = house.call("PATCH", "/api/users/me", Some(&reader), body).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "out_of_scope"));
    assert_eq!(make(json!({ "access": "read", "rooms": [] })).await.code(), "bad_scope");
    let rooms = vec![hearth_protocol::ids::RoomId::new(1, [1; 10]); 33];
    let many = json!({ "access": "both", "rooms": rooms });
    assert_eq!(make(many).await.code(), "bad_scope");
    make(json!({ "access": "both", "rooms": &rooms[..32] })).await.is(201);
    let listed = house.get("/api/auth/tokens", &anna).await.is(200);
    let scopes: Vec<_> = listed["tokens"].as_array().unwrap().iter().collect();
    assert!(scopes.iter().any(|token| token["scope"]["access"] == "read"), "{scopes:?}");
    let who = house.app.auth.principal(&reader.token).await.unwrap();
    assert_eq!(house.app.auth.live.scope(&who).unwrap().access, Access::Read);
}

#[tokio::test]
async fn the_tenth_login_that_waits_for_argon2_is_refused() {
    let (house, _) = anna().await;
    let auth = &house.app.auth;
    let running = auth.argon2.acquire().await.unwrap();
    let typed = |number: usize| {
        auth.login("nobody", Proof::Password(format!("{number}")), "", [10, 0, 0, 1].into())
    };
    let mut waiting = vec![];
    for _ in 0..9 {
        waiting.push(auth.argon2_queue.try_acquire().unwrap());
    }
    let refused = typed(1).await.unwrap_err();
    assert_eq!(refused.0.code, "too_many_logins");
    waiting.pop();
    drop(running);
    assert_eq!(typed(2).await.unwrap_err().0.code, "wrong_login");
    assert_eq!(auth.attempts.begin("nobody", HOME, BEGINS_MS, &house.app.limits), Ok(()));
}

#[tokio::test]
async fn a_login_brings_little() {
    let limits = Limits { json_open_bytes_max: 200, ..Limits::default() };
    let house = House::with(limits).await;
    let body = |length: usize| json!({ "username": "anna", "password": "x".repeat(length) });
    let rest = body(0).to_string().len();
    for path in ["/api/auth/login", "/api/auth/refresh", "/api/auth/guest", "/api/auth/reset"] {
        let fits = house.call("POST", path, None, body(200 - rest)).await;
        assert_ne!(fits.code(), "too_large", "{path}");
        let over = house.call("POST", path, None, body(201 - rest)).await;
        assert_eq!((over.status, over.code().as_str()), (413, "too_large"), "{path}");
    }
}

#[tokio::test]
async fn the_box_stretches_passwords_at_its_own_cost_only() {
    let (house, anna) = anna().await;
    let user = house.app.person(anna.id).await.unwrap();
    let dear = Cost { memory_kib: 256 * 1024, passes: 10, lanes: 4 };
    let made = house.app.auth.make_login("a long password").await.unwrap();
    let login = async |cost: Cost| {
        let login = Login { cost, ..made.clone() };
        house.change(vec![Edit::UpdateUser(User { login, ..user.clone() })]).await;
        let body = json!({ "username": "anna", "password": "a long password" });
        house.call("POST", "/api/auth/login", None, body).await.code()
    };
    assert_eq!(login(Cost::default()).await, "200");
    // What the account says of another cost changes nothing: the same bytes come out.
    assert_eq!(login(dear).await, "200");
}
