// One browser, one person after another: nothing of who was here before is there for who comes.
import { beforeEach, describe, expect, test } from 'vitest';
import { parseId } from '../protocol/ids';
import { parseWire } from '../sealing/event';
import { Browser } from '../testing/browser';
import { elapsing, FakeClock, until } from '../testing/clock';
import { FakeHouse } from '../testing/house';
import { foundHouse, openGeneral, settled, shows, type Founder } from '../testing/screens';

let clock: FakeClock;
let house: FakeHouse;
let founder: Founder;

beforeEach(async () => {
  clock = new FakeClock();
  house = new FakeHouse(clock);
  founder = await foundHouse(house, clock);
});

/** Ada leaves a draft, a room and a message that never went out; her page cannot wake again. */
async function leftBehind(): Promise<{ link: URL; attic: string }> {
  const { app, browser, general } = founder;
  const { link } = await app.makeInvite(general, 3);
  const attic = await app.createRoom({ name: 'Attic', type: 'private', sealing: 'open' });
  app.keepDraft(general, 'dear diary');
  await app.openRoom(attic);
  await app.send('in the open attic');
  await until(app, (state) => settled(state) && shows('in the open attic')(state));
  house.down = true;
  house.cut();
  await until(app, ({ connection }) => connection.kind === 'offline');
  await app.openRoom(general);
  await app.send('never sent');
  browser.crash();
  await browser.safe.wipe();
  house.down = false;
  return { link: new URL(link), attic };
}

/** What the shelf holds, as one text. */
async function kept(browser: Browser): Promise<string> {
  const stores = ['rooms', 'events', 'outbox', 'bundles', 'meta'] as const;
  const all = await Promise.all(stores.map((store) => browser.shelf.list(store, { prefix: '' })));
  return JSON.stringify(all);
}

describe('somebody new in a browser that another one used', () => {
  test('finds nothing of theirs, and sends nothing of theirs', async () => {
    const { link, attic } = await leftBehind();
    const { browser, general } = founder;
    expect(await kept(browser)).toContain('Attic');
    const page = await browser.open(link.pathname, link.hash);
    await page.join({ name: 'cleo', password: 'battery staple' });
    page.recoverySheetKept();
    expect(await kept(browser)).not.toContain('Attic');
    expect(page.draft(general)).toBe('');
    const state = await elapsing(clock, page, ({ rooms }) => rooms.length > 0);
    expect(state.rooms.map(({ id }) => id)).not.toContain(attic);
    expect(state.waiting).toBe(0);
    await openGeneral(page);
    await page.send('hello');
    await elapsing(clock, page, (now) => settled(now) && shows('hello')(now));
    const cleo = house.userByName('cleo')?.id;
    const events = house.rooms.get(parseId(general))?.events ?? [];
    const theirs = events.filter((one) => one.class === 'event' && one.sender === cleo);
    expect(theirs.map(({ bytes }) => parseWire(bytes).sender)).toEqual([cleo]);
  });

  test('finds nothing that a screen still held when they logged out', async () => {
    const { app, browser, general } = founder;
    await app.logout();
    app.keepDraft(general, 'dear diary');
    // What goes onto the shelf goes one after the other.
    await browser.shelf.write([]);
    expect(await kept(browser)).not.toContain(general);
  });

  test('costs who was there before nothing when they are refused', async () => {
    const { link } = await leftBehind();
    const { browser } = founder;
    const page = await browser.open(link.pathname, link.hash);
    await expect(page.join({ name: 'ada', password: 'battery staple' })).rejects.toMatchObject({
      code: 'name_taken',
    });
    expect(await kept(browser)).toContain('Attic');
  });
});

test('a page whose login ended elsewhere holds nothing for who signs in there next', async () => {
  const { browser, general } = founder;
  const { link } = await founder.app.makeInvite(general, 3);
  const url = new URL(link);
  const ben = await new Browser(house, clock).open(url.pathname, url.hash);
  await ben.join({ name: 'ben', password: 'battery staple' });
  founder.app.keepDraft(general, 'dear diary');
  const second = await browser.open();
  await openGeneral(second);
  await founder.app.logout();
  house.sessions.clear();
  house.cut();
  await elapsing(clock, second, ({ phase }) => phase === 'login');
  await second.login({ name: 'ben', password: 'battery staple' });
  await openGeneral(second);
  expect(second.state.me?.name).toBe('ben');
  expect(second.draft(general)).toBe('');
  await second.send('ben it is');
  await elapsing(clock, second, (state) => settled(state) && shows('ben it is')(state));
});

describe('a box that lies about a vault’s version', () => {
  test.each([1, 2 ** 50])('%s is not remembered, and the page wakes as ever', async (version) => {
    const { app, browser, general } = founder;
    const login = async (): Promise<unknown> => browser.shelf.get('meta', 'login');
    await elapsing(clock, app, () => house.userByName('ada')?.vaultVersion === 2);
    const honest = house.fetch;
    house.fetch = async (path, init) => {
      const answer = await honest(path, init);
      const vault = path === '/api/vault' && init.method === 'PUT' && answer.ok;
      return vault ? Response.json({ version }) : answer;
    };
    const page = await browser.open();
    await openGeneral(page);
    await page.makeInvite(general, 1);
    await elapsing(clock, page, ({ problem }) => problem?.code === 'bad_answer');
    expect(await login()).toMatchObject({ vaultVersion: 2 });
    house.fetch = honest;
    const again = await browser.open();
    expect(again.state.phase).toBe('ready');
    await openGeneral(again);
    expect(await login()).toMatchObject({ vaultVersion: house.userByName('ada')?.vaultVersion });
  });
});
