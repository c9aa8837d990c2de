//! Blocks: whom a person does not want to hear from. Who blocks somebody no longer has them as a
//! contact. Whether two people are apart is asked in both directions at once.

use hearth_protocol::ids::UserId;
use hearth_protocol::limits::Limits;
use serde::{Deserialize, Serialize};

use crate::engine::Order;
use crate::error::StoreError;
use crate::stage::Stage;
use crate::store::Store;
use crate::{contacts, keys, users};

/// That a person blocks another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Block {
    /// Who.
    pub user: UserId,
    /// Whom.
    pub other: UserId,
    /// ms since 1970.
    pub since: u64,
}

impl Store {
    /// Whom a person blocks.
    pub async fn blocks(&self, user: UserId) -> Result<Vec<Block>, StoreError> {
        self.load_all("block", keys::blocks(user)).await
    }
}

/// A new block; nothing if it is there. The contact ends.
pub(crate) async fn put(
    stage: &mut Stage<'_>,
    block: &Block,
    limits: &Limits,
) -> Result<(), StoreError> {
    let Block { user, other, .. } = *block;
    if user == other {
        return Err(StoreError::Invalid { what: "the block", why: "it is of somebody else" });
    }
    let key = keys::block(user, other);
    if stage.get(key.clone()).await?.is_some() {
        return Ok(());
    }
    users::require(stage, user).await?;
    users::require(stage, other).await?;
    let max = limits.blocks_per_user_max;
    if stage.scan(keys::blocks(user), Order::Ascending, max).await?.len() >= max {
        return Err(StoreError::LimitReached { what: "people blocked by this account", max });
    }
    contacts::remove(stage, user, other);
    stage.save("block", key, block)
}

/// Ends a block; nothing if there is none.
pub(crate) fn remove(stage: &mut Stage<'_>, user: UserId, other: UserId) {
    stage.delete(keys::block(user, other));
}

/// Whether one of two people blocks the other.
pub(crate) async fn between(
    stage: &Stage<'_>,
    one: UserId,
    other: UserId,
) -> Result<bool, StoreError> {
    Ok(stage.get(keys::block(one, other)).await?.is_some()
        || stage.get(keys::block(other, one)).await?.is_some())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::testing::*;
    use crate::{Edit, Memory};

    fn block(user: u8, other: u8) -> Edit {
        Edit::PutBlock(Block { user: user_id(user), other: user_id(other), since: 5 })
    }

    #[test]
    fn a_block_stands_between_two_in_both_directions_until_it_ends() {
        on_each_engine(|store| async {
            let store = store.with_people().await;
            let apart = async |one, other| {
                let stage = Stage::new(store.engine());
                between(&stage, user_id(one), user_id(other)).await.unwrap()
            };
            assert!(!apart(1, 2).await);
            store.make(vec![block(1, 2), block(1, 2)]).await.unwrap();
            assert!(apart(1, 2).await && apart(2, 1).await && !apart(1, 3).await);
            assert_eq!(store.blocks(user_id(1)).await.unwrap().len(), 1);
            assert!(store.blocks(user_id(2)).await.unwrap().is_empty());
            let end = || vec![Edit::RemoveBlock { user: user_id(1), other: user_id(2) }];
            store.make(end()).await.unwrap();
            store.make(end()).await.unwrap();
            assert!(!apart(1, 2).await);
            refused!(store.make(vec![block(1, 1)]).await, Invalid);
            refused!(store.make(vec![block(1, 9)]).await, NotFound);
        });
    }

    #[test]
    fn who_blocks_ends_the_contact_and_neither_makes_a_new_one() {
        on_each_engine(|store| async {
            let store = store.with_people().await;
            let both = [contact(1, 2), contact(2, 1)].map(Edit::PutContact);
            store.make(both.into()).await.unwrap();
            store.make(vec![block(1, 2)]).await.unwrap();
            assert!(store.contacts(user_id(1)).await.unwrap().is_empty());
            assert_eq!(store.contacts(user_id(2)).await.unwrap(), [contact(2, 1)]);
            refused!(store.make(vec![Edit::PutContact(contact(1, 2))]).await, Invalid);
            store.make(vec![block(3, 1)]).await.unwrap();
            refused!(store.make(vec![Edit::PutContact(contact(1, 3))]).await, Invalid);
        });
    }

    #[test]
    fn a_person_blocks_as_many_as_the_limit_says() {
        block_on(async {
            let limits = Limits { blocks_per_user_max: 1, ..Limits::default() };
            let store = Store::open(Arc::new(Memory::new()), Arc::new(limits)).await.unwrap();
            let store = store.with_people().await;
            store.make(vec![block(1, 2)]).await.unwrap();
            refused!(store.make(vec![block(1, 3)]).await, LimitReached);
            store.make(vec![block(2, 3)]).await.unwrap();
        });
    }
}
