//! Retention in the background of the real binary.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use system_tests::House;

/// What anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn what_a_room_does_not_keep_goes_by_itself_the_oldest_first_and_the_newest_stays() {
    let house = House::with(&["--limit", "messages_per_10_s=0", "--limit", "sweep_gap_s=1"]);
    let anna = house.person("anna");
    let (room, other) = (house.open_room(&anna, "Kitchen"), house.open_room(&anna, "Attic"));
    let say = |room: &str, text: String| {
        let path = format!("/api/rooms/{room}/messages");
        let (status, said) =
            house.call("POST", &path, Some(&anna), Some(json!({ "content": text })));
        assert_eq!(status, 201, "{said}");
    };
    say(&other, "stays".to_string());
    // A megabyte and a half.
    (0..160).for_each(|number| say(&room, format!("{number} {}", "word ".repeat(1_990))));
    let page = |query: &str| {
        let path = format!("/api/rooms/{room}/messages?{query}");
        let (status, page) = house.call("GET", &path, Some(&anna), None);
        assert_eq!(status, 200, "{page}");
        page
    };
    // A page ends at its bytes, too: page by page.
    let all = || {
        let (mut after, mut items) = (0, Vec::new());
        loop {
            let part = page(&format!("after={after}&limit=200"));
            let part = part["messages"].as_array().unwrap();
            let Some(last) = part.last() else { break items };
            after = last["position"].as_u64().unwrap();
            items.extend(part.iter().cloned());
        }
    };
    let number =
        |item: &Value| -> Option<u64> { item["content"].as_str()?.split_once(' ')?.0.parse().ok() };
    let before = page("limit=1");
    let said = all();
    assert!(said.iter().any(|item| number(item) == Some(0)));
    assert!(said.iter().any(|item| number(item) == Some(159)));
    let set = house.run(&["room", "set", "Kitchen", "--keep-mb", "1"], "");
    assert!(set.status.success(), "{set:?}");
    let begun = Instant::now();
    // It is done when what is left is a megabyte: about a hundred of them.
    let kept = loop {
        let kept = all();
        if kept.len() <= 110 {
            break kept;
        }
        assert!(begun.elapsed() < PATIENCE, "nothing goes: {} are left", kept.len());
    };
    let swept = page("limit=1");
    let left: Vec<_> = kept.iter().filter_map(number).collect();
    assert!((95..=110).contains(&left.len()), "{} are left", left.len());
    let first = 160 - left.len() as u64;
    assert!(left.iter().copied().eq(first..160), "the newest, without gaps: {left:?}");
    assert_eq!(swept["first_position"], kept[0]["position"]);
    assert!(before["first_position"].as_u64() < swept["first_position"].as_u64());
    assert_eq!(swept["head_position"], before["head_position"], "positions go on");
    assert_eq!(house.messages(&anna, &other).len(), 1, "a room that keeps all is left alone");
    say(&room, "after it".to_string());
    let newest = page("limit=1");
    assert_eq!(newest["messages"][0]["content"], "after it");
}
