//! Who is found, what one changes of oneself, and who manages whom.

use hearth_protocol::role::{RoomType, Sealing};
use hearth_store::{Attachment, Edit};
use serde_json::{Value, json};

use super::*;
use crate::testing::{Answered, BEGINS_MS, House, Person};

async fn patch(house: &House, path: &str, who: &Person, body: Value) -> Answered {
    house.call("PATCH", path, Some(who), body).await
}

fn of(person: &Person) -> String {
    format!("/api/users/{}", person.id)
}

#[tokio::test]
async fn a_guest_knows_the_people_of_their_rooms_only() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let guest = house.person("guest", HouseRole::Guest).await;
    house.room(RoomType::Private, Sealing::Open, &[&anna, &guest]).await;
    assert_eq!(house.get(&of(&anna), &guest).await.is(200)["name"], "anna");
    house.get(&of(&guest), &guest).await.is(200);
    for path in [of(&ben), format!("{}/cards", of(&ben))] {
        let hidden = house.get(&path, &guest).await;
        let nobody = format!("/api/users/{}", UserId::new(1, [1; 10]));
        assert_eq!((hidden.status, hidden.bytes), (404, house.get(&nobody, &guest).await.bytes));
    }
    house.get(&of(&guest), &ben).await.is(200);
    let search = house.get("/api/users/search?q=anna", &guest).await;
    assert_eq!(search.code(), "forbidden");
}

#[tokio::test]
async fn people_are_found_by_either_name_page_by_page() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    house.later(1);
    let zoe = house.person("zoe1", HouseRole::Member).await;
    house.later(1);
    let other = house.person("zoe2", HouseRole::Member).await;
    patch(&house, "/api/users/me", &zoe, json!({ "display_name": "Änne" })).await.is(200);
    let names = async |query: &str, who: &Person| {
        let found = house.get(&format!("/api/users/search?{query}"), who).await.is(200);
        let names = found["users"].as_array().unwrap().iter().map(|user| user["name"].clone());
        (Value::from_iter(names), found["next"].clone())
    };
    assert_eq!(names("q=ANN", &other).await.0, json!(["anna", "zoe1"]));
    let (first, next) = names("q=zoe&limit=1", &anna).await;
    assert_eq!(first, json!(["zoe1"]));
    let after = format!("q=zoe&limit=1&after={}", next.as_str().unwrap());
    assert_eq!(names(&after, &anna).await.0, json!(["zoe2"]));
    patch(&house, &of(&other), &anna, json!({ "blocked": true })).await.is(200);
    assert_eq!(names("q=zoe2", &zoe).await, (json!([]), Value::Null));
    assert_eq!(names("q=zoe2", &anna).await.0, json!(["zoe2"]));
    let (everybody, _) = names("", &anna).await;
    assert_eq!(everybody, names("q=%20", &anna).await.0);
    assert!(everybody.as_array().unwrap().contains(&json!("zoe1")), "{everybody}");
    for (query, code) in [("q=a&limit=0", "bad_limit"), ("q=a&limit=101", "bad_limit")] {
        let refused = house.get(&format!("/api/users/search?{query}"), &anna).await;
        assert_eq!(refused.code(), code, "{query}");
    }
    names("q=a&limit=100", &anna).await;
    let long = format!("/api/users/search?q={}", "a".repeat(51));
    assert_eq!(house.get(&long, &anna).await.code(), "bad_name");
}

#[tokio::test]
async fn one_changes_ones_profile_within_its_bounds() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Member).await;
    let me = async |body: Value| patch(&house, "/api/users/me", &anna, body).await;
    let all = json!({ "display_name": " Anna ", "status_text": "busy with bread",
                      "presence": "busy" });
    let changed = me(all).await.is(200);
    assert_eq!(changed["display_name"], "Anna");
    // The request itself was the last that was seen of her.
    let without_time = |mut person: Value| {
        person.as_object_mut().unwrap().remove("last_seen");
        person
    };
    let changed = without_time(changed);
    let same = without_time(me(json!({})).await.is(200));
    assert_eq!(same, changed, "what is not there stays");
    let seen = house.get("/api/auth/me", &anna).await.is(200);
    assert_eq!(without_time(seen["user"].clone()), changed);
    assert_eq!(seen["session_id"], json!(anna.session));
    assert_eq!(seen["vault_version"], Value::Null);
    for (body, code) in [
        (json!({ "display_name": "x".repeat(50) }), "200"),
        (json!({ "display_name": "x".repeat(51) }), "bad_name"),
        (json!({ "display_name": " " }), "bad_name"),
        (json!({ "status_text": "é".repeat(100) }), "200"),
        (json!({ "status_text": "é".repeat(101) }), "too_long"),
        (json!({ "status_text": "a\nb" }), "not_possible"),
        (json!({ "status_text": "" }), "200"),
        (json!({ "presence": "offline" }), "200"),
        (json!({ "presence": "asleep" }), "bad_json"),
        (json!({ "avatar": AttachmentId::new(1, [1; 10]) }), "not_found"),
    ] {
        assert_eq!(me(body.clone()).await.code(), code, "{body}");
    }
}

#[tokio::test]
async fn an_avatar_is_ones_own_and_goes_with_null() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Member).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let id = AttachmentId::new(BEGINS_MS, [7; 10]);
    house
        .change(vec![Edit::PutAttachment(Attachment {
            id,
            owner: anna.id,
            room: None,
            sealed: false,
            name: Some("me.png".into()),
            mime: Some("image/png".into()),
            size_bytes: 9,
            stored_bytes: 9,
            sha256: [0; 32],
            created_at: BEGINS_MS,
            shown: None,
            quarantined: None,
        })])
        .await;
    let put = json!({ "avatar": id });
    assert_eq!(patch(&house, "/api/users/me", &ben, put.clone()).await.code(), "not_found");
    patch(&house, "/api/users/me", &anna, put).await.is(200);
    assert_eq!(house.get(&of(&anna), &ben).await.is(200)["avatar"], json!(id));
    patch(&house, "/api/users/me", &anna, json!({ "avatar": null })).await.is(200);
    assert_eq!(house.get(&of(&anna), &ben).await.is(200)["avatar"], Value::Null);
}

#[tokio::test]
async fn who_manages_whom() {
    let house = House::new().await;
    let owner = house.person("owner", HouseRole::Owner).await;
    let admin = house.person("admin", HouseRole::Admin).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let guest = house.person("guest", HouseRole::Guest).await;
    let bot = house.person("robot", HouseRole::Bot).await;
    let other = house.person("other", HouseRole::Admin).await;
    let block = json!({ "blocked": true });
    for (who, whom, body, code) in [
        (&ben, &guest, block.clone(), "forbidden"),
        (&guest, &ben, block.clone(), "forbidden"),
        (&bot, &ben, block.clone(), "forbidden"),
        (&ben, &ben, json!({ "role": "owner" }), "forbidden"),
        (&admin, &owner, block.clone(), "forbidden"),
        (&admin, &other, block.clone(), "forbidden"),
        (&admin, &ben, json!({ "role": "admin" }), "forbidden"),
        (&admin, &admin, json!({ "role": "owner" }), "forbidden"),
        (&admin, &admin, block.clone(), "not_yourself"),
        (&owner, &owner, json!({ "role": "member" }), "last_owner"),
        (&owner, &ben, json!({ "role": "bot" }), "not_possible"),
        (&owner, &ben, json!({ "guest_until": BEGINS_MS + 1 }), "not_possible"),
        (&admin, &guest, json!({ "guest_until": BEGINS_MS }), "bad_expiry"),
        (&admin, &guest, json!({ "guest_until": BEGINS_MS + 365 * 86_400_000 + 1 }), "bad_expiry"),
        (&admin, &guest, json!({ "guest_until": BEGINS_MS + 365 * 86_400_000 }), "200"),
        (&admin, &guest, json!({ "guest_until": null }), "200"),
        (&admin, &ben, json!({ "role": "guest" }), "200"),
        (&admin, &bot, block.clone(), "200"),
        (&owner, &other, json!({ "role": "owner" }), "200"),
        (&owner, &owner, json!({ "role": "member" }), "200"),
        (&owner, &admin, block, "forbidden"),
    ] {
        assert_eq!(patch(&house, &of(whom), who, body.clone()).await.code(), code, "{body}");
    }
    let log = house.app.store.audit(None, 99).await.unwrap();
    let mut acts: Vec<_> = log.iter().map(|entry| entry.action.as_str()).collect();
    acts.sort_unstable();
    let expected = [
        "user.block",
        "user.guest_until",
        "user.guest_until",
        "user.role",
        "user.role",
        "user.role",
    ];
    assert_eq!(acts, expected, "what was refused is not in the log");
    assert_eq!(house.get("/api/users", &ben).await.code(), "forbidden");
    let listed = house.get("/api/users?limit=2", &other).await.is(200);
    assert_eq!(listed["users"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn who_is_blocked_is_out_at_once_and_may_be_let_in_again() {
    let house = House::new().await;
    let owner = house.person("owner", HouseRole::Owner).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let (_, token) = house.app.auth.make_app_token(ben.id, "script", None).await.unwrap();
    let app = Person { token, ..ben.clone() };
    patch(&house, &of(&ben), &owner, json!({ "blocked": true })).await.is(200);
    for who in [&ben, &app] {
        assert_eq!(house.get("/api/auth/me", who).await.code(), "wrong_token");
    }
    assert!(house.app.store.sessions_of(ben.id).await.unwrap().is_empty());
    assert!(house.app.store.tokens_of(ben.id).await.unwrap().is_empty());
    patch(&house, &of(&ben), &owner, json!({ "blocked": false })).await.is(200);
    assert_eq!(house.get("/api/auth/me", &ben).await.code(), "wrong_token", "they sign in anew");
}

#[tokio::test]
async fn logins_of_others_are_ended_by_whoever_runs_the_house() {
    let house = House::new().await;
    let admin = house.person("admin", HouseRole::Admin).await;
    let owner = house.person("owner", HouseRole::Owner).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let (_, token) = house.app.auth.make_app_token(ben.id, "script", None).await.unwrap();
    let app = Person { token, ..ben.clone() };
    let end = async |who: &Person, whose: &Person, query: &str| {
        let path = format!("{}/sessions{query}", of(whose));
        house.call("DELETE", &path, Some(who), Value::Null).await.code()
    };
    assert_eq!(end(&ben, &ben, "").await, "forbidden");
    assert_eq!(end(&admin, &owner, "").await, "forbidden");
    assert_eq!(end(&admin, &ben, "").await, "204");
    assert_eq!(house.get("/api/auth/me", &ben).await.code(), "wrong_token");
    house.get("/api/auth/me", &app).await.is(200);
    assert_eq!(end(&admin, &ben, "?tokens=true").await, "204");
    assert_eq!(house.get("/api/auth/me", &app).await.code(), "wrong_token");
    assert_eq!(
        house.post(&format!("{}/disconnect", of(&ben)), &admin, Value::Null).await.status,
        204
    );
    let log = house.app.store.audit(None, 9).await.unwrap();
    assert_eq!(log.len(), 3);
}

#[tokio::test]
async fn an_app_token_of_an_admin_manages_nobody() {
    let house = House::new().await;
    let owner = house.person("owner", HouseRole::Owner).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let (_, token) = house.app.auth.make_app_token(owner.id, "script", None).await.unwrap();
    let app = Person { token, ..owner.clone() };
    assert_eq!(
        patch(&house, &of(&ben), &app, json!({ "blocked": true })).await.code(),
        "forbidden"
    );
    let reset = house.post(&format!("{}/reset", of(&ben)), &app, Value::Null).await;
    assert_eq!(reset.code(), "forbidden");
    let end = house.call("DELETE", &of(&ben), Some(&app), Value::Null).await;
    assert_eq!(end.code(), "forbidden");
}
