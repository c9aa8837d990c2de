// A room's history when the browser refuses to keep it: nothing is lost, nothing comes twice.
import { expect, test } from 'vitest';
import { HistoryStore } from '../local/history';
import { memoryShelf, type Shelf } from '../local/shelf';
import { parseId, type Id } from '../protocol/ids';
import type { Item } from '../protocol/item';
import type { Sealing } from '../sealing/requests';
import { Watch, until } from '../testing/clock';
import { dice } from '../testing/dice';
import { RoomLog } from './room_log';

const id = (n: number): Id => parseId(`01929b2a-7c01-7abc-8def-${String(n).padStart(12, '0')}`);
const ROOM = id(1);

function item(position: number): Item {
  const body = {
    type: 'message',
    content: 'soup',
    parentId: null,
    mentions: [],
    attachments: [],
    tone: null,
  } as const;
  const content = { type: 'event', event: { id: id(100 + position), at: 0, body } } as const;
  const placed = { position, receivedAt: position };
  return { kind: 'open', ...placed, id: id(100 + position), sender: id(2), device: null, content };
}

/** A room on a box with `stored` events, and a browser that refuses to write while it is full. */
function house(stored: number) {
  const box = { items: Array.from({ length: stored }, (_, n) => item(n + 1)) };
  const disk = { full: false };
  const inner = memoryShelf();
  const shelf: Shelf = {
    ...inner,
    write: (writes) =>
      disk.full ? Promise.reject(new Error('the quota is used up')) : inner.write(writes),
  };
  const seen = new Watch({ arrived: [] as number[], errors: 0 });
  const log = new RoomLog(ROOM, {
    api: {
      page: async (_room, { limit, before, after }) => {
        const items = box.items.filter(
          ({ position }) => position < (before ?? Infinity) && position > (after ?? 0),
        );
        const some = after === undefined ? items.slice(-limit) : items.slice(0, limit);
        return { items: some, covered: null, firstPosition: 1, headPosition: box.items.length };
      },
    },
    store: new HistoryStore(shelf),
    isSealed: () => false,
    // Open rooms ask nothing of it.
    sealing: {} as Sealing,
    arrived: (_room, facts) => {
      const arrived = [...seen.state.arrived, ...facts.map(({ position }) => position)];
      seen.set({ ...seen.state, arrived });
    },
    changed: () => undefined,
    readElsewhere: () => null,
    failed: () => seen.set({ ...seen.state, errors: seen.state.errors + 1 }),
  });
  const write = (): void => {
    const made = item(box.items.length + 1);
    box.items.push(made);
    log.take(made);
  };
  return { box, disk, log, seen, shelf, write };
}

const shown = (log: RoomLog): number[] => log.facts().map(({ position }) => position);

test('what could not be kept comes with the next event, once, and is kept', async () => {
  const { disk, log, seen, shelf, write } = house(2);
  await log.begin();
  disk.full = true;
  write();
  await until(seen, ({ errors }) => errors === 1);
  expect(log.high).toBe(2);
  disk.full = false;
  write();
  await until(seen, ({ arrived }) => arrived.length === 2);
  expect(seen.state).toEqual({ arrived: [3, 4], errors: 1 });
  expect(shown(log)).toEqual([1, 2, 3, 4]);
  expect(await shelf.list('events', { prefix: `${ROOM}/` })).toHaveLength(4);
  expect(await new HistoryStore(shelf).cursor(ROOM)).toMatchObject({ low: 1, high: 4 });
});

test('the first page and older pages are asked for again', async () => {
  const { disk, log } = house(60);
  disk.full = true;
  await expect(log.begin()).rejects.toThrow('quota');
  expect(log.begun).toBe(false);
  disk.full = false;
  await log.begin();
  disk.full = true;
  await expect(log.older()).rejects.toThrow('quota');
  expect(shown(log)).toHaveLength(50);
  disk.full = false;
  await log.older();
  expect(shown(log)).toHaveLength(60);
  expect(log.complete).toBe(true);
});

test('in whatever order a room is read, and however often things come, all is there once', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const roll = dice(seed);
    const { box, log, write } = house(120 + roll(60));
    await log.begin();
    for (let step = 0; step < 30; step++) {
      const [what, place] = [roll(7), 1 + roll(box.items.length)];
      const again = box.items[place - 1];
      if (what === 0) write();
      else if (what === 1) await log.older();
      else if (what === 2) await log.newer();
      else if (what === 3) await log.goTo(place);
      else if (what === 4) await log.toNewest();
      else if (what === 5) await log.keepOlder();
      else if (again !== undefined) log.take(again);
    }
    await log.toNewest();
    for (let page = 0; page < 10 && !log.complete; page++) await log.older();
    expect(shown(log), `seed ${seed}`).toEqual(box.items.map(({ position }) => position));
  }
});
