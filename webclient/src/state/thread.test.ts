// The answers to one message, read beside the timeline: whose, in which order, from wherever they lie.
import { beforeEach, describe, expect, test } from 'vitest';
import { utf8 } from '../protocol/bytes';
import { parseId, type Id } from '../protocol/ids';
import { Browser } from '../testing/browser';
import { elapsing, FakeClock, until } from '../testing/clock';
import { FakeHouse, type FakeRoom } from '../testing/house';
import { foundHouse, joined, messages, settled, shows, type Founder } from '../testing/screens';
import type { App, AppState, MessageItem } from './model';

let clock: FakeClock;
let house: FakeHouse;
let founder: Founder;

beforeEach(async () => {
  clock = new FakeClock();
  house = new FakeHouse(clock);
  founder = await foundHouse(house, clock);
});

/** What is said in the open thread. */
const said = (state: AppState): MessageItem[] =>
  (state.currentRoom?.reading.thread?.items ?? []).filter(
    (item): item is MessageItem => item.kind === 'message',
  );
const texts = (state: AppState): string[] => said(state).map(({ text }) => text);

const idOf = (app: App, text: string): string =>
  messages(app.state).find((item) => item.text === text)?.id ?? '';

async function say(app: App, text: string, parent?: string): Promise<string> {
  await app.send(text, parent);
  await until(app, (state) => shows(text)(state) && settled(state));
  return idOf(app, text);
}

describe('a thread', () => {
  test('shows a message and its answers by anybody, as they stand in the room', async () => {
    const { app: ada, general } = founder;
    const { app: ben } = await joined({ house, clock }, ada, general, 'ben');
    const parent = await say(ada, 'who cooks?');
    await until(ben, shows('who cooks?'));
    const first = await say(ben, 'not me', parent);
    await until(ada, shows('not me'));
    await say(ada, 'the bin is full');
    await say(ada, 'me then', parent);
    await say(ada, 'why not?', first);
    expect(ada.state.currentRoom?.reading.answers.get(parent)).toBe(2);
    await ada.reading.openThread(parent);
    const state = await until(ada, (now) => texts(now).length === 3);
    expect(texts(state)).toEqual(['who cooks?', 'not me', 'me then']);
    // What all of them answer stands above them.
    expect(said(state).map(({ quote }) => quote)).toEqual([null, null, null]);
    await ada.reading.openThread(first);
    expect(texts(await until(ada, (now) => texts(now)[0] === 'not me'))).toEqual([
      'not me',
      'why not?',
    ]);
    ada.reading.closeThread();
    await until(ada, (now) => now.currentRoom?.reading.thread === null);
  });

  test('has edits, reactions and deletions of its messages', async () => {
    const { app: ada } = founder;
    const parent = await say(ada, 'who cooks?');
    await say(ada, 'not me', parent);
    await say(ada, 'nor me', parent);
    await ada.reading.openThread(parent);
    await until(ada, (now) => texts(now).length === 3);
    await ada.edit(idOf(ada, 'not me'), 'me, gladly');
    await ada.react(parent, '👍', true);
    await ada.remove(idOf(ada, 'nor me'));
    const changed = (now: AppState): boolean =>
      said(now)[1]?.text === 'me, gladly' &&
      said(now)[0]?.reactions.length === 1 &&
      said(now)[2]?.deleted === true;
    expect(said(await until(ada, changed))).toHaveLength(3);
  });

  test('shows one’s own answer before the box has it', async () => {
    const { app: ada } = founder;
    const parent = await say(ada, 'who cooks?');
    await ada.reading.openThread(parent);
    house.down = true;
    house.cut();
    await until(ada, ({ connection }) => connection.kind === 'offline');
    await ada.send('the weather is nice');
    await ada.send('me', parent);
    const state = await until(ada, (now) => texts(now).length === 2);
    expect(said(state).map(({ text, delivery }) => [text, delivery.kind])).toEqual([
      ['who cooks?', 'stored'],
      ['me', 'queued'],
    ]);
    house.down = false;
    await elapsing(clock, ada, settled);
    expect(texts(ada.state)).toEqual(['who cooks?', 'me']);
  });

  test('of nothing is none', async () => {
    const { app: ada } = founder;
    await ada.reading.openThread('no id');
    expect(ada.state.currentRoom?.reading.thread).toBeNull();
  });
});

describe('a thread of long ago', () => {
  const COUNT = 400;
  let room: FakeRoom;
  let ids: Id[];
  let app: App;
  /** The box hands out nothing from the middle of a room. */
  let busy: boolean;

  /** An open room in which message 1 was answered by message 3, and nothing of it is in memory. */
  beforeEach(async () => {
    const { app: ada, browser } = founder;
    const id = await ada.createRoom({ name: 'Attic', type: 'private', sealing: 'open' });
    await until(ada, ({ rooms }) => rooms.some((one) => one.id === id));
    browser.crash();
    const found = house.rooms.get(parseId(id));
    const by = house.userByName('ada')?.id;
    if (found === undefined || by === undefined) throw new Error('no room');
    room = found;
    ids = Array.from({ length: COUNT }, () => house.newId());
    for (const [n, one] of ids.entries()) {
      const parent_id = n === 2 ? ids[0] : null;
      const json = { type: 'message', id: one, at: clock.now(), content: `note ${n + 1}` };
      house.store(room, 'event', by, utf8(JSON.stringify({ ...json, parent_id })), one);
    }
    busy = false;
    const { fetch } = house;
    const refusal = { code: 'busy', message: 'not now', hint: '' };
    house.fetch = async (path, init) =>
      busy && path.includes('around=')
        ? Response.json(refusal, { status: 503 })
        : fetch(path, init);
    app = await new Browser(house, clock).open();
    await app.login({ name: 'ada', password: 'correct horse' });
    await until(app, ({ connection, rooms }) => connection.kind === 'online' && rooms.length > 1);
    await app.openRoom(id);
    await until(app, shows(`note ${COUNT}`));
    expect(messages(app.state).length).toBeLessThan(COUNT / 2);
  });

  test('begins with the message, from the box; its answers come by the index', async () => {
    await app.reading.openThread(ids[0] ?? '');
    expect(texts(await until(app, (now) => texts(now).length > 0))[0]).toBe('note 1');
    const query = { text: 'note', room: room.id, sender: null, from: null, to: null };
    const known = async (): Promise<boolean> =>
      (await app.reading.find({ ...query, link: false, file: false }, 1)).coverage.complete;
    while (!(await known())) {
      clock.elapse(500);
      await new Promise((next) => setImmediate(next));
    }
    await app.reading.openThread(ids[0] ?? '');
    expect(texts(await until(app, (now) => texts(now).length > 1))).toEqual(['note 1', 'note 3']);
    // The timeline has not moved.
    expect(messages(app.state).at(-1)?.text).toBe(`note ${COUNT}`);
  });

  test('that the box does not hand out says so, and shows nothing', async () => {
    busy = true;
    await app.reading.openThread(ids[0] ?? '');
    expect(app.state.problem?.code).toBe('busy');
    expect(app.state.currentRoom?.reading.thread).toMatchObject({ loading: false, items: [] });
  });
});
