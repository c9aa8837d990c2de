//! The shape of the house as a test: file lengths, layer edges, foreign libraries in their own
//! files, nothing left behind.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Source files by their path from the root, with what is in them.
fn sources() -> Vec<(String, String)> {
    let mut found = vec![];
    for folder in ["protocol", "broker", "store", "gateway", "tests", "webclient", "scripts"] {
        walk(&root().join(folder), &mut found);
    }
    found.sort();
    found
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path.strip_prefix(root()).unwrap().to_str().unwrap().to_string(), text)
        })
        .collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !["node_modules", "target", "dist", "output", "corpus"].contains(&name) {
                walk(&path, found);
            }
        } else if ["rs", "ts", "svelte", "css", "py", "mjs"]
            .contains(&path.extension().and_then(|ending| ending.to_str()).unwrap_or_default())
        {
            found.push(path);
        }
    }
}

fn report(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn no_file_is_longer_than_400_lines_and_no_line_than_100() {
    let mut complaints = vec![];
    for (path, text) in sources() {
        let lines = text.lines().count();
        if lines > 400 {
            complaints.push(format!("{path} has {lines} lines: split it by noun"));
        }
        if path.ends_with(".rs") {
            for (at, line) in text.lines().enumerate() {
                if line.chars().count() > 100 {
                    complaints.push(format!("{path}:{} is longer than 100 characters", at + 1));
                }
            }
        }
    }
    report(complaints);
}

#[test]
fn a_rust_file_begins_with_what_it_is_for() {
    let mut complaints = vec![];
    for (path, text) in sources() {
        if path.ends_with(".rs") && !text.starts_with("//!") {
            complaints.push(format!("{path}: the first line says what the file is for"));
        }
    }
    report(complaints);
}

#[test]
fn arrows_between_crates_point_down() {
    // Who may depend on which crate of the house, dev-dependencies left out.
    let allowed: [(&str, &[&str]); 4] = [
        ("protocol", &[]),
        ("broker", &["hearth-protocol"]),
        ("store", &["hearth-protocol"]),
        ("gateway", &["hearth-protocol", "hearth-broker", "hearth-store"]),
    ];
    for (package, expected) in allowed {
        let manifest = fs::read_to_string(root().join(package).join("Cargo.toml")).unwrap();
        let (_, rest) = manifest.split_once("\n[dependencies]\n").unwrap();
        let section = rest.split("\n[").next().unwrap();
        let found: BTreeSet<_> = section
            .lines()
            .filter_map(|line| line.split(['.', ' ']).next())
            .filter(|name| name.starts_with("hearth-"))
            .collect();
        assert_eq!(found, expected.iter().copied().collect(), "{package}");
    }
}

#[test]
fn the_web_client_imports_downwards() {
    // From design §2: ui → state → session, sealing, api, local → protocol.
    let layer = |name: &str| match name {
        "ui" => 3,
        "state" => 2,
        "session" | "sealing" | "api" | "local" => 1,
        "protocol" => 0,
        _ => 4,
    };
    let mut complaints = vec![];
    for (path, text) in sources() {
        let Some(rest) = path.strip_prefix("webclient/src/") else { continue };
        let Some((from, _)) = rest.split_once('/') else { continue };
        for line in text.lines() {
            let Some((_, target)) = line.split_once(" from '..") else { continue };
            let to = target.trim_start_matches(['.', '/']).split('/').next().unwrap_or_default();
            if layer(to) < 4 && layer(to) > layer(from) {
                complaints.push(format!("{path}: {from} must not import {to}"));
            }
        }
    }
    report(complaints);
}

#[test]
fn each_foreign_library_is_named_in_its_own_files() {
    let homes: [(&str, &[&str]); 11] = [
        ("rumqttd::", &["broker/src/bus/", "broker/src/bus.rs"]),
        ("rmqtt_codec::", &["broker/src/session/wire", "broker/tests/"]),
        ("redb::", &["store/src/engine/redb", "store/src/sealed_file", "tests/benches/store/"]),
        ("rumqttc::", &["gateway/src/member/mqtt.rs", "tests/"]),
        (
            "warp::",
            &[
                "gateway/src/api",
                "gateway/src/http",
                "gateway/src/sse",
                "gateway/src/testing.rs",
                "gateway/src/web.rs",
                "gateway/src/ws",
            ],
        ),
        (
            "rustls::",
            &[
                "broker/src/listener/tls.rs",
                "broker/src/broker.rs",
                "broker/tests/",
                "gateway/src/authority.rs",
                "gateway/src/tls",
                "gateway/src/member/trust.rs",
                "gateway/src/member/tunnel.rs",
            ],
        ),
        ("rcgen::", &["gateway/src/authority.rs", "gateway/src/member/trust.rs", "broker/tests/"]),
        ("jsonwebtoken::", &["gateway/src/auth/jwt.rs"]),
        ("from 'mqtt'", &["webclient/src/session/"]),
        ("from 'marked'", &["webclient/src/ui/markdown/parse.ts"]),
        ("from 'minisearch'", &["webclient/src/local/search_index.ts"]),
    ];
    let mut complaints = vec![];
    for (path, text) in sources() {
        for (library, allowed) in &homes {
            let named = text.lines().any(|line| {
                !line.trim_start().starts_with("//")
                    && line
                        .replace("engine::redb::", "")
                        .replace("super::redb::", "")
                        .contains(library)
                    && path != "tests/tidy.rs"
            });
            if named && !allowed.iter().any(|home| path.starts_with(home)) {
                complaints.push(format!("{path} names {library}"));
            }
        }
    }
    report(complaints);
}

#[test]
fn nothing_is_left_behind() {
    let words =
        ["todo!(", "unimplemented!(", "dbg!(", "#[ignore", "FIXME", "XXX", ".only(", "it.skip("];
    let mut complaints = vec![];
    for (path, text) in sources() {
        if path == "tests/tidy.rs" {
            continue;
        }
        for (at, line) in text.lines().enumerate() {
            if let Some(word) = words.iter().find(|word| line.contains(**word)) {
                complaints.push(format!("{path}:{}: {word}", at + 1));
            }
            let unbounded = line.contains("unbounded_channel") || line.contains("mpsc::unbounded");
            if unbounded && path.ends_with(".rs") {
                complaints.push(format!("{path}:{}: a channel without a bound", at + 1));
            }
        }
    }
    report(complaints);
}
