//! `hearth doctor`: looks at the box and says what is wrong and what to do.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use clap::Args as ClapArgs;
use hearth_protocol::limits::{Limits, days_ms};
use hearth_store::{BackupPlan, Way};

use super::{Failure, house, passphrase};
use crate::admin::{Reply, Request};
use crate::clock::{Clock, SystemClock};
use crate::config::Place;
use crate::thief::{self, Lies};

mod space;
mod trouble;

/// What was looked at and how it is.
struct Finding {
    good: bool,
    text: String,
}

/// What a house without backups is told: it runs, but one disk is all there is.
const NO_KEY: &str = "NOTE: this house has no backup: `hearth backup key FILE` makes the key that \
     opens backups, then `hearth backup FILE` makes one";
const NO_BACKUP: &str = "NOTE: this house has no backup yet: `hearth backup FILE` makes one";

/// `hearth doctor`
#[derive(ClapArgs)]
pub struct Args {
    /// First say that this machine's clock is right, so that old things are removed by it again.
    #[arg(long)]
    trust_clock: bool,
}

/// Looks, prints, fails if something needs doing.
pub fn run(place: &Place, args: &Args) -> Result<(), Failure> {
    if args.trust_clock {
        house::ask(place, Request::TrustClock)?;
    }
    let mut findings = vec![rights(&place.data, 0o077)];
    findings.push(space::free(&place.data));
    findings.extend(keys(place)?);
    findings.extend(house_state(place, SystemClock.now_ms()));
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

/// How the house is, and its backups.
fn house_state(place: &Place, now: u64) -> Vec<Finding> {
    match house::ask(place, Request::Status) {
        Ok(Reply::Status {
            house,
            users,
            rooms,
            connections,
            backups: plan,
            storage,
            damaged,
            trouble,
            clock_doubted,
        }) => {
            let text =
                format!("{house} opens: {users} people, {rooms} rooms, {connections} connections");
            let mut findings = vec![Finding { good: true, text }, backups(plan, now)];
            findings.push(space::attachments(&storage));
            findings.extend(trouble::findings(damaged, trouble, now));
            findings.push(clock(clock_doubted));
            findings
        }
        Ok(_) => {
            vec![Finding { good: false, text: "the box answered something else".to_string() }]
        }
        Err(error) => vec![Finding { good: false, text: error.to_string() }],
    }
}

/// Whether what is old is removed.
fn clock(is_doubted: bool) -> Finding {
    if !is_doubted {
        return Finding { good: true, text: "nothing speaks against the clock".to_string() };
    }
    let text = "the clock is more than a day from the last time it was right, and nobody sets it: \
         nothing old is removed and no login ends. Have it synchronised (NTP); if it is right, \
         run `hearth doctor --trust-clock`";
    Finding { good: false, text: text.to_string() }
}

/// When the last backup was made. A house without one is told so; one whose last is too old needs
/// something done.
fn backups(plan: BackupPlan, now: u64) -> Finding {
    match (plan.recipient, plan.last_at) {
        (None, None) => Finding { good: true, text: NO_KEY.to_string() },
        (Some(_), None) => Finding { good: true, text: NO_BACKUP.to_string() },
        (_, Some(at)) => age(now.saturating_sub(at), Limits::default().backup_age_days_max),
    }
}

fn age(ms: u64, max: usize) -> Finding {
    let days = ms / days_ms(1);
    let text = match days {
        0 => "the last backup is of the last 24 hours".to_string(),
        days => format!("the last backup is {days} days old"),
    };
    if ms <= days_ms(max) {
        return Finding { good: true, text };
    }
    Finding { good: false, text: format!("{text}: run `hearth backup FILE`, best every night") }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_too_old_after_the_days_of_the_limit() {
        let week = days_ms(7);
        assert_eq!(age(0, 7).text, "the last backup is of the last 24 hours");
        assert!(age(week, 7).good);
        let old = age(week + 1, 7);
        assert!(!old.good && old.text.contains("7 days old: run `hearth backup FILE`"));
    }
}
