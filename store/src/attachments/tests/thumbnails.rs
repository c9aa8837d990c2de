//! Small pictures: beside their attachment, and never without it.

use bytes::Bytes;

use super::*;
use crate::SweptFiles;

fn small(house: &House, number: u8) -> PathBuf {
    let mut name = house.file(number).into_os_string();
    name.push(".thumb");
    name.into()
}

#[test]
fn a_small_picture_is_kept_sealed_and_goes_with_its_attachment() {
    block_on(async {
        let house = House::new().await;
        let whole = house.put(text(1), b"picture").await.unwrap();
        assert_eq!(house.attachments.thumbnail(&whole).await.unwrap(), None);
        for picture in ["", "a small picture", "another small picture"] {
            let picture = Bytes::from_static(picture.as_bytes());
            house.attachments.keep_thumbnail(whole.id, picture.clone()).await.unwrap();
            assert_eq!(house.attachments.thumbnail(&whole).await.unwrap(), Some(picture));
        }
        assert_eq!(house.files(), [house.file(1), small(&house, 1)]);
        let stored = fs::read(small(&house, 1)).unwrap();
        assert!(!stored.windows(5).any(|some| some == b"small"));
        assert_eq!(house.attachments.sweep(1_000).await.unwrap(), SweptFiles::default());
        house.attachments.remove(whole.id, 9).await.unwrap();
        assert_eq!(house.files(), Vec::<PathBuf>::new());
        house.attachments.keep_thumbnail(whole.id, Bytes::from_static(b"late")).await.unwrap();
        assert_eq!(house.files(), Vec::<PathBuf>::new(), "its attachment is gone");
    });
}

#[test]
fn a_sweep_takes_small_pictures_of_nothing_and_broken_off_ones() {
    block_on(async {
        let house = House::new().await;
        let whole = house.put(text(1), b"picture").await.unwrap();
        house.attachments.keep_thumbnail(whole.id, Bytes::from_static(b"small")).await.unwrap();
        let folder = house.file(2).parent().unwrap().to_path_buf();
        fs::create_dir_all(&folder).unwrap();
        for ending in [".thumb", ".thumb.part", ".part"] {
            fs::write(folder.join(format!("{}{ending}", attachment_id(2))), b"x").unwrap();
        }
        let swept = house.attachments.sweep(1_000).await.unwrap();
        assert_eq!(swept, SweptFiles { files: 3, ..SweptFiles::default() });
        assert_eq!(house.files(), [house.file(1), small(&house, 1)]);
    });
}

#[test]
fn a_small_picture_has_a_limit_and_quarantine_holds_for_it() {
    block_on(async {
        let house = House::with(Limits { thumbnail_bytes_max: 3, ..Limits::default() }).await;
        let whole = house.put(text(1), b"picture").await.unwrap();
        let keep = |bytes| house.attachments.keep_thumbnail(whole.id, Bytes::from_static(bytes));
        keep(b"123").await.unwrap();
        let Err(StoreError::TooLarge { .. }) = keep(b"1234").await else { panic!("it fits") };
        let why = Some("Eicar".to_string());
        let edit = Edit::QuarantineAttachment { attachment: whole.id, why };
        house.store.make(vec![edit]).await.unwrap();
        let whole = house.store.attachment(whole.id).await.unwrap().unwrap();
        let Err(StoreError::Gone { .. }) = house.attachments.thumbnail(&whole).await else {
            panic!("it reads")
        };
    });
}
