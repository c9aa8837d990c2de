//! schemathesis makes requests from the description of REST, right ones and wrong ones, and looks
//! whether every answer keeps to it: to the owner, a member and a guest. `HEARTH_EXAMPLES=N` sets
//! how many each operation gets.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use system_tests::{House, Person};

/// What of the checks is not asked, and why.
///
/// - `positive_data_acceptance`: a body that has the right shape can still be refused: bytes that
///   are no card, a sealed message in an open room, two places in one query.
const WITHOUT: &str = "positive_data_acceptance";

/// Whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asker {
    Owner,
    Member,
    Guest,
}

#[test]
fn every_answer_to_the_owner_keeps_to_the_description() {
    keeps_to_the_description(Asker::Owner);
}

#[test]
fn every_answer_to_a_member_keeps_to_the_description() {
    keeps_to_the_description(Asker::Member);
}

#[test]
fn every_answer_to_a_guest_keeps_to_the_description() {
    keeps_to_the_description(Asker::Guest);
}

/// The token of whoever asks, who is in the room.
fn token(house: &House, asker: Asker, anna: &Person, room: &str) -> String {
    match asker {
        Asker::Owner => anna.token.clone(),
        Asker::Member => {
            let ben = house.person("ben");
            house.join(&ben, room);
            ben.token
        }
        Asker::Guest => {
            let made = house.run(&["--json", "room", "guests", "Kitchen"], "");
            let made: Value = serde_json::from_slice(&made.stdout).unwrap();
            let body = json!({ "code": made["guests"]["code"], "display_name": "Gus" });
            let (status, session) = house.call("POST", "/api/auth/guest", None, Some(body));
            assert_eq!(status, 201, "{session}");
            session["token"].as_str().unwrap().to_string()
        }
    }
}

fn keeps_to_the_description(asker: Asker) {
    let asked = std::env::var("HEARTH_EXAMPLES").unwrap_or_else(|_| "8".to_string());
    // The owner meets the most of the code; the others are for what they are refused.
    let share = if asker == Asker::Owner { 1 } else { 4 };
    let examples = (asked.parse::<usize>().unwrap() / share).max(1).to_string();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let program = root.join("target/python/bin/st");
    assert!(program.exists(), "run scripts/setup test");
    let limits = ["messages_per_10_s=0", "changes_per_60_s=0", "login_wait_s_max=0"];
    let limits: Vec<_> = limits.into_iter().flat_map(|limit| ["--limit", limit]).collect();
    let house = House::with(&limits);
    let anna = house.person("anna");
    let room = house.open_room(&anna, "Kitchen");
    let token = token(&house, asker, &anna, &room);
    let mut last = json!(null);
    for number in 0..10 {
        let path = format!("/api/rooms/{room}/messages");
        let message = json!({ "content": format!("message {number}") });
        let (status, stored) = house.call("POST", &path, Some(&anna), Some(message));
        assert_eq!(status, 201);
        last = stored["id"].clone();
    }
    // What is there already is asked for too: half of the operations are about a room.
    let config = house.profile("schemathesis.toml");
    let known = format!(
        "[[operations]]\n\
         include-path-regex = \"^/api/rooms/.room./\
           (messages|members$|devices|invites|pins|read|notify)\"\n\
         parameters = {{ room = \"{room}\" }}\n\
         [[operations]]\ninclude-path-regex = \"^/api/messages/\"\n\
         parameters = {{ message = {last} }}\n\
         [[operations]]\ninclude-path-regex = \"^/api/users/.user./\"\n\
         parameters = {{ user = \"{}\" }}\n",
        anna.id
    );
    std::fs::write(&config, known).unwrap();
    let output = Command::new("timeout")
        .args(["7200".as_ref(), program.as_os_str(), "--config-file".as_ref(), config.as_os_str()])
        .args(["run", &format!("{}/api/openapi.json", house.url())])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--checks", "all", "--exclude-checks", WITHOUT, "--max-examples", &examples])
        // How fast a busy machine is, is asked elsewhere.
        .args(["--request-timeout", "300", "--suppress-health-check", "too_slow"])
        // Nobody would be signed in from there on.
        .args(["--exclude-path", "/api/auth/logout"])
        .args(["--exclude-path", "/api/auth/sessions/{session}"])
        .args(["--exclude-path", "/api/users/{user}/sessions"])
        // It has no end.
        .args(["--exclude-path", "/api/notifications/stream"])
        // It makes no bodies of bytes: its generator breaks over them.
        .args(["--exclude-path", "/api/attachments/upload"])
        // One: CPython 3.11 loses count when two threads read sources at once (gh-106905).
        .args(["--workers", "1", "--generation-deterministic", "--no-color"])
        .arg("--continue-on-failure")
        .current_dir(house.profile(".."))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}
