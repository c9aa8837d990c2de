//! A gate that does what the model says, and remembers what it let pass.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use hearth_broker::{Backlog, Gate, Login, OnceKey, PresenceChange, Publish, Verdict};
use hearth_protocol::ids::{Position, RoomId};
use hearth_protocol::principal::{Account, Principal};
use hearth_protocol::refusal::{Kind, Refusal};
use tokio::time::Instant;

/// The port from which strangers come.
pub const STRANGER: u16 = 1;

/// A message that was let pass.
#[derive(Clone)]
pub struct Accepted {
    pub times: usize,
    pub retain: bool,
    pub expires: Option<Instant>,
}

#[derive(Default)]
pub struct Model {
    /// Account and topic that do not go together.
    pub hidden: Mutex<HashSet<(String, String)>>,
    /// By topic and payload.
    pub accepted: Mutex<HashMap<(String, Vec<u8>), Accepted>>,
}

impl Model {
    pub fn may(&self, account: &str, topic: &str) -> bool {
        let right = (account.to_string(), topic.to_string());
        !self.hidden.lock().unwrap().contains(&right)
    }
}

fn name(who: &Principal) -> &str {
    match who {
        Principal::Local(name) => name,
        other => panic!("{other:?} did not come in here"),
    }
}

impl Gate for Model {
    fn admit(&self, login: Login) -> BoxFuture<'_, Result<Principal, Refusal>> {
        // Whatever strangers say, they are nobody of the house.
        let name = if login.peer.port() == STRANGER { None } else { login.username };
        ready(Ok(Principal::Local(name.unwrap_or_default()))).boxed()
    }

    fn may_subscribe(&self, _: &Principal, filter: &str) -> Result<(), Refusal> {
        if filter.starts_with("secret") {
            return Err(Refusal::new(Kind::Forbidden, "not_yours", "no"));
        }
        Ok(())
    }

    fn may_receive(&self, who: &Principal, topic: &str) -> bool {
        self.may(name(who), topic)
    }

    fn accept(
        &self,
        _: Arc<Principal>,
        publish: Publish,
    ) -> BoxFuture<'static, Result<Verdict, Refusal>> {
        if publish.topic.starts_with("refused") {
            let refusal = Refusal::new(Kind::Forbidden, "not_yours", "no");
            return ready(Err(refusal)).boxed();
        }
        let expiry = publish.properties.expiry_s.map(|s| Duration::from_secs(u64::from(s)));
        let expires = expiry.map(|expiry| Instant::now() + expiry);
        let key = (publish.topic.to_string(), publish.payload.to_vec());
        let mut accepted = self.accepted.lock().unwrap();
        let known = accepted.entry(key).or_insert(Accepted { times: 0, retain: false, expires });
        known.times += 1;
        known.retain |= publish.retain;
        known.expires = known.expires.zip(expires).map(|(one, other)| one.max(other));
        ready(Ok(Verdict::Route)).boxed()
    }

    fn backlog<'a>(
        &'a self,
        _: &'a Principal,
        _: RoomId,
        after: Position,
        _: usize,
    ) -> BoxFuture<'a, Result<Backlog, Refusal>> {
        ready(Ok(Backlog { events: vec![], up_to: after })).boxed()
    }

    fn release(&self, _: OnceKey) -> BoxFuture<'static, Result<(), Refusal>> {
        ready(Ok(())).boxed()
    }

    fn refused(&self, _: &Principal, _: &str, _: &Refusal) {}

    fn presence(&self, _: &Account, _: PresenceChange) {}
}
