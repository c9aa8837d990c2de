// Epochs that do not open, or whose way back leads nowhere: they cost what is in them, and no room.
import { beforeEach, describe, expect, test } from 'vitest';
import { utf8 } from '../../protocol/bytes';
import {
  Circle,
  COST,
  fresh,
  meet,
  person,
  PRIVATE,
  SALT,
  type Someone,
} from '../../testing/circle';
import { Insider, recipients, type Crooked } from '../../testing/insider';
import { sealFile } from '../agefile';
import { parseBundle } from '../bundle';

let ada: Someone;
let ben: Insider;
let circle: Circle;

const last = (): Uint8Array => circle.served.at(-1) ?? new Uint8Array();
const both = (): Someone['user'][] => [ada.user, ben.user];

/** Ben's epoch, made by hand as he likes, and taken by the box. */
async function serve(change: Crooked, ...others: Someone[]): Promise<void> {
  circle.served.push(await ben.after(circle, [ada, ben, ...others], change));
}

beforeEach(async () => {
  [ada, ben] = [await person(), await Insider.make()];
  circle = await Circle.found(ada);
  await circle.admit(ben, [ada]);
});

/** A browser of ada's that has nothing but her vault. */
async function newBrowser(): Promise<Someone> {
  const { vault } = await ada.keys.writeVault(1);
  const phone = await person(ada.user);
  await phone.keys.forget();
  await phone.keys.stretch('password', SALT, COST);
  await phone.keys.openVault(ada.user, 1, vault);
  for (const { user, card } of [ada, ben]) await phone.keys.addCards(user, [card]);
  return phone;
}

test('a way back that leads nowhere costs no room: it opens, and who was there reads on', async () => {
  const early = await circle.seal(ada, 1);
  for (const back of [Uint8Array.of(0), new Uint8Array(72)]) {
    await serve({ header: { back } });
    expect(await circle.show(ada)).toMatchObject({ open: true, epoch: circle.served.length });
    const phone = await newBrowser();
    const view = await phone.keys.takeBundles(circle.room, circle.served, 'kept');
    expect(view).toMatchObject({ open: true, epoch: circle.served.length });
    expect((await circle.open(phone, [early]))[0]).toContain('message');
  }
});

describe('an epoch whose file', () => {
  const garbage: readonly (readonly [string, () => Promise<Uint8Array>])[] = [
    ['is none', async () => Uint8Array.of(1, 2, 3)],
    ['is for its maker alone', async () => sealFile([ben.recipient], utf8('{"S":"AA"}'))],
    ['holds no secret', async () => sealFile(await recipients(ada, ben), utf8('{"S":"AA"}'))],
    ['holds no JSON', async () => sealFile(await recipients(ada, ben), utf8('soup'))],
    [
      'holds another secret',
      async () => sealFile(await recipients(ada, ben), utf8(`{"S":"${'A'.repeat(43)}"}`)),
    ],
  ];

  test.each(garbage)('%s is built on by whoever is listed in it', async (_name, file) => {
    const early = await circle.seal(ada, 1);
    await serve({ file: await file() });
    expect(await circle.show(ada)).toMatchObject({ open: false, mayBuild: true, listed: true });
    await expect(circle.seal(ada, 2)).rejects.toThrow(/not here/);
    await circle.rotate(ada, both());
    expect(await circle.show(ada)).toMatchObject({ open: true, epoch: circle.served.length });
    expect(await circle.show(ben)).toMatchObject({ open: true, split: false });
    const late = await circle.seal(ada, 2);
    for (const one of [ada, ben, await newBrowser()]) {
      await circle.show(one);
      const opened = await circle.open(one, [early, late]);
      expect(opened.map((text) => text.includes('message'))).toEqual([true, true]);
    }
  });

  test('does not open for its victim is passed over; newcomers read all but it', async () => {
    const early = await circle.seal(ada, 1);
    await serve({ leaveOut: ada.user });
    await circle.show(ben);
    const between = await circle.seal(ben, 1);
    await circle.show(ada);
    await circle.rotate(ada, [...both()]);
    await circle.show(ben);
    const cleo = await person();
    await meet(ben, cleo);
    await circle.admit(cleo, [ada, ben]);
    const late = await circle.seal(ada, 2);
    const all = [early, between, late];
    const opened = async (one: Someone): Promise<boolean[]> =>
      (await circle.open(one, all)).map((text) => text.includes('message'));
    expect(await opened(ben)).toEqual([true, true, true]);
    expect(await opened(ada)).toEqual([true, false, true]);
    expect(await opened(cleo)).toEqual([true, false, true]);
  });

  test('opens for nobody renews every door', async () => {
    const device = fresh();
    const change = { devices: [device], addDoor: device, reason: 'device' };
    await circle.rotate(ada, both(), change);
    await circle.show(ben);
    const before = parseBundle(last()).header.doors;
    await serve({ file: Uint8Array.of(1) });
    await circle.show(ada);
    await circle.rotate(ada, both(), { devices: [device] });
    const [door] = parseBundle(last()).header.doors;
    expect(door?.[2]).toBe(circle.served.length);
    expect(door?.[1]).not.toBe(before[0]?.[1]);
  });

  test('opens for nobody does not keep its maker in', async () => {
    await serve({ file: Uint8Array.of(1) });
    await circle.show(ada);
    await circle.rotate(ada, [ada.user], { reason: 'removed' });
    expect(await circle.show(ada)).toMatchObject({ members: [ada.user], open: true });
    expect(await circle.show(ben)).toMatchObject({ listed: false, open: false, mayBuild: false });
  });

  test('does not open waits for the others where nothing older is here', async () => {
    const cleo = await person();
    await meet(ben, cleo);
    await meet(ada, cleo);
    await serve({ leaveOut: cleo.user }, cleo);
    expect(await circle.show(cleo)).toMatchObject({ listed: true, open: false, mayBuild: false });
    const asked = circle.next([...both(), cleo.user]);
    await expect(cleo.keys.nextEpoch(asked)).rejects.toThrow(/not here/);
    await circle.show(ada);
    await circle.rotate(ada, [...both(), cleo.user]);
    expect(await circle.show(cleo)).toMatchObject({ listed: true, open: true });
  });
});

test('an epoch that does not open is built on where history is hidden too', async () => {
  circle = await Circle.found(ada, { ...PRIVATE, history: 'since_join' });
  await circle.admit(ben, [ada]);
  await serve({ file: Uint8Array.of(1) });
  expect(await circle.show(ada)).toMatchObject({ open: false, mayBuild: true });
  await circle.rotate(ada, both());
  expect(await circle.show(ben)).toMatchObject({ open: true });
});

describe('of what the box serves', () => {
  test('what does not read costs nothing that does', async () => {
    const bad = [new Uint8Array(), Uint8Array.of(1, 2), last().slice(0, -1)];
    const next = await ben.keys.nextEpoch(circle.next(both()));
    const served = [...bad, ...circle.served, next.bundle];
    expect(await ada.keys.missingCards(served)).toEqual([]);
    await expect(circle.show(ada, served)).rejects.toThrow();
    expect(await ada.keys.keyView(circle.room)).toMatchObject({
      epoch: circle.served.length + 1,
      open: true,
    });
  });

  test('only what was judged good is for keeping', async () => {
    const good = await circle.rotate(ada, both());
    const forged = await ben.after(circle, [ada, ben], { header: { by: ada.user } });
    const offered = [...circle.served, forged, Uint8Array.of(1)];
    await expect(circle.show(ada, offered)).rejects.toThrow();
    expect(await ada.keys.accepted(circle.room, offered)).toEqual([
      ...circle.served.map(() => true),
      false,
      false,
    ]);
    // The same header with other bytes around it is not what was judged.
    const bytes = good.slice();
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    expect(await ada.keys.accepted(circle.room, [bytes])).toEqual([false]);
  });
});
