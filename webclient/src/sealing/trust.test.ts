// Changed keys: signed on, accepted by a tap, or of the box's making; a lost device's new identity.
import { beforeEach, describe, expect, test } from 'vitest';
import { Circle, COST, fresh, NOW, person, random, SALT, type Someone } from '../testing/circle';
import { memorySafe } from '../local/safe';
import { parseBundle } from './bundle';
import { makeCard, verifyCard } from './card';
import { identityOf } from './identity';
import { Keyring } from './keyring';

let ada: Someone;
let ben: Someone;
let cleo: Someone;
let circle: Circle;

beforeEach(async () => {
  [ada, ben, cleo] = [await person(), await person(), await person()];
  circle = await Circle.found(ada);
  await circle.admit(ben, [ada]);
  await circle.admit(cleo, [ada, ben]);
});

const all = (): Someone['user'][] => [ada.user, ben.user, cleo.user];

function printOf(bundle: Uint8Array, { user }: Someone): string {
  const found = parseBundle(bundle).header.members.find(([listed]) => listed === user);
  return String(found?.[1]);
}

/** Ben's device is gone: new keys, a card that follows. */
async function benRenews(): Promise<Uint8Array[]> {
  await ben.keys.addCards(ben.user, [ben.card]);
  await ben.keys.stretch('password', SALT, COST);
  const { card } = await ben.keys.renewIdentity(2, NOW + 1);
  await ben.keys.identityRenewed();
  const cards = [ben.card, card];
  for (const { keys } of [ada, ben, cleo]) await keys.addCards(ben.user, cards);
  return cards;
}

describe('a lost device', () => {
  test('is answered by new keys that list themselves and stay believed', async () => {
    const before = await circle.seal(ben, 1);
    await benRenews();
    expect((await ben.keys.keyView(circle.room)).listed).toBe(false);
    const bundle = await circle.rotate(ben, all(), { reason: 'card' });
    for (const one of [ada, ben, cleo]) {
      const view = await circle.show(one);
      expect(view).toMatchObject({ listed: true, open: true, split: false });
      expect(parseBundle(bundle).header.epoch).toBe(view.epoch);
    }
    expect((await ada.keys.pins()).get(ben.user)).toBe('vouched');
    const after = await circle.seal(ben, 2);
    expect(await circle.open(ada, [before, after])).toEqual([
      expect.stringContaining('1'),
      expect.stringContaining('2'),
    ]);
  });

  test('cannot open what comes after', async () => {
    const thief = new Keyring(memorySafe(), random);
    const { vault } = await ben.keys.writeVault(1);
    await thief.stretch('password', SALT, COST);
    await thief.openVault(ben.user, 1, vault);
    for (const { user, card } of [ada, ben, cleo]) await thief.addCards(user, [card]);
    expect(await thief.takeBundles(circle.room, circle.served, 'box')).toMatchObject({
      open: true,
    });
    const cards = await benRenews();
    await thief.addCards(ben.user, cards);
    await circle.rotate(ben, all(), { reason: 'card' });
    const view = await thief.takeBundles(circle.room, circle.served, 'box');
    expect(view).toMatchObject({ open: false, listed: false });
    const [late] = await thief.open(circle.room, [await circle.seal(ben, 2)]);
    expect(late?.kind).toBe('waiting_for_key');
  });

  test('whose owner is away is left out by whoever makes the next epoch', async () => {
    const old = printOf(circle.served.at(-1) ?? new Uint8Array(), ben);
    const addDoor = fresh();
    const doors = { devices: [addDoor] };
    await circle.rotate(ada, all(), { ...doors, addDoor });
    await circle.show(cleo);
    await benRenews();
    const bundle = await circle.rotate(cleo, all(), doors);
    expect(printOf(bundle, ben)).not.toBe(old);
    const { header } = parseBundle(bundle);
    expect(header.doors[0]?.[2]).toBe(header.epoch);
    expect(await circle.show(ben)).toMatchObject({ listed: true, open: true });
  });

  test('keeps its way back over a crash between the box and the browser', async () => {
    const safe = memorySafe();
    const first = new Keyring(safe, random);
    await first.stretch('password', SALT, COST);
    const { card } = await first.createIdentity(ben.user, NOW);
    await first.keep();
    await first.writeVault(1);
    const one: Someone = { ...ben, keys: first, card };
    const alone = await Circle.found(one);
    await first.addCards(ben.user, [card]);
    const renewed = await first.renewIdentity(2, NOW + 1);
    // The box has them, the page is gone.
    const again = new Keyring(safe, random);
    await again.stretch('password', SALT, COST);
    await again.openVault(ben.user, 2, renewed.vault);
    await again.addCards(ben.user, [card, renewed.card]);
    const view = await again.takeBundles(alone.room, alone.served, 'box');
    expect(view).toMatchObject({ open: true, listed: false });
    const { bundle } = await again.nextEpoch(alone.next([ben.user], { reason: 'card' }));
    const after = await again.takeBundles(alone.room, [...alone.served, bundle], 'box');
    expect(after).toMatchObject({ open: true, listed: true });
  });
});

describe('keys that changed without a word of the old ones', () => {
  /** A new identity of ben's, as after everything was lost. */
  async function benStartsAnew(): Promise<Someone> {
    const anew = await person(ben.user);
    for (const { keys } of [ada, cleo]) await keys.addCards(ben.user, [ben.card, anew.card]);
    return anew;
  }

  test('are listed by nobody until somebody accepts them', async () => {
    const old = printOf(circle.served.at(-1) ?? new Uint8Array(), ben);
    await benStartsAnew();
    expect((await ada.keys.trust()).get(ben.user)).toMatchObject({
      state: 'vouched',
      offered: NOW,
    });
    expect(printOf(await circle.rotate(ada, all()), ben)).toBe(old);
  });

  test('are listed after one tap; who saw it only sees a change, and reads on', async () => {
    const anew = await benStartsAnew();
    for (const { user, card } of [ada, cleo]) await anew.keys.addCards(user, [card]);
    await ada.keys.acceptKeys(ben.user, NOW + 5);
    expect((await ada.keys.trust()).get(ben.user)).toMatchObject({
      state: 'unverified',
      offered: null,
    });
    await circle.rotate(ada, all(), { reason: 'card' });
    expect(await circle.show(anew)).toMatchObject({ listed: true, open: true });
    await circle.show(cleo);
    expect((await cleo.keys.trust()).get(ben.user)).toMatchObject({
      state: 'changed',
      by: ada.user,
    });
    const wire = await circle.seal(anew, 1);
    expect((await cleo.keys.open(circle.room, [wire], [1]))[0]).toMatchObject({
      kind: 'opened',
      changedCard: true,
    });
    await cleo.keys.acceptKeys(ben.user, NOW + 6);
    expect((await cleo.keys.pins()).get(ben.user)).toBe('vouched');
    const [again] = await cleo.keys.open(circle.room, [wire], [1]);
    expect(again).toMatchObject({ changedCard: false });
    // An epoch that lists them again is no new change.
    await circle.rotate(ada, all());
    await circle.show(cleo);
    expect((await cleo.keys.pins()).get(ben.user)).toBe('vouched');
    await expect(cleo.keys.acceptKeys(ben.user, NOW)).rejects.toThrow(/no new keys/);
  });

  test('are not taken for signed on because some other card of the same name was', async () => {
    // The box makes two cards, the second signed by the first: neither is by ben's keys.
    const [one, two] = [identityOf(random(32)), identityOf(random(32))];
    const forged = makeCard(one, ben.user, NOW);
    const card = await verifyCard(forged);
    const second = makeCard(two, ben.user, NOW + 1, { card, identity: one });
    const old = printOf(circle.served.at(-1) ?? new Uint8Array(), ben);
    await ada.keys.addCards(ben.user, [forged, second]);
    await ada.keys.addCards(ben.user, [ben.card, second]);
    expect(printOf(await circle.rotate(ada, all()), ben)).toBe(old);
    expect((await ada.keys.trust()).get(ben.user)?.offered).toBe(NOW + 1);
  });
});
