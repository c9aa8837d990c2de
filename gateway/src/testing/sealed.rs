//! People with keys and rooms with epochs, for unit tests of what the box checks of them.

use hearth_protocol::bytes::b64u;
use hearth_protocol::ids::{EventId, RoomId, UserId};
use hearth_protocol::role::{HouseRole, RoomType};
use hearth_protocol::sealing::bundle::Bundle;
use hearth_protocol::sealing::card::Card;
use hearth_protocol::sealing::epoch::{EpochKeys, Header, History, Invited, Rules};
use hearth_protocol::sealing::event::{Kind, WireHeader, seal};
use hearth_protocol::sealing::identity::Identity;
use hearth_protocol::sealing::{Hash, Secret};
use hearth_store::Edit;
use serde_json::{Value, json};

use super::{House, Person};
use crate::clock::random;

/// Somebody with keys.
pub struct Keyed {
    pub person: Person,
    pub identity: Identity,
}

impl Keyed {
    pub fn id(&self) -> UserId {
        self.person.id
    }
}

/// An epoch and its secret.
pub struct Epoch {
    pub bundle: Bundle,
    pub keys: EpochKeys,
}

impl Epoch {
    /// A room's first, which lists these; the first of them makes it.
    pub fn first(room: RoomId, kind: RoomType, members: &[&Keyed]) -> Epoch {
        let keys = EpochKeys::new(room, Secret::from_bytes(random()));
        let header = Header {
            room,
            epoch: 1,
            kid: keys.kid,
            prev: Hash::ZERO,
            rules: Rules::new(kind),
            members: vec![],
            joins: vec![],
            doors: vec![],
            invites: vec![],
            back: None,
            by: members[0].id(),
            at: super::BEGINS_MS,
            reason: "created".into(),
        };
        Epoch::make(header, keys, members)
    }

    /// The next one, which lists these and has these rules; the first of them makes it.
    pub fn next(&self, rules: Rules, members: &[&Keyed]) -> Epoch {
        let before = &self.bundle.header;
        let keys = EpochKeys::new(before.room, Secret::from_bytes(random()));
        let epoch = before.epoch + 1;
        let back = (rules.history == History::All)
            .then(|| keys.seal_back(epoch, &self.keys.secret, &mut fill).unwrap());
        let header = Header {
            epoch,
            kid: keys.kid,
            prev: self.bundle.header_hash(),
            rules,
            back,
            by: members[0].id(),
            reason: "due".into(),
            ..before.clone()
        };
        Epoch::make(header, keys, members)
    }

    /// The next one, which names these invites and no others.
    pub fn inviting(&self, invites: Vec<Invited>, members: &[&Keyed]) -> Epoch {
        self.changed(members, |header| header.invites = invites)
    }

    /// The next one, whose header is changed before it is signed.
    pub fn changed(&self, members: &[&Keyed], change: impl FnOnce(&mut Header)) -> Epoch {
        let Epoch { bundle, keys } = self.next(self.bundle.header.rules, members);
        let mut header = bundle.header;
        change(&mut header);
        Epoch::make(header, keys, members)
    }

    fn make(header: Header, keys: EpochKeys, members: &[&Keyed]) -> Epoch {
        let listed = members.iter().map(|one| (one.id(), one.identity.fingerprint(one.id())));
        let header = Header { members: listed.collect(), ..header };
        let to: Vec<_> = members.iter().map(|one| one.identity.age.recipient()).collect();
        let signer = &members[0].identity.sign;
        let bundle = Bundle::make(header, &keys.secret, &to, signer).unwrap();
        Epoch { bundle, keys }
    }

    /// As requests carry it.
    pub fn b64u(&self) -> String {
        b64u(&self.bundle.encode())
    }

    /// A wire under this epoch.
    pub fn wire(&self, by: &Keyed, id: EventId, kind: Kind, seq: u64) -> Vec<u8> {
        let (epoch, sender) = (self.bundle.header.epoch, by.id());
        let header = WireHeader { epoch, id, sender, writer: 1, kind, seq };
        seal(&header, b"{}", &self.keys, &by.identity.sign, &mut fill).unwrap()
    }
}

fn fill(out: &mut [u8]) {
    for chunk in out.chunks_mut(32) {
        let bytes: [u8; 32] = random();
        chunk.copy_from_slice(&bytes[..chunk.len()]);
    }
}

impl House {
    /// An account with a card.
    pub async fn keyed(&self, name: &str, role: HouseRole) -> Keyed {
        let person = self.person(name, role).await;
        let identity = Identity::from_root(Secret::from_bytes(random())).unwrap();
        let card = Card::first(&identity, person.id, super::BEGINS_MS).unwrap().encode();
        self.change(vec![Edit::PutCard { user: person.id, card }]).await;
        Keyed { person, identity }
    }

    /// A sealed private room of one person, with its first epoch.
    pub async fn sealed_room(&self, by: &Keyed) -> (RoomId, Epoch) {
        let room = RoomId::new(super::BEGINS_MS, random());
        let epoch = Epoch::first(room, RoomType::Private, &[by]);
        let new = json!({ "id": room, "name": "Den", "type": "private", "bundle": epoch.b64u() });
        self.post("/api/rooms", &by.person, new).await.is(201);
        (room, epoch)
    }

    /// Sends a wire by REST.
    pub async fn send_sealed(&self, room: RoomId, by: &Keyed, wire: &[u8]) -> super::Answered {
        let body = json!({ "sealed": b64u(wire) });
        self.post(&format!("/api/rooms/{room}/messages"), &by.person, body).await
    }

    /// `PUT` by somebody.
    pub async fn put(&self, path: &str, who: &Person, body: Value) -> super::Answered {
        self.call("PUT", path, Some(who), body).await
    }

    /// `DELETE` by somebody.
    pub async fn delete(&self, path: &str, who: &Person) -> super::Answered {
        self.call("DELETE", path, Some(who), Value::Null).await
    }
}
