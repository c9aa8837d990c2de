// Pairing a new browser: X25519, six digits, root and a login sealed across (sealing.md §2).
import { x25519 } from '@noble/curves/ed25519.js';
import { base32nopad } from '@scure/base';
import { b64u, concat, equal, utf8 } from '../protocol/bytes';
import * as s from '../protocol/schema';
import { ctx, hkdf, NO_SALT, open, seal, SealingError, sha256, type Random } from './kdf';
import type { BegunPairing, PairingOffer, TypedPairing } from './requests';

const CHANNEL = 16;
const KEY = 32;
/** How much of the key's hash the typed form carries, bytes. */
const PRINT = 10;

interface Agreed {
  readonly key: Uint8Array;
  readonly channel: Uint8Array;
}

interface Begun {
  readonly secret: Uint8Array;
  readonly offer: PairingOffer;
}

const handed = s.object({ root: s.bytes(32), refresh: s.text });

const aadOf = (channel: Uint8Array): Uint8Array => ctx('hearth/v1/pair', channel);

/** Root and the refresh secret of what was handed over in a channel. */
export const openHanded = (key: Uint8Array, channel: Uint8Array, sealed: Uint8Array) =>
  s.parseJsonBytes(handed, open('the pairing', key, sealed, aadOf(channel)));

/** The key of a pairing; an all-zero shared secret is refused. */
export function agree(
  secret: Uint8Array,
  theirs: Uint8Array,
  { channel, key: keyNew }: PairingOffer,
  keyOld: Uint8Array,
): Uint8Array {
  if (channel.length !== CHANNEL || keyNew.length !== KEY || keyOld.length !== KEY) {
    throw new SealingError('not a pairing: a channel has 16 bytes, a key 32');
  }
  let shared: Uint8Array;
  try {
    shared = x25519.getSharedSecret(secret, theirs);
  } catch (cause) {
    throw new SealingError('the other side of the pairing sent no usable key', { cause });
  }
  if (shared.every((byte) => byte === 0)) {
    throw new SealingError('the other side of the pairing sent no usable key');
  }
  return hkdf(shared, sha256(concat(channel, keyNew, keyOld)), 'hearth/v1/pair');
}

/** The six digits that both sides show. */
export function digitsOf(key: Uint8Array): string {
  const first = hkdf(key, NO_SALT, 'hearth/v1/pair-sas').subarray(0, 8);
  const number = first.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  return String(number % 1_000_000n).padStart(6, '0');
}

const printOf = (key: Uint8Array): Uint8Array => sha256(key).subarray(0, PRINT);

/** Refuses another key than the one whose hash was typed. */
export function checkPrint(key: Uint8Array, print: Uint8Array): void {
  if (key.length !== KEY || !equal(printOf(key), print)) {
    throw new SealingError('the key of the new browser is not the one that was typed');
  }
}

/** The typed form: channel ‖ first 10 bytes of SHA-256(key), base32. */
export const typedForm = ({ channel, key }: PairingOffer): string =>
  base32nopad.encode(concat(channel, printOf(key)));

/** The parts of a typed form; capitals, spaces and hyphens do not count. Null: mistyped. */
export function parseTyped(text: string): TypedPairing | null {
  const letters = text.toUpperCase().replace(/[\s-]/g, '');
  if (!/^[A-Z2-7]{42}$/.test(letters)) return null;
  try {
    const bytes = base32nopad.decode(letters);
    return { channel: bytes.subarray(0, CHANNEL), print: bytes.subarray(CHANNEL) };
  } catch {
    return null;
  }
}

/** One side of one pairing at a time; lives in the worker. */
export class Pairing {
  readonly #random: Random;
  #begun: Begun | null = null;
  #agreed: Agreed | null = null;
  #root: Uint8Array | null = null;

  constructor(random: Random) {
    this.#random = random;
  }

  end(): void {
    this.#begun = null;
    this.#agreed = null;
    this.#root = null;
  }

  begin(): BegunPairing {
    this.end();
    const secret = this.#random(KEY);
    const offer = { channel: this.#random(CHANNEL), key: x25519.getPublicKey(secret) };
    this.#begun = { secret, offer };
    return { ...offer, typed: typedForm(offer) };
  }

  #agree(key: Uint8Array, { channel }: PairingOffer): string {
    this.#agreed = { key, channel };
    return digitsOf(key);
  }

  answer(offer: PairingOffer, print: Uint8Array | null): { key: Uint8Array; digits: string } {
    this.end();
    if (print !== null) checkPrint(offer.key, print);
    const secret = this.#random(KEY);
    const own = x25519.getPublicKey(secret);
    return { key: own, digits: this.#agree(agree(secret, offer.key, offer, own), offer) };
  }

  meet(keyOld: Uint8Array): string {
    const begun = this.#begun;
    if (begun === null) throw new SealingError('no pairing was begun here');
    // One answer is taken: another one later would be another's.
    this.#begun = null;
    return this.#agree(agree(begun.secret, keyOld, begun.offer, keyOld), begun.offer);
  }

  #key(): Agreed {
    if (this.#agreed === null) throw new SealingError('the two browsers have not met yet');
    return this.#agreed;
  }

  give(root: Uint8Array, refresh: string): Uint8Array {
    const { key, channel } = this.#key();
    this.end();
    const given = utf8(JSON.stringify({ root: b64u(root), refresh }));
    return seal(key, given, aadOf(channel), this.#random);
  }

  take(sealed: Uint8Array): string {
    const { key, channel } = this.#key();
    const { root, refresh } = openHanded(key, channel, sealed);
    this.#agreed = null;
    this.#root = root;
    return refresh;
  }

  root(): Uint8Array {
    if (this.#root === null) throw new SealingError('nothing was handed over yet');
    return this.#root;
  }
}
