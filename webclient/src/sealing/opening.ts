// Events and posts under a room's known epochs: sealed when sending, opened when they come.
import { concat, equal, Reader, u32 } from '../protocol/bytes';
import { idBytes } from '../protocol/ids';
import type { Account } from './account';
import type { Cards } from './cards';
import { doorIdentity, openDoor } from './door';
import { fingerprintOf, type EpochKeys } from './epoch';
import { openEvent, parseStub, parseWire, sealEvent, type WireHeader } from './event';
import { SealingError, type Random } from './kdf';
import { proofOf, type Known } from './opened_cache';
import type { DevicePost, Opened, OpenedPost, ToSeal } from './requests';
import type { RoomKeys } from './room_keys';

/** The wire of an event of mine, under the epoch in force. */
export function sealWire(
  { id, writer, seq, kind, target, notify, body }: ToSeal,
  epoch: number,
  keys: EpochKeys,
  me: Account,
  random: Random,
): Uint8Array {
  const header: WireHeader = { epoch, id, sender: me.user, writer, kind, seq, target, notify };
  return sealEvent(keys, header, me.identity.seed, body, random);
}

/**
 * What comes of one wire; nothing that a box serves throws. `known` spares opening it once more: what
 * depends on more than its bytes, its epoch and its signer is judged each time.
 */
export async function openWire(
  wire: Uint8Array,
  room: RoomKeys,
  cards: Cards,
  me: Account,
  known: Known,
): Promise<Opened> {
  const stub = readStub(wire);
  if (stub?.kind === 'erased') known.drop(stub.id);
  if (stub !== null) return stub;
  let header: WireHeader;
  try {
    header = parseWire(wire);
  } catch {
    return { kind: 'malformed' };
  }
  const { id, sender, writer, seq, epoch } = header;
  const head = { id, sender, writer, seq, epoch };
  const keys = room.keys(epoch);
  const listing = room.header(epoch);
  if (keys === null || listing === null) return { kind: 'waiting_for_key', ...head };
  const print = fingerprintOf(listing, sender);
  const card = print === null ? null : cards.byPrint(print);
  if (print === null || card === null) return { kind: 'other_key', ...head };
  try {
    const proof = proofOf(keys.kid, print, wire);
    const kept = known.find(id, proof);
    const body = kept ?? (await openEvent(keys, wire, card.ed25519)).body;
    if (kept === null) known.take(id, proof, body);
    const pin = me.pins.get(sender);
    const changedCard = pin?.state === 'changed' && equal(pin.fingerprint, print);
    return {
      kind: 'opened',
      ...head,
      event: header.kind,
      target: header.target,
      body,
      changedCard,
    };
  } catch (error) {
    if (error instanceof SealingError) return { kind: 'other_key', ...head };
    throw error;
  }
}

function readStub(wire: Uint8Array): Opened | null {
  try {
    const stub = parseStub(wire);
    return stub === null ? null : { kind: 'erased', ...stub, epoch: 0 };
  } catch {
    return { kind: 'malformed' };
  }
}

/** The epoch whose door a post opened, u32, before its plaintext. */
const EPOCH = 4;

/** A device's post: the newest door first, then the older ones. */
export async function openPost(
  { device, id, file }: DevicePost,
  room: RoomKeys,
  known: Known,
): Promise<OpenedPost> {
  const made = new Set<number>();
  for (const header of room.headers()) {
    for (const [listed, , epoch] of header.doors) if (listed === device) made.add(epoch);
  }
  const stands = room.head?.header.doors.some(([listed]) => listed === device) === true;
  /** When the next door after that of an epoch was made: no epoch is older than those before it. */
  const renewedAt = (epoch: number): number | null => {
    const next = Math.min(...[...made].filter((one) => one > epoch));
    if (!stands || room.header(next) === null) return null;
    const upTo = room.headers().filter((header) => header.epoch <= next);
    return Math.max(...upTo.map(({ at }) => at));
  };
  const opened = (plaintext: Uint8Array, epoch: number): OpenedPost => ({
    kind: 'opened',
    plaintext,
    renewedAt: renewedAt(epoch),
  });
  const proof = proofOf(idBytes(device), file);
  const kept = known.find(id, proof);
  if (kept !== null) {
    const epoch = new Reader('a kept post', kept).u32();
    if (made.has(epoch) && room.keys(epoch) !== null) return opened(kept.slice(EPOCH), epoch);
  }
  let waiting = made.size === 0;
  for (const epoch of [...made].sort((a, b) => b - a)) {
    const keys = room.keys(epoch);
    if (keys === null) {
      waiting = true;
      continue;
    }
    try {
      const plaintext = await openDoor(doorIdentity(keys.secret, room.room, device), file);
      known.take(id, proof, concat(u32(epoch), plaintext));
      return opened(plaintext, epoch);
    } catch (error) {
      if (!(error instanceof SealingError)) throw error;
    }
  }
  return { kind: waiting ? 'waiting_for_key' : 'other_key' };
}
