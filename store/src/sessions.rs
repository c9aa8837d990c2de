//! Sessions: logins of one installation each. One refresh secret opens one session; sessions and
//! app tokens of a person are bounded together. Somebody who may not sign in opens none.
//!
//! A session that nobody used for too long is over. It ends like any other, by an edit, so that
//! everybody who follows changes knows: at its person's next login, and in the sweep, which also
//! ends those of people who were blocked or whose stay is over.

use std::collections::BTreeMap;

use hearth_protocol::ids::{SessionId, UserId};
use hearth_protocol::limits::{Limits, days_ms};
use serde::{Deserialize, Serialize};

use crate::change::Edit;
use crate::engine::{Order, Row};
use crate::error::StoreError;
use crate::stage::Stage;
use crate::store::Store;
use crate::users::User;
use crate::{keys, record, users};

/// A login of one installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub user: UserId,
    /// What the person calls it.
    pub label: String,
    /// SHA-256 of the refresh secret.
    #[serde(with = "hearth_protocol::bytes::array")]
    pub refresh_hash: [u8; 32],
    /// ms since 1970.
    pub created_at: u64,
    /// ms since 1970; may lag by as long as nothing is written.
    pub last_used_at: u64,
}

impl Session {
    /// Whether nobody used it for too long (design §7: 90 days).
    pub fn is_over(&self, at_ms: u64, limits: &Limits) -> bool {
        self.last_used_at.saturating_add(days_ms(limits.session_days)) <= at_ms
    }
}

impl Store {
    /// A session.
    pub async fn session(&self, session: SessionId) -> Result<Option<Session>, StoreError> {
        self.load("session", keys::session(session)).await
    }

    /// A person's sessions, the oldest first.
    pub async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let mut sessions = vec![];
        for (key, _) in self.scan_all(keys::sessions_of(user)).await? {
            let id = SessionId::from_bytes(record::id16("session", &key)?);
            sessions.extend(self.session(id).await?);
        }
        Ok(sessions)
    }

    /// The session that a refresh secret with this SHA-256 opens.
    pub async fn session_by_refresh(&self, hash: [u8; 32]) -> Result<Option<Session>, StoreError> {
        match self.engine().get(keys::session_refresh(hash)).await? {
            Some(id) => self.session(SessionId::from_bytes(record::id16("session", &id)?)).await,
            None => Ok(None),
        }
    }
}

/// A new session, or an existing one's label, secret or last use.
pub(crate) async fn put(
    stage: &mut Stage<'_>,
    session: &Session,
    at_ms: u64,
    limits: &Limits,
) -> Result<(), StoreError> {
    let old: Option<Session> = stage.load("session", keys::session(session.id)).await?;
    match old {
        Some(old) if old.user != session.user => {
            return Err(StoreError::IdTaken { what: "session" });
        }
        Some(old) => stage.delete(keys::session_refresh(old.refresh_hash)),
        None => {
            users::require(stage, session.user).await?.may_sign_in(at_ms)?;
            room_for_one_more(stage, session.user, limits).await?;
        }
    }
    stage.put(keys::session_of(session.user, session.id), bytes::Bytes::new());
    let id = session.id.as_bytes().to_vec();
    stage.put(keys::session_refresh(session.refresh_hash), id.into());
    stage.save("session", keys::session(session.id), session)
}

/// Another refresh secret for a session that is there, if the one with hash `from` opens it still.
pub(crate) async fn renew(
    stage: &mut Stage<'_>,
    id: SessionId,
    from: [u8; 32],
    to: [u8; 32],
    at_ms: u64,
) -> Result<(), StoreError> {
    let found: Option<Session> = stage.load("session", keys::session(id)).await?;
    let session = found.ok_or(StoreError::NotFound { what: "session" })?;
    if session.refresh_hash != from {
        return Err(StoreError::Stale { what: "session" });
    }
    stage.delete(keys::session_refresh(from));
    stage.put(keys::session_refresh(to), id.as_bytes().to_vec().into());
    let last_used_at = session.last_used_at.max(at_ms);
    let renewed = Session { refresh_hash: to, last_used_at, ..session };
    stage.save("session", keys::session(id), &renewed)
}

/// The ends of those sessions among these rows that are over, or whose person may not sign in.
pub(crate) async fn ends(
    stage: &Stage<'_>,
    rows: &[Row],
    at_ms: u64,
    limits: &Limits,
) -> Result<Vec<Edit>, StoreError> {
    let (mut edits, mut people) = (vec![], SignIn::default());
    for (_, value) in rows {
        let session: Session = record::decode("session", value)?;
        if session.is_over(at_ms, limits) || !people.may(stage, session.user, at_ms).await? {
            edits.push(Edit::RemoveSession(session.id));
        }
    }
    Ok(edits)
}

/// Who may sign in, each looked up once.
#[derive(Default)]
pub(crate) struct SignIn(BTreeMap<UserId, bool>);

impl SignIn {
    /// Whether somebody is there and may sign in.
    pub async fn may(
        &mut self,
        stage: &Stage<'_>,
        user: UserId,
        at_ms: u64,
    ) -> Result<bool, StoreError> {
        if let Some(may) = self.0.get(&user) {
            return Ok(*may);
        }
        let found: Option<User> = stage.load("user", keys::user(user)).await?;
        let may = found.is_some_and(|user| user.may_sign_in(at_ms).is_ok());
        self.0.insert(user, may);
        Ok(may)
    }
}

/// Ends a session.
pub(crate) async fn remove(stage: &mut Stage<'_>, id: SessionId) -> Result<(), StoreError> {
    let old: Option<Session> = stage.load("session", keys::session(id)).await?;
    if let Some(old) = old {
        stage.delete(keys::session_refresh(old.refresh_hash));
        stage.delete(keys::session_of(old.user, id));
        stage.delete(keys::session(id));
    }
    Ok(())
}

/// Refuses one session or app token too many.
pub(crate) async fn room_for_one_more(
    stage: &Stage<'_>,
    user: UserId,
    limits: &Limits,
) -> Result<(), StoreError> {
    let max = limits.sessions_per_user_max;
    let sessions = stage.scan(keys::sessions_of(user), Order::Ascending, max).await?.len();
    let tokens = stage.scan(keys::tokens_of(user), Order::Ascending, max).await?.len();
    if sessions + tokens < max {
        return Ok(());
    }
    Err(StoreError::LimitReached { what: "sessions and app tokens of this account", max })
}

#[cfg(test)]
mod tests;
