//! Slots: a page sealed for its file and its place in it.

use std::io;

use chacha20::{R20, hchacha};
use hkdf::Hkdf;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, Tag, UnboundKey};
use sha2::Sha256;
use zeroize::Zeroize;

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

    /// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03 §2.3) is ChaCha20-Poly1305 under a key of the
    /// page's own, which HChaCha20 makes of the first 16 bytes of its nonce; the others, after four
    /// zeros, are the nonce. ring, which is three times as fast (decision 0015), does not wipe that
    /// key: it opens this one writing of one page.
    fn of_page(&self, nonce: &[u8; NONCE]) -> io::Result<(LessSafeKey, Nonce)> {
        let (first, last) = nonce.split_at(16);
        let first = <[u8; 16]>::try_from(first).map_err(io::Error::other)?;
        let mut own = hchacha::<R20>(self.page_key.expose().into(), &first.into());
        let key = UnboundKey::new(&CHACHA20_POLY1305, &own);
        own.zeroize();
        let key = key.map_err(|error| io::Error::other(error.to_string()))?;
        let mut short = [0; 12];
        short[4..].copy_from_slice(last);
        Ok((LessSafeKey::new(key), Nonce::assume_unique_for_key(short)))
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
        let (key, nonce) = self.of_page(nonce)?;
        let made = key
            .seal_in_place_separate_tag(nonce, Aad::from(self.aad(block)), body)
            .map_err(|error| io::Error::other(error.to_string()))?;
        tag.copy_from_slice(made.as_ref());
        Ok(())
    }

    /// Opens a slot in place; what does not authenticate is an error and never data. A slot of
    /// zeros, which nobody wrote, does not authenticate either.
    pub fn open<'a>(&self, block: u64, slot: &'a mut [u8]) -> io::Result<&'a [u8]> {
        let bad = || io::Error::new(io::ErrorKind::InvalidData, BadBlock(block));
        let (nonce, rest) = slot.split_first_chunk_mut::<NONCE>().ok_or_else(bad)?;
        let (body, tag) = rest.split_last_chunk_mut::<TAG>().ok_or_else(bad)?;
        let (key, nonce) = self.of_page(nonce)?;
        let opened = key.open_in_place_separate_tag(
            nonce,
            Aad::from(self.aad(block)),
            Tag::from(*tag),
            body,
            0..,
        );
        opened.map(|body| &*body).map_err(|_forged| bad())
    }

    fn aad(&self, block: u64) -> [u8; 24] {
        let mut aad = [0; 24];
        aad[..16].copy_from_slice(&self.file_id);
        aad[16..].copy_from_slice(&block.to_be_bytes());
        aad
    }
}

#[cfg(test)]
mod tests {
    use chacha20poly1305::aead::AeadInOut;
    use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};

    use super::*;

    #[test]
    fn a_slot_is_what_another_xchacha20_poly1305_opens_and_seals() {
        let cipher = Cipher::new(&DataKey::from_bytes([3; 32]), [9; 16]).unwrap();
        let other = XChaCha20Poly1305::new(cipher.page_key.expose().into());
        let page: Vec<u8> = (0..PAGE).map(|place| (place % 251) as u8).collect();
        let mut slot = [vec![0; NONCE], page.clone(), vec![0; TAG]].concat();
        cipher.seal(5, &mut slot).unwrap();
        let nonce = XNonce::try_from(&slot[..NONCE]).unwrap();
        let mut body = slot[NONCE..NONCE + PAGE].to_vec();
        let tag = slot[NONCE + PAGE..].try_into().unwrap();
        assert_ne!(body, page);
        other.decrypt_inout_detached(&nonce, &cipher.aad(5), (&mut body[..]).into(), &tag).unwrap();
        assert_eq!(body, page);

        let nonce = XNonce::from([8; NONCE]);
        let tag = other.encrypt_inout_detached(&nonce, &cipher.aad(6), (&mut body[..]).into());
        let mut slot = [&nonce[..], &body, &tag.unwrap()].concat();
        assert_eq!(cipher.open(6, &mut slot).unwrap(), page);
    }
}
