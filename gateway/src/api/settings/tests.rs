//! The settings: who sees and who changes what of them.

use hearth_protocol::role::HouseRole;
use serde_json::{Value, json};

use super::*;
use crate::testing::{Answered, House, Person};

const AT: &str = "/api/settings";

async fn inhabited() -> (House, Person, Person) {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Admin).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let named = hearth_store::House { name: "Home".into(), created_at: 5 };
    house.change(vec![Edit::SetHouse(named)]).await;
    (house, anna, ben)
}

async fn put(house: &House, who: &Person, body: Value) -> Answered {
    house.call("PUT", AT, Some(who), body).await
}

#[tokio::test]
async fn what_is_read_is_what_is_written_by_compare_and_set() {
    let (house, anna, ben) = inhabited().await;
    let public = house.get(AT, &ben).await.is(200);
    assert_eq!(public, json!({ "house": "Home", "registration": "invite" }));
    let mut settings = house.get(AT, &anna).await.is(200);
    assert_eq!(settings["version"], 0);
    settings["house"] = json!(" Mill ");
    settings["registration"] = json!("open");
    settings["audit_days"] = json!(30);
    assert_eq!(put(&house, &ben, settings.clone()).await.code(), "forbidden");
    let written = put(&house, &anna, settings.clone()).await.is(200);
    assert_eq!(put(&house, &anna, settings).await.code(), "changed_meanwhile");
    assert_eq!(house.get(AT, &anna).await.is(200), written);
    assert_eq!((&written["version"], &written["house"]), (&json!(1), &json!("Mill")));
    assert_eq!(house.app.store.house().await.unwrap().unwrap().created_at, 5);
    let log = house.app.store.audit(None, 9).await.unwrap();
    assert_eq!((log.len(), log[0].action.as_str()), (1, "settings.change"));
    assert_eq!(log[0].detail, json!({ "changed": ["audit_days", "house", "registration"] }));
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused() {
    let (house, anna, _) = inhabited().await;
    let good = house.get(AT, &anna).await.is(200);
    for (field, value, code) in [
        ("house", json!(""), "bad_name"),
        ("house", json!("x".repeat(101)), "bad_name"),
        ("audit_days", json!(0), "not_possible"),
        ("registration", json!("closed"), "bad_json"),
        ("retention_days", json!(-1), "bad_json"),
        ("house", json!("x".repeat(100)), "200"),
    ] {
        let mut settings = good.clone();
        settings[field] = value;
        assert_eq!(put(&house, &anna, settings).await.code(), code, "{field}");
    }
    let (_, token) = house.app.auth.make_app_token(anna.id, "script", None).await.unwrap();
    let app = Person { token, ..anna.clone() };
    assert_eq!(put(&house, &app, good).await.code(), "forbidden");
}

#[tokio::test]
async fn a_house_that_is_not_set_up_has_no_settings_to_change() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let settings = house.get(AT, &anna).await.is(200);
    assert_eq!(put(&house, &anna, settings).await.code(), "not_set_up");
}
