// An epoch as it travels: lp(header) ‖ lp(age file) ‖ sig64, and the `key` topic's shorter form.
import { b64u, concat, equal, Reader, utf8 } from '../protocol/bytes';
import * as s from '../protocol/schema';
import { openFile, sealFile, type AgeIdentity, type Recipient } from './agefile';
import {
  checkHeader,
  epochKeys,
  headerJson,
  parseHeader,
  type EpochKeys,
  type Header,
} from './epoch';
import { ctx, lp, SealingError, sha256 } from './kdf';
import { isRefusal } from './refusal';
import { demand, sign, type PublicKey } from './sign';

/** Bytes of a bundle at most. */
const BYTES_MAX = 256 * 1024;
const SECRET_JSON_MAX = 1_024;

/** An epoch with its sealed secret; its signature is not verified by reading it. */
export interface Bundle {
  readonly header: Header;
  /** SHA-256 of the header's bytes. */
  readonly headerHash: Uint8Array;
  readonly bytes: Uint8Array;
  readonly json: Uint8Array;
  readonly ageFile: Uint8Array;
  readonly signature: Uint8Array;
}

const secretJson = s.object({ S: s.bytes(32) });

const signed = (json: Uint8Array, fileHash: Uint8Array): Uint8Array =>
  ctx('hearth/v1/epoch', json, fileHash);

/** Seals an epoch's secret to members and invites, and signs it. */
export async function makeBundle(
  header: Header,
  keys: EpochKeys,
  recipients: readonly Recipient[],
  seed: Uint8Array,
): Promise<Uint8Array> {
  checkHeader(header);
  if (!equal(keys.kid, header.kid)) throw new SealingError('an epoch’s key id is not its secret’s');
  const plaintext = utf8(JSON.stringify({ S: b64u(keys.secret) }));
  const ageFile = await sealFile(recipients, plaintext);
  const json = headerJson(header);
  const bytes = concat(lp(json), lp(ageFile), sign(seed, signed(json, sha256(ageFile))));
  if (bytes.length > BYTES_MAX) throw new SealingError('a bundle is too large');
  return bytes;
}

/** Reads a bundle; its header is consistent in itself. */
export function parseBundle(bytes: Uint8Array): Bundle {
  if (bytes.length > BYTES_MAX) throw new SealingError('a bundle is too large');
  const reader = new Reader('a bundle', bytes);
  const json = reader.part();
  const ageFile = reader.part();
  const signature = reader.take(64);
  reader.end();
  return { header: parseHeader(json), headerHash: sha256(json), bytes, json, ageFile, signature };
}

/** Those of what the box serves that read, and what was wrong with the first that does not. */
export interface Served {
  readonly bundles: readonly Bundle[];
  readonly refusal: Error | null;
}

export function readBundles(served: readonly Uint8Array[]): Served {
  let refusal: Error | null = null;
  const bundles = served.flatMap((bytes) => {
    try {
      return [parseBundle(bytes)];
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refusal ??= error;
      return [];
    }
  });
  return { bundles, refusal };
}

/** Throws unless the owner of this key made it. */
export const verifyBundle = (bundle: Bundle, key: PublicKey): Promise<void> =>
  demand('a bundle', key, signed(bundle.json, sha256(bundle.ageFile)), bundle.signature);

/** The keys of a secret that is said to be this epoch's; its kid must be the header's. */
function keysOf(header: Header, secret: Uint8Array): EpochKeys {
  const keys = epochKeys(header.room, secret);
  if (!equal(keys.kid, header.kid)) throw new SealingError('an epoch’s key id is not its secret’s');
  return keys;
}

/** Opens a bundle's secret. */
export async function openBundle(bundle: Bundle, identity: AgeIdentity): Promise<EpochKeys> {
  const json = await openFile('a bundle', identity, bundle.ageFile, SECRET_JSON_MAX);
  return keysOf(bundle.header, s.parseJsonBytes(secretJson, json).S);
}

/** What stands retained on the room's `key` topic: all of a bundle but its secret. */
export const announcement = (bundle: Bundle): Uint8Array =>
  concat(lp(bundle.json), lp(sha256(bundle.ageFile)), bundle.signature);

/** What a room's `key` topic says; its signature is not verified by reading it. */
export interface Announcement {
  readonly header: Header;
  readonly headerHash: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

export function parseAnnouncement(bytes: Uint8Array): Announcement {
  if (bytes.length > BYTES_MAX) throw new SealingError('a key announcement is too large');
  const reader = new Reader('a key announcement', bytes);
  const json = reader.part();
  const fileHash = reader.part();
  const signature = reader.take(64);
  reader.end();
  if (fileHash.length !== 32) throw new SealingError('a key announcement has a hash of 32 bytes');
  const header = parseHeader(json);
  return { header, headerHash: sha256(json), message: signed(json, fileHash), signature };
}

export const verifyAnnouncement = (of: Announcement, key: PublicKey): Promise<void> =>
  demand('a key announcement', key, of.message, of.signature);
