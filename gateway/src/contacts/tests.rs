//! Asking, accepting, ending.

use hearth_broker::Link;
use hearth_protocol::ids::UserId;
use hearth_protocol::limits::Limits;
use hearth_protocol::role::HouseRole;
use serde_json::{Value, json};

use crate::testing::{Answered, House, Person};

struct Scene {
    house: House,
    anna: Person,
    ben: Person,
    bells: Link,
}

impl Scene {
    async fn new(limits: Limits) -> Scene {
        let house = House::with(limits).await;
        let anna = house.person("anna", HouseRole::Member).await;
        let ben = house.person("ben", HouseRole::Member).await;
        let bells = house.app.broker.link(&["hearth/users/+/inbox"], 100).unwrap();
        Scene { house, anna, ben, bells }
    }

    async fn put(&self, who: &Person, other: UserId, body: Value) -> Answered {
        self.house.call("PUT", &format!("/api/contacts/{other}"), Some(who), body).await
    }

    async fn end(&self, who: &Person, other: UserId) {
        let path = format!("/api/contacts/{other}");
        self.house.call("DELETE", &path, Some(who), Value::Null).await.is(204);
    }

    async fn states(&self) -> [Value; 2] {
        let mut states = [Value::Null, Value::Null];
        for (state, who) in states.iter_mut().zip([&self.anna, &self.ben]) {
            let listed = self.house.get("/api/contacts", who).await.is(200);
            *state = listed["contacts"][0]["state"].clone();
        }
        states
    }

    async fn bell(&mut self) -> (String, Value) {
        let heard = self.bells.recv().await.unwrap();
        (heard.topic.to_string(), serde_json::from_slice(&heard.payload).unwrap())
    }
}

#[tokio::test]
async fn one_asks_and_the_other_accepts_or_ends_it() {
    let mut scene = Scene::new(Limits::default()).await;
    let (anna, ben) = (scene.anna.id, scene.ben.id);
    let asked = scene.put(&scene.anna, ben, json!({ "note": "baker" })).await.is(200);
    assert_eq!((&asked["state"], &asked["user"]["name"]), (&json!("asked"), &json!("ben")));
    assert_eq!(scene.states().await, ["asked", "asks"]);
    let to = |user| format!("hearth/users/{user}/inbox");
    let bell = json!({ "type": "contact", "user_id": anna, "state": "asks" });
    assert_eq!(scene.bell().await, (to(ben), bell));
    // Another note rings for nobody.
    scene.put(&scene.anna, ben, json!({ "note": "the baker" })).await.is(200);
    assert_eq!(scene.put(&scene.ben, anna, json!({})).await.is(200)["state"], "accepted");
    assert_eq!(scene.states().await, ["accepted", "accepted"]);
    let bell = json!({ "type": "contact", "user_id": ben, "state": "accepted" });
    assert_eq!(scene.bell().await, (to(anna), bell));
    let of_ben = scene.house.get(&format!("/api/contacts/{anna}"), &scene.ben).await.is(200);
    assert_eq!(of_ben["note"], "", "a note is one's own");
    scene.end(&scene.ben, anna).await;
    assert_eq!(scene.states().await, [Value::Null, Value::Null]);
    let bell = json!({ "type": "contact", "user_id": ben, "state": null });
    assert_eq!(scene.bell().await, (to(anna), bell));
    scene.end(&scene.ben, anna).await;
    let gone = scene.house.get(&format!("/api/contacts/{anna}"), &scene.ben).await;
    assert_eq!(gone.code(), "not_found");
    // A request is declined the same way.
    scene.put(&scene.anna, ben, json!({})).await.is(200);
    scene.end(&scene.ben, anna).await;
    assert_eq!(scene.states().await, [Value::Null, Value::Null]);
}

#[tokio::test]
async fn who_is_hidden_or_nobody_is_not_asked() {
    let scene = Scene::new(Limits::default()).await;
    let (anna, ben) = (scene.anna.id, scene.ben.id);
    let put = async |who, other| scene.put(who, other, json!({})).await.code();
    assert_eq!(put(&scene.anna, UserId::from_bytes([9; 16])).await, "not_found");
    assert_eq!(put(&scene.anna, anna).await, "not_possible");
    let guest = scene.house.person("guest", HouseRole::Guest).await;
    assert_eq!(put(&guest, anna).await, "not_found");
    scene.put(&scene.ben, anna, json!({})).await.is(200);
    scene.house.app.block(anna, ben).await.unwrap();
    assert_eq!(put(&scene.anna, ben).await, "blocked");
    assert_eq!(put(&scene.ben, anna).await, "not_found");
    assert_eq!(scene.states().await, [Value::Null, Value::Null]);
    let long = json!({ "note": "é".repeat(201) });
    assert_eq!(scene.put(&scene.anna, guest.id, long).await.code(), "too_long");
    let fits = json!({ "note": "é".repeat(200) });
    scene.put(&scene.anna, guest.id, fits).await.is(200);
    let nobody = scene.house.call("GET", "/api/contacts", None, Value::Null).await;
    assert_eq!(nobody.status, 401);
}

#[tokio::test]
async fn requests_are_counted_and_answers_are_not() {
    let limits = Limits { contacts_per_hour: 1, contacts_per_user_max: 2, ..Limits::default() };
    let scene = Scene::new(limits).await;
    let cleo = scene.house.person("cleo", HouseRole::Member).await;
    let dora = scene.house.person("dora", HouseRole::Member).await;
    scene.put(&cleo, scene.anna.id, json!({})).await.is(200);
    scene.put(&scene.anna, scene.ben.id, json!({})).await.is(200);
    let refused = scene.put(&scene.anna, dora.id, json!({})).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_fast"));
    assert_eq!(refused.headers["retry-after"], "3600");
    scene.put(&scene.anna, cleo.id, json!({})).await.is(200);
    scene.house.later(3_600_000);
    assert_eq!(scene.put(&scene.anna, dora.id, json!({})).await.code(), "limit_reached");
}
