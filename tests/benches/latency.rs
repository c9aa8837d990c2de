//! How long a message takes, publish to PUBACK and publish to delivery, and how many a second:
//! `hearth serve` with an open room (synced before each PUBACK) beside mosquitto (nothing synced).
//!
//! `cargo build --release -p hearth-gateway && cargo bench -p system-tests`
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
use system_tests::House;

const PAYLOAD_BYTES: usize = 200;
const ONE_BY_ONE: usize = 2_000;
const PUBLISHERS: usize = 25;
const EACH: usize = 400;

/// A broker and the topics of one conversation on it.
struct Target {
    name: &'static str,
    mqtt: SocketAddr,
    token: String,
    inlet: String,
    outlet: String,
}

fn connect(target: &Target, id: &str) -> (AsyncClient, EventLoop) {
    let mut options = MqttOptions::new(id, target.mqtt.ip().to_string(), target.mqtt.port());
    options.set_credentials(id, &target.token);
    options.set_connect_properties(Default::default());
    options.set_outgoing_inflight_upper_limit(60);
    AsyncClient::new(options, EACH + 8)
}

async fn until(events: &mut EventLoop, what: impl Fn(&Packet) -> bool) {
    loop {
        if let Event::Incoming(packet) = events.poll().await.expect("the broker answers")
            && what(&packet)
        {
            return;
        }
    }
}

/// One message at a time: ms to the PUBACK and to the delivery at another client.
async fn one_by_one(target: &Target) -> (Vec<f64>, Vec<f64>) {
    let (reader, mut arriving) = connect(target, "reader");
    reader.subscribe(&target.outlet, QoS::AtLeastOnce).await.unwrap();
    until(&mut arriving, |packet| matches!(packet, Packet::SubAck(_))).await;
    let (arrived_sender, mut arrived) = tokio::sync::mpsc::channel(ONE_BY_ONE);
    let reading = tokio::spawn(async move {
        for _ in 0..ONE_BY_ONE {
            until(&mut arriving, |packet| matches!(packet, Packet::Publish(_))).await;
            arrived_sender.send(Instant::now()).await.unwrap();
        }
    });
    let (writer, mut acks) = connect(target, "writer");
    let payload = "x".repeat(PAYLOAD_BYTES);
    let (mut to_ack, mut to_delivery) = (vec![], vec![]);
    for _ in 0..ONE_BY_ONE {
        let begun = Instant::now();
        writer.publish(&target.inlet, QoS::AtLeastOnce, false, payload.clone()).await.unwrap();
        until(&mut acks, |packet| matches!(packet, Packet::PubAck(_))).await;
        to_ack.push(begun.elapsed().as_secs_f64() * 1_000.0);
        let delivered: Instant = arrived.recv().await.unwrap();
        to_delivery.push((delivered - begun).as_secs_f64() * 1_000.0);
    }
    reading.await.unwrap();
    (to_ack, to_delivery)
}

/// Messages a second of 25 publishers that do not wait for each acknowledgement.
async fn pipelined(target: &Target) -> f64 {
    let begun = Instant::now();
    let mut tasks = vec![];
    for number in 0..PUBLISHERS {
        let (writer, mut acks) = connect(target, &format!("w{number}"));
        for _ in 0..EACH {
            let payload = "x".repeat(PAYLOAD_BYTES);
            writer.try_publish(&target.inlet, QoS::AtLeastOnce, false, payload).unwrap();
        }
        tasks.push(tokio::spawn(async move {
            for _ in 0..EACH {
                until(&mut acks, |packet| matches!(packet, Packet::PubAck(_))).await;
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    (PUBLISHERS * EACH) as f64 / begun.elapsed().as_secs_f64()
}

fn percentile(times: &mut [f64], percent: usize) -> f64 {
    times.sort_by(f64::total_cmp);
    times[(times.len() - 1) * percent / 100]
}

/// Resident memory in MB, from /proc.
fn resident_mb(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1_024.0
}

/// mosquitto on a free port; `None` where it is not installed.
fn mosquitto(folder: &std::path::Path) -> Option<(Child, SocketAddr)> {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let file = folder.join("mosquitto.conf");
    let text = format!(
        "listener {} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n",
        free.port()
    );
    std::fs::write(&file, text).unwrap();
    let quiet = Stdio::null;
    let child = Command::new("mosquitto")
        .arg("-c")
        .arg(&file)
        .stdout(quiet())
        .stderr(quiet())
        .spawn()
        .ok()?;
    let until = Instant::now() + Duration::from_secs(5);
    while std::net::TcpStream::connect(free).is_err() {
        assert!(Instant::now() < until, "mosquitto does not listen");
        std::thread::yield_now();
    }
    Some((child, free))
}

async fn measure(target: &Target) {
    let (mut to_ack, mut to_delivery) = one_by_one(target).await;
    let rate = pipelined(target).await;
    println!(
        "{:<10} PUBACK p50 {:.2} p99 {:.2} ms | delivery p50 {:.2} p99 {:.2} ms | {rate:.0} msg/s",
        target.name,
        percentile(&mut to_ack, 50),
        percentile(&mut to_ack, 99),
        percentile(&mut to_delivery, 50),
        percentile(&mut to_delivery, 99),
    );
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let house = House::with(&["--limit", "messages_per_10_s=0"]);
    println!("hearth idle: {:.1} MB resident", resident_mb(house.pid()));
    let anna = house.person("anna");
    println!("hearth after one login: {:.1} MB resident", resident_mb(house.pid()));
    let room = house.open_room(&anna, "Bench");
    let hearth = Target {
        name: "hearth",
        mqtt: house.mqtt,
        token: anna.token.clone(),
        inlet: format!("hearth/rooms/{room}/in"),
        outlet: format!("hearth/rooms/{room}/out"),
    };
    let folder = tempfile::tempdir().unwrap();
    let peer = mosquitto(folder.path());
    for _ in 0..3 {
        measure(&hearth).await;
        if let Some((_, mqtt)) = &peer {
            let topic = "bench/room".to_string();
            let token = String::new();
            let (mqtt, inlet) = (*mqtt, topic.clone());
            measure(&Target { name: "mosquitto", mqtt, token, inlet, outlet: topic }).await;
        }
    }
    println!("hearth after the load: {:.1} MB resident", resident_mb(house.pid()));
    if let Some((mut child, _)) = peer {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
