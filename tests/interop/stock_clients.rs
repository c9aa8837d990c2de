//! Clients that others wrote: mosquitto_pub and mosquitto_sub in both versions, curl.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::{Value, json};
use system_tests::{House, Person};

fn mosquitto_pub(house: &House, args: &[&str]) -> Output {
    let (host, port) = (house.mqtt.ip().to_string(), house.mqtt.port().to_string());
    Command::new("mosquitto_pub")
        .args(["-h", &host, "-p", &port, "-q", "1"])
        .args(args)
        .output()
        .expect("mosquitto-clients are installed")
}

/// Connects and subscribes.
fn subscriber(house: &House, who: &Person, args: &[&str]) -> (Child, BufReader<ChildStdout>) {
    let (host, port) = (house.mqtt.ip().to_string(), house.mqtt.port().to_string());
    let mut child = Command::new("stdbuf")
        .args(["-oL", "mosquitto_sub", "-d", "-h", &host, "-p", &port, "-q", "1"])
        .args(["-u", &who.name, "-P", &who.token])
        .args(args)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    (child, out)
}

/// Subscribes and waits until the broker has said yes.
fn mosquitto_sub(house: &House, who: &Person, args: &[&str]) -> (Child, BufReader<ChildStdout>) {
    let (child, mut out) = subscriber(house, who, args);
    let mut line = String::new();
    while !line.contains("Subscribed") {
        line.clear();
        assert!(out.read_line(&mut line).unwrap() > 0, "mosquitto_sub ended early");
    }
    (child, out)
}

fn next_json(out: &mut impl BufRead) -> Value {
    let mut line = String::new();
    loop {
        line.clear();
        assert!(out.read_line(&mut line).unwrap() > 0, "mosquitto_sub ended early");
        if let Ok(value @ Value::Object(_)) = serde_json::from_str(&line) {
            return value;
        }
    }
}

#[test]
fn a_message_by_mosquitto_pub_reaches_mosquitto_sub_in_each_version() {
    let house = House::start();
    let anna = house.person("anna");
    let room = house.open_room(&anna, "Kitchen");
    let (inlet, outlet) = (format!("hearth/rooms/{room}/in"), format!("hearth/rooms/{room}/out"));
    let mut written = vec![];
    for publisher in ["mqttv311", "mqttv5"] {
        for subscriber in ["mqttv311", "mqttv5"] {
            let text = format!("from {publisher} to {subscriber}");
            let (mut child, mut out) =
                mosquitto_sub(&house, &anna, &["-V", subscriber, "-t", &outlet, "-C", "1"]);
            let credentials = ["-u", "anna", "-P", &anna.token, "-V", publisher];
            let sent =
                mosquitto_pub(&house, &[&credentials[..], &["-t", &inlet, "-m", &text]].concat());
            assert!(sent.status.success(), "{sent:?}");
            let got = next_json(&mut out);
            assert_eq!(got["content"], json!(text));
            assert_eq!(got["sender"], json!(anna.id));
            assert!(child.wait().unwrap().success());
            written.push(text);
        }
    }
    let stored: Vec<_> =
        house.messages(&anna, &room).iter().map(|item| item["content"].clone()).collect();
    assert_eq!(stored, written.iter().map(|text| json!(text)).collect::<Vec<_>>());
}

#[test]
fn mosquitto_clients_publish_at_each_qos_and_leave_a_will() {
    let house = House::start();
    let anna = house.person("anna");
    let room = house.open_room(&anna, "Kitchen");
    let (inlet, outlet) = (format!("hearth/rooms/{room}/in"), format!("hearth/rooms/{room}/out"));
    let (mut reader, mut out) = mosquitto_sub(&house, &anna, &["-t", &outlet]);
    for qos in ["0", "1", "2"] {
        let args = ["-u", "anna", "-P", &anna.token, "-t", &inlet, "-q", qos, "-m", qos];
        assert!(mosquitto_pub(&house, &args).status.success());
        assert_eq!(next_json(&mut out)["content"], json!(qos));
    }
    let will = ["--will-topic", &inlet, "--will-payload", "fell off", "--will-qos", "1"];
    let (mut faller, _) = mosquitto_sub(&house, &anna, &[&["-t", &*outlet], &will[..]].concat());
    faller.kill().unwrap();
    faller.wait().unwrap();
    let fell = next_json(&mut out);
    assert_eq!((&fell["content"], &fell["sender"]), (&json!("fell off"), &json!(anna.id)));
    reader.kill().unwrap();
    reader.wait().unwrap();
}

/// The recipe of docs/topics.md for any phone app.
#[test]
fn a_phone_app_of_mqtt_3_1_1_that_was_killed_returns_and_gets_the_rest() {
    let house = House::start();
    let anna = house.person("anna");
    let room = house.open_room(&anna, "Kitchen");
    let label = json!({ "label": "phone" });
    let (status, made) = house.call("POST", "/api/auth/tokens", Some(&anna), Some(label));
    assert_eq!(status, 201, "{made}");
    let token = made["token"].as_str().unwrap().to_string();
    let phone = Person { token, ..anna.clone() };
    let recipe = ["-V", "mqttv311", "-c", "-i", "phone", "-t", "hearth/rooms/+/out"];
    let say = |text: &str| {
        let (status, item) = house.call(
            "POST",
            &format!("/api/rooms/{room}/messages"),
            Some(&anna),
            Some(json!({ "content": text })),
        );
        assert_eq!(status, 201, "{item}");
    };

    let (mut child, mut out) = mosquitto_sub(&house, &phone, &recipe);
    say("before");
    assert_eq!(next_json(&mut out)["content"], json!("before"));
    child.kill().unwrap();
    child.wait().unwrap();
    say("while away 1");
    say("while away 2");
    let (mut child, mut out) = subscriber(&house, &phone, &recipe);
    say("after");
    let mut got: Vec<String> = vec![];
    while got.last().is_none_or(|last| last != "after") {
        got.push(next_json(&mut out)["content"].as_str().unwrap().to_string());
    }
    // What the killed app had not acknowledged may come again.
    got.retain(|text| text != "before");
    assert_eq!(got, ["while away 1", "while away 2", "after"]);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The line that `hearth device add` prints, without its shell quotes.
fn device_line(house: &House, name: &str, room: &str) -> Vec<String> {
    let added = house.run(&["device", "add", name, "--room", room], "");
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let text = String::from_utf8(added.stdout).unwrap();
    let line = text.lines().find(|line| line.starts_with("mosquitto_pub")).unwrap();
    line.replace("\"Washing done\"", "Washing_done").split(' ').map(String::from).collect()
}

#[test]
fn a_device_posts_to_its_open_room_with_the_line_it_was_given_and_can_do_nothing_else() {
    let house = House::start();
    let anna = house.person("anna");
    let room = house.open_room(&anna, "Laundry");
    let line = device_line(&house, "washer", "Laundry");
    let posted = Command::new(&line[0]).args(&line[1..]).output().unwrap();
    assert!(posted.status.success(), "{posted:?}");
    let messages = house.messages(&anna, &room);
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["content"], json!("Washing_done"));
    assert_eq!(messages[0]["type"], json!("post"));
    assert_eq!(messages[0]["sender"], Value::Null);

    let value = |flag: &str| line[line.iter().position(|arg| arg == flag).unwrap() + 1].clone();
    let (device, token) = (value("-u"), value("-P"));
    let credentials = ["-u", &device, "-P", &token, "-V", "mqttv5"];
    for topic in [
        format!("hearth/rooms/{room}/in"),
        format!("hearth/rooms/{room}/out"),
        format!("hearth/rooms/{room}/door/{}", anna.id),
        "hearth/status".to_string(),
        "plain".to_string(),
    ] {
        let tried = mosquitto_pub(&house, &[&credentials[..], &["-t", &topic, "-m", "x"]].concat());
        let said = String::from_utf8_lossy(&tried.stderr).to_lowercase();
        assert!(said.contains("not authorized"), "{topic}: {tried:?}");
    }
    assert_eq!(house.messages(&anna, &room).len(), 1);
    let (host, port) = (house.mqtt.ip().to_string(), house.mqtt.port().to_string());
    for filter in [format!("hearth/rooms/{room}/out"), "#".into(), "hearth/#".into()] {
        let tried = Command::new("mosquitto_sub")
            .args(["-h", &host, "-p", &port, "-t", &filter, "-W", "2", "-V", "mqttv5"])
            .args(["-u", &device, "-P", &token])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&tried.stderr).to_lowercase();
        assert!(said.contains("denied") || said.contains("not authorized"), "{filter}: {tried:?}");
    }

    let removed = house.run(&["device", "remove", "washer"], "");
    assert!(removed.status.success());
    let refused = Command::new(&line[0]).args(&line[1..]).output().unwrap();
    assert!(!refused.status.success(), "a removed device still posts");
}

#[test]
fn wrong_tokens_are_refused_by_name() {
    let house = House::start();
    let anna = house.person("anna");
    let room = house.open_room(&anna, "Kitchen");
    let topic = format!("hearth/rooms/{room}/in");
    for password in ["", "wrong", "correct horse", "hearth_app_AAAA", "hearth_dev_AAAA"] {
        for version in ["mqttv311", "mqttv5"] {
            let args = ["-V", version, "-u", "anna", "-P", password, "-t", &topic, "-m", "x"];
            let tried = mosquitto_pub(&house, &args);
            let said = String::from_utf8_lossy(&tried.stderr).to_lowercase();
            assert!(!tried.status.success(), "{password} in {version} came in");
            assert!(said.contains("not authori") || said.contains("bad user"), "{said}");
        }
    }
    let output = Command::new("curl")
        .args([
            "-s",
            "-H",
            "Authorization: Bearer wrong",
            &format!("http://{}/api/rooms", house.http),
        ])
        .output()
        .unwrap();
    let reply: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(reply["code"], json!("wrong_token"));
    assert!(reply["hint"].as_str().unwrap().contains("sign in"));
}
