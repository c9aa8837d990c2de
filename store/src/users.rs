//! People: a name is unique without regard to case and can change, an id never does. Cards are
//! kept for ever, in the order they came, and there are only so many.
//!
//! An account is never removed, because history names it: it is blocked instead, and then opens no
//! new session or app token. The house always keeps an owner who can sign in. A bot stays a bot
//! and a person a person, so that what a bot posted never looks like a person's. Only a guest has
//! a day on which it ends. An avatar is an attachment of its owner, who has one at a time.

use hearth_protocol::folding::fold;
use hearth_protocol::ids::{AttachmentId, UserId};
use hearth_protocol::limits::Limits;
use hearth_protocol::presence::PresenceChoice;
use hearth_protocol::role::HouseRole;
use hearth_protocol::sealing::password::Cost;
use serde::{Deserialize, Serialize};

use crate::engine::Order;
use crate::error::{Rule, StoreError};
use crate::stage::Stage;
use crate::store::Store;
use crate::{attachments, keys, measure, record};

/// People read at a time where all are looked at.
const USERS_AT_ONCE: usize = 256;

/// Somebody with an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Never changes.
    pub id: UserId,
    /// What they sign in with; unique without regard to case.
    pub name: String,
    /// What the others see.
    pub display_name: String,
    /// Their picture.
    pub avatar: Option<AttachmentId>,
    /// What they say of themselves; may be empty.
    pub status_text: String,
    /// What they want to be shown as.
    pub presence: PresenceChoice,
    /// What they are in the house.
    pub role: HouseRole,
    /// By an admin: opens no new session or app token.
    pub blocked: bool,
    /// When a guest's account ends, ms since 1970.
    pub guest_until: Option<u64>,
    /// ms since 1970.
    pub created_at: u64,
    /// ms since 1970; may lag by as long as nothing is written.
    pub last_seen: u64,
    /// What their password is checked with.
    pub login: Login,
}

impl User {
    /// Whether they may sign in, and why not.
    pub fn may_sign_in(&self, at_ms: u64) -> Result<(), StoreError> {
        let gone = |why| Err(StoreError::Gone { what: "account", why });
        if self.blocked {
            return gone("an admin blocked it");
        }
        if self.guest_until.is_some_and(|until| until <= at_ms) {
            return gone("the guest's time is over");
        }
        Ok(())
    }

    fn runs_the_house(&self) -> bool {
        self.role == HouseRole::Owner && !self.blocked
    }
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

    /// A page of the people whose name or display name begins like this, without regard to case and
    /// accents, by id, after one of them. It looks at each account, some at a time: a house has
    /// few.
    pub async fn find_users(
        &self,
        beginning: &str,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<User>, StoreError> {
        let beginning = fold(beginning);
        let begins = |text: &str| fold(text).starts_with(&beginning);
        let limit = limit.min(self.limits().page_entries_max);
        let mut range = keys::users();
        if let Some(after) = after {
            range = keys::after(range, &keys::user(after));
        }
        let mut found = vec![];
        loop {
            let rows = self.engine().scan(range.clone(), Order::Ascending, USERS_AT_ONCE).await?;
            for (_, value) in &rows {
                if found.len() == limit {
                    return Ok(found);
                }
                let user: User = record::decode("user", value)?;
                if begins(&user.name) || begins(&user.display_name) {
                    found.push(user);
                }
            }
            match rows.last() {
                Some((last, _)) if rows.len() == USERS_AT_ONCE => range = keys::after(range, last),
                _ => return Ok(found),
            }
        }
    }

    /// A person's cards, the oldest first.
    pub async fn cards(&self, user: UserId) -> Result<Vec<Vec<u8>>, StoreError> {
        let rows = self.scan_all(keys::cards(user)).await?;
        Ok(rows.into_iter().map(|(_, card)| card.to_vec()).collect())
    }
}

/// A new user: id and name must be free.
pub(crate) async fn put(
    stage: &mut Stage<'_>,
    user: &User,
    limits: &Limits,
) -> Result<(), StoreError> {
    if stage.get(keys::user(user.id)).await?.is_some() {
        return Err(StoreError::IdTaken { what: "user" });
    }
    check(user, limits)?;
    if user.avatar.is_some() {
        return invalid("the avatar", "an account is there before its first attachment");
    }
    take_name(stage, user).await?;
    stage.save("user", keys::user(user.id), user)
}

/// Another name, role, avatar, login …
pub(crate) async fn update(
    stage: &mut Stage<'_>,
    user: &User,
    limits: &Limits,
) -> Result<(), StoreError> {
    let old = require(stage, user.id).await?;
    check(user, limits)?;
    if (old.role == HouseRole::Bot) != (user.role == HouseRole::Bot) {
        return invalid("the role", "a bot stays a bot, and a person a person");
    }
    if old.runs_the_house() && !user.runs_the_house() && !has_other_owner(stage, user.id).await? {
        return invalid("that", "a house keeps an owner; make somebody else owner first");
    }
    if !old.name.eq_ignore_ascii_case(&user.name) {
        take_name(stage, user).await?;
        stage.delete(keys::user_name(&old.name.to_ascii_lowercase()));
    }
    if old.avatar != user.avatar {
        attachments::swap_avatar(stage, user.id, old.avatar, user.avatar).await?;
    }
    let last_seen = user.last_seen.max(old.last_seen);
    let user = User { created_at: old.created_at, last_seen, ..user.clone() };
    stage.save("user", keys::user(user.id), &user)
}

/// Ends an avatar, if it is theirs still.
pub(crate) async fn drop_avatar(
    stage: &mut Stage<'_>,
    user: UserId,
    avatar: AttachmentId,
) -> Result<(), StoreError> {
    let user = require(stage, user).await?;
    if user.avatar != Some(avatar) {
        return Ok(());
    }
    stage.save("user", keys::user(user.id), &User { avatar: None, ..user })
}

/// The next card; the newest one again is none.
pub(crate) async fn put_card(
    stage: &mut Stage<'_>,
    user: UserId,
    card: &[u8],
    limits: &Limits,
) -> Result<(), StoreError> {
    require(stage, user).await?;
    let newest = stage.scan(keys::cards(user), Order::Descending, 1).await?.pop();
    let number = match newest {
        Some((_, value)) if value == card => return Ok(()),
        Some((key, _)) => key.last_chunk().copied().map_or(0, u32::from_be_bytes),
        None => 0,
    };
    let max = limits.cards_per_user_max;
    let next = number.checked_add(1).filter(|next| usize::try_from(*next).is_ok_and(|n| n <= max));
    let number = next.ok_or(StoreError::LimitReached { what: "cards of this account", max })?;
    stage.put(keys::card(user, number), card.to_vec().into());
    Ok(())
}

/// The user, who must be there.
pub(crate) async fn require(stage: &Stage<'_>, user: UserId) -> Result<User, StoreError> {
    let found = stage.load("user", keys::user(user)).await?;
    found.ok_or(StoreError::NotFound { what: "user" })
}

/// What a user may be called: letters, digits and underscores (seed 004 @Validation).
pub fn check_name(name: &str, limits: &Limits) -> Result<(), StoreError> {
    let (min, max) = (limits.user_name_chars_min, limits.user_name_chars_max);
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if (min..=max).contains(&name.len()) && name.bytes().all(good) {
        return Ok(());
    }
    let (what, of) = ("a user name", "letters, digits or underscores");
    Err(Rule::BadName { what, min, max, of }.into())
}

fn check(user: &User, limits: &Limits) -> Result<(), StoreError> {
    check_name(&user.name, limits)?;
    measure::not_empty("the display name", &user.display_name)?;
    measure::line("the display name", &user.display_name, limits.display_name_chars_max)?;
    measure::line("the status text", &user.status_text, limits.status_text_chars_max)?;
    if user.guest_until.is_some() && user.role != HouseRole::Guest {
        return invalid("the end of the account", "only a guest's account ends by itself");
    }
    Ok(())
}

fn invalid<T>(what: &'static str, why: &'static str) -> Result<T, StoreError> {
    Err(StoreError::Invalid { what, why })
}

/// Whether somebody else runs the house too.
async fn has_other_owner(stage: &Stage<'_>, user: UserId) -> Result<bool, StoreError> {
    let mut range = keys::users();
    loop {
        let rows = stage.scan(range.clone(), Order::Ascending, USERS_AT_ONCE).await?;
        for (_, value) in &rows {
            let other: User = record::decode("user", value)?;
            if other.id != user && other.runs_the_house() {
                return Ok(true);
            }
        }
        match rows.last() {
            Some((last, _)) if rows.len() == USERS_AT_ONCE => range = keys::after(range, last),
            _ => return Ok(false),
        }
    }
}

async fn take_name(stage: &mut Stage<'_>, user: &User) -> Result<(), StoreError> {
    let key = keys::user_name(&user.name.to_ascii_lowercase());
    if stage.get(key.clone()).await?.is_some() {
        return Err(StoreError::NameTaken { name: user.name.clone() });
    }
    stage.put(key, user.id.as_bytes().to_vec().into());
    Ok(())
}

#[cfg(test)]
mod tests;
