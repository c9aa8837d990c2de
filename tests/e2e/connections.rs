//! Who is connected: presence and status, an admin's disconnect, refusals that are shown, counts.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{ConnectReturnCode, Packet, SubscribeReasonCode};
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
use serde_json::{Value, json};
use system_tests::{House, Person};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

/// Somebody's MQTT 5 client.
struct App {
    client: AsyncClient,
    events: EventLoop,
}

impl App {
    async fn connect(house: &House, who: &Person, id: &str) -> App {
        let mut options = MqttOptions::new(id, house.mqtt.ip().to_string(), house.mqtt.port());
        options.set_credentials(&who.name, &who.token);
        options.set_keep_alive(Duration::from_secs(30));
        options.set_connection_timeout(PATIENCE.as_secs());
        let (client, events) = AsyncClient::new(options, 16);
        let mut app = App { client, events };
        let code = app.find(|packet| match packet {
            Packet::ConnAck(ack) => Some(ack.code),
            _ => None,
        });
        assert_eq!(code.await, ConnectReturnCode::Success);
        app
    }

    async fn find<T>(&mut self, look: impl Fn(Packet) -> Option<T>) -> T {
        loop {
            let event = timeout(PATIENCE, self.events.poll()).await.expect("a packet in time");
            if let Event::Incoming(packet) = event.unwrap()
                && let Some(found) = look(packet)
            {
                return found;
            }
        }
    }

    async fn subscribe(&mut self, filter: &str) -> bool {
        self.client.subscribe(filter, QoS::AtLeastOnce).await.unwrap();
        let answer = self.find(|packet| match packet {
            Packet::SubAck(ack) => Some(ack.return_codes[0]),
            _ => None,
        });
        matches!(answer.await, SubscribeReasonCode::Success(_))
    }

    /// The next message: its topic, whether it was kept for newcomers, and its JSON.
    async fn heard(&mut self) -> (String, bool, Value) {
        self.find(|packet| match packet {
            Packet::Publish(publish) => {
                let topic = String::from_utf8(publish.topic.to_vec()).unwrap();
                Some((topic, publish.retain, serde_json::from_slice(&publish.payload).unwrap()))
            }
            _ => None,
        })
        .await
    }

    /// Why the connection ends.
    async fn end(&mut self) -> String {
        loop {
            match timeout(PATIENCE, self.events.poll()).await.expect("an end in time") {
                Ok(_) => {}
                Err(error) => return format!("{error:?}"),
            }
        }
    }

    async fn leave(mut self) {
        self.client.disconnect().await.unwrap();
        self.end().await;
    }
}

fn app_token(house: &House, who: &Person) -> Person {
    let label = json!({ "label": "phone" });
    let (status, made) = house.call("POST", "/api/auth/tokens", Some(who), Some(label));
    assert_eq!(status, 201, "{made}");
    Person { token: made["token"].as_str().unwrap().to_string(), ..who.clone() }
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_is_told_to_those_who_share_a_room_and_the_status_to_everyone() {
    let mut house = House::with(&["--limit", "presence_grace_s=0"]);
    let [anna, bert, carl] = ["anna", "bert", "carl"].map(|name| house.person(name));
    let room = house.open_room(&anna, "Kitchen");
    let presence = |who: &Person| format!("hearth/users/{}/presence", who.id);
    let mut app = App::connect(&house, &anna, "anna").await;
    assert!(app.subscribe("hearth/status").await);
    let (topic, retain, status) = app.heard().await;
    assert_eq!((&*topic, retain, &status["status"]), ("hearth/status", true, &json!("online")));
    assert_eq!(status["version"], json!(env!("CARGO_PKG_VERSION")));
    assert!(app.subscribe("hearth/users/+/presence").await);
    let (topic, retain, own) = app.heard().await;
    assert_eq!((topic, retain, &own["status"]), (presence(&anna), true, &json!("online")));
    assert!(own["last_seen"].as_u64().unwrap() > 1_700_000_000_000);

    // Nobody shares a room with Carl; Bert comes in while he is there, and is seen from then on.
    let _carls = App::connect(&house, &carl, "carl").await;
    let berts = App::connect(&house, &bert, "bert").await;
    house.join(&bert, &room);
    let (topic, _, status) = app.heard().await;
    assert_eq!((topic, &status["status"]), (presence(&bert), &json!("online")));
    berts.leave().await;
    let (topic, _, status) = app.heard().await;
    assert_eq!((topic, &status["status"]), (presence(&bert), &json!("offline")));

    let (host, port) = (house.mqtt.ip().to_string(), house.mqtt.port().to_string());
    let mut follower = Command::new("mosquitto_sub")
        .args(["-h", &host, "-p", &port, "-u", "anna", "-P", &anna.token])
        .args(["-t", "hearth/status", "-C", "2"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("online"));
    house.stop();
    assert_eq!(lines.next().unwrap().unwrap(), r#"{"status":"offline"}"#);
    assert!(follower.wait().unwrap().success());
    let end = app.end().await;
    assert!(end.contains("ServerShuttingDown"), "{end}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admins_disconnect_ends_every_connection_of_somebody_and_of_nobody_else() {
    let house = House::start();
    let (anna, bert) = (house.person("anna"), house.person("bert"));
    let mut annas = App::connect(&house, &anna, "anna").await;
    let phone = app_token(&house, &bert);
    let mut berts =
        [App::connect(&house, &bert, "laptop").await, App::connect(&house, &phone, "phone").await];
    let path = |who: &Person| format!("/api/users/{}/disconnect", who.id);
    let (status, no) = house.call("POST", &path(&anna), Some(&bert), None);
    assert_eq!((status, &no["code"]), (403, &json!("forbidden")));
    let nobody = "/api/users/01890000-0000-7000-8000-000000000001/disconnect";
    assert_eq!(house.call("POST", nobody, Some(&anna), None).0, 404);
    assert_eq!(house.call("POST", &path(&bert), Some(&anna), None).0, 204);
    for app in &mut berts {
        let end = app.end().await;
        assert!(end.contains("AdministrativeAction"), "{end}");
    }
    assert!(annas.subscribe("hearth/status").await, "Anna stays");

    // The login and the app token still open everything.
    assert_eq!(house.call("GET", "/api/auth/me", Some(&bert), None).0, 200);
    let mut again = App::connect(&house, &phone, "phone").await;
    let done = house.run(&["user", "disconnect", "Bert"], "");
    assert!(done.status.success(), "{done:?}");
    let end = again.end().await;
    assert!(end.contains("AdministrativeAction"), "{end}");
    let done = house.run(&["user", "disconnect", "nobody"], "");
    assert!(String::from_utf8_lossy(&done.stderr).contains("hearth user list"), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_publishes_are_shown_where_their_owner_sees_them() {
    let house = House::start();
    let anna = house.person("anna");
    let room = house.open_room(&anna, "Laundry");
    let body = json!({ "name": "washer" });
    let devices = format!("/api/rooms/{room}/devices");
    let (status, made) = house.call("POST", &devices, Some(&anna), Some(body));
    assert_eq!(status, 201, "{made}");
    assert_eq!(made["device"]["last_refused"], Value::Null);
    let (id, token) = (made["device"]["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    let (host, port) = (house.mqtt.ip().to_string(), house.mqtt.port().to_string());
    let post = || {
        Command::new("mosquitto_pub")
            .args(["-h", &host, "-p", &port, "-V", "mqttv311", "-i", "w", "-u", id, "-P", token])
            .args(["-q", "1", "-t", "homeassistant/x", "-m", "done"])
            .output()
            .unwrap()
    };
    assert!(!post().status.success(), "3.1.1 is closed");
    assert!(post().status.success(), "and the very same is acknowledged");
    let (_, list) = house.call("GET", &devices, Some(&anna), None);
    let refused = &list["devices"][0]["last_refused"];
    assert_eq!((&refused["code"], &refused["count"]), (&json!("not_authorised"), &json!(2)));
    assert_eq!(refused["topic"], json!("homeassistant/x"));
    let shown = house.run(&["device", "list"], "");
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("refused 2 times, last at homeassistant/x: not_authorised"), "{shown}");

    let mut app = App::connect(&house, &anna, "anna").await;
    assert!(app.subscribe(&format!("hearth/users/{}/inbox", anna.id)).await);
    app.client.publish("elsewhere", QoS::AtMostOnce, false, "x").await.unwrap();
    let (_, retain, bell) = app.heard().await;
    assert!(!retain);
    assert_eq!((&bell["type"], &bell["topic"]), (&json!("refused"), &json!("elsewhere")));
    assert_eq!(bell["code"], json!("not_authorised"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_brokers_counts_are_for_the_box_itself_and_those_who_run_the_house() {
    let house = House::start();
    let (anna, bert) = (house.person("anna"), house.person("bert"));
    let mut annas = App::connect(&house, &anna, "anna").await;
    let mut berts = App::connect(&house, &bert, "bert").await;
    assert!(!berts.subscribe("$SYS/#").await);
    assert!(annas.subscribe("$SYS/broker/clients/connected").await);
    let (topic, retain, value) = annas.heard().await;
    assert_eq!((&*topic, retain), ("$SYS/broker/clients/connected", true));
    assert!(value.is_u64(), "{value}");

    let metrics = |headers: &[&str]| {
        let headers = headers.iter().flat_map(|header| ["-H", header]);
        let url = format!("http://{}/metrics", house.http);
        let output = Command::new("curl")
            .args(["-s", "-w", "%{http_code}", &url])
            .args(headers)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let bearer = |who: &Person| format!("Authorization: Bearer {}", who.token);
    let near = metrics(&[]);
    assert!(near.contains("\nhearth_mqtt_connections 2\n") && near.ends_with("200"), "{near}");
    for header in ["Forwarded: for=192.0.2.1", "X-Forwarded-For: 192.0.2.1"] {
        assert!(metrics(&[header]).ends_with("401"), "{header}");
        assert!(metrics(&[header, &bearer(&bert)]).ends_with("403"), "{header}");
        assert!(metrics(&[header, &bearer(&anna)]).ends_with("200"), "{header}");
    }
}
