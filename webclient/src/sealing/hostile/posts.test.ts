// What a device, or a member, does to those who read devices' posts: files that cost them much, doors
// that open for nobody, times that make a mark wrong.
import { beforeEach, describe, expect, test } from 'vitest';
import { utf8 } from '../../protocol/bytes';
import type { Id } from '../../protocol/ids';
import { Circle, fresh, NOW, person, random, type Someone } from '../../testing/circle';
import { Insider, type Crooked } from '../../testing/insider';
import { identityFromScalar, recipient, recipientOf, sealFile, type Recipient } from '../agefile';
import { parseBundle } from '../bundle';

let ada: Someone;
let ben: Insider;
let circle: Circle;
let device: Id;

const others = (count: number): Recipient[] =>
  Array.from({ length: count }, () => recipientOf(identityFromScalar(random(32))));

/** The door of the newest epoch. */
const door = (): Recipient => {
  const { doors } = parseBundle(circle.served.at(-1) ?? new Uint8Array()).header;
  const found = doors.find(([known]) => known === device);
  if (found === undefined) throw new Error('no door');
  return found[1];
};

/** Ben's epoch, made by hand as he likes, and taken by the box. */
async function serve(change: Crooked): Promise<void> {
  circle.served.push(await ben.after(circle, [ada, ben], change));
  await circle.show(ada);
}

const post = async (to: readonly Recipient[], text = 'Washing done'): Promise<Uint8Array> =>
  sealFile(to, utf8(text));

const open = async (file: Uint8Array): ReturnType<Someone['keys']['openPosts']> =>
  ada.keys.openPosts(circle.room, [{ device, id: fresh(), file }]);

beforeEach(async () => {
  [ada, ben] = [await person(), await Insider.make()];
  circle = await Circle.found(ada);
  await circle.admit(ben, [ada]);
  device = fresh();
  const change = { devices: [device], addDoor: device, reason: 'device' };
  await circle.rotate(ada, [ada.user, ben.user], change);
});

describe('a post', () => {
  test('that names a few more to whom it is sealed opens', async () => {
    const [opened] = await open(await post([...others(9), door()]));
    expect(opened).toMatchObject({ kind: 'opened' });
  });

  test('that names many, each of whom costs its readers work, is not tried', async () => {
    for (const count of [10, 600]) {
      const file = await post([door(), ...others(count)]);
      expect(await open(file)).toEqual([{ kind: 'other_key' }]);
    }
  });
});

describe('a door', () => {
  test('that a member made false is told, and made anew by the next epoch of somebody else', async () => {
    const [false_] = others(1);
    if (false_ === undefined) throw new Error('none');
    const epoch = circle.served.length + 1;
    await serve({ header: { doors: [[device, false_, epoch]] } });
    expect((await ada.keys.keyView(circle.room)).doors).toEqual([[device, null]]);
    await circle.rotate(ada, [ada.user, ben.user], { devices: [device] });
    expect(door()).not.toBe(false_);
    expect((await ada.keys.keyView(circle.room)).doors).toEqual([[device, door()]]);
    expect(await open(await post([door()]))).toMatchObject([{ kind: 'opened' }]);
  });

  test('that stands stays as it is', async () => {
    const before = door();
    await circle.rotate(ada, [ada.user, ben.user], { devices: [device] });
    expect(door()).toBe(before);
    expect((await ada.keys.keyView(circle.room)).doors).toEqual([[device, recipient(before)]]);
  });

  test('is not renewed before its time by a maker whose clock says so', async () => {
    const file = await post([door()]);
    const [identity] = others(1);
    if (identity === undefined) throw new Error('none');
    const epoch = circle.served.length + 1;
    await serve({ header: { doors: [[device, identity, epoch]], at: 1 } });
    expect(await open(file)).toMatchObject([{ kind: 'opened', renewedAt: NOW }]);
  });
});
