//! The windows, and that every door counts in the same one.

use super::*;
use hearth_protocol::ids::{DeviceId, UserId};

const ANNA: Act = Act::Write(Sender::Person(UserId::from_bytes([1; 16])));

#[test]
fn ten_in_ten_seconds_go_and_the_eleventh_waits_or_is_told_when() {
    let (rates, limits) = (Rates::default(), Limits::default());
    for at in 0..10 {
        assert_eq!(rates.count(ANNA, at * 100, Patience::Short, &limits), Pace::Go);
    }
    assert_eq!(rates.count(ANNA, 1_000, Patience::Short, &limits), Pace::TooFast(9_000));
    assert_eq!(rates.count(ANNA, 7_999, Patience::Short, &limits), Pace::TooFast(2_001));
    assert_eq!(rates.count(ANNA, 8_000, Patience::Short, &limits), Pace::Wait(2_000));
    // The next slot is that of the second message, at 10,100.
    assert_eq!(rates.count(ANNA, 8_100, Patience::Short, &limits), Pace::Wait(2_000));
    assert_eq!(rates.count(ANNA, 8_100, Patience::Short, &limits), Pace::TooFast(2_100));
    assert_eq!(rates.count(ANNA, 20_200, Patience::Short, &limits), Pace::Go);
}

#[test]
fn who_cannot_be_told_no_waits_in_line() {
    let (rates, limits) = (Rates::default(), Limits::default());
    let paces: Vec<_> = (0..12).map(|_| rates.count(ANNA, 0, Patience::Endless, &limits)).collect();
    assert_eq!(paces[9..], [Pace::Go, Pace::Wait(10_000), Pace::Wait(10_000)]);
    let more: Vec<_> = (0..10).map(|_| rates.count(ANNA, 0, Patience::Endless, &limits)).collect();
    assert_eq!(more[8..], [Pace::Wait(20_000), Pace::Wait(20_000)]);
}

#[test]
fn a_device_has_its_own_window_and_zero_lifts_the_limit() {
    let (rates, mut limits) = (Rates::default(), Limits::default());
    let washer = Act::Write(Sender::Device(DeviceId::from_bytes([2; 16])));
    for _ in 0..60 {
        assert_eq!(rates.count(washer, 0, Patience::Short, &limits), Pace::Go);
    }
    assert_eq!(rates.count(washer, 0, Patience::Short, &limits), Pace::TooFast(60_000));
    limits.posts_per_60_s = 0;
    assert_eq!(rates.count(washer, 0, Patience::Short, &limits), Pace::Go);
}
