//! A gate that does what its topics say, and remembers what it was told.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending, ready};
use hearth_broker::{Backlog, Gate, Login, OnceKey, PresenceChange, Publish, Verdict};
use hearth_protocol::ids::{Position, RoomId, TokenId, UserId};
use hearth_protocol::principal::{Account, Principal};
use hearth_protocol::refusal::{Kind, Refusal};
use tokio::sync::watch;

/// One of several of the same account: who signs in as `app N`.
pub fn app(number: u8) -> Principal {
    Principal::App { user: UserId::new(1, [1; 10]), token: TokenId::new(1, [number; 10]) }
}

/// What a gate was told, and what it answers.
#[derive(Default)]
pub struct Script {
    pub logins: Mutex<Vec<Login>>,
    pub publishes: Mutex<Vec<Publish>>,
    pub released: Mutex<Vec<OnceKey>>,
    pub presence: Mutex<Vec<(Account, PresenceChange)>>,
    /// Refused publishes: topic and code.
    pub refused: Mutex<Vec<(String, &'static str)>>,
    /// Topics nobody may publish to.
    pub closed: Mutex<HashSet<String>>,
    /// Topics nobody may receive.
    pub hidden: Mutex<HashSet<String>>,
    /// Who may receive nothing.
    pub barred: Mutex<HashSet<Principal>>,
    pub history: Mutex<HashMap<RoomId, Vec<Bytes>>>,
    /// Calls of `backlog`: room, after.
    pub backlogs: Mutex<Vec<(RoomId, Position)>>,
    /// Room events that were acknowledged at QoS 1.
    pub acknowledged: Mutex<Vec<(RoomId, Position)>>,
    /// Publishes to `hold/…` wait until this is true.
    pub open: watch::Sender<bool>,
}

impl Gate for Script {
    fn admit(&self, login: Login) -> BoxFuture<'_, Result<Principal, Refusal>> {
        let name = login.username.clone().unwrap_or_else(|| "anyone".to_string());
        self.logins.lock().unwrap().push(login);
        let answer = match &*name {
            "stranger" => Err(Refusal::new(Kind::Unauthenticated, "wrong_token", "no such token")),
            "banned" => Err(Refusal::new(Kind::Forbidden, "banned", "not here")),
            "nobody knows" => return pending().boxed(),
            name => match name.strip_prefix("app ") {
                Some(number) => Ok(app(number.parse().unwrap())),
                None => Ok(Principal::Local(name.to_string())),
            },
        };
        ready(answer).boxed()
    }

    fn may_subscribe(&self, _: &Principal, filter: &str) -> Result<(), Refusal> {
        if filter.starts_with("secret") {
            return Err(Refusal::new(Kind::Forbidden, "not_yours", filter));
        }
        Ok(())
    }

    fn may_receive(&self, who: &Principal, topic: &str) -> bool {
        !self.hidden.lock().unwrap().contains(topic) && !self.barred.lock().unwrap().contains(who)
    }

    fn accept(
        &self,
        _: Arc<Principal>,
        publish: Publish,
    ) -> BoxFuture<'static, Result<Verdict, Refusal>> {
        let topic = publish.topic.clone();
        if self.closed.lock().unwrap().contains(&*topic) {
            let refusal = Refusal::new(Kind::Forbidden, "not_a_member", "no");
            return ready(Err(refusal)).boxed();
        }
        self.publishes.lock().unwrap().push(publish);
        let mut open = self.open.subscribe();
        async move {
            match topic.split('/').next() {
                Some("hold") => {
                    open.wait_for(|open| *open).await.unwrap();
                    Ok(Verdict::Route)
                }
                Some("handled") => Ok(Verdict::Handled),
                Some("refused") => Err(Refusal::new(Kind::Forbidden, "not_a_member", "no")),
                Some("often") => {
                    let kind = Kind::TooMany { retry_after_ms: 1 };
                    Err(Refusal::new(kind, "too_fast", "slower").hint("wait"))
                }
                _ => Ok(Verdict::Route),
            }
        }
        .boxed()
    }

    fn release(&self, once: OnceKey) -> BoxFuture<'static, Result<(), Refusal>> {
        self.released.lock().unwrap().push(once);
        ready(Ok(())).boxed()
    }

    fn backlog<'a>(
        &'a self,
        _: &'a Principal,
        room: RoomId,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'a, Result<Backlog, Refusal>> {
        self.backlogs.lock().unwrap().push((room, after));
        let history = self.history.lock().unwrap();
        let behind = usize::try_from(after.0).unwrap();
        let events: Vec<_> = (after.0 + 1..)
            .map(Position)
            .zip(history.get(&room).into_iter().flat_map(|events| events.iter().skip(behind)))
            .map(|(position, payload)| (position, payload.clone()))
            .take(limit)
            .collect();
        let up_to = events.last().map_or(after, |(position, _)| *position);
        ready(Ok(Backlog { events, up_to })).boxed()
    }

    fn acknowledged(&self, _: &Principal, room: RoomId, position: Position) {
        self.acknowledged.lock().unwrap().push((room, position));
    }

    fn presence(&self, who: &Account, change: PresenceChange) {
        self.presence.lock().unwrap().push((who.clone(), change));
    }

    fn refused(&self, _: &Principal, topic: &str, refusal: &Refusal) {
        self.refused.lock().unwrap().push((topic.to_string(), refusal.code));
    }
}
