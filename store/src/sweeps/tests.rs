//! Sweeps as a whole: they go on where they ended, and those who follow changes hear of them.

use std::sync::Arc;

use super::*;
use crate::testing::*;
use crate::{Memory, Session, User};

impl Store {
    /// Sweeps to the end; gives how many are gone.
    pub(crate) async fn sweep_all(&self, sweep: Sweep, at_ms: u64) -> usize {
        let (mut rows, mut from) = (0, Some(Bytes::new()));
        while let Some(at) = from {
            let swept = self.sweep(sweep, at, at_ms).await.unwrap();
            (rows, from) = (rows + swept.rows, swept.next);
        }
        rows
    }
}

#[test]
fn a_sweep_of_sessions_looks_at_a_bounded_number_and_goes_on_where_it_ended() {
    block_on(async {
        let limits = Limits { sweep_rows_max: 2, ..Limits::default() };
        let store = Store::open(Arc::new(Memory::new()), Arc::new(limits)).await.unwrap();
        let store = store.with_people().await;
        let session = |number| Session {
            id: session_id(number),
            user: user_id(1),
            label: "phone".into(),
            refresh_hash: [number; 32],
            created_at: 1,
            last_used_at: 1,
        };
        let sessions = (1..=5).map(|number| Edit::PutSession(session(number)));
        store.make(sessions.collect()).await.unwrap();
        let blocked = User { blocked: true, ..user(1, "Anna") };
        store.make(vec![Edit::UpdateUser(blocked)]).await.unwrap();
        let told = Arc::new(Told::default());
        store.listen(told.clone());
        let mut from = Bytes::new();
        for (rows, more) in [(2, true), (2, true), (1, false)] {
            let swept = store.sweep(Sweep::Sessions, from, 100).await.unwrap();
            assert_eq!((swept.rows, swept.next.is_some()), (rows, more));
            from = swept.next.unwrap_or_default();
        }
        let each = [2, 2, 1].map(|edits| format!("changed {edits} edits, versions []"));
        assert_eq!(told.all(), each);
    });
}
