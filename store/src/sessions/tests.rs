//! Sessions and app tokens: found by their secrets, bounded together, ended and swept.

use std::sync::Arc;

use hearth_protocol::grant::Access;
use hearth_protocol::ids::Position;
use hearth_protocol::role::HouseRole;

use super::*;
use crate::testing::*;
use crate::{AppToken, Change, Memory, Scope, Sweep, Touch};

fn session(number: u8, user: u8, last_used_at: u64) -> Session {
    Session {
        id: session_id(number),
        user: user_id(user),
        label: "phone".into(),
        refresh_hash: [number; 32],
        created_at: 1,
        last_used_at,
    }
}

fn token(number: u8, user: u8) -> AppToken {
    AppToken {
        id: token_id(number),
        user: user_id(user),
        label: "script".into(),
        hash: [number; 32],
        created_at: 1,
        last_used_at: 1,
        scope: None,
    }
}

#[test]
fn a_session_is_found_by_its_newest_secret_until_it_ends() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        refused!(store.make(vec![Edit::PutSession(session(1, 9, 1))]).await, NotFound);
        store.make(vec![Edit::PutSession(session(1, 1, 1))]).await.unwrap();
        let renewed = Session { refresh_hash: [77; 32], ..session(1, 1, 2) };
        store.make(vec![Edit::PutSession(renewed.clone())]).await.unwrap();
        refused!(store.make(vec![Edit::PutSession(session(1, 2, 1))]).await, IdTaken);
        assert_eq!(store.session_by_refresh([1; 32]).await.unwrap(), None);
        assert_eq!(store.session_by_refresh([77; 32]).await.unwrap(), Some(renewed));
        assert_eq!(store.sessions_of(user_id(1)).await.unwrap().len(), 1);
        let end = || vec![Edit::RemoveSession(session_id(1))];
        store.make(end()).await.unwrap();
        store.make(end()).await.unwrap();
        assert_eq!(store.session_by_refresh([77; 32]).await.unwrap(), None);
        assert_eq!(store.session(session_id(1)).await.unwrap(), None);
        assert!(store.sessions_of(user_id(1)).await.unwrap().is_empty());
    });
}

#[test]
fn sessions_and_tokens_are_bounded_together_and_what_ends_makes_room() {
    block_on(async {
        let limits = Limits { sessions_per_user_max: 2, session_days: 1, ..Limits::default() };
        let store = Store::open(Arc::new(Memory::new()), Arc::new(limits)).await.unwrap();
        let store = store.with_people().await;
        let later = days_ms(2);
        store.make(vec![Edit::PutSession(session(1, 1, 1))]).await.unwrap();
        store.make(vec![Edit::PutToken(token(1, 1))]).await.unwrap();
        refused!(store.make(vec![Edit::PutToken(token(2, 1))]).await, LimitReached);
        refused!(store.make(vec![Edit::PutSession(session(2, 1, 1))]).await, LimitReached);
        let edits =
            vec![Edit::RemoveSession(session_id(1)), Edit::PutSession(session(2, 1, later))];
        store.change(Change::of(edits, later)).await.unwrap();
        let sessions = store.sessions_of(user_id(1)).await.unwrap();
        assert_eq!(sessions, [session(2, 1, later)]);
        assert_eq!(store.session_by_refresh([1; 32]).await.unwrap(), None);
    });
}

#[test]
fn sessions_that_nobody_used_for_too_long_are_swept_in_small_commits() {
    block_on(async {
        let limits = Limits { session_days: 1, sweep_rows_max: 2, ..Limits::default() };
        let store = Store::open(Arc::new(Memory::new()), Arc::new(limits)).await.unwrap();
        let store = store.with_people().await;
        let day = days_ms(1);
        let sessions = (1..=5)
            .map(|number| Edit::PutSession(session(number, 1 + number % 2, u64::from(number))));
        store.make(sessions.collect()).await.unwrap();
        assert_eq!(store.sweep_all(Sweep::Sessions, day).await, 0);
        assert_eq!(store.sweep_all(Sweep::Sessions, day + 3).await, 3);
        assert_eq!(store.session_by_refresh([3; 32]).await.unwrap(), None);
        assert_eq!(store.sessions_of(user_id(1)).await.unwrap(), [session(4, 1, 4)]);
        assert_eq!(store.sessions_of(user_id(2)).await.unwrap(), [session(5, 2, 5)]);
    });
}

#[test]
fn a_token_is_found_by_its_hash_until_it_ends() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        store.make(vec![Edit::PutToken(token(1, 1)), Edit::PutToken(token(2, 1))]).await.unwrap();
        assert_eq!(store.token_by_hash([1; 32]).await.unwrap(), Some(token(1, 1)));
        store.make(vec![Edit::RemoveToken(token_id(1))]).await.unwrap();
        assert_eq!(store.token_by_hash([1; 32]).await.unwrap(), None);
        assert_eq!(store.tokens_of(user_id(1)).await.unwrap(), [token(2, 1)]);
    });
}

#[test]
fn uses_are_written_with_the_next_commit() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let edits = vec![Edit::PutSession(session(1, 1, 1)), Edit::PutToken(token(1, 1))];
        store.make(edits).await.unwrap();
        store.touch(Touch::Session(session_id(1)), 80);
        store.touch(Touch::Token(token_id(1)), 81);
        store.touch(Touch::User(user_id(9)), 82);
        assert_eq!(store.append(event(1)).await.unwrap().position, Position(1));
        let session = store.session(session_id(1)).await.unwrap().unwrap();
        let token = store.token(token_id(1)).await.unwrap().unwrap();
        assert_eq!((session.last_used_at, token.last_used_at), (80, 81));
    });
}

#[test]
fn the_sweep_ends_what_is_open_of_people_who_may_not_sign_in_any_more() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let open = [1, 2, 3]
            .map(|who| [Edit::PutSession(session(who, who, 1)), Edit::PutToken(token(who, who))]);
        store.make(open.into_iter().flatten().collect()).await.unwrap();
        let blocked = User { blocked: true, ..user(1, "Anna") };
        let guest = User { role: HouseRole::Guest, guest_until: Some(500), ..user(2, "Bob") };
        store.make([blocked, guest].map(Edit::UpdateUser).into()).await.unwrap();
        let swept = async |at_ms| {
            let sessions = store.sweep_all(Sweep::Sessions, at_ms).await;
            (sessions, store.sweep_all(Sweep::Tokens, at_ms).await)
        };
        assert_eq!(swept(499).await, (1, 1));
        assert_eq!(swept(500).await, (1, 1));
        assert_eq!(swept(500).await, (0, 0));
        assert_eq!(store.session_by_refresh([1; 32]).await.unwrap(), None);
        assert_eq!(store.token_by_hash([2; 32]).await.unwrap(), None);
        assert_eq!(store.sessions_of(user_id(3)).await.unwrap(), [session(3, 3, 1)]);
        assert_eq!(store.tokens_of(user_id(3)).await.unwrap(), [token(3, 3)]);
    });
}

#[test]
fn a_secret_is_renewed_once_and_never_brings_back_a_session_that_ended() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        store.make(vec![Edit::PutSession(session(1, 1, 1))]).await.unwrap();
        let renew = |from: u8, to: u8| {
            let (from, to) = ([from; 32], [to; 32]);
            vec![Edit::RenewSession { id: session_id(1), from, to }]
        };
        let (one, two) = tokio::join!(store.make(renew(1, 8)), store.make(renew(1, 9)));
        assert!(one.is_ok());
        refused!(two, Stale);
        assert_eq!(store.session_by_refresh([1; 32]).await.unwrap(), None);
        let renewed = store.session_by_refresh([8; 32]).await.unwrap().unwrap();
        assert_eq!(renewed.id, session_id(1));
        store.make(vec![Edit::RemoveSession(session_id(1))]).await.unwrap();
        refused!(store.make(renew(8, 9)).await, NotFound);
    });
}

#[test]
fn what_a_token_is_for_is_bounded_and_never_changes() {
    block_on(async {
        let limits = Limits { token_rooms_max: 1, ..Limits::default() };
        let store = Store::open(Arc::new(Memory::new()), Arc::new(limits)).await.unwrap();
        let store = store.with_people().await;
        let scoped = |rooms: Vec<_>| AppToken {
            scope: Some(Scope { access: Access::Read, rooms: Some(rooms) }),
            ..token(1, 1)
        };
        refused!(store.make(vec![Edit::PutToken(scoped(vec![room_id(1); 2]))]).await, TooLarge);
        store.make(vec![Edit::PutToken(scoped(vec![room_id(1)]))]).await.unwrap();
        refused!(store.make(vec![Edit::PutToken(token(1, 1))]).await, Invalid);
        let kept = store.token_by_hash([1; 32]).await.unwrap().unwrap();
        assert_eq!(kept, scoped(vec![room_id(1)]));
    });
}
