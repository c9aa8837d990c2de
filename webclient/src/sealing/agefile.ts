// age: X25519 recipients and identities, and files sealed to them (age-encryption.org/v1).
import { x25519 } from '@noble/curves/ed25519.js';
import { bech32 } from '@scure/base';
import { armor, Decrypter, Encrypter } from 'age-encryption';
import { fromUtf8, utf8 } from '../protocol/bytes';
import { SealingError } from './kdf';
import { ensureSubtle } from './subtle';

ensureSubtle();

declare const recipientBrand: unique symbol;

/** `age1…` in lower case, of full order. */
export type Recipient = string & { readonly [recipientBrand]: true };

const known = new Map<string, Uint8Array>();
const KNOWN_MAX = 4_096;

function decode(prefix: string, text: string): Uint8Array | null {
  if (text.length > 90) return null;
  const found = bech32.decodeUnsafe(text);
  if (found === undefined || found.prefix.toLowerCase() !== prefix) return null;
  const bytes = bech32.fromWordsUnsafe(found.words);
  return bytes?.length === 32 ? bytes : null;
}

function isRecipient(text: string): text is Recipient {
  if (known.has(text)) return true;
  const key = text.startsWith('age1') && text === text.toLowerCase() ? decode('age', text) : null;
  if (key === null) return false;
  try {
    // Throws for keys of small order: the shared secret would be zero.
    x25519.getSharedSecret(new Uint8Array(32).fill(0x42), key);
  } catch {
    return false;
  }
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(text, key);
  return true;
}

/** The recipient in a text; keys of small order are refused. */
export function recipient(text: string): Recipient {
  if (!isRecipient(text)) throw new SealingError('not an age recipient, or one of small order');
  return text;
}

/** The recipient of an X25519 public key. */
export const recipientFromBytes = (key: Uint8Array): Recipient =>
  recipient(bech32.encodeFromBytes('age', key));

/** The raw 32 bytes, as they stand inside a ctx. */
export function recipientBytes(of: Recipient): Uint8Array {
  const bytes = known.get(of) ?? decode('age', of);
  if (bytes === null) throw new SealingError('not an age recipient');
  return bytes;
}

declare const identityBrand: unique symbol;

/** `AGE-SECRET-KEY-1…`. */
export type AgeIdentity = string & { readonly [identityBrand]: true };

function isIdentity(text: string): text is AgeIdentity {
  return text.startsWith('AGE-SECRET-KEY-1') && decode('age-secret-key-', text) !== null;
}

/** The identity in a text, such as a typed recovery sheet. */
export function ageIdentity(text: string): AgeIdentity {
  const trimmed = text.trim();
  if (!isIdentity(trimmed)) {
    throw new SealingError('not an age identity (AGE-SECRET-KEY-1…), or mistyped');
  }
  return trimmed;
}

/** The identity of an X25519 scalar, taken as it is (X25519 clamps). */
export const identityFromScalar = (scalar: Uint8Array): AgeIdentity =>
  ageIdentity(bech32.encodeFromBytes('AGE-SECRET-KEY-', scalar).toUpperCase());

/** The recipient of an identity. */
export function recipientOf(identity: AgeIdentity): Recipient {
  const scalar = decode('age-secret-key-', identity);
  if (scalar === null) throw new SealingError('not an age identity');
  return recipientFromBytes(x25519.getPublicKey(scalar));
}

/** A raw age file for these recipients. The age library draws its own randomness. */
export async function sealFile(
  recipients: readonly Recipient[],
  plaintext: Uint8Array,
): Promise<Uint8Array> {
  if (recipients.length === 0) throw new SealingError('an age file needs a recipient');
  const encrypter = new Encrypter();
  for (const one of recipients) encrypter.addRecipient(one);
  return encrypter.encrypt(plaintext);
}

/** The same for a file that comes in pieces. */
export async function sealStream(
  to: Recipient,
  plaintext: ReadableStream<Uint8Array>,
): Promise<ReadableStream<Uint8Array>> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(to);
  return encrypter.encrypt(plaintext);
}

/** The plaintext of a binary age file that comes in pieces; a damaged one breaks the stream off. */
export async function openStream(
  identity: AgeIdentity,
  file: ReadableStream<Uint8Array>,
): Promise<ReadableStream<Uint8Array>> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return decrypter.decrypt(file);
}

const ARMOR = '-----BEGIN AGE ENCRYPTED FILE-----';

/** The raw file in a raw or armored one; white space before the armor is allowed, as age does. */
function unarmored(what: string, file: Uint8Array): Uint8Array {
  let start = 0;
  while (start < file.length && [0x20, 0x09, 0x0a, 0x0d].includes(file[start] ?? 0)) start++;
  const head = file.subarray(start, start + ARMOR.length);
  if (head.length < ARMOR.length || utf8(ARMOR).some((byte, at) => byte !== head[at])) return file;
  try {
    return armor.decode(fromUtf8(file.subarray(start)));
  } catch (cause) {
    throw new SealingError(`the armor of ${what} is damaged`, { cause });
  }
}

/** Whether the line that ends the header stands within the first bytes. */
function endsWithin(raw: Uint8Array, bytes: number): boolean {
  return new TextDecoder('latin1').decode(raw.subarray(0, bytes)).includes('\n---');
}

/**
 * Opens a raw or armored age file with an X25519 identity; at most `max` bytes may come out. Each
 * recipient that its header names costs an agreement of keys: above `headerMax` bytes none is tried.
 */
export async function openFile(
  what: string,
  identity: AgeIdentity,
  file: Uint8Array,
  max: number,
  headerMax = file.length,
): Promise<Uint8Array> {
  const raw = unarmored(what, file);
  if (!endsWithin(raw, headerMax)) throw new SealingError(`the header of ${what} is too long`);
  // The overhead of age over its plaintext is bounded by its stanzas; bigger files are not tried.
  if (raw.length > max + 512 * 1024) throw new SealingError(`${what} is too large`);
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  let plaintext: Uint8Array;
  try {
    plaintext = await decrypter.decrypt(raw);
  } catch (cause) {
    throw new SealingError(`${what} is no age file for this key`, { cause });
  }
  if (plaintext.length > max) {
    throw new SealingError(`${what} has ${plaintext.length} bytes, at most ${max} are taken`);
  }
  return plaintext;
}
