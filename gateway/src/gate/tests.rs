//! Who may do what with which topic: the table of design §4, cell by cell.

use std::net::SocketAddr;

use hearth_protocol::grant::Access;
use hearth_protocol::ids::{DeviceId, TokenId, UserId};
use hearth_protocol::limits::Limits;
use hearth_protocol::presence::PresenceChoice;
use hearth_protocol::role::{HouseRole, RoomRole, RoomType, Sealing};
use hearth_protocol::sealing::vault::Cost;
use hearth_store::{AppToken, Change, Edit, Engine, Grantee, Memory, Room, User};

use super::*;
use crate::clock::SystemClock;
use crate::testing::washer;

/// A house in memory: an owner and a member with an app token each, a device in an open room.
pub(crate) struct House {
    pub app: Arc<App>,
    pub gate: HouseGate,
    pub owner: Arc<Principal>,
    pub member: Arc<Principal>,
    pub device: Arc<Principal>,
    pub room: RoomId,
}

fn user(number: u8, role: HouseRole) -> User {
    let login = hearth_store::Login { salt: [0; 16], cost: Cost::default(), verifier: [0; 32] };
    User {
        id: UserId::from_bytes([number; 16]),
        name: format!("user_{number}"),
        display_name: "x".to_string(),
        avatar: None,
        status_text: String::new(),
        presence: PresenceChoice::Online,
        blocked: false,
        guest_until: None,
        role,
        created_at: 1,
        last_seen: 0,
        login,
    }
}

impl House {
    async fn new() -> House {
        House::on(Arc::new(Memory::new())).await
    }

    pub async fn on(engine: Arc<dyn Engine>) -> House {
        let limits = Arc::new(Limits::default());
        let app = App::open(engine, limits, Arc::new(SystemClock)).await.unwrap();
        let mut change = Change::of(vec![], 1);
        let people = [(1, HouseRole::Owner), (2, HouseRole::Member)].map(|(number, role)| {
            let user = user(number, role);
            let (id, token) = (user.id, TokenId::from_bytes([number; 16]));
            change.edits.push(Edit::PutUser(user));
            change.edits.push(Edit::PutToken(AppToken {
                id: token,
                user: id,
                label: String::new(),
                hash: [number; 32],
                created_at: 1,
                last_used_at: 1,
                scope: None,
            }));
            Arc::new(Principal::App { user: id, token })
        });
        let [owner, member] = people;
        let (room, device) = (RoomId::from_bytes([3; 16]), DeviceId::from_bytes([4; 16]));
        let by = owner.user().unwrap();
        let open = Room {
            sealing: Sealing::Open,
            ..app.new_room(room, "Kitchen", RoomType::Private, by).unwrap()
        };
        change.edits.push(Edit::PutRoom(open));
        change.edits.push(Edit::PutDevice(washer(device, room, by)));
        app.store.change(change).await.unwrap();
        let device = Arc::new(Principal::Device { device, room });
        House { gate: HouseGate::new(&app), app, owner, member, device, room }
    }

    /// The member comes into the room.
    pub async fn joins(&self) {
        let room = self.app.membership.room(self.room).unwrap().room.clone();
        let user = self.member.user().unwrap();
        let joins = crate::accounts::member(&room, user, RoomRole::Member, 1);
        self.app.store.change(Change::of(vec![Edit::PutMember(joins)], 1)).await.unwrap();
    }

    fn subscribes(&self, who: &Principal, filter: &str) -> bool {
        self.gate.may_subscribe(who, filter).is_ok()
    }

    /// Whether a publish is routed; it must be answered without waiting.
    fn publishes(&self, who: &Arc<Principal>, topic: &str) -> bool {
        let publish = Publish {
            topic: topic.to_string().into(),
            payload: Bytes::from_static(b"x"),
            qos: Qos::ExactlyOnce,
            retain: true,
            properties: Default::default(),
            version: Version::V3,
            once: None,
        };
        let ruled = self.gate.accept(who.clone(), publish).now_or_never();
        match ruled.expect("a plain topic is answered at once") {
            Ok(verdict) => verdict == Verdict::Route,
            Err(refusal) => {
                assert_eq!((refusal.kind, refusal.code), (Kind::Forbidden, "not_authorised"));
                false
            }
        }
    }

    async fn grant(&self, whom: &Principal, filter: &str, access: Access) -> hearth_store::Grant {
        let to = match whom {
            Principal::Device { device, .. } => Grantee::Device(*device),
            who => Grantee::User(who.user().unwrap()),
        };
        self.app.add_grant(to, filter, access, None).await.unwrap()
    }
}

#[tokio::test]
async fn plain_topics_are_for_those_who_were_granted_them() {
    let house = House::new().await;
    house.grant(&house.owner, "home/#", Access::Both).await;
    house.grant(&house.member, "home/+/state", Access::Read).await;
    house.grant(&house.device, "home/a/#", Access::Write).await;
    // Topic; and for owner, member, device: subscribe, receive, publish.
    let (all, none) = ([true; 3], [false; 3]);
    let (reads, writes) = ([true, true, false], [false, false, true]);
    let table = [
        ("home", [all, none, none]),
        ("home/a", [all, none, writes]),
        ("home/a/state", [all, reads, writes]),
        ("home/b/state", [all, reads, none]),
        ("home/b/state/x", [all, none, none]),
        ("homes", [none, none, none]),
        ("other/a/state", [none, none, none]),
        ("$home/a", [none, none, none]),
        ("hearth", [none, none, none]),
    ];
    for (topic, expected) in table {
        for (who, expected) in [&house.owner, &house.member, &house.device].iter().zip(expected) {
            let found = [
                house.subscribes(who, topic),
                house.gate.may_receive(who, topic),
                house.publishes(who, topic),
            ];
            assert_eq!(found, expected, "{topic} {who:?}");
        }
    }
    let filters = [
        ("home/#", [true, false, false]),
        ("home/+/state", [true, true, false]),
        ("home/+/+", [true, false, false]),
        ("home/a/#", [true, false, false]),
        ("+/a/state", [false, false, false]),
        ("#", [false, false, false]),
    ];
    for (filter, expected) in filters {
        let found =
            [&house.owner, &house.member, &house.device].map(|who| house.subscribes(who, filter));
        assert_eq!(found, expected, "{filter}");
    }
}

#[tokio::test]
async fn a_grant_that_was_taken_back_or_whose_login_ended_lets_nothing_pass() {
    let house = House::new().await;
    let grant = house.grant(&house.member, "home/#", Access::Both).await;
    let other = house.grant(&house.member, "garden/#", Access::Both).await;
    let may = |topic| {
        let member = &house.member;
        [house.gate.may_receive(member, topic), house.publishes(member, topic)]
    };
    assert_eq!([may("home/a"), may("garden/a")], [[true; 2]; 2]);
    house.app.remove_grant(grant.id, None).await.unwrap();
    assert_eq!([may("home/a"), may("garden/a")], [[false; 2], [true; 2]]);
    let Principal::App { token, .. } = *house.member else { panic!("an app token") };
    let end = Change::of(vec![Edit::RemoveToken(token)], 2);
    house.app.store.change(end).await.unwrap();
    assert!(!house.gate.may_receive(&house.member, "garden/a"));
    assert!(house.app.grants.may_receive(&house.member.account(), "garden/a"));
    house.app.remove_grant(other.id, None).await.unwrap();
    let again = house.app.remove_grant(other.id, None).await.unwrap_err();
    assert_eq!(again.0.kind, Kind::NotFound);
}

#[tokio::test]
async fn a_removed_device_loses_its_grants() {
    let house = House::new().await;
    house.grant(&house.device, "home/#", Access::Both).await;
    assert!(house.publishes(&house.device, "home/a"));
    let Principal::Device { device, .. } = *house.device else { panic!("a device") };
    house.app.remove_device(house.room, device, None).await.unwrap();
    assert!(!house.app.grants.may_publish(&house.device.account(), "home/a"));
    assert_eq!(house.app.store.grants().await.unwrap(), []);
}

#[tokio::test]
async fn a_filter_that_reaches_hearths_topics_or_is_too_deep_is_not_granted() {
    let house = House::new().await;
    let to = Grantee::User(house.member.user().unwrap());
    let deep = format!("a{}", "/b".repeat(house.app.limits.topic_levels_max));
    let long = "a".repeat(house.app.limits.topic_bytes_max + 1);
    for filter in ["#", "+/a", "hearth/#", "$SYS/#", "", "a/#/b", &deep, &long] {
        let refused = house.app.add_grant(to, filter, Access::Read, None).await.unwrap_err();
        assert_eq!((refused.0.kind, refused.0.code), (Kind::Invalid, "bad_filter"), "{filter}");
        assert!(!refused.0.hint.is_empty());
    }
}

#[tokio::test]
async fn the_brokers_numbers_are_for_those_who_run_the_house() {
    let house = House::new().await;
    let number = "$SYS/broker/clients/connected";
    for (who, expected) in [(&house.owner, true), (&house.member, false), (&house.device, false)] {
        for filter in ["$SYS/#", "$SYS/broker/#", number] {
            assert_eq!(house.subscribes(who, filter), expected, "{filter} {who:?}");
        }
        assert_eq!(house.gate.may_receive(who, number), expected);
        assert!(!house.publishes(who, number));
    }
}

#[tokio::test]
async fn a_token_of_the_house_is_asked_for() {
    let house = House::new().await;
    let login = Login {
        client_id: "c".to_string(),
        username: None,
        password: None,
        version: Version::V5,
        peer: SocketAddr::from(([127, 0, 0, 1], 9)),
    };
    let refused = house.gate.admit(login).await.unwrap_err();
    assert_eq!((refused.kind, refused.code), (Kind::Unauthenticated, "wrong_token"));
}

#[tokio::test]
async fn a_member_says_over_mqtt_how_far_they_have_read_and_only_they() {
    let house = House::new().await;
    house.joins().await;
    let room = house.room;
    let publish = async |user: UserId, payload: &str| {
        let publish = Publish {
            topic: format!("hearth/rooms/{room}/read/{user}").into(),
            payload: Bytes::copy_from_slice(payload.as_bytes()),
            qos: Qos::AtMostOnce,
            retain: false,
            version: Version::V3,
            once: None,
            properties: Default::default(),
        };
        house.gate.accept(house.member.clone(), publish).await.map_err(|refusal| refusal.code)
    };
    let [owner, member] = [&house.owner, &house.member].map(|who| who.user().unwrap());
    let said = serde_json::json!({ "content": "hi" });
    let said = house.app.submit_open(room, member, said).await.unwrap().event;
    assert_eq!(publish(owner, "1").await, Err("not_authorised"));
    assert_eq!(publish(member, "soon").await, Err("bad_place"));
    assert_eq!(publish(member, "9").await, Err("not_found"));
    let read = async || house.app.store.receipt(room, member).await.unwrap().read;
    assert_eq!(read().await, Position::START);
    assert_eq!(publish(member, &said.id.to_string()).await, Ok(Verdict::Handled));
    assert_eq!(read().await, said.position);
    assert_eq!(publish(member, "0").await, Ok(Verdict::Handled));
    assert_eq!(read().await, said.position, "nobody reads back");
    let topic = Topic::Receipts(room).to_string();
    assert!(house.gate.may_receive(&house.member, &topic));
    assert!(!house.gate.may_receive(&house.device, &topic));
}

#[tokio::test]
async fn what_changes_a_message_comes_over_mqtt_and_a_backlog_passes_over_what_is_gone() {
    let house = House::new().await;
    let room = house.app.membership.room(house.room).unwrap().room.clone();
    house.joins().await;
    let publish = async |payload: String| {
        let publish = Publish {
            topic: format!("hearth/rooms/{}/in", house.room).into(),
            payload: payload.into(),
            qos: Qos::AtLeastOnce,
            retain: false,
            version: Version::V5,
            once: None,
            properties: Default::default(),
        };
        house.gate.accept(house.member.clone(), publish).await
    };
    let id = hearth_protocol::ids::EventId::from_bytes([7; 16]);
    publish(format!(r#"{{"content": "helo", "id": "{id}"}}"#)).await.unwrap();
    publish(format!(r#"{{"type": "edit", "target": "{id}", "content": "hello"}}"#)).await.unwrap();
    publish(format!(r#"{{"type": "delete", "target": "{id}"}}"#)).await.unwrap();
    let late = publish(format!(r#"{{"type": "edit", "target": "{id}", "content": "x"}}"#)).await;
    assert_eq!(late.unwrap_err().code, "message_erased");
    let backlog = async |after| {
        house.gate.backlog(&house.member, house.room, Position(after), 9).await.unwrap()
    };
    let all = backlog(0).await;
    assert_eq!((all.events.len(), all.up_to), (3, Position(3)));
    assert!(!all.events.iter().any(|(_, payload)| payload.windows(4).any(|part| part == b"helo")));

    let (history, keep_days, keep_bytes) = (room.history, 0, 1);
    let edit = Edit::SetHistory { room: house.room, history, keep_days, keep_bytes };
    house.app.store.change(Change::of(vec![edit], 1)).await.unwrap();
    let sweep = hearth_store::Sweep::History { room: house.room };
    house.app.store.sweep(sweep, bytes::Bytes::new(), 1).await.unwrap();
    let gone = backlog(1).await;
    assert_eq!((gone.events.len(), gone.up_to), (0, Position(3)));
    let room = house.app.membership.room(house.room).unwrap();
    assert_eq!(room.room.first_position, Position(4), "the mirror follows");
}

#[tokio::test]
async fn a_stopped_house_lets_go_of_its_state_and_its_engine() {
    let engine = Arc::new(hearth_store::Memory::new());
    let held = Arc::downgrade(&engine);
    let house = House::on(engine).await;
    let state = Arc::downgrade(&house.app);
    house.app.broker.open(Arc::new(HouseGate::new(&house.app)));
    assert!(house.subscribes(&house.owner, "hearth/#"));
    house.app.close().await;
    let House { gate, app, owner, .. } = house;
    drop(app);
    assert!(state.upgrade().is_none(), "the broker holds the gate, and that nothing");
    assert!(held.upgrade().is_none(), "nobody reads or writes any more");
    assert!(!gate.may_receive(&owner, "hearth/status"));
    assert_eq!(gate.may_subscribe(&owner, "hearth/#").unwrap_err().code, "stopping");
}

#[tokio::test]
async fn a_live_topic_takes_what_is_small_and_so_many() {
    let house = House::new().await;
    house.joins().await;
    let topic = Topic::Live(house.room, house.member.user().unwrap()).to_string();
    let live = async |bytes: usize| {
        let publish = Publish {
            topic: topic.clone().into(),
            payload: vec![b'x'; bytes].into(),
            qos: Qos::AtMostOnce,
            retain: false,
            properties: Default::default(),
            version: Version::V5,
            once: None,
        };
        house.gate.accept(house.member.clone(), publish).await.map_err(|refusal| refusal.code)
    };
    assert_eq!(live(4_097).await, Err("too_large"));
    for _ in 0..50 {
        assert_eq!(live(4_096).await, Ok(Verdict::Route));
    }
    assert_eq!(live(1).await, Err("too_fast"));
}
