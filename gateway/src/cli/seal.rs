//! `hearth seal` and `hearth open`: one event or post, for other programs to carry (design §8).

use std::io::{self, IsTerminal, Read, Write};

use clap::Args;
use hearth_protocol::bytes::b64u;
use hearth_protocol::event::Class;
use hearth_protocol::sealing::{Recipient, door};
use hearth_protocol::topic::Topic;
use serde_json::json;

use super::Failure;
use super::member::{Setting, warn};
use crate::member::Member;

/// `hearth seal`
#[derive(Args)]
pub struct SealArgs {
    /// The room's name or id; or a device's recipient, age1…, for which nobody needs to be signed
    /// in.
    to: String,
    /// What to say; standard input when it is left out.
    text: Option<String>,
}

/// `hearth open`
#[derive(Args)]
pub struct OpenArgs {
    /// The room's name or id.
    room: String,
}

/// The most that is read from standard input, bytes: a sealed event in base64url is a third longer
/// than itself.
const INPUT_MAX: usize = 2 * door::POST_MAX;

fn input() -> Result<Vec<u8>, Failure> {
    let mut bytes = vec![];
    let most = u64::try_from(INPUT_MAX)?.saturating_add(1);
    io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    if bytes.len() > INPUT_MAX {
        return Err(format!("standard input has more than {INPUT_MAX} bytes").into());
    }
    Ok(bytes)
}

/// Runs `hearth seal`.
pub fn seal(setting: &Setting, args: SealArgs) -> Result<(), Failure> {
    if !setting.json && io::stdout().is_terminal() {
        return Err(
            "what is sealed is binary: send it on (`… | mosquitto_pub -s`, `… > FILE`), or \
                    use --json"
                .into(),
        );
    }
    let text = args.text.map_or_else(input, |text| Ok(text.into_bytes()))?;
    match args.to.parse::<Recipient>() {
        Ok(recipient) => {
            let post = door::seal(&text, recipient)?;
            let told = json!({ "recipient": recipient, "sealed": b64u(&post) });
            write(setting, &told, &post)
        }
        // One letter wrong in a recipient is no room's name.
        Err(error) if args.to.starts_with("age1") => Err(error.into()),
        Err(_) => seal_for_room(setting, &args.to, &text),
    }
}

fn seal_for_room(setting: &Setting, room: &str, text: &[u8]) -> Result<(), Failure> {
    let mut member = Member::open(&setting.folder)?;
    let room = member.room(room)?;
    let text = std::str::from_utf8(text)?.trim_end_matches('\n');
    let sealed = member.seal_message(&room, text)?;
    warn(&mut member);
    let told = json!({
        "id": sealed.id,
        "room": room.id,
        "topic": Topic::RoomIn(room.id).to_string(),
        "class": Class::Event.byte(),
        "sealed": b64u(&sealed.wire),
    });
    write(setting, &told, &sealed.wire)
}

fn write(setting: &Setting, told: &serde_json::Value, sealed: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    if setting.json {
        writeln!(out, "{told}")?;
    } else {
        out.write_all(sealed)?;
    }
    Ok(out.flush()?)
}

/// Runs `hearth open`: the reverse, from standard input.
pub fn open(setting: &Setting, args: &OpenArgs) -> Result<(), Failure> {
    let mut member = Member::open(&setting.folder)?;
    let room = member.room(&args.room)?;
    if !room.is_sealed() {
        return Err(crate::member::MemberError::OpenRoom { name: room.name }.into());
    }
    let given = input()?;
    let line = member.reader(&room)?.given(&mut member, &given)?;
    let mut out = io::stdout().lock();
    if setting.json {
        let mut value = serde_json::to_value(&line)?;
        value["room"] = json!(room.id);
        writeln!(out, "{value}")?;
    } else if out.is_terminal() {
        writeln!(out, "{}", harmless(&line.text))?;
    } else {
        writeln!(out, "{}", line.text)?;
    }
    Ok(out.flush()?)
}

/// Others' text without what could steer the terminal.
fn harmless(text: &str) -> String {
    let steers = |one: char| one.is_control() && one != '\n' && one != '\t';
    text.chars().map(|one| if steers(one) { '\u{fffd}' } else { one }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opened_text_keeps_its_lines_and_cannot_steer_the_terminal() {
        assert_eq!(harmless("a\n\tb\x1b[31mc\u{9b}"), "a\n\tb\u{fffd}[31mc\u{fffd}");
    }
}
