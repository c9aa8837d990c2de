// Events and posts under a room's known epochs: sealed when sending, opened when they come.
import { equal } from '../protocol/bytes';
import type { Id } from '../protocol/ids';
import type { Account } from './account';
import type { Cards } from './cards';
import { doorIdentity, openDoor } from './door';
import { fingerprintOf, type EpochKeys } from './epoch';
import { openEvent, parseStub, parseWire, sealEvent, type WireHeader } from './event';
import { SealingError, type Random } from './kdf';
import type { Opened, OpenedPost, ToSeal } from './requests';
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

/** What comes of one stored wire; nothing that a box serves throws. */
export async function openWire(
  wire: Uint8Array,
  room: RoomKeys,
  cards: Cards,
  me: Account,
): Promise<Opened> {
  const stub = readStub(wire);
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
    const { body } = await openEvent(keys, wire, card.ed25519);
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

/** A device's post: the newest door first, then the older ones. */
export async function openPost(device: Id, file: Uint8Array, room: RoomKeys): Promise<OpenedPost> {
  const made = new Set<number>();
  for (const header of room.headers()) {
    for (const [listed, , epoch] of header.doors) if (listed === device) made.add(epoch);
  }
  const newest = room.head?.header.doors.find(([listed]) => listed === device)?.[2] ?? null;
  let waiting = made.size === 0;
  for (const epoch of [...made].sort((a, b) => b - a)) {
    const keys = room.keys(epoch);
    if (keys === null) {
      waiting = true;
      continue;
    }
    try {
      const plaintext = await openDoor(doorIdentity(keys.secret, room.room, device), file);
      return { kind: 'opened', plaintext, oldKey: epoch !== newest };
    } catch (error) {
      if (!(error instanceof SealingError)) throw error;
    }
  }
  return { kind: waiting ? 'waiting_for_key' : 'other_key' };
}
