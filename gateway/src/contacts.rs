//! Contacts: two people who keep each other. One asks by keeping the other; who is asked keeps them
//! too, or ends it. The store holds each side's own row, so what the two are to each other is read
//! from both.

#[cfg(test)]
mod tests;

use hearth_protocol::ids::UserId;
use hearth_store::{Change, Contact, Edit};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::app::App;
use crate::error::ApiError;
use crate::moderation::Act;

/// How far two people are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContactState {
    /// The other was asked.
    Asked,
    /// The other asks.
    Asks,
    /// Each keeps the other.
    Accepted,
}

/// What somebody is to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tie {
    /// The other one.
    pub other: UserId,
    /// How far they are.
    pub state: ContactState,
    /// Since when one keeps the other, or is asked; ms since 1970.
    pub since: u64,
    /// One's own note on the other; may be empty.
    pub note: String,
}

impl App {
    /// What somebody is to somebody whom they may see; `None`: nothing.
    pub async fn tie(&self, user: UserId, other: UserId) -> Result<Option<Tie>, ApiError> {
        if !self.may_see(user, other) {
            return Ok(None);
        }
        let own = self.store.contact(user, other).await?;
        let theirs = self.store.contact(other, user).await?;
        let state = match (&own, &theirs) {
            (None, None) => return Ok(None),
            (Some(_), None) => ContactState::Asked,
            (None, Some(_)) => ContactState::Asks,
            (Some(_), Some(_)) => ContactState::Accepted,
        };
        let since = own.as_ref().or(theirs.as_ref()).map_or(0, |contact| contact.since);
        let note = own.map_or(String::new(), |contact| contact.note);
        Ok(Some(Tie { other, state, since, note }))
    }

    /// Everybody who is something to somebody: a read or two per account of the house.
    pub async fn ties(&self, user: UserId) -> Result<Vec<Tie>, ApiError> {
        let mut ties = vec![];
        for other in self.store.users().await? {
            if other.id != user {
                ties.extend(self.tie(user, other.id).await?);
            }
        }
        Ok(ties)
    }

    /// Keeps somebody: asks them, or accepts what they asked. Again: another note.
    pub async fn keep(&self, user: UserId, other: UserId, note: &str) -> Result<Tie, ApiError> {
        let missing = || ApiError::not_found("person");
        if self.blocks.has(user, other) {
            self.may_reach(user, other)?;
        }
        if !self.may_see(user, other) {
            return Err(missing());
        }
        let before = self.tie(user, other).await?.map(|tie| tie.state);
        if before.is_none() {
            self.not_too_often(Act::Contact(user))?;
        }
        let since = self.clock.now_ms();
        let contact = Contact { user, other, since, note: note.trim().to_string() };
        self.store.change(Change::of(vec![Edit::PutContact(contact)], since)).await?;
        let tie = self.tie(user, other).await?.ok_or_else(missing)?;
        if before != Some(tie.state) {
            self.ring_tie(other, user).await?;
        }
        Ok(tie)
    }

    /// Ends it for both: takes back what was asked, or says no to it; nothing if there is none.
    pub async fn part(&self, user: UserId, other: UserId) -> Result<(), ApiError> {
        if self.tie(user, other).await?.is_none() {
            return Ok(());
        }
        let own = Edit::RemoveContact { user, other };
        let theirs = Edit::RemoveContact { user: other, other: user };
        self.store.change(Change::of(vec![own, theirs], self.clock.now_ms())).await?;
        self.ring_tie(other, user).await
    }

    /// Tells somebody what somebody is to them from now on.
    async fn ring_tie(&self, user: UserId, other: UserId) -> Result<(), ApiError> {
        let state = self.tie(user, other).await?.map(|tie| tie.state);
        self.ring(user, &json!({ "type": "contact", "user_id": other, "state": state }));
        Ok(())
    }
}
