//! Who is in which room, mirrored in memory: the only place that decides who may do what there.
//!
//! Loaded at start, changed in commit order after each commit; never asks the disk.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use hearth_protocol::ids::{DeviceId, RoomId, UserId};
use hearth_protocol::limits::days_ms;
use hearth_protocol::refusal::{Kind, Refusal};
use hearth_protocol::role::{self, RoomAction, RoomRole, Sealing};
use hearth_protocol::sealing::Recipient;
use hearth_protocol::sealing::bundle::Bundle as SealedBundle;
use hearth_store::{Change, Device, Edit, Plain, Room, Sanction, Store, StoreError};

use crate::clock::utc;
use crate::error::ApiError;
use crate::past::Past;

/// A room as the mirror knows it. Cheap to clone: replaced as a whole on each change.
#[derive(Debug, Clone)]
pub struct RoomState {
    /// The room.
    pub room: Room,
    /// Its members.
    pub members: HashMap<UserId, RoomRole>,
    /// Its devices.
    pub devices: HashSet<DeviceId>,
    /// Those of them whose posts in clear the box seals.
    pub plain: HashSet<DeviceId>,
    /// The current epoch's doors.
    pub doors: HashMap<DeviceId, Recipient>,
    /// Who is or was muted or banned.
    pub sanctions: HashMap<UserId, Sanction>,
    /// Who the current epoch's header lists.
    pub listed: HashSet<UserId>,
    /// Whether its current epoch's rules let events tell the box whom to notify.
    pub hints: bool,
    /// When the first of the current epoch's invites expires, ms since 1970.
    pub invites_end: Option<u64>,
    /// The payload of its `key` topic.
    pub key: Option<Bytes>,
    /// Whom its epochs ever listed.
    pub past: Arc<Past>,
}

#[derive(Debug, Default)]
struct Inner {
    rooms: HashMap<RoomId, Arc<RoomState>>,
    of_user: HashMap<UserId, HashSet<RoomId>>,
    of_device: HashMap<DeviceId, RoomId>,
}

/// The mirror.
#[derive(Debug, Default)]
pub struct Membership {
    inner: RwLock<Inner>,
}

impl Membership {
    /// Reads rooms, members, devices and current epochs from the store.
    pub async fn load(store: &Store) -> Result<Self, ApiError> {
        let mut inner = Inner::default();
        for room in store.rooms().await? {
            inner.put(load_room(store, room).await?);
        }
        Ok(Self { inner: RwLock::new(inner) })
    }

    fn read<T>(&self, look: impl FnOnce(&Inner) -> T) -> T {
        look(&self.inner.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Follows a change that is on disk; `rooms` are the rooms it touched, as they are now.
    pub fn apply(&self, change: &Change, rooms: &[Room]) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        for edit in &change.edits {
            if let Edit::RemoveRoom { room, .. } = edit {
                inner.remove(*room);
            }
        }
        for room in rooms {
            let mut state = match inner.rooms.get(&room.id) {
                Some(known) => RoomState::clone(known),
                None => RoomState::new(room.clone()),
            };
            state.room = room.clone();
            for edit in &change.edits {
                state.follow(edit);
            }
            inner.put(state);
        }
    }

    /// All rooms.
    pub fn rooms(&self) -> Vec<Arc<RoomState>> {
        self.read(|inner| inner.rooms.values().cloned().collect())
    }

    /// The general room, where everyone is.
    pub fn general(&self) -> Option<Arc<RoomState>> {
        self.read(|inner| inner.rooms.values().find(|state| state.room.general).cloned())
    }

    /// One room, whoever asks.
    pub fn room(&self, room: RoomId) -> Option<Arc<RoomState>> {
        self.read(|inner| inner.rooms.get(&room).cloned())
    }

    /// The rooms somebody is in.
    pub fn rooms_of(&self, user: UserId) -> Vec<Arc<RoomState>> {
        self.read(|inner| {
            let ids = inner.of_user.get(&user).into_iter().flatten();
            ids.filter_map(|id| inner.rooms.get(id).cloned()).collect()
        })
    }

    /// Whether somebody is in a room.
    pub fn is_member(&self, room: RoomId, user: UserId) -> bool {
        self.read(|inner| inner.of_user.get(&user).is_some_and(|rooms| rooms.contains(&room)))
    }

    /// Whether two people share a room.
    pub fn share_a_room(&self, one: UserId, other: UserId) -> bool {
        self.read(|inner| match (inner.of_user.get(&one), inner.of_user.get(&other)) {
            (Some(ones), Some(others)) => !ones.is_disjoint(others),
            _ => false,
        })
    }

    /// The room of a device.
    pub fn room_of(&self, device: DeviceId) -> Option<RoomId> {
        self.read(|inner| inner.of_device.get(&device).copied())
    }

    /// A room in which somebody may do something. Who may not know of it gets "not found".
    pub fn require(
        &self,
        room: RoomId,
        user: UserId,
        action: RoomAction,
    ) -> Result<Arc<RoomState>, Refusal> {
        let missing = || Refusal::new(Kind::NotFound, "not_found", "there is no such room");
        let state = self.room(room).ok_or_else(missing)?;
        let Some(&role) = state.members.get(&user) else { return Err(missing()) };
        if role::may(role, action, state.room.kind) {
            Ok(state)
        } else {
            Err(Refusal::new(
                Kind::Forbidden,
                "forbidden",
                format!("a room's {role:?} may not do this here ({action:?})").to_lowercase(),
            )
            .hint("ask an admin of the room"))
        }
    }
}

impl Inner {
    fn remove(&mut self, id: RoomId) {
        if let Some(old) = self.rooms.remove(&id) {
            for user in old.members.keys() {
                if let Some(rooms) = self.of_user.get_mut(user) {
                    rooms.remove(&id);
                }
            }
            for device in &old.devices {
                self.of_device.remove(device);
            }
        }
    }

    fn put(&mut self, state: RoomState) {
        let id = state.room.id;
        self.remove(id);
        for user in state.members.keys() {
            self.of_user.entry(*user).or_default().insert(id);
        }
        for device in &state.devices {
            self.of_device.insert(*device, id);
        }
        self.rooms.insert(id, Arc::new(state));
    }
}

impl RoomState {
    fn new(room: Room) -> Self {
        Self {
            room,
            members: HashMap::new(),
            devices: HashSet::new(),
            plain: HashSet::new(),
            doors: HashMap::new(),
            sanctions: HashMap::new(),
            listed: HashSet::new(),
            hints: false,
            invites_end: None,
            key: None,
            past: Arc::default(),
        }
    }

    /// Whether the box cannot read it.
    pub fn is_sealed(&self) -> bool {
        self.room.sealing == Sealing::Sealed
    }

    /// Whether a new epoch comes before anything sealed: somebody left, a card changed, or an
    /// invite ended. Members' clocks may be a day behind.
    pub fn rotates_first(&self, now_ms: u64) -> bool {
        let over = |end: u64| end.saturating_add(days_ms(1)) < now_ms;
        self.room.rotation_due || self.is_sealed() && self.invites_end.is_some_and(over)
    }

    /// Refuses whom the room has muted.
    pub fn may_speak(&self, user: UserId, at_ms: u64) -> Result<(), Refusal> {
        let mute = self.sanctions.get(&user).and_then(|known| known.mute.as_ref());
        let Some(mute) = mute.filter(|mute| mute.holds(at_ms)) else { return Ok(()) };
        let mut message = "you are muted in this room".to_string();
        if let Some(until) = mute.until {
            message += &format!(" until {}", utc(until));
        }
        if !mute.reason.is_empty() {
            message += &format!(": {}", mute.reason);
        }
        Err(Refusal::new(Kind::Forbidden, "muted", message)
            .hint("an owner or admin of the room can lift it"))
    }

    fn sanction(&mut self, user: UserId) -> &mut Sanction {
        let room = self.room.id;
        self.sanctions.entry(user).or_insert(Sanction { room, user, mute: None, ban: None })
    }

    fn follow(&mut self, edit: &Edit) {
        let here = self.room.id;
        match edit {
            Edit::PutMember(member) | Edit::UpdateMember(member) if member.room == here => {
                self.members.insert(member.user, member.role);
            }
            Edit::RemoveMember { room, user } if *room == here => drop(self.members.remove(user)),
            Edit::PutDevice(device) | Edit::UpdateDevice(device) if device.room == here => {
                self.put_device(device);
            }
            Edit::RemoveDevice(id) => {
                self.devices.remove(id);
                self.plain.remove(id);
            }
            Edit::Mute { room, user, sentence } if *room == here => {
                self.sanction(*user).mute = sentence.clone();
            }
            Edit::Ban { room, user, sentence } if *room == here => {
                self.sanction(*user).ban = sentence.clone();
            }
            Edit::PutBundle(bundle) if bundle.room == here => self.enter_epoch(&bundle.bytes),
            _ => {}
        }
    }

    fn put_device(&mut self, device: &Device) {
        self.devices.insert(device.id);
        match device.plain {
            Plain::Refuse => self.plain.remove(&device.id),
            Plain::Seal => self.plain.insert(device.id),
        };
    }

    /// Takes who is listed and the `key` payload from a bundle that was checked when it came.
    fn enter_epoch(&mut self, bytes: &[u8]) {
        match SealedBundle::parse(bytes) {
            Ok(bundle) => {
                self.listed = bundle.header.members.iter().map(|(user, _)| *user).collect();
                let doors = &bundle.header.doors;
                self.doors = doors.iter().map(|(device, to, _)| (*device, *to)).collect();
                self.hints = bundle.header.rules.hints;
                self.invites_end = bundle.header.invites.iter().map(|one| one.expires).min();
                self.key = Some(bundle.announcement().into());
            }
            Err(error) => {
                let room = self.room.id;
                tracing::error!(%room, %error, "a stored bundle does not read");
            }
        }
    }
}

async fn load_room(store: &Store, room: Room) -> Result<RoomState, StoreError> {
    let (id, epoch) = (room.id, room.epoch);
    let mut state = RoomState::new(room);
    let members = store.members(id).await?;
    state.members = members.into_iter().map(|member| (member.user, member.role)).collect();
    for device in store.devices(id).await? {
        state.put_device(&device);
    }
    let sanctions = store.sanctions(id).await?;
    state.sanctions = sanctions.into_iter().map(|known| (known.user, known)).collect();
    if let Some(bundle) = store.bundle(id, epoch).await? {
        state.enter_epoch(&bundle.bytes);
    }
    Ok(state)
}
