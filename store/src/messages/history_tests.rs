//! Pages: every event exactly once whatever the limit, and what does not read told as damaged.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hearth_protocol::ids::Position;
use hearth_protocol::limits::Limits;
use proptest::prelude::*;

use crate::testing::*;
use crate::*;

/// A store with so many events in room 1, and its engine.
async fn filled(events: u64) -> (Store, Arc<Hurt>) {
    let engine = Arc::new(Hurt::default());
    let store = Store::on(engine.clone()).await.with_people().await;
    for number in 1..=events {
        let id = hearth_protocol::ids::EventId::new(number, [1; 10]);
        let event = NewEvent { id: Some(id), at_ms: number * 10, ..event(1) };
        store.append(event).await.unwrap();
    }
    (store, engine)
}

async fn page(store: &Store, query: PageQuery) -> Page {
    store.page(room_id(1), query).await.unwrap()
}

fn positions(page: &Page) -> Vec<u64> {
    page.events.iter().map(|event| event.position.0).collect()
}

fn span(from: u64, to: u64) -> Span {
    Span { from: Position(from), to: Position(to) }
}

/// What a walk over all pages finds: events, and positions that are damaged.
async fn walk(store: &Store, forwards: bool, limit: usize) -> (Vec<u64>, Vec<u64>) {
    let (mut found, mut damaged) = (vec![], vec![]);
    let mut query = PageQuery::newest(limit);
    if forwards {
        query = PageQuery::after(Position::START, limit);
    }
    loop {
        let page = page(store, query).await;
        let Some(covered) = page.covered else { break };
        found.extend(positions(&page));
        damaged.extend(page.damaged.iter().flat_map(|span| span.from.0..=span.to.0));
        if forwards {
            query.after = Some(covered.to);
        } else {
            query.before = Some(covered.from);
        }
    }
    found.sort_unstable();
    damaged.sort_unstable();
    (found, damaged)
}

#[test]
fn a_page_says_what_it_covers_and_what_a_member_does_not_see_is_not_there() {
    block_on(async {
        let (store, _) = filled(9).await;
        let newest = page(&store, PageQuery::newest(3)).await;
        assert_eq!((positions(&newest), newest.covered), (vec![7, 8, 9], Some(span(7, 9))));
        let oldest = page(&store, PageQuery::before(Position(3), 5)).await;
        assert_eq!((positions(&oldest), oldest.covered), (vec![1, 2], Some(span(1, 2))));
        let since = Position(8);
        let seen = page(&store, PageQuery { since, ..PageQuery::newest(5) }).await;
        assert_eq!((positions(&seen), seen.covered), (vec![8, 9], Some(span(8, 9))));
        let seen = page(&store, PageQuery { since, ..PageQuery::after(Position(2), 1) }).await;
        assert_eq!(positions(&seen), [8]);
        let hidden = page(&store, PageQuery { since, ..PageQuery::before(Position(8), 5) }).await;
        assert_eq!(hidden, Page::default());
        let nowhere = store.page(room_id(9), PageQuery::newest(1)).await;
        assert!(matches!(nowhere, Err(StoreError::NotFound { .. })));
    });
}

#[test]
fn a_page_around_a_place_is_full_at_both_ends_of_history() {
    block_on(async {
        let (store, _) = filled(9).await;
        let around = async |at, since, limit| {
            let page = store.page_around(room_id(1), Position(at), Position(since), limit).await;
            positions(&page.unwrap())
        };
        assert_eq!(around(5, 0, 4).await, [3, 4, 5, 6]);
        assert_eq!(around(5, 0, 1).await, [5]);
        assert_eq!(around(1, 0, 4).await, [1, 2, 3, 4]);
        assert_eq!(around(9, 0, 4).await, [6, 7, 8, 9]);
        assert_eq!(around(99, 0, 4).await, [6, 7, 8, 9]);
        assert_eq!(around(2, 2, 4).await, [2, 3, 4, 5]);
        assert_eq!(around(5, 0, 99).await, (1..=9).collect::<Vec<_>>());
    });
}

#[test]
fn the_first_event_since_a_time_is_found_in_a_logarithm_of_reads() {
    block_on(async {
        let (store, engine) = filled(200).await;
        for (at_ms, expected) in [(0, 1), (10, 1), (11, 2), (995, 100), (2_000, 200), (2_001, 201)]
        {
            let before = engine.reads.load(Ordering::SeqCst);
            let found = store.position_at(room_id(1), at_ms).await.unwrap();
            assert_eq!(found, Position(expected), "{at_ms}");
            let reads = engine.reads.load(Ordering::SeqCst) - before;
            assert!(reads <= 8, "{reads} reads in 200 events");
        }
        engine.hurt(room_id(1), 50..=150);
        assert_eq!(store.position_at(room_id(1), 1_601).await.unwrap(), Position(161));
        assert_eq!(store.position_at(room_id(1), 401).await.unwrap(), Position(41));
    });
}

#[test]
fn a_damaged_stretch_is_told_once_and_not_asked_for_again() {
    block_on(async {
        let (store, engine) = filled(40).await;
        engine.hurt(room_id(1), [7, 8, 9, 30]);
        let whole = page(&store, PageQuery::after(Position::START, 60)).await;
        assert_eq!(whole.damaged, [span(7, 9), span(30, 30)]);
        assert_eq!(whole.events.len(), 36);
        assert_eq!(whole.covered, Some(span(1, 40)));
        let failed = engine.failed.load(Ordering::SeqCst);
        let again = page(&store, PageQuery::after(Position(5), 3)).await;
        assert_eq!((positions(&again), &again.damaged[..]), (vec![6, 10], &[span(7, 9)][..]));
        assert_eq!(again.covered, Some(span(6, 10)));
        let newest = page(&store, PageQuery::before(Position(11), 2)).await;
        assert_eq!((positions(&newest), &newest.damaged[..]), (vec![10], &[span(7, 9)][..]));
        assert_eq!(engine.failed.load(Ordering::SeqCst), failed, "known damage is not read");
        // What is beside it goes on: by id, appends, edits.
        assert!(store.append(NewEvent { at_ms: 999, ..event(2) }).await.is_ok());
    });
}

#[test]
fn a_record_that_does_not_decode_is_damaged_alone() {
    block_on(async {
        let (store, engine) = filled(5).await;
        let mut batch = Batch::default();
        batch.put(keys::event(room_id(1), Position(3)), vec![9, 9].into());
        engine.memory.commit(batch).await.unwrap();
        let found = page(&store, PageQuery::newest(9)).await;
        assert_eq!((positions(&found), &found.damaged[..]), (vec![1, 2, 4, 5], &[span(3, 3)][..]));
        let views = store.views(room_id(1), PageQuery::newest(9)).await.unwrap();
        assert_eq!((views.views.len(), &views.damaged[..]), (4, &[span(3, 3)][..]));
    });
}

#[test]
fn a_page_asks_no_more_often_in_vain_than_the_limit_says() {
    block_on(async {
        let engine = Arc::new(Hurt::default());
        let limits = Arc::new(Limits { damage_probes_max: 4, ..Limits::default() });
        let store = Store::open(Arc::new(engine.clone()), limits).await.unwrap();
        let store = store.with_people().await;
        for number in 1..=64 {
            store.append(event(number)).await.unwrap();
        }
        engine.hurt(room_id(1), 1..=64);
        let all = page(&store, PageQuery::after(Position::START, 64)).await;
        assert_eq!((all.events.len(), &all.damaged[..]), (0, &[span(1, 64)][..]));
        assert!(engine.failed.load(Ordering::SeqCst) <= 10);
    });
}

#[test]
fn a_page_of_views_takes_a_bounded_number_of_reads() {
    block_on(async {
        let (store, engine) = filled(100).await;
        for number in 1..=20 {
            let target = hearth_protocol::ids::EventId::new(u64::from(number), [1; 10]);
            let effect = Effect::React { target, emoji: "👍".into(), on: true };
            let reaction = testing::effect(number, EventKind::React, effect);
            store.append(reaction).await.unwrap();
        }
        engine.reads.store(0, Ordering::SeqCst);
        let page = store.views(room_id(1), PageQuery::after(Position::START, 50)).await.unwrap();
        assert_eq!(page.views.len(), 50);
        assert_eq!(page.views.iter().filter(|view| view.reactions.len() == 1).count(), 20);
        assert_eq!(engine.reads.load(Ordering::SeqCst), 3, "events, what is beside, reactions");
        // Reactions are no entries: the page before them is full all the same.
        let newest = store.views(room_id(1), PageQuery::newest(50)).await.unwrap();
        let seen: Vec<_> = newest.views.iter().map(|view| view.event.position.0).collect();
        assert_eq!(seen, (51..=100).collect::<Vec<_>>());
        assert_eq!(newest.covered, Some(span(51, 120)));
    });
}

#[test]
fn a_page_of_views_reads_on_as_often_as_the_limit_says() {
    block_on(async {
        for (page_reads_max, found, from) in [(3, 1, 1), (2, 0, 2)] {
            let limits = Arc::new(Limits { page_reads_max, ..Limits::default() });
            let store = Store::open(Arc::new(Memory::new()), limits).await.unwrap();
            let store = store.with_people().await;
            store.append(event(1)).await.unwrap();
            for (number, emoji) in (2..).zip(["👍", "👎", "🎉", "🔥", "👀", "🙏"]) {
                store.append(testing::react(number, 1, emoji, true)).await.unwrap();
            }
            let page = store.views(room_id(1), PageQuery::newest(3)).await.unwrap();
            assert_eq!(page.views.len(), found);
            assert_eq!(page.covered, Some(span(from, 7)), "the next page begins there");
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_event_is_on_exactly_one_page_and_damage_is_told_exactly(
        events in 1_u64..60,
        hurt in prop::collection::btree_set(1_u64..60, 0..20),
        limit in 1_usize..20,
    ) {
        block_on(async {
            let hurt: Vec<_> = hurt.into_iter().filter(|at| *at <= events).collect();
            let sound: Vec<_> = (1..=events).filter(|at| !hurt.contains(at)).collect();
            for forwards in [true, false] {
                let (store, engine) = filled(events).await;
                engine.hurt(room_id(1), hurt.iter().copied());
                for _ in 0..2 {
                    let (found, damaged) = walk(&store, forwards, limit).await;
                    prop_assert_eq!(&found, &sound);
                    prop_assert_eq!(&damaged, &hurt);
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_page_around_any_place_is_the_stretch_of_its_length(
        events in 0_u64..30,
        at in 0_u64..40,
        limit in 1_usize..12,
    ) {
        block_on(async {
            let (store, _) = filled(events).await;
            let place = Position(at);
            let found = store.page_around(room_id(1), place, Position::START, limit).await.unwrap();
            let found = positions(&found);
            let length = usize::try_from(events).unwrap().min(limit);
            prop_assert_eq!(found.len(), length);
            prop_assert!(found.windows(2).all(|two| two[0] + 1 == two[1]));
            if (1..=events).contains(&at) {
                prop_assert!(found.contains(&at), "{:?}", found);
            }
            Ok(())
        })?;
    }
}

#[test]
fn a_disk_that_refuses_for_a_moment_has_no_damage() {
    block_on(async {
        let (store, engine) = filled(20).await;
        engine.refuses.store(true, Ordering::SeqCst);
        engine.hurt(room_id(1), [7]);
        for _ in 0..9 {
            let refused = store.page(room_id(1), PageQuery::newest(50)).await;
            assert!(matches!(refused, Err(StoreError::Engine(EngineError::Damaged { .. }))));
        }
        engine.rows.lock().unwrap().clear();
        assert_eq!(page(&store, PageQuery::newest(50)).await.events.len(), 20);
        // What it goes on refusing is damaged in the end, and all else is read.
        engine.hurt(room_id(1), [9]);
        for _ in 0..9 {
            store.page(room_id(1), PageQuery::newest(50)).await.unwrap_err();
        }
        let page = page(&store, PageQuery::newest(50)).await;
        assert_eq!((page.events.len(), page.damaged), (19, vec![span(9, 9)]));
    });
}
