// Files that were chosen and not sent, over reloads, log-outs and rooms that are gone.
import { beforeEach, expect, test } from 'vitest';
import { parseId } from '../protocol/ids';
import { FakeClock, until } from '../testing/clock';
import { FakeHouse } from '../testing/house';
import { foundHouse, messages, openGeneral, shows, type Founder } from '../testing/screens';
import { trayOf, type FilesState, type StagedFile } from './files_model';
import type { App } from './model';

let house: FakeHouse;
let founded: Founder;

beforeEach(async () => {
  const clock = new FakeClock();
  house = new FakeHouse(clock);
  founded = await foundHouse(house, clock);
});

const text = (name: string): File =>
  new File([`the words of ${name}`], name, { type: 'text/plain' });

function stateOf(app: App): FilesState {
  let state: FilesState = { trays: {}, progress: {} };
  app.files.subscribe((now) => (state = now))();
  return state;
}

/** What lies in a tray, once so many do. */
async function lying(app: App, tray: string, many: number): Promise<readonly StagedFile[]> {
  const files = { state: stateOf(app), subscribe: app.files.subscribe.bind(app.files) };
  const state = await until(files, ({ trays }) => (trays[tray]?.length ?? 0) === many);
  return state.trays[tray] ?? [];
}

/** What this browser keeps of trays, once so many are kept. */
async function kept(many: number): Promise<void> {
  const { shelf } = founded.browser;
  for (let n = 0; n < 1_000; n += 1) {
    if ((await shelf.list('files', { prefix: 'tray/' })).length === many) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('not kept');
}

async function reloaded(): Promise<App> {
  founded.browser.crash();
  const app = await founded.browser.open();
  await openGeneral(app);
  return app;
}

test('lie in their tray again after a reload, in their order, and are sent once', async () => {
  const { app, general } = founded;
  await app.files.choose(general, [text('a.txt'), text('b.txt'), text('c.txt')]);
  await kept(3);
  const again = await reloaded();
  const files = await lying(again, general, 3);
  expect(files.map(({ name }) => name)).toEqual(['a.txt', 'b.txt', 'c.txt']);
  again.files.drop(general, files[1]?.id ?? '');
  await kept(2);
  await again.send('here they are');
  await until(again, shows('here they are'));
  const [sent] = messages(again.state);
  expect(sent?.attachments.map(({ name }) => name)).toEqual(['a.txt', 'c.txt']);
  await kept(0);
  expect(await lying(await reloaded(), general, 0)).toEqual([]);
});

test('of an answer lie in its own tray', async () => {
  const { app, general } = founded;
  const tray = trayOf(general, house.newId());
  await app.files.choose(tray, [text('a.txt')]);
  await kept(1);
  const again = await reloaded();
  expect(await lying(again, tray, 1)).toMatchObject([{ name: 'a.txt' }]);
  expect(await lying(again, general, 0)).toEqual([]);
});

test('of a room that is gone are given up', async () => {
  const { app, browser, general } = founded;
  await app.files.choose(general, [text('a.txt')]);
  await kept(1);
  const attic = parseId(house.newId());
  const { shelf } = browser;
  const [row] = await shelf.list('files', { prefix: 'tray/' });
  const [about] = await shelf.list('meta', { prefix: 'tray/' });
  const bytes = new TextEncoder().encode(
    JSON.stringify({ tray: attic, name: 'z.txt', type: '', original: false }),
  );
  await shelf.write([
    { put: 'files', key: 'tray/z', value: row },
    { put: 'meta', key: 'tray/z', value: { ...Object(about), key: 'z', about: bytes } },
  ]);
  const again = await reloaded();
  expect(await lying(again, general, 1)).toMatchObject([{ name: 'a.txt' }]);
  await kept(1);
});

test('are wiped by a log-out', async () => {
  const { app, browser, general } = founded;
  await app.files.choose(general, [text('a.txt')]);
  await kept(1);
  await app.logout();
  await kept(0);
  const again = await browser.open();
  await again.login({ name: 'ada', password: 'correct horse' });
  await openGeneral(again);
  expect(await lying(again, general, 0)).toEqual([]);
});
