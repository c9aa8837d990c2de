//! Making a room's next epoch (sealing.md §3): who is in it now, their devices and invites, and
//! one change.

use hearth_protocol::bytes::b64u;
use hearth_protocol::ids::{DeviceId, RoomId, UserId};
use hearth_protocol::role::RoomType;
use hearth_protocol::sealing::bundle::Bundle;
use hearth_protocol::sealing::door;
use hearth_protocol::sealing::epoch::{EpochKeys, Header, History, Join, Rules, reason};
use hearth_protocol::sealing::identity::Identity;
use hearth_protocol::sealing::invite::Joining;
use hearth_protocol::sealing::{Fingerprint, Hash, Recipient, Secret};
use serde_json::{Value, json};

use super::epochs::RoomKeys;
use super::rooms::Waiting;
use super::{Member, MemberError, now_ms, random_fill};

/// How often a race with another client is run again.
const TRIES: usize = 5;

/// The first epoch of a room of one person.
pub(super) fn first(
    room: RoomId,
    kind: RoomType,
    (user, identity): (UserId, &Identity),
    now: u64,
) -> Result<Bundle, MemberError> {
    let keys = EpochKeys::new(room, Secret::random(&mut random_fill));
    let header = Header {
        room,
        epoch: 1,
        kid: keys.kid,
        prev: Hash::ZERO,
        rules: Rules::new(kind),
        members: vec![(user, identity.fingerprint(user))],
        joins: vec![],
        doors: vec![],
        invites: vec![],
        back: None,
        by: user,
        at: now,
        reason: reason::CREATED.into(),
    };
    let to = [identity.age.recipient()];
    Ok(Bundle::make(header, &keys.secret, &to, &identity.sign)?)
}

/// An epoch about to be made.
pub struct Draft {
    /// What it will say.
    pub header: Header,
    /// Its keys.
    pub keys: EpochKeys,
}

impl Draft {
    /// A header that follows `current` and changes nothing; `open` are the keys of the newest
    /// epoch that opens, to which its way back leads.
    pub(super) fn after(
        current: &Bundle,
        open: Option<&EpochKeys>,
        by: UserId,
    ) -> Result<Draft, MemberError> {
        let before = &current.header;
        let fresh = EpochKeys::new(before.room, Secret::random(&mut random_fill));
        let epoch = before.epoch.saturating_add(1);
        let back = match before.rules.history {
            History::All => {
                let open = open.ok_or(MemberError::NothingOpens)?;
                Some(fresh.seal_back(epoch, &open.secret, &mut random_fill)?)
            }
            History::SinceJoin => None,
        };
        let header = Header {
            epoch,
            kid: fresh.kid,
            prev: current.header_hash(),
            joins: vec![],
            back,
            by,
            at: before.next_at(now_ms()),
            reason: reason::DUE.into(),
            ..before.clone()
        };
        Ok(Draft { header, keys: fresh })
    }

    /// Adds a device, or renews its door.
    pub fn put_door(&mut self, device: DeviceId) -> Result<Recipient, MemberError> {
        let recipient = door::identity(&self.keys, device)?.recipient();
        self.header.doors.retain(|(known, ..)| *known != device);
        self.header.doors.push((device, recipient, self.header.epoch));
        Ok(recipient)
    }

    /// Lists somebody by a proof, if it is one; one use of the invite goes.
    pub(super) fn list_by_proof(&mut self, join: &Join, keys: Fingerprint) -> bool {
        let header = &mut self.header;
        let at = header.invites.iter().position(|invite| invite.code == join.code);
        let Some(at) = at else { return false };
        let (code, room, user) = (join.code, header.room, join.user);
        let joining = Joining { code, room, user, fingerprint: keys };
        let invite = &mut header.invites[at];
        let stands = header.at <= invite.expires;
        if !stands || joining.verify(&invite.sign_public, &join.proof).is_err() {
            return false;
        }
        invite.uses = invite.uses.saturating_sub(1);
        header.invites.retain(|invite| invite.uses > 0);
        header.members.push((user, keys));
        header.joins.push(join.clone());
        true
    }
}

impl Member {
    /// The next epoch with the members, devices and invites that there are now; whoever left is
    /// dropped, whoever brings a proof is listed, in a public room everybody who joined.
    pub(super) fn draft(&mut self, keys: &RoomKeys) -> Result<Draft, MemberError> {
        let current = keys.current()?;
        let user = self.user();
        let closed = keys.is_closed_to(user, self.identity.fingerprint(user))?;
        if !closed {
            keys.current_keys()?;
        }
        let mut draft = Draft::after(current, keys.newest_keys(), user)?;
        let room = current.header.room;
        let now = self.members(room)?;
        let is_member = |user: &UserId| now.members.iter().any(|one| one.user.id == *user);
        let before = draft.header.members.len();
        draft.header.members.retain(|(user, _)| is_member(user));
        let somebody_left = draft.header.members.len() < before;
        let keys_changed = self.list_current_keys(&mut draft)?;
        draft.header.invites.retain(|invite| is_member(&invite.by));
        let ever = keys.ever_listed();
        for waiting in now.waiting.iter().filter(|waiting| !ever.contains(&waiting.user)) {
            self.list_waiting(&mut draft, waiting)?;
        }
        if draft.header.rules.kind == RoomType::Public {
            for user in now.members.iter().map(|one| one.user.id) {
                self.list_unasked(&mut draft, user)?;
            }
        }
        let at = draft.header.at;
        draft.header.invites.retain(|invite| invite.expires > at);
        self.drop_revoked(&mut draft)?;
        let devices = self.devices(room)?;
        draft.header.doors.retain(|(device, ..)| devices.iter().any(|one| one.id == *device));
        // What a closed epoch made of doors, nobody can derive.
        let renew = somebody_left || keys_changed || closed;
        for device in devices {
            if renew || keys.door(device.id).is_none() {
                draft.put_door(device.id)?;
            }
        }
        Ok(draft)
    }

    /// Lists everybody with the newest keys that those known of them have signed; whether any
    /// changed.
    fn list_current_keys(&mut self, draft: &mut Draft) -> Result<bool, MemberError> {
        self.forget_cards();
        let mut changed = false;
        for at in 0..draft.header.members.len() {
            let (user, listed) = draft.header.members[at];
            let Some(card) = self.card_for(user, Some(listed))? else { continue };
            changed |= card.fingerprint() != listed;
            draft.header.members[at].1 = card.fingerprint();
        }
        Ok(changed)
    }

    fn list_waiting(&mut self, draft: &mut Draft, waiting: &Waiting) -> Result<(), MemberError> {
        if draft.header.member(waiting.user).is_some() {
            return Ok(());
        }
        let join = Join { user: waiting.user, code: waiting.code, proof: waiting.proof };
        for card in self.all_cards(waiting.user)? {
            if draft.list_by_proof(&join, card.fingerprint()) {
                draft.header.reason = reason::ADDED.into();
                break;
            }
        }
        Ok(())
    }

    /// Only where the room's own rules say public, with the card the box serves, if it is of keys
    /// that are known or of somebody who is not.
    fn list_unasked(&mut self, draft: &mut Draft, user: UserId) -> Result<(), MemberError> {
        if draft.header.member(user).is_some() {
            return Ok(());
        }
        if let Some(card) = self.card_for(user, None)? {
            draft.header.members.push((user, card.fingerprint()));
            draft.header.reason = reason::ADDED.into();
        }
        Ok(())
    }

    /// Leaves out invites that ended early; who may not list them cannot know.
    fn drop_revoked(&mut self, draft: &mut Draft) -> Result<(), MemberError> {
        if draft.header.invites.is_empty() {
            return Ok(());
        }
        let path = format!("/api/rooms/{}/invites", draft.header.room);
        let served: Value = match self.rest.get(&path) {
            Ok(served) => served,
            Err(error) if error.is("forbidden") => return Ok(()),
            Err(error) => return Err(error),
        };
        let revoked = |code: &str| {
            let mut all = served["invites"].as_array().into_iter().flatten();
            all.any(|one| one["code"] == code && one["revoked"] == true)
        };
        // A used up one stays until all who came by it are listed, which its header counts.
        draft.header.invites.retain(|invite| !revoked(invite.code.as_str()));
        Ok(())
    }

    /// Seals a draft to everybody it lists and signs it.
    pub(super) fn seal(&mut self, draft: &Draft) -> Result<Bundle, MemberError> {
        let mut to: Vec<Recipient> = vec![];
        for (user, print) in &draft.header.members {
            to.push(self.card(*user, *print)?.recipient());
        }
        if draft.header.rules.history == History::All {
            to.extend(draft.header.invites.iter().map(|invite| invite.recipient));
        }
        let (header, secret) = (draft.header.clone(), &draft.keys.secret);
        Ok(Bundle::make(header, secret, &to, &self.identity.sign)?)
    }

    /// Gives a bundle to the box.
    pub(super) fn post_bundle(&self, bundle: &Bundle) -> Result<(), MemberError> {
        let request = json!({ "bundle": b64u(&bundle.encode()) });
        let path = format!("/api/rooms/{}/bundles", bundle.header.room);
        self.rest.post::<Value>(&path, &request).map(drop)
    }

    /// Makes a new epoch for a room; another client may be first, which does as well.
    pub fn rotate(&mut self, room: RoomId) -> Result<RoomKeys, MemberError> {
        until_won(|| {
            let keys = self.room_keys(room)?;
            let draft = self.draft(&keys)?;
            let bundle = self.seal(&draft)?;
            self.post_bundle(&bundle)
        })?;
        self.room_keys(room)
    }
}

/// What the box says of a bundle when the room changed while it was made.
const LOST_RACE: [&str; 8] = [
    "epoch_taken",
    "lists_stranger",
    "drops_member",
    "drops_door",
    "drops_invite",
    "unknown_device",
    "unknown_invite",
    "old_card",
];

/// Makes a change of a room, and makes it anew as long as somebody else's came first.
pub(super) fn until_won<T>(
    mut make: impl FnMut() -> Result<T, MemberError>,
) -> Result<T, MemberError> {
    let mut made = make();
    for _ in 1..TRIES {
        match &made {
            Err(error) if LOST_RACE.iter().any(|code| error.is(code)) => made = make(),
            _ => break,
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use hearth_protocol::ids::InviteCode;
    use hearth_protocol::sealing::epoch::Invited;
    use hearth_protocol::sealing::invite::InviteKeys;

    use super::super::fake;
    use super::*;

    /// Whether the one invite of a draft stays when the box answers so.
    fn keeps_the_invite(status: u16, body: &str) -> Result<bool, MemberError> {
        let (_folder, mut member) = fake::member(&[(status, body)]);
        let room = RoomId::new(1, [1; 10]);
        let person = (member.user(), &member.identity);
        let mut header = first(room, RoomType::Private, person, 5).unwrap().header;
        let secret = Secret::random(&mut random_fill);
        let keys = InviteKeys::new(&secret).unwrap();
        header.invites.push(Invited {
            code: InviteCode::new(CODE),
            by: member.user(),
            sign_public: keys.sign.public(),
            recipient: keys.age.recipient(),
            expires: 9,
            uses: 1,
        });
        let mut draft = Draft { header, keys: EpochKeys::new(room, secret) };
        member.drop_revoked(&mut draft)?;
        Ok(!draft.header.invites.is_empty())
    }

    const CODE: [u8; 10] = [4; 10];

    #[test]
    fn a_revoked_invite_goes_and_a_box_that_cannot_say_ends_the_rotation() {
        let served = |revoked: bool| {
            let code = InviteCode::new(CODE);
            json!({ "invites": [{ "code": code, "revoked": revoked }] }).to_string()
        };
        assert!(!keeps_the_invite(200, &served(true)).unwrap());
        assert!(keeps_the_invite(200, &served(false)).unwrap());
        assert!(keeps_the_invite(403, &fake::refusal("forbidden")).unwrap());
        for (status, code) in [(401, "unauthorized"), (429, "slow_down"), (503, "unavailable")] {
            assert!(keeps_the_invite(status, &fake::refusal(code)).unwrap_err().is(code));
        }
    }

    #[test]
    fn a_lost_race_is_run_again_a_few_times_and_any_other_refusal_is_not() {
        let tries = |code: &str, lost: usize| {
            let mut made = 0;
            let done = until_won(|| {
                made += 1;
                let refused = |code: &str| MemberError::Refused {
                    code: code.into(),
                    message: String::new(),
                    hint: String::new(),
                };
                if made > lost { Ok(()) } else { Err(refused(code)) }
            });
            (made, done.is_ok())
        };
        for code in LOST_RACE {
            assert_eq!(tries(code, 2), (3, true), "{code}");
            assert_eq!(tries(code, 100), (TRIES, false), "{code}");
        }
        assert_eq!(tries("unknown_device", 0), (1, true));
        assert_eq!(tries("forbidden", 2), (1, false));
    }
}
