// What the index knows of a room while it is read, comes and opens at once.
import { beforeEach, expect, test } from 'vitest';
import { HistoryStore } from '../local/history';
import { memorySafe } from '../local/safe';
import { SearchIndex } from '../local/search_index';
import { SearchStore } from '../local/search_store';
import { memoryShelf } from '../local/shelf';
import type { Body } from '../protocol/event';
import { parseId, type Id } from '../protocol/ids';
import type { Item } from '../protocol/item';
import type { Fact } from '../session/fact';
import { FakeClock } from '../testing/clock';
import { Indexer } from './indexer';
import type { RoomHandle } from './room';

const id = (n: number): Id => parseId(`01929b2a-7c01-7abc-8def-${String(n).padStart(12, '0')}`);
const ROOM = id(1);
const ADA = id(2);

const body = (content: string): Body => ({
  type: 'message',
  content,
  parentId: null,
  mentions: [],
  attachments: [],
  tone: null,
});

const fact = (position: number, content = `note ${position}`): Fact => ({
  kind: 'event',
  position,
  at: position,
  id: id(100 + position),
  sender: ADA,
  number: null,
  epoch: 0,
  body: body(content),
  changedCard: false,
});

function item(position: number): Item {
  const placed = { position, receivedAt: position, id: id(100 + position) };
  const event = { id: placed.id, at: position, body: body(`note ${position}`) };
  return { kind: 'open', ...placed, sender: ADA, device: null, content: { type: 'event', event } };
}

const clock = new FakeClock();
let high: number;
let begun: boolean;
let closed: Set<number>;
let fed: number[];
/** While it is set, what is read opens when it resolves. */
let opening: Promise<void> | null;
let indexer: Indexer;
let search: SearchIndex;

/** As the room's log gives it. */
const handle = {
  room: { id: ROOM },
  log: {
    get begun() {
      return begun;
    },
    low: 1,
    first: 1,
    get high() {
      return high;
    },
    look: async (items: readonly Item[]): Promise<Fact[]> => {
      const shut = new Set(closed);
      await opening;
      return items.map(({ position }): Fact => {
        if (!shut.has(position)) return fact(position);
        const stub = { id: id(100 + position), sender: ADA, number: null, by: null };
        return { kind: 'stub', position, at: position, ...stub, reason: 'waiting_for_key' };
      });
    },
  },
} as unknown as RoomHandle;

beforeEach(async () => {
  [high, begun, closed, fed, opening] = [5, true, new Set(), [], null];
  const history = new HistoryStore(memoryShelf());
  await history.keep(ROOM, [1, 2, 3, 4, 5, 6].map(item), { low: 1, high: 6, read: 0 });
  search = new SearchIndex();
  const feed = search.feed.bind(search);
  search.feed = (room, entries) => {
    for (const entry of entries) if (entry.kind === 'put') fed.push(entry.doc.position);
    return feed(room, entries);
  };
  indexer = new Indexer({
    clock,
    search,
    store: new SearchStore(memoryShelf(), memorySafe()),
    history,
    rooms: () => [handle],
    online: () => true,
    failed: (error) => {
      throw error;
    },
  });
});

const turns = async (): Promise<void> => {
  for (let n = 0; n < 5; n += 1) await new Promise((next) => setImmediate(next));
};

/** Lets it work until it rests. */
async function rested(): Promise<void> {
  for (let n = 0; n < 20; n += 1) {
    clock.elapse(2_000);
    await turns();
  }
}

const complete = (): boolean => indexer.coverage([handle]).complete;

async function found(text: string): Promise<number[]> {
  const none = { room: null, sender: null, from: null, to: null, link: false, file: false };
  return (await search.find({ text, ...none, limit: 20 })).map(({ position }) => position);
}

test('does not know all while something newer is not read', async () => {
  indexer.wake();
  await rested();
  expect(complete()).toBe(true);
  high = 6;
  expect(complete()).toBe(false);
  indexer.wake();
  await rested();
  expect(complete()).toBe(true);
  expect(await found('note')).toEqual([6, 5, 4, 3, 2, 1]);
});

test('does not know all of a room of which nothing was read yet', async () => {
  [high, begun] = [0, false];
  indexer.wake();
  await rested();
  expect(indexer.coverage([handle])).toEqual({ since: null, complete: false });
  // The room is there, and empty.
  begun = true;
  expect(complete()).toBe(true);
});

test('what comes while older ones open is read once', async () => {
  let open = (): void => undefined;
  opening = new Promise((resolve) => (open = resolve));
  indexer.wake();
  clock.elapse(2_000);
  await turns();
  high = 6;
  indexer.arrived(ROOM, [fact(6)]);
  opening = null;
  open();
  await rested();
  expect(complete()).toBe(true);
  expect(fed.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6]);
});

test('keys that come while a page opens open that page, too', async () => {
  closed = new Set([2, 3]);
  indexer.wake();
  await rested();
  expect(await found('note')).toEqual([5, 4, 1]);
  let open = (): void => undefined;
  opening = new Promise((resolve) => (open = resolve));
  indexer.reopened(ROOM);
  clock.elapse(2_000);
  await turns();
  // Reading it again had begun with the old keys.
  closed = new Set();
  indexer.reopened(ROOM);
  opening = null;
  open();
  await rested();
  expect(await found('note')).toEqual([5, 4, 3, 2, 1]);
});
