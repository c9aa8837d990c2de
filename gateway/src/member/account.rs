//! How one signs in: set-up, invite, or a login with the vault opened (sealing.md §2).

use std::path::Path;

use hearth_protocol::bytes::{self, b64u};
use hearth_protocol::ids::{RoomId, UserId};
use hearth_protocol::role::RoomType;
use hearth_protocol::sealing::card::Card;
use hearth_protocol::sealing::identity::Identity;
use hearth_protocol::sealing::vault::{self, Cost, Data, SALT};
use hearth_protocol::sealing::{AgeIdentity, Secret};
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::people::People;
use super::profile::{Account, Profile};
use super::rest::{Rest, SessionInfo};
use super::{Member, MemberError, now_ms, random_fill, rotation};
use crate::clock::random;

/// The recovery sheet's secret, `AGE-SECRET-KEY-1…`: shown once, to be printed.
pub type Sheet = Zeroizing<String>;

#[derive(Deserialize)]
struct Params {
    #[serde(with = "bytes::array")]
    salt: [u8; SALT],
    cost: Cost,
}

/// The newest vault, as the box keeps it.
#[derive(Deserialize)]
pub(super) struct ServedVault {
    pub(super) version: u64,
    #[serde(with = "bytes")]
    pub(super) vault: Vec<u8>,
}

/// A new person's keys and what the box keeps of them.
pub(super) struct Fresh {
    pub(super) user: UserId,
    pub(super) identity: Identity,
    pub(super) card: Card,
    pub(super) sheet: Sheet,
    vault: Vec<u8>,
    recovery: Vec<u8>,
}

impl Fresh {
    /// Makes everything for a person whose vault key this is; the vault is version 1.
    fn make(user: UserId, vault_key: &Secret, now: u64) -> Result<Fresh, MemberError> {
        let identity = Identity::from_root(Secret::random(&mut random_fill))?;
        let sheet = AgeIdentity::from_scalar(&Secret::random(&mut random_fill))?;
        let data = Data::new(sheet.recipient(), now);
        let root = identity.root();
        Ok(Fresh {
            user,
            card: Card::first(&identity, user, now)?,
            vault: vault::seal(user, 1, vault_key, root, &data, &mut random_fill)?,
            recovery: vault::seal_recovery(user, root, &data)?,
            sheet: sheet.to_text(),
            identity,
        })
    }

    fn parts(&self) -> Value {
        json!({
            "card": b64u(&self.card.encode()),
            "vault": b64u(&self.vault),
            "recovery": b64u(&self.recovery),
        })
    }
}

/// A person to be made, and the fields of the request that makes them.
pub(super) struct NewPerson {
    pub(super) fresh: Fresh,
    pub(super) request: Value,
}

/// Keys and request fields of a new account.
pub(super) fn new_person(name: &str, password: &str) -> Result<NewPerson, MemberError> {
    let (salt, cost) = (random::<SALT>(), Cost::default());
    let stretched = vault::stretch(password, &salt, &cost)?;
    let now = now_ms();
    let fresh = Fresh::make(UserId::new(now, random()), &stretched.vault_key(), now)?;
    let mut request = fresh.parts();
    request["user_id"] = json!(fresh.user);
    request["name"] = json!(name);
    request["label"] = json!(LABEL);
    request["salt"] = json!(b64u(&salt));
    request["cost"] = json!(cost);
    request["auth_key"] = json!(b64u(stretched.auth_key().as_bytes()));
    Ok(NewPerson { fresh, request })
}

/// How this program is called in the list of sessions.
pub(super) const LABEL: &str = "hearth command";

impl Member {
    /// Signs in with name and password. A vault is opened; an account without one gets its keys
    /// here, and its recovery sheet comes back.
    pub fn login(
        url: &str,
        name: &str,
        password: &str,
        folder: &Path,
    ) -> Result<(Member, Option<Sheet>), MemberError> {
        Self::login_at(Rest::new(url, None)?, name, password, folder)
    }

    /// The same at this box.
    pub fn login_at(
        mut rest: Rest,
        name: &str,
        password: &str,
        folder: &Path,
    ) -> Result<(Member, Option<Sheet>), MemberError> {
        let params: Params = rest.get(&format!("/api/auth/params?username={name}"))?;
        let stretched = vault::stretch(password, &params.salt, &params.cost)?;
        let auth_key = b64u(stretched.auth_key().as_bytes());
        let login = json!({ "username": name, "auth_key": auth_key, "label": LABEL });
        let session: SessionInfo = rest.post("/api/auth/login", &login)?;
        rest.sign_in(&session);
        let user = session.user.id;
        let key = stretched.vault_key();
        match rest.get::<ServedVault>("/api/vault") {
            Ok(served) => {
                let (root, data) = vault::open(&served.vault, user, served.version, &key)?;
                let member = Self::keep(rest, &session, Identity::from_root(root)?, folder)?;
                member.remember_heads(&data)?;
                Ok((member, None))
            }
            Err(error) if error.is("no_vault") => {
                let fresh = Fresh::make(user, &key, now_ms())?;
                let mut first = fresh.parts();
                first["expected_version"] = json!(0);
                rest.put::<Value>("/api/vault", &first)?;
                let member = Self::keep(rest, &session, fresh.identity, folder)?;
                Ok((member, Some(fresh.sheet)))
            }
            Err(error) => Err(error),
        }
    }

    /// Sets up a house with its first account and its general room; `secret` is the set-up link's.
    pub fn set_up(
        url: &str,
        secret: &str,
        house: &str,
        name: &str,
        password: &str,
        folder: &Path,
    ) -> Result<(Member, Sheet), MemberError> {
        let NewPerson { fresh, mut request } = new_person(name, password)?;
        let room = RoomId::new(now_ms(), random());
        let person = (fresh.user, &fresh.identity);
        let first = rotation::first(room, RoomType::Public, person, now_ms())?;
        request["secret"] = json!(secret);
        request["house"] = json!(house);
        let bundle = b64u(&first.encode());
        request["general"] = json!({ "id": room, "name": "General", "bundle": bundle });
        let mut rest = Rest::new(url, None)?;
        let session: SessionInfo = rest.post("/api/setup", &request)?;
        rest.sign_in(&session);
        let member = Self::keep(rest, &session, fresh.identity, folder)?;
        let head = (1, first.header_hash());
        member.profile.update(room, |memory| memory.head = Some(head))?;
        Ok((member, fresh.sheet))
    }

    /// Writes the profile of somebody who just signed in.
    pub(super) fn keep(
        rest: Rest,
        session: &SessionInfo,
        identity: Identity,
        folder: &Path,
    ) -> Result<Member, MemberError> {
        let writer = u32::from_be_bytes(random());
        let (user, name) = (session.user.id, &session.user.name);
        let mut account =
            Account::new(rest.url(), user, name, &session.refresh, identity.root(), writer);
        account.trust = rest.trust().cloned();
        let profile = Profile::create(folder, account)?;
        Ok(Member { rest, profile, identity, people: People::default() })
    }

    /// The vault's heads: nothing older is believed.
    pub(super) fn remember_heads(&self, data: &Data) -> Result<(), MemberError> {
        for (room, (epoch, hash)) in &data.heads {
            self.profile.update(*room, |memory| {
                if memory.head.is_none_or(|(known, _)| known < *epoch) {
                    memory.head = Some((*epoch, *hash));
                }
            })?;
        }
        Ok(())
    }
}
