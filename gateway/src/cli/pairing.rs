//! `hearth login --pair` and `hearth pair`: keys from a device that is signed in, without the
//! password (sealing.md §2).

use std::io::{self, BufRead, IsTerminal, Write};

use clap::Args;
use hearth_protocol::sealing::pairing::Code;
use serde_json::json;

use super::login::welcome;
use super::member::Setting;
use super::{Failure, qr};
use crate::member::Member;
use crate::member::pairing::NewDevice;
use crate::member::rest::Rest;

/// `hearth pair`
#[derive(Args)]
pub struct PairArgs {
    /// What the new device shows: its link, or the letters below it, with or without spaces.
    #[arg(required = true)]
    code: Vec<String>,
}

/// Letters of the typed form in a group.
const GROUP: usize = 6;

/// Runs `hearth login --pair`: the new device's side.
pub fn ask(setting: &Setting, rest: Rest, user: Option<&str>) -> Result<(), Failure> {
    let asking = NewDevice::ask(rest)?;
    let (link, typed) = (asking.link(), asking.typed());
    if setting.json {
        say(&json!({ "link": link, "typed": typed }).to_string())?;
    } else {
        let letters: Vec<char> = typed.chars().collect();
        let groups: Vec<String> =
            letters.chunks(GROUP).map(|group| group.iter().collect()).collect();
        say(&format!(
            "{}\n{link}\n\nScan it where you are signed in, or type there within two minutes:\n\n\
             \x20   {}\n\n(at a shell: hearth pair CODE)",
            qr::terminal(&link),
            groups.join(" ")
        ))?;
    }
    let met = asking.meet()?;
    let digits = met.digits();
    if setting.json {
        say(&json!({ "digits": digits }).to_string())?;
    } else {
        let (left, right) = digits.split_at(digits.len() / 2);
        say(&format!("\nSay yes there only if it has the same digits:\n\n    {left} {right}\n"))?;
    }
    let member = met.take(&setting.folder, user)?;
    welcome(setting, &member, None)
}

/// A line that is read while the command goes on.
fn say(line: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// Runs `hearth pair`: the signed-in side. The digits are typed, so that somebody looks at both.
pub fn answer(setting: &Setting, args: &PairArgs) -> Result<(), Failure> {
    let code: Code = args.code.concat().parse()?;
    let member = Member::open(&setting.folder)?;
    let answered = member.answer_pairing(&code)?;
    if !setting.json && io::stdin().is_terminal() {
        print!("The six digits that the new device shows: ");
        io::stdout().flush()?;
    }
    let mut digits = String::new();
    io::stdin().lock().read_line(&mut digits)?;
    answered.give(&digits)?;
    if setting.json {
        return say(&json!({ "paired": true }).to_string());
    }
    say(&format!("The new device is signed in as {} and reads all that you do.", member.name()))
}
