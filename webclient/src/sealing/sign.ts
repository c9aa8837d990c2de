// Ed25519, strict: canonical S, canonical keys of full order, no small-order R; WebCrypto when there.
import { ed25519, ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concat, equal, hex } from '../protocol/bytes';
import { SealingError } from './kdf';

const SMALL_ORDER = new Set(ED25519_TORSION_SUBGROUP);
const ORDER = ed25519.Point.Fn.ORDER;

declare const keyBrand: unique symbol;

/** 32 bytes that are a canonical Ed25519 key and not of small order. */
export type PublicKey = Uint8Array & { readonly [keyBrand]: true };

/** Checked keys, since the check costs a square root; bounded. */
const checked = new Set<string>();
const CHECKED_MAX = 4_096;

function isStrong(key: Uint8Array): key is PublicKey {
  const name = hex(key);
  if (checked.has(name)) return true;
  try {
    if (key.length !== 32 || ed25519.Point.fromBytes(key).isSmallOrder()) return false;
  } catch {
    return false;
  }
  if (checked.size >= CHECKED_MAX) checked.clear();
  checked.add(name);
  return true;
}

/** The key of these 32 bytes; weak and non-canonical ones are refused. */
export function publicKey(key: Uint8Array): PublicKey {
  if (!isStrong(key)) throw new SealingError('an Ed25519 key is weak or not canonical');
  return key;
}

/** The key that verifies what a seed (RFC 8032) signs. */
export const publicOf = (seed: Uint8Array): PublicKey => publicKey(ed25519.getPublicKey(seed));

export const sign = (seed: Uint8Array, message: Uint8Array): Uint8Array =>
  ed25519.sign(message, seed);

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${hex(bytes.slice().reverse())}`);
}

/** What is checked before any curve arithmetic, the same for every implementation underneath. */
function isWellFormed(signature: Uint8Array): boolean {
  if (signature.length !== 64) return false;
  const smallR = SMALL_ORDER.has(hex(signature.subarray(0, 32)));
  // The order is a little above 2^252: most numbers are told by their highest byte.
  const top = signature[63] ?? 0;
  return !smallR && (top < 0x10 || littleEndian(signature.subarray(32)) < ORDER);
}

/** The cofactorless equation of RFC 8032 §5.1.7: R is compared as bytes. */
export function verifyNoble(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (!isWellFormed(signature)) return false;
  const r = signature.subarray(0, 32);
  const s = littleEndian(signature.subarray(32));
  const k = littleEndian(sha512(concat(r, key, message))) % ORDER;
  const { BASE, ZERO } = ed25519.Point;
  const sb = s === 0n ? ZERO : BASE.multiplyUnsafe(s);
  const ka = k === 0n ? ZERO : ed25519.Point.fromBytes(key).multiplyUnsafe(k);
  return equal(sb.subtract(ka).toBytes(), r);
}

const imported = new Map<string, Promise<CryptoKey>>();

function importKey(subtle: SubtleCrypto, key: PublicKey): Promise<CryptoKey> {
  const name = hex(key);
  const found = imported.get(name);
  if (found !== undefined) return found;
  const made = subtle.importKey('raw', new Uint8Array(key), 'Ed25519', false, ['verify']);
  if (imported.size >= CHECKED_MAX) imported.clear();
  imported.set(name, made);
  return made;
}

/** Null: WebCrypto or its Ed25519 is missing here. */
export async function verifyWebCrypto(
  key: PublicKey,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean | null> {
  if (!isWellFormed(signature)) return false;
  // Missing outside secure contexts, whatever the types say.
  const subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle;
  if (subtle === undefined) return null;
  let native: CryptoKey;
  try {
    native = await importKey(subtle, key);
  } catch {
    return null;
  }
  return subtle.verify('Ed25519', native, new Uint8Array(signature), new Uint8Array(message));
}

/** Verifies strictly. */
export async function verify(
  key: PublicKey,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  return (await verifyWebCrypto(key, message, signature)) ?? verifyNoble(key, message, signature);
}

/** Throws where `verify` says no; `what` was signed. */
export async function demand(
  what: string,
  key: PublicKey,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<void> {
  if (!(await verify(key, message, signature))) {
    throw new SealingError(`the signature of ${what} does not verify`);
  }
}
