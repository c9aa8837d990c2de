//! Reports as they come, are decided and go.

use std::sync::Arc;

use hearth_protocol::ids::ReportId;
use hearth_protocol::limits::Limits;

use super::*;
use crate::testing::*;
use crate::{Edit, Memory, Sweep};

const DAY: u64 = hearth_protocol::limits::days_ms(1);

fn report(number: u8, by: u8, event: u8) -> Report {
    Report {
        id: ReportId::from_bytes([number; 16]),
        by: user_id(by),
        room: room_id(1),
        event: event_id(event),
        reason: "rude".into(),
        evidence: Some(vec![1, 2, 3]),
        created_at: 5,
        decided: None,
    }
}

fn decide(number: u8, at: u64) -> Vec<Edit> {
    let id = ReportId::from_bytes([number; 16]);
    let verdict = Verdict::Dismissed;
    let decision = Decision { by: user_id(1), verdict, note: String::new(), at };
    vec![Edit::DecideReport { id, decision }]
}

/// People, and messages 1 to 3.
async fn house(store: Store) -> Store {
    let store = store.with_people().await;
    for number in 1..=3 {
        store.append(event(number)).await.unwrap();
    }
    store
}

async fn with(limits: Limits) -> Store {
    house(Store::open(Arc::new(Memory::new()), Arc::new(limits)).await.unwrap()).await
}

#[test]
fn a_report_waits_in_the_queue_until_it_is_decided_once() {
    on_each_engine(|store| async {
        let store = house(store).await;
        let reports = [report(2, 2, 1), report(1, 1, 1), report(3, 1, 2)];
        store.make(reports.map(Edit::PutReport).into()).await.unwrap();
        let queue = store.open_reports(None, 2).await.unwrap();
        assert_eq!(queue, [report(1, 1, 1), report(2, 2, 1)]);
        let rest = store.open_reports(Some(queue[1].id), 2).await.unwrap();
        assert_eq!(rest, [report(3, 1, 2)]);
        store.make(decide(2, 9)).await.unwrap();
        refused!(store.make(decide(2, 9)).await, Gone);
        refused!(store.make(decide(9, 9)).await, NotFound);
        assert_eq!(store.open_reports(None, 9).await.unwrap().len(), 2);
        let decided = store.report(ReportId::from_bytes([2; 16])).await.unwrap().unwrap();
        assert_eq!(decided.decided.as_ref().unwrap().at, 9);
        assert_eq!(store.decided_reports(None, 9).await.unwrap(), [decided]);
    });
}

#[test]
fn somebody_reports_a_message_once_and_only_one_that_is_there() {
    on_each_engine(|store| async {
        let store = house(store).await;
        store.make(vec![Edit::PutReport(report(1, 1, 1))]).await.unwrap();
        refused!(store.make(vec![Edit::PutReport(report(2, 1, 1))]).await, Rule);
        refused!(store.make(vec![Edit::PutReport(report(1, 2, 1))]).await, IdTaken);
        store.make(decide(1, 9)).await.unwrap();
        refused!(store.make(vec![Edit::PutReport(report(2, 1, 1))]).await, Rule);
        refused!(store.make(vec![Edit::PutReport(report(1, 2, 1))]).await, IdTaken);
        refused!(store.make(vec![Edit::PutReport(report(3, 1, 9))]).await, NotFound);
        refused!(store.make(vec![Edit::PutReport(report(3, 9, 1))]).await, NotFound);
        store.make(vec![Edit::PutRoom(room(2))]).await.unwrap();
        let elsewhere = Report { room: room_id(2), ..report(3, 1, 2) };
        refused!(store.make(vec![Edit::PutReport(elsewhere)]).await, NotFound);
        let decided = Report {
            decided: store.decided_reports(None, 1).await.unwrap().remove(0).decided,
            ..report(4, 2, 2)
        };
        refused!(store.make(vec![Edit::PutReport(decided)]).await, Invalid);
    });
}

#[test]
fn reason_evidence_note_and_number_are_bounded() {
    block_on(async {
        let limits = Limits {
            report_reason_chars_max: 3,
            report_evidence_bytes_max: 2,
            reports_per_user_max: 1,
            ..Limits::default()
        };
        let store = with(limits).await;
        let small =
            || Report { reason: "bad".into(), evidence: Some(vec![1; 2]), ..report(1, 1, 1) };
        let wrong = [
            Report { reason: "baad".into(), ..small() },
            Report { evidence: Some(vec![1; 3]), ..small() },
        ];
        for report in wrong {
            refused!(store.make(vec![Edit::PutReport(report)]).await, TooLarge);
        }
        let empty = Report { reason: " \n".into(), ..small() };
        refused!(store.make(vec![Edit::PutReport(empty)]).await, Invalid);
        store.make(vec![Edit::PutReport(small())]).await.unwrap();
        let second = Report { id: ReportId::from_bytes([2; 16]), event: event_id(2), ..small() };
        refused!(store.make(vec![Edit::PutReport(second)]).await, LimitReached);
        let mut wordy = decide(1, 9);
        if let Some(Edit::DecideReport { decision, .. }) = wordy.first_mut() {
            decision.note = "long".into();
        }
        refused!(store.make(wordy).await, TooLarge);
    });
}

#[test]
fn decided_reports_go_when_their_time_is_over_and_make_room() {
    block_on(async {
        let limits = Limits { sweep_rows_max: 1, audit_days: 1, ..Limits::default() };
        let store = with(limits).await;
        let reports = [report(1, 1, 1), report(2, 1, 2), report(3, 1, 3)];
        store.make(reports.map(Edit::PutReport).into()).await.unwrap();
        store.make(decide(1, 20)).await.unwrap();
        store.make(decide(2, 10)).await.unwrap();
        refused!(
            store.make(vec![Edit::ForgetReport(ReportId::from_bytes([1; 16]))]).await,
            Invalid
        );
        assert_eq!(store.sweep_all(Sweep::Reports, DAY + 9).await, 0);
        assert_eq!(store.sweep_all(Sweep::Reports, DAY + 10).await, 1);
        let left = store.decided_reports(None, 9).await.unwrap();
        assert_eq!(left.into_iter().map(|report| report.event).collect::<Vec<_>>(), [event_id(1)]);
        store.make(vec![Edit::PutReport(report(4, 1, 2))]).await.unwrap();
        assert_eq!(store.sweep_all(Sweep::Reports, 9 * DAY).await, 1);
        assert_eq!(store.open_reports(None, 9).await.unwrap().len(), 2);
    });
}
