//! `hearth doctor`: looks at the box and says what is wrong and what to do.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{Failure, house};
use crate::admin::{Reply, Request};
use crate::config::Place;

mod space;

/// What was looked at and how it is.
struct Finding {
    good: bool,
    text: String,
}

/// Looks, prints, fails if something needs doing.
pub fn run(place: &Place) -> Result<(), Failure> {
    let mut findings = vec![rights(&place.data, 0o077), rights(&place.key_file, 0o077)];
    findings.push(space::free(&place.data));
    findings.push(house_state(place));
    findings.push(thief(place));
    for finding in &findings {
        println!("{}  {}", if finding.good { "good" } else { "BAD " }, finding.text);
    }
    let bad = findings.iter().filter(|finding| !finding.good).count();
    if bad == 0 { Ok(()) } else { Err(format!("{bad} things need doing").into()) }
}

fn rights(path: &Path, forbidden: u32) -> Finding {
    let shown = path.display();
    match std::fs::metadata(path) {
        Err(error) => Finding {
            good: false,
            text: format!("{shown}: {error}; give the right --data and --key-file"),
        },
        Ok(meta) if meta.permissions().mode() & forbidden != 0 => Finding {
            good: false,
            text: format!("others can read {shown}: run `chmod go-rwx {shown}`"),
        },
        Ok(_) => Finding { good: true, text: format!("only you can read {shown}") },
    }
}

fn house_state(place: &Place) -> Finding {
    match house::ask(place, Request::Status) {
        Ok(Reply::Status { house, users, rooms, connections }) => Finding {
            good: true,
            text: format!(
                "{house} opens: {users} people, {rooms} rooms, {connections} connections"
            ),
        },
        Ok(_) => Finding { good: false, text: "the box answered something else".to_string() },
        Err(error) => Finding { good: false, text: error.to_string() },
    }
}

/// What somebody who steals this disk could read.
fn thief(place: &Place) -> Finding {
    let key = place.key_file.display();
    Finding {
        good: true,
        text: format!(
            "a thief of the data folder alone reads nothing; with {key} too: names, times, sizes \
             and open rooms, never sealed ones. Keep the key file on another disk"
        ),
    }
}
