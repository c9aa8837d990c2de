//! Member commands: `send`, `tail`, `invite`, and `device` in sealed rooms (design §8).

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use hearth_protocol::ids::Position;
use hearth_protocol::limits::Limits;
use hearth_protocol::topic::Topic;
use hearth_store::Plain;
use serde_json::json;

use super::{Failure, qr};
use crate::member::devices::NewDevice;
use crate::member::mqtt::{Address, Session};
use crate::member::profile;
use crate::member::reading::{Line, Reader, Said};
use crate::member::rooms::RoomInfo;
use crate::member::{Member, MemberError};

/// How a member command is run.
pub struct Setting {
    /// The profile folder.
    pub folder: PathBuf,
    /// Whether to answer for programs.
    pub json: bool,
}

impl Setting {
    /// `--profile` or the default folder.
    pub fn new(folder: Option<PathBuf>, json: bool) -> Self {
        Self { folder: folder.unwrap_or_else(profile::default_folder), json }
    }
}

/// `hearth send`
#[derive(Args)]
pub struct SendArgs {
    /// The room's name or id.
    room: String,
    /// What to say; `-` reads it from standard input.
    text: String,
    /// The box's MQTT listener, where the box does not say it.
    #[arg(long, value_name = "HOST:PORT")]
    mqtt: Option<Address>,
}

/// `hearth tail`
#[derive(Args)]
pub struct TailArgs {
    /// The room's name or id.
    room: String,
    /// How many messages of the history come first.
    #[arg(short = 'n', long, default_value_t = 20, value_name = "COUNT")]
    lines: usize,
    /// Only the history; do not wait for more.
    #[arg(long)]
    no_follow: bool,
    /// The box's MQTT listener, where the box does not say it.
    #[arg(long, value_name = "HOST:PORT")]
    mqtt: Option<Address>,
}

/// `hearth invite`
#[derive(Args)]
pub struct InviteArgs {
    /// The room's name or id; everyone's room when none is given.
    room: Option<String>,
    /// How many people may join by it.
    #[arg(long, default_value_t = 1)]
    uses: u32,
    /// How many days it lives.
    #[arg(long, default_value_t = Limits::default().invite_days_default)]
    days: usize,
}

/// Runs `hearth send`.
pub fn send(setting: &Setting, args: SendArgs) -> Result<(), Failure> {
    let mut member = Member::open(&setting.folder)?;
    let text = if args.text == "-" { all_of_stdin()? } else { args.text };
    let room = member.room(&args.room)?;
    let mut session = member.connect(&address(&member, args.mqtt)?)?;
    let id = member.send(&mut session, &room, &text)?;
    warn(&mut member);
    if setting.json {
        println!("{}", json!({ "id": id, "room": room.id }));
    }
    Ok(())
}

/// Tells what the person should know beside what was done.
pub fn warn(member: &mut Member) {
    for warning in member.take_warnings() {
        eprintln!("hearth: {}", one_line(&warning));
    }
}

fn all_of_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text)?;
    Ok(text.trim_end_matches('\n').to_string())
}

fn address(member: &Member, given: Option<Address>) -> Result<Address, MemberError> {
    let tls = member.rest().over_tls();
    given.map_or_else(|| member.mqtt_address(), |given| Ok(Address { tls, ..given }))
}

/// The longest wait between two tries to connect.
const RETRY_MAX: Duration = Duration::from_secs(30);

/// Runs `hearth tail`: the history, then what comes, until the reader of the output goes.
pub fn tail(setting: &Setting, args: TailArgs) -> Result<(), Failure> {
    let mut member = Member::open(&setting.folder)?;
    let room = member.room(&args.room)?;
    let mut reader = member.reader(&room)?;
    // Asked for before a line is shown: whoever has seen one can count on the rest, although the
    // box goes away meanwhile.
    let address = if args.no_follow { None } else { Some(address(&member, args.mqtt)?) };
    let mut after = room.head_position;
    if args.lines > 0 {
        for line in reader.history(&mut member, args.lines)? {
            after = after.max(line.position);
            print(setting, &room, &line)?;
        }
    }
    let Some(address) = address else { return Ok(()) };
    let mut wait = Duration::from_secs(1);
    loop {
        let before = after;
        let problem = match subscribed(&member, &address, &room, after) {
            Ok(mut session) => {
                follow(setting, &mut member, &mut session, (&room, &mut reader), &mut after)?
            }
            Err(error) => error,
        };
        if after > before {
            wait = Duration::from_secs(1);
        }
        eprintln!("hearth: {problem}; trying again in {} s", wait.as_secs());
        std::thread::sleep(wait);
        wait = (wait * 2).min(RETRY_MAX);
        match Member::open(&setting.folder) {
            Ok(again) => member = again,
            Err(error @ MemberError::Unreachable { .. }) => eprintln!("hearth: {error}"),
            Err(error) => return Err(error.into()),
        }
    }
}

fn subscribed(
    member: &Member,
    address: &Address,
    room: &RoomInfo,
    after: Position,
) -> Result<Session, MemberError> {
    let mut session = member.connect(address)?;
    session.subscribe(&Topic::RoomOut(room.id).to_string(), &[(room.id, after)])?;
    Ok(session)
}

/// Prints what comes; gives back why the connection ended.
fn follow(
    setting: &Setting,
    member: &mut Member,
    session: &mut Session,
    (room, reader): (&RoomInfo, &mut Reader),
    after: &mut Position,
) -> Result<MemberError, Failure> {
    loop {
        let message = match session.next(Duration::from_secs(3_600)) {
            Ok(Some(message)) => message,
            Ok(None) => continue,
            Err(error) => return Ok(error),
        };
        let line = match reader.payload(member, &message.payload) {
            Ok(line) => line,
            // It comes again after the place of the last line shown.
            Err(error @ MemberError::Unreachable { .. }) => return Ok(error),
            Err(error) => return Err(error.into()),
        };
        // Delivered again after a lost ack: shown once.
        if line.position > *after {
            *after = line.position;
            print(setting, room, &line)?;
        }
    }
}

/// Runs `hearth invite`.
pub fn invite(setting: &Setting, args: &InviteArgs) -> Result<(), Failure> {
    let mut member = Member::open(&setting.folder)?;
    let room = match &args.room {
        Some(wanted) => member.room(wanted)?,
        None => {
            let general = member.rooms()?.into_iter().find(|room| room.general);
            general.ok_or("you are not in everyone's room: name the room to invite into")?
        }
    };
    let link = member.invite(&room, args.uses, args.days)?.to_text();
    if setting.json {
        println!("{}", json!({ "link": link, "room": room.id }));
        return Ok(());
    }
    println!("{}", qr::terminal(&link));
    println!("{link}\n");
    let people = if args.uses == 1 { "one person".into() } else { format!("{} people", args.uses) };
    println!(
        "Whoever has this link can join {} until {people} did, for {} days.",
        room.name, args.days
    );
    Ok(())
}

/// The signed-in person and a sealed room of theirs, if somebody is signed in and it is one.
fn sealed_room(setting: &Setting, wanted: &str) -> Option<(Member, RoomInfo)> {
    // Whatever fails here, the box's own command says what to do.
    let member = Member::open(&setting.folder).ok()?;
    let room = member.room(wanted).ok().filter(RoomInfo::is_sealed)?;
    Some((member, room))
}

/// Adds a device to a sealed room of the signed-in person; `false`: it is none.
pub fn add_device(
    setting: &Setting,
    name: &str,
    wanted: &str,
    plain: bool,
) -> Result<bool, Failure> {
    let Some((mut member, room)) = sealed_room(setting, wanted) else { return Ok(false) };
    let device = member.add_device(&room, name, plain)?;
    let how = if plain { "the box seals it, and sees it" } else { "sealed" };
    let told = format!(
        "{name} may post to {}, {how}. Each of these lines does it, shown once:",
        one_line(&room.name)
    );
    show_lines(setting, &member, &room, &device, &told)?;
    Ok(true)
}

/// Says who seals a device's posts from now on.
pub fn change_device(
    setting: &Setting,
    wanted: &str,
    room: &str,
    plain: Plain,
) -> Result<(), Failure> {
    let member = Member::open(&setting.folder)?;
    let room = member.room(room)?;
    let device = member.change_device(&room, wanted, plain)?;
    let told = match device.plain {
        Plain::Refuse => "seals its posts itself",
        Plain::Seal => "posts in clear, and the box seals it, and sees it",
    };
    match setting.json {
        true => println!("{}", json!({ "id": device.id, "plain": device.plain })),
        false => println!("{} {told}. `hearth device line` shows how.", one_line(&device.name)),
    }
    Ok(())
}

/// Prints how a device posts now: after its door was renewed it needs a new line.
pub fn device_lines(setting: &Setting, wanted: &str, room: &str) -> Result<(), Failure> {
    let mut member = Member::open(&setting.folder)?;
    let room = member.room(room)?;
    let device = member.device_lines(&room, wanted)?;
    let in_clear = room.is_sealed() && device.recipient.is_none();
    let how = if in_clear { " in clear, the box seals it, and sees it," } else { "" };
    let told = format!(
        "{wanted} posts to {}{how} by each of these lines, with its own token for TOKEN:",
        one_line(&room.name)
    );
    show_lines(setting, &member, &room, &device, &told)
}

fn show_lines(
    setting: &Setting,
    member: &Member,
    room: &RoomInfo,
    device: &NewDevice,
    told: &str,
) -> Result<(), Failure> {
    let lines = device.shell_lines(&member.doors()?);
    if setting.json {
        println!("{}", json!({ "device": device, "room": room.id, "lines": lines }));
        return Ok(());
    }
    println!("{told}");
    for line in lines {
        println!("\n{line}");
    }
    Ok(())
}

/// Removes a device from a sealed room of the signed-in person; `false`: there is none.
pub fn remove_device(setting: &Setting, wanted: &str) -> Result<bool, Failure> {
    let Ok(mut member) = Member::open(&setting.folder) else { return Ok(false) };
    let mut found = vec![];
    for room in member.rooms()?.into_iter().filter(RoomInfo::is_sealed) {
        let devices = member.devices(room.id)?;
        if devices.iter().any(|one| one.name == wanted || one.id.to_string() == wanted) {
            found.push(room);
        }
    }
    match found.as_slice() {
        [] => Ok(false),
        [room] => {
            member.remove_device(room, wanted)?;
            println!("{wanted} can post to {} no more.", room.name);
            Ok(true)
        }
        several => {
            let names: Vec<_> = several.iter().map(|room| room.name.as_str()).collect();
            let rooms = names.join(", ");
            Err(format!("`{wanted}` is in several rooms ({rooms}): give its id").into())
        }
    }
}

fn print(setting: &Setting, room: &RoomInfo, line: &Line) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    if setting.json {
        let mut value = serde_json::to_value(line)?;
        value["room"] = json!(room.id);
        writeln!(out, "{value}")?;
    } else {
        let (time, name) = (time(line.received_at), one_line(&line.name));
        let text = one_line(&line.text);
        match line.said {
            Said::Line => writeln!(out, "{time}  * {text}")?,
            Said::Post => writeln!(out, "{time}  {name} (device): {text}")?,
            Said::Message | Said::Change | Said::Unreadable => {
                writeln!(out, "{time}  {name}: {text}")?;
            }
        }
    }
    Ok(out.flush()?)
}

/// Others' text on one line, without what could steer the terminal.
pub fn one_line(text: &str) -> String {
    let shown = |one: char| match one {
        '\n' => '⏎',
        '\t' => ' ',
        one if one.is_control() => '\u{fffd}',
        one => one,
    };
    text.chars().map(shown).collect()
}

/// `2026-11-21 07:30:12Z` of ms since 1970.
fn time(ms: u64) -> String {
    let (days, second) = (ms / 86_400_000, ms / 1_000 % 86_400);
    // Days to a civil date, with years that begin in March (Hinnant, "chrono-compatible dates").
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_spelled_as_a_calendar_has_them() {
        for (ms, text) in [
            (0, "1970-01-01 00:00:00Z"),
            (951_782_399_000, "2000-02-28 23:59:59Z"),
            (951_782_400_000, "2000-02-29 00:00:00Z"),
            (951_868_800_000, "2000-03-01 00:00:00Z"),
            (1_795_246_212_999, "2026-11-21 07:30:12Z"),
        ] {
            assert_eq!(time(ms), text);
        }
    }

    #[test]
    fn others_cannot_steer_the_terminal() {
        assert_eq!(one_line("a\n\x1b[31mb\tc"), "a⏎\u{fffd}[31mb c");
    }
}
