// Invites taken by somebody who is signed in, and those without a key.
import { sha256 } from '@noble/hashes/sha2.js';
import { beforeEach, expect, test } from 'vitest';
import { parseId } from '../protocol/ids';
import { Browser } from '../testing/browser';
import { FakeClock, until } from '../testing/clock';
import { FakeHouse } from '../testing/house';
import { foundHouse, joined, messages, shows, type Founder } from '../testing/screens';

let clock: FakeClock;
let house: FakeHouse;
let founder: Founder;

beforeEach(async () => {
  clock = new FakeClock();
  house = new FakeHouse(clock);
  founder = await foundHouse(house, clock);
});

const inRoom =
  (name: string) =>
  ({ rooms }: { rooms: readonly { name: string }[] }): boolean =>
    rooms.some((room) => room.name === name);

async function attic(sealing: 'open' | 'sealed'): Promise<string> {
  const { app } = founder;
  const room = await app.createRoom({ name: 'Attic', type: 'private', sealing });
  await app.openRoom(room);
  await until(app, ({ currentRoom }) => currentRoom?.block === null);
  await app.send('under the roof');
  await until(app, shows('under the roof'));
  return room;
}

/** An open room's invite, as the box makes it for curl. */
function bare(room: string): string {
  const code = '0123456789';
  const by = [...house.users.values()][0]?.id ?? parseId(room);
  house.invites.set(code, {
    code,
    rooms: [parseId(room)],
    by,
    authHash: sha256(new Uint8Array()),
    blob: '',
    expiresAt: clock.now() + 1_000,
    uses: 2,
  });
  return `/i/${code}`;
}

test('who is signed in opens a second invite and has its sealed room', async () => {
  const { browser } = await joined({ house, clock }, founder.app, founder.general, 'ben');
  const room = await attic('sealed');
  const url = new URL((await founder.app.makeInvite(room)).link);
  const again = await browser.open(url.pathname, url.hash);
  await until(again, inRoom('Attic'));
  await again.openRoom(room);
  await until(again, shows('under the roof'));
  expect(again.state.problem).toBeNull();
});

test('who signs in by an invite’s page has its room', async () => {
  await joined({ house, clock }, founder.app, founder.general, 'ben');
  const room = await attic('sealed');
  const url = new URL((await founder.app.makeInvite(room)).link);
  const other = await new Browser(house, clock).open(url.pathname, url.hash);
  expect(other.state.phase).toBe('join');
  await other.loginAndAccept({ name: 'ben', password: 'battery staple' });
  await until(other, inRoom('Attic'));
  await other.openRoom(room);
  await until(other, shows('under the roof'));
});

test('an invite without a key leads into its open room, with and without an account', async () => {
  const { browser } = await joined({ house, clock }, founder.app, founder.general, 'ben');
  const room = await attic('open');
  const path = bare(room);
  const ben = await browser.open(path, '');
  await until(ben, inRoom('Attic'));
  await ben.openRoom(room);
  await until(ben, shows('under the roof'));

  const cleo = await new Browser(house, clock).open(path, '');
  expect(cleo.state.invitation).toMatchObject({ rooms: ['Attic'], inviter: 'ada' });
  await cleo.join({ name: 'cleo', password: 'tr0ubador and 3' });
  await until(cleo, inRoom('Attic'));
  await cleo.openRoom(room);
  await until(cleo, shows('under the roof'));
  expect(messages(cleo.state)).toHaveLength(1);
});
