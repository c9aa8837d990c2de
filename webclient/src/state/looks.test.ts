// Colours of rooms: one room's alone, over a reload, gone with a log-out.
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../testing/clock';
import { FakeHouse } from '../testing/house';
import { foundHouse, openGeneral, type Founder } from '../testing/screens';
import type { RoomLooks } from './looks_model';
import type { App } from './model';

let founded: Founder;

beforeEach(async () => {
  const clock = new FakeClock();
  founded = await foundHouse(new FakeHouse(clock), clock);
});

function looksOf(app: App): RoomLooks {
  let looks: RoomLooks = new Map();
  app.looks.subscribe((now) => (looks = now))();
  return looks;
}

/** What this browser keeps of it. */
const kept = (): Promise<unknown[]> => founded.browser.shelf.list('meta', { prefix: 'look/' });

test('a room keeps its colour over a reload; the house’s own is none', async () => {
  const { app, browser, general } = founded;
  app.looks.paint(general, 'moss');
  app.looks.paint('another', 'plum');
  app.looks.paint('another', 'ember');
  expect([...looksOf(app)]).toEqual([[general, 'moss']]);
  browser.crash();
  const again = await browser.open();
  await openGeneral(again);
  expect([...looksOf(again)]).toEqual([[general, 'moss']]);
  expect(await kept()).toHaveLength(1);
});

test('what does not read costs only itself', async () => {
  const { app, browser, general } = founded;
  app.looks.paint(general, 'lake');
  await browser.shelf.write([
    { put: 'meta', key: 'look/x', value: { room: 'x', colour: 'url(evil)' } },
  ]);
  browser.crash();
  const again = await browser.open();
  await openGeneral(again);
  expect([...looksOf(again)]).toEqual([[general, 'lake']]);
});

test('a log-out leaves none', async () => {
  const { app, general } = founded;
  app.looks.paint(general, 'slate');
  await app.logout();
  expect(looksOf(app).size).toBe(0);
  expect(await kept()).toEqual([]);
});

test('who reads that they are out may close the page: nothing is left by then', async () => {
  const { app, browser, general } = founded;
  app.looks.paint(general, 'slate');
  let left: Promise<unknown[]> | null = null;
  app.subscribe(({ phase }) => {
    if (phase === 'login') left ??= browser.shelf.list('meta', { prefix: '' });
  });
  await app.logout();
  // Typed at the last moment, kept no more.
  app.keepDraft(general, 'half a thought');
  expect(await left).toEqual([]);
  expect(await browser.shelf.list('meta', { prefix: '' })).toEqual([]);
});
