// People and alerts against a box in memory: direct rooms, letting in, contacts, blocks, doorbells.
import { beforeEach, describe, expect, test } from 'vitest';
import { parseId } from '../protocol/ids';
import { Browser } from '../testing/browser';
import { FakeClock, until } from '../testing/clock';
import { FakeHouse } from '../testing/house';
import { foundHouse, openGeneral, shows } from '../testing/screens';
import type { App } from './model';
import type { Alert, Profile } from './people_model';

let clock: FakeClock;
let house: FakeHouse;
let ada: App;
let ben: App;
let general: string;

const idOf = (name: string): string => house.userByName(name)?.id ?? '';

async function newcomer(name: string): Promise<App> {
  const { link } = await ada.makeInvite(general, 1);
  const url = new URL(link);
  const app = await new Browser(house, clock).open(url.pathname, url.hash);
  await app.join({ name, password: 'battery staple' });
  app.recoverySheetKept();
  await openGeneral(app);
  return app;
}

beforeEach(async () => {
  clock = new FakeClock();
  house = new FakeHouse(clock);
  ({ app: ada, general } = await foundHouse(house, clock));
  ben = await newcomer('ben');
  await ada.people.refresh();
});

const seen = (app: App, name: string): Profile | undefined =>
  app.people.state.everyone.find(({ person }) => person.name === name);

describe('a direct room', () => {
  test('is sealed to both from its first bundle on, and made once', async () => {
    const room = await ada.people.direct(idOf('ben'));
    expect(house.rooms.get(parseId(room))).toMatchObject({ type: 'direct', sealing: 'sealed' });
    expect(house.rooms.get(parseId(room))?.bundles).toHaveLength(1);
    await ada.openRoom(room);
    await until(ada, ({ currentRoom }) => currentRoom?.block === null);
    await ada.send('only for you');
    await until(ada, shows('only for you'));
    house.ring(parseId(idOf('ben')), { type: 'contact' });
    await until(ben, ({ rooms }) => rooms.some(({ id }) => id === room));
    expect(await ben.people.direct(idOf('ada'))).toBe(room);
    await ben.openRoom(room);
    await until(ben, shows('only for you'));
    expect(await ada.people.direct(idOf('ben'))).toBe(room);
  });

  test('is not made with somebody who has no keys', async () => {
    const id = house.newId();
    const ben = house.userByName('ben');
    if (ben === undefined) throw new Error('ben is here');
    house.users.set(id, { ...ben, id, name: 'cleo', cards: [] });
    await expect(ada.people.direct(idOf('cleo'))).rejects.toThrow(/no keys/);
  });
});

test('who is let into a sealed room by hand reads what was written before', async () => {
  const room = await ada.createRoom({ name: 'Garden', type: 'private', sealing: 'sealed' });
  await ada.openRoom(room);
  await until(ada, ({ currentRoom }) => currentRoom?.block === null);
  await ada.send('the roses are in');
  await until(ada, shows('the roses are in'));
  await ada.people.rooms.add(room, idOf('ben'));
  house.ring(parseId(idOf('ben')), { type: 'contact' });
  await until(ben, ({ rooms }) => rooms.some(({ id }) => id === room));
  await ben.openRoom(room);
  await until(ben, shows('the roses are in'));
  expect(ada.state.currentRoom?.members.map(({ key }) => key)).toEqual(['listed', 'listed']);
});

test('two see the same digits; once compared they are checked, other digits are refused', async () => {
  const [one, other] = [
    await ada.people.compare(idOf('ben')),
    await ben.people.compare(idOf('ada')),
  ];
  expect(one?.digits).toMatch(/^\d{60}$/);
  expect(other?.digits).toBe(one?.digits);
  await expect(ada.people.checked(idOf('ben'), '0'.repeat(60))).rejects.toThrow();
  await ada.people.checked(idOf('ben'), one?.digits ?? '');
  expect(ada.people.profile(idOf('ben')).pin).toBe('verified');
});

test('contacts are asked, accepted and ended; the blocked are hidden from each other', async () => {
  await ada.people.befriend(idOf('ben'));
  await until(ada.people, () => seen(ada, 'ben')?.contact === 'asked');
  await ben.people.refresh();
  await until(ben.people, () => seen(ben, 'ada')?.contact === 'asks');
  await ben.people.befriend(idOf('ada'));
  await until(ben.people, () => seen(ben, 'ada')?.contact === 'accepted');
  await ben.people.part(idOf('ada'));
  await until(ben.people, () => seen(ben, 'ada')?.contact === 'none');
  await ada.people.block(idOf('ben'));
  await until(ada.people, () => seen(ada, 'ben')?.blocked === true);
  await ben.people.refresh();
  await until(ben.people, () => seen(ben, 'ada') === undefined);
});

test('presence comes live, with the words somebody chose', async () => {
  const topic = `hearth/users/${idOf('ben')}/presence`;
  const told = { status: 'busy', last_seen: 7, status_text: 'cooking' };
  house.ring(parseId(idOf('ada')), told, topic);
  await until(ada.people, () => seen(ada, 'ben')?.presence === 'busy');
  expect(seen(ada, 'ben')).toMatchObject({ statusText: 'cooking', lastSeen: 7 });
});

test('a direct chat says whom it is with, and as they come and go', async () => {
  const room = await ada.people.direct(idOf('ben'));
  const other = (): unknown => ada.state.rooms.find(({ id }) => id === room)?.other;
  await until(ada, () => other() !== undefined);
  expect(other()).toMatchObject({ person: { name: 'ben' } });
  const topic = `hearth/users/${idOf('ben')}/presence`;
  for (const status of ['away', 'online', 'offline']) {
    house.ring(parseId(idOf('ada')), { status, last_seen: 7 }, topic);
    await until(ada, ({ rooms }) => rooms.some((one) => one.other?.presence === status));
  }
  expect(ada.state.rooms.find(({ id }) => id === general)?.other).toBeNull();
});

describe('alerts', () => {
  const alert = (fields = {}): void =>
    house.alert(parseId(idOf('ada')), {
      type: 'direct_message',
      room_id: general,
      by: idOf('ben'),
      position: 1,
      ...fields,
    });

  test('ring live, are counted, and are read one by one or all at once', async () => {
    for (const content of ['one', 'two', 'three']) alert({ content });
    const state = await until(ada.people, ({ unread }) => unread === 3);
    const [first] = state.notices;
    await ada.people.readNotice(first?.id ?? '');
    await until(ada.people, ({ unread }) => unread === 2);
    house.ring(parseId(idOf('ada')), { type: 'notifications_read', id: null, unread: 0 });
    const all = await until(ada.people, ({ unread }) => unread === 0);
    expect(all.notices.every(({ read }) => read)).toBe(true);
  });

  test('without words get those of the message, if this browser opened it', async () => {
    await ben.openRoom(general);
    await ben.send('soup is ready');
    await until(ada, shows('soup is ready'));
    const message = ada.state.currentRoom?.timeline.at(-1)?.id;
    alert({ message_id: message, content: null });
    const { notices } = await until(ada.people, ({ unread }) => unread === 1);
    expect(notices[0]).toMatchObject({ text: 'soup is ready', roomName: 'General' });
  });

  test('are found by the client where the box cannot read: a mention in a sealed room', async () => {
    const alerted = new Promise<Alert>((tell) => ada.people.onAlert(tell));
    await ben.send('hello');
    await until(ada, shows('hello'));
    ada.closeRoom();
    await ben.send('@ada, come');
    const { notices } = await until(ada.people, ({ unread }) => unread === 1);
    expect(notices[0]).toMatchObject({ kind: 'mention', text: '@ada, come' });
    expect(await alerted).toMatchObject({ kind: 'mention', by: { name: 'ben' } });
    await ada.people.readNotice(notices[0]?.id ?? '');
    await until(ada.people, ({ unread }) => unread === 0);
  });
});
