//! Contacts: whom a person keeps. Each row is one side's own; what two people are to each other is
//! in both their rows. Nobody is their own contact, and nobody is who blocks them or is blocked.

use hearth_protocol::ids::UserId;
use hearth_protocol::limits::Limits;
use serde::{Deserialize, Serialize};

use crate::engine::Order;
use crate::error::StoreError;
use crate::stage::Stage;
use crate::store::Store;
use crate::{blocks, keys, measure, users};

/// Somebody whom a person keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Whose.
    pub user: UserId,
    /// Whom.
    pub other: UserId,
    /// ms since 1970; stays when the note changes.
    pub since: u64,
    /// What the person notes about them; may be empty.
    pub note: String,
}

impl Store {
    /// A person's contacts.
    pub async fn contacts(&self, user: UserId) -> Result<Vec<Contact>, StoreError> {
        self.load_all("contact", keys::contacts(user)).await
    }

    /// One of a person's contacts.
    pub async fn contact(
        &self,
        user: UserId,
        other: UserId,
    ) -> Result<Option<Contact>, StoreError> {
        self.load("contact", keys::contact(user, other)).await
    }
}

/// A new contact, or another note on one.
pub(crate) async fn put(
    stage: &mut Stage<'_>,
    contact: &Contact,
    limits: &Limits,
) -> Result<(), StoreError> {
    let Contact { user, other, .. } = *contact;
    measure::line("the note", &contact.note, limits.contact_note_chars_max)?;
    if user == other {
        return Err(StoreError::Invalid { what: "the contact", why: "it is somebody else" });
    }
    let key = keys::contact(user, other);
    let old: Option<Contact> = stage.load("contact", key.clone()).await?;
    let since = match old {
        Some(old) => old.since,
        None => {
            users::require(stage, user).await?;
            users::require(stage, other).await?;
            if blocks::between(stage, user, other).await? {
                return Err(StoreError::Invalid {
                    what: "the contact",
                    why: "one of the two blocks the other",
                });
            }
            let max = limits.contacts_per_user_max;
            let there = stage.scan(keys::contacts(user), Order::Ascending, max).await?.len();
            if there >= max {
                return Err(StoreError::LimitReached { what: "contacts of this account", max });
            }
            contact.since
        }
    };
    stage.save("contact", key, &Contact { since, ..contact.clone() })
}

/// Ends a contact; nothing if there is none.
pub(crate) fn remove(stage: &mut Stage<'_>, user: UserId, other: UserId) {
    stage.delete(keys::contact(user, other));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::testing::*;
    use crate::{Edit, Memory};

    #[test]
    fn a_contact_keeps_its_day_when_its_note_changes() {
        on_each_engine(|store| async {
            let store = store.with_people().await;
            store.make(vec![Edit::PutContact(contact(1, 2))]).await.unwrap();
            let noted = Contact { note: "baker".into(), since: 99, ..contact(1, 2) };
            store.make(vec![Edit::PutContact(noted.clone())]).await.unwrap();
            let expected = Contact { since: 7, ..noted };
            let found = store.contact(user_id(1), user_id(2)).await.unwrap();
            assert_eq!(found.as_ref(), Some(&expected));
            assert_eq!(store.contacts(user_id(1)).await.unwrap(), [expected]);
            assert!(store.contacts(user_id(2)).await.unwrap().is_empty(), "the other has none");
            let end = || vec![Edit::RemoveContact { user: user_id(1), other: user_id(2) }];
            store.make(end()).await.unwrap();
            store.make(end()).await.unwrap();
            assert!(store.contacts(user_id(1)).await.unwrap().is_empty());
        });
    }

    #[test]
    fn a_contact_is_somebody_else_who_is_there() {
        on_each_engine(|store| async {
            let store = store.with_people().await;
            refused!(store.make(vec![Edit::PutContact(contact(1, 1))]).await, Invalid);
            refused!(store.make(vec![Edit::PutContact(contact(1, 9))]).await, NotFound);
            refused!(store.make(vec![Edit::PutContact(contact(9, 1))]).await, NotFound);
        });
    }

    #[test]
    fn contacts_and_their_notes_are_bounded() {
        block_on(async {
            let limits =
                Limits { contacts_per_user_max: 1, contact_note_chars_max: 3, ..Limits::default() };
            let store = Store::open(Arc::new(Memory::new()), Arc::new(limits)).await.unwrap();
            let store = store.with_people().await;
            let noted =
                |note: &str| vec![Edit::PutContact(Contact { note: note.into(), ..contact(1, 2) })];
            refused!(store.make(noted("äöüß")).await, TooLarge);
            refused!(store.make(noted("a\n")).await, Invalid);
            store.make(noted("äöü")).await.unwrap();
            store.make(noted("a")).await.unwrap();
            refused!(store.make(vec![Edit::PutContact(contact(1, 3))]).await, LimitReached);
        });
    }
}
