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

/// The lines that `hearth device add` prints.
fn device_lines(house: &House, name: &str, room: &str) -> Vec<String> {
    let added = house.run(&["device", "add", name, "--room", room], "");
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let text = String::from_utf8(added.stdout).unwrap();
    let is_line = |line: &&str| line.starts_with("mosquitto_pub") || line.starts_with("curl");
    text.lines().filter(is_line).map(String::from).collect()
}

/// The line for an MQTT client, without its shell quotes.
fn device_line(house: &House, name: &str, room: &str) -> Vec<String> {
    let line = device_lines(house, name, room).remove(0);
    line.replace("\"Washing done\"", "Washing_done").split(' ').map(String::from).collect()
}

#[test]
fn every_line_that_a_device_is_given_posts_as_it_stands_in_clear_and_over_tls() {
    let tls = ["--mqtts", "127.0.0.1:0", "--https", "127.0.0.1:0", "--name", "localhost"];
    let house = House::with(&tls);
    let anna = house.person("anna");
    let room = house.open_room(&anna, "Laundry");
    let printed = house.run(&["ca"], "");
    std::fs::write(house.profile("ca.crt"), &printed.stdout).unwrap();
    let folder = house.profile("..").canonicalize().unwrap();
    std::fs::copy(house.profile("ca.crt"), folder.join("ca.crt")).unwrap();
    let lines = device_lines(&house, "washer", "Laundry");
    let begins = ["mosquitto_pub -q 1", "mosquitto_pub --cafile ca.crt", "curl -sS"];
    assert_eq!(lines.len(), begins.len(), "{lines:?}");
    for (line, begin) in lines.iter().zip(begins) {
        assert!(line.starts_with(begin), "{line}");
        let pasted = Command::new("sh").args(["-c", line]).current_dir(&folder).output().unwrap();
        assert!(pasted.status.success(), "{line}: {pasted:?}");
    }
    let posts = house.messages(&anna, &room);
    let is_post = |post: &&Value| post["type"] == "post" && post["content"] == "Washing done";
    assert_eq!(posts.iter().filter(is_post).count(), 3, "{posts:?}");
    let (_, health) = house.call("GET", "/health", None, None);
    assert_eq!(health["mqtt"], json!(house.mqtt.to_string()));
    let tls = &health["tls"];
    assert_eq!((&tls["names"][0], &tls["own"]), (&json!("localhost"), &json!(true)));
    assert_eq!(tls["https"], json!(house.https.unwrap().to_string()));
    assert_eq!(tls["mqtts"], json!(house.mqtts.unwrap().to_string()));
    let ended = house.run(&["device", "remove", "washer"], "");
    assert!(ended.status.success());
    let refused = Command::new("sh").args(["-c", &lines[2]]).current_dir(&folder).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stdout);
    assert!(!refused.status.success() && said.contains("wrong_token"), "{refused:?}");
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
            .args(["-h", &host, "-p", &port, "-t", &filter, "-W", "60", "-V", "mqttv5"])
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

/// Runs a box command that must succeed.
fn run(house: &House, args: &[&str]) -> Value {
    let done = house.run(&[&["--json"], args].concat(), "");
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

#[test]
fn granted_plain_topics_are_routed_until_the_grant_is_taken_back() {
    let house = House::start();
    let anna = house.person("anna");
    let bert = house.person("bert");
    house.open_room(&anna, "Laundry");
    let line = device_line(&house, "washer", "Laundry");
    let value = |flag: &str| line[line.iter().position(|arg| arg == flag).unwrap() + 1].clone();
    let (device, device_token) = (value("-u"), value("-P"));
    let (status, app) =
        house.call("POST", "/api/auth/tokens", Some(&bert), Some(json!({ "label": "hub" })));
    assert_eq!(status, 201, "{app}");
    let hub = Person { token: app["token"].as_str().unwrap().to_string(), ..bert };
    let post = |version: &str, topic: &str, text: &str, more: &[&str]| {
        let who = ["-V", version, "-u", &device, "-P", &device_token, "-t", topic, "-m", text];
        mosquitto_pub(&house, &[&who[..], more].concat())
    };
    let sub = ["-t", "homeassistant/#", "-t", "sentinel", "-q", "2"];
    let format = ["-F", r#"{"topic":"%t","qos":%q,"retain":%r,"text":"%p"}"#];

    // Nobody has it: 0x87 for both of them.
    let (host, port) = (house.mqtt.ip().to_string(), house.mqtt.port().to_string());
    let tried = Command::new("mosquitto_sub")
        .args(["-h", &host, "-p", &port, "-V", "mqttv5", "-W", "60"])
        .args(["-u", "bert", "-P", &hub.token, "-t", "homeassistant/#"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&tried.stderr).to_lowercase();
    assert!(said.contains("denied") || said.contains("not authorized"), "{tried:?}");
    let tried = post("mqttv5", "homeassistant/washer/state", "no", &[]);
    assert!(String::from_utf8_lossy(&tried.stderr).to_lowercase().contains("not authorized"));

    let add = |to: &[&str], filter: &str, access: &str| {
        let args = [&["grant", "add"], to, &[filter, "--access", access]].concat();
        run(&house, &args)["grants"][0]["id"].as_str().unwrap().to_string()
    };
    let read = add(&["--user", "bert"], "homeassistant/#", "read");
    add(&["--user", "bert"], "sentinel", "read");
    add(&["--device", "washer"], "homeassistant/washer/#", "write");
    add(&["--device", &device], "sentinel", "write");
    assert!(post("mqttv5", "homeassistant/washer/state", "kept", &["-r"]).status.success());
    for version in ["mqttv311", "mqttv5"] {
        let args = [&["-V", version][..], &sub, &format].concat();
        let (mut child, mut out) = mosquitto_sub(&house, &hub, &args);
        let mut heard = |topic: &str, qos: u8, retain: u8, text: &str| {
            let expected = json!({ "topic": topic, "qos": qos, "retain": retain, "text": text });
            assert_eq!(next_json(&mut out), expected, "{version}");
        };
        heard("homeassistant/washer/state", 1, 1, "kept");
        for qos in ["1", "2"] {
            let topic = "homeassistant/washer/door";
            assert!(post(version, topic, "open", &["-q", qos]).status.success());
            heard(topic, qos.parse().unwrap(), 0, "open");
        }
        if version == "mqttv5" {
            // Taken back: what comes next on the standing subscription is the other topic's.
            run(&house, &["grant", "remove", &read]);
            assert!(post(version, "homeassistant/washer/door", "shut", &[]).status.success());
            assert!(post(version, "sentinel", "end", &[]).status.success());
            heard("sentinel", 1, 0, "end");
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let left = run(&house, &["grant", "list"]);
    assert_eq!(left["grants"].as_array().unwrap().len(), 3);
}

#[test]
fn grants_are_given_by_those_who_run_the_house() {
    let house = House::start();
    let (anna, bert) = (house.person("anna"), house.person("bert"));
    let grant = json!({ "user_id": bert.id, "filter": "home/#", "access": "both" });
    let call = |method: &str, path: &str, who: &Person, body: Option<Value>| {
        let (status, reply) = house.call(method, path, Some(who), body);
        (status, reply["code"].as_str().unwrap_or_default().to_string(), reply)
    };
    let (status, code, _) = call("POST", "/api/grants", &bert, Some(grant.clone()));
    assert_eq!((status, &*code), (403, "forbidden"));
    let (status, code, _) = call("GET", "/api/grants", &bert, None);
    assert_eq!((status, &*code), (403, "forbidden"));
    let (_, app) = house.call("POST", "/api/auth/tokens", Some(&anna), Some(json!({"label": "x"})));
    let app = Person { token: app["token"].as_str().unwrap().to_string(), ..anna.clone() };
    let (status, code, _) = call("POST", "/api/grants", &app, Some(grant.clone()));
    assert_eq!((status, &*code), (403, "forbidden"), "an app token");
    let (status, _, made) = call("POST", "/api/grants", &anna, Some(grant));
    assert_eq!(status, 201, "{made}");
    assert_eq!((&made["user_id"], &made["created_by"]), (&json!(bert.id), &json!(anna.id)));
    let (_, _, list) = call("GET", "/api/grants", &anna, None);
    assert_eq!(list, json!({ "grants": [made] }));
    for (filter, to, expected) in [
        ("hearth/#", &bert.id, (400, "bad_filter")),
        ("home/#", &made["id"].as_str().unwrap().to_string(), (404, "not_found")),
    ] {
        let body = json!({ "user_id": to, "filter": filter, "access": "read" });
        let (status, code, reply) = call("POST", "/api/grants", &anna, Some(body));
        assert_eq!((status, &*code), expected, "{reply}");
    }
    let path = format!("/api/grants/{}", made["id"].as_str().unwrap());
    assert_eq!(call("DELETE", &path, &bert, None).0, 403);
    assert_eq!(call("DELETE", &path, &anna, None).0, 204);
    assert_eq!(call("DELETE", &path, &anna, None).0, 404);
}
