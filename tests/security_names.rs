//! docs/security.md claims nothing without a test: every test it names is there, and every
//! adversary's part names some.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// All sources with one of these endings, as one text.
fn sources(endings: &[&str]) -> String {
    let mut all = String::new();
    for folder in ["protocol", "broker", "store", "gateway", "tests", "webclient/src"] {
        gather(&root().join(folder), endings, &mut all);
    }
    all
}

fn gather(folder: &Path, endings: &[&str], all: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !["node_modules", "target", "corpus"].contains(&name) {
            gather(&path, endings, all);
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            all.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

/// What stands between backticks, its lines joined.
fn quoted(text: &str) -> Vec<String> {
    let parts = text.split('`').skip(1).step_by(2);
    parts.map(|part| part.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// A Rust test's name: at least four words of a-z, 0-9 joined by `_`.
fn is_function(name: &str) -> bool {
    let plain = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_';
    name.chars().all(plain) && name.split('_').count() >= 4
}

/// A sentence that names a test of the web client, rather than a command.
fn is_sentence(name: &str) -> bool {
    let first = name.split(' ').next().unwrap_or_default();
    let is_command = ["hearth", "make", "grep", "cargo"].contains(&first);
    let is_word = first.chars().all(|char| char.is_ascii_lowercase());
    name.split(' ').count() >= 4 && is_word && !is_command && !name.contains("--")
}

/// As quotes stand in sources: typographic ones may be written as escapes there.
fn plain(text: &str) -> String {
    text.replace("\\u2019", "\u{2019}")
}

#[test]
fn every_test_that_the_document_of_security_names_is_there() {
    let text = fs::read_to_string(root().join("docs/security.md")).unwrap();
    let rust = sources(&[".rs"]);
    let web = plain(&sources(&[".test.ts", ".test.mjs"]));
    let mut missing = vec![];
    let mut found = 0;
    for name in quoted(&text) {
        let there = match (is_function(&name), is_sentence(&name)) {
            (true, _) => rust.contains(&format!("fn {name}(")),
            (_, true) => web.contains(&name),
            _ => continue,
        };
        found += 1;
        if !there {
            missing.push(name);
        }
    }
    assert!(found > 100, "the document names {found} tests");
    assert!(missing.is_empty(), "docs/security.md names no test of this name: {missing:#?}");
}

#[test]
fn each_adversary_of_a_home_has_its_part_and_names_tests() {
    let text = fs::read_to_string(root().join("docs/security.md")).unwrap();
    let (_, parts) = text.split_once("\n## Per adversary\n").unwrap();
    let (parts, _) = parts.split_once("\n## ").unwrap();
    let parts: Vec<(&str, &str)> =
        parts.split("\n### ").skip(1).filter_map(|part| part.split_once('\n')).collect();
    for wanted in [
        "Someone in the Wi-Fi",
        "The internet provider",
        "A thief of the SD card",
        "A thief of a phone",
        "The one who runs the box",
        "A removed member",
        "A hacked device",
        "Whoever keeps a backup",
    ] {
        let part = parts.iter().find(|(title, _)| title.starts_with(wanted));
        let (title, body) = part.unwrap_or_else(|| panic!("no part on `{wanted}`"));
        let body_lower = body.to_lowercase();
        let says = body_lower.contains("can ") && body_lower.contains("cannot ");
        assert!(says, "{title}: says what they can and what they cannot");
        let names = quoted(body).into_iter().filter(|name| is_function(name) || is_sentence(name));
        assert!(names.count() > 0, "{title}: names no test");
    }
}
