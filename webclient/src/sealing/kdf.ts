// Building blocks: lp, ctx, HKDF, XChaCha20-Poly1305, SHA-256. Mirrors protocol/src/sealing/kdf.rs.
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { hkdf as expand } from '@noble/hashes/hkdf.js';
import { sha256 as digest } from '@noble/hashes/sha2.js';
import { concat, u32, utf8 } from '../protocol/bytes';

/** Something sealed that was not taken, or could not be made: what and why. */
export class SealingError extends Error {
  override readonly name = 'SealingError';
}

/** A source of random bytes. */
export type Random = (length: number) => Uint8Array;

export const NONCE = 24;
export const TAG = 16;

/** u32 big-endian length ‖ bytes. */
export const lp = (bytes: Uint8Array): Uint8Array => concat(u32(bytes.length), bytes);

/** lp(tag) ‖ lp(part) ‖ … */
export function ctx(tag: string, ...parts: Uint8Array[]): Uint8Array {
  const all = [utf8(tag), ...parts];
  const out = new Uint8Array(all.reduce((sum, part) => sum + 4 + part.length, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const part of all) {
    view.setUint32(at, part.length);
    out.set(part, at + 4);
    at += 4 + part.length;
  }
  return out;
}

/** HKDF-SHA-256 (RFC 5869) to 32 bytes; `info` is a tag or the bytes of a ctx. */
export function hkdf(ikm: Uint8Array, salt: Uint8Array, info: string | Uint8Array): Uint8Array {
  return expand(digest, ikm, salt, typeof info === 'string' ? utf8(info) : info, 32);
}

export const NO_SALT = new Uint8Array(0);

export const sha256 = (bytes: Uint8Array): Uint8Array => digest(bytes);

/** nonce24 ‖ XChaCha20-Poly1305 ciphertext ‖ tag16. */
export function seal(
  key: Uint8Array,
  message: Uint8Array,
  aad: Uint8Array,
  random: Random,
): Uint8Array {
  const nonce = random(NONCE);
  return concat(nonce, xchacha20poly1305(key, nonce, aad).encrypt(message));
}

/** Opens what `seal` made. `what` names it in the error. */
export function open(
  what: string,
  key: Uint8Array,
  sealed: Uint8Array,
  aad: Uint8Array,
): Uint8Array {
  if (sealed.length < NONCE + TAG) throw new SealingError(`${what} ends too early`);
  try {
    return xchacha20poly1305(key, sealed.subarray(0, NONCE), aad).decrypt(sealed.subarray(NONCE));
  } catch (cause) {
    throw new SealingError(`${what} does not open: sealed with another key, or altered`, { cause });
  }
}
