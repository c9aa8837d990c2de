//! Every vector in `tests/vectors` holds: those that Rust wrote and those the web client wrote.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "it stops at a malformed vector")]

#[path = "vectors/ops.rs"]
mod ops;

use std::path::{Path, PathBuf};

use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors")
}

fn files() -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    files.sort();
    files
}

/// Checks one case; the sentence says what does not hold.
fn check(case: &Value) -> Result<(), String> {
    let op = case["op"].as_str().ok_or("it has no op")?;
    let result = ops::run(op, &case["in"]);
    if case["error"] == true {
        return match result {
            Ok(out) => Err(format!("it should be refused and gives {out}")),
            Err(ops::Refused::Unknown) => Err(format!("unknown op {op}")),
            Err(ops::Refused::By(_)) => Ok(()),
        };
    }
    let out = result.map_err(|error| format!("{error:?}"))?;
    let expected = case["out"].as_object().ok_or("it has neither out nor error")?;
    for (key, value) in expected {
        if out.get(key) != Some(value) {
            let found = out.get(key).unwrap_or(&Value::Null);
            return Err(format!("{key} is {found}, expected {value}"));
        }
    }
    Ok(())
}

#[test]
fn every_vector_holds() {
    let mut wrong = vec![];
    for path in files() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let file: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(file["format"], "hearth/v1", "{name}");
        let cases = file["cases"].as_array().unwrap();
        assert!(!cases.is_empty(), "{name}");
        for case in cases {
            if let Err(problem) = check(case) {
                wrong.push(format!("{name}: {}: {problem}", case["name"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn both_languages_wrote_vectors_and_more_that_fail_than_that_pass() {
    let count = |by: &str| {
        let mut counts = [0, 0];
        for path in files() {
            let file: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            for case in file["cases"].as_array().unwrap() {
                if file["by"] == by {
                    counts[usize::from(case["error"] == true)] += 1;
                }
            }
        }
        counts
    };
    for by in ["rust", "ts"] {
        let [pass, fail] = count(by);
        assert!(pass > 50 && fail > pass, "{by}: {pass} pass, {fail} fail");
        for name in [
            "kdf",
            "card",
            "vault",
            "bundle",
            "event",
            "door",
            "invite",
            "pairing",
            "attachment",
            "padding",
            "chain",
            "order",
        ] {
            assert!(folder().join(format!("{by}-{name}.json")).exists(), "{by} {name}");
        }
    }
}
