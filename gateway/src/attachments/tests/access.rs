//! Who reads an attachment, and how it is answered.

use hearth_protocol::role::RoomRole;
use hearth_store::{Edit, History, Room, User};

use super::*;
use crate::accounts::member;

#[tokio::test]
async fn an_attachment_is_read_by_who_sees_its_message() {
    let desk = Desk::new().await;
    let file = desk.file(PDF).await;
    let codes = async |file: &str| {
        let mut codes = vec![];
        for who in [&desk.anna, &desk.ben, &desk.cem] {
            codes.push(desk.get(file, who).await.code());
        }
        codes
    };
    assert_eq!(codes(&file).await, ["200", "not_found", "not_found"]);
    desk.say(&desk.anna, json!([file])).await.is(201);
    assert_eq!(codes(&file).await, ["200", "200", "not_found"]);
    let nothing = AttachmentId::new(1, random()).to_string();
    let [unknown, private] = [&nothing, &file].map(|id| desk.get(id, &desk.cem));
    assert_eq!(unknown.await.body, private.await.body, "one does not learn that it is there");
    let path = format!("/api/attachments/{file}");
    assert_eq!(desk.house.call("GET", &path, None, Value::Null).await.status, 401);
    desk.house.change(vec![Edit::RemoveMember { room: desk.room, user: desk.ben.id }]).await;
    assert_eq!(codes(&file).await, ["200", "not_found", "not_found"], "he left");
}

#[tokio::test]
async fn where_history_is_hidden_a_newcomer_reads_no_older_attachment() {
    let desk = Desk::new().await;
    let state = desk.house.app.membership.room(desk.room).unwrap();
    let hides = Room { history: History::SinceJoin, ..state.room.clone() };
    let (history, room) = (hides.history, desk.room);
    let edit = Edit::SetHistory { room, history, keep_days: 0, keep_bytes: 0 };
    desk.house.change(vec![edit]).await;
    let old = desk.file(PDF).await;
    desk.say(&desk.anna, json!([old])).await.is(201);
    desk.say(&desk.anna, json!([])).await.is(201);
    let cem = member(&hides, desk.cem.id, RoomRole::Member, BEGINS_MS);
    desk.house.change(vec![Edit::PutMember(cem)]).await;
    let new = desk.file(PDF).await;
    desk.say(&desk.anna, json!([new])).await.is(201);
    assert_eq!(desk.get(&old, &desk.cem).await.status, 404);
    assert_eq!(desk.get(&new, &desk.cem).await.status, 200);
    assert_eq!(desk.get(&old, &desk.ben).await.status, 200);
}

#[tokio::test]
async fn an_avatar_is_read_by_the_house_and_by_guests_who_share_a_room() {
    let desk = Desk::new().await;
    let guest = desk.house.person("guest", HouseRole::Guest).await;
    let near = desk.house.person("near", HouseRole::Guest).await;
    desk.house.room(RoomType::Private, Sealing::Open, &[&near, &desk.anna]).await;
    let file = id(&desk.raw(&desk.anna, "avatar=1", PNG).await.is(201));
    let codes = async |file: &str| {
        let mut codes = vec![];
        for who in [&desk.anna, &desk.cem, &near, &guest] {
            codes.push(desk.get(file, who).await.status);
        }
        codes
    };
    assert_eq!(codes(&file).await, [200, 404, 404, 404], "nobody wears it yet");
    let wear = async |file: Option<&str>| {
        let user = desk.house.app.store.user(desk.anna.id).await.unwrap().unwrap();
        let avatar = file.map(|file| file.parse().unwrap());
        desk.house.change(vec![Edit::UpdateUser(User { avatar, ..user })]).await;
    };
    wear(Some(&file)).await;
    assert_eq!(codes(&file).await, [200, 200, 200, 404]);
    let path = format!("/api/attachments/{file}");
    let no = desk.house.call("DELETE", &path, Some(&desk.anna), Value::Null).await;
    assert_eq!((no.status, &*no.code()), (409, "in_use"));
    let next = id(&desk.raw(&desk.anna, "avatar=1", PNG).await.is(201));
    for file in [&file, &next] {
        // Nobody works on it any more, so that the sweep may take it.
        desk.get(&format!("{file}/thumbnail"), &desk.anna).await;
    }
    wear(Some(&next)).await;
    assert_eq!(codes(&file).await, [404, 404, 404, 404], "the old one goes");
    let files = desk.house.app.files().unwrap();
    files.store.sweep(BEGINS_MS).await.unwrap();
    assert_eq!(desk.files(), 1);
}

#[tokio::test]
async fn nothing_that_was_uploaded_runs_in_the_page() {
    let desk = Desk::new().await;
    for (bytes, disposition) in [(PNG, "inline"), (PDF, "attachment")] {
        let read = desk.get(&desk.file(bytes).await, &desk.anna).await;
        let ending = if bytes == PNG { "png" } else { "pdf" };
        for (name, expected) in [
            ("content-security-policy", "sandbox; default-src 'none'; frame-ancestors 'none'"),
            ("x-content-type-options", "nosniff"),
            ("cross-origin-resource-policy", "same-origin"),
            ("x-frame-options", "DENY"),
            ("cache-control", "private, no-cache, no-transform"),
            (
                "content-disposition",
                &*format!(
                    "{disposition}; filename=\"file.{ending}\"; filename*=UTF-8''file.{ending}"
                ),
            ),
        ] {
            assert_eq!(header(&read, name), expected, "{name}");
        }
    }
    let page = desk.house.get("/api/settings", &desk.anna).await;
    assert!(header(&page, "content-security-policy").contains("script-src 'self'"));
}

#[tokio::test]
async fn a_part_is_answered_as_a_part() {
    let desk = Desk::new().await;
    let file = desk.file(PDF).await;
    let path = format!("/api/attachments/{file}");
    let size = PDF.len();
    let whole = desk.get(&file, &desk.anna).await;
    let (tag, length) = (header(&whole, "etag").to_string(), size.to_string());
    assert_eq!(
        (header(&whole, "accept-ranges"), header(&whole, "content-length")),
        ("bytes", &*length)
    );
    let ask = async |method: &str, headers: &[(&str, &str)]| {
        desk.send(method, &path, &desk.anna, headers, b"").await
    };
    let part = ask("GET", &[("range", "bytes=5-7")]).await;
    assert_eq!((part.status, &*part.bytes), (206, &PDF[5..8]));
    assert_eq!(header(&part, "content-range"), format!("bytes 5-7/{size}"));
    assert_eq!(header(&part, "content-length"), "3");
    let part = ask("GET", &[("range", "bytes=-4"), ("if-range", &tag)]).await;
    assert_eq!((part.status, &*part.bytes), (206, &PDF[size - 4..]));
    for headers in [
        &[("range", "bytes=5-7"), ("if-range", "\"another\"")][..],
        &[("range", "bytes=5-7,9-10")],
        &[("range", "nonsense")],
    ] {
        let answer = ask("GET", headers).await;
        assert_eq!((answer.status, &*answer.bytes), (200, PDF), "{headers:?}");
    }
    let none = ask("GET", &[("range", &format!("bytes={size}-"))]).await;
    assert_eq!((none.status, none.bytes.len()), (416, 0));
    assert_eq!(header(&none, "content-range"), format!("bytes */{size}"));
    let known = ask("GET", &[("if-none-match", &tag)]).await;
    assert_eq!((known.status, known.bytes.len()), (304, 0));
    let head = ask("HEAD", &[]).await;
    assert_eq!((head.status, head.bytes.len()), (200, 0));
    assert_eq!((header(&head, "etag"), header(&head, "content-length")), (&*tag, &*length));
    assert_eq!(ask("HEAD", &[("range", "bytes=0-0")]).await.status, 206);
    let asked = [("if-none-match", &*tag)];
    let bens = desk.send("GET", &path, &desk.ben, &asked, b"").await;
    assert_eq!(bens.status, 404, "a known tag opens nothing");
}

#[tokio::test]
async fn a_part_of_a_large_file_begins_and_ends_where_it_should() {
    let desk = Desk::new().await;
    let bytes: Vec<u8> =
        PNG.iter().copied().chain((0..300_000_u32).map(|at| (at % 251) as u8)).collect();
    let file = desk.file(&bytes).await;
    let path = format!("/api/attachments/{file}");
    for (from, until) in [(0, 1), (65_535, 65_537), (131_072, 200_000), (1, bytes.len())] {
        let range = format!("bytes={from}-{}", until - 1);
        let part = desk.send("GET", &path, &desk.anna, &[("range", &range)], b"").await;
        assert!(part.status == 206 && part.bytes == bytes[from..until], "{range}");
    }
}

#[tokio::test]
async fn an_admin_keeps_an_attachment_from_everybody_and_lets_it_go() {
    let desk = Desk::new().await;
    let file = desk.file(PDF).await;
    desk.say(&desk.anna, json!([file])).await.is(201);
    let path = format!("/api/attachments/{file}/quarantine");
    let body = json!({ "reason": "reported" });
    let call = async |method: &str, who, body| {
        desk.house.call(method, &path, Some(who), body).await.status
    };
    assert_eq!(call("PUT", &desk.ben, body.clone()).await, 403);
    assert_eq!(call("PUT", &desk.anna, body).await, 204);
    for (who, expected) in [(&desk.anna, 410), (&desk.ben, 410), (&desk.cem, 404)] {
        assert_eq!(desk.get(&file, who).await.status, expected);
    }
    assert_eq!(call("DELETE", &desk.ben, Value::Null).await, 403);
    assert_eq!(call("DELETE", &desk.anna, Value::Null).await, 204);
    assert_eq!(desk.get(&file, &desk.ben).await.status, 200);
    let log = desk.house.app.store.audit(None, 9).await.unwrap();
    let mut told: Vec<_> = log.iter().map(|entry| (&*entry.action, entry.by)).collect();
    told.sort();
    let anna = Some(desk.anna.id);
    assert_eq!(told, [("attachment.quarantine", anna), ("attachment.release", anna)]);
    let nothing = AttachmentId::new(1, random());
    let path = format!("/api/attachments/{nothing}/quarantine");
    assert_eq!(desk.house.call("DELETE", &path, Some(&desk.anna), Value::Null).await.status, 404);
}
