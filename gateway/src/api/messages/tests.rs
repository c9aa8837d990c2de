//! Messages over REST: edited, erased, answered, reacted to, pinned, read, and paged.

use futures_util::FutureExt;
use hearth_protocol::ids::{EventId, RoomId};
use hearth_protocol::limits::Limits;
use hearth_protocol::role::{HouseRole, RoomType, Sealing};
use hearth_protocol::topic::Topic;
use hearth_store::{Edit, Sentence, Subject};
use serde_json::{Value, json};

use crate::clock::random;
use crate::testing::{BEGINS_MS, House, Person};

mod edits;
mod pages;
mod sealed;

/// An open room of two, and somebody outside.
struct Open {
    house: House,
    anna: Person,
    ben: Person,
    eve: Person,
    room: RoomId,
}

impl Open {
    async fn new() -> Open {
        Open::with(Limits { messages_per_10_s: 0, ..Limits::default() }).await
    }

    async fn with(limits: Limits) -> Open {
        let house = House::with(limits).await;
        let anna = house.person("anna", HouseRole::Owner).await;
        let ben = house.person("ben", HouseRole::Member).await;
        let eve = house.person("eve", HouseRole::Member).await;
        let room = house.room(RoomType::Private, Sealing::Open, &[&anna, &ben]).await;
        Open { house, anna, ben, eve, room }
    }

    async fn say(&self, who: &Person, text: &str) -> String {
        let path = format!("/api/rooms/{}/messages", self.room);
        let said = self.house.post(&path, who, json!({ "content": text })).await.is(201);
        format!("/api/messages/{}", said["id"].as_str().unwrap())
    }

    async fn page(&self, query: &str) -> Vec<Value> {
        let path = format!("/api/rooms/{}/messages?{query}", self.room);
        let page = self.house.get(&path, &self.anna).await.is(200);
        page["messages"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn a_message_has_1_to_10_000_characters() {
    let open = Open::new().await;
    let path = format!("/api/rooms/{}/messages", open.room);
    let mine = open.say(&open.ben, "hi").await;
    for (text, code) in [
        ("é".repeat(10_000), "2"),
        ("é".repeat(10_001), "bad_event"),
        (String::new(), "bad_event"),
        (" ".into(), "bad_event"),
    ] {
        let body = json!({ "content": text });
        let posted = open.house.post(&path, &open.ben, body.clone()).await.code();
        let edited = open.house.put(&mine, &open.ben, body).await.code();
        assert!(posted.starts_with(code) && edited.starts_with(code), "{posted} {edited}");
    }
}

#[tokio::test]
async fn one_edits_ones_own_message_for_15_minutes() {
    let open = Open::new().await;
    let path = open.say(&open.ben, "helo").await;
    let text = |text: &str| json!({ "content": text });
    assert_eq!(open.house.put(&path, &open.anna, text("x")).await.code(), "forbidden");
    assert_eq!(open.house.put(&path, &open.eve, text("x")).await.code(), "not_found");
    let unknown = format!("/api/messages/{}", EventId::new(1, random()));
    let no = open.house.put(&unknown, &open.ben, text("x")).await;
    let hidden = open.house.put(&path, &open.eve, text("x")).await;
    assert_eq!(no.body, hidden.body, "a message one may not see is not there");
    open.house.later(15 * 60_000);
    let edited = open.house.put(&path, &open.ben, text("hello")).await.is(200);
    assert_eq!((&edited["content"], &edited["room_id"]), (&json!("hello"), &json!(open.room)));
    assert_eq!(edited["edited_at"], json!(BEGINS_MS + 15 * 60_000));
    open.house.later(1);
    assert_eq!(open.house.put(&path, &open.ben, text("late")).await.code(), "edit_window_over");
    let edits = open.house.get(&format!("{path}/edits"), &open.anna).await.is(200);
    let texts: Vec<_> =
        edits["edits"].as_array().unwrap().iter().map(|one| &one["content"]).collect();
    assert_eq!(texts, [&json!("helo"), &json!("hello")]);
    assert_eq!(open.house.get(&path, &open.anna).await.is(200), edited);
    assert_eq!(open.house.get(&path, &open.eve).await.code(), "not_found");
}

#[tokio::test]
async fn an_erased_message_leaves_who_did_it_and_nothing_else() {
    let open = Open::new().await;
    let [own, bens, annas] = [(&open.ben, "own"), (&open.ben, "bens"), (&open.anna, "annas")]
        .map(|(who, text)| async { open.say(who, text).await });
    let (own, bens, annas) = (own.await, bens.await, annas.await);
    assert_eq!(open.house.delete(&annas, &open.ben).await.code(), "forbidden");
    assert_eq!(open.house.delete(&own, &open.eve).await.code(), "not_found");
    let long = format!("{own}?reason={}", "x".repeat(501));
    assert_eq!(open.house.delete(&long, &open.ben).await.code(), "too_long");
    assert_eq!(open.house.delete(&own, &open.ben).await.status, 204);
    assert_eq!(open.house.delete(&own, &open.ben).await.code(), "message_erased");
    assert!(open.house.app.store.audit(None, 9).await.unwrap().is_empty(), "one's own");
    let moderated = format!("{bens}?reason=spam");
    assert_eq!(open.house.delete(&moderated, &open.anna).await.status, 204);
    let erased = open.house.get(&bens, &open.ben).await.is(200);
    assert_eq!((&erased["content"], &erased["kind"]), (&json!("[deleted]"), &json!("erased")));
    assert_eq!(erased["deleted"]["by"], json!(open.anna.id));
    assert_eq!(erased["deleted"]["reason"], "spam");
    let audit = open.house.app.store.audit(None, 9).await.unwrap();
    assert!(matches!(audit[0].subject, Subject::Event(_)) && audit.len() == 1, "{audit:?}");
    assert_eq!(open.house.get(&format!("{bens}/edits"), &open.ben).await.code(), "not_found");
    let raw = open.page("raw=1").await;
    let types: Vec<_> = raw.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["erased", "erased", "message", "delete", "erased"]);
}

#[tokio::test]
async fn who_moderates_over_mqtt_leaves_the_same_trace() {
    let open = Open::new().await;
    let bens = open.say(&open.ben, "bens").await;
    let target = bens.rsplit('/').next().unwrap();
    let delete = json!({ "type": "delete", "target": target });
    open.house.app.submit_open(open.room, open.anna.id, delete).await.unwrap();
    let raw = open.page("raw=1").await;
    assert_eq!((&raw[1]["type"], &raw[1]["by"]), (&json!("erased"), &json!(open.anna.id)));
    assert_eq!(open.house.app.store.audit(None, 9).await.unwrap()[0].action, "message.erase");
}

#[tokio::test]
async fn who_is_muted_changes_nothing_either() {
    let open = Open::new().await;
    let path = open.say(&open.ben, "hi").await;
    let sentence = Sentence { by: open.anna.id, at: 1, reason: String::new(), until: None };
    let edit = Edit::Mute { room: open.room, user: open.ben.id, sentence: Some(sentence) };
    open.house.change(vec![edit]).await;
    let react = json!({ "emoji": "👍" });
    let text = json!({ "content": "x" });
    assert_eq!(open.house.put(&path, &open.ben, text).await.code(), "muted");
    assert_eq!(open.house.delete(&path, &open.ben).await.code(), "muted");
    assert_eq!(
        open.house.post(&format!("{path}/reactions"), &open.ben, react).await.code(),
        "muted"
    );
    // Reading is not writing.
    let read = format!("/api/rooms/{}/read", open.room);
    open.house.put(&read, &open.ben, json!({ "position": 1 })).await.is(200);
}

#[tokio::test]
async fn a_reaction_is_there_once_and_goes_by_its_path() {
    let open = Open::new().await;
    let path = open.say(&open.ben, "hi").await;
    let reactions = format!("{path}/reactions");
    let heart = json!({ "emoji": "❤\u{fe0f}" });
    let made = open.house.post(&reactions, &open.anna, heart.clone()).await.is(201);
    assert_eq!(made["reactions"][0]["users"][0]["user"], json!(open.anna.id));
    open.house.post(&reactions, &open.anna, json!({ "emoji": "❤" })).await.is(200);
    open.house.post(&reactions, &open.ben, heart).await.is(201);
    for (who, emoji, code) in [
        (&open.anna, "", "bad_emoji"),
        (&open.anna, "a b", "bad_emoji"),
        (&open.anna, &"x".repeat(65), "bad_emoji"),
        (&open.eve, "👍", "not_found"),
    ] {
        let answered = open.house.post(&reactions, who, json!({ "emoji": emoji })).await;
        assert_eq!(answered.code(), code, "{emoji}");
    }
    let shown = open.house.get(&path, &open.anna).await.is(200);
    let expected = json!([{ "emoji": "❤", "count": 2, "users": [open.anna.id, open.ben.id],
                            "mine": true }]);
    assert_eq!(shown["reactions"], expected);
    let heart = format!("{reactions}/%E2%9D%A4%EF%B8%8F");
    assert_eq!(open.house.delete(&heart, &open.anna).await.status, 204);
    assert_eq!(open.house.delete(&heart, &open.anna).await.code(), "not_found");
    let list = open.house.get(&reactions, &open.ben).await.is(200);
    assert_eq!(list["reactions"][0]["count"], json!(1));
    // What changed nothing was not stored.
    assert_eq!(open.page("raw=1").await.len(), 4);
}

#[tokio::test]
async fn a_page_names_some_of_many_who_react_and_counts_them_all() {
    let limits = Limits {
        messages_per_10_s: 0,
        reaction_emoji_shown_max: 2,
        reaction_people_shown_max: 1,
        reactions_per_message_max: 4,
        ..Limits::default()
    };
    let open = Open::with(limits).await;
    let path = open.say(&open.ben, "hi").await;
    let reactions = format!("{path}/reactions");
    for (who, emoji) in
        [(&open.ben, "👍"), (&open.anna, "👍"), (&open.ben, "🔥"), (&open.ben, "🎉")]
    {
        open.house.post(&reactions, who, json!({ "emoji": emoji })).await.is(201);
    }
    let over = open.house.post(&reactions, &open.anna, json!({ "emoji": "😂" })).await;
    assert_eq!(over.code(), "limit_reached");
    let shown = &open.page("").await[0];
    assert_eq!(shown["reactions"].as_array().unwrap().len(), 2);
    let thumb = json!({ "emoji": "👍", "count": 2, "users": [open.ben.id], "mine": true });
    assert_eq!((&shown["reactions"][0], &shown["more_reactions"]), (&thumb, &json!(1)));
    let all = open.house.get(&reactions, &open.anna).await.is(200);
    assert_eq!(all["reactions"].as_array().unwrap().len(), 3);
    assert_eq!(all["reactions"][0]["users"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn answers_to_a_message_are_a_thread() {
    let open = Open::new().await;
    let parent = open.say(&open.ben, "who cooks?").await;
    let id = parent.rsplit('/').next().unwrap();
    let path = format!("/api/rooms/{}/messages", open.room);
    for text in ["me", "you", "us"] {
        let answer = json!({ "content": text, "parent_id": id });
        open.house.post(&path, &open.anna, answer).await.is(201);
        open.say(&open.ben, "beside").await;
    }
    let thread = format!("{parent}/thread");
    let first = open.house.get(&format!("{thread}?limit=2"), &open.ben).await.is(200);
    let texts = |page: &Value| {
        let messages = page["messages"].as_array().unwrap();
        messages.iter().map(|one| one["content"].as_str().unwrap().to_string()).collect::<Vec<_>>()
    };
    assert_eq!((texts(&first), &first["more"]), (vec!["me".into(), "you".into()], &json!(true)));
    assert_eq!(first["parent"]["content"], "who cooks?");
    let after = first["messages"][1]["id"].as_str().unwrap();
    let rest = open.house.get(&format!("{thread}?after={after}"), &open.ben).await.is(200);
    assert_eq!((texts(&rest), &rest["more"]), (vec!["us".into()], &json!(false)));
    for (query, code) in
        [("limit=0", "bad_limit"), ("limit=201", "bad_limit"), ("limit=200", "200")]
    {
        assert_eq!(open.house.get(&format!("{thread}?{query}"), &open.ben).await.code(), code);
    }
    assert_eq!(open.house.get(&thread, &open.eve).await.code(), "not_found");
}

#[tokio::test]
async fn pins_are_the_rooms_and_those_of_admins() {
    let open = Open::with(Limits { pins_per_room_max: 1, ..Limits::default() }).await;
    let (one, two) = (open.say(&open.ben, "one").await, open.say(&open.ben, "two").await);
    let id = |path: &str| path.rsplit('/').next().unwrap().to_string();
    let pins = format!("/api/rooms/{}/pins", open.room);
    let pin = |path: &str| json!({ "message_id": id(path) });
    assert_eq!(open.house.post(&pins, &open.ben, pin(&one)).await.code(), "forbidden");
    assert_eq!(open.house.post(&pins, &open.eve, pin(&one)).await.code(), "not_found");
    let unknown = json!({ "message_id": EventId::new(1, random()) });
    assert_eq!(open.house.post(&pins, &open.anna, unknown).await.code(), "no_such_message");
    let pinned = open.house.post(&pins, &open.anna, pin(&one)).await.is(201);
    assert_eq!(pinned["pins"][0]["message"], json!(id(&one)));
    open.house.post(&pins, &open.anna, pin(&one)).await.is(201);
    assert_eq!(open.house.post(&pins, &open.anna, pin(&two)).await.code(), "limit_reached");
    let room = open.house.get(&format!("/api/rooms/{}", open.room), &open.ben).await.is(200);
    assert_eq!(room["pins"], pinned["pins"]);
    let off = format!("{pins}/{}", id(&one));
    assert_eq!(open.house.delete(&off, &open.ben).await.code(), "forbidden");
    assert_eq!(open.house.delete(&off, &open.anna).await.status, 204);
    assert_eq!(open.house.delete(&off, &open.anna).await.code(), "not_found");
    let lines = open.page("").await;
    assert_eq!(lines[2]["pinned"], json!(id(&one)));
    assert_eq!(lines[3]["unpinned"], json!(id(&one)));
}

#[tokio::test]
async fn receipts_only_rise_and_are_published_when_they_do() {
    let open = Open::new().await;
    let (house, room) = (&open.house, open.room);
    let (one, two) = (open.say(&open.anna, "one").await, open.say(&open.anna, "two").await);
    let read = format!("/api/rooms/{room}/read");
    let id = |path: &str| path.rsplit('/').next().unwrap().to_string();
    for (who, body, code) in [
        (&open.eve, json!({ "position": 1 }), "not_found"),
        (&open.ben, json!({}), "bad_place"),
        (&open.ben, json!({ "position": 1, "message_id": id(&one) }), "bad_place"),
        (&open.ben, json!({ "message_id": EventId::new(1, random()) }), "bad_place"),
        (&open.ben, json!({ "position": 3 }), "not_found"),
    ] {
        assert_eq!(house.put(&read, who, body.clone()).await.code(), code, "{body}");
    }
    let link = || house.app.broker.link(&["hearth/rooms/+/receipts"], 16).unwrap();
    let heard = |link: &mut hearth_broker::Link| {
        let message = link.recv().now_or_never().flatten()?;
        Some(serde_json::from_slice::<Value>(&message.payload).unwrap())
    };
    let mut live = link();
    let message = json!({ "message_id": id(&one) });
    let receipt = house.put(&read, &open.ben, message.clone()).await.is(200);
    assert_eq!((&receipt["read"], &receipt["delivered"]), (&json!(1), &json!(1)));
    house.app.publish_receipts().await.unwrap();
    let ben = open.ben.id.to_string();
    assert_eq!(heard(&mut live).unwrap(), json!({ (ben.clone()): [1, 1] }));
    // What a page brought, and what a session acknowledged, was delivered.
    house.get(&format!("/api/rooms/{room}/messages"), &open.ben).await.is(200);
    house.app.receipts.delivered(room, open.anna.id, hearth_protocol::ids::Position(1));
    // Nobody is in a room that is none, and nobody reads back.
    house.app.receipts.delivered(room, open.eve.id, hearth_protocol::ids::Position(1));
    house.put(&read, &open.ben, json!({ "position": 0 })).await.is(200);
    house.app.publish_receipts().await.unwrap();
    let anna = open.anna.id.to_string();
    let both = json!({ (ben): [2, 1], (anna): [1, 0] });
    assert_eq!(heard(&mut live).unwrap(), both);
    house.put(&read, &open.ben, message).await.is(200);
    house.app.publish_receipts().await.unwrap();
    assert!(heard(&mut live).is_none(), "nothing moved");
    assert_eq!(heard(&mut link()).unwrap(), both, "retained");
    let receipts = |path: &str| format!("{path}/receipts");
    let of_one = house.get(&receipts(&one), &open.anna).await.is(200);
    assert_eq!(of_one["read_by"][0]["user"], json!(open.ben.id));
    let of_two = house.get(&receipts(&two), &open.anna).await.is(200);
    let delivered = json!({ "read_by": [], "delivered_to": [open.ben.id] });
    assert_eq!(of_two, delivered);
    assert_eq!(house.get(&receipts(&two), &open.eve).await.code(), "not_found");
    let kick = format!("/api/rooms/{room}/members/{}", open.ben.id);
    assert_eq!(house.delete(&kick, &open.anna).await.status, 204);
    house.app.publish_receipts().await.unwrap();
    assert_eq!(heard(&mut live).unwrap(), json!({ (open.anna.id.to_string()): [1, 0] }));
    assert_eq!(Topic::Receipts(room).to_string(), format!("hearth/rooms/{room}/receipts"));
}
