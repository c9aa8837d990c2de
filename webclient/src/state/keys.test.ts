// The life of a room's keys against a box in memory: who makes the next epoch, when, and for whom.
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { parseId } from '../protocol/ids';
import { parseBundle } from '../sealing/bundle';
import { EPOCH_MS_MAX, type Header } from '../sealing/epoch';
import { parseWire } from '../sealing/event';
import { Browser } from '../testing/browser';
import { elapsing, FakeClock, PATIENCE } from '../testing/clock';
import { FakeHouse, type FakeRoom, type FakeUser } from '../testing/house';
import { foundHouse, joined, messages, openGeneral, settled, shows } from '../testing/screens';
import type { App, AppState } from './model';

let clock: FakeClock;
let house: FakeHouse;
let ada: App;
let general: string;

beforeEach(async () => {
  clock = new FakeClock();
  house = new FakeHouse(clock);
  ({ app: ada, general } = await foundHouse(house, clock));
});

const join = (name: string) => joined({ house, clock }, ada, general, name);

function room(): FakeRoom {
  const found = house.rooms.get(parseId(general));
  if (found === undefined) throw new Error('no room');
  return found;
}

function user(name: string): FakeUser {
  const found = house.userByName(name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

const head = (): Header => parseBundle(room().bundles.at(-1) ?? new Uint8Array()).header;
const listedPrint = (name: string): string =>
  String(head().members.find(([id]) => id === user(name).id)?.[1]);

/** Waits for a state; what is sent again later is, and what is made after a wait. */
const see = (app: App, wanted: (state: AppState) => boolean): Promise<AppState> =>
  elapsing(clock, app, wanted);

/** Everybody's links break and come back. */
async function reconnect(...apps: App[]): Promise<void> {
  house.cut();
  for (const app of apps) await see(app, ({ connection }) => connection.kind === 'online');
}

/** Until the box has this many epochs; the wait before one is made goes by. */
async function epochs(count: number): Promise<void> {
  await vi.waitFor(() => {
    clock.elapse(1_000);
    expect(room().bundles.length).toBe(count);
  }, PATIENCE);
}

describe('the next epoch', () => {
  test('is made after 30 days although nothing changed, once', async () => {
    const before = room().bundles.length;
    clock.elapse(EPOCH_MS_MAX - 60_000);
    await reconnect(ada);
    expect(room().bundles.length).toBe(before);
    clock.elapse(60_000);
    await reconnect(ada);
    await epochs(before + 1);
    expect(head().reason).toBe('due');
    await reconnect(ada);
    await ada.send('under the new key');
    await see(ada, (state) => shows('under the new key')(state) && settled(state));
    expect(room().bundles.length).toBe(before + 1);
  });

  test('drops an invite that has expired', async () => {
    const { expiresAt } = await ada.makeInvite(general, 3);
    expect(head().invites.length).toBe(1);
    const before = room().bundles.length;
    clock.elapse(expiresAt - clock.now());
    await reconnect(ada);
    await epochs(before + 1);
    expect(head().invites).toEqual([]);
  });

  test('is made once by two clients that race, and both go on under it', async () => {
    const { app: ben } = await join('ben');
    const before = room().bundles.length;
    room().rotationDue = true;
    await Promise.all([ada.send('ada races'), ben.send('ben races')]);
    const both = (app: App): Promise<unknown> =>
      see(app, (state) => shows('ada races')(state) && shows('ben races')(state));
    await Promise.all([both(ada), both(ben)]);
    expect(room().bundles.length).toBe(before + 1);
    expect([ada, ben].map(({ state }) => state.currentRoom?.block)).toEqual([null, null]);
  });

  test('five times over is no hindrance for somebody who was away', async () => {
    const { browser } = await join('ben');
    browser.crash();
    for (let n = 0; n < 5; n++) {
      room().rotationDue = true;
      await ada.send(`turn ${n}`);
      await see(ada, (state) => shows(`turn ${n}`)(state) && settled(state));
    }
    const ben = await browser.open();
    await openGeneral(ben);
    await see(ben, shows('turn 4'));
    const texts = messages(ben.state).map(({ text }) => text);
    expect(texts).toEqual([0, 1, 2, 3, 4].map((n) => `turn ${n}`));
    await ben.send('back again');
    await see(ada, shows('back again'));
    expect(ben.state.currentRoom?.timeline.some(({ kind }) => kind === 'gap')).toBe(false);
  });
});

test('hints are switched on by an epoch, and then tell the box whom a message names', async () => {
  const { app: ben } = await join('ben');
  const sent = (): ReturnType<typeof parseWire> => {
    const stored = room().events.findLast(({ class: kind }) => kind === 'event');
    return parseWire(stored?.bytes ?? new Uint8Array());
  };
  await ada.send('@ben are you there?');
  await see(ben, shows('@ben are you there?'));
  expect(sent()).toMatchObject({ kind: 1, notify: [] });
  const before = room().bundles.length;
  await ada.keys.setHints(general, true);
  await ada.keys.setHints(general, true);
  expect(room().bundles.length).toBe(before + 1);
  await see(ada, ({ currentRoom }) => currentRoom?.readers.hints === true);
  await ada.send('@ben hello?');
  const state = await see(ben, shows('@ben hello?'));
  expect(sent()).toMatchObject({ kind: 4, notify: [user('ben').id] });
  expect(messages(state).map(({ mentionsMe }) => mentionsMe)).toEqual([true, true]);
});

describe('a lost device', () => {
  test('is answered by new keys in every room, and nobody is asked anything', async () => {
    const { app: ben } = await join('ben');
    await ben.send('before');
    const attic = await ben.createRoom({ name: 'Attic', type: 'private', sealing: 'sealed' });
    const before = listedPrint('ben');
    await expect(ben.keys.renew('a guess')).rejects.toMatchObject({ message: /password/ });
    await ben.keys.renew('battery staple');
    expect(listedPrint('ben')).not.toBe(before);
    expect(head().reason).toBe('card');
    const other = house.rooms.get(parseId(attic))?.bundles ?? [];
    expect(other.length).toBe(2);
    await ben.openRoom(general);
    await ben.send('after');
    const state = await see(ada, (now) => shows('before')(now) && shows('after')(now));
    expect(state.currentRoom?.block).toBeNull();
    const pin = state.currentRoom?.readers.people.find(({ person }) => person.name === 'ben');
    expect(pin?.pin).toBe('vouched');
    // The password opens the new keys, and what was written under the old ones.
    const phone = await new Browser(house, clock).open();
    await phone.login({ name: 'ben', password: 'battery staple' });
    await see(phone, ({ connection, rooms }) => {
      return connection.kind === 'online' && rooms.length === 2;
    });
    await phone.openRoom(general);
    await see(phone, (now) => shows('before')(now) && shows('after')(now));
  });
});

describe('keys that begin anew', () => {
  /** Ben has neither password nor sheet left: a login of his makes other keys. */
  async function benBeginsAnew(): Promise<App> {
    Object.assign(user('ben'), { vault: null, vaultVersion: 0 });
    const app = await new Browser(house, clock).open();
    await app.login({ name: 'ben', password: 'battery staple' });
    app.recoverySheetKept();
    await see(app, ({ connection, rooms }) => connection.kind === 'online' && rooms.length > 0);
    await app.openRoom(general);
    return app;
  }

  test('wait for one tap of one member; the others read on, and send after a tap', async () => {
    const { browser } = await join('ben');
    const { app: cleo } = await join('cleo');
    browser.crash();
    const anew = await benBeginsAnew();
    await see(anew, ({ currentRoom }) => currentRoom?.block === 'waiting_for_key');
    // Ada's next message makes the epoch that is due, and shows her what there is to accept.
    const before = listedPrint('ben');
    await ada.send('is that you?');
    const offered = await see(ada, ({ currentRoom }) => currentRoom?.readers.changed.length === 1);
    expect(offered.currentRoom?.block).toBeNull();
    expect(offered.currentRoom?.readers.changed[0]?.offered).not.toBeNull();
    expect(listedPrint('ben')).toBe(before);

    await ada.keys.accept(user('ben').id);
    expect(listedPrint('ben')).not.toBe(before);
    await see(anew, shows('is that you?'));
    await anew.send('yes');
    await see(ada, shows('yes'));
    expect(ada.state.currentRoom?.readers.changed).toEqual([]);

    const blocked = await see(cleo, (state) => {
      return state.currentRoom?.block === 'changed_keys' && shows('yes')(state);
    });
    const [changed] = blocked.currentRoom?.readers.changed ?? [];
    expect(changed).toMatchObject({ pin: 'changed', person: { name: 'ben' }, by: { name: 'ada' } });
    const mark = messages(blocked).find(({ text }) => text === 'yes')?.marks;
    expect(mark).toEqual(['changed_card']);
    await cleo.send('hello ben');
    expect(room().events.length).toBe(
      room().events.filter(({ sender }) => sender !== user('cleo').id).length,
    );
    await cleo.keys.accept(user('ben').id);
    await see(anew, shows('hello ben'));
    expect(cleo.state.currentRoom?.block).toBeNull();
  });
});
