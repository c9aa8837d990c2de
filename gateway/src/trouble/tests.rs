//! A database that is hurt: clients see around it, and `hearth doctor` is told.

use std::sync::atomic::Ordering::SeqCst;

use hearth_broker::gate::Gate;
use hearth_protocol::ids::Position;
use hearth_store::hurt::Hurt;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::*;
use crate::admin::{self, Reply, Request};
use crate::gate::tests::House;
use crate::http;
use crate::http::server::{Door, Server};
use crate::ingest::Submission;

async fn says(house: &House, text: &str) -> Result<(), crate::error::ApiError> {
    let submission = Submission {
        packet: None,
        room: house.room,
        sender: hearth_protocol::event::Sender::Person(house.member.user().unwrap()),
        payload: text.to_string().into(),
        can_be_refused: true,
    };
    house.app.submit(submission).await.map(drop)
}

/// What doctor asks the box.
async fn status(house: &House) -> (usize, Option<Trouble>) {
    match admin::handle(&house.app, Request::Status).await {
        Reply::Status { damaged, trouble, .. } => (damaged, trouble),
        other => panic!("{other:?}"),
    }
}

/// A page of the room as REST answers it, from a real listener.
async fn page(house: &House, token: &str, query: &str) -> Value {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let routes = http::routes(&house.app);
    let door = Door { listener: Arc::new(listener), routes, tls: None };
    let server = Server::new(house.app.limits.clone(), Arc::default());
    let serving = tokio::spawn(server.serve(door, stopped));
    let url = format!("http://{address}/api/rooms/{}/messages?{query}", house.room);
    let bearer = format!("Bearer {token}");
    let asked = tokio::task::spawn_blocking(move || {
        let mut answer = ureq::get(url).header("authorization", bearer).call().unwrap();
        answer.body_mut().read_to_string().unwrap()
    });
    let text = asked.await.unwrap();
    stop.send_replace(true);
    serving.await.unwrap();
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn a_stretch_that_does_not_read_is_an_item_in_rest_a_gap_in_mqtt_and_a_finding_of_doctor() {
    let hurt = Arc::new(Hurt::default());
    let house = House::on(Arc::new(hurt.clone())).await;
    house.joins().await;
    for number in 1..=8 {
        says(&house, &format!("word {number}.")).await.unwrap();
    }
    assert_eq!(status(&house).await, (0, None));
    assert_eq!(hurt.hurt_words(&["word 3.", "word 4.", "word 7."]).await.unwrap(), 3);

    let (_, token) =
        house.app.auth.make_app_token(house.member.user().unwrap(), "test", None).await.unwrap();
    let damaged = |from: u64, to: u64| json!({ "type": "damaged", "from": from, "to": to });
    for query in ["after=0", "after=0&raw=1"] {
        let page = page(&house, &token, query).await;
        let shown: Vec<_> = page["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(
                |item| {
                    if item["type"] == "damaged" { item.clone() } else { item["content"].clone() }
                },
            )
            .collect();
        let word = |number: u64| json!(format!("word {number}."));
        let expected = [word(1), word(2), damaged(3, 4), word(5), word(6), damaged(7, 7), word(8)];
        assert_eq!(shown, expected, "{query}");
        assert_eq!(page["covered"], json!({ "from": 1, "to": 8 }), "{query}");
    }
    let backlog = house.gate.backlog(&house.member, house.room, Position(0), 20).await.unwrap();
    let positions: Vec<_> = backlog.events.iter().map(|(position, _)| position.0).collect();
    assert_eq!((positions, backlog.up_to), (vec![1, 2, 5, 6, 8], Position(8)));

    let (damaged, trouble) = status(&house).await;
    let trouble = trouble.unwrap();
    assert_eq!((damaged, trouble.what.contains("a test's row")), (2, true), "{trouble:?}");
    assert!(trouble.at > 0 && trouble.remedy.contains("hearth restore"), "{trouble:?}");
    says(&house, "it goes on").await.unwrap();
    assert_eq!(status(&house).await, (2, Some(trouble)), "a commit mends no damage");
}

#[tokio::test]
async fn want_of_room_is_told_until_something_is_written_again() {
    let hurt = Arc::new(Hurt::default());
    let house = House::on(Arc::new(hurt.clone())).await;
    house.joins().await;
    hurt.is_full.store(true, SeqCst);
    says(&house, "too much").await.unwrap_err();
    let (_, trouble) = status(&house).await;
    assert!(trouble.unwrap().what.contains("the disk is full"));
    hurt.is_full.store(false, SeqCst);
    says(&house, "there is room").await.unwrap();
    assert_eq!(status(&house).await, (0, None));
}

#[tokio::test]
async fn want_of_room_for_a_compaction_is_told_until_the_file_is_looked_after() {
    let house = House::on(Arc::new(Arc::new(Hurt::default()))).await;
    house.joins().await;
    let troubles = &house.app.troubles;
    troubles.note(&EngineError::NoRoom { needed_bytes: 7_000_001, free_bytes: 6_999_999 });
    says(&house, "a commit makes no room").await.unwrap();
    let trouble = status(&house).await.1.unwrap();
    assert!(trouble.what.contains("8 MB more") && trouble.what.contains("6 MB are free"));
    troubles.looked_after();
    assert_eq!(status(&house).await, (0, None));
}
