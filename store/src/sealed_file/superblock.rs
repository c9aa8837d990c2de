//! The superblock: whose file it is, and whether the key is its key. Written once.

use std::io;

use super::cipher::{Cipher, NONCE, TAG};
use super::{DATA, OpenError};
use crate::disk::Disk;
use crate::master_key::DataKey;

const MAGIC: &[u8; 8] = b"HEARTHDB";
const VERSION: u16 = 1;
/// magic8 ‖ version u16 ‖ file id16 ‖ nonce24 ‖ tag16: in one sector, so never torn.
const BYTES: usize = 8 + 2 + 16 + NONCE + TAG;
/// The block number that the key check is sealed for: no page has it.
const KEY_CHECK: u64 = u64::MAX;

/// Whether there is no file yet, or a power cut ended its making before the superblock was there.
pub(super) fn is_unfinished(disk: &dyn Disk) -> Result<bool, OpenError> {
    let len = disk.len()?;
    if len > DATA {
        return Ok(false);
    }
    let mut bytes = vec![0; usize::try_from(len.min(4096)).map_err(io::Error::other)?];
    disk.read_at(0, &mut bytes)?;
    Ok(bytes.iter().all(|byte| *byte == 0))
}

/// A new file's superblock and cipher.
pub(super) fn make(key: &DataKey) -> io::Result<([u8; BYTES], Cipher)> {
    let mut file_id = [0; 16];
    getrandom::fill(&mut file_id).map_err(io::Error::other)?;
    let cipher = Cipher::new(key, file_id)?;
    let mut bytes = [0; BYTES];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..10].copy_from_slice(&VERSION.to_be_bytes());
    bytes[10..26].copy_from_slice(&file_id);
    cipher.seal(KEY_CHECK, &mut bytes[26..])?;
    Ok((bytes, cipher))
}

pub(super) fn write(disk: &dyn Disk, bytes: &[u8; BYTES]) -> io::Result<()> {
    disk.write_at(0, bytes)
}

/// The cipher of an existing file, if the key is its key.
pub(super) fn read(disk: &dyn Disk, key: &DataKey) -> Result<Cipher, OpenError> {
    let mut bytes = [0; BYTES];
    let len = disk.len()?;
    if len < BYTES as u64 {
        return Err(OpenError::Foreign);
    }
    disk.read_at(0, &mut bytes)?;
    check_form(&bytes)?;
    if len < DATA {
        return Err(OpenError::Damaged { what: format!("the file ends after {len} bytes") });
    }
    unseal(&mut bytes, key)
}

/// Whether a file, of which only the beginning is read, says that the key is another one's. One
/// that says nothing of the kind (empty, foreign, newer) is judged when it is opened.
pub(super) fn refuses(file: &mut impl io::Read, key: &DataKey) -> bool {
    let mut bytes = [0; BYTES];
    file.read_exact(&mut bytes).is_ok()
        && check_form(&bytes).is_ok()
        && matches!(unseal(&mut bytes, key), Err(OpenError::WrongKey))
}

fn check_form(bytes: &[u8; BYTES]) -> Result<(), OpenError> {
    if &bytes[..8] != MAGIC {
        return Err(OpenError::Foreign);
    }
    match u16::from_be_bytes([bytes[8], bytes[9]]) {
        VERSION => Ok(()),
        version => Err(OpenError::Newer(version)),
    }
}

fn unseal(bytes: &mut [u8; BYTES], key: &DataKey) -> Result<Cipher, OpenError> {
    let mut file_id = [0; 16];
    file_id.copy_from_slice(&bytes[10..26]);
    let cipher = Cipher::new(key, file_id)?;
    match cipher.open(KEY_CHECK, &mut bytes[26..]) {
        Ok(_) => Ok(cipher),
        Err(_forged) => Err(OpenError::WrongKey),
    }
}
