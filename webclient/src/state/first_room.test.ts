// A new browser's first room: read while the connection still comes about, and nothing missed by that.
import { beforeEach, expect, test } from 'vitest';
import { parseId } from '../protocol/ids';
import type { Transport } from '../session/transport';
import { Browser } from '../testing/browser';
import { elapsing, FakeClock, until } from '../testing/clock';
import { FakeHouse } from '../testing/house';
import { foundHouse, messages, settled, shows, type Founder } from '../testing/screens';
import type { App, AppState } from './model';

let clock: FakeClock;
let house: FakeHouse;
let founder: Founder;

beforeEach(async () => {
  clock = new FakeClock();
  house = new FakeHouse(clock);
  founder = await foundHouse(house, clock);
  await founder.app.send('dinner at seven');
  await until(founder.app, (state) => shows('dinner at seven')(state) && settled(state));
});

/** A new browser of the same person, whose connection comes about when `connect` is called. */
async function arriving(): Promise<{ app: App; connect: () => void }> {
  let connect = (): void => undefined;
  const wire = new Promise<void>((resolve) => (connect = resolve));
  const transport = house.transport.bind(house);
  house.transport = (): Transport => ({
    open: async (login, subscriptions, events) => {
      // As over the real wire: asked for at once, sent when it stands.
      const wanted = subscriptions();
      await wire;
      return transport().open(login, () => wanted, events);
    },
  });
  const app = await new Browser(house, clock).open();
  await app.login({ name: 'ada', password: 'correct horse' });
  return { app, connect };
}

const readable = (state: AppState): boolean => state.currentRoom?.block === null;

async function openFirst(app: App): Promise<void> {
  await until(app, ({ rooms }) => rooms.length > 0);
  await app.openRoom(founder.general);
  await until(app, (state) => readable(state) && shows('dinner at seven')(state));
}

test('is read before the connection stands', async () => {
  const { app, connect } = await arriving();
  await openFirst(app);
  expect(app.state.connection.kind).toBe('connecting');
  connect();
  await until(app, ({ connection }) => connection.kind === 'online');
});

test('has what was written after its page was read and before the connection stood', async () => {
  const { app, connect } = await arriving();
  await openFirst(app);
  for (const text of ['or at eight', 'who cooks?']) {
    await founder.app.send(text);
    await until(founder.app, (state) => shows(text)(state) && settled(state));
  }
  connect();
  await until(app, shows('who cooks?'));
  expect(messages(app.state).map(({ text }) => text)).toEqual([
    'dinner at seven',
    'or at eight',
    'who cooks?',
  ]);
  expect(app.state.currentRoom?.timeline.some(({ kind }) => kind === 'gap')).toBe(false);
});

test('comes with the connection where it could not be read before', async () => {
  const { fetch } = house;
  let away = true;
  house.fetch = async (path, init) => {
    if (away && path.includes('/messages')) throw new TypeError('network');
    return fetch(path, init);
  };
  const { app, connect } = await arriving();
  await until(app, ({ rooms }) => rooms.length > 0);
  await app.openRoom(founder.general);
  away = false;
  connect();
  const state = await elapsing(clock, app, shows('dinner at seven'));
  expect(state.problem).toBeNull();
});

test('holds up no other: the rest of the rooms comes with the connection', async () => {
  const attic = await founder.app.createRoom({
    name: 'Attic',
    type: 'private',
    sealing: 'sealed',
  });
  await founder.app.openRoom(attic);
  await founder.app.send('old lamps');
  await until(founder.app, (state) => shows('old lamps')(state) && settled(state));
  const { app, connect } = await arriving();
  await openFirst(app);
  expect(app.state.rooms.map(({ name }) => name)).toContain('Attic');
  connect();
  await app.openRoom(parseId(attic));
  await until(app, shows('old lamps'));
});
