//! Grants of plain MQTT topics (design §4): mirrored in memory, asked at every delivery and
//! publish, changed in commit order.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use hearth_protocol::grant::{Access, GrantFilter};
use hearth_protocol::ids::{GrantId, UserId};
use hearth_protocol::principal::Account;
use hearth_store::{Change, Edit, Grant, Grantee, Store, StoreError, Subject};
use serde_json::json;

use crate::app::App;
use crate::audit::{self, AuditAction};
use crate::clock::random;
use crate::error::ApiError;

/// Which accounts have which grants.
#[derive(Debug, Default)]
pub struct Grants {
    of: RwLock<HashMap<Account, Vec<Grant>>>,
}

impl Grants {
    /// Reads what the store holds.
    pub async fn load(store: &Store) -> Result<Self, StoreError> {
        let mut of: HashMap<Account, Vec<Grant>> = HashMap::new();
        for grant in store.grants().await? {
            of.entry(grant.to.account()).or_default().push(grant);
        }
        Ok(Self { of: RwLock::new(of) })
    }

    /// Follows a change that is on disk.
    pub fn apply(&self, change: &Change) {
        for edit in &change.edits {
            match edit {
                Edit::PutGrant(grant) => {
                    let mut of = self.of.write().unwrap_or_else(PoisonError::into_inner);
                    of.entry(grant.to.account()).or_default().push(grant.clone());
                }
                Edit::RemoveGrant(id) => {
                    let mut of = self.of.write().unwrap_or_else(PoisonError::into_inner);
                    of.retain(|_, grants| {
                        grants.retain(|grant| grant.id != *id);
                        !grants.is_empty()
                    });
                }
                Edit::RemoveDevice(device) => {
                    let mut of = self.of.write().unwrap_or_else(PoisonError::into_inner);
                    of.remove(&Account::Device(*device));
                }
                _ => {}
            }
        }
    }

    /// Whether everything that somebody would get by a filter is granted to them.
    pub fn may_subscribe(&self, who: &Account, filter: &str) -> bool {
        self.any(who, |grant| grant.access.reads() && grant.filter.covers(filter))
    }

    /// Whether somebody may get messages of a topic.
    pub fn may_receive(&self, who: &Account, topic: &str) -> bool {
        self.any(who, |grant| grant.access.reads() && grant.filter.matches(topic))
    }

    /// Whether somebody may publish to a topic.
    pub fn may_publish(&self, who: &Account, topic: &str) -> bool {
        self.any(who, |grant| grant.access.writes() && grant.filter.matches(topic))
    }

    fn any(&self, who: &Account, fits: impl Fn(&Grant) -> bool) -> bool {
        let of = self.of.read().unwrap_or_else(PoisonError::into_inner);
        of.get(who).is_some_and(|grants| grants.iter().any(fits))
    }
}

impl App {
    /// Grants the topics under a filter.
    pub async fn add_grant(
        &self,
        to: Grantee,
        filter: &str,
        access: Access,
        by: Option<UserId>,
    ) -> Result<Grant, ApiError> {
        let bad = |why: String| {
            ApiError::invalid("bad_filter", format!("this cannot be granted: {why}"))
                .hint("grant something like `homeassistant/#`")
        };
        let (bytes_max, levels_max) = (self.limits.topic_bytes_max, self.limits.topic_levels_max);
        if filter.len() > bytes_max || filter.split('/').count() > levels_max {
            return Err(bad(format!("it has more than {bytes_max} bytes or {levels_max} levels")));
        }
        let filter = GrantFilter::try_from(filter.to_string());
        let filter = filter.map_err(|error| bad(error.to_string()))?;
        let now = self.clock.now_ms();
        let id = GrantId::new(now, random());
        let grant = Grant { id, to, filter, access, created_at: now, created_by: by };
        let subject = match to {
            Grantee::User(user) => Subject::User(user),
            Grantee::Device(device) => Subject::Device(device),
        };
        let detail = json!({ "grant": id, "filter": audit::short(&grant.filter.to_string()),
                             "access": access });
        let mut change = Change::of(vec![Edit::PutGrant(grant.clone())], now);
        audit::note(&mut change, by, AuditAction::GrantAdd, subject, detail);
        self.store.change(change).await?;
        tracing::info!(account = %to.account(), filter = %grant.filter, ?access, "granted");
        Ok(grant)
    }

    /// Takes a grant back: nothing more of it is delivered or taken. `by`: who runs the house, or
    /// (`None`) the box's own shell.
    pub async fn remove_grant(&self, id: GrantId, by: Option<UserId>) -> Result<(), ApiError> {
        let mut change = Change::of(vec![Edit::RemoveGrant(id)], self.clock.now_ms());
        audit::note(
            &mut change,
            by,
            AuditAction::GrantRemove,
            Subject::House,
            json!({ "grant": id }),
        );
        self.store.change(change).await?;
        tracing::info!(grant = %id, "a grant was taken back");
        Ok(())
    }
}
