//! Filters and names as MQTT says, shared subscriptions, topics that read back.

use super::*;
use proptest::prelude::*;

#[test]
fn filters_match_as_mqtt_says() {
    // MQTT 5 §4.7.1.2, §4.7.1.3, §4.7.2
    let cases = [
        ("sport/tennis/player1/#", "sport/tennis/player1", true),
        ("sport/tennis/player1/#", "sport/tennis/player1/ranking", true),
        ("sport/#", "sport", true),
        ("#", "sport/tennis", true),
        ("sport/+", "sport", false),
        ("sport/+", "sport/", true),
        ("sport/tennis/+", "sport/tennis/player1/ranking", false),
        ("+/+", "/finance", true),
        ("/+", "/finance", true),
        ("+", "/finance", false),
        ("#", "$SYS/uptime", false),
        ("+/uptime", "$SYS/uptime", false),
        ("$SYS/#", "$SYS/uptime", true),
        ("a/b", "a/B", false),
    ];
    for (filter, name, expected) in cases {
        assert_eq!(matches(filter, name), expected, "{filter} {name}");
    }
}

#[test]
fn a_shared_subscription_has_a_name_and_a_filter() {
    let cases = [
        ("$share/g/a/#", Some(("g", "a/#"))),
        ("$share/g//", Some(("g", "/"))),
        ("$share/g/$share/h/a", Some(("g", "$share/h/a"))),
        ("$share/g", None),
        ("$shared/g/a", None),
        ("a/$share/g/a", None),
    ];
    for (filter, expected) in cases {
        let parts = shared(filter).map(|shared| (shared.name, shared.filter));
        assert_eq!(parts, expected, "{filter}");
    }
}

#[test]
fn malformed_filters_and_names_are_told_apart() {
    let good = ["#", "+", "a/+/b", "a/#", "/", "a//b", "$share/g/a/#", "$SYS/#"];
    for filter in good {
        assert_eq!(check_filter(filter), Ok(()), "{filter}");
    }
    let bad = [
        ("", TopicError::Empty),
        ("a#", TopicError::BadWildcard),
        ("a/#/b", TopicError::BadWildcard),
        ("a+/b", TopicError::BadWildcard),
        ("$share", TopicError::BadShare),
        ("$share/g", TopicError::BadShare),
        ("$share//a", TopicError::BadShare),
        ("$share/g/", TopicError::BadShare),
        ("$share/+/a", TopicError::BadShare),
        ("a\0b", TopicError::Control),
    ];
    for (filter, error) in bad {
        assert_eq!(check_filter(filter), Err(error), "{filter}");
    }
    assert_eq!(check_name("a/+"), Err(TopicError::Wildcard));
    assert_eq!(check_name(&"a".repeat(65_536)), Err(TopicError::TooLong));
}

#[test]
fn what_is_not_in_the_table_is_no_topic_of_hearth() {
    let room = RoomId::new(5, [0xab; 10]);
    for name in [
        "hearth".into(),
        "hearth/".into(),
        "hearth/other".into(),
        "hearth/status/x".into(),
        format!("hearth/rooms/{room}"),
        format!("hearth/rooms/{room}/in/"),
        format!("hearth/rooms/{room}/door"),
        format!("hearth/rooms/{room}/door/x"),
        format!("hearth/rooms/{}/in", room.to_string().to_uppercase()),
        format!("/hearth/rooms/{room}/in"),
    ] {
        assert_eq!(Topic::parse(&name), None, "{name}");
    }
}

proptest! {
    #[test]
    fn a_topic_reads_back_as_written(a: [u8; 10], b: [u8; 10], ms in 1u64..1 << 47) {
        let (room, user, device) =
            (RoomId::new(ms, a), UserId::new(ms, b), DeviceId::new(ms, b));
        for topic in [
            Topic::RoomIn(room), Topic::Door(room, device), Topic::RoomOut(room),
            Topic::Live(room, user), Topic::Read(room, user), Topic::Receipts(room),
            Topic::Key(room), Topic::Presence(user), Topic::Inbox(user),
            Topic::Signal(user, user), Topic::Status, Topic::Sys(Number::Retained),
        ] {
            prop_assert_eq!(Topic::parse(&topic.to_string()), Some(topic));
            prop_assert_eq!(check_name(&topic.to_string()), Ok(()));
        }
    }

    #[test]
    fn a_filter_is_covered_when_all_its_names_are(
        wide in "a(/[ab+]){0,3}(/#)?",
        filter in "[ab+](/[ab+]){0,3}(/#)?",
    ) {
        // Names with every mix of levels, also one that stands in no filter, one level deeper
        // than any of them.
        let mut names = vec![String::new()];
        let mut all_match = true;
        for _ in 0..5 {
            let levels = |name: &String| ["a", "b", "c"].map(|level| match &**name {
                "" => level.to_string(),
                name => format!("{name}/{level}"),
            });
            names = names.iter().flat_map(levels).collect();
            all_match &= names.iter().all(|n| !matches(&filter, n) || matches(&wide, n));
        }
        prop_assert_eq!(covers(&wide, &filter), all_match);
    }

    #[test]
    fn no_text_panics(text in ".{0,80}", other in ".{0,80}") {
        check_filter(&text).ok();
        matches(&text, &other);
        prop_assert!(Topic::parse(&text).is_none() || check_name(&text).is_ok());
    }
}
