//! Box commands: asked of the running appliance through its admin socket, else done on the store.

use std::io::{self, BufRead, IsTerminal};
use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};
use hearth_protocol::grant::Access;
use hearth_protocol::ids::GrantId;
use hearth_protocol::limits::Limits;
use hearth_protocol::role::RoomType;
use hearth_protocol::topic::Topic;
use hearth_store::History;

use super::{Failure, addresses, passphrase};
use crate::admin::{
    self, DeviceLine, GrantLine, GrantTo, GuestLink, Reply, Request, RoomKeeps, RoomLine, UserLine,
};
use crate::app::App;
use crate::claim::Claim;
use crate::clock::utc;
use crate::config::Place;
use crate::member::devices::{Doors, NewDevice};
use crate::refusals::LastRefused;

/// Bytes of a megabyte, as on all screens.
pub const MB: u64 = 1_048_576;

/// `hearth user`
#[derive(Subcommand)]
pub enum UserCommand {
    /// Make an account.
    Add {
        /// 3 to 20 letters, digits or underscores.
        name: String,
        /// Read the password from standard input.
        #[arg(long)]
        password_stdin: bool,
    },
    /// List the accounts.
    List,
    /// Print a link by which somebody sets a new password, once, within a day.
    Reset {
        /// Their name.
        name: String,
    },
    /// End every connection that somebody has; they may connect again.
    Disconnect {
        /// Their name.
        name: String,
    },
}

/// `hearth room`
#[derive(Subcommand)]
pub enum RoomCommand {
    /// Make an open room (sealed ones are made by their people, in the web client).
    Add {
        /// Its name.
        name: String,
        /// Only for who is invited.
        #[arg(long)]
        private: bool,
    },
    /// List the rooms.
    List,
    /// Set how long a room's history is kept, and how much of it a newcomer sees.
    Set {
        /// Its name or id.
        room: String,
        /// Remove what is older than so many days; 0: as the house does.
        #[arg(long, value_name = "N")]
        keep_days: Option<usize>,
        /// Remove the oldest while there is more than so many MB; 0: as the house does.
        #[arg(long, value_name = "N")]
        keep_mb: Option<u64>,
        /// What a newcomer sees.
        #[arg(long, value_enum)]
        history: Option<HistoryWord>,
    },
    /// Print a link by which anybody comes into an open room as a guest, without an account.
    Guests {
        /// Its name or id.
        room: String,
        /// For how many days the link opens and its guests stay.
        #[arg(long, value_name = "N", default_value_t = 1)]
        days: usize,
        /// For how many guests.
        #[arg(long, value_name = "N", default_value_t = 10)]
        uses: u32,
    },
}

/// What a newcomer sees of a room's history.
#[derive(Clone, Copy, ValueEnum)]
pub enum HistoryWord {
    /// All that is kept.
    All,
    /// What came since they joined.
    SinceJoin,
}

/// `hearth grant`
#[derive(Subcommand)]
pub enum GrantCommand {
    /// Grant plain MQTT topics, such as `homeassistant/#`.
    Add {
        /// Whose.
        #[command(flatten)]
        to: To,
        /// The topics: an MQTT filter that begins with a name of its own.
        filter: String,
        /// What may be done there.
        #[arg(long, value_enum, default_value_t = AccessWord::Both)]
        access: AccessWord,
    },
    /// List the grants.
    List,
    /// Take a grant back.
    Remove {
        /// Its id.
        id: GrantId,
    },
}

/// Who is granted something: one of the two.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct To {
    /// A user's name.
    #[arg(long)]
    user: Option<String>,
    /// A device's id, or its name where only one has it.
    #[arg(long)]
    device: Option<String>,
}

/// What may be done with granted topics.
#[derive(Clone, Copy, ValueEnum)]
pub enum AccessWord {
    /// Subscribe.
    Read,
    /// Publish.
    Write,
    /// Subscribe and publish.
    Both,
}

/// Asks the appliance, or does it on the store when none runs.
pub fn ask(place: &Place, request: Request) -> Result<Reply, Failure> {
    reply(place, request).and_then(accepted)
}

/// What the box says, refusals too.
pub(super) fn reply(place: &Place, request: Request) -> Result<Reply, Failure> {
    let socket = place.admin_socket();
    match admin::ask(&socket, &request) {
        Ok(Some(reply)) => Ok(reply),
        Ok(None) => directly(place, request),
        Err(error) => {
            let socket = socket.display();
            Err(format!("cannot ask the box through {socket}: {error}").into())
        }
    }
}

/// A reply that is no refusal.
pub(super) fn accepted(reply: Reply) -> Result<Reply, Failure> {
    match reply {
        Reply::Refused { message, hint, .. } if hint.is_empty() => Err(message.into()),
        Reply::Refused { message, hint, .. } => Err(format!("{message} ({hint})").into()),
        reply => Ok(reply),
    }
}

fn directly(place: &Place, request: Request) -> Result<Reply, Failure> {
    on_the_store(place, async |app| admin::handle(app, request).await)
}

/// Opens the store of a box that does not run, and works on it.
pub(super) fn on_the_store<T>(
    place: &Place,
    work: impl AsyncFnOnce(&App) -> T,
) -> Result<T, Failure> {
    let claim = Claim::take(place, Arc::new(Limits::default()))?;
    let opened = passphrase::open(place, &claim.limits, |given| claim.unlock(given))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let app = claim.open(opened).await?.app;
        let done = work(&app).await;
        app.close().await;
        Ok(done)
    })
}

/// Runs `hearth user`.
pub fn user(place: &Place, command: UserCommand, json: bool) -> Result<(), Failure> {
    let request = match command {
        UserCommand::Add { name, password_stdin } => {
            Request::UserAdd { name, password: read_password(password_stdin)? }
        }
        UserCommand::List => Request::UserList,
        UserCommand::Reset { name } => Request::UserReset { name },
        UserCommand::Disconnect { name } => Request::UserDisconnect { name },
    };
    print(ask(place, request)?, json)
}

/// Runs `hearth room`.
pub fn room(place: &Place, command: RoomCommand, json: bool) -> Result<(), Failure> {
    let request = match command {
        RoomCommand::Add { name, private } => {
            let kind = if private { RoomType::Private } else { RoomType::Public };
            Request::RoomAdd { name, kind }
        }
        RoomCommand::List => Request::RoomList,
        RoomCommand::Set { room, keep_days, keep_mb, history } => Request::RoomSet {
            room,
            keeps: RoomKeeps {
                keep_days,
                keep_bytes: keep_mb.map(|mb| mb.saturating_mul(MB)),
                history: history.map(|word| match word {
                    HistoryWord::All => History::All,
                    HistoryWord::SinceJoin => History::SinceJoin,
                }),
            },
        },
        RoomCommand::Guests { room, days, uses } => Request::RoomGuests { room, days, uses },
    };
    print(ask(place, request)?, json)
}

/// Runs `hearth grant`.
pub fn grant(place: &Place, command: GrantCommand, json: bool) -> Result<(), Failure> {
    let request = match command {
        GrantCommand::Add { to: To { user, device }, filter, access } => {
            let to = match (user, device) {
                (Some(user), None) => GrantTo::User(user),
                (None, Some(device)) => GrantTo::Device(device),
                _ => return Err("say whose it is: --user NAME or --device ID".into()),
            };
            let access = match access {
                AccessWord::Read => Access::Read,
                AccessWord::Write => Access::Write,
                AccessWord::Both => Access::Both,
            };
            Request::GrantAdd { to, filter, access }
        }
        GrantCommand::List => Request::GrantList,
        GrantCommand::Remove { id } => Request::GrantRemove { grant: id },
    };
    print(ask(place, request)?, json)
}

/// Runs `hearth ca`.
pub fn ca(place: &Place, json: bool) -> Result<(), Failure> {
    print(ask(place, Request::Ca)?, json)
}

/// A password typed without echo, or the first line of standard input.
pub fn read_password(from_stdin: bool) -> Result<String, Failure> {
    if !from_stdin && io::stdin().is_terminal() {
        return Ok(rpassword::prompt_password("Password: ")?);
    }
    if !from_stdin {
        return Err("no terminal to ask for a password: use --password-stdin".into());
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\n', '\r']).to_string())
}

pub(super) fn print(reply: Reply, json: bool) -> Result<(), Failure> {
    if json {
        println!("{}", serde_json::to_string(&reply)?);
        return Ok(());
    }
    match reply {
        Reply::Users(users) => users.iter().for_each(print_user),
        Reply::Reset(link) => {
            println!(
                "{} sets a new password at the house's address, once, within a day:",
                link.name
            );
            println!("{}", link.path);
        }
        Reply::Addresses(rules) => addresses::print(&rules),
        Reply::Rooms(rooms) => rooms.iter().for_each(print_room),
        Reply::Guests(GuestLink { room, path, uses, until, .. }) => {
            println!("{uses} people come into {room} as guests at this path of the house's");
            println!("address, and stay until {}:", utc(until));
            println!("{path}");
        }
        Reply::Grants(grants) => grants.iter().for_each(print_grant),
        Reply::Devices(devices) => devices.iter().for_each(print_device),
        Reply::NewDevice { device, token, listening } => {
            print_lines_to_paste(device, token, Doors::of(listening));
        }
        Reply::Ca { certificate, fingerprint } => {
            print!("{certificate}");
            // Beside the certificate, which goes into a file.
            eprintln!("SHA-256 {fingerprint}");
        }
        Reply::Status { house, users, rooms, connections, .. } => {
            println!("{house}: {users} people, {rooms} rooms, {connections} connections");
        }
        Reply::Backup(_) => {}
        Reply::Unlocked => println!("the box is open"),
        Reply::ClockTrusted => println!("the clock is trusted"),
        Reply::Refused { message, .. } => return Err(message.into()),
    }
    Ok(())
}

fn print_user(user: &UserLine) {
    let keys = if user.vault { "has keys" } else { "no keys yet" };
    println!("{}  {:<20}  {:?}, {keys}", user.id, user.name, user.role);
}

fn print_room(room: &RoomLine) {
    let RoomLine { id, name, kind, sealing, members, history, keep_days, keep_bytes } = room;
    print!("{id}  {name:<20}  {kind:?}, {sealing:?}, {members} members");
    if *keep_days > 0 {
        print!(", keeps {keep_days} days");
    }
    if *keep_bytes > 0 {
        print!(", keeps {} MB", keep_bytes / MB);
    }
    if *history == History::SinceJoin {
        print!(", newcomers see what is new");
    }
    println!();
}

fn print_device(device: &DeviceLine) {
    println!("{}  {:<20}  posts to {}", device.id, device.name, device.room_name);
    if let Some(refused) = &device.last_refused {
        let LastRefused { code, message, topic, count, .. } = refused;
        println!("    refused {count} times, last at {topic}: {code}: {message}");
    }
}

fn print_grant(line: &GrantLine) {
    let GrantLine { grant, name } = line;
    let may = match grant.access {
        Access::Read => "reads",
        Access::Write => "writes",
        Access::Both => "reads and writes",
    };
    println!("{}  {name:<20}  {may} {}", grant.id, grant.filter);
}

fn print_lines_to_paste(device: DeviceLine, token: String, doors: Doors) {
    let DeviceLine { id, name, room, room_name, .. } = device;
    let topic = Topic::Door(room, id).to_string();
    println!(
        "{name} may post to {room_name}. Each of these lines does it; the token is shown once:"
    );
    for line in (NewDevice { id, token, recipient: None, topic }).shell_lines(&doors) {
        println!("\n{line}");
    }
}
