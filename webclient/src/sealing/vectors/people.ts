// The fixed people, rooms and keys that the written vectors are about.
import { parseId } from '../../protocol/ids';
import { makeCard, verifyCard } from '../card';
import { identityOf } from '../identity';
import { sha256 } from '../kdf';
import { utf8 } from '../../protocol/bytes';

const at = (n: number) =>
  parseId(`01929b2a-7c0${n.toString(16)}-7abc-8def-0123456789a${n.toString(16)}`);

export const [ADA, BEN, CLEO, MALLORY] = [at(1), at(2), at(3), at(4)];
export const [ROOM, OTHER_ROOM, WASHER, DRYER] = [at(5), at(6), at(7), at(8)];
export const [EVENT, OTHER_EVENT] = [at(9), at(10)];
export const NOW = 1_760_000_000_000;

/** 32 bytes that a name stands for. */
export const bytesOf = (name: string): Uint8Array => sha256(utf8(name));

async function person(user: typeof ADA, name: string) {
  const identity = identityOf(bytesOf(`root of ${name}`));
  const card = makeCard(identity, user, NOW);
  return { user, identity, card, parsed: await verifyCard(card) };
}

export type Someone = Awaited<ReturnType<typeof person>>;

export const ada = await person(ADA, 'ada');
export const ben = await person(BEN, 'ben');
export const cleo = await person(CLEO, 'cleo');
export const mallory = await person(MALLORY, 'mallory');

/** Bytes with one bit turned. */
export function turned(bytes: Uint8Array, at: number): Uint8Array {
  const out = bytes.slice();
  const index = at < 0 ? out.length + at : at;
  out[index] = (out[index] ?? 0) ^ 1;
  return out;
}

let drawn = 0;
/** Bytes that look random and are the same at each writing. */
export const drawnBytes = (length: number): Uint8Array =>
  bytesOf(`draw ${drawn++}`).slice(0, length);
