//! The contract that scripts rely on, and what bad input gets, against the real binary.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};
use system_tests::house::{binary, command};
use system_tests::{House, Person};

#[test]
fn an_account_made_before_the_first_start_signs_in() {
    let mut house = House::start();
    house.stop();
    let made = house.run(&["user", "add", "anna", "--password-stdin"], "correct horse\n");
    assert!(made.status.success(), "{made:?}");
    house.restart();
    assert_eq!(house.setup, None, "somebody lives here: no set-up link");
    let anna = house.sign_in("anna");
    let (status, me) = house.call("GET", "/api/auth/me", Some(&anna), None);
    assert_eq!((status, &me["user"]["role"]), (200, &json!("owner")));
    let (status, health) = house.call("GET", "/health", None, None);
    assert_eq!((status, &health["status"]), (200, &json!("ok")));
    let again = house.run(&["user", "add", "Anna", "--password-stdin"], "x\n");
    assert!(!again.status.success());
    assert!(String::from_utf8_lossy(&again.stderr).contains("taken"));
}

#[test]
fn an_empty_house_prints_a_set_up_link_and_takes_no_other_secret() {
    let house = House::start();
    let link = house.setup.clone().expect("a set-up link");
    assert!(link.starts_with(&format!("http://{}/setup#", house.http)), "{link}");
    let (status, needed) = house.call("GET", "/api/setup", None, None);
    assert_eq!((status, needed), (200, json!({ "needed": true, "registration": "invite" })));
}

fn say(house: &House, path: &str, who: &Person, text: &str) -> (u16, Value) {
    house.call("POST", path, Some(who), Some(json!({ "content": text })))
}

#[test]
fn a_page_of_history_goes_both_ways_and_a_known_id_is_stored_once() {
    let house = House::with(&["--limit", "messages_per_10_s=0"]);
    let anna = house.person("anna");
    let room = house.open_room(&anna, "Kitchen");
    let path = format!("/api/rooms/{room}/messages");
    let mut ids = vec![];
    for number in 0..7 {
        let (status, item) = say(&house, &path, &anna, &format!("m{number}"));
        assert_eq!(status, 201, "{item}");
        assert_eq!(item["sender"], json!(anna.id));
        ids.push(item["id"].as_str().unwrap().to_string());
    }
    let contents = |query: &str| -> Vec<String> {
        let (status, page) = house.call("GET", &format!("{path}?{query}"), Some(&anna), None);
        assert_eq!(status, 200, "{page}");
        let items = page["messages"].as_array().unwrap().clone();
        items.iter().map(|item| item["content"].as_str().unwrap().to_string()).collect()
    };
    assert_eq!(contents("limit=2"), ["m5", "m6"]);
    assert_eq!(contents(&format!("limit=2&before={}", ids[5])), ["m3", "m4"]);
    assert_eq!(contents(&format!("limit=2&after={}", ids[0])), ["m1", "m2"]);
    assert_eq!(contents("limit=2&after=0"), ["m0", "m1"]);
    assert_eq!(contents("after=9999"), Vec::<String>::new());

    let again = json!({ "content": "other", "id": ids[3] });
    let (status, item) = house.call("POST", &path, Some(&anna), Some(again.clone()));
    assert_eq!((status, &item["content"]), (200, &json!("m3")));
    let bert = house.person("bert");
    house.join(&bert, &room);
    let (status, no) = house.call("POST", &path, Some(&bert), Some(again));
    assert_eq!((status, &no["code"]), (409, &json!("id_taken")));
}

#[test]
fn the_eleventh_message_in_ten_seconds_is_refused_with_when_to_come_back() {
    let house = House::with(&["--limit", "rate_delay_ms_max=0"]);
    let anna = house.person("anna");
    let room = house.open_room(&anna, "Kitchen");
    let path = format!("/api/rooms/{room}/messages");
    let answers: Vec<_> = (0..11).map(|_| say(&house, &path, &anna, "hey").0).collect();
    assert_eq!(answers, [[201; 10].as_slice(), &[429]].concat());
}

#[test]
fn who_is_not_in_a_private_room_does_not_find_it() {
    let house = House::start();
    let (anna, bert) = (house.person("anna"), house.person("bert"));
    let room = json!({ "name": "Secrets", "type": "private", "sealing": "open" });
    let (_, room) = house.call("POST", "/api/rooms", Some(&anna), Some(room));
    let room = room["id"].as_str().unwrap();
    let unknown = "01890000-0000-7000-8000-000000000001";
    for path in ["", "/messages", "/members", "/bundles", "/devices"] {
        let theirs = house.call("GET", &format!("/api/rooms/{room}{path}"), Some(&bert), None);
        let nowhere = house.call("GET", &format!("/api/rooms/{unknown}{path}"), Some(&bert), None);
        assert_eq!(theirs.0, 404, "{path}: {}", theirs.1);
        assert_eq!(theirs, nowhere, "{path}: the answers differ");
    }
    let hello = Some(json!({ "content": "hello" }));
    let path = format!("/api/rooms/{room}/messages");
    assert_eq!(house.call("POST", &path, Some(&bert), hello).0, 404);
    assert_eq!(house.call("POST", &format!("/api/rooms/{room}/join"), Some(&bert), None).0, 404);
}

#[test]
fn bad_requests_get_their_reason() {
    let house = House::start();
    let anna = house.person("anna");
    let long = "x".repeat(101);
    let cases: [(&str, &str, Value, u16, &str); 9] = [
        ("POST", "/api/rooms", json!({ "name": "", "type": "public" }), 400, "bad_name"),
        ("POST", "/api/rooms", json!({ "name": long, "type": "public" }), 400, "bad_name"),
        ("POST", "/api/rooms", json!({ "name": "a", "type": "secret" }), 400, "bad_json"),
        ("POST", "/api/rooms", json!({ "name": "a", "type": "private" }), 409, "bundle_required"),
        ("POST", "/api/rooms", json!([1]), 400, "bad_json"),
        ("POST", "/api/auth/login", json!({ "username": "anna" }), 400, "bad_login"),
        ("PUT", "/api/rooms", json!({}), 405, "method_not_allowed"),
        ("GET", "/api/nothing", Value::Null, 404, "not_found"),
        ("GET", "/api/rooms/not-an-id/messages", Value::Null, 404, "not_found"),
    ];
    for (method, path, body, status, code) in cases {
        let body = (!body.is_null()).then_some(body);
        let (got, reply) = house.call(method, path, Some(&anna), body);
        assert_eq!((got, &reply["code"]), (status, &json!(code)), "{method} {path}: {reply}");
        assert!(!reply["message"].as_str().unwrap().is_empty());
    }
    let (status, reply) = house.call("GET", "/api/rooms", None, None);
    assert_eq!((status, &reply["code"]), (401, &json!("sign_in")));
    // Announced only: a box that says no need not read what it will not take.
    let mut stream = TcpStream::connect(house.http).unwrap();
    let head = format!(
        "POST /api/rooms HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Content-Length: 2000000\r\nConnection: close\r\n\r\n",
        anna.token
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("too_large"), "{answer}");
}

#[test]
fn logins_answer_alike_for_wrong_passwords_and_unknown_names() {
    let house = House::start();
    house.person("anna");
    let wrong = |name: &str| {
        let login = json!({ "username": name, "password": "no" });
        house.call("POST", "/api/auth/login", None, Some(login))
    };
    assert_eq!(wrong("anna"), wrong("nobody"));
    assert_eq!(wrong("anna").0, 401);
    let params = |name: &str| {
        let (status, reply) =
            house.call("GET", &format!("/api/auth/params?username={name}"), None, None);
        assert_eq!(status, 200);
        reply
    };
    assert_eq!(params("nobody"), params("NOBODY"), "stable, and without regard to case");
    assert_ne!(params("nobody"), params("nobody2"));
    assert_eq!(params("nobody")["cost"], params("anna")["cost"]);
}

/// The shortest time of so many requests of each kind, made in turns, in µs. It is what a thief
/// would look at: whatever else a machine does makes some of them longer, and none shorter.
fn shortest<const N: usize>(
    house: &House,
    rounds: usize,
    kinds: [(&str, &str, Option<Value>); N],
) -> [u128; N] {
    let mut taken = [u128::MAX; N];
    for _ in 0..rounds {
        for (shortest, (method, path, body)) in taken.iter_mut().zip(&kinds) {
            let began = Instant::now();
            house.call(method, path, None, body.clone());
            *shortest = began.elapsed().as_micros().clamp(1, *shortest);
        }
    }
    taken
}

#[test]
fn how_long_a_login_takes_tells_no_name_from_another() {
    let house = House::with(&["--limit", "login_wait_s_max=0"]);
    let anna = house.person("anna");
    house.person("gone");
    house.person("kim");
    // Has keys from now on: the others are accounts without a vault.
    let profile = house.profile("kim");
    hearth_gateway::member::Member::login(&house.url(), "kim", "correct horse", &profile).unwrap();
    let (_, people) = house.call("GET", "/api/users", Some(&anna), None);
    let people = people["users"].as_array().unwrap();
    let gone = people.iter().find(|user| user["name"] == "gone").unwrap();
    let path = format!("/api/users/{}", gone["id"].as_str().unwrap());
    let (status, _) = house.call("PATCH", &path, Some(&anna), Some(json!({ "blocked": true })));
    assert_eq!(status, 200);
    let login = |name: &str| {
        let key = hearth_protocol::bytes::b64u(&[7; 32]);
        ("POST", "/api/auth/login", Some(json!({ "username": name, "auth_key": key })))
    };
    let typed = |name: &str| {
        ("POST", "/api/auth/login", Some(json!({ "username": name, "password": "wrong" })))
    };
    let names = ["anna", "nobody", "gone", "kim"];
    let params = names.map(|name| format!("/api/auth/params?username={name}"));
    let looked = params.each_ref().map(|path| ("GET", path.as_str(), None));
    for times in [
        shortest(&house, 60, names.map(login)),
        shortest(&house, 60, looked),
        shortest(&house, 7, names.map(typed)),
    ] {
        let (least, most) = (times.iter().min().unwrap(), times.iter().max().unwrap());
        // One more hash, or one read of the disk less, stays far below; a stretched password not.
        assert!(most < &(least * 3), "{times:?} µs for {names:?}");
    }
}

#[test]
fn an_app_token_writes_messages_and_reaches_no_keys_and_no_tokens() {
    let house = House::start();
    let anna = house.person("anna");
    let room = house.open_room(&anna, "Kitchen");
    let label = Some(json!({ "label": "phone app" }));
    let (status, made) = house.call("POST", "/api/auth/tokens", Some(&anna), label.clone());
    assert_eq!(status, 201, "{made}");
    let app = Person { token: made["token"].as_str().unwrap().to_string(), ..anna.clone() };
    assert_eq!(say(&house, &format!("/api/rooms/{room}/messages"), &app, "hey").0, 201);
    for (method, path, body) in [
        ("GET", "/api/vault", None),
        ("PUT", "/api/users/me/card", Some(json!({ "card": "AAAA" }))),
        ("GET", "/api/auth/tokens", None),
        ("POST", "/api/auth/tokens", label),
        ("POST", "/api/auth/logout", None),
    ] {
        let (status, no) = house.call(method, path, Some(&app), body);
        assert_eq!((status, &no["code"]), (403, &json!("forbidden")), "{method} {path}");
    }
    let path = format!("/api/auth/tokens/{}", made["id"].as_str().unwrap());
    assert_eq!(house.call("DELETE", &path, Some(&anna), None).0, 204);
    assert_eq!(house.call("GET", "/api/rooms", Some(&app), None).0, 401);
    assert_eq!(house.call("POST", "/api/auth/logout", Some(&anna), None).0, 204);
    assert_eq!(house.call("GET", "/api/rooms", Some(&anna), None).0, 401);
}

#[test]
fn malformed_mqtt_ends_its_connection_and_nobody_elses() {
    let house = House::start();
    let anna = house.person("anna");
    let room = house.open_room(&anna, "Kitchen");
    for bytes in [
        &b"\x00"[..],
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x10\xff\xff\xff\xff\x7f",
        b"\xb0\x03\x00\x01\x00",
        b"\x10\x0c\x00\x04MQTT\x09\x02\x00\x3c\x00\x00",
    ] {
        let mut stream = TcpStream::connect(house.mqtt).unwrap();
        stream.write_all(bytes).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut rest = vec![];
        // A reset is an end too.
        stream.read_to_end(&mut rest).ok();
    }
    let path = format!("/api/rooms/{room}/messages");
    assert_eq!(say(&house, &path, &anna, "still here").0, 201);
}

#[test]
fn what_hinders_a_start_is_said_with_the_remedy() {
    let house = House::start();
    let said = |data: &std::path::Path, http: &str| {
        let output = command(data, &["serve", "--http", http, "--mqtt", "127.0.0.1:0"], "");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let other = tempfile::tempdir().unwrap();
    let taken = said(&other.path().join("d"), &house.http.to_string());
    assert!(taken.contains("--http") && taken.contains("give another address"), "{taken}");
    let beyond = said(&other.path().join("d"), "0.0.0.0:0");
    assert!(beyond.contains("--insecure"), "{beyond}");
    let locked = said(&house.data(), "127.0.0.1:0");
    assert!(locked.contains("another"), "{locked}");
    let file = other.path().join("file");
    std::fs::write(&file, "not a folder").unwrap();
    let folder = said(&file.join("data"), "127.0.0.1:0");
    assert!(folder.contains("--data"), "{folder}");
    let mut foreign = House::start();
    foreign.stop();
    std::fs::write(foreign.data().join("hearth.db"), vec![7; 100_000]).unwrap();
    let foreign = said(&foreign.data(), "127.0.0.1:0");
    assert!(foreign.contains("not a Hearth database"), "{foreign}");
    let usage = Command::new(binary()).arg("nonsense").output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
}

#[test]
fn the_key_opens_only_its_own_house() {
    let mut house = House::start();
    house.person("anna");
    house.stop();
    let key = house.data().with_extension("key");
    let kept = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let args = ["serve", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0"];
    let without = house.run(&args, "");
    assert_eq!(without.status.code(), Some(1), "{without:?}");
    assert!(String::from_utf8_lossy(&without.stderr).contains("key"), "{without:?}");
    assert!(!key.exists(), "a lost key is not replaced by a new one that opens nothing");
    std::fs::write(&key, kept).unwrap();
    let open_to_all = house.run(&args, "");
    assert!(String::from_utf8_lossy(&open_to_all.stderr).contains("chmod 600"), "{open_to_all:?}");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    house.restart();
    house.sign_in("anna");
}

#[test]
fn a_room_shows_messages_as_they_are_and_raw_as_they_came_and_says_what_it_keeps() {
    let house = House::with(&["--limit", "messages_per_10_s=0"]);
    let anna = house.person("anna");
    let room = house.open_room(&anna, "Kitchen");
    let path = format!("/api/rooms/{room}/messages");
    let (_, first) = say(&house, &path, &anna, "helo");
    let edit = json!({ "type": "edit", "target": first["id"], "content": "hello" });
    assert_eq!(house.call("POST", &path, Some(&anna), Some(edit)).0, 201);
    let page = |query: &str| {
        let (status, page) = house.call("GET", &format!("{path}?{query}"), Some(&anna), None);
        assert_eq!(status, 200, "{page}");
        page
    };
    let shown = page("limit=10");
    let messages = shown["messages"].as_array().unwrap();
    let message = messages.iter().find(|item| item["id"] == first["id"]).unwrap();
    assert_eq!(message["content"], "hello");
    assert!(message["edited_at"].is_u64(), "{message}");
    assert_eq!(shown["covered"]["to"], shown["head_position"]);
    let raw = page("limit=10&raw=1");
    let raw = raw["messages"].as_array().unwrap();
    assert_eq!(raw.len(), messages.len() + 1);
    assert_eq!(raw.last().unwrap()["type"], "edit");
    let around = page(&format!("limit=1&around={}", first["id"].as_str().unwrap()));
    assert_eq!(around["messages"][0]["content"], "hello");
    let since = page(&format!("limit=1&since={}", first["received_at"]));
    assert_eq!(since["covered"]["from"], json!(first["position"]));
    let two = format!("{path}?before=3&since=4");
    assert_eq!(house.call("GET", &two, Some(&anna), None).1["code"], "bad_place");

    let set = ["room", "set", "Kitchen", "--keep-days", "30", "--keep-mb", "5"];
    let set = house.run(&set, "");
    let said = String::from_utf8_lossy(&set.stdout).into_owned();
    assert!(said.contains("keeps 30 days, keeps 5 MB"), "{set:?}");
    let set = house.run(&["room", "set", "Kitchen", "--history", "since-join"], "");
    assert!(set.status.success(), "{set:?}");
    let (_, view) = house.call("GET", &format!("/api/rooms/{room}"), Some(&anna), None);
    let kept = (&view["keep_days"], &view["keep_bytes"], &view["history"]);
    assert_eq!(kept, (&json!(30), &json!(5_242_880), &json!("since_join")));
}
