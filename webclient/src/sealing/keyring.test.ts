// Two people's keyrings: founding, inviting, joining by proof, writing, devices, vaults, trickery.
import { beforeEach, describe, expect, test } from 'vitest';
import { fromUtf8, utf8 } from '../protocol/bytes';
import { newId, type Id } from '../protocol/ids';
import { memorySafe } from '../local/safe';
import { recipient, sealFile } from './agefile';
import { Keyring } from './keyring';
import type { NextEpoch, Opened } from './requests';

const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));
const NOW = 1_760_000_000_000;
const fresh = (): Id => newId(NOW, random(10));
const COST = { memoryKib: 19_456, passes: 2, lanes: 1 };
const SALT = new Uint8Array(16);
const RULES = { type: 'private', history: 'all', hints: false } as const;

async function person(): Promise<{ user: Id; keys: Keyring; card: Uint8Array; sheet: string }> {
  const user = fresh();
  const keys = new Keyring(memorySafe(), random);
  await keys.stretch('password', SALT, COST);
  const { card, recoverySheet } = await keys.createIdentity(user, NOW);
  return { user, keys, card, sheet: recoverySheet };
}

type Someone = Awaited<ReturnType<typeof person>>;

let ada: Someone;
let ben: Someone;
let room: Id;
let served: Uint8Array[];

const next = (change: Partial<NextEpoch>): NextEpoch => ({
  room,
  members: [ada.user],
  waiting: [],
  devices: [],
  reason: 'due',
  at: NOW,
  ...change,
});

const message = (id: Id, seq: number) => ({
  room,
  id,
  writer: 7,
  seq,
  kind: 1 as const,
  target: null,
  notify: [],
  body: utf8('{"type":"message","content":"soup"}'),
});

const text = (opened: Opened | undefined): string =>
  opened?.kind === 'opened' ? fromUtf8(opened.body).trim() : (opened?.kind ?? 'nothing');

/** Ben as the box hands him out: a member with a proof, not listed. */
async function waitingBen() {
  const code = (await ada.keys.keyView(room)).invites[0];
  if (code === undefined) throw new Error('no invite stands');
  const [proof] = await ben.keys.joinProofs(code);
  if (proof === undefined) throw new Error('no proof');
  return { user: ben.user, code, proof: proof.proof };
}

/** ada founds and invites, ben opens the link. */
async function join(uses = 1): Promise<void> {
  const request = { rooms: [next({ reason: 'invite' })], by: ada.user, expires: NOW + 9, uses };
  const invite = await ada.keys.makeInvite(request);
  for (const { bundle } of invite.bundles) served.push(bundle);
  await ada.keys.takeBundles(room, served, 'box');
  const k = Uint8Array.from(atob(invite.fragment.replaceAll('-', '+').replaceAll('_', '/')), (c) =>
    c.charCodeAt(0),
  );
  await ben.keys.takeInvite(invite.code, k);
  expect(await ben.keys.readInvite(invite.code, invite.blob)).toEqual([room]);
  await ben.keys.addCards(ada.user, [ada.card]);
  await ada.keys.addCards(ben.user, [ben.card]);
  const seen = await ben.keys.takeBundles(room, served, 'box');
  expect(seen).toMatchObject({ epoch: 2, open: true, listed: false });
}

beforeEach(async () => {
  [ada, ben] = [await person(), await person()];
  room = fresh();
  served = [await ada.keys.foundRoom(room, RULES, NOW)];
  expect(await ada.keys.takeBundles(room, served, 'box')).toMatchObject({ epoch: 1, open: true });
});

describe('a newcomer with an invite', () => {
  test('lists himself, and both read everything', async () => {
    const early = await ada.keys.seal(message(fresh(), 1));
    await join();
    const members = [ada.user, ben.user];
    served.push((await ben.keys.nextEpoch(next({ members, reason: 'joined' }))).bundle);
    for (const { keys } of [ada, ben]) {
      const view = await keys.takeBundles(room, served, 'box');
      expect(view).toMatchObject({ epoch: 3, open: true, listed: true, split: false, members });
      expect(view.invites).toEqual([]);
    }
    const late = await ben.keys.seal(message(fresh(), 1));
    const opened = await ben.keys.open(room, [early, late]);
    expect(opened.map(text)).toEqual([text(opened[0]), text(opened[0])]);
    expect(text((await ada.keys.open(room, [late]))[0])).toContain('soup');
    expect((await ben.keys.pins()).get(ada.user)).toBe('verified');
  });

  test('can be listed by a member who sees his proof', async () => {
    await join();
    const waiting = [await waitingBen()];
    const members = [ada.user, ben.user];
    served.push((await ada.keys.nextEpoch(next({ members, waiting, reason: 'added' }))).bundle);
    expect(await ada.keys.takeBundles(room, served, 'box')).toMatchObject({ members });
    expect(await ben.keys.takeBundles(room, served, 'box')).toMatchObject({
      listed: true,
      open: true,
    });
  });

  test('is not listed by a proof that was made for somebody else', async () => {
    await join();
    const code = (await ada.keys.keyView(room)).invites[0];
    if (code === undefined) throw new Error('no invite stands');
    const mallory = await person();
    await ada.keys.addCards(mallory.user, [mallory.card]);
    const [proof] = await ben.keys.joinProofs(code);
    const waiting = [{ user: mallory.user, code, proof: proof?.proof ?? new Uint8Array(64) }];
    const members = [ada.user, mallory.user];
    served.push((await ada.keys.nextEpoch(next({ members, waiting }))).bundle);
    expect((await ada.keys.takeBundles(room, served, 'box')).members).toEqual([ada.user]);
  });
});

describe('somebody who left', () => {
  test('does not open what comes after', async () => {
    await join();
    const both = [ada.user, ben.user];
    served.push((await ben.keys.nextEpoch(next({ members: both, reason: 'joined' }))).bundle);
    await ben.keys.takeBundles(room, served, 'box');
    await ada.keys.takeBundles(room, served, 'box');
    served.push((await ada.keys.nextEpoch(next({ members: [ada.user], reason: 'left' }))).bundle);
    await ada.keys.takeBundles(room, served, 'box');
    const after = await ada.keys.seal(message(fresh(), 1));
    expect(await ben.keys.takeBundles(room, served, 'box')).toMatchObject({
      listed: false,
      open: false,
    });
    expect(text((await ben.keys.open(room, [after]))[0])).toBe('waiting_for_key');
  });

  test('is not brought back by a proof that the box hands out again', async () => {
    await join(5);
    const waiting = [await waitingBen()];
    const members = [ada.user, ben.user];
    served.push((await ada.keys.nextEpoch(next({ members, waiting, reason: 'added' }))).bundle);
    expect(await ada.keys.takeBundles(room, served, 'box')).toMatchObject({ members });
    served.push((await ada.keys.nextEpoch(next({ members: [ada.user], reason: 'left' }))).bundle);
    await ada.keys.takeBundles(room, served, 'box');
    served.push((await ada.keys.nextEpoch(next({ members, waiting, reason: 'added' }))).bundle);
    const view = await ada.keys.takeBundles(room, served, 'box');
    expect([view.members, view.invites]).toEqual([[ada.user], [waiting[0]?.code]]);
  });
});

describe('a box that lies', () => {
  test('shows another first epoch: the room is split', async () => {
    const other = await ada.keys.foundRoom(room, RULES, NOW + 1);
    expect(await ada.keys.takeBundles(room, [other], 'box')).toMatchObject({
      split: true,
      epoch: 1,
    });
  });

  test('serves a ghost’s epoch: refused', async () => {
    const mallory = await person();
    const forged = await mallory.keys.foundRoom(room, RULES, NOW);
    await expect(ben.keys.takeBundles(room, [forged], 'box')).resolves.toMatchObject({ epoch: 0 });
  });

  test('gives somebody’s card for another’s: refused', async () => {
    await expect(ada.keys.addCards(ben.user, [ada.card])).rejects.toThrow(/another person/);
  });

  test('serves an older epoch than the vault knows: split', async () => {
    served.push((await ada.keys.nextEpoch(next({}))).bundle);
    await ada.keys.takeBundles(room, served, 'box');
    const { vault } = await ada.keys.writeVault(1);
    const phone = new Keyring(memorySafe(), random);
    await phone.stretch('password', SALT, COST);
    await phone.openVault(ada.user, 1, vault);
    await phone.addCards(ada.user, [ada.card]);
    expect(await phone.takeBundles(room, served.slice(0, 1), 'box')).toMatchObject({ split: true });
  });
});

test('what a browser kept may end before what the vault knows: nothing is wrong', async () => {
  served.push((await ada.keys.nextEpoch(next({}))).bundle);
  await ada.keys.takeBundles(room, served, 'box');
  const { vault } = await ada.keys.writeVault(1);
  const laptop = new Keyring(memorySafe(), random);
  await laptop.stretch('password', SALT, COST);
  await laptop.openVault(ada.user, 1, vault);
  const kept = await laptop.takeBundles(room, served.slice(0, 1), 'kept');
  expect(kept).toMatchObject({ epoch: 0, split: false });
  const fetched = await laptop.takeBundles(room, served, 'box');
  expect(fetched).toMatchObject({ epoch: 2, split: false, open: true });
});

describe('a device', () => {
  test('posts to its door, an older door is noticed, a stranger’s file is not opened', async () => {
    const device = fresh();
    const made = await ada.keys.nextEpoch(
      next({ devices: [device], addDoor: device, reason: 'device' }),
    );
    served.push(made.bundle);
    await ada.keys.takeBundles(room, served, 'box');
    const to = recipient(made.doorRecipient ?? '');
    const file = await sealFile([to], utf8('Washing done'));
    const [first] = await ada.keys.openPosts(room, [{ device, id: fresh(), file }]);
    expect(first).toMatchObject({ kind: 'opened', renewedAt: null });
    const again = next({ devices: [device], addDoor: device, reason: 'device', at: NOW + 7 });
    served.push((await ada.keys.nextEpoch(again)).bundle);
    await ada.keys.takeBundles(room, served, 'box');
    const strange = file.slice(0, -1);
    const answers = await ada.keys.openPosts(room, [
      { device, id: fresh(), file },
      { device, id: fresh(), file: strange },
      { device: fresh(), id: fresh(), file },
    ]);
    expect(answers[0]).toMatchObject({ kind: 'opened', renewedAt: NOW + 7 });
    expect(answers.slice(1).map(({ kind }) => kind)).toEqual(['other_key', 'waiting_for_key']);
    served.push((await ada.keys.nextEpoch(next({ devices: [], reason: 'device' }))).bundle);
    await ada.keys.takeBundles(room, served, 'box');
    const [ofNone] = await ada.keys.openPosts(room, [{ device, id: fresh(), file }]);
    expect(ofNone).toMatchObject({ kind: 'opened', renewedAt: null });
  });
});

describe('what a box serves as events', () => {
  test('is shown as what it is and never throws', async () => {
    const wire = await ada.keys.seal(message(fresh(), 1));
    const altered = wire.slice();
    altered[60] = (altered[60] ?? 0) ^ 1;
    const opened = await ada.keys.open(room, [
      wire,
      altered,
      wire.slice(0, 50),
      wire.slice(0, 49),
      new Uint8Array(0),
    ]);
    const kinds = opened.map(({ kind }) => kind);
    expect(kinds).toEqual(['opened', 'other_key', 'erased', 'malformed', 'malformed']);
  });
});

describe('the account', () => {
  test('wakes from the safe, forgets at log-out', async () => {
    const safe = memorySafe();
    const first = new Keyring(safe, random);
    await first.stretch('password', SALT, COST);
    await first.createIdentity(ada.user, NOW);
    await first.keep();
    const again = new Keyring(safe, random);
    expect(await again.wake(ada.user)).toBe(true);
    await again.forget();
    expect(await new Keyring(safe, random).wake(ada.user)).toBe(false);
    await expect(again.writeVault(2)).rejects.toThrow(/signed in/);
  });

  test('of somebody else finds nothing of who was here before', async () => {
    const { vault } = await ben.keys.writeVault(1);
    expect((await ada.keys.keyView(room)).epoch).toBe(1);
    await ada.keys.stretch('password', SALT, COST);
    await ada.keys.openVault(ben.user, 1, vault);
    expect(await ada.keys.sealedRooms()).toEqual([]);
    expect(await ada.keys.keyView(room)).toMatchObject({ epoch: 0, open: false });
  });

  test('a wrong password opens no vault', async () => {
    const { vault } = await ada.keys.writeVault(1);
    const thief = new Keyring(memorySafe(), random);
    await thief.stretch('guess', SALT, COST);
    await expect(thief.openVault(ada.user, 1, vault)).rejects.toThrow(/does not open/);
  });
});
