// An invite: a link whose fragment holds the keys, a blob for the joiner, proofs (sealing.md §6).
import { b64u, fromB64u, utf8 } from '../protocol/bytes';
import { idBytes, parseCode, type Id, type InviteCode } from '../protocol/ids';
import * as s from '../protocol/schema';
import { identityFromScalar, recipientOf, type AgeIdentity, type Recipient } from './agefile';
import { ctx, hkdf, NO_SALT, open, seal, SealingError, sha256, type Random } from './kdf';
import { demand, publicOf, sign, type PublicKey } from './sign';

/** What grows from a link's 32 bytes. */
export interface InviteKeys {
  readonly auth: Uint8Array;
  /** What the box keeps. */
  readonly authHash: Uint8Array;
  readonly wrap: Uint8Array;
  /** Ed25519 seed. */
  readonly seed: Uint8Array;
  readonly signPublic: PublicKey;
  readonly identity: AgeIdentity;
  readonly recipient: Recipient;
}

export function inviteKeys(k: Uint8Array): InviteKeys {
  if (k.length !== 32) throw new SealingError('an invite’s key has 32 bytes');
  const derive = (info: string): Uint8Array => hkdf(k, NO_SALT, `hearth/v1/invite-${info}`);
  const auth = derive('auth');
  const seed = derive('sign');
  const identity = identityFromScalar(derive('age'));
  return {
    auth,
    authHash: sha256(auth),
    wrap: derive('wrap'),
    seed,
    signPublic: publicOf(seed),
    identity,
    recipient: recipientOf(identity),
  };
}

/** `ORIGIN/i/CODE#KEY`. */
export function inviteLink(origin: string, code: InviteCode, k: Uint8Array): string {
  if (!/^https?:\/\/[^/]+$/.test(origin)) {
    throw new SealingError('an invite leads to an http or https address');
  }
  return `${origin}/i/${code}#${b64u(k)}`;
}

/** What a link's bearer is told. */
export interface Blob {
  readonly rooms: readonly {
    readonly room: Id;
    readonly epoch: number;
    readonly headerHash: Uint8Array;
  }[];
  readonly by: Id;
  readonly byFingerprint: Uint8Array;
  readonly caFingerprint: Uint8Array | null;
  readonly expires: number;
  readonly uses: number;
}

const fields = s.object({
  rooms: s.list(s.object({ room: s.id, epoch: s.u32Number, header_hash: s.bytes(32) }), 1_000),
  by: s.id,
  by_fingerprint: s.bytes(32),
  ca_fingerprint: s.optional(s.bytes(32)),
  expires: s.count,
  uses: s.u32Number,
});

const blobAad = (code: InviteCode): Uint8Array => ctx('hearth/v1/invite', utf8(code));

export function sealBlob(
  blob: Blob,
  code: InviteCode,
  wrap: Uint8Array,
  random: Random,
): Uint8Array {
  const json = {
    rooms: blob.rooms.map(({ room, epoch, headerHash }) => ({
      room,
      epoch,
      header_hash: b64u(headerHash),
    })),
    by: blob.by,
    by_fingerprint: b64u(blob.byFingerprint),
    ...(blob.caFingerprint === null ? {} : { ca_fingerprint: b64u(blob.caFingerprint) }),
    expires: blob.expires,
    uses: blob.uses,
  };
  return seal(wrap, utf8(JSON.stringify(json)), blobAad(code), random);
}

export function openBlob(sealed: Uint8Array, code: InviteCode, wrap: Uint8Array): Blob {
  const read = s.parseJsonBytes(fields, open('an invite', wrap, sealed, blobAad(code)));
  return {
    rooms: read.rooms.map(({ room, epoch, header_hash }) => ({
      room,
      epoch,
      headerHash: header_hash,
    })),
    by: read.by,
    byFingerprint: read.by_fingerprint,
    caFingerprint: read.ca_fingerprint,
    expires: read.expires,
    uses: read.uses,
  };
}

/** The code and key of a link's parts. */
export function parseInvite(code: string, key: string): { code: InviteCode; k: Uint8Array } {
  const k = fromB64u(key);
  if (k.length !== 32) throw new SealingError('the invite link is cut off: ask for the whole link');
  return { code: parseCode(code), k };
}

const proofBytes = (code: InviteCode, room: Id, user: Id, print: Uint8Array): Uint8Array =>
  ctx('hearth/v1/join', utf8(code), idBytes(room), idBytes(user), print);

/** A newcomer's proof for one room. */
export const makeJoin = (
  seed: Uint8Array,
  code: InviteCode,
  room: Id,
  user: Id,
  print: Uint8Array,
): Uint8Array => sign(seed, proofBytes(code, room, user, print));

export const verifyJoin = (
  key: PublicKey,
  code: InviteCode,
  room: Id,
  user: Id,
  print: Uint8Array,
  proof: Uint8Array,
): Promise<void> => demand('a join proof', key, proofBytes(code, room, user, print), proof);
