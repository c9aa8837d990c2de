//! Which addresses the house answers: the rules mirrored in memory, asked by HTTP for every request
//! and by MQTT for every CONNECT. The box itself (loopback, its admin socket) is never kept out.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use hearth_broker::Reason;
use hearth_protocol::ids::UserId;
use hearth_protocol::network::Network;
use hearth_protocol::refusal::{Kind, Refusal};
use hearth_store::{AddressRules, Change, Edit, Store, StoreError, Subject};
use serde_json::json;

use crate::app::App;
use crate::audit::{self, AuditAction};
use crate::error::ApiError;
use crate::feed::seat::End;

/// The mirror.
#[derive(Debug, Default)]
pub struct Addresses {
    rules: RwLock<Arc<AddressRules>>,
}

impl Addresses {
    /// Reads what the store holds.
    pub async fn load(store: &Store) -> Result<Self, StoreError> {
        Ok(Self { rules: RwLock::new(Arc::new(store.addresses().await?)) })
    }

    /// Follows a change that is on disk.
    pub fn apply(&self, change: &Change) {
        for edit in &change.edits {
            if let Edit::SwapAddresses { rules, .. } = edit {
                let rules = Arc::new(rules.clone());
                *self.rules.write().unwrap_or_else(PoisonError::into_inner) = rules;
            }
        }
    }

    /// The rules in force.
    pub fn rules(&self) -> Arc<AddressRules> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Refuses an address that is not let in.
    pub fn admit(&self, address: IpAddr) -> Result<(), Refusal> {
        if self.rules().admit(address) {
            return Ok(());
        }
        let message = "this house does not answer your address";
        Err(Refusal::new(Kind::Forbidden, "address_refused", message)
            .hint("ask whoever runs the house; on the box: `hearth house addresses`"))
    }
}

/// What the rules are to become.
#[derive(Debug, Clone, Default)]
pub struct NewRules {
    /// The version that is replaced; `None`: whichever there is.
    pub expected: Option<u64>,
    /// These and no others; empty: all.
    pub allow: Vec<Network>,
    /// Not these.
    pub deny: Vec<Network>,
    /// From where it is asked, unless that may be shut out.
    pub keep: Option<IpAddr>,
}

impl App {
    /// Replaces the rules. Who is connected over MQTT connects again, and is looked at then.
    pub async fn set_addresses(
        &self,
        by: Option<UserId>,
        new: NewRules,
    ) -> Result<Arc<AddressRules>, ApiError> {
        let NewRules { expected, mut allow, mut deny, keep } = new;
        for list in [&mut allow, &mut deny] {
            list.sort_unstable();
            list.dedup();
        }
        let expected = expected.unwrap_or_else(|| self.addresses.rules().version);
        let rules = AddressRules { version: expected.saturating_add(1), allow, deny };
        if keep.is_some_and(|address| !rules.admit(address)) {
            let message = "these rules would shut out the address you ask from";
            return Err(ApiError::conflict("would_lock_you_out", message)
                .hint("send `force: true` if that is meant"));
        }
        let detail = json!({ "allow": rules.allow.len(), "deny": rules.deny.len(),
                             "version": rules.version });
        let edit = Edit::SwapAddresses { expected, rules };
        let mut change = Change::of(vec![edit], self.clock.now_ms());
        audit::note(&mut change, by, AuditAction::AddressesChange, Subject::House, detail);
        self.store.change(change).await?;
        // Whoever is still let in comes back.
        self.broker.disconnect_where(|_| true, Reason::Administrative);
        self.feed.end(|_| true, End::Disconnected);
        Ok(self.addresses.rules())
    }
}
