// A box, alone or with somebody of the room, that serves epochs nobody should follow.
import { Encrypter } from 'age-encryption';
import { beforeEach, describe, expect, test } from 'vitest';
import { concat, fromB64u } from '../../protocol/bytes';
import {
  Circle,
  flipped,
  Forger,
  fresh,
  NOW,
  person,
  PRIVATE,
  type Someone,
} from '../../testing/circle';
import { workOf } from '../../testing/work';
import { parseBundle } from '../bundle';
import type { Header } from '../epoch';
import { inviteKeys, makeJoin } from '../invite';
import { ctx, lp, sha256 } from '../kdf';
import { sign } from '../sign';

let ada: Someone;
let ben: Someone;
let circle: Circle;
let mallory: Forger;

const last = (): Uint8Array => circle.served.at(-1) ?? new Uint8Array();

beforeEach(async () => {
  [ada, ben, mallory] = [await person(), await person(), new Forger()];
  circle = await Circle.found(ada);
  await circle.admit(ben, [ada]);
  for (const { keys } of [ada, ben]) await keys.addCards(mallory.user, [mallory.card]);
});

/** Ada is served this after what she knows: nothing changes for her, and she sends as before. */
async function refused(...bundles: Uint8Array[]): Promise<void> {
  await circle.show(ben);
  const before = await ada.keys.keyView(circle.room);
  await expect(circle.show(ada, [...circle.served, ...bundles])).rejects.toThrow();
  expect(await ada.keys.keyView(circle.room)).toEqual(before);
  const wire = await circle.seal(ada, 1);
  expect((await circle.open(ben, [wire]))[0]).toContain('message');
}

describe('a ghost', () => {
  test('that lists itself is refused', async () => {
    const { members } = parseBundle(last()).header;
    const ghost = [mallory.user, mallory.fingerprint] as const;
    await refused(await mallory.after(last(), { members: [...members, ghost] }));
  });

  test('that says to be a member is refused', async () => {
    const { members } = parseBundle(last()).header;
    await refused(await mallory.after(last(), { by: ada.user, members }));
    const mine = members.map(([user, print]): readonly [typeof user, Uint8Array] => [
      user,
      user === ben.user ? mallory.fingerprint : print,
    ]);
    await refused(await mallory.after(last(), { by: ben.user, members: mine }));
  });

  test('with another’s proof is refused', async () => {
    const cleo = await person();
    const members = [ada.user, ben.user];
    const code = await circle.invite(ada, cleo, { members });
    const { proof } = await circle.proofOf(cleo, code);
    const { header } = parseBundle(last());
    const ghost = [mallory.user, mallory.fingerprint] as const;
    const joins = [{ user: mallory.user, code, proof }];
    const change = { members: [...header.members, ghost], joins, invites: [] };
    await refused(await mallory.after(last(), change));
  });
});

describe('a newcomer with a good proof', () => {
  test('lists himself, and changes nothing but that', async () => {
    const members = [ada.user, ben.user];
    const rooms = [circle.next(members, { reason: 'invite' })];
    const expires = NOW + 9;
    const invite = await ada.keys.makeInvite({ rooms, by: ada.user, expires, uses: 3 });
    circle.served.push(...invite.bundles.map(({ bundle }) => bundle));
    for (const one of [ada, ben]) await circle.show(one);
    const { seed } = inviteKeys(fromB64u(invite.fragment));
    const { code } = invite;
    const { user } = mallory;
    const proof = makeJoin(seed, code, circle.room, user, mallory.fingerprint);
    const { header } = parseBundle(last());
    const [standing] = header.invites;
    if (standing === undefined) throw new Error('no invite stands');
    const honest = {
      members: [...header.members, [user, mallory.fingerprint] as const],
      joins: [{ user, code, proof }],
      invites: [{ ...standing, uses: 2 }],
    };
    const greedy: readonly Partial<Header>[] = [
      { invites: [standing] },
      { invites: [] },
      { invites: [{ ...standing, uses: 2, expires: standing.expires + 1 }] },
      { rules: { ...header.rules, type: 'public' } },
      { rules: { ...header.rules, hints: true } },
      { doors: [[fresh(), mallory.identity.recipient, 1]] },
      { members: honest.members.filter(([one]) => one !== ben.user) },
      { joins: [] },
      { joins: [...honest.joins, { user: ben.user, code, proof }] },
    ];
    for (const change of greedy)
      await refused(await mallory.after(last(), { ...honest, ...change }));
    const view = await circle.show(ada, [...circle.served, await mallory.after(last(), honest)]);
    expect(view.members).toContain(user);
  });
});

describe('an epoch that was changed on its way', () => {
  test('is refused whatever bit of it was turned', async () => {
    const made = await ada.keys.nextEpoch(circle.next([ada.user, ben.user]));
    const bits = made.bundle.length * 8;
    for (let n = 0; n < 200; n++) {
      const bit = Math.floor((n * bits) / 200) + (n % 8);
      const bundle = flipped(made.bundle, Math.min(bit, bits - 1));
      const view = await ben.keys
        .takeBundles(circle.room, [...circle.served, bundle], 'box')
        .catch(() => ben.keys.keyView(circle.room));
      expect(view, `bit ${bit}`).toMatchObject({ epoch: circle.served.length, open: true });
    }
  });

  test('with a passphrase in the place of the members is not worked on', async () => {
    const bomb = new Encrypter();
    bomb.setPassphrase('x');
    bomb.setScryptWorkFactor(4);
    const file = await bomb.encrypt('{}');
    // The header of age says what work is asked for: 2^30.
    const text = Buffer.from(file)
      .toString('latin1')
      .replace(/(-> scrypt \S+) 4\n/, '$1 30\n');
    const made = parseBundle((await ada.keys.nextEpoch(circle.next([ada.user, ben.user]))).bundle);
    const bytes = new Uint8Array(Buffer.from(text, 'latin1'));
    const signature = sign(mallory.identity.seed, ctx('hearth/v1/epoch', made.json, sha256(bytes)));
    const bundle = concat(lp(made.json), lp(bytes), signature);
    const refused = (): Promise<void> =>
      expect(circle.show(ben, [...circle.served, bundle])).rejects.toThrow();
    expect(await workOf(refused)).toBeLessThan(2_000);
  });
});

describe('another history', () => {
  test('of the same epoch is a split, and nothing is sent', async () => {
    const one = await ada.keys.nextEpoch(circle.next([ada.user, ben.user]));
    const other = await ada.keys.nextEpoch(circle.next([ada.user, ben.user]));
    await circle.show(ben, [...circle.served, one.bundle]);
    const view = await circle.show(ben, [...circle.served, other.bundle]);
    expect(view).toMatchObject({ split: true, epoch: circle.served.length + 1 });
    const again = await circle.show(ben, [...circle.served, one.bundle]);
    expect(again.split).toBe(true);
  });

  test('below the epochs that are known is a split', async () => {
    const phone = await person(ben.user);
    const { vault } = await ben.keys.writeVault(1);
    await phone.keys.forget();
    await phone.keys.stretch('password', new Uint8Array(16), {
      memoryKib: 19_456,
      passes: 2,
      lanes: 1,
    });
    await phone.keys.openVault(ben.user, 1, vault);
    await phone.keys.addCards(ada.user, [ada.card]);
    const elsewhere = await ada.keys.foundRoom(circle.room, PRIVATE, 1);
    const served = [elsewhere, ...circle.served.slice(1)];
    expect(await circle.show(phone, served)).toMatchObject({ split: true });
  });

  test('of another room is none of this one', async () => {
    const other = await Circle.found(ada);
    await other.admit(ben, [ada]);
    await other.rotate(ada, [ada.user, ben.user]);
    await other.rotate(ada, [ada.user, ben.user]);
    const view = await circle.show(ben, [...circle.served, ...other.served]);
    expect(view).toMatchObject({ epoch: circle.served.length, split: false });
  });

  test('told as old as a restart would have it: what was seen is not forgotten', async () => {
    const known = circle.served.length;
    const view = await circle.show(ben, circle.served.slice(0, known - 1));
    expect(view.epoch).toBe(known);
  });
});

describe('a room that hides its history', () => {
  test('gives a newcomer the present and nothing before, whatever the box serves', async () => {
    const hidden = await Circle.found(ada, { ...PRIVATE, history: 'since_join' });
    const early = await hidden.seal(ada, 1);
    await hidden.admit(ben, [ada]);
    const late = await hidden.seal(ada, 2);
    expect(parseBundle(hidden.served.at(-1) ?? new Uint8Array()).header.back).toBeNull();
    const opened = await hidden.open(ben, [early, late]);
    expect(opened[0]).toBe('waiting_for_key');
    expect(opened[1]).toContain('message');
    // Who was there reads on.
    expect((await hidden.open(ada, [early]))[0]).toContain('message');
  });

  test('does not open to the link alone, and a member lists who came by it', async () => {
    const hidden = await Circle.found(ada, { ...PRIVATE, history: 'since_join' });
    const code = await hidden.invite(ada, ben);
    expect(await hidden.show(ben)).toMatchObject({ open: false, listed: false });
    await expect(ben.keys.nextEpoch(hidden.next([ada.user, ben.user]))).rejects.toThrow();
    const waiting = [await hidden.proofOf(ben, code)];
    await hidden.rotate(ada, [ada.user, ben.user], { waiting, reason: 'added' });
    expect(await hidden.show(ben)).toMatchObject({ open: true, listed: true });
  });
});
