//! App tokens: passwords for programs, kept as hashes. One hash opens one token.
//! Somebody who may not sign in makes none. A token may be for less than its person may do; what
//! it is for never changes.

use hearth_protocol::grant::Access;
use hearth_protocol::ids::{RoomId, TokenId, UserId};
use hearth_protocol::limits::Limits;
use serde::{Deserialize, Serialize};

use crate::change::Edit;
use crate::engine::Row;
use crate::error::StoreError;
use crate::sessions::SignIn;
use crate::stage::Stage;
use crate::store::Store;
use crate::{keys, record, sessions, users};

/// A person's password for one program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppToken {
    /// Its id.
    pub id: TokenId,
    /// Whose.
    pub user: UserId,
    /// What the person calls it.
    pub label: String,
    /// SHA-256 of the token.
    #[serde(with = "hearth_protocol::bytes::array")]
    pub hash: [u8; 32],
    /// ms since 1970.
    pub created_at: u64,
    /// ms since 1970; may lag by as long as nothing is written.
    pub last_used_at: u64,
    /// What it is for; `None`: whatever its person may do.
    #[serde(default)]
    pub scope: Option<Scope>,
}

/// What a token is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// To read, to write, or both.
    pub access: Access,
    /// In these rooms and nowhere else; `None`: everywhere.
    pub rooms: Option<Vec<RoomId>>,
}

impl Store {
    /// A token.
    pub async fn token(&self, token: TokenId) -> Result<Option<AppToken>, StoreError> {
        self.load("app token", keys::token(token)).await
    }

    /// The token with this SHA-256.
    pub async fn token_by_hash(&self, hash: [u8; 32]) -> Result<Option<AppToken>, StoreError> {
        match self.engine().get(keys::token_hash(hash)).await? {
            Some(id) => self.token(TokenId::from_bytes(record::id16("app token", &id)?)).await,
            None => Ok(None),
        }
    }

    /// A person's tokens, the oldest first.
    pub async fn tokens_of(&self, user: UserId) -> Result<Vec<AppToken>, StoreError> {
        let mut tokens = vec![];
        for (key, _) in self.scan_all(keys::tokens_of(user)).await? {
            let id = TokenId::from_bytes(record::id16("app token", &key)?);
            tokens.extend(self.token(id).await?);
        }
        Ok(tokens)
    }
}

/// The ends of those tokens among these rows whose person may not sign in.
pub(crate) async fn ends(
    stage: &Stage<'_>,
    rows: &[Row],
    at_ms: u64,
) -> Result<Vec<Edit>, StoreError> {
    let (mut edits, mut people) = (vec![], SignIn::default());
    for (_, value) in rows {
        let token: AppToken = record::decode("app token", value)?;
        if !people.may(stage, token.user, at_ms).await? {
            edits.push(Edit::RemoveToken(token.id));
        }
    }
    Ok(edits)
}

/// A new token, or an existing one's label or last use.
pub(crate) async fn put(
    stage: &mut Stage<'_>,
    token: &AppToken,
    at_ms: u64,
    limits: &Limits,
) -> Result<(), StoreError> {
    let max = limits.token_rooms_max;
    let rooms = token.scope.as_ref().and_then(|scope| scope.rooms.as_ref());
    if rooms.is_some_and(|rooms| rooms.len() > max) {
        return Err(StoreError::TooLarge { what: "what the token is for", max, unit: "rooms" });
    }
    let old: Option<AppToken> = stage.load("app token", keys::token(token.id)).await?;
    match old {
        Some(old) if old.scope != token.scope => {
            let why = "what a token is for never changes";
            return Err(StoreError::Invalid { what: "the app token", why });
        }
        Some(old) if old.user != token.user => {
            return Err(StoreError::IdTaken { what: "app token" });
        }
        Some(old) => stage.delete(keys::token_hash(old.hash)),
        None => {
            users::require(stage, token.user).await?.may_sign_in(at_ms)?;
            sessions::room_for_one_more(stage, token.user, limits).await?;
        }
    }
    stage.put(keys::token_of(token.user, token.id), bytes::Bytes::new());
    stage.put(keys::token_hash(token.hash), token.id.as_bytes().to_vec().into());
    stage.save("app token", keys::token(token.id), token)
}

/// Ends a token.
pub(crate) async fn remove(stage: &mut Stage<'_>, id: TokenId) -> Result<(), StoreError> {
    let old: Option<AppToken> = stage.load("app token", keys::token(id)).await?;
    if let Some(old) = old {
        stage.delete(keys::token_hash(old.hash));
        stage.delete(keys::token_of(old.user, id));
        stage.delete(keys::token(id));
    }
    Ok(())
}
