//! Uploads in a form, as a browser and `curl -F` send them.

use super::*;

const BOUNDARY: &str = "----cut";

/// A field of a form; a file has a name.
fn field(name: &str, file: Option<&str>, bytes: &[u8]) -> Vec<u8> {
    let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
    let head =
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
    [head.as_bytes(), bytes, b"\r\n"].concat()
}

async fn post(desk: &Desk, query: &str, fields: &[Vec<u8>]) -> Answered {
    let body = [fields.concat(), format!("--{BOUNDARY}--\r\n").into_bytes()].concat();
    sent(desk, query, &body).await
}

async fn sent(desk: &Desk, query: &str, body: &[u8]) -> Answered {
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let headers = [("content-type", &*content_type)];
    let path = format!("/api/attachments/upload?{query}");
    desk.send("POST", &path, &desk.anna, &headers, body).await
}

#[tokio::test]
async fn the_file_of_a_form_is_taken_with_its_name() {
    let desk = Desk::new().await;
    let room = desk.room.to_string();
    let query = format!("room={room}");
    let file = field("file", Some("bill.pdf"), PDF);
    let view = post(&desk, &query, std::slice::from_ref(&file)).await.is(201);
    assert_eq!((&view["filename"], &view["size"]), (&json!("bill.pdf"), &json!(PDF.len())));
    assert_eq!(desk.get(&id(&view), &desk.anna).await.bytes, PDF);
    let said = [field("other", None, b"x"), field("room", None, room.as_bytes()), file.clone()];
    post(&desk, "", &said).await.is(201);
    let avatar = [field("avatar", None, b"1"), field("image", Some("me"), PNG)];
    assert_eq!(post(&desk, "", &avatar).await.is(201)["filename"], "me.png");
    // What follows the file is not looked at.
    let late = [file, field("room", None, b"nonsense")];
    post(&desk, &query, &late).await.is(201);
}

#[tokio::test]
async fn a_large_file_of_a_form_is_whole_and_one_byte_more_is_refused() {
    let limits = Limits { attachment_bytes_max: 300_000, ..Limits::default() };
    let desk = Desk::with(limits, None).await;
    let query = format!("room={}", desk.room);
    // It holds what looks nearly like the end of the file.
    let line = format!("\r\n--{}", &BOUNDARY[..5]);
    let mut bytes = [PNG, line.repeat(40_000).as_bytes()].concat();
    bytes.truncate(300_000);
    let view = post(&desk, &query, &[field("file", Some("x"), &bytes)]).await.is(201);
    assert!(desk.get(&id(&view), &desk.anna).await.bytes == bytes);
    let before = desk.files();
    bytes.push(7);
    let no = post(&desk, &query, &[field("file", Some("x"), &bytes)]).await;
    assert_eq!((no.status, &*no.code()), (413, "too_large"));
    assert_eq!(desk.files(), before);
}

#[tokio::test]
async fn a_form_that_does_not_read_is_refused() {
    let desk = Desk::new().await;
    let query = format!("room={}", desk.room);
    let file = field("file", Some("x"), PNG);
    let long = field("room", None, &[b'x'; 65]);
    let (no_room, cases) = (
        field("room", None, b"kitchen"),
        [
            (vec![], "bad_form"),
            (field("file", None, PNG), "bad_form"),
            (b"no form".to_vec(), "broke_off"),
            (file[..file.len() - 4].to_vec(), "broke_off"),
            (file[..30].to_vec(), "broke_off"),
            (long, "bad_form"),
        ],
    );
    for (body, expected) in cases {
        let whole = expected == "bad_form";
        let end = if whole { format!("--{BOUNDARY}--\r\n") } else { String::new() };
        let no = sent(&desk, &query, &[&*body, end.as_bytes()].concat()).await;
        let shown = String::from_utf8_lossy(&body).into_owned();
        assert_eq!((no.status, &*no.code()), (400, expected), "{shown}");
    }
    assert_eq!(post(&desk, "", &[no_room, file]).await.code(), "bad_id");
    let headers = [("content-type", "multipart/form-data")];
    let path = format!("/api/attachments/upload?{query}");
    let no = desk.send("POST", &path, &desk.anna, &headers, b"x").await;
    assert_eq!(no.code(), "bad_form");
    assert_eq!(desk.files(), 0);
}

#[tokio::test]
async fn what_comes_before_the_file_has_a_limit() {
    use futures_util::{StreamExt, stream};
    let limits = Limits::default();
    let opened = async |bytes: usize| {
        let around = field("other", None, b"").len();
        let filler = field("other", None, &vec![b'x'; bytes - around]);
        assert_eq!(filler.len(), bytes);
        let pieces = [filler, field("file", Some("x"), PNG)].map(|piece| Ok(Bytes::from(piece)));
        let chunks = stream::iter(pieces).boxed();
        let opened = crate::attachments::form::open(chunks, BOUNDARY.into(), &limits).await;
        opened.map(|(fields, _)| fields.name).map_err(|refused| refused.0.code)
    };
    assert_eq!(opened(limits.upload_form_bytes_max).await, Ok(Some("x".to_string())));
    assert_eq!(opened(limits.upload_form_bytes_max + 1).await, Err("bad_form"));
}
