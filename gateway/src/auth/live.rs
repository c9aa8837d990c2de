//! Which logins, app tokens and devices are still valid, and what for: mirrored in memory, asked
//! at every delivery, changed in commit order.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use hearth_protocol::ids::{DeviceId, SessionId, TokenId, UserId};
use hearth_protocol::principal::Principal;
use hearth_store::{AppToken, Change, Edit, Scope, Session, Store, StoreError, User};

use crate::clock::Clock;

#[derive(Debug, Default)]
struct Ids {
    sessions: HashSet<SessionId>,
    tokens: HashMap<TokenId, Option<Arc<Scope>>>,
    devices: HashSet<DeviceId>,
    /// When the accounts end that do, ms since 1970; 0: blocked.
    ends: HashMap<UserId, u64>,
}

impl Ids {
    fn put_token(&mut self, token: &AppToken) {
        self.tokens.insert(token.id, token.scope.clone().map(Arc::new));
    }

    fn put_user(&mut self, user: &User) {
        match user.guest_until.filter(|_| !user.blocked) {
            Some(until) => drop(self.ends.insert(user.id, until)),
            None if user.blocked => drop(self.ends.insert(user.id, 0)),
            None => drop(self.ends.remove(&user.id)),
        }
    }
}

/// What has not ended.
pub struct Live {
    ids: RwLock<Ids>,
    /// When a login was used last since the start: a session's own record tells of renewals.
    seen: Mutex<HashMap<SessionId, u64>>,
    clock: Arc<dyn Clock>,
}

impl Live {
    /// Reads what the store holds.
    pub async fn load(store: &Store, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let mut ids = Ids::default();
        for user in store.users().await? {
            ids.put_user(&user);
            ids.sessions.extend(store.sessions_of(user.id).await?.into_iter().map(|s| s.id));
            store.tokens_of(user.id).await?.iter().for_each(|token| ids.put_token(token));
        }
        for room in store.rooms().await? {
            ids.devices.extend(store.devices(room.id).await?.into_iter().map(|d| d.id));
        }
        Ok(Self { ids: RwLock::new(ids), seen: Mutex::default(), clock })
    }

    /// Follows a change that is on disk.
    pub fn apply(&self, change: &Change) {
        let mut ids = self.ids.write().unwrap_or_else(PoisonError::into_inner);
        for edit in &change.edits {
            match edit {
                Edit::PutSession(session) => drop(ids.sessions.insert(session.id)),
                Edit::RemoveSession(id) => {
                    ids.sessions.remove(id);
                    self.seen.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
                }
                Edit::PutUser(user) | Edit::UpdateUser(user) => ids.put_user(user),
                Edit::PutToken(token) => ids.put_token(token),
                Edit::RemoveToken(id) => drop(ids.tokens.remove(id)),
                Edit::PutDevice(device) => drop(ids.devices.insert(device.id)),
                Edit::RemoveDevice(id) => drop(ids.devices.remove(id)),
                _ => {}
            }
        }
    }

    /// Whether somebody who signed in once still is.
    pub fn holds(&self, who: &Principal) -> bool {
        let ids = self.ids.read().unwrap_or_else(PoisonError::into_inner);
        let (user, there) = match who {
            Principal::Person { session, user } => (user, ids.sessions.contains(session)),
            Principal::App { token, user } => (user, ids.tokens.contains_key(token)),
            Principal::Device { device, .. } => return ids.devices.contains(device),
            Principal::Local(_) => return false,
        };
        // Most accounts never end: the clock is asked only for those that do.
        there && ids.ends.get(user).is_none_or(|until| *until > self.clock.now_ms())
    }

    /// The accounts whose time was over by then.
    pub fn over(&self, now_ms: u64) -> Vec<UserId> {
        let ids = self.ids.read().unwrap_or_else(PoisonError::into_inner);
        // 0: blocked, which may be lifted.
        let over = ids.ends.iter().filter(|(_, until)| (1..=now_ms).contains(*until));
        over.map(|(user, _)| *user).collect()
    }

    /// What somebody's app token is for; `None`: whatever they may do.
    pub fn scope(&self, who: &Principal) -> Option<Arc<Scope>> {
        let Principal::App { token, .. } = who else { return None };
        let ids = self.ids.read().unwrap_or_else(PoisonError::into_inner);
        ids.tokens.get(token)?.clone()
    }

    /// A login was used. There are no more than there are logins.
    pub fn saw(&self, session: SessionId, now_ms: u64) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let last = seen.entry(session).or_default();
        *last = now_ms.max(*last);
    }

    /// When a login was used last, ms since 1970; what came since its last renewal is known until
    /// the box stops.
    pub fn last_seen(&self, session: &Session) -> u64 {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(&session.id).copied().unwrap_or_default().max(session.last_used_at)
    }
}
