// A box that gives out other people's keys: nobody is sealed to keys that no member vouched for.
import { beforeEach, describe, expect, test } from 'vitest';
import { parseBundle } from '../bundle';
import { makeCard } from '../card';
import { Circle, meet, NOW, person, PRIVATE, random, type Someone } from '../../testing/circle';
import { identityOf } from '../identity';

let ada: Someone;
let ben: Someone;
let circle: Circle;

beforeEach(async () => {
  [ada, ben] = [await person(), await person()];
  circle = await Circle.found(ada);
});

/** The card of the box's own keys under somebody's name. */
const substituteOf = (user: Someone['user']): Uint8Array =>
  makeCard(identityOf(random(32)), user, NOW);

const printsOf = (bundle: Uint8Array, user: Someone['user']): Uint8Array[] =>
  parseBundle(bundle)
    .header.members.filter(([listed]) => listed === user)
    .map(([, print]) => print);

describe('a substituted card', () => {
  test('of another person’s name is refused', async () => {
    await expect(ada.keys.addCards(ben.user, [ada.card])).rejects.toThrow(/another person/);
  });

  test('with a damaged signature is refused', async () => {
    const damaged = ben.card.slice();
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
    await expect(ada.keys.addCards(ben.user, [damaged])).rejects.toThrow();
  });

  test('that does not read is as if it were not there', async () => {
    const ahead = makeCard(identityOf(random(32)), ben.user, 2 ** 60);
    for (const bad of [ahead, Uint8Array.of(1)]) {
      await ada.keys.addCards(ben.user, [ben.card, bad]);
      const hall = await Circle.found(ada, { ...PRIVATE, type: 'public' });
      const bundle = await hall.rotate(ada, [ada.user, ben.user], { reason: 'added' });
      expect(printsOf(bundle, ben.user)).toHaveLength(1);
    }
  });

  test('does not make a newcomer’s proof fit other keys', async () => {
    const code = await circle.invite(ada, ben);
    await circle.show(ben);
    const waiting = [await circle.proofOf(ben, code)];
    await ada.keys.addCards(ben.user, [substituteOf(ben.user)]);
    const bundle = await circle.rotate(ada, [ada.user, ben.user], { waiting, reason: 'added' });
    expect(printsOf(bundle, ben.user)).toEqual([]);
  });

  test('does not change to whom the next epoch is sealed', async () => {
    await circle.admit(ben, [ada]);
    const [before] = printsOf(circle.served.at(-1) ?? new Uint8Array(), ben.user);
    await ada.keys.addCards(ben.user, [substituteOf(ben.user)]);
    await ada.keys.addCards(ben.user, [ben.card, substituteOf(ben.user)]);
    const bundle = await circle.rotate(ada, [ada.user, ben.user]);
    expect(printsOf(bundle, ben.user)).toEqual([before]);
    expect(await circle.show(ben)).toMatchObject({ open: true, listed: true });
  });

  test('does not come into a public room in the place of somebody who is known', async () => {
    await circle.admit(ben, [ada]);
    const hall = await Circle.found(ada, { ...PRIVATE, type: 'public' });
    await ada.keys.addCards(ben.user, [substituteOf(ben.user)]);
    const bundle = await hall.rotate(ada, [ada.user, ben.user], { reason: 'added' });
    expect(printsOf(bundle, ben.user)).toEqual([]);
    await ada.keys.addCards(ben.user, [ben.card]);
    const honest = await hall.rotate(ada, [ada.user, ben.user], { reason: 'added' });
    expect(printsOf(honest, ben.user)).toHaveLength(1);
  });
});

test('a ghost in a public room is seen: unverified, and listed by name', async () => {
  const hall = await Circle.found(ada, { ...PRIVATE, type: 'public' });
  const ghost = await person();
  await meet(ada, ghost);
  await hall.rotate(ada, [ada.user, ghost.user], { reason: 'added' });
  const view = await hall.show(ada);
  expect(view.members).toContain(ghost.user);
});
