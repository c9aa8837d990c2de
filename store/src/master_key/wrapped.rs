//! The data key wrapped by age, for an identity or for a passphrase.

use std::io::Read;
use std::iter;
use std::path::Path;

use age::x25519;
use age::{DecryptError, Decryptor, scrypt};
use hearth_protocol::limits::Limits;
use zeroize::Zeroizing;

use super::{DataKey, KeyError, Passphrase};

/// Wraps for an identity.
pub(super) fn for_x25519(
    key: &DataKey,
    identity: &x25519::Identity,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let wrapped = age::encrypt(&identity.to_public(), key.expose());
    wrapped.map(Zeroizing::new).map_err(KeyError::Wrap)
}

/// Wraps for a passphrase, at the cost that the limits say.
pub(super) fn for_scrypt(
    key: &DataKey,
    passphrase: &Passphrase,
    limits: &Limits,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut recipient = scrypt::Recipient::new(passphrase.secret());
    recipient.set_work_factor(work(limits.passphrase_work_log2).min(work_max(limits)));
    let wrapped = age::encrypt(&recipient, key.expose());
    wrapped.map(Zeroizing::new).map_err(KeyError::Wrap)
}

/// Opens with an identity. `wrong` says whose it is not.
pub(super) fn open_x25519(
    bytes: &[u8],
    identity: &x25519::Identity,
    path: &Path,
    wrong: impl Fn() -> KeyError,
) -> Result<DataKey, KeyError> {
    open(bytes, identity, path, wrong)
}

/// Opens with a passphrase, unless that would cost more than the limits say.
pub(super) fn open_scrypt(
    bytes: &[u8],
    passphrase: &Passphrase,
    path: &Path,
    limits: &Limits,
    wrong: impl Fn() -> KeyError,
) -> Result<DataKey, KeyError> {
    let mut identity = scrypt::Identity::new(passphrase.secret());
    identity.set_max_work_factor(work_max(limits));
    open(bytes, &identity, path, &wrong).map_err(|error| match error {
        KeyError::Damaged {
            cause: Some(DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed),
            ..
        } => wrong(),
        KeyError::Damaged { cause: Some(DecryptError::ExcessiveWork { required, .. }), path } => {
            KeyError::TooCostly { path, log2: required, log2_max: work_max(limits) }
        }
        error => error,
    })
}

fn open(
    bytes: &[u8],
    identity: &impl age::Identity,
    path: &Path,
    wrong: impl Fn() -> KeyError,
) -> Result<DataKey, KeyError> {
    let damaged = |cause| KeyError::Damaged { path: path.to_path_buf(), cause };
    // One byte more than a key, in one piece: neither more nor a copy is made.
    let mut key = Zeroizing::new([0; 32 + 1]);
    let opened = decryptor(bytes).and_then(|age| age.decrypt(iter::once(identity as _)));
    let mut reader = match opened {
        Ok(reader) => reader,
        Err(DecryptError::NoMatchingKeys) => return Err(wrong()),
        Err(cause) => return Err(damaged(Some(cause))),
    };
    let mut len = 0;
    while len < key.len() {
        match reader.read(&mut key[len..]) {
            Ok(0) => break,
            Ok(read) => len += read,
            Err(cause) => return Err(damaged(Some(DecryptError::Io(cause)))),
        }
    }
    match key.split_first_chunk_mut::<32>() {
        Some((key, _)) if len == 32 => Ok(DataKey::taking(key)),
        _ => Err(damaged(None)),
    }
}

fn decryptor(bytes: &[u8]) -> Result<Decryptor<impl Read>, DecryptError> {
    Decryptor::new_buffered(age::armor::ArmoredReader::new(bytes))
}

/// Looks whether a wrapped key may be whole, without opening it: an age file for a passphrase or
/// an identity, as told, with room for a key.
pub(super) fn examine(bytes: &[u8], path: &Path, with_scrypt: bool) -> Result<(), KeyError> {
    let damaged = |cause| KeyError::Damaged { path: path.to_path_buf(), cause };
    let age = decryptor(bytes).map_err(|cause| damaged(Some(cause)))?;
    let header_end = bytes.windows(5).position(|part| part == b"\n--- ");
    let payload = header_end.and_then(|at| {
        let mac = at + 5;
        let line = bytes[mac..].iter().position(|byte| *byte == b'\n')?;
        Some(bytes.len() - (mac + line + 1))
    });
    // Nonce, key, tag. What is armored says its end itself.
    let short = payload.is_some_and(|len| len != 16 + 32 + 16);
    if short || (with_scrypt && !age.is_scrypt()) {
        return Err(damaged(None));
    }
    Ok(())
}

/// What age takes as a work factor; it panics at others.
fn work(log2: usize) -> u8 {
    u8::try_from(log2).unwrap_or(u8::MAX).clamp(1, 30)
}

fn work_max(limits: &Limits) -> u8 {
    work(limits.passphrase_work_log2_max)
}
