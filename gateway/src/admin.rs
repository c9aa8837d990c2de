//! What the owner of the box does from its shell: the same requests through `DIR/admin.sock`
//! while the appliance runs, and on the store directly while it does not (design §8).

use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hearth_protocol::ids::{DeviceId, RoomId};
use hearth_protocol::role::{HouseRole, RoomRole, RoomType, Sealing};
use hearth_store::{Change, Edit};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::accounts::member;
use crate::app::App;
use crate::clock::random;
use crate::devices::NewDevice;
use crate::error::ApiError;
use crate::membership::RoomState;

/// A request of the box's owner.
#[derive(Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Request {
    /// Makes an account.
    UserAdd {
        /// Its name.
        name: String,
        /// Its password, which the box stretches and forgets.
        password: String,
    },
    /// Lists the accounts.
    UserList,
    /// Makes an open room, owned by the house's owner.
    RoomAdd {
        /// Its name.
        name: String,
        /// Public or private.
        kind: RoomType,
    },
    /// Lists the rooms.
    RoomList,
    /// Adds a device to an open room.
    DeviceAdd {
        /// Its name.
        name: String,
        /// The room's name or id.
        room: String,
    },
    /// Lists the devices.
    DeviceList,
    /// Ends a device.
    DeviceRemove {
        /// Its id, or its name where only one has it.
        device: String,
    },
    /// The certificate by which clients trust the box.
    Ca,
    /// How the house is.
    Status,
}

/// What it answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Accounts.
    Users(Vec<UserLine>),
    /// Rooms.
    Rooms(Vec<RoomLine>),
    /// Devices.
    Devices(Vec<DeviceLine>),
    /// A new device and its token.
    NewDevice {
        /// The device.
        device: DeviceLine,
        /// Shown once.
        token: String,
        /// Where MQTT listens, if it does.
        mqtt: Option<SocketAddr>,
    },
    /// The certificate by which clients trust the box.
    Ca {
        /// In PEM.
        certificate: String,
        /// Its SHA-256, in hex with colons.
        fingerprint: String,
    },
    /// How the house is.
    Status {
        /// Its name.
        house: String,
        /// Accounts.
        users: usize,
        /// Rooms.
        rooms: usize,
        /// MQTT connections.
        connections: u64,
    },
    /// It was refused.
    Refused {
        /// For programs.
        code: String,
        /// What happened.
        message: String,
        /// What to do about it.
        hint: String,
    },
}

/// An account.
#[derive(Debug, Serialize, Deserialize)]
pub struct UserLine {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is in the house.
    pub role: HouseRole,
    /// Whether it has keys of its own.
    pub vault: bool,
}

/// A room.
#[derive(Debug, Serialize, Deserialize)]
pub struct RoomLine {
    /// Its id.
    pub id: RoomId,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: RoomType,
    /// Whether the box can read it.
    pub sealing: Sealing,
    /// How many are in it.
    pub members: usize,
}

/// A device.
#[derive(Debug, Serialize, Deserialize)]
pub struct DeviceLine {
    /// Its id, also its MQTT user name.
    pub id: DeviceId,
    /// Its name.
    pub name: String,
    /// Its room.
    pub room: RoomId,
    /// That room's name.
    pub room_name: String,
}

/// How long one command may take, its Argon2 and its waiting included.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);
/// Bytes of a request or a reply.
const LINE_BYTES_MAX: u64 = 1024 * 1024;

/// Does what a request asks.
pub async fn handle(app: &App, request: Request) -> Reply {
    match answer(app, request).await {
        Ok(reply) => reply,
        Err(ApiError(no)) => Reply::Refused {
            code: no.code.to_string(),
            message: no.message,
            hint: no.hint.to_string(),
        },
    }
}

async fn answer(app: &App, request: Request) -> Result<Reply, ApiError> {
    match request {
        Request::UserAdd { name, password } => {
            let user = app.add_user(&name, &password).await?;
            Ok(Reply::Users(vec![user_line(app, user).await?]))
        }
        Request::UserList => {
            let mut lines = vec![];
            for user in app.store.users().await? {
                lines.push(user_line(app, user).await?);
            }
            Ok(Reply::Users(lines))
        }
        Request::RoomAdd { name, kind } => add_room(app, &name, kind).await,
        Request::RoomList => {
            Ok(Reply::Rooms(app.membership.rooms().iter().map(|state| room_line(state)).collect()))
        }
        Request::DeviceAdd { name, room } => {
            let state = find_room(app, &room)?;
            let new = NewDevice { id: None, name, by: state.room.created_by, bundle: None };
            let (device, token) = app.add_device(&state, new).await?;
            Ok(Reply::NewDevice {
                device: device_line(device, &state),
                token,
                mqtt: app.mqtt.get().copied(),
            })
        }
        Request::DeviceList => Ok(Reply::Devices(devices(app).await?)),
        Request::DeviceRemove { device } => {
            let found = find_device(devices(app).await?, &device)?;
            app.remove_device(found.room, found.id).await?;
            Ok(Reply::Devices(vec![found]))
        }
        Request::Ca => {
            let authority = app.authority().await?;
            let certificate = authority.pem().to_string();
            Ok(Reply::Ca { certificate, fingerprint: authority.fingerprint() })
        }
        Request::Status => Ok(Reply::Status {
            house: app.house_name().await?,
            users: app.store.users().await?.len(),
            rooms: app.membership.rooms().len(),
            connections: app.broker.counts().connections,
        }),
    }
}

async fn user_line(app: &App, user: hearth_store::User) -> Result<UserLine, ApiError> {
    let vault = app.store.vault(user.id).await?.is_some();
    Ok(UserLine { id: user.id.to_string(), name: user.name, role: user.role, vault })
}

fn room_line(state: &RoomState) -> RoomLine {
    let room = state.room.clone();
    let members = state.members.len();
    RoomLine { id: room.id, name: room.name, kind: room.kind, sealing: room.sealing, members }
}

fn device_line(device: hearth_store::Device, state: &RoomState) -> DeviceLine {
    let room_name = state.room.name.clone();
    DeviceLine { id: device.id, name: device.name, room: device.room, room_name }
}

async fn devices(app: &App) -> Result<Vec<DeviceLine>, ApiError> {
    let mut lines = vec![];
    for state in app.membership.rooms() {
        for device in app.store.devices(state.room.id).await? {
            lines.push(device_line(device, &state));
        }
    }
    Ok(lines)
}

async fn add_room(app: &App, name: &str, kind: RoomType) -> Result<Reply, ApiError> {
    let users = app.store.users().await?;
    let owner = users.iter().find(|user| user.role == HouseRole::Owner).ok_or_else(|| {
        ApiError::conflict("no_owner", "nobody lives here yet").hint("set the house up first")
    })?;
    let now = app.clock.now_ms();
    let mut room = app.new_room(RoomId::new(now, random()), name, kind, owner.id)?;
    room.sealing = Sealing::Open;
    let mut change = Change::of(vec![Edit::PutRoom(room.clone())], now);
    change.edits.push(Edit::PutMember(member(&room, owner.id, RoomRole::Owner, now)));
    app.store.change(change).await?;
    Ok(Reply::Rooms(vec![room_line(&*find_room(app, &room.id.to_string())?)]))
}

/// A room by its id, or by its name where only one has it.
fn find_room(app: &App, text: &str) -> Result<Arc<RoomState>, ApiError> {
    let mut found = app.membership.rooms();
    found.retain(|state| state.room.id.to_string() == text || state.room.name == text);
    only(found, "room", text)
}

fn find_device(mut found: Vec<DeviceLine>, text: &str) -> Result<DeviceLine, ApiError> {
    found.retain(|device| device.id.to_string() == text || device.name == text);
    only(found, "device", text)
}

fn only<T>(mut found: Vec<T>, what: &str, text: &str) -> Result<T, ApiError> {
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (None, _) => Err(ApiError::not_found(&format!("{what} `{text}`"))),
        (Some(_), false) => {
            let message = format!("more than one {what} is called `{text}`");
            Err(ApiError::conflict("ambiguous", message).hint("give its id"))
        }
    }
}

/// The socket of a running appliance, for its owner only.
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Makes the socket; one that a killed appliance left is replaced (the store's lock says that
    /// nobody else is running).
    pub fn bind(path: &Path) -> io::Result<Self> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, path: path.to_path_buf() })
    }

    /// Answers one request per connection until `stop` turns true.
    pub async fn serve(self, app: Arc<App>, mut stop: watch::Receiver<bool>) {
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            let answered = match accepted {
                Ok((stream, _)) => tokio::select! {
                    answered = timeout(ANSWERED_WITHIN, talk(stream, &app)) => answered,
                    _ = stop.wait_for(|stop| *stop) => break,
                },
                Err(error) => Ok(Err(error)),
            };
            match answered {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "a box command was not answered"),
                Err(_) => tracing::warn!("a box command took too long"),
            }
        }
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "the admin socket was gone already");
        }
    }
}

async fn talk(stream: UnixStream, app: &App) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    tokio::io::BufReader::new(read.take(LINE_BYTES_MAX)).read_line(&mut line).await?;
    let reply = handle(app, serde_json::from_str(&line)?).await;
    write.write_all(&serde_json::to_vec(&reply)?).await?;
    write.write_all(b"\n").await
}

/// Asks a running appliance; `None` if none runs on this data folder.
pub fn ask(socket: &Path, request: &Request) -> io::Result<Option<Reply>> {
    let stream = match BlockingStream::connect(socket) {
        Ok(stream) => stream,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    (&stream).write_all(&line)?;
    let mut reply = String::new();
    BufReader::new(stream).read_line(&mut reply)?;
    Ok(Some(serde_json::from_str(&reply)?))
}
