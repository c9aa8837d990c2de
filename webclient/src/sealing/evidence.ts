// What a report of a sealed room's message shows: the opened event with its signature, sealed to those
// who keep order (docs/protocol.md, decision 0053).
import { b64u, BytesError, equal, utf8 } from '../protocol/bytes';
import type { Id } from '../protocol/ids';
import * as s from '../protocol/schema';
import type { Account } from './account';
import { openFile, sealFile } from './agefile';
import type { Card } from './card';
import type { Cards } from './cards';
import { fingerprintOf } from './epoch';
import {
  openEvent,
  parseWire,
  signedEvent,
  verifySigned,
  type SignedEvent,
  type WireHeader,
} from './event';
import { SealingError } from './kdf';
import type { About, Disclosed, Evidence, Proof } from './requests';
import type { RoomKeys } from './room_keys';
import { cardFor } from './trust';

/** Bytes of evidence at most, as the box takes it; the event and one edit stay far below. */
const EVIDENCE_BYTES_MAX = 256 * 1_024;
/** Events that are shown: the message and what it was edited to. */
const EVENTS_MAX = 2;

const event: s.Parser<SignedEvent> = s.object({
  head: s.bytes(),
  kid: s.bytes(16),
  body: s.bytes(),
  signature: s.bytes(64),
});
const shown = s.object({ room: s.id, message: s.id, events: s.list(event, EVENTS_MAX) });

const eventJson = ({ head, kid, body, signature }: SignedEvent): Record<string, string> => ({
  head: b64u(head),
  kid: b64u(kid),
  body: b64u(body),
  signature: b64u(signature),
});

/** An event as it opens here, with what shows to others who wrote it. */
async function opened(wire: Uint8Array, room: RoomKeys, cards: Cards): Promise<SignedEvent> {
  const { epoch, sender } = parseWire(wire);
  const [keys, listing] = [room.keys(epoch), room.header(epoch)];
  const print = listing === null ? null : fingerprintOf(listing, sender);
  const card = print === null ? null : cards.byPrint(print);
  if (keys === null || card === null) throw new SealingError('the message does not open here');
  return signedEvent(keys, await openEvent(keys, wire, card.ed25519));
}

/** Seals a message, and what it was edited to, for these people; the first wire is the message. */
export async function disclose(
  wires: readonly Uint8Array[],
  to: readonly Id[],
  room: RoomKeys,
  cards: Cards,
  me: Account,
): Promise<Disclosed> {
  const [first] = wires;
  if (first === undefined) throw new SealingError('there is nothing to show');
  const message = parseWire(first).id;
  const events: Record<string, string>[] = [];
  for (const wire of wires.slice(0, EVENTS_MAX)) {
    events.push(eventJson(await opened(wire, room, cards)));
  }
  const readers = to.flatMap((user) => {
    const recipient =
      user === me.user ? me.identity.recipient : cardFor(user, null, me, cards)?.age;
    return recipient === undefined ? [] : [{ user, recipient }];
  });
  const json = utf8(JSON.stringify({ room: room.room, message, events }));
  const recipients = readers.map(({ recipient }) => recipient);
  return { file: await sealFile(recipients, json), to: readers.map(({ user }) => user) };
}

/** Whether a card is of keys that are believed to be somebody's, or were. */
function isBelieved({ user, fingerprint }: Card, me: Account, cards: Cards): boolean {
  const pin = me.pins.get(user);
  if (pin === undefined || equal(pin.fingerprint, fingerprint)) return true;
  const { fingerprint: pinned } = pin;
  return cards.leads(fingerprint, pinned) || cards.leads(pinned, fingerprint);
}

/** Whether a signed event is the one that the report is about, or an edit of it by its writer. */
function isAbout(header: WireHeader, nth: number, { message, sender }: About): boolean {
  const content = header.kind === 1 || header.kind === 4;
  return content && header.sender === sender && (nth > 0 || header.id === message);
}

/** How far the signature of one event goes. */
async function proofOf(
  signed: SignedEvent,
  nth: number,
  about: About,
  me: Account,
  cards: Cards,
): Promise<Proof> {
  for (const card of cards.of(about.sender).toReversed()) {
    try {
      const header = await verifySigned(about.room, signed, card.ed25519);
      if (header === null || !isAbout(header, nth, about)) continue;
      return isBelieved(card, me, cards) ? 'signed' : 'other_keys';
    } catch (error) {
      if (error instanceof SealingError || error instanceof BytesError) return 'claimed';
      throw error;
    }
  }
  return 'claimed';
}

const WEAKEST: readonly Proof[] = ['claimed', 'other_keys', 'signed'];

/** Opens evidence that was sealed to me. The weakest of its signatures counts. */
export async function readEvidence(
  file: Uint8Array,
  about: About,
  cards: Cards,
  me: Account,
): Promise<Evidence> {
  const plain = await openFile('the evidence', me.identity.age, file, EVIDENCE_BYTES_MAX);
  const { room, message, events } = s.parseJsonBytes(shown, plain);
  const fits = room === about.room && message === about.message && events.length > 0;
  if (!fits) throw new SealingError('the evidence is about another message');
  const proofs = await Promise.all(events.map((one, nth) => proofOf(one, nth, about, me, cards)));
  const proof = WEAKEST.find((one) => proofs.includes(one)) ?? 'claimed';
  return { proof, bodies: events.map(({ body }) => body) };
}
