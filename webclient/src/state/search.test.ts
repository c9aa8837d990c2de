// Searching sealed rooms: what came, what was there before, what was edited and deleted; after a reload.
import { beforeEach, expect, test } from 'vitest';
import { HistoryStore } from '../local/history';
import { parseId } from '../protocol/ids';
import { Browser } from '../testing/browser';
import { FakeClock, until } from '../testing/clock';
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
import type { Results, Sought } from './search_model';

/** Turns are over at once where the threads that verify are busy: the wait is one of time. */
const PATIENCE_MS = 50_000;

let clock: FakeClock;
let house: FakeHouse;

beforeEach(() => {
  clock = new FakeClock();
  house = new FakeHouse(clock);
});

const sought = (text: string, more: Partial<Sought> = {}): Sought => ({
  text,
  room: null,
  sender: null,
  from: null,
  to: null,
  link: false,
  file: false,
  ...more,
});

/** Lets the index go on until it knows everything. */
async function search(app: App, text: string, more?: Partial<Sought>): Promise<Results> {
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end;) {
    const results = await app.reading.find(sought(text, more), 20);
    if (results.coverage.complete) return results;
    clock.elapse(500);
    await new Promise((next) => setImmediate(next));
  }
  throw new Error('the index never knew everything');
}

/** What the box has is here, and opened. */
async function echoed({ browser, general }: Founder): Promise<void> {
  const room = parseId(general);
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end;) {
    const kept = await new HistoryStore(browser.shelf).cursor(room);
    if (kept?.high === house.rooms.get(room)?.events.length) return;
    await new Promise((next) => setImmediate(next));
  }
  throw new Error('not all of the room came');
}

const texts = ({ found }: Results): string[] => found.map(({ hit }) => hit.text);

async function founder(): Promise<Founder> {
  const made = await foundHouse(house, clock);
  for (const text of ['soup at noon', 'Crème brûlée', 'bring spoons']) {
    await made.app.send(text);
    await until(made.app, shows(text));
    // Its echo is here, too.
    await until(made.app, (state) => messages(state).every(({ position }) => position !== null));
  }
  return made;
}

test('finds what was written, with what stands before and after it', async () => {
  const { app } = await founder();
  const results = await search(app, 'creme');
  expect(texts(results)).toEqual(['Crème brûlée']);
  expect(results.found[0]).toMatchObject({
    before: { text: 'soup at noon', name: 'ada' },
    after: { text: 'bring spoons' },
    terms: ['creme'],
  });
  expect(texts(await search(app, 'soup', { to: 1 }))).toEqual([]);
});

test('an edited message is found by its new words, a deleted one not at all', async () => {
  const made = await founder();
  const { app } = made;
  const idOf = (text: string): string =>
    messages(app.state).find((item) => item.text === text)?.id ?? '';
  await search(app, 'soup');
  await app.edit(idOf('soup at noon'), 'stew at one');
  await until(app, (state) => shows('stew at one')(state) && settled(state));
  await app.remove(idOf('bring spoons'));
  await until(app, (state) => !shows('bring spoons')(state));
  await echoed(made);
  expect(texts(await search(app, 'soup'))).toEqual([]);
  expect(texts(await search(app, 'stew'))).toEqual(['stew at one']);
  expect(texts(await search(app, 'spoons'))).toEqual([]);
});

test('a new browser indexes what was there before it, to the first message', async () => {
  await founder();
  const app = await new Browser(house, clock).open();
  await app.login({ name: 'ada', password: 'correct horse' });
  await openGeneral(app);
  expect(texts(await search(app, 'spoon'))).toEqual(['bring spoons']);
});

test('the index is there after a reload without the network, sealed; log-out leaves nothing', async () => {
  const { app, browser } = await founder();
  await search(app, 'soup');
  await until(app, settled);
  clock.elapse(60_000);
  await new Promise((next) => setImmediate(next));
  house.down = true;
  house.cut();
  const again = await browser.open();
  const { found } = await again.reading.find(sought('soup'), 20);
  expect(found.map(({ hit }) => hit.text)).toEqual(['soup at noon']);
  await again.logout();
  expect(await browser.shelf.list('meta', { prefix: 'search/' })).toEqual([]);
});
