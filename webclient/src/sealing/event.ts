// A person's event on the wire: header in clear, signature and body under the epoch's key (§4).
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { concat, Reader, u32, u64 } from '../protocol/bytes';
import { EVENT_BYTES_MAX } from '../protocol/event';
import { idBytes, idFromBytes, type Id } from '../protocol/ids';
import type { EpochKeys } from './epoch';
import { ctx, NONCE, open, SealingError, TAG, type Random } from './kdf';
import { pad } from './padding';
import { demand, sign, verify, type PublicKey } from './sign';

const VERSION = 1;
const SIGNATURE = 64;

/** content, tombstone, live (never stored), content with hints whom to notify. */
export type Kind = 1 | 2 | 3 | 4;

/** What stands in clear before an event. */
export interface WireHeader {
  readonly epoch: number;
  readonly id: Id;
  readonly sender: Id;
  readonly writer: number;
  readonly kind: Kind;
  readonly seq: number;
  /** Kind 2: the erased event. */
  readonly target: Id | null;
  /** Kind 4: whom to notify. */
  readonly notify: readonly Id[];
}

function kindOf(byte: number): Kind {
  if (byte === 1 || byte === 2 || byte === 3 || byte === 4) return byte;
  throw new SealingError(`the event is malformed: kind ${byte} is not known`);
}

function check(header: WireHeader): void {
  const rule = (holds: boolean, broken: string): void => {
    if (!holds) throw new SealingError(`the event is malformed: ${broken}`);
  };
  rule(header.epoch > 0, 'epochs are counted from 1');
  rule((header.seq === 0) === (header.kind === 3), 'only live events are not counted');
  rule((header.target !== null) === (header.kind === 2), 'a tombstone names its target');
  rule(header.notify.length > 0 === (header.kind === 4), 'hints name somebody');
  rule(header.notify.length <= 255, 'hints name at most 255 people');
}

function extraOf(header: WireHeader): Uint8Array {
  if (header.target !== null) return idBytes(header.target);
  if (header.notify.length === 0) return new Uint8Array(0);
  return concat(Uint8Array.of(header.notify.length), ...header.notify.map(idBytes));
}

function encode(header: WireHeader): Uint8Array {
  const { epoch, id, sender, writer, kind, seq } = header;
  return concat(
    Uint8Array.of(VERSION),
    u32(epoch),
    idBytes(id),
    idBytes(sender),
    u32(writer),
    Uint8Array.of(kind),
    u64(seq),
    extraOf(header),
  );
}

function readHeader(reader: Reader): WireHeader {
  if (reader.u8() !== VERSION) throw new SealingError('an event of a format not known here');
  const epoch = reader.u32();
  const id = idFromBytes(reader.take(16));
  const sender = idFromBytes(reader.take(16));
  const writer = reader.u32();
  const kind = kindOf(reader.u8());
  const seq = reader.u64();
  const target = kind === 2 ? idFromBytes(reader.take(16)) : null;
  const count = kind === 4 ? reader.u8() : 0;
  const notify = Array.from({ length: count }, () => idFromBytes(reader.take(16)));
  const header: WireHeader = { epoch, id, sender, writer, kind, seq, target, notify };
  check(header);
  return header;
}

function split(wire: Uint8Array): { header: WireHeader; sealed: Uint8Array } {
  if (wire.length > EVENT_BYTES_MAX) throw new SealingError('an event is too large');
  const reader = new Reader('an event', wire);
  const header = readHeader(reader);
  const sealed = reader.rest();
  if (sealed.length < NONCE + TAG + SIGNATURE + 1)
    throw new SealingError('an event ends too early');
  return { header, sealed };
}

/** Reads what stands in clear. */
export const parseWire = (wire: Uint8Array): WireHeader => split(wire).header;

/** What an erased event leaves: its 50 bytes of header. Null if it is none. */
export function parseStub(
  bytes: Uint8Array,
): { writer: number; seq: number; sender: Id; id: Id } | null {
  if (bytes.length !== 50 || bytes[0] !== VERSION) return null;
  const reader = new Reader('a stub', bytes);
  reader.take(5);
  const id = idFromBytes(reader.take(16));
  const sender = idFromBytes(reader.take(16));
  const writer = reader.u32();
  reader.take(1);
  return { id, sender, writer, seq: reader.u64() };
}

function aadOf(room: Id, kid: Uint8Array, header: WireHeader): Uint8Array {
  const { epoch, id, sender, writer, kind, seq } = header;
  return ctx(
    'hearth/v1/event',
    idBytes(room),
    u32(epoch),
    kid,
    idBytes(id),
    idBytes(sender),
    u32(writer),
    Uint8Array.of(kind),
    u64(seq),
    extraOf(header),
  );
}

const signedBytes = (aad: Uint8Array, body: Uint8Array): Uint8Array =>
  ctx('hearth/v1/event-sig', aad, body);

/** Pads, signs and seals a body. */
export function sealEvent(
  keys: EpochKeys,
  header: WireHeader,
  seed: Uint8Array,
  body: Uint8Array,
  random: Random,
): Uint8Array {
  check(header);
  const aad = aadOf(keys.room, keys.kid, header);
  const padded = pad(body);
  const signature = sign(seed, signedBytes(aad, padded));
  const nonce = random(NONCE);
  const sealed = xchacha20poly1305(keys.key, nonce, aad).encrypt(concat(signature, padded));
  const wire = concat(encode(header), nonce, sealed);
  if (wire.length > EVENT_BYTES_MAX) throw new SealingError('the message is too long to be sealed');
  return wire;
}

/** An event that opened and whose signature holds; the body is still padded. */
export interface OpenedEvent {
  readonly header: WireHeader;
  readonly body: Uint8Array;
  /** By whom the epoch lists, over the header, the room, the epoch's kid and the body. */
  readonly signature: Uint8Array;
}

/** Opens a wire under its epoch's keys and verifies it with the key that the epoch lists. */
export async function openEvent(
  keys: EpochKeys,
  wire: Uint8Array,
  key: PublicKey,
): Promise<OpenedEvent> {
  const { header, sealed } = split(wire);
  const aad = aadOf(keys.room, keys.kid, header);
  const plaintext = open('an event', keys.key, sealed, aad);
  const [signature, body] = [plaintext.slice(0, SIGNATURE), plaintext.slice(SIGNATURE)];
  await demand('an event', key, signedBytes(aad, body), signature);
  return { header, body, signature };
}

/** What shows to others who wrote an event, without the key that opens it or what lies beside it. */
export interface SignedEvent {
  /** What stands in clear before it. */
  readonly head: Uint8Array;
  readonly kid: Uint8Array;
  /** Padded, as it was signed. */
  readonly body: Uint8Array;
  readonly signature: Uint8Array;
}

/** An opened event as others can judge it. */
export const signedEvent = (
  { kid }: EpochKeys,
  { header, body, signature }: OpenedEvent,
): SignedEvent => ({ head: encode(header), kid, body, signature });

/** Its header; null where its signature is not by this key. */
export async function verifySigned(
  room: Id,
  { head, kid, body, signature }: SignedEvent,
  key: PublicKey,
): Promise<WireHeader | null> {
  const reader = new Reader('the head of an event', head);
  const header = readHeader(reader);
  reader.end();
  const signed = signedBytes(aadOf(room, kid, header), body);
  return (await verify(key, signed, signature)) ? header : null;
}
