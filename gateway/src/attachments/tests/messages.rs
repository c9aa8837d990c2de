//! What messages show.

use hearth_store::EventKind;

use super::*;

async fn kind(desk: &Desk, item: &Value) -> EventKind {
    let id: EventId = item["id"].as_str().unwrap().parse().unwrap();
    desk.house.app.store.event(id).await.unwrap().unwrap().kind
}

#[tokio::test]
async fn a_message_shows_what_the_box_found_and_not_what_its_sender_says() {
    let desk = Desk::new().await;
    let (one, two) = (desk.file(PNG).await, desk.file(PDF).await);
    let lie = json!([{ "id": one, "mime": "text/html", "filename": "<b>", "size": 1 }]);
    let item = desk.say(&desk.anna, lie).await.is(201);
    let shown = &item["attachments"][0];
    assert_eq!((&shown["mime"], &shown["filename"]), (&json!("image/png"), &json!("file.png")));
    assert_eq!(shown["url"], format!("/api/attachments/{one}"));
    assert_eq!(kind(&desk, &item).await, EventKind::Image);
    let three = desk.file(PNG).await;
    let item = desk.say(&desk.anna, json!([two, { "id": three }])).await.is(201);
    assert_eq!(kind(&desk, &item).await, EventKind::File);
    let path = format!("/api/rooms/{}/messages", desk.room);
    let page = desk.house.get(&path, &desk.ben).await.is(200);
    assert_eq!(page["messages"][1]["attachments"], item["attachments"]);
    let item = desk.say(&desk.anna, json!([])).await.is(201);
    assert_eq!(kind(&desk, &item).await, EventKind::Text);
}

#[tokio::test]
async fn only_an_own_new_attachment_of_the_room_is_shown() {
    let desk = Desk::new().await;
    let (shown, bens) = (desk.file(PNG).await, desk.put(&desk.ben, "x", PNG).await.is(201));
    desk.say(&desk.anna, json!([shown])).await.is(201);
    let other = desk.house.room(RoomType::Public, Sealing::Open, &[&desk.anna]).await;
    let elsewhere = desk.raw(&desk.anna, &format!("room={other}"), PNG).await.is(201);
    let avatar = desk.raw(&desk.anna, "avatar=1", PNG).await.is(201);
    let nothing = AttachmentId::new(1, random()).to_string();
    let new = desk.file(PNG).await;
    for (attachments, expected) in [
        (json!([shown]), "not_possible"),
        (json!([id(&bens)]), "not_found"),
        (json!([id(&elsewhere)]), "not_found"),
        (json!([id(&avatar)]), "not_possible"),
        (json!([nothing]), "not_found"),
        (json!([new, shown]), "not_possible"),
        (json!([new, new]), "bad_event"),
        (json!([{ "url": "https://elsewhere" }]), "bad_event"),
        (json!(["photo.jpg"]), "bad_event"),
    ] {
        let no = desk.say(&desk.anna, attachments.clone()).await;
        assert_eq!(no.code(), expected, "{attachments}");
    }
    desk.say(&desk.anna, json!([new])).await.is(201);
}

#[tokio::test]
async fn a_message_that_comes_again_is_the_same_one() {
    let desk = Desk::new().await;
    let (file, path) = (desk.file(PNG).await, format!("/api/rooms/{}/messages", desk.room));
    let message = json!({ "id": event_id(), "content": "look", "attachments": [{ "id": file }] });
    let first = desk.house.post(&path, &desk.anna, message.clone()).await.is(201);
    let again = desk.house.post(&path, &desk.anna, message.clone()).await.is(200);
    assert_eq!(first, again);
    let delete = json!({ "type": "delete", "target": message["id"], "content": "" });
    let in_room = hearth_protocol::event::Sender::Person(desk.anna.id);
    let submission = crate::ingest::Submission {
        room: desk.room,
        sender: in_room,
        payload: delete.to_string().into(),
        packet: None,
        can_be_refused: true,
    };
    assert!(desk.house.app.submit(submission).await.is_ok());
    assert_eq!(desk.get(&file, &desk.anna).await.status, 404, "it goes with its message");
    desk.house.post(&path, &desk.anna, message).await.is(200);
}

#[tokio::test]
async fn a_message_shows_so_many_attachments_and_no_more() {
    let limits = Limits { attachments_per_event_max: 2, ..Limits::default() };
    let desk = Desk::with(limits, None).await;
    let ids = [desk.file(PNG).await, desk.file(PNG).await, desk.file(PNG).await];
    let no = desk.say(&desk.anna, json!(ids)).await;
    assert_eq!((no.status, &*no.code()), (400, "bad_event"));
    desk.say(&desk.anna, json!(ids[..2])).await.is(201);
}

#[tokio::test]
async fn in_a_sealed_room_an_attachment_is_sealed_and_its_sender_says_where_it_is_shown() {
    let desk = Desk::new().await;
    let room = desk.sealed_room().await;
    let query = format!("room={room}&filename=secret.pdf");
    let no = desk.raw(&desk.anna, &query, PNG).await;
    assert_eq!((no.status, &*no.code()), (400, "not_sealed"));
    let view = desk.raw(&desk.anna, &query, AGE).await.is(201);
    let expected = [&Value::Null, &Value::Null, &Value::Null];
    assert_eq!([&view["filename"], &view["mime"], &view["thumbnail_url"]], expected);
    let file = id(&view);
    let read = desk.get(&file, &desk.anna).await;
    assert_eq!((&*read.bytes, header(&read, "content-type")), (AGE, "application/octet-stream"));
    assert!(header(&read, "content-disposition").contains(&format!("{file}.age")));
    let path = format!("/api/attachments/{file}/message");
    let event = event_id();
    let put = async |who, event: EventId| {
        desk.house.call("PUT", &path, Some(who), json!({ "event": event })).await
    };
    assert_eq!(put(&desk.ben, event).await.status, 404);
    put(&desk.anna, event).await.is(204);
    put(&desk.anna, event).await.is(204);
    assert_eq!(put(&desk.anna, event_id()).await.code(), "not_possible");
    assert_eq!(desk.get(&file, &desk.ben).await.status, 404, "its message is not there yet");
    let open = desk.file(PNG).await;
    let path = format!("/api/attachments/{open}/message");
    let no = desk.house.call("PUT", &path, Some(&desk.anna), json!({ "event": event })).await;
    assert_eq!((no.status, &*no.code()), (409, "room_is_open"));
}

#[tokio::test]
async fn somebody_elses_message_shows_nothing_of_mine() {
    let desk = Desk::new().await;
    let room = desk.sealed_room().await;
    let bens = desk.say(&desk.ben, json!([])).await.is(201);
    let mine = desk.say(&desk.anna, json!([])).await.is(201);
    let file = id(&desk.raw(&desk.anna, &format!("room={room}"), AGE).await.is(201));
    for event in [&bens, &mine] {
        let path = format!("/api/attachments/{file}/message");
        let body = json!({ "event": event["id"] });
        let no = desk.house.call("PUT", &path, Some(&desk.anna), body).await;
        assert_eq!((no.status, &*no.code()), (404, "no_such_message"));
    }
}

#[tokio::test]
async fn an_own_upload_can_be_taken_back_until_it_is_shown() {
    let desk = Desk::new().await;
    let (one, two) = (desk.file(PNG).await, desk.file(PNG).await);
    desk.say(&desk.anna, json!([two])).await.is(201);
    let delete = async |who, id: &str| {
        let path = format!("/api/attachments/{id}");
        desk.house.call("DELETE", &path, Some(who), Value::Null).await.code()
    };
    assert_eq!(delete(&desk.ben, &one).await, "not_found");
    assert_eq!(delete(&desk.anna, &one).await, "204");
    assert_eq!(delete(&desk.anna, &one).await, "not_found");
    assert_eq!(delete(&desk.anna, &two).await, "in_use");
    assert!(desk.record(&one).await.is_none() && desk.record(&two).await.is_some());
}
