//! What the owner of the box does from its shell: the same requests through `DIR/admin.sock`
//! while the appliance runs, and on the store directly while it does not (design §8).

mod backups;
mod finding;
mod lines;
mod locked;
mod rooms;
mod socket;

use hearth_protocol::grant::Access;
use hearth_protocol::ids::GrantId;
use hearth_protocol::network::Network;
use hearth_protocol::principal::Account;
use hearth_protocol::role::RoomType;
use hearth_store::{AddressRules, BackupPlan, Grant, Grantee, Passphrase, Plain, Room};
use serde::{Deserialize, Serialize};

use crate::addresses::NewRules;
use crate::app::App;
use crate::attachments::Storage;
use crate::auth::reset::ResetLink;
use crate::devices::NewDevice;
use crate::error::ApiError;
use crate::listening::Listening;
use crate::membership::RoomState;
use crate::trouble::Trouble;

use finding::{find_device, find_grantee, find_room, find_user};

pub use backups::{BackupReply, BackupRequest};
pub use lines::{DeviceLine, GrantLine, RoomLine, UserLine};
pub use locked::Locked;
pub use rooms::{GuestLink, RoomKeeps, invite_path};
pub use socket::{Socket, ask};

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
    /// Ends every connection of somebody.
    UserDisconnect {
        /// Their name.
        name: String,
    },
    /// Makes a link by which somebody sets a new password.
    UserReset {
        /// Their name.
        name: String,
    },
    /// Shows or replaces the rules of who is let in.
    HouseAddresses {
        /// The new ones: these networks, and not those; as they are if not given.
        set: Option<(Vec<Network>, Vec<Network>)>,
    },
    /// Makes an open room, owned by the house's owner.
    RoomAdd {
        /// Its name.
        name: String,
        /// Public or private.
        kind: RoomType,
    },
    /// Lists the rooms.
    RoomList,
    /// Sets how long a room's history is kept and how much of it a newcomer sees.
    RoomSet {
        /// The room's name or id.
        room: String,
        /// How.
        #[serde(flatten)]
        keeps: RoomKeeps,
    },
    /// Makes a link by which anybody comes into an open room as a guest.
    RoomGuests {
        /// The room's name or id.
        room: String,
        /// For how many days.
        days: usize,
        /// For how many guests.
        uses: u32,
    },
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
    /// Grants plain MQTT topics.
    GrantAdd {
        /// To whom.
        to: GrantTo,
        /// Which topics.
        filter: String,
        /// To do what.
        access: Access,
    },
    /// Lists the grants.
    GrantList,
    /// Takes a grant back.
    GrantRemove {
        /// Which.
        grant: GrantId,
    },
    /// The certificate by which clients trust the box.
    Ca,
    /// How the house is.
    Status,
    /// The clock is right: what is old may be judged by it.
    TrustClock,
    /// Backups.
    Backup {
        /// What about them.
        ask: BackupRequest,
    },
    /// Opens the data of a box that waits for its passphrase.
    Unlock {
        /// What was typed.
        passphrase: Passphrase,
    },
}

/// Who is granted something.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantTo {
    /// A user's name.
    User(String),
    /// A device's id, or its name where only one has it.
    Device(String),
}

/// What it answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Accounts.
    Users(Vec<UserLine>),
    /// A link for a new password.
    Reset(ResetLink),
    /// Who is let in.
    Addresses(AddressRules),
    /// Rooms.
    Rooms(Vec<RoomLine>),
    /// A link for guests.
    Guests(GuestLink),
    /// Devices.
    Devices(Vec<DeviceLine>),
    /// Grants.
    Grants(Vec<GrantLine>),
    /// A new device and its token.
    NewDevice {
        /// The device.
        device: DeviceLine,
        /// Shown once.
        token: String,
        /// Where the box listens, while it runs.
        #[serde(flatten)]
        listening: Option<Listening>,
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
        /// Who can open backups, and the last one.
        backups: BackupPlan,
        /// What attachments take.
        storage: Storage,
        /// Stretches of history that are known not to read.
        damaged: usize,
        /// What the database could not do last.
        trouble: Option<Trouble>,
        /// Nothing old is removed, since the clock may be wrong.
        clock_doubted: bool,
    },
    /// The clock is trusted.
    ClockTrusted,
    /// How backups are.
    Backup(Box<BackupReply>),
    /// The data is open now.
    Unlocked,
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
        Request::UserDisconnect { name } => {
            let user = find_user(app, &name).await?;
            app.disconnect(user.id, None).await?;
            Ok(Reply::Users(vec![user_line(app, user).await?]))
        }
        Request::UserReset { name } => {
            let user = find_user(app, &name).await?;
            Ok(Reply::Reset(app.make_reset(None, user.id).await?))
        }
        Request::HouseAddresses { set } => {
            if let Some((allow, deny)) = set {
                let new = NewRules { allow, deny, ..NewRules::default() };
                app.set_addresses(None, new).await?;
            }
            Ok(Reply::Addresses(AddressRules::clone(&app.addresses.rules())))
        }
        Request::RoomAdd { name, kind } => rooms::add(app, &name, kind).await,
        Request::RoomList => {
            Ok(Reply::Rooms(app.membership.rooms().iter().map(|state| room_line(state)).collect()))
        }
        Request::RoomSet { room, keeps } => rooms::set(app, &room, keeps).await,
        Request::RoomGuests { room, days, uses } => {
            rooms::let_guests_in(app, &room, days, uses).await
        }
        Request::DeviceAdd { name, room } => {
            let state = find_room(app, &room)?;
            let new = NewDevice { id: None, name, by: None, bundle: None, plain: Plain::Refuse };
            let (device, token) = app.add_device(&state, new).await?;
            Ok(Reply::NewDevice {
                device: device_line(app, device, &state),
                token,
                listening: app.listening.get().cloned(),
            })
        }
        Request::DeviceList => Ok(Reply::Devices(devices(app).await?)),
        Request::DeviceRemove { device } => {
            let found = find_device(devices(app).await?, &device)?;
            app.remove_device(found.room, found.id, None).await?;
            Ok(Reply::Devices(vec![found]))
        }
        Request::GrantAdd { to, filter, access } => {
            let to = find_grantee(app, to).await?;
            let grant = app.add_grant(to, &filter, access, None).await?;
            Ok(Reply::Grants(grants(app, vec![grant]).await?))
        }
        Request::GrantList => Ok(Reply::Grants(grants(app, app.store.grants().await?).await?)),
        Request::GrantRemove { grant } => {
            let found = app.store.grant(grant).await?.into_iter().collect();
            app.remove_grant(grant, None).await?;
            Ok(Reply::Grants(grants(app, found).await?))
        }
        Request::Ca => {
            let authority = app.authority().await?;
            let certificate = authority.pem().to_string();
            Ok(Reply::Ca { certificate, fingerprint: authority.fingerprint() })
        }
        Request::Backup { ask } => Ok(Reply::Backup(Box::new(backups::answer(app, ask).await?))),
        Request::Status => Ok(Reply::Status {
            house: app.house_name().await?,
            users: app.store.users().await?.len(),
            rooms: app.membership.rooms().len(),
            connections: app.broker.counts().connections,
            backups: app.backup_plan().await?,
            storage: app.storage().await?,
            damaged: app.store.damaged_stretches(),
            trouble: app.troubles.last(),
            clock_doubted: app.trust.is_doubted(),
        }),
        Request::TrustClock => {
            app.trust_clock().await?;
            Ok(Reply::ClockTrusted)
        }
        Request::Unlock { .. } => {
            Err(ApiError::conflict("open_already", "the box is open already"))
        }
    }
}

async fn user_line(app: &App, user: hearth_store::User) -> Result<UserLine, ApiError> {
    let vault = app.store.vault(user.id).await?.is_some();
    Ok(UserLine { id: user.id.to_string(), name: user.name, role: user.role, vault })
}

fn room_line(state: &RoomState) -> RoomLine {
    let room = state.room.clone();
    let members = state.members.len();
    let Room { id, name, kind, sealing, history, keep_days, keep_bytes, .. } = room;
    RoomLine { id, name, kind, sealing, members, history, keep_days, keep_bytes }
}

fn device_line(app: &App, device: hearth_store::Device, state: &RoomState) -> DeviceLine {
    let room_name = state.room.name.clone();
    let last_refused = app.refusals.last(&Account::Device(device.id));
    DeviceLine { id: device.id, name: device.name, room: device.room, room_name, last_refused }
}

async fn devices(app: &App) -> Result<Vec<DeviceLine>, ApiError> {
    let mut lines = vec![];
    for state in app.membership.rooms() {
        for device in app.store.devices(state.room.id).await? {
            lines.push(device_line(app, device, &state));
        }
    }
    Ok(lines)
}

async fn grants(app: &App, grants: Vec<Grant>) -> Result<Vec<GrantLine>, ApiError> {
    let mut lines = vec![];
    for grant in grants {
        let name = match grant.to {
            Grantee::User(user) => app.store.user(user).await?.map(|user| user.name),
            Grantee::Device(device) => app.store.device(device).await?.map(|device| device.name),
        };
        lines.push(GrantLine { name: name.unwrap_or_default(), grant });
    }
    Ok(lines)
}
