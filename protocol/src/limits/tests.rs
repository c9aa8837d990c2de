//! That limits are set by name and read back.

use super::*;

#[test]
fn a_limit_is_set_by_its_name() {
    let mut limits = Limits::default();
    assert_eq!(limits.messages_per_10_s, 10);
    limits.set("messages_per_10_s=0").unwrap();
    assert_eq!(limits.messages_per_10_s, 0);
    assert_eq!(limits.set("x"), Err(LimitError::Form("x".into())));
    assert_eq!(limits.set("receive_max=-1"), Err(LimitError::Form("receive_max=-1".into())));
    assert!(matches!(limits.set("nothing=1"), Err(LimitError::Unknown { .. })));
}

#[test]
fn the_page_reads_back() {
    let mut limits = Limits::default();
    limits.set("receive_max=3").unwrap();
    let mut other = Limits::default();
    for line in limits.to_string().lines() {
        other.set(line).unwrap();
    }
    assert_eq!(limits, other);
}
