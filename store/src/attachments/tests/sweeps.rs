//! What the sweep takes, what it leaves, and what it reports.

use std::sync::atomic::Ordering;

use super::*;
use crate::engine::Batch;
use crate::{Change, SweptFiles};

const DAY: u64 = hearth_protocol::limits::days_ms(1);

fn clean() -> SweptFiles {
    SweptFiles::default()
}

#[test]
fn what_nothing_shows_goes_after_a_day() {
    block_on(async {
        let house = House::new().await;
        house.put(text(1), b"waits").await.unwrap();
        house.put(text(2), b"its message never comes").await.unwrap();
        house.put(text(3), b"its message is there").await.unwrap();
        house.bind(2, 9).await.unwrap();
        house.bind(3, 1).await.unwrap();
        house.store.append(event(1)).await.unwrap();
        assert_eq!(house.attachments.sweep(DAY + 99).await.unwrap(), clean());
        let swept = house.attachments.sweep(DAY + 100).await.unwrap();
        assert_eq!(swept, SweptFiles { attachments: 1, ..clean() });
        assert!(house.is_there(1).await && !house.is_there(2).await);
        assert_eq!(house.attachments.sweep(DAY + 999).await.unwrap(), clean());
        let swept = house.attachments.sweep(DAY + 1_000).await.unwrap();
        assert_eq!(swept, SweptFiles { attachments: 1, ..clean() });
        assert_eq!(house.files(), [house.file(3)]);
        assert_eq!(house.used(Whose::House).await, (1, 20));
        assert_eq!(house.attachments.sweep(99 * DAY).await.unwrap(), clean());
    });
}

#[test]
fn what_was_for_an_ended_room_goes_at_once() {
    block_on(async {
        let house = House::new().await;
        house.put(text(1), b"x").await.unwrap();
        house.put(sealed(2), b"x").await.unwrap();
        house.bind(1, 1).await.unwrap();
        let mut end = Batch::default();
        end.delete(keys::room(room_id(2)));
        house.store.engine().commit(end).await.unwrap();
        let swept = house.attachments.sweep(1_000).await.unwrap();
        assert_eq!(swept, SweptFiles { attachments: 1, ..clean() });
        assert_eq!(house.files(), [house.file(2)]);
    });
}

#[test]
fn what_is_shown_meanwhile_stays() {
    block_on(async {
        let house = House::new().await;
        house.put(text(1), b"x").await.unwrap();
        house.store.append(event(1)).await.unwrap();
        let (attachment, by, event) = (attachment_id(1), user_id(1), event_id(1));
        let bound = Edit::BindAttachment { attachment, by, event };
        let change = Change::of(vec![bound, Edit::SweepAttachment(attachment)], 9 * DAY);
        house.store.change(change).await.unwrap();
        assert!(house.is_there(1).await);
    });
}

#[test]
fn files_without_a_record_go_and_names_that_are_not_ours_stay() {
    block_on(async {
        let house = House::new().await;
        let stored = house.put(text(1), b"x").await.unwrap();
        house.put(text(2), b"x").await.unwrap();
        let remove = vec![Edit::RemoveAttachment(attachment_id(2))];
        house.store.make(remove).await.unwrap();
        let folder = house.file(1).parent().unwrap().to_path_buf();
        fs::write(folder.join(format!("{}.part", attachment_id(1))), "half").unwrap();
        fs::write(folder.join("README"), "ours").unwrap();
        let swept = house.attachments.sweep(1_000).await.unwrap();
        assert_eq!(swept, SweptFiles { files: 2, ..clean() });
        assert_eq!(house.files(), [house.file(1), folder.join("README")]);
        assert_eq!(house.read(&stored, 0, None).await.unwrap(), b"x");
    });
}

#[test]
fn records_without_their_file_are_reported_and_stay() {
    block_on(async {
        let house = House::new().await;
        for number in 1..=3 {
            house.put(text(number), b"x").await.unwrap();
        }
        fs::remove_file(house.file(1)).unwrap();
        fs::write(house.file(2), "short").unwrap();
        let swept = house.attachments.sweep(1_000).await.unwrap();
        let damaged = vec![attachment_id(1), attachment_id(2)];
        assert_eq!(swept, SweptFiles { damaged, ..clean() });
        assert!(house.is_there(1).await && house.is_there(2).await);
    });
}

#[test]
fn a_sweep_leaves_an_upload_under_way_alone() {
    block_on(async {
        let house = House::new().await;
        let bytes = content(100_000);
        let (here, there) = tokio::io::duplex(1_000);
        let upload = house.attachments.put(text(1), here);
        let sweeps = async {
            let mut there = there;
            tokio::io::AsyncWriteExt::write_all(&mut there, &bytes[..90_000]).await.unwrap();
            assert_eq!(house.files().len(), 1, "the upload has begun");
            assert_eq!(house.attachments.sweep(99 * DAY).await.unwrap(), clean());
            tokio::io::AsyncWriteExt::write_all(&mut there, &bytes[90_000..]).await.unwrap();
        };
        let (stored, ()) = tokio::join!(upload, sweeps);
        assert!(house.read(&stored.unwrap(), 0, None).await.unwrap() == bytes);
    });
}

#[test]
fn a_sweep_works_in_small_commits() {
    block_on(async {
        let engine = Arc::new(Gated::new(1_000));
        let limits = Limits { sweep_rows_max: 2, ..Limits::default() };
        let house = House::on(Arc::new(engine.clone()), limits).await;
        for number in 1..=5 {
            house.put(text(number), b"x").await.unwrap();
        }
        let before = engine.commits.load(Ordering::SeqCst);
        let swept = house.attachments.sweep(2 * DAY).await.unwrap();
        assert_eq!(swept, SweptFiles { attachments: 5, ..clean() });
        assert_eq!(engine.commits.load(Ordering::SeqCst) - before, 3);
        assert!(house.files().is_empty());
    });
}
