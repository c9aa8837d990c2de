//! What follows a commit, in commit order and before the waiting acknowledgements complete:
//! mirrors change, then events go to the broker (design §3, step 7).

use std::sync::Arc;

use bytes::Bytes;
use hearth_broker::{Broker, Reason};
use hearth_protocol::ids::RoomId;
use hearth_protocol::principal::{Account, Principal};
use hearth_protocol::role::Sealing;
use hearth_protocol::topic::Topic;
use hearth_store::{Change, Committed, Edit, Room, StoredEvent};

use crate::addresses::Addresses;
use crate::auth::live::Live;
use crate::blocks::Blocks;
use crate::feed::Feed;
use crate::grants::Grants;
use crate::history;
use crate::membership::{Membership, RoomState};
use crate::notifications::Unnoticed;
use crate::presence::Presences;
use crate::roles::Roles;

/// The listener at the store.
pub struct Aftermath {
    /// Gets the events.
    pub broker: Broker,
    /// Follows rooms and members.
    pub membership: Arc<Membership>,
    /// Follows roles.
    pub roles: Arc<Roles>,
    /// Follows blocks.
    pub blocks: Arc<Blocks>,
    /// Collects what people are to be alerted to.
    pub unnoticed: Arc<Unnoticed>,
    /// Follows grants.
    pub grants: Arc<Grants>,
    /// Follows from where the house is reached.
    pub addresses: Arc<Addresses>,
    /// Follows sessions, tokens and devices.
    pub live: Arc<Live>,
    /// Tells those who listen outside MQTT.
    pub feed: Arc<Feed>,
    /// Follows what people want to be shown as.
    pub presence: Arc<Presences>,
}

impl Committed for Aftermath {
    fn events(&self, events: &[StoredEvent]) {
        for event in events {
            let sealing = self.sealing(event.room);
            let payload = history::payload(event, sealing);
            self.broker.publish_event(event.room, event.position, payload);
        }
        self.feed.stored(events);
        self.unnoticed.mark(events);
    }

    fn changed(&self, change: &Change, rooms: &[Room]) {
        self.live.apply(change);
        self.membership.apply(change, rooms);
        self.roles.apply(change);
        self.blocks.apply(change);
        self.grants.apply(change);
        self.presence.apply(change);
        self.feed.changed(change);
        self.addresses.apply(change);
        for edit in &change.edits {
            match edit {
                Edit::PutBundle(bundle) => {
                    if let Some(state) = self.membership.room(bundle.room) {
                        announce_epoch(&self.broker, &state);
                    }
                }
                Edit::PutMember(member) => {
                    // The newcomer reads the room's topics, and all of them each other's presence.
                    if let Some(state) = self.membership.room(member.room) {
                        for user in state.members.keys() {
                            self.broker.rights_changed(&Account::User(*user));
                        }
                    }
                }
                Edit::RemoveRoom { room, .. } => {
                    for topic in [Topic::Key(*room), Topic::Receipts(*room)] {
                        self.broker.publish(&topic, Bytes::new(), true);
                    }
                }
                Edit::UpdateUser(user) if user.blocked => {
                    self.broker.disconnect(&Account::User(user.id), Reason::NotAuthorized);
                }
                // What was withheld while they were hidden from each other comes once.
                Edit::RemoveBlock { user, other } => {
                    self.broker.rights_changed(&Account::User(*user));
                    self.broker.rights_changed(&Account::User(*other));
                }
                Edit::PutGrant(grant) => self.broker.rights_changed(&grant.to.account()),
                Edit::RemoveSession(ended) => self.broker.disconnect_where(
                    |who| matches!(who, Principal::Person { session, .. } if session == ended),
                    Reason::NotAuthorized,
                ),
                Edit::RemoveToken(ended) => self.broker.disconnect_where(
                    |who| matches!(who, Principal::App { token, .. } if token == ended),
                    Reason::NotAuthorized,
                ),
                Edit::RemoveDevice(device) => {
                    self.broker.disconnect(&Account::Device(*device), Reason::NotAuthorized);
                }
                _ => {}
            }
        }
    }
}

impl Aftermath {
    /// How a room's events look; a room is in the mirror before its first event.
    fn sealing(&self, room: RoomId) -> Sealing {
        self.membership.room(room).map_or(Sealing::Sealed, |state| state.room.sealing)
    }
}

/// The retained `key` topic of a sealed room: devices and members follow it.
pub fn announce_epoch(broker: &Broker, state: &RoomState) {
    if let Some(key) = &state.key {
        broker.publish(&Topic::Key(state.room.id), Bytes::clone(key), true);
    }
}
