//! Another password, and one by a link.

use hearth_protocol::bytes::b64u;
use hearth_protocol::limits::days_ms;
use hearth_protocol::role::HouseRole;
use hearth_store::{SealedUnder, Vault};
use serde_json::{Value, json};

use super::*;
use crate::auth::tests::{anna, key, login, password, refresh};
use crate::testing::{Answered, BEGINS_MS, House, Person};

async fn vault(house: &House, person: &Person) {
    let vault = Vault { version: 1, vault: vec![1], recovery: vec![2], sealed_under: None };
    house.change(vec![Edit::SwapVault { user: person.id, expected: 0, vault }]).await;
}

fn change(old: u8, new: u8) -> Value {
    json!({ "auth_key": key(old), "salt": b64u(&[new; 16]), "cost": Cost::default(),
            "new_auth_key": key(new) })
}

async fn put_password(house: &House, who: &Person, body: Value) -> Answered {
    house.call("PUT", "/api/auth/password", Some(who), body).await
}

#[tokio::test]
async fn another_password_needs_the_old_one_and_ends_the_other_logins() {
    let (house, anna) = anna().await;
    let other = login(&house, "anna", 1).await.is(200);
    let (token, text) = house.app.auth.make_app_token(anna.id, "script", None).await.unwrap();
    assert_eq!(put_password(&house, &anna, change(9, 2)).await.code(), "wrong_password");
    let both = json!({ "auth_key": key(1), "password": "x", "new_password": "y" });
    assert_eq!(put_password(&house, &anna, both).await.code(), "bad_login");
    let nothing_new = json!({ "auth_key": key(1) });
    assert_eq!(put_password(&house, &anna, nothing_new).await.code(), "bad_login");
    put_password(&house, &anna, change(1, 2)).await.is(204);
    house.get("/api/auth/me", &anna).await.is(200);
    assert_eq!(refresh(&house, &other["refresh"]).await.code(), "session_ended");
    assert_eq!(login(&house, "anna", 1).await.code(), "wrong_login");
    login(&house, "anna", 2).await.is(200);
    let app = Person { token: text, ..anna.clone() };
    house.get("/api/auth/me", &app).await.is(200);
    assert_eq!(put_password(&house, &app, change(2, 3)).await.code(), "forbidden");
    assert!(house.app.store.token(token.id).await.unwrap().is_some(), "app tokens stay");
}

#[tokio::test]
async fn a_wrong_old_password_counts_as_a_failed_login() {
    let (house, anna) = anna().await;
    for _ in 0..5 {
        assert_eq!(put_password(&house, &anna, change(9, 2)).await.code(), "wrong_password");
    }
    assert_eq!(put_password(&house, &anna, change(1, 2)).await.code(), "too_many_tries");
    assert_eq!(login(&house, "anna", 1).await.code(), "too_many_tries");
}

#[tokio::test]
async fn the_vault_changes_with_the_password_or_neither_does() {
    let (house, anna) = anna().await;
    vault(&house, &anna).await;
    let with = |version: u64| {
        let mut body = change(1, 2);
        body["expected_version"] = json!(version);
        body["vault"] = json!(b64u(&[5]));
        body["recovery"] = json!(b64u(&[6]));
        body
    };
    assert_eq!(put_password(&house, &anna, change(1, 2)).await.code(), "vault_required");
    assert_eq!(put_password(&house, &anna, with(0)).await.code(), "vault_conflict");
    assert_eq!(put_password(&house, &anna, with(2)).await.code(), "vault_conflict");
    let typed = json!({ "password": "x", "new_password": "y" });
    assert_eq!(put_password(&house, &anna, typed).await.code(), "use_app_token");
    let half = json!({ "auth_key": key(1), "new_password": "y" });
    assert_eq!(put_password(&house, &anna, half).await.code(), "use_app_token");
    login(&house, "anna", 1).await.is(200);
    put_password(&house, &anna, with(1)).await.is(204);
    login(&house, "anna", 2).await.is(200);
    let stored = house.app.store.vault(anna.id).await.unwrap().unwrap();
    assert_eq!((stored.version, stored.vault), (2, vec![5]));
}

#[tokio::test]
async fn a_password_that_the_box_stretches_is_changed_too() {
    let (house, anna) = anna().await;
    let body = json!({ "auth_key": key(1), "new_password": "correct horse" });
    put_password(&house, &anna, body).await.is(204);
    let typed = json!({ "username": "anna", "password": "correct horse" });
    house.call("POST", "/api/auth/login", None, typed).await.is(200);
    let empty = json!({ "password": "correct horse", "new_password": "" });
    assert_eq!(put_password(&house, &anna, empty).await.code(), "bad_password");
}

fn by_link(secret: &Value, new: u8) -> Value {
    json!({ "secret": secret, "salt": b64u(&[new; 16]), "cost": Cost::default(),
            "new_auth_key": key(new) })
}

async fn use_link(house: &House, body: Value) -> Answered {
    house.call("POST", "/api/auth/reset", None, body).await
}

#[tokio::test]
async fn a_link_sets_the_login_once_and_leaves_logins_and_vault_as_they_are() {
    let (house, anna) = anna().await;
    let ben = house.person("ben", HouseRole::Member).await;
    password(&house, &ben, 1).await;
    vault(&house, &ben).await;
    let old = house.app.person(ben.id).await.unwrap().login;
    let path = format!("/api/users/{}/reset", ben.id);
    let first = house.post(&path, &anna, Value::Null).await.is(201);
    let link = house.post(&path, &anna, Value::Null).await.is(201);
    assert_eq!(link["path"], format!("/reset#{}", link["secret"].as_str().unwrap()));
    assert_eq!(link["expires_at"], BEGINS_MS + days_ms(1));
    assert_eq!(use_link(&house, by_link(&first["secret"], 2)).await.code(), "not_found");
    let typed = json!({ "secret": link["secret"], "new_password": "x" });
    assert_eq!(use_link(&house, typed).await.code(), "use_app_token");
    house.later(days_ms(1) - 1);
    let used = use_link(&house, by_link(&link["secret"], 2)).await.is(200);
    assert_eq!(used["username"], "ben");
    assert_eq!(use_link(&house, by_link(&link["secret"], 3)).await.code(), "not_found");
    assert_eq!(login(&house, "ben", 1).await.code(), "wrong_login");
    let signed_in = login(&house, "ben", 2).await.is(200);
    assert!(house.app.store.session(ben.session).await.unwrap().is_some());
    let token = signed_in["token"].as_str().unwrap().to_string();
    let ben = Person { token, ..ben };
    let served = house.get("/api/vault", &ben).await.is(200);
    assert_eq!((&served["under_login"], &served["salt"]), (&json!(false), &json!(b64u(&old.salt))));
    let mut swap = json!({ "expected_version": 1, "vault": b64u(&[7]), "recovery": b64u(&[8]) });
    house.call("PUT", "/api/vault", Some(&ben), swap.clone()).await.is(200);
    let kept = house.app.store.vault(ben.id).await.unwrap().unwrap().sealed_under;
    assert_eq!(kept, Some(SealedUnder { salt: old.salt, cost: old.cost }), "its first part stays");
    swap["expected_version"] = json!(2);
    swap["under_login"] = json!(true);
    house.call("PUT", "/api/vault", Some(&ben), swap).await.is(200);
    let served = house.get("/api/vault", &ben).await.is(200);
    assert_eq!(served["salt"], json!(b64u(&[2; 16])));
    let log = house.app.store.audit(None, 9).await.unwrap();
    let acts: Vec<_> = log.iter().map(|entry| (&*entry.action, entry.by)).collect();
    let [ben, anna] = [Some(ben.id), Some(anna.id)];
    assert_eq!(acts, [("user.reset_used", ben), ("user.reset", anna), ("user.reset", anna)]);
}

#[tokio::test]
async fn a_link_ends_after_a_day_and_a_wrong_one_tells_nothing() {
    let (house, anna) = anna().await;
    let link = house.app.make_reset(None, anna.id).await.unwrap();
    let mut altered = hearth_protocol::bytes::from_b64u(&link.secret).unwrap();
    altered[47] ^= 1;
    for bad in [b64u(&altered), b64u(&[0; 48]), b64u(&altered[..47]), "é".to_string()] {
        assert_eq!(use_link(&house, by_link(&json!(bad), 2)).await.code(), "not_found");
    }
    house.later(days_ms(1));
    assert_eq!(use_link(&house, by_link(&json!(link.secret), 2)).await.code(), "gone");
    login(&house, "anna", 1).await.is(200);
}

#[tokio::test]
async fn an_owners_link_is_made_by_owners_and_a_bot_has_none() {
    let (house, anna) = anna().await;
    let admin = house.person("admin", HouseRole::Admin).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let bot = house.person("robot", HouseRole::Bot).await;
    let reset = async |who: &Person, whose: &Person| {
        house.post(&format!("/api/users/{}/reset", whose.id), who, Value::Null).await.code()
    };
    assert_eq!(reset(&admin, &anna).await, "forbidden");
    assert_eq!(reset(&ben, &ben).await, "forbidden");
    assert_eq!(reset(&admin, &bot).await, "no_password");
    assert_eq!(reset(&admin, &ben).await, "201");
    assert_eq!(reset(&anna, &admin).await, "201");
}
