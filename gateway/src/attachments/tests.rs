//! Uploads, who reads them, and how, through the routes of a house in memory whose files lie in a
//! folder.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use hearth_protocol::ids::{AttachmentId, EventId, RoomId};
use hearth_protocol::limits::Limits;
use hearth_protocol::role::{HouseRole, RoomType, Sealing};
use hearth_store::{Attachment, Attachments};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Files;
use super::scanner::Scanner;
use crate::clock::random;
use crate::testing::{Answered, BEGINS_MS, House, Person};

mod access;
mod forms;
mod messages;
mod pictures;
mod scans;
mod uploads;

/// A house with an open room of Anna and Ben, and Cem who is not in it.
struct Desk {
    house: House,
    folder: TempDir,
    anna: Person,
    ben: Person,
    cem: Person,
    room: RoomId,
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";
const PDF: &[u8] = b"%PDF-1.7 the plumber's bill";
const AGE: &[u8] = b"age-encryption.org/v1\n-> X25519 and so on";

impl Desk {
    async fn new() -> Desk {
        Desk::with(Limits::default(), None).await
    }

    async fn with(limits: Limits, scanner: Option<Scanner>) -> Desk {
        let house = House::with(limits).await;
        let folder = tempfile::tempdir().unwrap();
        let store = Attachments::open(house.app.store.clone(), folder.path()).await.unwrap();
        let files = Files::new(store, scanner, house.app.limits.clone());
        assert!(house.app.files.set(files).is_ok());
        let anna = house.person("anna", HouseRole::Owner).await;
        let ben = house.person("ben", HouseRole::Member).await;
        let cem = house.person("cem", HouseRole::Member).await;
        let room = house.room(RoomType::Public, Sealing::Open, &[&anna, &ben]).await;
        Desk { house, folder, anna, ben, cem, room }
    }

    async fn sealed_room(&self) -> RoomId {
        self.house.room(RoomType::Private, Sealing::Sealed, &[&self.anna, &self.ben]).await
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        who: &Person,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answered {
        self.house.send(method, path, who, headers, body).await
    }

    /// An upload whose body is the file.
    async fn raw(&self, who: &Person, query: &str, bytes: &[u8]) -> Answered {
        let path = format!("/api/attachments/upload?{query}");
        self.send("POST", &path, who, &[], bytes).await
    }

    /// The same for the open room.
    async fn put(&self, who: &Person, name: &str, bytes: &[u8]) -> Answered {
        self.raw(who, &format!("room={}&filename={name}", self.room), bytes).await
    }

    /// A picture or so of Anna's for the open room.
    async fn file(&self, bytes: &[u8]) -> String {
        id(&self.put(&self.anna, "file", bytes).await.is(201))
    }

    async fn get(&self, id: &str, who: &Person) -> Answered {
        self.house.get(&format!("/api/attachments/{id}"), who).await
    }

    async fn say(&self, who: &Person, attachments: Value) -> Answered {
        let path = format!("/api/rooms/{}/messages", self.room);
        let body = json!({ "content": "look", "attachments": attachments });
        self.house.post(&path, who, body).await
    }

    async fn record(&self, id: &str) -> Option<Attachment> {
        let id: AttachmentId = id.parse().unwrap();
        self.house.app.store.attachment(id).await.unwrap()
    }

    /// How many files lie there, complete or not; small pictures come when they come.
    fn files(&self) -> usize {
        fn count(path: &Path) -> usize {
            if path.is_dir() {
                return fs::read_dir(path)
                    .unwrap()
                    .map(|entry| count(&entry.unwrap().path()))
                    .sum();
            }
            usize::from(!path.to_str().unwrap().contains(".thumb"))
        }
        count(self.folder.path())
    }
}

fn id(view: &Value) -> String {
    view["id"].as_str().unwrap().to_string()
}

fn event_id() -> EventId {
    EventId::new(BEGINS_MS, random())
}

/// A picture that is red on its left half and blue on its right.
fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| {
        if x < width / 2 { Rgb([250, 5, 5]) } else { Rgb([5, 5, 250]) }
    })
}

fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut out = std::io::Cursor::new(vec![]);
    picture.into().write_to(&mut out, format).unwrap();
    out.into_inner()
}

fn header<'a>(answered: &'a Answered, name: &str) -> &'a str {
    answered.headers.get(name).map_or("", |value| value.to_str().unwrap())
}
