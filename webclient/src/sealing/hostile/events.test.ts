// A box that turns bits of events, or moves them across rooms, epochs and senders.
import { beforeEach, describe, expect, test } from 'vitest';
import { Circle, flipped, fresh, person, type Someone } from '../../testing/circle';
import type { Kind } from '../event';

let ada: Someone;
let ben: Someone;
let circle: Circle;

beforeEach(async () => {
  [ada, ben] = [await person(), await person()];
  circle = await Circle.found(ada);
  await circle.admit(ben, [ada]);
});

const kinds: readonly (readonly [Kind, string])[] = [
  [1, 'content'],
  [2, 'a tombstone'],
  [3, 'live'],
  [4, 'content with hints'],
];

test.each(kinds)('kind %i, %s: any single bit turned is refused', async (kind) => {
  const wire = await circle.seal(ada, kind === 3 ? 0 : 1, {
    kind,
    target: kind === 2 ? fresh() : null,
    notify: kind === 4 ? [ben.user, ada.user] : [],
  });
  expect((await circle.open(ben, [wire]))[0]).toContain('message');
  const turned = Array.from({ length: wire.length * 8 }, (_, bit) => flipped(wire, bit));
  const opened = await ben.keys.open(circle.room, turned);
  const passed = opened.flatMap(({ kind: came }, bit) => (came === 'opened' ? [bit] : []));
  expect(passed).toEqual([]);
  expect(turned.length).toBeGreaterThan(3_000);
});

test('any cut is refused, and anything behind', async () => {
  const wire = await circle.seal(ada, 1);
  const cut = Array.from(wire, (_, length) => wire.slice(0, length));
  const longer = Uint8Array.from([...wire, 0]);
  for (const { kind } of await ben.keys.open(circle.room, [...cut, longer])) {
    expect(kind).not.toBe('opened');
  }
});

describe('an event', () => {
  test('of one room is none of another, with the same people', async () => {
    const other = await Circle.found(ada);
    await other.admit(ben, [ada]);
    const wire = await circle.seal(ada, 1);
    expect(await other.open(ben, [wire])).not.toContain(expect.stringContaining('message'));
    expect((await other.open(ben, [wire]))[0]).toMatch(/other_key|waiting_for_key/);
  });

  test('of one epoch is none of another', async () => {
    const wire = await circle.seal(ada, 1);
    const epoch = new DataView(wire.buffer, wire.byteOffset).getUint32(1);
    await circle.rotate(ada, [ada.user, ben.user]);
    await circle.show(ben);
    const moved = wire.slice();
    new DataView(moved.buffer).setUint32(1, epoch + 1);
    expect(await circle.open(ben, [moved])).toEqual(['other_key']);
    expect((await circle.open(ben, [wire]))[0]).toContain('message');
  });

  test('in the name of another member is refused, with the room’s key at hand', async () => {
    const wire = await circle.seal(ben, 1);
    const mine = await circle.seal(ada, 1);
    const forged = wire.slice();
    // Sender: 16 bytes at 21.
    forged.set(mine.subarray(21, 37), 21);
    expect(await circle.open(ada, [forged])).toEqual(['other_key']);
  });

  test('of somebody who is not listed in its epoch is refused', async () => {
    const cleo = await person();
    const before = await circle.seal(ada, 1);
    await circle.admit(cleo, [ada, ben]);
    const hers = await circle.seal(cleo, 1);
    const early = hers.slice();
    early.set(before.subarray(1, 5), 1);
    expect(await circle.open(ada, [early])).toEqual(['other_key']);
  });
});
