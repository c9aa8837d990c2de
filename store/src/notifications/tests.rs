//! Notifications as they come, are read and go.

use std::sync::Arc;

use hearth_protocol::ids::NotificationId;
use hearth_protocol::limits::Limits;

use super::*;
use crate::testing::*;
use crate::{Edit, Memory, Sweep};

const DAY: u64 = hearth_protocol::limits::days_ms(1);

fn note(user: u8, at: u64) -> Notification {
    Notification {
        id: NotificationId::new(at, [user; 10]),
        recipient: user_id(user),
        kind: NotificationKind::Mention,
        room: room_id(1),
        event: Some(event_id(1)),
        position: Some(Position(1)),
        by: Some(user_id(2)),
        created_at: at,
        read: false,
    }
}

async fn house(limits: Limits) -> Store {
    let store = Store::open(Arc::new(Memory::new()), Arc::new(limits)).await.unwrap();
    store.with_people().await
}

async fn times(store: &Store, user: u8, at_ms: u64) -> Vec<u64> {
    let all = store.notifications(user_id(user), None, 100, at_ms).await.unwrap();
    all.into_iter().map(|note| note.created_at).collect()
}

async fn unread(store: &Store, user: u8, at_ms: u64) -> usize {
    store.unread_notifications(user_id(user), at_ms).await.unwrap()
}

#[test]
fn notifications_come_newest_first_in_pages() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let notes = [note(1, 10), note(1, 30), note(1, 20), note(2, 25)];
        store.make(notes.map(Edit::PutNotification).into()).await.unwrap();
        assert_eq!(times(&store, 1, 40).await, [30, 20, 10]);
        let page = async |before: Option<NotificationId>| {
            store.notifications(user_id(1), before, 2, 40).await.unwrap()
        };
        assert_eq!(page(None).await, [note(1, 30), note(1, 20)]);
        assert_eq!(page(Some(note(1, 20).id)).await, [note(1, 10)]);
        assert!(page(Some(note(1, 10).id)).await.is_empty());
        let after = async |after: NotificationId, limit, at_ms| {
            store.notifications_after(user_id(1), after, limit, at_ms).await.unwrap()
        };
        assert_eq!(after(note(1, 10).id, 9, 40).await, [note(1, 30), note(1, 20)]);
        assert_eq!(after(note(1, 10).id, 1, 40).await, [note(1, 20)]);
        assert!(after(note(1, 30).id, 9, 40).await.is_empty());
        assert_eq!(after(note(1, 10).id, 9, 30 * DAY + 20).await, [note(1, 30)]);
    });
}

#[test]
fn what_is_read_no_longer_counts() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let notes = [note(1, 10), note(1, 20), note(1, 30), note(2, 10)];
        store.make(notes.map(Edit::PutNotification).into()).await.unwrap();
        assert_eq!(unread(&store, 1, 40).await, 3);
        let one = || vec![Edit::ReadNotification { recipient: user_id(1), id: note(1, 20).id }];
        store.make(one()).await.unwrap();
        store.make(one()).await.unwrap();
        assert_eq!(unread(&store, 1, 40).await, 2);
        let others = Edit::ReadNotification { recipient: user_id(2), id: note(1, 10).id };
        refused!(store.make(vec![others]).await, NotFound);
        store.make(vec![Edit::ReadNotifications(user_id(1))]).await.unwrap();
        store.make(vec![Edit::ReadNotifications(user_id(3))]).await.unwrap();
        assert_eq!((unread(&store, 1, 40).await, unread(&store, 2, 40).await), (0, 1));
        let all = store.notifications(user_id(1), None, 9, 40).await.unwrap();
        assert!(all.len() == 3 && all.iter().all(|note| note.read));
        store.make(vec![Edit::PutNotification(note(1, 40))]).await.unwrap();
        assert_eq!(unread(&store, 1, 40).await, 1);
    });
}

#[test]
fn a_notification_is_somebodys_and_its_id_is_new_and_tells_its_time() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        refused!(store.make(vec![Edit::PutNotification(note(9, 10))]).await, NotFound);
        store.make(vec![Edit::PutNotification(note(1, 10))]).await.unwrap();
        let again = Notification { recipient: user_id(2), ..note(1, 10) };
        refused!(store.make(vec![Edit::PutNotification(again)]).await, IdTaken);
        let untrue = Notification { created_at: 11, ..note(2, 10) };
        refused!(store.make(vec![Edit::PutNotification(untrue)]).await, Invalid);
    });
}

#[test]
fn the_oldest_make_room_and_take_their_count_with_them() {
    block_on(async {
        let store = house(Limits { notifications_per_user_max: 3, ..Limits::default() }).await;
        for at in 1..=5 {
            store.make(vec![Edit::PutNotification(note(1, at))]).await.unwrap();
        }
        store.make(vec![Edit::PutNotification(note(2, 1))]).await.unwrap();
        assert_eq!(times(&store, 1, 9).await, [5, 4, 3]);
        assert_eq!((unread(&store, 1, 9).await, unread(&store, 2, 9).await), (3, 1));
    });
}

#[test]
fn none_is_answered_after_30_days_and_the_sweep_takes_it_in_small_commits() {
    block_on(async {
        let store = house(Limits { sweep_rows_max: 2, ..Limits::default() }).await;
        for at in 1..=5 {
            store.make(vec![Edit::PutNotification(note(1, at))]).await.unwrap();
        }
        assert_eq!(times(&store, 1, 30 * DAY).await, [5, 4, 3, 2, 1]);
        let now = 30 * DAY + 3;
        assert_eq!(times(&store, 1, now).await, [5, 4]);
        assert_eq!(unread(&store, 1, now).await, 2);
        assert_eq!(store.sweep_all(Sweep::Notifications, now).await, 3);
        assert_eq!(store.sweep_all(Sweep::Notifications, now).await, 0);
        assert_eq!((times(&store, 1, 9).await, unread(&store, 1, 9).await), (vec![5, 4], 2));
        assert_eq!(store.sweep_all(Sweep::Notifications, now + 9).await, 2);
        let rows = store.scan_all(keys::notification_times()).await.unwrap();
        assert!(rows.is_empty());
        assert_eq!(store.engine().get(keys::notification_tally(user_id(1))).await.unwrap(), None);
    });
}

#[test]
fn nothing_of_an_erased_message_is_left_in_what_alerted_to_it() {
    block_on(async {
        let store = house(Limits::default()).await;
        let body = bytes::Bytes::from_static(b"the word is sesame");
        store.append(crate::NewEvent { body, ..event(1) }).await.unwrap();
        store.make(vec![Edit::PutNotification(note(1, 10))]).await.unwrap();
        let holds = async || {
            let rows = store.rows().await;
            rows.iter().any(|(_, value)| value.windows(6).any(|part| part == b"sesame"))
        };
        assert!(holds().await);
        store.append(erase(2, 1, crate::Right::Own)).await.unwrap();
        assert!(!holds().await);
        let noted = store.notifications(user_id(1), None, 9, 11).await.unwrap();
        assert_eq!(noted, [note(1, 10)], "who was alerted still sees to what");
    });
}
