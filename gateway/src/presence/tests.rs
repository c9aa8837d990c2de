//! Who is shown as what, on a clock that stands until it is moved.

use hearth_protocol::principal::Account;
use hearth_protocol::role::HouseRole;
use hearth_store::{Engine, Memory};
use serde_json::Value;

use super::*;
use crate::gate::HouseGate;
use crate::testing::{House, Person};

const MINUTE_MS: u64 = 60_000;

struct Scene {
    house: House,
    anna: Person,
    link: hearth_broker::Link,
}

impl Scene {
    async fn new() -> Scene {
        let house = House::new().await;
        house.app.broker.open(Arc::new(HouseGate::new(&house.app)));
        let anna = house.person("anna", HouseRole::Owner).await;
        let link = house.app.broker.link(&["hearth/users/+/presence"], 100).unwrap();
        let mut scene = Scene { house, anna, link };
        assert_eq!(scene.told().await["status"], "offline", "from the start, retained");
        scene
    }

    /// What is published next.
    async fn told(&mut self) -> Value {
        let heard = self.link.recv().await.unwrap();
        assert_eq!(heard.topic, Topic::Presence(self.anna.id).to_string());
        serde_json::from_slice(&heard.payload).unwrap()
    }

    fn status(&self) -> Status {
        self.house.app.presence.shown(self.anna.id).unwrap().status
    }

    /// So long later it is looked who is away.
    fn later(&self, ms: u64) {
        self.house.later(ms);
        self.house.app.presence.look(self.house.app.clock.now_ms());
    }

    async fn choose(&self, choice: PresenceChoice, text: &str) {
        let user = self.house.app.store.user(self.anna.id).await.unwrap().unwrap();
        let user = User { presence: choice, status_text: text.to_string(), ..user };
        self.house.change(vec![Edit::UpdateUser(user)]).await;
    }

    fn attend(&self) -> hearth_broker::Present {
        self.house.app.broker.attend(&Account::User(self.anna.id))
    }
}

#[tokio::test]
async fn who_does_nothing_for_five_minutes_is_away_until_they_do_something() {
    let mut scene = Scene::new().await;
    let _there = scene.attend();
    assert_eq!(scene.told().await["status"], "online");
    scene.later(5 * MINUTE_MS - 1);
    assert_eq!(scene.status(), Status::Online);
    scene.later(1);
    assert_eq!(scene.told().await["status"], "away");
    scene.house.get("/api/rooms", &scene.anna).await.is(200);
    let told = scene.told().await;
    assert_eq!(told["status"], "online");
    assert_eq!(told["last_seen"], scene.house.app.clock.now_ms());
    scene.later(5 * MINUTE_MS);
    assert_eq!(scene.told().await["status"], "away");
    // A request of nobody, or with a wrong token, is nobody's doing.
    let nobody = Person { token: "x".into(), ..scene.anna.clone() };
    assert_eq!(scene.house.get("/api/rooms", &nobody).await.status, 401);
    assert_eq!(scene.status(), Status::Away);
}

#[tokio::test(start_paused = true)]
async fn somebody_is_there_until_thirty_seconds_after_the_last_connection() {
    let mut scene = Scene::new().await;
    let (browser, phone) = (scene.attend(), scene.attend());
    assert_eq!(scene.told().await["status"], "online");
    drop(browser);
    drop(phone);
    tokio::time::sleep(Duration::from_secs(29)).await;
    drop(scene.attend());
    tokio::time::sleep(Duration::from_secs(29)).await;
    assert_eq!(scene.status(), Status::Online, "back within the grace");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(scene.told().await["status"], "offline");
    // What somebody does without a connection does not show them as there.
    scene.house.get("/api/rooms", &scene.anna).await.is(200);
    assert_eq!(scene.status(), Status::Offline);
}

#[tokio::test]
async fn what_somebody_chose_goes_before_what_they_do() {
    let mut scene = Scene::new().await;
    let there = scene.attend();
    assert_eq!(scene.told().await["status"], "online");
    scene.choose(PresenceChoice::Busy, "On the phone").await;
    let told = scene.told().await;
    assert_eq!((&told["status"], &told["status_text"]), (&json!("busy"), &json!("On the phone")));
    scene.later(10 * MINUTE_MS);
    assert_eq!(scene.status(), Status::Busy);
    scene.choose(PresenceChoice::Away, "On the phone").await;
    assert_eq!(scene.told().await["status"], "away");
    scene.house.app.was_active(scene.anna.id);
    assert_eq!(scene.status(), Status::Away);
    // The same again is told to nobody; another text is.
    scene.choose(PresenceChoice::Away, "On the phone").await;
    scene.choose(PresenceChoice::Away, "").await;
    assert_eq!(scene.told().await["status_text"], "");
    scene.choose(PresenceChoice::Online, "").await;
    assert_eq!(scene.told().await["status"], "online");
    drop(there);
}

#[tokio::test]
async fn who_does_not_want_to_be_seen_is_not_and_nothing_tells_when_they_were_there() {
    let mut scene = Scene::new().await;
    let there = scene.attend();
    let seen = scene.told().await["last_seen"].clone();
    scene.choose(PresenceChoice::Offline, "").await;
    let told = scene.told().await;
    assert_eq!((&told["status"], &told["last_seen"]), (&json!("offline"), &seen));
    scene.later(2 * MINUTE_MS);
    scene.house.get("/api/rooms", &scene.anna).await.is(200);
    let again = scene.attend();
    drop((there, again));
    let shown = scene.house.app.presence.shown(scene.anna.id).unwrap();
    assert_eq!((shown.status, json!(shown.last_seen)), (Status::Offline, seen.clone()));
    scene.house.app.store.flush().await.unwrap();
    let user = scene.house.app.store.user(scene.anna.id).await.unwrap().unwrap();
    assert_eq!(json!(user.last_seen), seen);
}

#[tokio::test]
async fn after_a_restart_everybody_is_shown_as_gone_with_what_they_say() {
    let engine: Arc<dyn Engine> = Arc::new(Memory::new());
    let clock = Arc::new(crate::clock::SystemClock);
    let app = App::open(engine.clone(), Arc::default(), clock.clone()).await.unwrap();
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let user = house.app.store.user(anna.id).await.unwrap().unwrap();
    let user = User { status_text: "Gone fishing".to_string(), last_seen: 7, ..user };
    app.store.change(Change::of(vec![Edit::PutUser(user)], 1)).await.unwrap();
    app.close().await;
    let app = App::open(engine, Arc::default(), clock).await.unwrap();
    let mut link = app.broker.link(&["hearth/users/+/presence"], 100).unwrap();
    let heard = link.recv().await.unwrap();
    let told: Value = serde_json::from_slice(&heard.payload).unwrap();
    let expected = json!({ "status": "offline", "last_seen": 7, "status_text": "Gone fishing" });
    assert_eq!((told, heard.retained), (expected, true));
}
