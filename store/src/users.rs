//! People: a name is unique without regard to case and can change, an id never does. Cards are
//! kept for ever, in the order they came.

use hearth_protocol::ids::UserId;
use hearth_protocol::role::HouseRole;
use hearth_protocol::sealing::password::Cost;
use serde::{Deserialize, Serialize};

use crate::engine::Order;
use crate::error::StoreError;
use crate::stage::Stage;
use crate::store::Store;
use crate::{keys, record};

/// Somebody with an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Never changes.
    pub id: UserId,
    /// What they sign in with; unique without regard to case.
    pub name: String,
    /// What the others see.
    pub display_name: String,
    /// What they are in the house.
    pub role: HouseRole,
    /// ms since 1970.
    pub created_at: u64,
    /// ms since 1970; may lag by as long as nothing is written.
    pub last_seen: u64,
    /// What their password is checked with.
    pub login: Login,
}

/// What a password is checked with (sealing.md §2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// Of Argon2id.
    #[serde(with = "hearth_protocol::bytes::array")]
    pub salt: [u8; 16],
    /// Of Argon2id.
    pub cost: Cost,
    /// SHA-256 of the auth key.
    #[serde(with = "hearth_protocol::bytes::array")]
    pub verifier: [u8; 32],
}

impl Store {
    /// A user.
    pub async fn user(&self, user: UserId) -> Result<Option<User>, StoreError> {
        self.load("user", keys::user(user)).await
    }

    /// A user by name, whatever its case.
    pub async fn user_by_name(&self, name: &str) -> Result<Option<User>, StoreError> {
        match self.engine().get(keys::user_name(&name.to_ascii_lowercase())).await? {
            Some(id) => self.user(UserId::from_bytes(record::id16("user's name", &id)?)).await,
            None => Ok(None),
        }
    }

    /// Every user, by id: in the order they came.
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        self.load_all("user", keys::users()).await
    }

    /// A person's cards, the oldest first.
    pub async fn cards(&self, user: UserId) -> Result<Vec<Vec<u8>>, StoreError> {
        let rows = self.scan_all(keys::cards(user)).await?;
        Ok(rows.into_iter().map(|(_, card)| card.to_vec()).collect())
    }
}

/// A new user: id and name must be free.
pub(crate) async fn put(stage: &mut Stage<'_>, user: &User) -> Result<(), StoreError> {
    if stage.get(keys::user(user.id)).await?.is_some() {
        return Err(StoreError::IdTaken { what: "user" });
    }
    take_name(stage, user).await?;
    stage.save("user", keys::user(user.id), user)
}

/// Another name, role, login …
pub(crate) async fn update(stage: &mut Stage<'_>, user: &User) -> Result<(), StoreError> {
    let old = require(stage, user.id).await?;
    if !old.name.eq_ignore_ascii_case(&user.name) {
        take_name(stage, user).await?;
        stage.delete(keys::user_name(&old.name.to_ascii_lowercase()));
    }
    let user = User { created_at: old.created_at, ..user.clone() };
    stage.save("user", keys::user(user.id), &user)
}

/// The next card; the newest one again is none.
pub(crate) async fn put_card(
    stage: &mut Stage<'_>,
    user: UserId,
    card: &[u8],
) -> Result<(), StoreError> {
    require(stage, user).await?;
    let newest = stage.scan(keys::cards(user), Order::Descending, 1).await?.pop();
    let number = match newest {
        Some((_, value)) if value == card => return Ok(()),
        Some((key, _)) => {
            let number = key.last_chunk().copied().map_or(0, u32::from_be_bytes);
            number.checked_add(1).ok_or_else(|| record::form("card", "too many".into()))?
        }
        None => 1,
    };
    stage.put(keys::card(user, number), card.to_vec().into());
    Ok(())
}

/// The user, who must be there.
pub(crate) async fn require(stage: &Stage<'_>, user: UserId) -> Result<User, StoreError> {
    let found = stage.load("user", keys::user(user)).await?;
    found.ok_or(StoreError::NotFound { what: "user" })
}

async fn take_name(stage: &mut Stage<'_>, user: &User) -> Result<(), StoreError> {
    let key = keys::user_name(&user.name.to_ascii_lowercase());
    if stage.get(key.clone()).await?.is_some() {
        return Err(StoreError::NameTaken { name: user.name.clone() });
    }
    stage.put(key, user.id.as_bytes().to_vec().into());
    Ok(())
}
