//! Invites: making a link, and coming by one (sealing.md §6).

use std::path::Path;

use hearth_protocol::bytes::b64u;
use hearth_protocol::ids::{InviteCode, RoomId};
use hearth_protocol::limits::days_ms;
use hearth_protocol::sealing::Secret;
use hearth_protocol::sealing::epoch::{Invited, Join, reason};
use hearth_protocol::sealing::invite::{Blob, InviteKeys, InvitedRoom, Joining, Link};
use serde::Deserialize;
use serde_json::{Value, json};

use super::account::{NewPerson, Sheet, new_person};
use super::rest::{Rest, SessionInfo};
use super::rooms::RoomInfo;
use super::rotation::{Draft, until_won};
use super::{Member, MemberError, now_ms, random_fill};
use crate::clock::random;

#[derive(Deserialize)]
struct Looked {
    blob: String,
}

/// An invite's secrets and what its maker says.
struct Opened {
    keys: InviteKeys,
    code: InviteCode,
    blob: Blob,
}

/// Shows the link's secret to the box and opens what it hands out.
fn look(rest: &Rest, link: &Link) -> Result<Opened, MemberError> {
    let (keys, code) = (InviteKeys::new(&link.k)?, link.code);
    let auth = b64u(keys.auth.as_bytes());
    let path = format!("/api/invites/{code}");
    let looked: Looked = rest.get_with(&path, ("Invite-Auth", &auth))?;
    let sealed = hearth_protocol::bytes::from_b64u(&looked.blob).ok_or_else(|| {
        MemberError::Answer { what: path, problem: "its blob is no base64url".into() }
    })?;
    let blob = Blob::open(&sealed, &keys, code)?;
    Ok(Opened { keys, code, blob })
}

impl Member {
    /// Makes an invite into a room, and into everyone's room with it, for `uses` people.
    pub fn invite(&mut self, room: &RoomInfo, uses: u32, days: usize) -> Result<Link, MemberError> {
        let mut rooms = vec![room.clone()];
        let general = self.rooms()?.into_iter().find(|one| one.general && one.id != room.id);
        rooms.extend(general);
        let k = Secret::random(&mut random_fill);
        let code = InviteCode::new(random());
        let expires = now_ms().saturating_add(days_ms(days));
        until_won(|| self.try_invite(&rooms, &k, code, (uses, expires)))?;
        Ok(Link { origin: self.url().to_string(), code, k })
    }

    fn try_invite(
        &mut self,
        rooms: &[RoomInfo],
        k: &Secret,
        code: InviteCode,
        (uses, expires): (u32, u64),
    ) -> Result<(), MemberError> {
        let keys = InviteKeys::new(k)?;
        let mut bundles = vec![];
        let mut invited = vec![];
        for room in rooms.iter().filter(|room| room.is_sealed()) {
            let known = self.room_keys(room.id)?;
            let mut draft = self.draft(&known)?;
            draft.header.reason = reason::INVITE.into();
            draft.header.invites.push(Invited {
                code,
                by: self.user(),
                sign_public: keys.sign.public(),
                recipient: keys.age.recipient(),
                expires,
                uses,
            });
            let bundle = self.seal(&draft)?;
            let (epoch, header_hash) = (bundle.header.epoch, bundle.header_hash());
            invited.push(InvitedRoom { room: room.id, epoch, header_hash });
            bundles.push(json!({ "room": room.id, "bundle": b64u(&bundle.encode()) }));
        }
        let blob = Blob {
            rooms: invited,
            by: self.user(),
            by_fingerprint: self.identity.fingerprint(self.user()),
            ca_fingerprint: None,
            expires,
            uses,
        };
        let request = json!({
            "code": code,
            "auth_hash": b64u(&keys.auth_hash()),
            "blob": b64u(&blob.seal(&keys, code, &mut random_fill)?),
            "expires_at": expires,
            "uses": uses,
            "bundles": bundles,
        });
        let room = rooms.first().map(|room| room.id.to_string()).unwrap_or_default();
        self.rest.post::<Value>(&format!("/api/rooms/{room}/invites"), &request)?;
        for room in &blob.rooms {
            let head = (room.epoch, room.header_hash);
            self.profile.update(room.room, |memory| memory.head = Some(head))?;
        }
        Ok(())
    }

    /// Opens an account by a link and enters its rooms.
    pub fn register(
        link: &Link,
        name: &str,
        password: &str,
        folder: &Path,
    ) -> Result<(Member, Sheet), MemberError> {
        let mut rest = Rest::new(&link.origin, None)?;
        let opened = look(&rest, link)?;
        let NewPerson { fresh, mut request } = new_person(name, password)?;
        let print = fresh.card.fingerprint();
        let joins = opened.blob.rooms.iter().map(|room| {
            let (code, user) = (opened.code, fresh.user);
            let joining = Joining { code, room: room.room, user, fingerprint: print };
            json!({ "room": room.room, "proof": b64u(&joining.prove(&opened.keys)) })
        });
        request["joins"] = json!(joins.collect::<Vec<_>>());
        request["code"] = json!(opened.code);
        request["auth"] = json!(b64u(opened.keys.auth.as_bytes()));
        let session: SessionInfo = rest.post("/api/auth/register", &request)?;
        rest.sign_in(&session);
        let mut member = Self::keep(rest, &session, fresh.identity, folder)?;
        for room in opened.blob.rooms.clone() {
            let head = (room.epoch, room.header_hash);
            member.profile.update(room.room, |memory| memory.head = Some(head))?;
            member.enter(room.room, &opened)?;
        }
        Ok((member, fresh.sheet))
    }

    /// Takes up an invite with the account that there is already.
    pub fn accept(&mut self, link: &Link) -> Result<Vec<RoomId>, MemberError> {
        let opened = look(&self.rest, link)?;
        let (code, user) = (opened.code, self.user());
        let fingerprint = self.identity.fingerprint(user);
        let joins = opened.blob.rooms.iter().map(|room| {
            let joining = Joining { code, room: room.room, user, fingerprint };
            json!({ "room": room.room, "proof": b64u(&joining.prove(&opened.keys)) })
        });
        let joins: Vec<_> = joins.collect();
        let request = json!({ "auth": b64u(opened.keys.auth.as_bytes()), "joins": joins });
        self.rest.post::<Value>(&format!("/api/invites/{code}/accept"), &request)?;
        for room in opened.blob.rooms.clone() {
            let told = (room.epoch, room.header_hash);
            self.profile.update(room.room, |memory| {
                memory.head.get_or_insert(told);
            })?;
            self.enter(room.room, &opened)?;
        }
        Ok(opened.blob.rooms.iter().map(|room| room.room).collect())
    }

    /// Lists oneself in a room's next epoch by the proof, unless somebody has done so already.
    fn enter(&mut self, room: RoomId, invite: &Opened) -> Result<(), MemberError> {
        let (user, code) = (self.user(), invite.code);
        let fingerprint = self.identity.fingerprint(user);
        let proof = Joining { code, room, user, fingerprint }.prove(&invite.keys);
        let join = Join { user, code, proof };
        until_won(|| {
            let keys = self.room_keys_with(room, &invite.keys.age, None)?;
            let current = keys.current()?;
            if current.header.member(user).is_some() {
                return Ok(());
            }
            let mut draft = Draft::after(current, Some(keys.current_keys()?), user)?;
            if !draft.list_by_proof(&join, fingerprint) {
                return Err(MemberError::NotListed);
            }
            draft.header.reason = reason::JOINED.into();
            let bundle = self.seal(&draft)?;
            self.post_bundle(&bundle)
        })
    }
}
