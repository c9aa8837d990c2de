//! What is taken, what is not, and that nothing is left of the latter.

use futures_util::StreamExt;
use futures_util::stream;
use hearth_protocol::refusal::Refusal;
use hearth_store::{Edit, Settings};

use super::*;
use crate::attachments::form::max_bytes;
use crate::attachments::upload::{Chunks, Purpose, Upload, timely};

const DOC: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

#[tokio::test]
async fn an_upload_is_kept_as_what_it_is() {
    let desk = Desk::new().await;
    let view = desk.put(&desk.anna, "..%2FHoliday.html", PNG).await.is(201);
    let url = format!("/api/attachments/{}", id(&view));
    let expected = json!({
        "id": id(&view), "filename": "Holiday.html.png", "size": PNG.len(), "mime": "image/png",
        "url": url, "thumbnail_url": format!("{url}/thumbnail"), "created_at": BEGINS_MS,
    });
    assert_eq!(view, expected);
    let read = desk.get(&id(&view), &desk.anna).await;
    assert_eq!((read.status, &*read.bytes), (200, PNG));
    let view = desk.put(&desk.anna, "bill.pdf", PDF).await.is(201);
    assert_eq!((&view["filename"], &view["thumbnail_url"]), (&json!("bill.pdf"), &Value::Null));
    let word = "WordDocument".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let doc = [DOC, &[0; 9_000], &word].concat();
    assert_eq!(desk.put(&desk.anna, "", &doc).await.is(201)["filename"], "file.doc");
    assert!(!fs::read_dir(desk.folder.path().join("files")).unwrap().any(|shelf| {
        let files = fs::read_dir(shelf.unwrap().path()).unwrap();
        let mut contents = files.map(|file| fs::read(file.unwrap().path()).unwrap());
        contents.any(|bytes| bytes.windows(7).any(|some| some == b"plumber"))
    }));
}

#[tokio::test]
async fn what_is_of_no_taken_type_is_refused_whatever_its_name() {
    let desk = Desk::new().await;
    let sheet = [DOC, &[0; 9_000]].concat();
    let others: [&[u8]; 6] =
        [b"", b"hello", b"<svg xmlns='x'/>", b"<!doctype html>", b"MZ\x90", &sheet];
    for bytes in others {
        let no = desk.put(&desk.anna, "photo.jpg", bytes).await;
        assert_eq!((no.status, &*no.code()), (400, "bad_type"));
        let message = no.body["message"].as_str().unwrap();
        assert!(message.contains("jpg, png, gif, webp, pdf, doc, docx, zip"), "{message}");
    }
    let no = desk.raw(&desk.anna, "avatar=1", PDF).await;
    assert_eq!((no.status, &*no.code()), (400, "bad_type"));
    assert!(!no.body["message"].as_str().unwrap().contains("pdf"), "{}", no.body);
    assert_eq!(desk.files(), 0);
}

#[tokio::test]
async fn an_upload_is_for_a_room_where_one_may_write_or_to_be_an_avatar() {
    let desk = Desk::new().await;
    let (room, nowhere) = (desk.room, RoomId::new(1, random()));
    for (who, query, expected) in [
        (&desk.anna, format!("room={room}"), "201"),
        (&desk.anna, "avatar=1".to_string(), "201"),
        (&desk.anna, String::new(), "bad_query"),
        (&desk.anna, format!("room={room}&avatar=1"), "bad_query"),
        (&desk.anna, "room=kitchen".to_string(), "bad_query"),
        (&desk.cem, format!("room={room}"), "not_found"),
        (&desk.anna, format!("room={nowhere}"), "not_found"),
    ] {
        assert_eq!(desk.raw(who, &query, PNG).await.code(), expected, "{query}");
    }
    let (user, sentence) = (
        desk.ben.id,
        hearth_store::Sentence {
            by: desk.anna.id,
            at: BEGINS_MS,
            until: None,
            reason: "noise".into(),
        },
    );
    let mute = Edit::Mute { room, user, sentence: Some(sentence) };
    desk.house.change(vec![mute]).await;
    assert_eq!(desk.put(&desk.ben, "x", PNG).await.code(), "muted");
    let path = format!("/api/attachments/upload?room={room}");
    assert_eq!(desk.house.call("POST", &path, None, json!({})).await.status, 401);
}

#[tokio::test]
async fn an_attachment_has_a_size_and_no_more() {
    let limits =
        Limits { attachment_bytes_max: 100_000, avatar_bytes_max: 50_000, ..Limits::default() };
    let desk = Desk::with(limits, None).await;
    let of = |size| [PNG, &vec![7; size - PNG.len()]].concat();
    for (query, max) in [(format!("room={}", desk.room), 100_000), ("avatar=1".into(), 50_000)] {
        desk.raw(&desk.anna, &query, &of(max)).await.is(201);
        let before = desk.files();
        let no = desk.raw(&desk.anna, &query, &of(max + 1)).await;
        assert_eq!((no.status, &*no.code()), (413, "too_large"));
        assert!(no.body["message"].as_str().unwrap().contains(&max.to_string()), "{}", no.body);
        let no = desk.raw(&desk.anna, &query, &of(max_bytes(&desk.house.app.limits) + 1)).await;
        assert_eq!((no.status, &*no.code()), (413, "too_large"));
        assert!(no.body["message"].as_str().unwrap().contains("100000 bytes"), "{}", no.body);
        assert_eq!(desk.files(), before);
    }
    let unknown = |size: usize| {
        let upload = Upload { by: desk.anna.id, to: Purpose::Avatar, name: None, size_bytes: None };
        desk.house.app.upload(upload, stream::iter([Ok(of(size).into())]).boxed())
    };
    assert_eq!(unknown(50_001).await.unwrap_err().0.code, "too_large");
    unknown(50_000).await.unwrap();
}

#[tokio::test]
async fn attachments_of_a_person_take_so_much_and_no_more() {
    let desk = Desk::new().await;
    let settings = Settings { version: 1, attachment_user_mib: Some(1), ..Settings::default() };
    desk.house.change(vec![Edit::SwapSettings { expected: 0, settings }]).await;
    let whole = [PNG, &vec![7; (1 << 20) - PNG.len()]].concat();
    let id = id(&desk.put(&desk.anna, "a", &whole).await.is(201));
    let no = desk.put(&desk.anna, "b", PNG).await;
    assert_eq!((no.status, &*no.code()), (409, "quota_full"));
    assert!(no.body["hint"].as_str().unwrap().contains("delete"), "{}", no.body);
    desk.put(&desk.ben, "b", PNG).await.is(201);
    let used = desk.house.get("/api/settings/storage", &desk.anna).await.is(200);
    assert_eq!(used["house"], json!({ "files": 2, "bytes": (1 << 20) + PNG.len() }));
    assert_eq!(used["user_bytes_max"], 1 << 20);
    let anna = json!({ "id": desk.anna.id, "name": "anna", "files": 1, "bytes": 1 << 20 });
    assert_eq!((&used["users"][0], used["users"].as_array().unwrap().len()), (&anna, 2));
    assert_eq!(desk.house.get("/api/settings/storage", &desk.ben).await.status, 403);
    let path = format!("/api/attachments/{id}");
    desk.house.call("DELETE", &path, Some(&desk.anna), Value::Null).await.is(204);
    desk.put(&desk.anna, "b", PNG).await.is(201);
}

#[tokio::test]
async fn so_many_uploads_of_a_person_are_under_way_and_no_more() {
    let limits = Limits { uploads_per_user_max: 1, ..Limits::default() };
    let desk = Desk::with(limits, None).await;
    let app = &desk.house.app;
    let upload = || Upload { by: desk.anna.id, to: Purpose::Avatar, name: None, size_bytes: None };
    let (more, rest) = tokio::sync::oneshot::channel();
    let rest = stream::once(async { Ok(rest.await.unwrap()) });
    let (began, begun) = tokio::sync::oneshot::channel();
    let head = vec![[PNG, &[0; 70_000]].concat().into()];
    let first = stream::iter(head.into_iter().map(Ok)).chain(stream::once(async {
        began.send(()).unwrap();
        Ok(Bytes::new())
    }));
    let one = app.upload(upload(), first.chain(rest).boxed());
    let others = async {
        begun.await.unwrap();
        let no = desk.raw(&desk.anna, "avatar=1", PNG).await;
        assert_eq!((no.status, &*no.code()), (409, "limit_reached"));
        desk.raw(&desk.ben, "avatar=1", PNG).await.is(201);
        more.send(Bytes::from_static(b"the rest")).unwrap();
    };
    let (one, ()) = tokio::join!(one, others);
    assert_eq!(one.unwrap().size_bytes, 70_000 + u64::try_from(PNG.len()).unwrap() + 8);
    desk.raw(&desk.anna, "avatar=1", PNG).await.is(201);
}

fn broken() -> Refusal {
    Refusal::new(hearth_protocol::refusal::Kind::Invalid, "broke_off", "gone")
}

#[tokio::test]
async fn what_breaks_off_or_comes_too_slowly_leaves_nothing() {
    let limits = Limits { upload_idle_ms_max: 5, ..Limits::default() };
    let desk = Desk::with(limits, None).await;
    let app = &desk.house.app;
    let body = || stream::iter([Ok(Bytes::from([PNG, &[0; 200_000]].concat()))]);
    let upload = || Upload { by: desk.anna.id, to: Purpose::Avatar, name: None, size_bytes: None };
    let breaks: Chunks = body().chain(stream::iter([Err(broken())])).boxed();
    let stalls: Chunks = timely(body().chain(stream::pending()).boxed(), &app.limits);
    let at_once: Chunks = timely(stream::pending().boxed(), &app.limits);
    let cases = [(breaks, "broke_off"), (stalls, "too_slow"), (at_once, "too_slow")];
    for (chunks, expected) in cases {
        let no = app.upload(upload(), chunks).await.unwrap_err();
        assert_eq!(no.0.code, expected);
        assert_eq!(desk.files(), 0);
    }
    let limits = Limits { upload_s_max: 0, ..Limits::default() };
    let no = app.upload(upload(), timely(body().boxed(), &limits)).await.unwrap_err();
    assert_eq!(no.0.code, "too_slow");
    let short = Upload { size_bytes: Some(300_000), ..upload() };
    assert_eq!(app.upload(short, body().boxed()).await.unwrap_err().0.code, "broke_off");
    let used = desk.house.get("/api/settings/storage", &desk.anna).await.is(200);
    assert_eq!((&used["house"]["files"], desk.files()), (&json!(0), 0));
}

#[tokio::test]
async fn a_process_that_has_no_files_says_so() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let no = house.post("/api/attachments/upload?avatar=1", &anna, json!({})).await;
    assert_eq!((no.status, &*no.code()), (503, "no_files"));
}
