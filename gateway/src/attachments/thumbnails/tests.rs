//! The bounds of small pictures, and what they show.

use image::{ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

use super::*;

fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(vec![]);
    picture.into().write_to(&mut out, format).unwrap();
    out.into_inner()
}

fn plain(width: u32, height: u32) -> Vec<u8> {
    encoded(RgbImage::from_pixel(width, height, Rgb([9, 99, 9])), ImageFormat::Png)
}

/// A JPEG, red above blue, that says its camera was turned to the right (TIFF tag 0x112 = 6) and
/// where it was.
fn turned() -> Vec<u8> {
    let colours = [Rgb([250, 5, 5]), Rgb([5, 5, 250])];
    let picture = RgbImage::from_fn(60, 40, |_, y| colours[usize::from(y >= 20)]);
    let jpeg = encoded(picture, ImageFormat::Jpeg);
    let mut exif =
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    exif.extend_from_slice(b"48.2082N 16.3738E");
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
}

#[test]
fn a_picture_is_turned_as_its_camera_was_and_says_nothing_else() {
    let bytes = turned();
    let out = small(&bytes, &Limits::default()).unwrap();
    let picture = image::load_from_memory(&out).unwrap().to_rgb8();
    assert_eq!(picture.dimensions(), (40, 60));
    // Turned to the right, what was above is on the right.
    let [left, right] = [picture.get_pixel(5, 30), picture.get_pixel(35, 30)];
    assert!(left[2] > 200 && right[0] > 200, "{left:?} {right:?}");
    for secret in [&b"Exif"[..], b"48.2082N"] {
        assert!(bytes.windows(secret.len()).any(|some| some == secret));
        assert!(!out.windows(secret.len()).any(|some| some == secret));
    }
}

#[test]
fn one_looks_through_a_picture_as_through_the_original() {
    let glass = RgbaImage::from_pixel(2, 2, Rgba([1, 2, 3, 0]));
    let out = small(&encoded(glass, ImageFormat::Png), &Limits::default()).unwrap();
    assert_eq!(mime(&out), "image/png");
    assert_eq!(image::load_from_memory(&out).unwrap().to_rgba8().get_pixel(0, 0)[3], 0);
    assert_eq!(mime(&small(&plain(2, 2), &Limits::default()).unwrap()), "image/jpeg");
}

#[test]
fn an_image_has_so_many_pixels_and_no_more() {
    let limits = Limits { image_pixels_max: 20 * 30, ..Limits::default() };
    assert!(small(&plain(20, 30), &limits).is_ok());
    assert!(small(&plain(20, 31), &limits).is_err());
    // 4 GiB of pixels in 30 bytes.
    let bomb = b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff\
        ,\0\0\0\0\xff\xff\xff\xff\0\x02\x02D\x01\0;";
    assert!(small(bomb, &Limits::default()).is_err());
}

#[test]
fn reading_an_image_takes_so_many_bytes_and_no_more() {
    let limits = |bytes| Limits { image_memory_bytes_max: bytes, ..Limits::default() };
    let bytes = plain(200, 200);
    assert!(small(&bytes, &limits(200 * 200 * 3 - 1)).is_err());
    assert!(small(&bytes, &limits(200 * 200 * 6)).is_ok());
}

#[test]
fn a_small_picture_is_so_wide_and_no_wider() {
    let limits = Limits { thumbnail_side_px: 10, ..Limits::default() };
    for (width, height, expected) in [(10, 4, (10, 4)), (11, 4, (10, 4)), (5, 20, (3, 10))] {
        let out = small(&plain(width, height), &limits).unwrap();
        let picture = image::load_from_memory(&out).unwrap();
        assert_eq!((picture.width(), picture.height()), expected);
    }
    let narrow = small(&plain(1, 3_000), &limits).unwrap();
    assert_eq!(image::load_from_memory(&narrow).unwrap().width(), 1);
}

#[tokio::test]
async fn so_many_wait_and_no_more() {
    let limits = Limits { thumbnails_waiting_max: 1, ..Limits::default() };
    let (folder, limits) = (tempfile::tempdir().unwrap(), Arc::new(limits));
    let engine = Arc::new(hearth_store::Memory::new());
    let store = hearth_store::Store::open(engine, limits.clone()).await.unwrap();
    let store = Attachments::open(store, folder.path()).await.unwrap();
    let thumbnails = Thumbnails::new(limits);
    let id = hearth_protocol::ids::AttachmentId::from_bytes([1; 16]);
    let picture = Attachment {
        id,
        owner: hearth_protocol::ids::UserId::from_bytes([1; 16]),
        room: None,
        sealed: false,
        name: Some("x.png".into()),
        mime: Some("image/png".into()),
        size_bytes: 1,
        stored_bytes: 1,
        sha256: [0; 32],
        created_at: 1,
        shown: None,
        quarantined: None,
    };
    let code = async || thumbnails.of(&store, &picture).await.unwrap_err().0.code;
    let places = thumbnails.places.acquire_many(2).await.unwrap();
    assert_eq!(code().await, "busy");
    drop(places);
    let _one = thumbnails.places.acquire().await.unwrap();
    assert_eq!(code().await, "store_unavailable", "it had its turn; the file is missing");
}
