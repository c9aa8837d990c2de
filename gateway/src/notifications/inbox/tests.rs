//! What a person has been alerted to: pages, what is read, and what each shows.

use hearth_protocol::event::Sender;
use hearth_protocol::limits::days_ms;
use serde_json::{Value, json};

use super::*;
use crate::ingest::Submission;
use crate::notifications::tests::Scene;
use crate::testing::Person;

#[tokio::test]
async fn a_notification_shows_its_message_as_it_is_now_and_nothing_of_an_erased_one() {
    let scene = Scene::new().await;
    let id = scene.says(&scene.anna, &format!("@ben {}", "é".repeat(300))).await;
    let content = async || scene.list(&scene.ben, "").await["notifications"][0]["content"].clone();
    let shown = content().await;
    assert_eq!(shown.as_str().unwrap().chars().count(), 200);
    let change = async |event: Value| {
        let submission = Submission {
            room: scene.room,
            sender: Sender::Person(scene.anna.id),
            payload: event.to_string().into(),
            packet: None,
            can_be_refused: true,
        };
        scene.house.app.submit(submission).await.unwrap();
        scene.house.app.alert().await.unwrap();
    };
    change(json!({ "type": "edit", "target": id, "content": "@ben and @cleo" })).await;
    assert_eq!(content().await, "@ben and @cleo");
    scene.has(&scene.cleo, &[]).await;
    change(json!({ "type": "delete", "target": id })).await;
    assert_eq!(content().await, "[deleted]");
    // Who left sees nothing of the room any more.
    scene.says(&scene.anna, "@ben come back").await;
    scene
        .house
        .post(&format!("/api/rooms/{}/leave", scene.room), &scene.ben, Value::Null)
        .await
        .is(204);
    assert_eq!(content().await, Value::Null);
}

#[tokio::test]
async fn notifications_are_paged_counted_and_read() {
    let scene = Scene::new().await;
    for number in 0..5 {
        scene.says(&scene.anna, &format!("@ben {number}")).await;
    }
    let texts = async |query: &str| -> Vec<String> {
        let list = scene.list(&scene.ben, query).await;
        let all = list["notifications"].as_array().unwrap().iter();
        all.map(|each| each["content"].as_str().unwrap()[5..].to_string()).collect()
    };
    let list = scene.list(&scene.ben, "").await;
    let id = |at: usize| list["notifications"][at]["id"].as_str().unwrap().to_string();
    assert_eq!(texts("?limit=2").await, ["4", "3"]);
    assert_eq!(texts(&format!("?limit=2&before={}", id(1))).await, ["2", "1"]);
    assert_eq!(texts(&format!("?limit=2&after={}", id(4))).await, ["2", "1"]);
    assert_eq!(texts(&format!("?after={}", id(1))).await, ["4"]);
    let path = format!("/api/notifications/{}/read", id(1));
    let read = async |who: &Person| scene.house.call("PATCH", &path, Some(who), Value::Null).await;
    assert_eq!(read(&scene.cleo).await.code(), "not_found");
    assert_eq!(read(&scene.ben).await.is(200), json!({ "unread": 4 }));
    assert_eq!(read(&scene.ben).await.is(200), json!({ "unread": 4 }));
    assert_eq!(texts("?unread=1").await, ["4", "2", "1", "0"]);
    assert_eq!(texts(&format!("?unread=1&limit=2&before={}", id(0))).await, ["2", "1"]);
    assert_eq!(texts(&format!("?unread=1&limit=2&after={}", id(3))).await, ["4", "2"]);
    let count = scene.house.get("/api/notifications/count", &scene.ben).await.is(200);
    assert_eq!(count, json!({ "unread": 4 }));
    let all = "/api/notifications/read-all";
    let all = scene.house.call("PATCH", all, Some(&scene.ben), Value::Null).await.is(200);
    assert_eq!(all, json!({ "unread": 0 }));
    assert_eq!(texts("?unread=1").await, Vec::<String>::new());
    assert_eq!(texts("").await.len(), 5);
    for (query, code) in [
        ("?limit=0", "bad_limit"),
        ("?limit=101", "bad_limit"),
        ("?before=x", "bad_query"),
        (&format!("?before={0}&after={0}", id(0)), "bad_query"),
    ] {
        let path = format!("/api/notifications{query}");
        assert_eq!(scene.house.get(&path, &scene.ben).await.code(), code, "{query}");
    }
    assert_eq!(scene.house.call("GET", "/api/notifications", None, Value::Null).await.status, 401);
}

#[tokio::test]
async fn more_than_a_page_is_read_and_thirty_days_are_kept() {
    let scene = Scene::new().await;
    let path = format!("/api/rooms/{}/messages", scene.room);
    for _ in 0..300 {
        scene.house.post(&path, &scene.anna, json!({ "content": "@ben" })).await.is(201);
        scene.house.later(1);
    }
    scene.house.app.alert().await.unwrap();
    assert_eq!(scene.list(&scene.ben, "").await["unread"], 300);
    assert_eq!(
        scene.list(&scene.ben, "?limit=100").await["notifications"].as_array().unwrap().len(),
        100
    );
    // The oldest came 300 ms ago.
    let unread = async || scene.house.app.unread_notifications(scene.ben.id).await.unwrap();
    scene.house.later(days_ms(30) - 301);
    assert_eq!(unread().await, 300);
    scene.house.later(1);
    assert_eq!(unread().await, 299);
    let query = InboxQuery { limit: 1_000, ..InboxQuery::default() };
    let found = scene.house.app.notifications(scene.ben.id, query).await.unwrap();
    assert_eq!(found.len(), 299);
}
