//! Grants: rights of people and devices to plain MQTT topics, given one by one; a device takes its
//! own with it when it ends.

use hearth_protocol::grant::{Access, GrantFilter};
use hearth_protocol::ids::{DeviceId, GrantId, UserId};
use hearth_protocol::limits::Limits;
use hearth_protocol::principal::Account;
use serde::{Deserialize, Serialize};

use crate::engine::{Order, Range};
use crate::error::StoreError;
use crate::stage::Stage;
use crate::store::Store;
use crate::{devices, keys, record, users};

/// Who is granted something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Grantee {
    /// A person or bot, through every login and app token of theirs.
    #[serde(rename = "user_id")]
    User(UserId),
    /// A device.
    #[serde(rename = "device_id")]
    Device(DeviceId),
}

impl Grantee {
    /// The account that connects.
    pub fn account(self) -> Account {
        match self {
            Grantee::User(user) => Account::User(user),
            Grantee::Device(device) => Account::Device(device),
        }
    }

    fn grants(self) -> Range {
        match self {
            Grantee::User(user) => keys::grants_of_user(user),
            Grantee::Device(device) => keys::grants_of_device(device),
        }
    }

    fn key(self, grant: GrantId) -> bytes::Bytes {
        match self {
            Grantee::User(user) => keys::grant_of_user(user, grant),
            Grantee::Device(device) => keys::grant_of_device(device, grant),
        }
    }
}

/// A right to the topics under a filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// Whose.
    #[serde(flatten)]
    pub to: Grantee,
    /// To which topics.
    pub filter: GrantFilter,
    /// To do what.
    pub access: Access,
    /// ms since 1970.
    pub created_at: u64,
    /// By whom; `None` from the box's own shell.
    pub created_by: Option<UserId>,
}

impl Store {
    /// A grant.
    pub async fn grant(&self, grant: GrantId) -> Result<Option<Grant>, StoreError> {
        self.load("grant", keys::grant(grant)).await
    }

    /// Every grant, the oldest first.
    pub async fn grants(&self) -> Result<Vec<Grant>, StoreError> {
        self.load_all("grant", keys::grants()).await
    }
}

/// A new grant.
pub(crate) async fn put(
    stage: &mut Stage<'_>,
    grant: &Grant,
    limits: &Limits,
) -> Result<(), StoreError> {
    match grant.to {
        Grantee::User(user) => drop(users::require(stage, user).await?),
        Grantee::Device(device) => drop(devices::require(stage, device).await?),
    }
    if stage.get(keys::grant(grant.id)).await?.is_some() {
        return Err(StoreError::IdTaken { what: "grant" });
    }
    let max = limits.grants_per_account_max;
    if stage.scan(grant.to.grants(), Order::Ascending, max).await?.len() >= max {
        return Err(StoreError::LimitReached { what: "grants of this account", max });
    }
    stage.put(grant.to.key(grant.id), bytes::Bytes::new());
    stage.save("grant", keys::grant(grant.id), grant)
}

/// Takes a grant back.
pub(crate) async fn remove(stage: &mut Stage<'_>, id: GrantId) -> Result<(), StoreError> {
    let old: Option<Grant> = stage.load("grant", keys::grant(id)).await?;
    let old = old.ok_or(StoreError::NotFound { what: "grant" })?;
    stage.delete(old.to.key(id));
    stage.delete(keys::grant(id));
    Ok(())
}

/// Takes back all that an account has.
pub(crate) async fn remove_all(stage: &mut Stage<'_>, whose: Grantee) -> Result<(), StoreError> {
    for (key, _) in stage.scan(whose.grants(), Order::Ascending, usize::MAX).await? {
        let id = GrantId::from_bytes(record::id16("grant", &key)?);
        stage.delete(keys::grant(id));
        stage.delete(key);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::testing::*;
    use crate::{Edit, Memory};

    fn grant(number: u8, to: Grantee) -> Grant {
        Grant {
            id: grant_id(number),
            to,
            filter: "homeassistant/#".to_string().try_into().unwrap(),
            access: Access::Read,
            created_at: 3,
            created_by: None,
        }
    }

    #[test]
    fn a_grant_is_there_until_it_is_taken_back() {
        on_each_engine(|store| async {
            let store = store.with_people().await;
            let one = grant(1, Grantee::User(user_id(1)));
            store.make(vec![Edit::PutGrant(one.clone())]).await.unwrap();
            let again = store.make(vec![Edit::PutGrant(one.clone())]).await;
            assert!(matches!(again, Err(StoreError::IdTaken { .. })));
            assert_eq!(store.grant(one.id).await.unwrap(), Some(one.clone()));
            assert_eq!(store.grants().await.unwrap(), [one]);
            store.make(vec![Edit::RemoveGrant(grant_id(1))]).await.unwrap();
            assert_eq!(store.grants().await.unwrap(), []);
            let again = store.make(vec![Edit::RemoveGrant(grant_id(1))]).await;
            assert!(matches!(again, Err(StoreError::NotFound { .. })));
        });
    }

    #[test]
    fn nobody_is_granted_anything_who_is_not_there() {
        on_each_engine(|store| async {
            let store = store.with_people().await;
            for to in [Grantee::User(user_id(9)), Grantee::Device(device_id(9))] {
                let done = store.make(vec![Edit::PutGrant(grant(1, to))]).await;
                assert!(matches!(done, Err(StoreError::NotFound { .. })), "{to:?}");
            }
        });
    }

    #[test]
    fn a_device_takes_its_grants_with_it_and_nobody_elses() {
        on_each_engine(|store| async {
            let store = store.with_people().await;
            let (gone, stays) = (Grantee::Device(device_id(1)), Grantee::Device(device_id(2)));
            let devices = [device(1, 1, "a"), device(2, 1, "b")].map(Edit::PutDevice);
            store.make(devices.into()).await.unwrap();
            let grants = [grant(1, gone), grant(2, stays), grant(3, gone)];
            store.make(grants.map(Edit::PutGrant).into()).await.unwrap();
            store.make(vec![Edit::RemoveDevice(device_id(1))]).await.unwrap();
            assert_eq!(store.grants().await.unwrap(), [grant(2, stays)]);
            assert!(store.scan_all(gone.grants()).await.unwrap().is_empty());
        });
    }

    #[test]
    fn an_account_has_as_many_grants_as_the_limit_says() {
        block_on(async {
            let limits = Limits { grants_per_account_max: 1, ..Limits::default() };
            let store = Store::open(Arc::new(Memory::new()), Arc::new(limits)).await.unwrap();
            let store = store.with_people().await;
            let [one, other] = [1, 2].map(|number| Grantee::User(user_id(number)));
            store.make(vec![Edit::PutGrant(grant(1, one))]).await.unwrap();
            let full = store.make(vec![Edit::PutGrant(grant(2, one))]).await;
            assert!(matches!(full, Err(StoreError::LimitReached { max: 1, .. })));
            store.make(vec![Edit::PutGrant(grant(3, other))]).await.unwrap();
        });
    }
}
