//! Of devices: tokens that are commands, doors and times that a member made false, posts that are
//! told otherwise than they stand, epochs that are told of and are not there.

use hearth_protocol::event::{Class, Frame};
use hearth_protocol::ids::{DeviceId, Position};
use hearth_protocol::sealing::{Recipient, door};

use super::super::devices::NewDevice;
use super::super::reading::Reader;
use super::*;

fn device() -> DeviceId {
    DeviceId::new(AT, [4; 10])
}

/// The door that the secret of an epoch gives.
fn true_door(made: u32) -> Recipient {
    door::identity(&keys_of(made), device()).unwrap().recipient()
}

/// Epoch 1 with the device's door, and one by ben that renews it so, at that time.
fn renewed(to: Recipient, at: u64) -> [Bundle; 2] {
    let one = changed(None, &[1, 2], 1, |header| header.doors = vec![(device(), true_door(1), 1)]);
    let two = changed(Some(&one), &[1, 2], 2, |header| {
        header.doors = vec![(device(), to, 2)];
        header.at = at;
    });
    [one, two]
}

/// A post as it lies in the room.
fn post(to: Recipient) -> Vec<u8> {
    let file = door::seal(b"Washing done", to).unwrap();
    [&device().as_bytes()[..], &[7; 16], &file].concat()
}

/// Ada, who is asked of the room once these were answered after its bundles.
fn reader(of: &[Bundle], answers: &[String]) -> (tempfile::TempDir, Member, Reader) {
    let by = if of.last().unwrap().header.by == fake::user(2) { 2 } else { 1 };
    let first = [bundles(&of.iter().collect::<Vec<_>>()), cards(&[card(by)])];
    let all: Vec<_> = first.iter().chain(answers).map(|body| (200, body.as_str())).collect();
    let (folder, mut member) = fake::member(&all);
    let info: RoomInfo = serde_json::from_value(info("sealed")).unwrap();
    let reader = member.reader(&info).unwrap();
    (folder, member, reader)
}

fn none_named() -> String {
    json!({ "devices": [] }).to_string()
}

#[test]
fn a_token_that_is_no_word_goes_into_no_line_for_a_shell() {
    let added = |token: &str| {
        let (_folder, mut member) = fake::member(&[(201, &json!({ "token": token }).to_string())]);
        let info: RoomInfo = serde_json::from_value(info("open")).unwrap();
        member.add_device(&info, "washer", false).map(|NewDevice { token, .. }| token)
    };
    assert_eq!(added("hearth_dev_aB-_9").unwrap(), "hearth_dev_aB-_9");
    for bad in ["hearth_dev_", "hearth_dev_a;reboot", "hearth_dev_a b", "a", "hearth_dev_$(x)", ""]
    {
        assert!(matches!(added(bad), Err(MemberError::Answer { .. })), "{bad}");
    }
}

#[test]
fn a_door_that_a_member_made_false_is_known_and_made_anew() {
    let keys = |to| {
        let [one, two] = renewed(to, AT);
        keys_after(&[&bundles(&[&one, &two]), &cards(&[card(2)])], None).unwrap()
    };
    assert_eq!(keys(true_door(2)).door(device()), Some(true_door(2)));
    let false_ = identity(9).age.recipient();
    let known = keys(false_);
    assert_eq!(known.current().unwrap().header.door(device()), Some((false_, 2)));
    assert_eq!(known.door(device()), None);
    let person =
        |byte| json!({ "user": { "id": fake::user(byte), "name": "x", "display_name": "X" } });
    let devices = json!({ "devices": [{ "id": device(), "name": "washer", "plain": "refuse" }] });
    let answers = [
        json!({ "members": [person(1), person(2)] }).to_string(),
        cards(&[card(1)]),
        cards(&[card(2)]),
        devices.to_string(),
    ];
    for (known, stays) in [(known, false), (keys(true_door(2)), true)] {
        let answers: Vec<_> = answers.iter().map(|body| (200, body.as_str())).collect();
        let (_folder, mut member) = fake::member(&answers);
        member.people.pins = Some(super::super::pins::Pins::default());
        let draft = member.draft(&known).unwrap();
        let (to, made) = draft.header.door(device()).unwrap();
        assert_eq!((made, to == true_door(2)), if stays { (2, true) } else { (3, false) });
    }
}

#[test]
fn a_post_is_late_by_no_time_before_that_of_the_epochs_before() {
    let page = |received_at: u64| {
        let sealed = b64u(&post(true_door(1)));
        let item =
            json!({ "position": 1, "received_at": received_at, "class": 2, "sealed": sealed });
        json!({ "messages": [item], "covered": { "from": 1, "to": 1 } }).to_string()
    };
    for (received_at, late) in [(AT - 1, false), (AT, false), (AT + 1, true)] {
        let answers = [page(received_at), none_named()];
        let (_folder, mut member, mut reader) = reader(&renewed(true_door(2), 1), &answers);
        let lines = reader.history(&mut member, 5).unwrap();
        assert_eq!((lines[0].said, lines[0].marks.older_key), (Said::Post, late), "{lines:?}");
    }
}

#[test]
fn an_event_that_comes_live_as_on_a_page_has_its_place_too() {
    let name = json!({ "id": fake::user(2), "name": "ben", "display_name": "Ben" }).to_string();
    let one = [epoch(None, &[1, 2], 1)];
    let (_folder, mut member, mut reader) = reader(&one, &[cards(&[card(2)]), name]);
    let mut live = |position: u64, wire: &[u8]| {
        let item =
            json!({ "position": position, "received_at": 1, "class": 1, "sealed": b64u(wire) });
        reader.payload(&mut member, item.to_string().as_bytes()).unwrap()
    };
    assert_eq!(live(1, &said(1, 1)).text, "1");
    let again = live(2, &said(1, 1));
    assert_eq!((again.said, &*again.text), (Said::Unreadable, "[an event that was there before]"));
    assert_eq!(live(3, &said(4, 4)).missing, 2);
}

#[test]
fn an_epoch_that_is_told_of_and_is_not_there_is_asked_for_once() {
    let one = changed(None, &[1, 2], 1, |header| header.doors = vec![(device(), true_door(1), 1)]);
    let again = [bundles(&[&one]), none_named()];
    let (_folder, mut member, mut reader) = reader(&[one], &again);
    let mut live = |position: u64, class, bytes: &[u8]| {
        let frame = Frame { position: Position(position), received_at: 1, class, bytes };
        reader.payload(&mut member, &frame.encode()).unwrap()
    };
    let told = json!({ "type": "epoch", "epoch": 4_000_000_000_u32 });
    live(1, Class::Line, told.to_string().as_bytes());
    let strange = post(identity(9).age.recipient());
    // The box answers once: a second time it would not be reached.
    for position in 2..5 {
        assert_eq!(live(position, Class::Door, &strange).said, Said::Unreadable);
    }
}
