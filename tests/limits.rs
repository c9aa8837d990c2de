//! The table in `docs/limits.md` has the limits of `protocol/src/limits.rs`, with their defaults.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use hearth_protocol::limits::Limits;

/// Rows of the table: name, default, unit, meaning.
fn rows(text: &str) -> Vec<[&str; 4]> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"));
    rows.map(|row| row.split(" | ").collect::<Vec<_>>().try_into().unwrap()).collect()
}

#[test]
fn the_table_has_every_limit_with_its_default_in_the_same_order() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let text = fs::read_to_string(root.join("docs/limits.md")).unwrap();
    let mut written = String::new();
    for [name, default, unit, meaning] in rows(&text) {
        let (name, default) = (name.trim_end_matches('`'), default.replace(',', ""));
        assert!(!unit.is_empty() && !meaning.is_empty(), "{name}");
        written += &format!("{name}={default}\n");
    }
    assert_eq!(written, Limits::default().to_string());
}
