//! What the store keeps of attachments: rules, quotas, where they are shown.

use super::*;
use crate::{Settings, User};

fn limited(limit: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits { attachment_user_mib: 1, ..Limits::default() };
    limit(&mut limits);
    limits
}

#[test]
fn a_name_is_a_plain_file_name_and_a_type_is_one_of_the_seeds() {
    block_on(async {
        let house = House::new().await;
        let named = |name: &str| NewAttachment { name: Some(name.into()), ..text(1) };
        let typed = |mime: &str| NewAttachment { mime: Some(mime.into()), ..text(1) };
        for bad in ["", " ", ".", "..", "a/b", "/etc/passwd", "a\\b", "a\nb", "a\0", "../x"] {
            refused!(house.put(named(bad), b"x").await, Invalid);
        }
        refused!(house.put(named(&"ä".repeat(128)), b"x").await, TooLarge);
        for bad in ["", "image", "text/html", "text/plain", "image/svg+xml", "image/png; a=b"] {
            refused!(house.put(typed(bad), b"x").await, BadType);
        }
        let Err(error) = house.put(typed("a/b"), b"x").await else { panic!("it is taken") };
        assert!(error.to_string().contains("application/zip"), "{error}");
        for bad in ["image/svg+xml", "application/pdf", "application/zip"] {
            let avatar = NewAttachment { mime: Some(bad.into()), ..picture(1) };
            refused!(house.put(avatar, b"x").await, BadType);
        }
        assert!(house.files().is_empty());
        let longest = format!("{}x", "ä".repeat(127));
        for (number, good) in (1..).zip([&*longest, "a", "...", "Ünïcödé 🎉.png", ".profile"])
        {
            let new = NewAttachment { id: attachment_id(number), ..named(good) };
            house.put(new, b"x").await.unwrap();
        }
        let images = ["image/jpeg", "image/png", "image/gif", "image/webp"];
        let word = "vnd.openxmlformats-officedocument.wordprocessingml.document";
        let others = ["pdf", "msword", word, "zip"].map(|kind| format!("application/{kind}"));
        let files = images.map(str::to_string).into_iter().chain(others);
        for (number, good) in (10..).zip(files) {
            let new = NewAttachment { id: attachment_id(number), ..typed(&good) };
            house.put(new, b"x").await.unwrap();
        }
        for (number, good) in (20..).zip(images) {
            let new = NewAttachment { mime: Some(good.into()), ..picture(number) };
            house.put(new, b"x").await.unwrap();
        }
    });
}

#[test]
fn what_is_for_a_sealed_room_comes_sealed_and_without_a_name() {
    block_on(async {
        let house = House::new().await;
        let wrong = [
            NewAttachment { room: Some(room_id(1)), ..text(1) },
            NewAttachment { name: Some("a".into()), ..sealed(1) },
            NewAttachment { mime: Some("a/b".into()), ..sealed(1) },
            NewAttachment { name: None, ..text(1) },
            NewAttachment { room: None, ..sealed(1) },
        ];
        for new in wrong {
            refused!(house.put(new, b"x").await, Invalid);
        }
        let nowhere = NewAttachment { room: Some(room_id(9)), ..text(1) };
        refused!(house.put(nowhere, b"x").await, NotFound);
        refused!(house.put(NewAttachment { owner: user_id(9), ..text(1) }, b"x").await, NotFound);
        house.put(sealed(1), b"x").await.unwrap();
        refused!(house.put(sealed(1), b"x").await, IdTaken);
        refused!(house.put(text(1), b"x").await, IdTaken);
        let stored = house.store.attachment(attachment_id(1)).await.unwrap().unwrap();
        assert_eq!(house.read(&stored, 0, None).await.unwrap(), b"x");
    });
}

#[test]
fn a_quota_is_full_at_its_last_byte_and_free_again_when_something_goes() {
    block_on(async {
        let house = House::with(limited(|_| {})).await;
        let me = Whose::User(user_id(1));
        house.put(text(1), &content((1 << 20) - 10)).await.unwrap();
        refused!(house.put(text(2), &content(11)).await, QuotaFull);
        let announced = NewAttachment { size_bytes: Some(11), ..text(2) };
        refused!(house.attachments.put(announced, stalls(b"")).await, QuotaFull);
        house.put(text(2), &content(10)).await.unwrap();
        assert_eq!(house.used(me).await, (2, 1 << 20));
        refused!(house.put(text(3), b"x").await, QuotaFull);
        house.put(text(4), b"").await.unwrap();
        let bobs = NewAttachment { owner: user_id(2), ..text(5) };
        house.put(bobs, &content(100)).await.unwrap();
        assert_eq!(house.used(Whose::House).await, (4, (1 << 20) + 100));
        house.attachments.remove(attachment_id(2), 9).await.unwrap();
        house.attachments.remove(attachment_id(2), 9).await.unwrap();
        assert_eq!(house.used(me).await, (2, (1 << 20) - 10));
        assert_eq!(house.files(), [house.file(1), house.file(4), house.file(5)]);
        house.put(text(6), &content(10)).await.unwrap();
    });
}

#[test]
fn the_house_has_a_quota_too_and_the_settings_decide_it() {
    block_on(async {
        let house = House::with(limited(|limits| limits.attachment_house_mib = 2)).await;
        let of = |owner, number| NewAttachment { owner: user_id(owner), ..text(number) };
        let whole = content(1 << 20);
        house.put(of(1, 1), &whole).await.unwrap();
        house.put(of(2, 2), &whole).await.unwrap();
        let Err(error) = house.put(of(3, 3), b"x").await else { panic!("it fits") };
        assert!(error.to_string().contains("all attachments of the house"), "{error}");
        assert_eq!(house.used(Whose::User(user_id(3))).await, (0, 0));
        let settings = Settings {
            version: 1,
            attachment_house_mib: Some(3),
            attachment_user_mib: Some(0),
            ..Settings::default()
        };
        let swap = Edit::SwapSettings { expected: 0, settings };
        house.store.make(vec![swap]).await.unwrap();
        let Err(error) = house.put(of(3, 3), b"x").await else { panic!("it fits") };
        assert!(error.to_string().contains("your attachments"), "{error}");
        house.put(of(3, 3), b"").await.unwrap();
    });
}

#[test]
fn of_two_uploads_for_the_last_bytes_one_is_stored() {
    block_on(async {
        let house = House::with(limited(|_| {})).await;
        let bytes = content(600_000);
        let (one, two) = tokio::join!(house.put(text(1), &bytes), house.put(text(2), &bytes));
        let (won, lost) = if one.is_ok() { (one, two) } else { (two, one) };
        refused!(lost, QuotaFull);
        let won = won.unwrap();
        assert!(house.read(&won, 0, None).await.unwrap() == bytes);
        assert_eq!(house.files().len(), 1);
        assert_eq!(house.used(Whose::House).await, (1, 600_000));
    });
}

#[test]
fn attachments_and_uploads_under_way_are_bounded() {
    block_on(async {
        let limits = limited(|limits| {
            limits.attachments_per_user_max = 1;
            limits.uploads_max = 3;
            limits.uploads_per_user_max = 2;
        });
        let house = House::with(limits).await;
        house.put(text(1), b"x").await.unwrap();
        refused!(house.put(text(2), b"x").await, LimitReached);
        house.attachments.remove(attachment_id(1), 9).await.unwrap();
        let of = |owner, number| NewAttachment { owner: user_id(owner), ..text(number) };
        let begin = |new| Box::pin(house.attachments.put(new, stalls(b"x")));
        let mut waiting = vec![begin(of(1, 3)), begin(of(1, 4))];
        poll_all(&mut waiting);
        refused!(house.put(of(1, 5), b"x").await, LimitReached);
        refused!(house.put(of(2, 4), b"x").await, IdTaken);
        waiting.push(begin(of(2, 6)));
        poll_all(&mut waiting);
        refused!(house.put(of(3, 7), b"x").await, LimitReached);
    });
}

/// Begins what is waited for, without waiting.
fn poll_all<F: Future + Unpin>(waiting: &mut [F]) {
    let mut context = Context::from_waker(std::task::Waker::noop());
    for future in waiting {
        assert!(Pin::new(future).poll(&mut context).is_pending());
    }
}

#[test]
fn an_attachment_is_shown_in_one_message_of_its_owner() {
    block_on(async {
        let house = House::with(limited(|limits| limits.attachments_per_event_max = 2)).await;
        for number in 1..=4 {
            house.put(text(number), b"x").await.unwrap();
        }
        let (attachment, event) = (attachment_id(1), event_id(1));
        let theft = Edit::BindAttachment { attachment, by: user_id(2), event };
        refused!(house.store.make(vec![theft]).await, NotFound);
        house.bind(1, 1).await.unwrap();
        house.bind(1, 1).await.unwrap();
        refused!(house.bind(1, 2).await, Invalid);
        refused!(house.bind(9, 1).await, NotFound);
        house.bind(2, 1).await.unwrap();
        refused!(house.bind(3, 1).await, LimitReached);
        let shown = house.store.attachments_of(room_id(2), event).await.unwrap();
        let ids: Vec<_> = shown.iter().map(|attachment| attachment.id).collect();
        assert_eq!(ids, [attachment_id(1), attachment_id(2)]);
        assert_eq!(shown[0].shown, Some(Shown::Event { event, at: 100 }));
        let erase = || vec![Edit::RemoveAttachmentsOf { room: room_id(2), event }];
        house.store.make(erase()).await.unwrap();
        house.store.make(erase()).await.unwrap();
        assert!(house.store.attachments_of(room_id(2), event).await.unwrap().is_empty());
        assert_eq!(house.used(Whose::House).await, (2, 2));
        house.put(picture(8), b"x").await.unwrap();
        refused!(house.bind(8, 2).await, Invalid);
    });
}

#[test]
fn somebody_has_one_avatar_and_the_old_one_goes() {
    block_on(async {
        let house = House::new().await;
        let wear = async |who: u8, number: Option<u8>| {
            let avatar = number.map(attachment_id);
            let edit = Edit::UpdateUser(User { avatar, ..user(who, &format!("user_{who}")) });
            house.store.make(vec![edit]).await.map(drop)
        };
        house.put(picture(1), b"one").await.unwrap();
        house.put(picture(2), b"two").await.unwrap();
        house.put(text(3), b"text").await.unwrap();
        refused!(wear(2, Some(1)).await, NotFound);
        refused!(wear(1, Some(3)).await, Invalid);
        refused!(wear(1, Some(9)).await, NotFound);
        wear(1, Some(1)).await.unwrap();
        wear(1, Some(1)).await.unwrap();
        wear(1, Some(2)).await.unwrap();
        assert!(!house.is_there(1).await && house.is_there(2).await);
        let day = hearth_protocol::limits::days_ms(1);
        house.attachments.sweep(1_000 + day).await.unwrap();
        assert_eq!(house.files(), [house.file(2)]);
        house.attachments.remove(attachment_id(2), 9).await.unwrap();
        let anna = house.store.user(user_id(1)).await.unwrap().unwrap();
        assert_eq!((anna.avatar, house.used(Whose::House).await), (None, (0, 0)));
        wear(1, None).await.unwrap();
        let mut dora = user(4, "Dora");
        dora.avatar = Some(attachment_id(2));
        refused!(house.store.make(vec![Edit::PutUser(dora)]).await, Invalid);
    });
}

#[test]
fn what_is_in_quarantine_is_neither_shown_nor_read() {
    block_on(async {
        let house = House::new().await;
        house.put(text(1), b"x").await.unwrap();
        let keep = async |why: Option<&str>| {
            let (attachment, why) = (attachment_id(1), why.map(str::to_string));
            house.store.make(vec![Edit::QuarantineAttachment { attachment, why }]).await.unwrap();
            house.store.attachment(attachment_id(1)).await.unwrap().unwrap()
        };
        let kept = keep(Some("EICAR")).await;
        refused!(house.read(&kept, 0, None).await, Gone);
        refused!(house.bind(1, 1).await, Gone);
        let free = keep(None).await;
        assert_eq!(house.read(&free, 0, None).await.unwrap(), b"x");
        house.bind(1, 1).await.unwrap();
    });
}
