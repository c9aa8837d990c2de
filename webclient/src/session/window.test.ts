// A long room: what is in memory stays bounded wherever one reads, and nothing of it is missed.
import { expect, test } from 'vitest';
import type { PageQuery } from '../api/messages';
import { HistoryStore } from '../local/history';
import { memoryShelf } from '../local/shelf';
import type { Body } from '../protocol/event';
import { parseId, type Id } from '../protocol/ids';
import type { Item } from '../protocol/item';
import type { Sealing } from '../sealing/requests';
import { RoomLog } from './room_log';
import { WINDOW } from './stretches';

const id = (n: number): Id => parseId(`01929b2a-7c01-7abc-8def-${String(n).padStart(12, '0')}`);
const ROOM = id(1);
const say = (content: string, parentId: Id | null = null): Body => ({
  type: 'message',
  content,
  parentId,
  mentions: [],
  attachments: [],
  tone: null,
});

function item(position: number, body: Body = say('soup')): Item {
  const content = { type: 'event', event: { id: id(100 + position), at: 0, body } } as const;
  const placed = { position, receivedAt: position };
  return { kind: 'open', ...placed, id: id(100 + position), sender: id(2), device: null, content };
}

/** A room of `count` messages, some of which are others, on a box that counts what is asked. */
function room(count: number, others: Readonly<Record<number, Body>> = {}) {
  const all = Array.from({ length: count }, (_, n) => item(n + 1, others[n + 1]));
  let asked = 0;
  const page = async (_room: Id, { limit, before, after, around }: PageQuery) => {
    asked += 1;
    const at = all.findIndex(
      (one) => one.kind === 'open' && (one.id === around || one.position === around),
    );
    const within = all.filter(
      ({ position }) => position < (before ?? Infinity) && position > (after ?? 0),
    );
    const some = after === undefined ? within.slice(-limit) : within.slice(0, limit);
    const from = Math.max(0, at - limit / 2);
    const items = around === undefined ? some : at < 0 ? [] : all.slice(from, from + limit);
    const [first, last] = [items[0], items.at(-1)];
    const covered =
      first === undefined || last === undefined
        ? null
        : { from: first.position, to: last.position };
    return { items, covered, firstPosition: 1, headPosition: all.length };
  };
  const store = new HistoryStore(memoryShelf());
  const log = new RoomLog(ROOM, {
    api: { page },
    store,
    sealing: {} as Sealing,
    isSealed: () => false,
    readElsewhere: () => null,
    arrived: () => undefined,
    changed: () => undefined,
    failed: (error) => {
      throw error;
    },
  });
  const write = (body?: Body): void => {
    const made = item(all.length + 1, body);
    all.push(made);
    log.take(made);
  };
  return { log, store, write, asked: () => asked };
}

const positions = (log: RoomLog): number[] => log.facts().map(({ position }) => position);
const run = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, n) => from + n);

test('up to the first message and down to the newest, with a bounded part in memory', async () => {
  const { log } = room(2_000);
  await log.begin();
  log.follow(false);
  for (let pages = 0; pages < 60 && !log.complete; pages += 1) {
    await log.older();
    const here = positions(log);
    expect(here.length).toBeLessThanOrEqual(WINDOW);
    expect(here).toEqual(run(here[0] ?? 0, here.at(-1) ?? 0));
  }
  expect(log.complete).toBe(true);
  expect(log.atNewest).toBe(false);
  expect(positions(log)).toEqual(run(1, WINDOW));
  for (let pages = 0; pages < 60 && !log.atNewest; pages += 1) await log.newer();
  expect(log.atNewest).toBe(true);
  expect(positions(log).at(-1)).toBe(2_000);
  expect(positions(log).length).toBeLessThanOrEqual(WINDOW);
});

test('a place far away is asked for with its surroundings, then read on both ways', async () => {
  const { log, store, asked } = room(5_000);
  await log.begin();
  expect(await log.goTo(id(100 + 1_234))).toBe(1_234);
  expect(asked()).toBe(2);
  expect(positions(log)).toEqual(run(1_184, 1_283));
  await log.older();
  await log.newer();
  expect(positions(log)).toEqual(run(1_134, 1_333));
  // The hole is not kept as if it were none.
  expect(await store.cursor(ROOM)).toMatchObject({ low: 4_951, high: 5_000 });
  await log.toNewest();
  expect(positions(log)).toEqual(run(4_951, 5_000));
});

test('a stretch that reaches what is kept joins it', async () => {
  const { log, store } = room(200);
  await log.begin();
  expect(await log.goTo(110)).toBe(110);
  expect(log.atNewest).toBe(true);
  expect(positions(log)).toEqual(run(60, 200));
  expect(await store.cursor(ROOM)).toMatchObject({ low: 60, high: 200 });
});

test('nothing is where nothing was', async () => {
  const { log } = room(200);
  await log.begin();
  expect(await log.goTo(id(99_999))).toBeNull();
  expect(log.atNewest).toBe(true);
});

test('who reads further up is not moved by what comes', async () => {
  const { log, write } = room(1_000);
  await log.begin();
  await log.goTo(500);
  const before = positions(log);
  for (let n = 0; n < 50; n += 1) write();
  await log.markRead();
  expect(positions(log)).toEqual(before);
  expect(log.newest().at(-1)?.position).toBe(1_050);
  await log.toNewest();
  expect(positions(log).at(-1)).toBe(1_050);
});

test('what comes does not pile up in memory', async () => {
  const { log, write } = room(10);
  await log.begin();
  for (let n = 0; n < 5_000; n += 1) write();
  await log.markRead();
  expect(log.newest().length).toBeLessThanOrEqual(300);
  expect(log.high).toBe(5_010);
  log.follow(false);
  for (let n = 0; n < 1_000; n += 1) {
    write();
    if (n % 10 === 0) await log.markRead();
  }
  await log.markRead();
  expect(log.facts().length).toBeLessThanOrEqual(WINDOW + 20);
  expect(log.newest().length).toBeLessThanOrEqual(300);
  for (let pages = 0; pages < 40 && !log.atNewest; pages += 1) await log.newer();
  expect(positions(log).at(-1)).toBe(6_010);
});

test('what changed a message later is known where the message is read', async () => {
  const target = id(100 + 10);
  const { log } = room(1_500, {
    1_400: { type: 'react', target, emoji: '👍', on: true },
    1_401: say('yes', target),
  });
  await log.begin();
  log.follow(false);
  for (let pages = 0; pages < 40 && !log.complete; pages += 1) await log.older();
  expect(positions(log)).toEqual([...run(1, WINDOW), 1_400]);
  expect(log.relations.answers(target).map(({ position }) => position)).toEqual([1_401]);
});

test('what is erased goes from what is kept, however long ago it was written', async () => {
  const target = id(100 + 5);
  const { log, store, write } = room(1_000, { 6: { type: 'edit', target, content: 'secret' } });
  await log.begin();
  log.follow(false);
  for (let pages = 0; pages < 40 && !log.complete; pages += 1) await log.older();
  await log.toNewest();
  write({ type: 'delete', target, reason: null });
  await log.markRead();
  const kept = await store.oldest(ROOM, 2, 5);
  expect(kept.map((one) => one.kind === 'open' && one.content.type)).toEqual(['line', 'line']);
});
