//! Client libraries that others wrote make the same journey in each version of MQTT: connect with a
//! token, QoS 0, 1 and 2, a will, a persistent session, retained messages. Paho for Python over
//! TCP, mqtt.js over WebSocket, rumqttc.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rumqttc::{AsyncClient, Event, EventLoop, LastWill, MqttOptions, Packet, QoS};
use serde_json::{Value, json};
use system_tests::{House, Person};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// A house, somebody in it, and the topics of a journey.
struct Scene {
    house: House,
    anna: Person,
    inlet: String,
    outlet: String,
    /// A granted topic.
    plain: &'static str,
}

fn scene() -> Scene {
    let house = House::with(&["--limit", "messages_per_10_s=0"]);
    let anna = house.person("anna");
    let room = house.open_room(&anna, "Kitchen");
    let prefix = format!("hearth/rooms/{room}");
    let (inlet, outlet) = (format!("{prefix}/in"), format!("{prefix}/out"));
    let granted = house.run(&["grant", "add", "--user", "anna", "interop/#"], "");
    assert!(granted.status.success(), "{}", String::from_utf8_lossy(&granted.stderr));
    let plain = "interop/kept";
    Scene { house, anna, inlet, outlet, plain }
}

/// Runs a client's own program in both versions.
fn journey(program: &Path, script: &str) {
    for version in [4, 5] {
        let Scene { house, anna, inlet, outlet, plain } = scene();
        let told = json!({
            "host": house.mqtt.ip().to_string(),
            "port": house.mqtt.port(),
            "url": format!("ws://{}/mqtt", house.http),
            "user": anna.name,
            "token": anna.token,
            "inlet": inlet,
            "outlet": outlet,
            "plain": plain,
            "version": version,
        });
        let output = Command::new("timeout")
            .arg("240")
            .arg(program)
            .arg(root().join("tests/interop").join(script))
            .arg(told.to_string())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}, version {version}: {}\n{said}", output.status);
    }
}

#[test]
fn paho_for_python_makes_the_journey() {
    let python = root().join("target/python/bin/python");
    assert!(python.exists(), "{}: run `scripts/setup test` first", python.display());
    journey(&python, "paho_client.py");
}

#[test]
fn mqtt_js_makes_the_journey_over_websocket() {
    journey(Path::new("node"), "mqtt_js_client.mjs");
}

/// A connection of rumqttc.
struct Client {
    mqtt: AsyncClient,
    events: EventLoop,
    session_present: bool,
}

impl Client {
    async fn come(scene: &Scene, id: &str, change: impl FnOnce(&mut MqttOptions)) -> Client {
        let at = scene.house.mqtt;
        let mut options = MqttOptions::new(id, at.ip().to_string(), at.port());
        options.set_credentials(&scene.anna.name, &scene.anna.token);
        change(&mut options);
        let (mqtt, mut events) = AsyncClient::new(options, 8);
        events.network_options.set_connection_timeout(20);
        let mut client = Client { mqtt, events, session_present: false };
        client.session_present = client
            .until(|packet| match packet {
                Packet::ConnAck(answer) => Some(answer.session_present),
                _ => None,
            })
            .await;
        client
    }

    async fn until<T>(&mut self, pick: impl Fn(Packet) -> Option<T>) -> T {
        let found = async {
            loop {
                let event = self.events.poll().await.expect("the box answers");
                if let Event::Incoming(packet) = event
                    && let Some(found) = pick(packet)
                {
                    return found;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), found).await.expect("an answer in time")
    }

    async fn subscribe(&mut self, topic: &str) {
        self.mqtt.subscribe(topic, QoS::AtLeastOnce).await.unwrap();
        self.until(|packet| matches!(packet, Packet::SubAck(_)).then_some(())).await;
    }

    async fn publish(&mut self, topic: &str, text: &str, qos: QoS) {
        self.mqtt.publish(topic, qos, false, text).await.unwrap();
        if qos == QoS::AtMostOnce {
            let sent = |event: &Event| matches!(event, Event::Outgoing(_));
            while !sent(&self.events.poll().await.unwrap()) {}
            return;
        }
        let end = |packet| matches!(packet, Packet::PubAck(_) | Packet::PubComp(_)).then_some(());
        self.until(end).await;
    }

    async fn next_text(&mut self) -> String {
        let payload = self
            .until(|packet| match packet {
                Packet::Publish(publish) => Some(publish.payload),
                _ => None,
            })
            .await;
        let item: Value = serde_json::from_slice(&payload).unwrap();
        item["content"].as_str().unwrap().to_string()
    }
}

#[tokio::test]
async fn rumqttc_makes_the_journey() {
    let scene = scene();
    let mut reader = Client::come(&scene, "reader", |_| {}).await;
    let mut writer = Client::come(&scene, "writer", |_| {}).await;
    reader.subscribe(&scene.outlet).await;
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let text = format!("{qos:?}");
        writer.publish(&scene.inlet, &text, qos).await;
        assert_eq!(reader.next_text().await, text);
    }
    let will = LastWill::new(&scene.inlet, "fell off", QoS::AtLeastOnce, false);
    let faller = Client::come(&scene, "faller", |options| {
        options.set_last_will(will);
    });
    drop(faller.await);
    assert_eq!(reader.next_text().await, "fell off");

    let stay = |options: &mut MqttOptions| {
        options.set_clean_session(false);
    };
    let mut sleeper = Client::come(&scene, "sleeper", stay).await;
    assert!(!sleeper.session_present);
    sleeper.subscribe(&scene.outlet).await;
    drop(sleeper);
    for text in ["one", "two"] {
        writer.publish(&scene.inlet, text, QoS::AtLeastOnce).await;
    }
    let mut awake = Client::come(&scene, "sleeper", stay).await;
    assert!(awake.session_present);
    assert_eq!([awake.next_text().await, awake.next_text().await], ["one", "two"]);

    let kept = |payload: &'static [u8]| (scene.plain, QoS::AtLeastOnce, payload);
    for (topic, qos, payload) in [kept(b"old"), kept(b"kept")] {
        writer.mqtt.publish(topic, qos, true, payload).await.unwrap();
        writer.until(|packet| matches!(packet, Packet::PubAck(_)).then_some(())).await;
    }
    let mut late = Client::come(&scene, "late", |_| {}).await;
    late.mqtt.subscribe(scene.plain, QoS::AtLeastOnce).await.unwrap();
    let heard = late.until(|packet| match packet {
        Packet::Publish(publish) => Some((publish.retain, publish.payload)),
        _ => None,
    });
    assert_eq!(heard.await, (true, b"kept"[..].into()));
}
