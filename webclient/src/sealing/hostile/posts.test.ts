// What a device does to those who read its posts: files that cost them much.
import { beforeEach, describe, expect, test } from 'vitest';
import { utf8 } from '../../protocol/bytes';
import type { Id } from '../../protocol/ids';
import { Circle, fresh, person, random, type Someone } from '../../testing/circle';
import { Insider } from '../../testing/insider';
import { identityFromScalar, recipientOf, sealFile, type Recipient } from '../agefile';
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
