//! Retained messages: the last value of a topic (MQTT 5 §3.3.1.3).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use bytestring::ByteString;
use hearth_protocol::limits::Limits;
use hearth_protocol::principal::Account;
use hearth_protocol::refusal::{Kind, Refusal};
use hearth_protocol::topic::{PREFIX, SYS_PREFIX, matches};
use tokio::time::Instant;

use crate::message::Message;

#[derive(Debug)]
struct Kept {
    message: Arc<Message>,
    /// Who is charged for it; nobody for Hearth's own topics.
    owner: Option<Account>,
}

/// All retained messages, bounded outside Hearth's own topics, which the appliance writes.
#[derive(Debug)]
pub(crate) struct Retained {
    messages: BTreeMap<ByteString, Kept>,
    /// Those that expire, and when.
    expiries: BTreeSet<(Instant, ByteString)>,
    /// How many each account has set; their sum is what the bounds are about.
    owners: HashMap<Account, usize>,
    plain: usize,
    plain_bytes: usize,
    plain_max: usize,
    bytes_max: usize,
    owner_max: usize,
}

/// There is no room for one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// All accounts together have too many.
    Messages,
    /// All accounts together have too many bytes.
    Bytes,
    /// This account has too many.
    Owner,
}

/// Whether a topic is not Hearth's own.
pub(crate) fn is_plain(topic: &str) -> bool {
    !topic.starts_with(PREFIX) && !topic.starts_with(SYS_PREFIX)
}

impl From<Full> for Refusal {
    fn from(full: Full) -> Refusal {
        let text = match full {
            Full::Messages => "the broker keeps no more retained messages (retained_max)",
            Full::Bytes => "the broker keeps no more retained bytes (retained_bytes_max)",
            Full::Owner => "this account has too many retained (retained_per_identity_max)",
        };
        Refusal::new(Kind::TooMany { retry_after_ms: 0 }, "too_many_retained", text)
            .hint("clear one by an empty retained publish, or publish without retain")
    }
}

impl Retained {
    pub fn new(limits: &Limits) -> Retained {
        Retained {
            messages: BTreeMap::new(),
            expiries: BTreeSet::new(),
            owners: HashMap::new(),
            plain: 0,
            plain_bytes: 0,
            plain_max: limits.retained_max,
            bytes_max: limits.retained_bytes_max,
            owner_max: limits.retained_per_identity_max,
        }
    }

    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Keeps a message in an account's name; an empty one clears its topic, whoever set it.
    /// Whether anything is another than before.
    pub fn set(&mut self, message: &Arc<Message>, owner: Option<&Account>) -> Result<bool, Full> {
        if message.payload.is_empty() {
            return Ok(self.remove(&message.topic));
        }
        let owner = owner.filter(|_| is_plain(&message.topic));
        if let Some(owner) = owner {
            self.check(message, owner)?;
        }
        self.remove(&message.topic);
        if let Some(owner) = owner {
            *self.owners.entry(owner.clone()).or_default() += 1;
            self.plain += 1;
            self.plain_bytes += message.size();
        }
        if let Some(at) = message.expires {
            self.expiries.insert((at, message.topic.clone()));
        }
        let kept = Kept { message: Arc::clone(message), owner: owner.cloned() };
        self.messages.insert(message.topic.clone(), kept);
        Ok(true)
    }

    /// Whether a message fits when it takes the place of what is there.
    fn check(&self, message: &Message, owner: &Account) -> Result<(), Full> {
        let replaced = self.messages.get(&message.topic).filter(|kept| kept.owner.is_some());
        let (count, bytes) = replaced.map_or((0, 0), |kept| (1, kept.message.size()));
        let own = replaced.is_some_and(|kept| kept.owner.as_ref() == Some(owner));
        let owned = self.owners.get(owner).copied().unwrap_or(0);
        if !own && owned >= self.owner_max {
            Err(Full::Owner)
        } else if self.plain - count >= self.plain_max {
            Err(Full::Messages)
        } else if self.plain_bytes - bytes + message.size() > self.bytes_max {
            Err(Full::Bytes)
        } else {
            Ok(())
        }
    }

    fn remove(&mut self, topic: &ByteString) -> bool {
        let Some(Kept { message, owner }) = self.messages.remove(topic) else { return false };
        if let Some(at) = message.expires {
            self.expiries.remove(&(at, message.topic.clone()));
        }
        let Some(owner) = owner else { return true };
        self.plain -= 1;
        self.plain_bytes -= message.size();
        if let Some(owned) = self.owners.get_mut(&owner) {
            *owned -= 1;
            if *owned == 0 {
                self.owners.remove(&owner);
            }
        }
        true
    }

    /// Frees what has expired, and says which topics that were.
    pub fn forget_expired(&mut self, now: Instant) -> Vec<ByteString> {
        let mut topics = Vec::new();
        while let Some((_, topic)) = self.expiries.first().filter(|(at, _)| *at <= now) {
            let topic = topic.clone();
            self.remove(&topic);
            topics.push(topic);
        }
        topics
    }

    /// The retained messages under a filter.
    pub fn matching(&self, filter: &str) -> Vec<Arc<Message>> {
        let message = |kept: &Kept| Arc::clone(&kept.message);
        if !filter.contains(['+', '#']) {
            return self.messages.get(filter).map(message).into_iter().collect();
        }
        let under = |kept: &&Kept| matches(filter, &kept.message.topic);
        self.beside(filter).filter(under).map(message).collect()
    }

    /// Those whose topics begin as a filter does: whoever subscribes below `hearth/` again and
    /// again does not make the broker look at all that others keep.
    fn beside(&self, filter: &str) -> impl Iterator<Item = &Kept> {
        // `a/#` is `a` too (§4.7.1.2).
        let begin = filter.split(['+', '#']).next().unwrap_or_default().trim_end_matches('/');
        let from = (Bound::Included(begin), Bound::Unbounded);
        let beside = self.messages.range::<str, _>(from);
        beside.map_while(move |(topic, kept)| topic.starts_with(begin).then_some(kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::{Properties, Qos};
    use crate::message::{APPLIANCE, expires};
    use std::time::Duration;

    fn message(topic: &str, payload: &str, expiry_s: Option<u32>, now: Instant) -> Arc<Message> {
        let properties = Properties { expiry_s, ..Properties::default() };
        Arc::new(Message {
            topic: topic.into(),
            payload: payload.to_string().into(),
            qos: Qos::AtMostOnce,
            retain: true,
            expires: expires(&properties, now),
            properties,
            from: APPLIANCE,
        })
    }

    /// A table, and a way to set a topic as somebody (`None`: the appliance).
    struct Table(Retained, Instant);

    impl Table {
        fn new(count: usize, bytes: usize, each: usize) -> Table {
            let limits = Limits {
                retained_max: count,
                retained_bytes_max: bytes,
                retained_per_identity_max: each,
                ..Limits::default()
            };
            Table(Retained::new(&limits), Instant::now())
        }

        fn set(&mut self, who: &str, topic: &str, payload: &str) -> Result<(), Full> {
            self.set_for(who, topic, payload, None)
        }

        fn set_for(
            &mut self,
            who: &str,
            topic: &str,
            payload: &str,
            expiry_s: Option<u32>,
        ) -> Result<(), Full> {
            let owner = Account::Local(who.to_string());
            let owner = (who != "appliance").then_some(&owner);
            self.0.forget_expired(self.1);
            self.0.set(&message(topic, payload, expiry_s, self.1), owner).map(drop)
        }

        /// Nothing is charged for any more.
        fn is_empty(&self) -> bool {
            let Retained { messages, expiries, owners, plain, plain_bytes, .. } = &self.0;
            messages.is_empty()
                && expiries.is_empty()
                && owners.is_empty()
                && (*plain, *plain_bytes) == (0, 0)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn plain_topics_are_bounded_and_hearths_are_not() {
        let mut table = Table::new(1, usize::MAX, usize::MAX);
        assert_eq!(table.set_for("anna", "a", "1", Some(5)), Ok(()));
        assert_eq!(table.set_for("anna", "a", "2", Some(5)), Ok(()));
        assert_eq!(table.set("anna", "b", "1"), Err(Full::Messages));
        assert_eq!(table.set("appliance", "hearth/status", "1"), Ok(()));
        assert_eq!(table.set("anna", "hearth/own", "1"), Ok(()));
        table.1 += Duration::from_secs(5);
        assert_eq!(table.set("anna", "b", "1"), Ok(()));
        assert_eq!(table.set("anna", "b", ""), Ok(()));
        assert_eq!(table.set("anna", "c", "1"), Ok(()));
        assert_eq!(table.0.len(), 3);
        assert_eq!(table.0.matching("+").len(), 1);
        assert_eq!(table.0.matching("hearth/#").len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_are_bounded_in_all_and_a_replacement_counts_only_the_difference() {
        // A topic of 1 byte and the 16 that each message counts for.
        let mut table = Table::new(usize::MAX, 2 * 17 + 10, usize::MAX);
        assert_eq!(table.set("anna", "a", "12345"), Ok(()));
        assert_eq!(table.set("anna", "b", "12345"), Ok(()));
        assert_eq!(table.set("anna", "b", "123456"), Err(Full::Bytes));
        assert_eq!(table.0.matching("b")[0].payload, "12345", "what was there stays");
        assert_eq!(table.set("bert", "a", "1"), Ok(()));
        assert_eq!(table.set("anna", "b", "123456789"), Ok(()));
        assert_eq!(table.set("anna", "a", ""), Ok(()));
        assert_eq!(table.set("anna", "b", ""), Ok(()));
        assert!(table.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_pays_for_what_it_set_last() {
        let mut table = Table::new(usize::MAX, usize::MAX, 2);
        assert_eq!(table.set("anna", "a", "1"), Ok(()));
        assert_eq!(table.set_for("anna", "b", "1", Some(5)), Ok(()));
        assert_eq!(table.set("anna", "c", "1"), Err(Full::Owner));
        assert_eq!(table.set("anna", "a", "2"), Ok(()), "its own may be replaced");
        assert_eq!(table.set("bert", "c", "1"), Ok(()), "nobody else is affected");
        assert_eq!(table.set("bert", "a", "1"), Ok(()), "and takes over what it replaces");
        assert_eq!(table.set("bert", "b", "1"), Err(Full::Owner));
        assert_eq!(table.set("anna", "d", "1"), Ok(()));
        assert_eq!(table.set("bert", "d", ""), Ok(()), "anybody clears");
        assert_eq!(table.set("anna", "e", "1"), Ok(()));
        assert_eq!(table.set("anna", "f", "1"), Err(Full::Owner));
        table.1 += Duration::from_secs(5);
        assert_eq!(table.set("anna", "f", "1"), Ok(()), "what expired is free");
        for topic in ["a", "c", "e", "f"] {
            assert_eq!(table.set("appliance", topic, ""), Ok(()));
        }
        assert!(table.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_filter_looks_at_what_begins_as_it_does_and_finds_what_matches() {
        let mut table = Table::new(usize::MAX, usize::MAX, usize::MAX);
        let topics = ["a", "a/", "a/b", "a/b/c", "ab", "b", "hearth/status", "/", "$SYS/x"];
        for topic in topics {
            assert_eq!(table.set("anna", topic, "1"), Ok(()));
        }
        let all = ["a", "a/b", "x", "+", "#", "a/+", "a/#", "a/b/#", "+/b", "/#", "hearth/+"];
        for filter in all.into_iter().chain(["a/+/c", "hearth/#", "$SYS/#", "a/b/+", "+/+"]) {
            let found = table.0.matching(filter);
            let mut found: Vec<&str> = found.iter().map(|message| &*message.topic).collect();
            let mut wanted = topics.to_vec();
            wanted.retain(|topic| matches(filter, topic));
            found.sort_unstable();
            wanted.sort_unstable();
            assert_eq!(found, wanted, "{filter}");
        }
        let beside = |filter| table.0.beside(filter).count();
        assert_eq!((beside("hearth/+/x"), beside("a/+"), beside("+/x")), (1, 5, 9));
    }

    #[tokio::test(start_paused = true)]
    async fn the_appliance_replaces_a_plain_message_for_free() {
        let mut table = Table::new(1, usize::MAX, 1);
        assert_eq!(table.set_for("anna", "a", "1", Some(5)), Ok(()));
        assert_eq!(table.set("appliance", "a", "2"), Ok(()));
        assert_eq!(table.set("anna", "b", "1"), Ok(()));
        table.1 += Duration::from_secs(5);
        assert_eq!(table.set("anna", "b", ""), Ok(()));
        assert_eq!(table.0.matching("a")[0].payload, "2", "the old expiry is forgotten");
    }
}
