//! `hearth doctor`: looks at the box and says what is wrong and what to do.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{Failure, house, passphrase};
use hearth_protocol::limits::Limits;
use hearth_store::Way;

use crate::admin::{Reply, Request};
use crate::config::Place;
use crate::thief::{self, Lies};

/// What was looked at and how it is.
struct Finding {
    good: bool,
    text: String,
}

/// Looks, prints, fails if something needs doing.
pub fn run(place: &Place) -> Result<(), Failure> {
    let mut findings = vec![rights(&place.data, 0o077)];
    findings.extend(keys(place)?);
    findings.push(house_state(place));
    findings.push(thief(place)?);
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

/// Each way to open the data, tried with what there is.
fn keys(place: &Place) -> Result<Vec<Finding>, Failure> {
    let limits = Limits::default();
    let given = passphrase::given(place, &limits)?;
    let mut findings = vec![];
    for way in place.keys.ways()? {
        let file = place.keys.wrapped(way).display().to_string();
        let (good, text) = match place.keys.examine(way, given.as_ref(), &limits) {
            Ok(true) => (true, format!("{way} opens the data ({file})")),
            Ok(false) if way == Way::Passphrase => {
                let more = "`hearth doctor --passphrase-file FILE` tries it";
                (true, format!("{file} looks whole; {more}"))
            }
            Ok(false) => (true, format!("{file} looks whole; only the service can try it")),
            Err(error) => (false, error.to_string()),
        };
        findings.push(Finding { good, text });
    }
    Ok(findings)
}

/// What somebody who steals this disk could read.
fn thief(place: &Place) -> Result<Finding, Failure> {
    let situation = thief::look(&place.keys)?;
    let good = !matches!(situation.key_file, Some((_, Lies::InTheFolder)));
    Ok(Finding { good, text: thief::sentence(&situation) })
}
