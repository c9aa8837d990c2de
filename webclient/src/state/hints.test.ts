// Hints: whom a sealed message names is told to the box where the room's rules say so, only there.
import { beforeEach, expect, test } from 'vitest';
import { newId, parseId, type Id } from '../protocol/ids';
import { parseWire } from '../sealing/event';
import { isReady, type KeyView } from '../sealing/requests';
import { eventJson } from '../protocol/event';
import { Circle, person, PRIVATE, type Someone } from '../testing/circle';
import { marksOf } from './hints';

let ada: Someone;
let ben: Someone;

beforeEach(async () => {
  [ada, ben] = [await person(), await person()];
});

const said = (mentions: readonly Id[]): Uint8Array => {
  const none = { parentId: null, attachments: [], tone: null };
  const body = { type: 'message', content: '@ben', mentions, ...none } as const;
  return eventJson({ id: newId(1, new Uint8Array(10)), at: 1, body });
};

async function ready(hints: boolean): Promise<{ circle: Circle; view: KeyView }> {
  const circle = await Circle.found(ada, { ...PRIVATE, hints });
  await circle.admit(ben, [ada]);
  const view = await ada.keys.keyView(circle.room);
  expect(isReady(view)).toBe(true);
  return { circle, view };
}

test('a mention is a hint, which the other members open like any message', async () => {
  const { circle, view } = await ready(true);
  const stranger = parseId('01890000-0000-7000-8000-000000000001');
  const marks = marksOf({ target: null, body: said([ben.user, stranger]) }, view);
  expect(marks).toEqual({ kind: 4, target: null, notify: [ben.user] });
  const wire = await circle.seal(ada, 1, { ...marks, body: said([ben.user]) });
  expect(parseWire(wire).notify).toEqual([ben.user]);
  expect((await circle.open(ben, [wire]))[0]).toContain('@ben');
});

test('where the rules have none the box learns nothing, and who names nobody tells nothing', async () => {
  const { view: silent } = await ready(false);
  expect(marksOf({ target: null, body: said([ben.user]) }, silent)).toMatchObject({
    kind: 1,
    notify: [],
  });
  const { view } = await ready(true);
  expect(marksOf({ target: null, body: said([]) }, view)).toMatchObject({ kind: 1, notify: [] });
  const target = newId(2, new Uint8Array(10));
  expect(marksOf({ target, body: said([ben.user]) }, view)).toEqual({
    kind: 2,
    target,
    notify: [],
  });
});
