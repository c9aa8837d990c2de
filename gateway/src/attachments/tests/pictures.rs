//! Small pictures.

use super::*;

async fn small(desk: &Desk, id: &str, who: &Person) -> Answered {
    desk.house.get(&format!("/api/attachments/{id}/thumbnail"), who).await
}

#[tokio::test]
async fn an_image_of_every_type_has_a_small_picture() {
    let desk = Desk::new().await;
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
        let bytes = match format {
            // Only this encoder takes no alpha.
            ImageFormat::Jpeg => encoded(picture(640, 100), format),
            _ => encoded(DynamicImage::from(picture(640, 100)).to_rgba8(), format),
        };
        let file = desk.file(&bytes).await;
        let answer = small(&desk, &file, &desk.anna).await;
        assert_eq!(answer.status, 200, "{format:?}");
        let picture = image::load_from_memory(&answer.bytes).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (320, 50), "{format:?}");
        let [left, right] = [picture.get_pixel(10, 25), picture.get_pixel(310, 25)];
        assert!(left[0] > 200 && right[2] > 200, "{format:?}: {left:?} {right:?}");
        assert!(header(&answer, "content-type").starts_with("image/"));
        assert!(header(&answer, "content-security-policy").starts_with("sandbox"));
        let tag = header(&answer, "etag").to_string();
        let path = format!("/api/attachments/{file}/thumbnail");
        let known = desk.send("GET", &path, &desk.anna, &[("if-none-match", &tag)], b"").await;
        assert_eq!(known.status, 304);
        assert_eq!(desk.send("HEAD", &path, &desk.anna, &[], b"").await.bytes.len(), 0);
    }
}

#[tokio::test]
async fn who_does_not_see_the_image_does_not_see_it_small() {
    let desk = Desk::new().await;
    let file = desk.file(&encoded(picture(4, 4), ImageFormat::Png)).await;
    assert_eq!(small(&desk, &file, &desk.ben).await.status, 404);
    desk.say(&desk.anna, json!([file])).await.is(201);
    assert_eq!(small(&desk, &file, &desk.ben).await.status, 200);
    assert_eq!(small(&desk, &file, &desk.cem).await.code(), "not_found");
}

#[tokio::test]
async fn what_is_no_image_or_does_not_read_has_none() {
    let desk = Desk::new().await;
    for bytes in [PDF, PNG] {
        let file = desk.file(bytes).await;
        for _again in 0..2 {
            let no = small(&desk, &file, &desk.anna).await;
            assert_eq!((no.status, &*no.code()), (404, "no_thumbnail"));
        }
    }
    let room = desk.sealed_room().await;
    let file = id(&desk.raw(&desk.anna, &format!("room={room}"), AGE).await.is(201));
    assert_eq!(small(&desk, &file, &desk.anna).await.code(), "no_thumbnail");
}
