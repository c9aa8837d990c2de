// The main job against a box in memory: set-up, invite, join, chat, a third browser, a machine.
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { fromUtf8, utf8 } from '../protocol/bytes';
import { parseId } from '../protocol/ids';
import { recipient, sealFile } from '../sealing/agefile';
import { parseBundle } from '../sealing/bundle';
import { Browser } from '../testing/browser';
import { FakeClock, PATIENCE, until } from '../testing/clock';
import { FakeHouse } from '../testing/house';
import {
  foundHouse,
  messages,
  openGeneral,
  settled,
  shows,
  type Founder,
} from '../testing/screens';
import type { App } from './model';

let clock: FakeClock;
let house: FakeHouse;

beforeEach(() => {
  clock = new FakeClock();
  house = new FakeHouse(clock);
});

const founder = (): Promise<Founder> => foundHouse(house, clock);

async function newcomer(
  app: App,
  room: string,
  name: string,
): Promise<{ app: App; browser: Browser }> {
  const { link } = await app.makeInvite(room, 3);
  const url = new URL(link);
  const browser = new Browser(house, clock);
  const theirs = await browser.open(url.pathname, url.hash);
  expect(theirs.state.phase).toBe('join');
  expect(theirs.state.invitation).toMatchObject({ house: 'Our house', inviter: 'ada' });
  await theirs.join({ name, password: 'battery staple' });
  await openGeneral(theirs);
  return { app: theirs, browser };
}

test('set-up shows a recovery sheet, once', async () => {
  const app = await new Browser(house, clock).open('/setup', `#${'x'.repeat(22)}`);
  expect(app.state.phase).toBe('setup');
  await app.setUp({ house: 'Our house', name: 'ada', password: 'correct horse' });
  expect(app.state.recoverySheet?.identity).toMatch(/^AGE-SECRET-KEY-1/);
  app.recoverySheetKept();
  expect(app.state.recoverySheet).toBeNull();
});

describe('two people', () => {
  test('chat sealed; the newcomer reads what was before; a third browser reads it all', async () => {
    const { app: ada, general } = await founder();
    await ada.send('dinner at seven');
    await until(ada, shows('dinner at seven'));
    const { app: ben } = await newcomer(ada, general, 'ben');
    await until(ben, shows('dinner at seven'));
    await ben.send('I bring bread');
    await Promise.all([until(ada, shows('I bring bread')), until(ben, settled)]);

    const phone = await new Browser(house, clock).open();
    expect(phone.state.phase).toBe('login');
    await phone.login({ name: 'ben', password: 'battery staple' });
    await openGeneral(phone);
    await until(phone, shows('dinner at seven'));
    await until(phone, shows('I bring bread'));
    const shown = messages(phone.state).map(({ sender, text }) => [sender.name, text]);
    expect(shown).toEqual([
      ['ada', 'dinner at seven'],
      ['ben', 'I bring bread'],
    ]);
    expect(phone.state.currentRoom?.timeline.some(({ kind }) => kind === 'gap')).toBe(false);
  });

  test('see edits, reactions and deletions; nobody changes another’s words', async () => {
    const { app: ada, general } = await founder();
    const { app: ben } = await newcomer(ada, general, 'ben');
    await ada.send('soup');
    const target = messages(await until(ben, shows('soup')))[0]?.id ?? '';
    await ben.react(target, '👍', true);
    await ben.edit(target, 'salad');
    await ada.edit(target, 'stew');
    const edited = await until(ada, (state) => settled(state) && shows('stew')(state));
    await until(ada, (state) => messages(state)[0]?.reactions.length === 1);
    expect(messages(edited)[0]).toMatchObject({ text: 'stew', edited: true });
    await ada.remove(target);
    await until(ben, (state) => messages(state)[0]?.deleted === true);
  });

  test('the box holds no word of it', async () => {
    const { app: ada } = await founder();
    await ada.send('the canary sings');
    await until(ada, shows('the canary sings'));
    const stored = [...house.rooms.values()].flatMap(({ events }) => events);
    const texts = stored.map(({ bytes }) => Buffer.from(bytes).toString('latin1'));
    expect(texts.length).toBeGreaterThan(1);
    for (const text of texts) expect(text).not.toContain('canary');
  });
});

describe('the login', () => {
  test('survives reload, and history is there before the network is', async () => {
    const { app: ada, browser, general } = await founder();
    await ada.send('still here');
    await until(ada, shows('still here'));
    browser.crash();
    house.down = true;
    const again = await browser.open();
    expect(again.state.phase).toBe('ready');
    await again.openRoom(general);
    await until(again, shows('still here'));
    expect(again.state.connection.kind).not.toBe('online');
  });

  test('refuses a wrong password, and log-out leaves nothing behind', async () => {
    const { app: ada, browser } = await founder();
    const phone = await new Browser(house, clock).open();
    await expect(phone.login({ name: 'ada', password: 'guess' })).rejects.toMatchObject({
      code: 'wrong_login',
    });
    await ada.logout();
    expect(ada.state).toMatchObject({ phase: 'login', me: null, rooms: [], currentRoom: null });
    const kept = await browser.shelf.list('outbox', { prefix: '' });
    expect(kept).toEqual([]);
  });

  test('refuses a vault older than the one this browser has seen', async () => {
    const { app: ada, browser } = await founder();
    const user = house.userByName('ada');
    if (user === undefined) throw new Error('no ada');
    const before = user.vault;
    clock.elapse(5_000);
    await vi.waitFor(() => expect(user.vaultVersion).toBe(2), PATIENCE);
    await ada.send('the vault knows this room');
    await until(ada, settled);
    browser.crash();
    [user.vault, user.vaultVersion] = [before, 1];
    const again = await browser.open();
    await until(again, ({ problem }) => problem?.code === 'vault_rolled_back');
  });

  test('in two browsers keeps one vault, merged', async () => {
    await founder();
    const phone = await new Browser(house, clock).open();
    await phone.login({ name: 'ada', password: 'correct horse' });
    await openGeneral(phone);
    const rooms = ['Attic', 'Cellar'];
    const founded = house.userByName('ada');
    if (founded === undefined) throw new Error('no ada');
    for (const name of rooms) await phone.createRoom({ name, type: 'private', sealing: 'sealed' });
    await vi.waitFor(() => {
      clock.elapse(5_000);
      expect(founded.vaultVersion).toBeGreaterThan(2);
    }, PATIENCE);
    const third = await new Browser(house, clock).open();
    await third.login({ name: 'ada', password: 'correct horse' });
    const state = await until(third, (now) => now.rooms.length === 3);
    expect(state.rooms.map(({ name }) => name).sort()).toEqual(['Attic', 'Cellar', 'General']);
    expect(state.problem).toBeNull();
  });

  test('of an account made on the box makes its identity at the first browser', async () => {
    const { app: ada, general } = await founder();
    await newcomer(ada, general, 'ben');
    const ben = house.userByName('ben');
    if (ben === undefined) throw new Error('no ben');
    // As `user add` leaves it: a login, no vault, no card.
    ben.vault = null;
    ben.vaultVersion = 0;
    ben.cards.length = 0;
    const room = house.rooms.get(parseId(general));
    const first = await new Browser(house, clock).open();
    await first.login({ name: 'ben', password: 'battery staple' });
    expect(first.state.recoverySheet?.name).toBe('ben');
    expect(ben.vault).not.toBeNull();
    expect(room?.members.has(ben.id)).toBe(true);
  });
});

describe('a machine', () => {
  test('posts to a sealed room with the line that the panel gives', async () => {
    const { app: ada, general } = await founder();
    const { id, lines } = await ada.addDevice(general, 'washer');
    const line = lines[0]?.line ?? '';
    const door = String.raw`-q 1 -t hearth/rooms/\S+/door/\S+ -u \S+ -P hearth_dev_x -s`;
    const pub = String.raw`mosquitto_pub -h 127\.0\.0\.1 -p 1883 ${door}`;
    const whole = String.raw`^echo "Washing done" \| age -r age1\S+ \| ${pub}$`;
    expect(line).toMatch(new RegExp(whole));
    const to = recipient(/age1\S+/.exec(line)?.[0] ?? '');
    const room = house.rooms.get(parseId(general));
    if (room === undefined) throw new Error('no room');
    house.post(room, parseId(id), await sealFile([to], utf8('Washing done\n')));
    const state = await until(
      ada,
      ({ currentRoom }) => currentRoom?.timeline.some(({ kind }) => kind === 'post') === true,
    );
    const post = state.currentRoom?.timeline.find((item) => item.kind === 'post');
    expect(post).toMatchObject({ text: 'Washing done', sealedBy: 'device', oldKey: false });
    await until(ada, ({ currentRoom }) => {
      const item = currentRoom?.timeline.find(({ kind }) => kind === 'post');
      return item?.kind === 'post' && item.device.name === 'washer';
    });
    await ada.removeDevice(general, id);
    await until(ada, ({ currentRoom }) => currentRoom?.devices.length === 0);
    const before = state.currentRoom?.timeline.find(({ kind }) => kind === 'post');
    expect(before).toMatchObject({ oldKey: false });
  });

  test('is told when its door was renewed, for what it posts from then on', async () => {
    const { app: ada, general } = await founder();
    const { app: ben } = await newcomer(ada, general, 'ben');
    const { app: cleo } = await newcomer(ada, general, 'cleo');
    const { id } = await ada.addDevice(general, 'washer');
    const room = house.rooms.get(parseId(general));
    if (room === undefined) throw new Error('no room');
    const line = async (): Promise<string> =>
      (await ada.deviceLines(general, id)).lines[0]?.line ?? '';
    const post = async (by: string, text: string): Promise<void> => {
      const to = recipient(/age1\S+/.exec(by)?.[0] ?? '');
      clock.elapse(1_000);
      house.post(room, parseId(id), await sealFile([to], utf8(text)));
    };
    const first = await line();
    await post(first, 'one');
    clock.elapse(1_000);
    await ada.people.rooms.remove(general, ben.state.me?.id ?? '', '');
    const second = await line();
    expect(second).not.toBe(first);
    await post(first, 'two');
    await post(second, 'three');
    const marks = (app: App = ada): unknown[] =>
      (app.state.currentRoom?.timeline ?? []).flatMap((item) =>
        item.kind === 'post' ? [[item.text, item.oldKey]] : [],
      );
    const all = [
      ['one', false],
      ['two', true],
      ['three', false],
    ];
    await until(ada, () => marks().length === 3);
    expect(marks()).toEqual(all);
    // Another renewal makes nothing right that was late for the one before.
    clock.elapse(1_000);
    await ada.people.rooms.remove(general, cleo.state.me?.id ?? '', '');
    await ada.send('only me now');
    await until(ada, shows('only me now'));
    const anew = await new Browser(house, clock).open();
    await anew.login({ name: 'ada', password: 'correct horse' });
    await openGeneral(anew);
    await until(anew, () => marks(anew).length === 3);
    expect(marks(anew)).toEqual(all);
  });

  test('that has no door yet gets one with its lines', async () => {
    const { app: ada, general } = await founder();
    const { app: ben } = await newcomer(ada, general, 'ben');
    const room = house.rooms.get(parseId(general));
    const id = parseId('019a0000-0000-7000-8000-000000000001');
    room?.devices.push({ id, name: 'oven', plain: 'refuse' });
    for (const one of [ada, ben]) {
      const { lines } = await one.deviceLines(general, id);
      const { doors } = parseBundle(room?.bundles.at(-1) ?? utf8('')).header;
      expect(lines[0]?.line).toContain(`| age -r ${doors[0]?.[1]} | mosquitto_pub`);
    }
    const made = room?.bundles.length;
    await ben.deviceLines(general, id);
    expect(room?.bundles.length).toBe(made);
    room?.devices.pop();
    const gone = ada.deviceLines(general, '019a0000-0000-7000-8000-000000000002');
    await expect(gone).rejects.toMatchObject({ code: 'no_door' });
    expect(room?.bundles.length).toBe(made);
  });

  test('that cannot seal has the box do it, and each post says so', async () => {
    const { app: ada, general } = await founder();
    const made = await ada.addDevice(general, 'boiler', true);
    expect(made.seals).toBe(false);
    expect(made.lines.map(({ kind }) => kind)).toEqual(['mqtt', 'https']);
    expect(made.lines[0]?.line).toMatch(/-m "Washing done"$/);
    const room = house.rooms.get(parseId(general));
    if (room === undefined) throw new Error('no room');
    const { doors } = parseBundle(room.bundles.at(-1) ?? utf8('')).header;
    const door = doors.find(([device]) => device === made.id)?.[1];
    if (door === undefined) throw new Error('no door');
    const post = JSON.stringify({ text: '61 °C', title: 'Boiler', box: true });
    house.post(room, parseId(made.id), await sealFile([door], utf8(post)));
    const state = await until(
      ada,
      ({ currentRoom }) => currentRoom?.timeline.some(({ kind }) => kind === 'post') === true,
    );
    const shown = state.currentRoom?.timeline.find((item) => item.kind === 'post');
    expect(shown).toMatchObject({ text: '61 °C', title: 'Boiler', sealedBy: 'box', oldKey: false });
    const plain = (): boolean[] =>
      (ada.state.currentRoom?.devices ?? []).map((device) => device.plain);
    expect(plain()).toEqual([true]);
    expect(ada.state.currentRoom?.readers?.devices[0]?.plain).toBe(true);
    expect((await ada.deviceLines(general, made.id)).seals).toBe(false);
    await ada.sealForDevice(general, made.id, false);
    expect(plain()).toEqual([false]);
    const { seals, lines } = await ada.deviceLines(general, made.id);
    expect(seals).toBe(true);
    expect(lines[0]?.line).toContain(`| age -r ${door} | mosquitto_pub`);
    expect(lines[0]?.line).toMatch(/-P TOKEN -s$/);
  });

  test('posts in clear to an open room', async () => {
    const { app: ada } = await founder();
    const id = await ada.createRoom({ name: 'Kitchen', type: 'public', sealing: 'open' });
    await ada.openRoom(id);
    await ada.send('hello');
    await until(ada, shows('hello'));
    const room = house.rooms.get(parseId(id));
    if (room === undefined) throw new Error('no room');
    expect(room.events.some(({ bytes }) => fromUtf8(bytes).includes('hello'))).toBe(true);
    const device = await ada.addDevice(id, 'oven');
    expect(device.lines.map(({ kind }) => kind)).toEqual(['mqtt', 'https']);
    expect(device.lines[0]?.line).toMatch(/-m "Washing done"$/);
    const post = JSON.stringify({ type: 'post', content: 'Cake ready', priority: 'high' });
    house.post(room, parseId(device.id), utf8(post));
    const state = await until(
      ada,
      ({ currentRoom }) => currentRoom?.timeline.some(({ kind }) => kind === 'post') === true,
    );
    const shown = state.currentRoom?.timeline.find((item) => item.kind === 'post');
    expect(shown).toMatchObject({ text: 'Cake ready', sealedBy: 'box', priority: 'high' });
  });
});

describe('the room’s keys', () => {
  test('are made anew by a member’s client after somebody was removed', async () => {
    const { app: ada, general } = await founder();
    const { app: ben } = await newcomer(ada, general, 'ben');
    const room = house.rooms.get(parseId(general));
    if (room === undefined) throw new Error('no room');
    const before = room.bundles.length;
    await ada.people.rooms.remove(general, ben.state.me?.id ?? '', '');
    expect(room.bundles.length).toBe(before + 1);
    await ada.send('only us now');
    await until(ada, shows('only us now'));
    expect(room.rotationDue).toBe(false);
  });

  test('are not made anew for somebody who has no card yet', async () => {
    const { app: ada, general } = await founder();
    const room = house.rooms.get(parseId(general));
    if (room === undefined) throw new Error('no room');
    // As `user add` makes it: a member of the general room who never signed in.
    const id = house.newId();
    const carl = {
      id,
      name: 'carl',
      login: {},
      profile: {},
      cards: [],
      vault: null,
      vaultVersion: 0,
    };
    house.users.set(id, carl);
    room.members.set(id, 'member');
    house.line(room, { type: 'joined', user: id });
    await until(ada, ({ currentRoom }) => currentRoom?.members.length === 2);
    for (let n = 0; n < 5; n++) {
      await vi.waitFor(() => expect(clock.waiting).toBeGreaterThan(0), PATIENCE);
      clock.elapse(5_000);
      house.line(room, { type: 'joined', user: id });
      await ada.send(`still ${n}`);
      await until(ada, shows(`still ${n}`));
    }
    expect(room.bundles.length).toBe(1);
  });

  test('a refused send makes the epoch that is due and goes out under it', async () => {
    const { app: ada, general } = await founder();
    const room = house.rooms.get(parseId(general));
    if (room === undefined) throw new Error('no room');
    room.rotationDue = true;
    await ada.send('after the turn');
    await until(ada, shows('after the turn'));
    expect(room.bundles.length).toBe(2);
  });
});
