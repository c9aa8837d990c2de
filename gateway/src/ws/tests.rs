//! `/api/ws` without a socket: clients on channels, in a house in memory.

mod bounds;
mod doors;
mod events;
mod resume;
mod roles;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use hearth_protocol::limits::Limits;
use hearth_protocol::principal::Principal;
use hearth_protocol::role::{HouseRole, RoomType, Sealing};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::connection::Connection;
use super::socket::{Broken, Bye, Frame, Sent, Socket};
use crate::error::ApiError;
use crate::feed::seat::Wants;
use crate::gate::HouseGate;
use crate::testing::{House, Person};

/// The box's end of a channel.
struct Pipe {
    from: mpsc::Receiver<Frame>,
    to: mpsc::Sender<Sent>,
    bye: Arc<Mutex<Option<Bye>>>,
}

impl Socket for Pipe {
    async fn read(&mut self) -> Option<Result<Frame, Broken>> {
        self.from.recv().await.map(Ok)
    }

    async fn write(&mut self, frames: Vec<Sent>) -> Result<(), Broken> {
        for frame in frames {
            self.to.send(frame).await.map_err(|_| Broken)?;
        }
        Ok(())
    }

    async fn close(self, bye: Bye) -> Result<(), Broken> {
        *self.bye.lock().unwrap() = Some(bye);
        Ok(())
    }
}

/// A client.
struct Client {
    to: mpsc::Sender<Frame>,
    from: mpsc::Receiver<Sent>,
    bye: Arc<Mutex<Option<Bye>>>,
    task: JoinHandle<()>,
    /// Heard and not asked for yet.
    heard: VecDeque<Value>,
}

impl Client {
    fn try_sit(house: &House, who: Principal, room_for: usize) -> Result<Client, ApiError> {
        let seat = house.app.feed.sit(who, Wants::Everything)?;
        let ((to, client), (box_, from)) = (mpsc::channel(10_000), mpsc::channel(room_for));
        let bye = Arc::default();
        let pipe = Pipe { from: client, to: box_, bye: Arc::clone(&bye) };
        let connection = Connection::new(house.app.clone(), seat).unwrap();
        let task = tokio::spawn(connection.run(pipe));
        Ok(Client { to, from, bye, task, heard: VecDeque::new() })
    }

    fn new(house: &House, person: &Person) -> Client {
        let who = Principal::Person { user: person.id, session: person.session };
        Client::try_sit(house, who, 10_000).unwrap()
    }

    /// One that follows rooms already.
    async fn in_rooms(
        house: &House,
        person: &Person,
        rooms: &[hearth_protocol::ids::RoomId],
    ) -> Client {
        let mut client = Client::new(house, person);
        for room in rooms {
            client.ask(json!({ "type": "join_room", "room_id": room })).await;
        }
        client
    }

    fn say(&self, event: Value) {
        self.to.try_send(Frame::Text(event.to_string())).unwrap();
    }

    /// The next event that is no ping; `None` when the box ended the connection.
    async fn next(&mut self) -> Option<Value> {
        if let Some(heard) = self.heard.pop_front() {
            return Some(heard);
        }
        loop {
            match self.from.recv().await? {
                Sent::Text(text) => return Some(serde_json::from_str(&text).unwrap()),
                Sent::Ping => {}
            }
        }
    }

    /// The next event of this type; what comes before stays to be heard.
    async fn hear(&mut self, kind: &str) -> Value {
        let mut before = VecDeque::new();
        let found = loop {
            let event =
                self.next().await.unwrap_or_else(|| panic!("{kind} never came: {before:?}"));
            if event["type"] == kind {
                break event;
            }
            before.push_back(event);
        };
        before.append(&mut self.heard);
        self.heard = before;
        found
    }

    /// Says something with a `ref` and gives its answer: the `ack`, or the code of the error.
    async fn try_ask(&mut self, mut event: Value) -> Result<Value, String> {
        event["ref"] = json!("asked");
        self.say(event);
        let mut before = VecDeque::new();
        let answer = loop {
            let event = self.next().await.expect("an answer");
            if event["ref"] == "asked" {
                break event;
            }
            before.push_back(event);
        };
        before.append(&mut self.heard);
        self.heard = before;
        match answer["type"].as_str().unwrap() {
            "ack" => Ok(answer),
            _ => Err(answer["code"].as_str().unwrap().to_string()),
        }
    }

    async fn ask(&mut self, event: Value) -> Value {
        self.try_ask(event).await.unwrap()
    }

    /// All that was heard up to the answer to a wish that changes nothing.
    async fn all(&mut self) -> Vec<Value> {
        let nowhere = hearth_protocol::ids::RoomId::new(1, [0; 10]);
        self.ask(json!({ "type": "leave_room", "room_id": nowhere })).await;
        self.heard.drain(..).collect()
    }

    /// Why the box ended it.
    async fn ended(self) -> Bye {
        self.task.await.unwrap();
        self.bye.lock().unwrap().expect("a goodbye")
    }
}

/// Anna and Ben in an open room, Cleo outside.
struct Scene {
    house: House,
    anna: Person,
    ben: Person,
    cleo: Person,
    room: hearth_protocol::ids::RoomId,
}

impl Scene {
    async fn new() -> Scene {
        Scene::with(Limits::default()).await
    }

    async fn with(limits: Limits) -> Scene {
        Scene::of(House::with(Limits { messages_per_10_s: 0, ..limits }).await).await
    }

    async fn of(house: House) -> Scene {
        house.app.broker.open(Arc::new(HouseGate::new(&house.app)));
        let anna = house.person("anna", HouseRole::Owner).await;
        let ben = house.person("ben", HouseRole::Member).await;
        let cleo = house.person("cleo", HouseRole::Member).await;
        let room = house.room(RoomType::Private, Sealing::Open, &[&anna, &ben]).await;
        Scene { house, anna, ben, cleo, room }
    }

    /// A message by REST.
    async fn post(&self, who: &Person, body: Value) -> Value {
        let path = format!("/api/rooms/{}/messages", self.room);
        self.house.post(&path, who, body).await.is(201)
    }
}
