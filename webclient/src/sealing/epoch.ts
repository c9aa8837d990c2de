// A room's epoch: its secret, the keys it gives, and its header (sealing.md §3).
import { b64u, hex, u32, utf8 } from '../protocol/bytes';
import { idBytes, type Id, type InviteCode } from '../protocol/ids';
import * as s from '../protocol/schema';
import { recipient, type Recipient } from './agefile';
import { ctx, hkdf, open, seal, SealingError, type Random } from './kdf';
import { publicKey, type PublicKey } from './sign';

/** What an epoch's secret gives. Never leaves the worker. */
export interface EpochKeys {
  readonly room: Id;
  readonly secret: Uint8Array;
  /** K: seals events. */
  readonly key: Uint8Array;
  /** K's name, 16 bytes. */
  readonly kid: Uint8Array;
}

/** The keys of a secret in a room. */
export function epochKeys(room: Id, secret: Uint8Array): EpochKeys {
  if (secret.length !== 32) throw new SealingError('an epoch’s secret has 32 bytes');
  const key = hkdf(secret, idBytes(room), 'hearth/v1/epoch-aead');
  const kid = hkdf(secret, idBytes(room), 'hearth/v1/epoch-id').slice(0, 16);
  return { room, secret, key, kid };
}

const backKey = (keys: EpochKeys): Uint8Array =>
  hkdf(keys.secret, idBytes(keys.room), 'hearth/v1/back');
const backAad = (room: Id, epoch: number): Uint8Array =>
  ctx('hearth/v1/back', idBytes(room), u32(epoch));

/** Seals the secret of the epoch before this one, whose number is `epoch`. */
export const sealBack = (
  keys: EpochKeys,
  epoch: number,
  before: Uint8Array,
  random: Random,
): Uint8Array => seal(backKey(keys), before, backAad(keys.room, epoch), random);

/** Opens the secret of the epoch before this one, whose number is `epoch`. */
export const openBack = (keys: EpochKeys, epoch: number, back: Uint8Array): Uint8Array =>
  open('the secret of the epoch before', backKey(keys), back, backAad(keys.room, epoch));

/** The room's rules, which its members vouch for. */
export interface Rules {
  readonly type: 'public' | 'private' | 'direct';
  readonly history: 'all' | 'since_join';
  readonly hints: boolean;
}

/** Somebody who is new in this very epoch, with the proof of an invite. */
export interface Join {
  readonly user: Id;
  readonly code: InviteCode;
  readonly proof: Uint8Array;
}

/** An invite that stands in this epoch. */
export interface Invited {
  readonly code: InviteCode;
  readonly by: Id;
  readonly signPublic: PublicKey;
  readonly recipient: Recipient;
  readonly expires: number;
  readonly uses: number;
}

export type Listed = readonly [user: Id, fingerprint: Uint8Array];
export type Door = readonly [device: Id, recipient: Recipient, madeIn: number];

/** What an epoch says about the room. */
export interface Header {
  readonly room: Id;
  readonly epoch: number;
  readonly kid: Uint8Array;
  readonly prev: Uint8Array;
  readonly rules: Rules;
  readonly members: readonly Listed[];
  readonly joins: readonly Join[];
  readonly doors: readonly Door[];
  readonly invites: readonly Invited[];
  readonly back: Uint8Array | null;
  readonly by: Id;
  readonly at: number;
  /** `created`, `added`, `joined`, `left`, `removed`, `card`, `device`, `invite`, `rules`, `due`. */
  readonly reason: string;
}

/** ms after which a new epoch is made although nothing changed: 30 days. */
export const EPOCH_MS_MAX = 30 * 24 * 3_600_000;

/** When the next epoch is due by itself: by this one's age, or as an invite of it has expired. */
export const dueAt = ({ at, invites }: Header): number =>
  Math.min(at + EPOCH_MS_MAX, ...invites.map(({ expires }) => expires));

export const ZERO_HASH = new Uint8Array(32);

const recipientField: s.Parser<Recipient> = (value, path) => recipient(s.text(value, path));
const keyField: s.Parser<PublicKey> = (value, path) => publicKey(s.bytes(32)(value, path));

const fields = s.object({
  room: s.id,
  epoch: s.u32Number,
  kid: s.bytes(16),
  prev: s.bytes(32),
  rules: s.object({
    type: s.oneOf('public', 'private', 'direct'),
    history: s.oneOf('all', 'since_join'),
    hints: s.flag,
  }),
  members: s.list(s.pair(s.id, s.bytes(32))),
  joins: s.list(s.object({ user: s.id, code: s.code, proof: s.bytes(64) })),
  doors: s.list(s.triple(s.id, recipientField, s.u32Number)),
  invites: s.list(
    s.object({
      code: s.code,
      by: s.id,
      sign_public: keyField,
      recipient: recipientField,
      expires: s.count,
      uses: s.u32Number,
    }),
  ),
  back: s.optional(s.bytes()),
  by: s.id,
  at: s.count,
  reason: s.text,
});

const unique = (names: readonly string[]): boolean => new Set(names).size === names.length;

/** What every header must hold, whoever made it. */
export function checkHeader(header: Header): void {
  const rule = (holds: boolean, broken: string): void => {
    if (!holds) throw new SealingError(`the epoch is malformed: ${broken}`);
  };
  const { epoch } = header;
  rule(epoch > 0, 'epochs are counted from 1');
  rule(fingerprintOf(header, header.by) !== null, 'its maker is not among its members');
  rule(unique(header.members.map(([user]) => user)), 'a member is listed twice');
  rule(unique(header.doors.map(([device]) => device)), 'a device is listed twice');
  rule(unique(header.invites.map((invite) => invite.code)), 'an invite is listed twice');
  rule(unique(header.joins.map((join) => join.user)), 'somebody joins twice');
  rule(
    header.doors.every(([, , made]) => made >= 1 && made <= epoch),
    'a door of an epoch not yet made',
  );
  rule(
    header.invites.every((invite) => invite.uses > 0),
    'a used up invite is listed',
  );
  rule(/^[a-z_]{1,32}$/.test(header.reason), 'its reason is not a word of a-z and _');
  rule(epoch > 1 || hex(header.prev) === hex(ZERO_HASH), 'epoch 1 has no predecessor');
  rule(epoch > 1 || header.joins.length === 0, 'nobody joins in epoch 1');
  const back = epoch > 1 && header.rules.history === 'all';
  rule((header.back !== null) === back, 'its way back is not what its rules say');
}

/** Reads a header from its bytes; it is consistent in itself. */
export function parseHeader(json: Uint8Array): Header {
  const { invites, ...rest } = s.parseJsonBytes(fields, json);
  const header: Header = {
    ...rest,
    invites: invites.map(({ sign_public, ...invite }) => ({ ...invite, signPublic: sign_public })),
  };
  checkHeader(header);
  return header;
}

/** The bytes of a header: what is signed and hashed. */
export function headerJson(header: Header): Uint8Array {
  const { room, epoch, rules, by, at, reason } = header;
  return utf8(
    JSON.stringify({
      room,
      epoch,
      kid: b64u(header.kid),
      prev: b64u(header.prev),
      rules,
      members: header.members.map(([user, print]) => [user, b64u(print)]),
      joins: header.joins.map(({ user, code, proof }) => ({ user, code, proof: b64u(proof) })),
      doors: header.doors,
      invites: header.invites.map(({ signPublic, ...invite }) => ({
        ...invite,
        sign_public: b64u(signPublic),
      })),
      ...(header.back === null ? {} : { back: b64u(header.back) }),
      by,
      at,
      reason,
    }),
  );
}

/** The fingerprint listed for a person. */
export function fingerprintOf(header: Header, user: Id): Uint8Array | null {
  return header.members.find(([listed]) => listed === user)?.[1] ?? null;
}

/** An invite that stands. */
export function inviteOf(header: Header, code: InviteCode): Invited | null {
  return header.invites.find((invite) => invite.code === code) ?? null;
}
