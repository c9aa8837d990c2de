//! A third implementation of opening events, posts and attachments, and of pairing, in Python and
//! written from the documents, agrees with every vector that it knows.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn check(files: &[PathBuf]) -> Output {
    let python = root().join("target/python/bin/python");
    assert!(python.exists(), "{}: run `scripts/setup test` first", python.display());
    Command::new(python)
        .arg("-B")
        .arg(root().join("tests/interop/third_vectors.py"))
        .args(files)
        .output()
        .unwrap()
}

/// The vector files of both languages.
fn vectors() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(root().join("tests/vectors")).unwrap();
    let files = folder.map(|entry| entry.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|ending| ending == "json")).collect()
}

fn cases(file: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

#[test]
fn it_says_what_both_languages_say() {
    let files = vectors();
    let output = check(&files);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut held: HashMap<String, usize> = HashMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let (op, count) = line.split_once(' ').unwrap();
        held.insert(op.to_string(), count.parse().unwrap());
    }
    for op in [
        "event_header",
        "event_open",
        "event_seal",
        "event_order",
        "door_identity",
        "door_open",
        "attachment_open",
        "pair_link",
        "pair_typed",
        "pair_read",
        "pair_check",
        "pair_agree",
        "pair_open",
    ] {
        let there = |file: &PathBuf| {
            cases(file)["cases"].as_array().unwrap().iter().filter(|case| case["op"] == op).count()
        };
        let written: usize = files.iter().map(there).sum();
        assert!(written > 0 && held.get(op) == Some(&written), "{op}: {held:?} of {written}");
    }
}

#[test]
fn a_case_that_is_wrong_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    for (op, key) in [("event_open", "body"), ("door_open", "plaintext")] {
        let from = root().join(format!("tests/vectors/rust-{}.json", &op[..op.len() - 5]));
        let mut wrong = cases(&from);
        let all = wrong["cases"].as_array_mut().unwrap();
        let good = all.iter_mut().find(|case| case["op"] == op && case["error"].is_null()).unwrap();
        good["out"][key] = "00".into();
        let file = folder.path().join("wrong.json");
        std::fs::write(&file, wrong.to_string()).unwrap();
        let output = check(&[file]);
        assert_eq!(output.status.code(), Some(1), "{op}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(op), "{op}");
    }
}
