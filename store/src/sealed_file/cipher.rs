//! Slots: a page sealed for its file and its place in it.

use std::io;

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;

use super::BadBlock;
use crate::locked::LockedKey;
use crate::master_key::DataKey;

/// Bytes of a page in clear.
pub(super) const PAGE: usize = 4096;
/// Bytes of a nonce: random, one for each write.
pub(super) const NONCE: usize = 24;
/// Bytes of an authentication tag.
pub(super) const TAG: usize = 16;
/// Bytes of a page on disk.
pub(super) const SLOT: usize = NONCE + PAGE + TAG;

/// The cipher of one file.
pub(super) struct Cipher {
    page_key: LockedKey,
    file_id: [u8; 16],
}

impl Cipher {
    /// The key is HKDF(data key, file id, "hearth/v1/page").
    pub fn new(key: &DataKey, file_id: [u8; 16]) -> io::Result<Self> {
        let mut page_key = [0; 32];
        Hkdf::<Sha256>::new(Some(&file_id), key.expose())
            .expand(b"hearth/v1/page", &mut page_key)
            .map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Self { page_key: LockedKey::taking(&mut page_key), file_id })
    }

    /// Made for each page, since it holds a copy of the key: this one is wiped when dropped.
    fn aead(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.page_key.expose().into())
    }

    /// Seals what lies between nonce and tag of a slot, in place.
    pub fn seal(&self, block: u64, slot: &mut [u8]) -> io::Result<()> {
        let Some((nonce, rest)) = slot.split_first_chunk_mut::<NONCE>() else {
            return Err(io::Error::other("a slot without a nonce"));
        };
        let Some((body, tag)) = rest.split_last_chunk_mut::<TAG>() else {
            return Err(io::Error::other("a slot without a tag"));
        };
        getrandom::fill(nonce).map_err(io::Error::other)?;
        let made = self
            .aead()
            .encrypt_inout_detached(&XNonce::from(*nonce), &self.aad(block), body.into())
            .map_err(|error| io::Error::other(error.to_string()))?;
        tag.copy_from_slice(&made);
        Ok(())
    }

    /// Opens a slot in place; what does not authenticate is an error and never data. A slot of
    /// zeros, which nobody wrote, does not authenticate either.
    pub fn open<'a>(&self, block: u64, slot: &'a mut [u8]) -> io::Result<&'a [u8]> {
        let bad = || io::Error::new(io::ErrorKind::InvalidData, BadBlock(block));
        let (nonce, rest) = slot.split_first_chunk_mut::<NONCE>().ok_or_else(bad)?;
        let (body, tag) = rest.split_last_chunk_mut::<TAG>().ok_or_else(bad)?;
        self.aead()
            .decrypt_inout_detached(
                &XNonce::from(*nonce),
                &self.aad(block),
                (&mut *body).into(),
                &Tag::from(*tag),
            )
            .map_err(|_forged| bad())?;
        Ok(body)
    }

    fn aad(&self, block: u64) -> [u8; 24] {
        let mut aad = [0; 24];
        aad[..16].copy_from_slice(&self.file_id);
        aad[16..].copy_from_slice(&block.to_be_bytes());
        aad
    }
}
