//! Which addresses the house answers: two lists of networks, one record, replaced by
//! compare-and-set on its version. Before the first one everybody is let in.

use std::net::IpAddr;

use hearth_protocol::limits::Limits;
use hearth_protocol::network::Network;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys;
use crate::stage::Stage;
use crate::store::Store;

/// Who is let in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressRules {
    /// From 1; each change raises it by one. 0: nothing was decided yet.
    pub version: u64,
    /// These and no others; empty: all.
    pub allow: Vec<Network>,
    /// Not these, even if they are allowed.
    pub deny: Vec<Network>,
}

impl AddressRules {
    /// Whether an address is let in. The box itself (loopback) always is.
    pub fn admit(&self, address: IpAddr) -> bool {
        let within = |list: &[Network]| list.iter().any(|network| network.contains(address));
        address.to_canonical().is_loopback()
            || (!within(&self.deny) && (self.allow.is_empty() || within(&self.allow)))
    }
}

impl Store {
    /// The rules in force.
    pub async fn addresses(&self) -> Result<AddressRules, StoreError> {
        Ok(self.load("address rules", keys::addresses()).await?.unwrap_or_default())
    }
}

/// Replaces version `expected` (0: none) by the next.
pub(crate) async fn swap(
    stage: &mut Stage<'_>,
    expected: u64,
    rules: &AddressRules,
    limits: &Limits,
) -> Result<(), StoreError> {
    let current: Option<AddressRules> = stage.load("address rules", keys::addresses()).await?;
    if current.unwrap_or_default().version != expected {
        return Err(StoreError::Stale { what: "address rules" });
    }
    if Some(rules.version) != expected.checked_add(1) {
        let why = "their version is the next after the one they replace";
        return Err(StoreError::Invalid { what: "the address rules", why });
    }
    let max = limits.address_rules_max;
    if rules.allow.len() > max || rules.deny.len() > max {
        return Err(StoreError::TooLarge { what: "a list of addresses", max, unit: "networks" });
    }
    stage.save("address rules", keys::addresses(), rules)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::testing::*;
    use crate::{Edit, Memory};

    fn rules(version: u64, allow: &[&str], deny: &[&str]) -> AddressRules {
        let list = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        AddressRules { version, allow: list(allow), deny: list(deny) }
    }

    #[test]
    fn what_is_denied_beats_what_is_allowed_and_the_box_itself_is_always_let_in() {
        let home = rules(1, &["192.168.0.0/16", "fd00::/8"], &["192.168.7.0/24"]);
        for (address, expected) in [
            ("192.168.1.1", true),
            ("::ffff:192.168.1.1", true),
            ("fd00::1", true),
            ("192.168.7.1", false),
            ("::ffff:192.168.7.1", false),
            ("8.8.8.8", false),
            ("127.0.0.9", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
        ] {
            assert_eq!(home.admit(address.parse().unwrap()), expected, "{address}");
        }
        let all = "0.0.0.0/0";
        assert!(rules(1, &[], &[all, "::/0"]).admit("127.0.0.1".parse().unwrap()));
        assert!(!rules(1, &[all], &[all]).admit("8.8.8.8".parse().unwrap()));
        assert!(AddressRules::default().admit("8.8.8.8".parse().unwrap()));
    }

    #[test]
    fn rules_are_swapped_by_their_version_and_bounded() {
        block_on(async {
            let limits = Limits { address_rules_max: 1, ..Limits::default() };
            let store = Store::open(Arc::new(Memory::new()), Arc::new(limits)).await.unwrap();
            assert_eq!(store.addresses().await.unwrap(), AddressRules::default());
            let swap = |expected, rules| vec![Edit::SwapAddresses { expected, rules }];
            refused!(store.make(swap(1, rules(2, &[], &[]))).await, Stale);
            refused!(store.make(swap(0, rules(2, &[], &[]))).await, Invalid);
            let two = ["10.0.0.0/8", "fd00::/8"];
            refused!(store.make(swap(0, rules(1, &two, &[]))).await, TooLarge);
            refused!(store.make(swap(0, rules(1, &[], &two))).await, TooLarge);
            let good = rules(1, &two[..1], &two[1..]);
            store.make(swap(0, good.clone())).await.unwrap();
            assert_eq!(store.addresses().await.unwrap(), good);
            refused!(store.make(swap(0, good)).await, Stale);
        });
    }
}
