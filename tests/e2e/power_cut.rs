//! Power cuts under the whole path: broker sessions, gateway and redb over a disk that loses and
//! tears what was not synced, while 25 clients publish into one room. What was acknowledged is
//! there after reopening.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;

use hearth_gateway::accounts::member;
use hearth_gateway::app::App;
use hearth_gateway::clock::{SystemClock, random};
use hearth_gateway::gate::HouseGate;
use hearth_protocol::ids::{EventId, Position, RoomId, UserId};
use hearth_protocol::limits::Limits;
use hearth_protocol::presence::PresenceChoice;
use hearth_protocol::role::{HouseRole, RoomRole, RoomType};
use hearth_protocol::sealing::vault::Cost;
use hearth_store::sim_disk::{Dice, SimDisk};
use hearth_store::{Change, DataKey, Edit, Login, PageQuery, Redb, User};
use system_tests::Publisher;
use tokio::net::TcpListener;

const CLIENTS: usize = 25;
const MESSAGES: usize = 8;
const KEY: [u8; 32] = [7; 32];

fn rounds() -> u64 {
    std::env::var("HEARTH_CUTS").map_or(200, |text| text.parse().unwrap())
}

async fn open(disk: Arc<SimDisk>) -> Arc<App> {
    let limits = Limits { messages_per_10_s: 0, ..Limits::default() };
    let engine = Redb::open(disk, &DataKey::from_bytes(KEY), 1 << 20).expect("the disk opens");
    let clock = Arc::new(SystemClock);
    App::open(Arc::new(engine), Arc::new(limits), clock).await.expect("the house opens")
}

/// A house with 25 people in one open room, and their app tokens.
async fn furnish(app: &App) -> (RoomId, Vec<String>) {
    let id = RoomId::new(1, random());
    let mut tokens = vec![];
    for number in 0..CLIENTS {
        let user = User {
            id: UserId::new(1, random()),
            name: format!("client_{number}"),
            display_name: format!("client_{number}"),
            avatar: None,
            status_text: String::new(),
            presence: PresenceChoice::Online,
            blocked: false,
            guest_until: None,
            role: HouseRole::Member,
            created_at: 1,
            last_seen: 1,
            login: Login { salt: random(), cost: Cost::default(), verifier: random() },
        };
        let mut change = Change::of(vec![Edit::PutUser(user.clone())], 1);
        let mut room = app.new_room(id, "Storm", RoomType::Public, user.id).unwrap();
        room.id = id;
        if number == 0 {
            change.edits.push(Edit::PutRoom(room.clone()));
        }
        change.edits.push(Edit::PutMember(member(&room, user.id, RoomRole::Member, 1)));
        app.store.change(change).await.unwrap();
        tokens.push(app.auth.make_app_token(user.id, "test", None).await.unwrap().1);
    }
    (id, tokens)
}

/// Publishes until everything is acknowledged, something is refused or the connection is gone.
async fn publish(mqtt: SocketAddr, name: String, token: String, room: RoomId) -> Vec<EventId> {
    let mut publisher = Publisher::new(mqtt, &name, &token, &room.to_string());
    for _ in 0..MESSAGES {
        publisher.publish(EventId::new(1, random()), "before the lights go out");
    }
    while publisher.outstanding() > 0 && publisher.refused.is_empty() && publisher.step().await {}
    publisher.acknowledged
}

/// One round: returns what was acknowledged before the cut, and what the disk then holds.
async fn cut(
    base: &[u8],
    room: RoomId,
    tokens: &[String],
    dice: &mut Dice,
) -> (Vec<EventId>, Vec<u8>) {
    let disk = Arc::new(SimDisk::holding(base.to_vec()));
    let app = open(disk.clone()).await;
    app.broker.open(Arc::new(HouseGate::new(&app)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mqtt = listener.local_addr().unwrap();
    let broker = app.broker.clone();
    let listening = tokio::spawn(async move { broker.listen(listener).await });
    disk.cut_power_after(1 + dice.roll(150));
    let mut clients = vec![];
    for (number, token) in tokens.iter().enumerate() {
        clients.push(tokio::spawn(publish(mqtt, format!("c{number}"), token.clone(), room)));
    }
    let mut acknowledged = vec![];
    for client in clients {
        acknowledged.extend(client.await.unwrap());
    }
    let image = disk.after_power_cut(dice);
    app.close().await;
    listening.await.unwrap();
    (acknowledged, image)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_power_cut_at_any_operation() {
    let disk = Arc::new(SimDisk::new());
    let app = open(disk.clone()).await;
    let (room, tokens) = furnish(&app).await;
    app.close().await;
    drop(app);
    let base = disk.image();
    let (mut promised, mut cut_short) = (0, 0);
    for round in 0..rounds() {
        let mut dice = Dice::new(round + 1);
        let (acknowledged, image) = cut(&base, room, &tokens, &mut dice).await;
        promised += acknowledged.len();
        cut_short += usize::from(acknowledged.len() < CLIENTS * MESSAGES);
        let app = open(Arc::new(SimDisk::holding(image))).await;
        let query = PageQuery::after(Position::START, 10_000);
        let stored = app.store.page(room, query).await.unwrap().events;
        let ids: HashSet<_> = stored.iter().map(|event| event.id).collect();
        assert_eq!(ids.len(), stored.len(), "round {round}: something is stored twice");
        let missing = acknowledged.iter().filter(|id| !ids.contains(id)).count();
        assert_eq!(missing, 0, "round {round}: acknowledged and lost");
        let ascending = stored.iter().zip(1..).all(|(event, at)| event.position == Position(at));
        assert!(ascending, "round {round}: positions have gaps");
        for event in &stored {
            let known = app.store.event(event.id).await.unwrap();
            assert_eq!(known.as_ref(), Some(event), "round {round}: its id is not known");
        }
        app.close().await;
    }
    assert!(promised > 0 && cut_short > 0, "{promised} promised, {cut_short} cut short");
    println!("{} cuts, {promised} acknowledged, {cut_short} rounds cut short: lost 0", rounds());
}
