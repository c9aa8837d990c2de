//! The virus scanner, as a clamd that this test plays.

use hearth_store::{Shown, Subject};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, UnixListener};

use super::*;

/// What the scanner does once it has seen everything.
#[derive(Clone, Copy)]
enum Answer {
    /// `FOUND` if it saw the letters EICAR.
    Looks,
    /// These bytes.
    Says(&'static str),
    /// Nothing, for ever.
    Silent,
}

/// Reads an upload as clamd does, and answers; returns what it saw.
async fn scan(mut wire: impl AsyncReadExt + AsyncWriteExt + Unpin, answer: Answer) -> Vec<u8> {
    let mut command = [0; 10];
    wire.read_exact(&mut command).await.unwrap();
    assert_eq!(&command, b"zINSTREAM\0");
    let mut seen = vec![];
    loop {
        let Ok(length) = wire.read_u32().await else { return seen };
        if length == 0 {
            break;
        }
        let mut piece = vec![0; usize::try_from(length).unwrap()];
        wire.read_exact(&mut piece).await.unwrap();
        seen.extend(piece);
    }
    let said = match answer {
        Answer::Looks if seen.windows(5).any(|some| some == b"EICAR") => {
            "stream: Eicar-Test FOUND\0"
        }
        Answer::Looks => "stream: OK\0",
        Answer::Says(said) => said,
        Answer::Silent => std::future::pending().await,
    };
    wire.write_all(said.as_bytes()).await.unwrap();
    seen
}

/// A scanner, and a house that asks it.
async fn desk(answer: Answer, limits: Limits) -> Desk {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        loop {
            let (wire, _) = listener.accept().await.unwrap();
            tokio::spawn(scan(wire, answer));
        }
    });
    Desk::with(limits, Some(Scanner::Tcp(address))).await
}

fn infected() -> Vec<u8> {
    [PDF, &[b' '; 100_000], b"EICAR", &[b' '; 100_000]].concat()
}

#[tokio::test]
async fn what_the_scanner_finds_something_in_is_kept_from_everybody() {
    let desk = desk(Answer::Looks, Limits::default()).await;
    desk.file(PDF).await;
    let no = desk.put(&desk.anna, "bill.pdf", &infected()).await;
    assert_eq!((no.status, &*no.code()), (400, "malware_found"));
    assert!(no.body["message"].as_str().unwrap().contains("Eicar-Test"), "{}", no.body);
    let log = desk.house.app.store.audit(None, 9).await.unwrap();
    let [entry] = &log[..] else { panic!("{log:?}") };
    assert_eq!((&*entry.action, entry.by), ("attachment.quarantine", None));
    assert_eq!(
        (entry.subject, &entry.detail["why"]),
        (Subject::User(desk.anna.id), &json!("Eicar-Test"))
    );
    let file = entry.detail["attachment"].as_str().unwrap();
    let record = desk.record(file).await.unwrap();
    assert_eq!((record.quarantined.as_deref(), record.shown), (Some("Eicar-Test"), None));
    assert_eq!(desk.get(file, &desk.anna).await.status, 410);
    assert_eq!(desk.get(file, &desk.ben).await.status, 404);
    assert_eq!(desk.say(&desk.anna, json!([file])).await.status, 410);
    let path = format!("/api/attachments/{file}/quarantine");
    desk.house.call("DELETE", &path, Some(&desk.anna), Value::Null).await.is(204);
    let shown = desk.say(&desk.anna, json!([file])).await.is(201);
    let shown_in = desk.record(file).await.unwrap().shown;
    assert!(matches!(shown_in, Some(Shown::Event { event, .. }) if json!(event) == shown["id"]));
    assert_eq!(desk.get(file, &desk.ben).await.bytes, infected());
}

#[tokio::test]
async fn a_quarantined_upload_is_gone_after_a_day() {
    let desk = desk(Answer::Looks, Limits::default()).await;
    assert_eq!(desk.put(&desk.anna, "x", &infected()).await.code(), "malware_found");
    let day = hearth_protocol::limits::days_ms(1);
    let files = &desk.house.app.files().unwrap().store;
    assert_eq!(files.sweep(BEGINS_MS + day - 1).await.unwrap().attachments, 0);
    assert_eq!(files.sweep(BEGINS_MS + day).await.unwrap().attachments, 1);
    assert_eq!(desk.files(), 0);
}

#[tokio::test]
async fn avatars_and_forms_are_looked_at_and_sealed_rooms_are_not() {
    let desk = desk(Answer::Says("stream: Bad FOUND\0"), Limits::default()).await;
    assert_eq!(desk.raw(&desk.anna, "avatar=1", PNG).await.code(), "malware_found");
    let room = desk.sealed_room().await;
    desk.raw(&desk.anna, &format!("room={room}"), AGE).await.is(201);
}

#[tokio::test]
async fn a_scanner_on_a_socket_sees_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clamd.ctl");
    let listener = UnixListener::bind(&path).unwrap();
    let desk = Desk::with(Limits::default(), Some(path.to_str().unwrap().parse().unwrap())).await;
    let seen = tokio::spawn(async move {
        let (wire, _) = listener.accept().await.unwrap();
        scan(wire, Answer::Looks).await
    });
    let bytes = [PDF, &(0..200_000_u32).flat_map(u32::to_be_bytes).collect::<Vec<_>>()].concat();
    desk.put(&desk.anna, "x", &bytes).await.is(201);
    assert!(seen.await.unwrap() == bytes);
}

#[tokio::test]
async fn without_the_scanners_word_nothing_is_taken() {
    // Bound, so that nobody else gets the port; nobody listens there.
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let away = Scanner::Tcp(nobody.local_addr().unwrap().to_string());
    let limits = || Limits { scan_ms_max: 300, ..Limits::default() };
    let desks = [
        Desk::with(limits(), Some(away)).await,
        Desk::with(limits(), Some(Scanner::Unix("/nowhere/clamd.ctl".into()))).await,
        desk(Answer::Silent, limits()).await,
        desk(Answer::Says(""), limits()).await,
        desk(Answer::Says("INSTREAM size limit exceeded. ERROR\0"), limits()).await,
    ];
    for desk in desks {
        let no = desk.put(&desk.anna, "x", PDF).await;
        assert_eq!((no.status, &*no.code()), (503, "scanner_unavailable"));
        assert_eq!(desk.files(), 0);
        let used = desk.house.app.storage().await.unwrap();
        assert_eq!(used.house.files, 0);
    }
}
