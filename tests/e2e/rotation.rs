//! Epochs as people at shells live through them: a removed member with old secrets, one who comes
//! back after five rotations, two who rotate at once.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::sync::Barrier;

use hearth_gateway::member::mqtt::Session;
use hearth_gateway::member::reading::Said;
use hearth_gateway::member::rooms::RoomInfo;
use hearth_gateway::member::{Member, MemberError};
use hearth_protocol::bytes::from_b64u;
use hearth_protocol::ids::UserId;
use hearth_protocol::role::{RoomType, Sealing};
use hearth_protocol::sealing::bundle::Bundle;
use hearth_protocol::sealing::{Recipient, door, event};
use serde_json::Value;
use system_tests::House;
use system_tests::shell::PASSWORD;

struct Scene {
    house: House,
    ada: Member,
    ben: Member,
    room: RoomInfo,
}

impl Scene {
    /// Ada's private sealed room, with ben in it.
    fn new() -> Scene {
        let limits = ["messages_per_10_s=0", "epochs_per_10_min=0"];
        let house = House::with(&["--limit", limits[0], "--limit", limits[1]]);
        let mut ada = house.found("ada");
        let room = ada.make_room("Den", RoomType::Private, Sealing::Sealed).unwrap();
        let link = ada.invite(&room, 1, 7).unwrap();
        let (ben, _) = Member::register(&link, "ben", PASSWORD, &house.profile("ben")).unwrap();
        Scene { house, ada, ben, room }
    }

    fn connect(&self, member: &Member) -> Session {
        member.connect(&self.house.mqtt.into()).unwrap()
    }
}

fn said(member: &mut Member, room: &RoomInfo) -> Vec<String> {
    let lines = member.reader(room).unwrap().history(member, 100).unwrap();
    lines.into_iter().filter(|line| line.said != Said::Line).map(|line| line.text).collect()
}

/// The room's bundles and its newest wire, as the box itself has them.
fn stored(member: &Member, room: &RoomInfo) -> (Vec<Bundle>, Vec<u8>) {
    let get = |path: &str| -> Value {
        member.rest().get(&format!("/api/rooms/{}/{path}", room.id)).unwrap()
    };
    let bytes = |text: &Value| from_b64u(text.as_str().unwrap()).unwrap();
    let bundles = get("bundles?after=0");
    let bundles = bundles["bundles"].as_array().unwrap().iter();
    let bundles = bundles.map(|one| Bundle::parse(&bytes(&one["bundle"])).unwrap()).collect();
    let page = get("messages?limit=50");
    let items = page["messages"].as_array().unwrap();
    let newest = items.iter().rfind(|item| item["class"] == 1).unwrap();
    (bundles, bytes(&newest["sealed"]))
}

fn listed(bundle: &Bundle) -> Vec<UserId> {
    let mut users: Vec<_> = bundle.header.members.iter().map(|(user, _)| *user).collect();
    users.sort_unstable();
    users
}

#[test]
fn a_removed_member_with_every_old_secret_opens_nothing_new_and_hears_nothing() {
    let mut scene = Scene::new();
    let (room, ben_id) = (scene.room.clone(), scene.ben.user());
    let mut adas = scene.connect(&scene.ada);
    scene.ada.send(&mut adas, &room, "before").unwrap();
    assert_eq!(said(&mut scene.ben, &room), ["before"]);
    let kept = scene.ben.room_keys(room.id).unwrap();
    let mut bens = scene.connect(&scene.ben);
    let out = format!("hearth/rooms/{}/out", room.id);
    bens.subscribe(&out, &[]).unwrap();
    scene.ada.rest().delete(&format!("/api/rooms/{}/members/{ben_id}", room.id)).unwrap();
    scene.ada.send(&mut adas, &room, "after").unwrap();

    // The box gives ben nothing by any way.
    let path = |what: &str| format!("/api/rooms/{}/{what}", room.id);
    for what in ["messages", "bundles?after=0", "members"] {
        let refused = scene.ben.rest().get::<Value>(&path(what)).unwrap_err();
        assert!(refused.is("not_found"), "{what}: {refused}");
    }
    let again = scene.connect(&scene.ben).subscribe(&out, &[]);
    assert!(again.is_err(), "a room one is not in cannot be subscribed to");
    let refused = scene.ben.send(&mut bens, &room, "still here").unwrap_err();
    assert!(refused.is("not_found"), "{refused}");

    // Nor does it help to have the store: neither his keys nor the old secrets open the next epoch.
    let (bundles, wire) = stored(&scene.ada, &room);
    let newest = bundles.last().unwrap();
    assert_eq!(listed(newest), [scene.ada.user()]);
    assert!(newest.open(&scene.ben.identity().age).is_err());
    let ada = scene.ada.identity().sign.public();
    let opens = |epoch| kept.keys(epoch).is_some_and(|keys| event::open(&wire, keys, &ada).is_ok());
    assert!((1..=newest.header.epoch).all(|epoch| !opens(epoch)));
    assert!(kept.keys(newest.header.epoch).is_none());
    let keys = scene.ada.room_keys(room.id).unwrap();
    assert!(event::open(&wire, keys.current_keys().unwrap(), &ada).is_ok(), "ada's do");
    assert_eq!(said(&mut scene.ada, &room), ["before", "after"]);
}

#[test]
fn who_was_away_for_five_rotations_reads_everything_and_writes_on() {
    let mut scene = Scene::new();
    let room = scene.room.clone();
    let mut adas = scene.connect(&scene.ada);
    let first = scene.ben.room_keys(room.id).unwrap().current().unwrap().header.epoch;
    for number in 0..5 {
        scene.ada.send(&mut adas, &room, &format!("under {number}")).unwrap();
        scene.ada.rotate(room.id).unwrap();
    }
    let texts: Vec<_> = (0..5).map(|number| format!("under {number}")).collect();
    let mut ben = Member::open(&scene.house.profile("ben")).unwrap();
    assert_eq!(said(&mut ben, &room), texts);
    let now = ben.room_keys(room.id).unwrap().current().unwrap().header.epoch;
    assert_eq!(now, first + 5);
    ben.send(&mut scene.connect(&ben), &room, "I am back").unwrap();
    // Also on a machine that has seen none of these epochs.
    let url = scene.house.url();
    let elsewhere = scene.house.profile("elsewhere");
    let (mut elsewhere, _) = Member::login(&url, "ben", PASSWORD, &elsewhere).unwrap();
    assert_eq!(said(&mut elsewhere, &room), [&texts[..], &["I am back".to_string()]].concat());
}

#[test]
fn two_who_rotate_at_once_come_to_one_line_of_epochs() {
    const ROUNDS: u32 = 5;
    let Scene { house, mut ada, mut ben, room } = Scene::new();
    let first = ada.room_keys(room.id).unwrap().current().unwrap().header.epoch;
    let start = Barrier::new(2);
    let rotate = |member: &mut Member| -> Vec<MemberError> {
        let round = |_| {
            start.wait();
            member.rotate(room.id).err()
        };
        (0..ROUNDS).filter_map(round).collect()
    };
    let problems = std::thread::scope(|scope| {
        let both = [scope.spawn(|| rotate(&mut ada)), scope.spawn(|| rotate(&mut ben))];
        both.map(|thread| thread.join().unwrap())
    });
    assert!(problems.iter().all(Vec::is_empty), "{problems:?}");
    let (mut adas, mut bens) = (ada.room_keys(room.id).unwrap(), ben.room_keys(room.id).unwrap());
    let last = adas.current().unwrap().header.epoch;
    assert_eq!(last, first + 2 * ROUNDS, "each change is an epoch of its own");
    for keys in [&mut adas, &mut bens] {
        assert!((1..=last).all(|epoch| keys.keys(epoch).is_some()), "every epoch opens");
    }
    assert_eq!(adas.current().unwrap().header_hash(), bens.current().unwrap().header_hash());
    let mut session = ada.connect(&house.mqtt.into()).unwrap();
    ada.send(&mut session, &room, "one room").unwrap();
    assert_eq!(said(&mut ben, &room), ["one room"]);
}

#[test]
fn somebody_who_is_not_listed_yet_waits_and_blocks_nobody() {
    let mut scene = Scene::new();
    let room = scene.room.clone();
    let cleo = Member::login(&scene.house.url(), "nobody", PASSWORD, &scene.house.profile("x"));
    assert!(cleo.err().unwrap().is("wrong_login"));
    let made = scene.house.run(&["user", "add", "cleo", "--password-stdin"], "correct horse\n");
    assert!(made.status.success(), "{made:?}");
    let url = scene.house.url();
    let (mut cleo, _) =
        Member::login(&url, "cleo", PASSWORD, &scene.house.profile("cleo")).unwrap();
    let add = serde_json::json!({ "user_id": cleo.user() });
    let path = format!("/api/rooms/{}/members", room.id);
    let _: Value = scene.ada.rest().post(&path, &add).unwrap();
    let mut cleos = scene.connect(&cleo);
    let waits = cleo.send(&mut cleos, &room, "hello?").unwrap_err();
    assert!(matches!(waits, MemberError::NotListed), "{waits}");
    let mut adas = scene.connect(&scene.ada);
    scene.ada.send(&mut adas, &room, "nobody waits for cleo").unwrap();
    assert_eq!(said(&mut scene.ben, &room), ["nobody waits for cleo"]);
}

#[test]
fn a_device_whose_door_was_renewed_is_told_so_from_then_on_and_its_new_line_is_shown() {
    let mut scene = Scene::new();
    let (room, ben) = (scene.room.clone(), scene.ben.user());
    let link = scene.ada.invite(&room, 1, 7).unwrap();
    let profile = scene.house.profile("cleo");
    let (cleo, _) = Member::register(&link, "cleo", PASSWORD, &profile).unwrap();
    let cleo = cleo.user();
    // Reads on with what it knew before there was the device.
    let mut early = scene.ada.reader(&room).unwrap();
    let washer = scene.ada.add_device(&room, "washer", false).unwrap();
    let post = |by: Recipient, text: &str| {
        let (name, file) = (washer.id.to_string(), door::seal(text.as_bytes(), by).unwrap());
        let address = scene.house.mqtt.into();
        let mut session = Session::connect(&address, "washer", &name, &washer.token).unwrap();
        session.publish(&washer.topic, file).unwrap();
    };
    let old = washer.recipient.unwrap();
    assert_eq!(scene.ada.device_lines(&room, "washer").unwrap().recipient, Some(old));
    post(old, "one");
    let seen = early.history(&mut scene.ada, 100).unwrap();
    assert_eq!(seen.last().unwrap().text, "one");
    scene.ada.rest().delete(&format!("/api/rooms/{}/members/{ben}", room.id)).unwrap();
    scene.ada.rotate(room.id).unwrap();
    let now = scene.ada.device_lines(&room, &washer.id.to_string()).unwrap();
    let new = now.recipient.unwrap();
    assert_ne!(new, old);
    assert!(now.shell_lines(&scene.ada.doors().unwrap())[0].contains(&new.to_string()));
    post(old, "two");
    post(new, "three");
    let mark = " [sealed with an older key: `hearth device line` has its new line]";
    let marked = ["one".to_string(), format!("two{mark}"), "three".to_string()];
    assert_eq!(said(&mut scene.ada, &room), marked);
    let again = early.history(&mut scene.ada, 100).unwrap();
    assert_eq!(again.last().unwrap().text, "three");
    // Another renewal makes nothing right that was late for the one before.
    scene.ada.rest().delete(&format!("/api/rooms/{}/members/{cleo}", room.id)).unwrap();
    scene.ada.rotate(room.id).unwrap();
    assert_eq!(said(&mut scene.ada, &room), marked);
}
