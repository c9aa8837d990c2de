//! Small pictures of the images of open rooms, and of avatars: made one at a time, on a thread of
//! its own that ends again, and within bounds of pixels and memory. Of the original nothing goes
//! over but its pixels, turned as its camera was held.

use std::io::Cursor;
use std::sync::Arc;

use bytes::Bytes;
use hearth_protocol::limits::{Limits, wide};
use hearth_protocol::refusal::Kind;
use hearth_store::{Attachment, Attachments};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::error::{ImageError, LimitError, LimitErrorKind};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::kind::is_image;
use crate::error::ApiError;

/// Of 100; small pictures are looked at and not printed.
const JPEG_QUALITY: u8 = 80;

/// Makes small pictures.
pub(super) struct Thumbnails {
    /// Who makes one.
    turn: Arc<Semaphore>,
    /// Who waits for that, and who makes one.
    places: Semaphore,
    limits: Arc<Limits>,
}

impl Thumbnails {
    pub fn new(limits: Arc<Limits>) -> Self {
        let places = Semaphore::new(limits.thumbnails_waiting_max.saturating_add(1));
        Self { turn: Arc::new(Semaphore::new(1)), places, limits }
    }

    /// The small picture of an attachment, made if it is not there.
    pub async fn of(&self, store: &Attachments, whole: &Attachment) -> Result<Bytes, ApiError> {
        if whole.sealed || !is_image(whole.mime.as_deref()) {
            return Err(none());
        }
        if let Some(picture) = known(store, whole).await? {
            return there(picture);
        }
        let busy = || ApiError::new(Kind::Unavailable, "busy", "too many pictures are being made");
        let _place = self.places.try_acquire().map_err(|_full| busy().hint("try again"))?;
        let turn = self.turn.clone().acquire_owned().await.map_err(|_closed| busy())?;
        // Somebody may have made it while this one waited.
        if let Some(picture) = known(store, whole).await? {
            return there(picture);
        }
        let mut bytes = vec![];
        let mut reading = store.read(whole, 0, None).await?;
        while let Some(chunk) = reading.next().await? {
            bytes.extend_from_slice(&chunk);
        }
        let limits = self.limits.clone();
        // It keeps its turn when nobody waits for it any more.
        let made = spawn_blocking(move || {
            let made = small(&bytes, &limits);
            drop(turn);
            made
        });
        // What breaks the decoder, or asks too much of it, has no small picture.
        let picture = match made.await {
            Ok(Ok(picture)) if picture.len() <= self.limits.thumbnail_bytes_max => picture,
            Ok(Ok(_)) => vec![],
            Ok(Err(error)) => {
                tracing::debug!(attachment = %whole.id, %error, "no small picture");
                vec![]
            }
            Err(error) => {
                tracing::warn!(attachment = %whole.id, %error, "the image decoder failed");
                vec![]
            }
        };
        let picture = Bytes::from(picture);
        store.keep_thumbnail(whole.id, picture.clone()).await?;
        there(picture)
    }
}

/// A small picture that does not read is made anew.
async fn known(store: &Attachments, whole: &Attachment) -> Result<Option<Bytes>, ApiError> {
    match store.thumbnail(whole).await {
        Err(error @ hearth_store::StoreError::FileDamaged { .. }) => {
            tracing::warn!(%error, "a small picture is made anew");
            Ok(None)
        }
        known => Ok(known?),
    }
}

fn there(picture: Bytes) -> Result<Bytes, ApiError> {
    if picture.is_empty() { Err(none()) } else { Ok(picture) }
}

fn none() -> ApiError {
    let message = "there is no small picture of this attachment";
    ApiError::new(Kind::NotFound, "no_thumbnail", message).hint("GET the attachment itself")
}

/// The type of a small picture.
pub(super) fn mime(picture: &[u8]) -> &'static str {
    if picture.starts_with(b"\x89PNG") { "image/png" } else { "image/jpeg" }
}

/// A small picture of an image: JPEG, or PNG where one can look through it.
fn small(bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, ImageError> {
    let too_much = |kind| ImageError::Limits(LimitError::from_kind(kind));
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    let mut bounds = image::Limits::no_limits();
    bounds.max_alloc = Some(wide(limits.image_memory_bytes_max));
    reader.limits(bounds);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > wide(limits.image_pixels_max) {
        return Err(too_much(LimitErrorKind::DimensionError));
    }
    if decoder.total_bytes() > wide(limits.image_memory_bytes_max) {
        return Err(too_much(LimitErrorKind::InsufficientMemory));
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder)?;
    let side = u32::try_from(limits.thumbnail_side_px).unwrap_or(u32::MAX);
    if width.max(height) > side {
        picture = picture.thumbnail(side, side);
    }
    picture.apply_orientation(orientation);
    let mut out = vec![];
    if picture.color().has_alpha() {
        picture.to_rgba8().write_with_encoder(PngEncoder::new(&mut out))?;
    } else {
        let encoder = JpegEncoder::new_with_quality(&mut out, JPEG_QUALITY);
        picture.to_rgb8().write_with_encoder(encoder)?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests;
