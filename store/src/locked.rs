//! A key in memory: in pages of its own, which are kept out of swap, and wiped when dropped.

use std::sync::Once;

use zeroize::Zeroize;

/// Pages that hold one key and nothing else, so that unlocking them unlocks no other key. As wide
/// as the widest page of a Raspberry Pi.
#[repr(align(16384))]
struct Pages([u8; 32]);

/// A key of 32 bytes.
pub(crate) struct LockedKey {
    // Dropped before the pages are given back.
    _lock: Option<region::LockGuard>,
    pages: Box<Pages>,
}

impl LockedKey {
    /// Copies a key into pages of its own and wipes where it was.
    pub fn taking(bytes: &mut [u8; 32]) -> Self {
        let mut pages = Box::new(Pages([0; 32]));
        let lock = region::lock(&raw const *pages, size_of::<Pages>());
        pages.0.copy_from_slice(bytes);
        bytes.zeroize();
        Self { _lock: lock.map_err(|error| warn_once(&error)).ok(), pages }
    }

    pub fn expose(&self) -> &[u8; 32] {
        &self.pages.0
    }
}

impl Drop for LockedKey {
    fn drop(&mut self) {
        self.pages.0.zeroize();
    }
}

/// A box without the right to lock memory runs all the same.
fn warn_once(error: &region::Error) {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        tracing::warn!(
            %error,
            "keys cannot be kept out of swap: raise the limit of locked memory \
             (LimitMEMLOCK=1M in a systemd unit), or use no swap or an encrypted one"
        );
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_into_pages_of_its_own_and_wiped_where_it_was() {
        let mut bytes = [7; 32];
        let (first, second) = (LockedKey::taking(&mut bytes), LockedKey::taking(&mut [8; 32]));
        assert_eq!(bytes, [0; 32]);
        assert_eq!((first.expose(), second.expose()), (&[7; 32], &[8; 32]));
        let page = |key: &LockedKey| (&raw const *key.pages).addr() / 16_384;
        assert_ne!(page(&first), page(&second));
        assert_eq!((&raw const *first.pages).addr() % 16_384, 0);
        drop(first);
        assert_eq!(second.expose(), &[8; 32], "the lock of one is not the lock of the other");
    }
}
