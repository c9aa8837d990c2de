//! The invariants of the nouns, one test each, on each engine.

use hearth_protocol::limits::{Limits, days_ms};
use hearth_protocol::role::{RoomRole, RoomType, Sealing};
use std::sync::Arc;

use crate::testing::*;
use crate::*;

fn vault(version: u64) -> Vault {
    Vault { version, vault: vec![1, 2], recovery: vec![3], sealed_under: None }
}

fn bundle(room: u8, epoch: u32) -> Bundle {
    let room = room_id(room);
    Bundle { room, epoch, bytes: vec![9; 9], header_hash: [1; 32], by: user_id(1), at: 4 }
}

fn invite(number: u8, uses_left: u32) -> Invite {
    Invite {
        code: code(number),
        rooms: vec![room_id(1)],
        by: user_id(1),
        auth_hash: [2; 32],
        blob: vec![1],
        created_at: 1,
        expires_at: 1_000,
        uses_left,
        revoked: false,
        guest_until: None,
    }
}

#[test]
fn a_vault_is_swapped_by_its_version() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let swap = |expected, version| {
            vec![Edit::SwapVault { user: user_id(1), expected, vault: vault(version) }]
        };
        refused!(store.make(swap(1, 2)).await, Stale);
        store.make(swap(0, 1)).await.unwrap();
        refused!(store.make(swap(0, 1)).await, Stale);
        refused!(store.make(swap(1, 3)).await, Invalid);
        store.make(swap(1, 2)).await.unwrap();
        assert_eq!(store.vault(user_id(1)).await.unwrap(), Some(vault(2)));
        let (one, two) = tokio::join!(store.make(swap(2, 3)), store.make(swap(2, 3)));
        assert!(one.is_ok());
        refused!(two, Stale);
    });
}

#[test]
fn the_store_keeps_version_epoch_and_sealing_of_a_room() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        refused!(store.make(vec![Edit::PutRoom(room(1))]).await, IdTaken);
        store.make(vec![Edit::PutBundle(bundle(1, 1))]).await.unwrap();
        let renamed = Room {
            name: "kitchen".into(),
            version: 99,
            epoch: 99,
            rotation_due: true,
            created_at: 99,
            ..room(1)
        };
        let twice = vec![Edit::UpdateRoom(renamed.clone()), Edit::UpdateRoom(renamed.clone())];
        store.make(twice).await.unwrap();
        let found = store.room(room_id(1)).await.unwrap().unwrap();
        assert_eq!(found, Room { version: 3, epoch: 1, created_at: 5, ..renamed });
        let open = Room { sealing: Sealing::Open, ..room(1) };
        refused!(store.make(vec![Edit::UpdateRoom(open)]).await, Invalid);
        refused!(store.make(vec![Edit::UpdateRoom(room(7))]).await, NotFound);
    });
}

#[test]
fn there_is_one_general_room_and_one_direct_room_per_pair() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let general = |number| vec![Edit::PutRoom(Room { general: true, ..room(number) })];
        store.make(general(2)).await.unwrap();
        refused!(store.make(general(3)).await, IdTaken);
        let direct = |number, one, other| {
            let direct = Some([user_id(one), user_id(other)]);
            vec![Edit::PutRoom(Room { kind: RoomType::Direct, direct, ..room(number) })]
        };
        store.make(direct(4, 2, 1)).await.unwrap();
        refused!(store.make(direct(5, 1, 2)).await, IdTaken);
        let found = store.direct(user_id(1), user_id(2)).await.unwrap().unwrap();
        assert_eq!(found.id, room_id(4));
        assert!(store.direct(user_id(1), user_id(3)).await.unwrap().is_none());
        refused!(store.make(vec![Edit::PutMember(member(4, 3))]).await, Invalid);
        store.make(vec![Edit::PutMember(member(4, 1))]).await.unwrap();
        let nameless = Room { kind: RoomType::Direct, ..room(6) };
        refused!(store.make(vec![Edit::PutRoom(nameless)]).await, Invalid);
    });
}

#[test]
fn somebody_is_in_a_room_once() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        store.make(vec![Edit::PutMember(member(1, 1))]).await.unwrap();
        refused!(store.make(vec![Edit::PutMember(member(1, 1))]).await, Stale);
        refused!(store.make(vec![Edit::PutMember(member(1, 9))]).await, NotFound);
        refused!(store.make(vec![Edit::PutMember(member(9, 1))]).await, NotFound);
        let owner = Member { role: RoomRole::Owner, joined_at: 0, ..member(1, 1) };
        store.make(vec![Edit::UpdateMember(owner)]).await.unwrap();
        let expected = Member { role: RoomRole::Owner, ..member(1, 1) };
        assert_eq!(store.memberships(user_id(1)).await.unwrap(), std::slice::from_ref(&expected));
        assert_eq!(store.members(room_id(1)).await.unwrap(), [expected]);
        let proof = JoinProof { room: room_id(1), user: user_id(1), code: code(1), proof: vec![1] };
        store.make(vec![Edit::PutProof(proof.clone())]).await.unwrap();
        assert_eq!(store.proofs(room_id(1)).await.unwrap(), [proof]);
        let leave = || vec![Edit::RemoveMember { room: room_id(1), user: user_id(1) }];
        store.make(leave()).await.unwrap();
        refused!(store.make(leave()).await, NotFound);
        assert!(store.memberships(user_id(1)).await.unwrap().is_empty());
        assert!(store.proofs(room_id(1)).await.unwrap().is_empty());
        assert_eq!(store.room(room_id(1)).await.unwrap().unwrap().version, 4);
    });
}

#[test]
fn rooms_hold_as_many_members_and_devices_as_the_limits_say() {
    block_on(async {
        let limits =
            Limits { members_per_room_max: 1, devices_per_room_max: 1, ..Limits::default() };
        let store = Store::open(Arc::new(Memory::new()), Arc::new(limits)).await.unwrap();
        let store = store.with_people().await;
        store.make(vec![Edit::PutMember(member(1, 1))]).await.unwrap();
        refused!(store.make(vec![Edit::PutMember(member(1, 2))]).await, LimitReached);
        let devices = vec![Edit::PutDevice(device(1, 1, "a")), Edit::PutDevice(device(2, 1, "b"))];
        refused!(store.make(devices).await, LimitReached);
        let change = vec![
            Edit::RemoveMember { room: room_id(1), user: user_id(1) },
            Edit::PutMember(member(1, 2)),
        ];
        store.make(change).await.unwrap();
    });
}

#[test]
fn epochs_follow_one_another_and_settle_what_was_due() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let due = Room { rotation_due: true, ..room(1) };
        store.make(vec![Edit::UpdateRoom(due)]).await.unwrap();
        refused!(store.make(vec![Edit::PutBundle(bundle(1, 2))]).await, Stale);
        store.make(vec![Edit::PutBundle(bundle(1, 1))]).await.unwrap();
        let found = store.room(room_id(1)).await.unwrap().unwrap();
        assert_eq!((found.epoch, found.rotation_due), (1, false));
        let (one, two) = tokio::join!(
            store.make(vec![Edit::PutBundle(bundle(1, 2))]),
            store.make(vec![Edit::PutBundle(bundle(1, 2))]),
        );
        assert!(one.is_ok());
        refused!(two, Stale);
        assert_eq!(store.bundle(room_id(1), 2).await.unwrap(), Some(bundle(1, 2)));
        assert_eq!(store.bundle(room_id(1), 0).await.unwrap(), None);
        let after = async |epoch| store.bundles(room_id(1), epoch).await.unwrap();
        assert_eq!(after(0).await, [bundle(1, 1), bundle(1, 2)]);
        assert_eq!(after(1).await, [bundle(1, 2)]);
        assert!(after(u32::MAX).await.is_empty());
    });
}

#[test]
fn an_invite_is_used_as_often_as_it_says_and_not_after() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let used = |number, at_ms| Change::of(vec![Edit::UseInvite { code: code(number) }], at_ms);
        store
            .make(vec![Edit::PutInvite(invite(1, 1)), Edit::PutInvite(invite(2, 9))])
            .await
            .unwrap();
        refused!(store.make(vec![Edit::PutInvite(invite(1, 5))]).await, IdTaken);
        let (one, two) = tokio::join!(store.change(used(1, 999)), store.change(used(1, 999)));
        assert!(one.is_ok());
        refused!(two, Gone);
        refused!(store.change(used(2, 1_000)).await, Gone);
        store.change(used(2, 999)).await.unwrap();
        store.make(vec![Edit::RevokeInvite { code: code(2) }]).await.unwrap();
        refused!(store.change(used(2, 999)).await, Gone);
        refused!(store.change(used(3, 1)).await, NotFound);
        let invites = store.invites(room_id(1)).await.unwrap();
        let expected = [invite(1, 0), Invite { revoked: true, ..invite(2, 8) }];
        assert_eq!(invites, expected);
        let nowhere = Invite { rooms: vec![room_id(9)], ..invite(4, 1) };
        refused!(store.make(vec![Edit::PutInvite(nowhere)]).await, NotFound);
    });
}

#[test]
fn an_invite_is_listed_for_a_week_after_it_expired_and_then_swept() {
    block_on(async {
        let limits = Limits { invite_over_days: 7, sweep_rows_max: 2, ..Limits::default() };
        let store = Store::open(Arc::new(Memory::new()), Arc::new(limits)).await.unwrap();
        let store = store.with_people().await;
        let later = Invite { expires_at: 1_001, ..invite(4, 1) };
        let all = [invite(1, 1), invite(2, 1), invite(3, 1), later];
        store.make(all.map(Edit::PutInvite).into()).await.unwrap();
        store.make(vec![Edit::RevokeInvite { code: code(1) }]).await.unwrap();
        let early = vec![Edit::ForgetInvite { code: code(1) }];
        refused!(store.make(early).await, Invalid);
        let end = 1_000 + days_ms(7);
        assert_eq!(store.sweep_all(Sweep::Invites, end - 1).await, 0);
        assert_eq!(store.sweep_all(Sweep::Invites, end).await, 3);
        let left = store.invites(room_id(1)).await.unwrap();
        assert_eq!(left.into_iter().map(|invite| invite.code).collect::<Vec<_>>(), [code(4)]);
        assert_eq!(store.invite(code(1)).await.unwrap(), None);
    });
}

#[test]
fn a_room_has_so_many_invites_and_one_that_is_swept_makes_room() {
    block_on(async {
        let limits = Limits { invites_per_room_max: 2, ..Limits::default() };
        let store = Store::open(Arc::new(Memory::new()), Arc::new(limits)).await.unwrap();
        let store = store.with_people().await;
        store.make(vec![Edit::PutRoom(room(2))]).await.unwrap();
        let into = |number, rooms: &[u8]| {
            let rooms = rooms.iter().copied().map(room_id).collect();
            vec![Edit::PutInvite(Invite { rooms, ..invite(number, 1) })]
        };
        store.make(into(1, &[1, 2])).await.unwrap();
        store.make(into(2, &[1])).await.unwrap();
        refused!(store.make(into(3, &[2, 1])).await, LimitReached);
        assert_eq!(store.invites(room_id(2)).await.unwrap().len(), 1, "nothing of it is there");
        store.make(into(3, &[2])).await.unwrap();
        store.sweep_all(Sweep::Invites, days_ms(99)).await;
        store.make(into(4, &[2, 1])).await.unwrap();
    });
}

#[test]
fn an_invite_that_is_over_makes_room_for_another_until_the_list_is_full() {
    block_on(async {
        let limits = Limits { invites_per_room_max: 2, invites_listed_max: 5, ..Limits::default() };
        let store = Store::open(Arc::new(Memory::new()), Arc::new(limits)).await.unwrap();
        let store = store.with_people().await;
        let put = |number| vec![Edit::PutInvite(invite(number, 1))];
        store.make(put(1)).await.unwrap();
        store.make(put(2)).await.unwrap();
        refused!(store.make(put(3)).await, LimitReached);
        store.make(vec![Edit::RevokeInvite { code: code(1) }]).await.unwrap();
        store.make(put(3)).await.unwrap();
        refused!(store.make(put(4)).await, LimitReached);
        store.make(vec![Edit::UseInvite { code: code(2) }]).await.unwrap();
        store.make(put(4)).await.unwrap();
        let expired = invite(3, 1).expires_at;
        store.change(Change::of(put(5), expired)).await.unwrap();
        refused!(store.change(Change::of(put(6), expired)).await, LimitReached);
        assert_eq!(store.invites(room_id(1)).await.unwrap().len(), 5);
    });
}

#[test]
fn a_person_makes_so_many_rooms_and_direct_ones_do_not_count() {
    block_on(async {
        let limits = Limits { rooms_per_user_max: 2, ..Limits::default() };
        let store = Store::open(Arc::new(Memory::new()), Arc::new(limits)).await.unwrap();
        let store = store.with_people().await;
        let put = |room| vec![Edit::PutRoom(room)];
        let direct =
            Room { kind: RoomType::Direct, direct: Some([user_id(1), user_id(2)]), ..room(9) };
        store.make(put(direct)).await.unwrap();
        store.make(put(room(2))).await.unwrap();
        refused!(store.make(put(room(3))).await, LimitReached);
        store.make(put(Room { created_by: user_id(2), ..room(3) })).await.unwrap();
        store.make(vec![Edit::RemoveRoom { room: room_id(2), by: user_id(1) }]).await.unwrap();
        store.make(put(room(4))).await.unwrap();
        refused!(store.make(put(room(5))).await, LimitReached);
    });
}

#[test]
fn invites_of_a_removed_room_are_taken_back_and_go_with_their_last_room() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        store.make(vec![Edit::PutRoom(room(2))]).await.unwrap();
        let both = Invite { rooms: vec![room_id(1), room_id(2)], ..invite(2, 1) };
        store.make([invite(1, 1), both.clone()].map(Edit::PutInvite).into()).await.unwrap();
        let remove = |number| vec![Edit::RemoveRoom { room: room_id(number), by: user_id(1) }];
        store.make(remove(1)).await.unwrap();
        store.sweep_all(Sweep::RemovedRooms, 0).await;
        assert_eq!(store.invite(code(1)).await.unwrap(), None);
        let left = Invite { rooms: vec![room_id(2)], revoked: true, ..both };
        assert_eq!(store.invites(room_id(2)).await.unwrap(), [left]);
        store.make(remove(2)).await.unwrap();
        store.sweep_all(Sweep::RemovedRooms, 0).await;
        assert_eq!(store.invite(code(2)).await.unwrap(), None);
    });
}

#[test]
fn a_devices_name_is_of_as_many_characters_as_the_limit_says() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        for (number, bad) in (1..).zip(["", "Washer", "a_b", "wäsche", "a b", &"a".repeat(33)]) {
            let put = store.make(vec![Edit::PutDevice(device(number, 1, bad))]).await;
            assert!(matches!(put, Err(StoreError::Rule(Rule::BadName { .. }))), "{bad}: {put:?}");
        }
        for (number, good) in (1..).zip(["a", "washer-2", &"a".repeat(32)]) {
            store.make(vec![Edit::PutDevice(device(number, 1, good))]).await.unwrap();
        }
    });
}

#[test]
fn a_devices_name_is_never_used_again_in_its_room() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        store.make(vec![Edit::PutRoom(room(2))]).await.unwrap();
        store.make(vec![Edit::PutDevice(device(1, 1, "washer"))]).await.unwrap();
        refused!(store.make(vec![Edit::PutDevice(device(2, 1, "washer"))]).await, NameTaken);
        refused!(store.make(vec![Edit::PutDevice(device(1, 2, "dryer"))]).await, IdTaken);
        store.make(vec![Edit::PutDevice(device(3, 2, "washer"))]).await.unwrap();
        let renewed = Device { token_hash: [50; 32], door_epoch: 4, ..device(1, 1, "renamed") };
        store.make(vec![Edit::UpdateDevice(renewed)]).await.unwrap();
        assert_eq!(store.device_by_token([1; 32]).await.unwrap(), None);
        let found = store.device_by_token([50; 32]).await.unwrap().unwrap();
        assert_eq!((&*found.name, found.door_epoch), ("washer", 4));
        store.make(vec![Edit::RemoveDevice(device_id(1))]).await.unwrap();
        refused!(store.make(vec![Edit::RemoveDevice(device_id(1))]).await, NotFound);
        assert_eq!(store.device_by_token([50; 32]).await.unwrap(), None);
        assert!(store.devices(room_id(1)).await.unwrap().is_empty());
        refused!(store.make(vec![Edit::PutDevice(device(4, 1, "washer"))]).await, NameTaken);
    });
}

#[test]
fn the_house_is_set_and_read() {
    on_each_engine(|store| async move {
        assert_eq!(store.house().await.unwrap(), None);
        let house = House { name: "Home".into(), created_at: 7 };
        store.make(vec![Edit::SetHouse(house.clone())]).await.unwrap();
        assert_eq!(store.house().await.unwrap(), Some(house));
    });
}

#[test]
fn what_the_box_keeps_to_itself_stays_as_it_was_first() {
    on_each_engine(|store| async move {
        assert_eq!(store.kept("a").await.unwrap(), None);
        assert_eq!(store.keep("a", vec![1]).await.unwrap(), [1][..]);
        assert_eq!(store.keep("a", vec![2]).await.unwrap(), [1][..]);
        assert_eq!(store.kept("a").await.unwrap().unwrap(), [1][..]);
        let secret = store.secret("b").await.unwrap();
        assert_eq!(store.secret("b").await.unwrap(), secret);
        assert_ne!(store.secret("c").await.unwrap(), secret);
    });
}
