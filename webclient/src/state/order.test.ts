// Whatever order things come in, clients agree; what the box does to one sender's events is seen.
import { beforeEach, describe, expect, test } from 'vitest';
import { parseId } from '../protocol/ids';
import { Browser } from '../testing/browser';
import { elapsing, FakeClock } from '../testing/clock';
import { dice } from '../testing/dice';
import { FakeHouse, type FakeRoom, type Stored } from '../testing/house';
import { foundHouse, joined, messages, settled, shows } from '../testing/screens';
import type { App, AppState, TimelineItem } from './model';

let clock: FakeClock;
let house: FakeHouse;
let ada: App;
let general: string;

beforeEach(async () => {
  clock = new FakeClock();
  house = new FakeHouse(clock);
  ({ app: ada, general } = await foundHouse(house, clock));
});

const see = (app: App, wanted: (state: AppState) => boolean): Promise<AppState> =>
  elapsing(clock, app, wanted);

function room(): FakeRoom {
  const found = house.rooms.get(parseId(general));
  if (found === undefined) throw new Error('no room');
  return found;
}

/** What everybody must agree on. */
function agreed(item: TimelineItem): unknown {
  if (item.kind !== 'message') return [item.kind, item.id, item.position];
  const { id, position, text, deleted, marks, parentId } = item;
  const reactions = item.reactions.map(({ emoji, by }) => [emoji, by.map(({ name }) => name)]);
  return [id, position, item.sender.name, text, deleted, marks, parentId, reactions];
}

describe('clients that exchanged everything', () => {
  test.each([1, 2, 3])('end with the same timeline, seed %i', async (seed) => {
    const roll = dice(seed);
    const people = [
      { app: ada, browser: null as Browser | null },
      ...[await joined({ house, clock }, ada, general, 'ben')],
      ...[await joined({ house, clock }, ada, general, 'cleo')],
    ];
    for (let step = 0; step < 40; step++) {
      const one = people[roll(people.length)];
      if (one === undefined) continue;
      const { app } = one;
      const said = messages(app.state).filter(({ deleted }) => !deleted);
      const target = said[roll(Math.max(1, said.length))];
      const what = roll(9);
      if (what <= 3 || target === undefined) {
        await app.send(`${step}`, what === 3 ? target?.id : undefined);
      } else if (what === 4 && target.own && target.position !== null) {
        await app.edit(target.id, `${step}, mended`);
      } else if (what === 5) {
        await app.react(target.id, ['👍', '🎉'][roll(2)] ?? '👍', roll(3) > 0);
      } else if (what === 6 && target.own && target.position !== null) {
        await app.remove(target.id).catch(() => undefined);
      } else if (what === 7) {
        house.cut();
      } else if (one.browser !== null) {
        one.browser.crash();
        one.app = await one.browser.open();
        await one.app.openRoom(general);
      }
      clock.elapse(roll(2_000));
      await new Promise((next) => setImmediate(next));
    }
    for (const { app } of people) {
      await see(app, (state) => state.connection.kind === 'online' && settled(state));
    }
    await ada.send('the end');
    for (const { app } of people) {
      await see(app, (state) => shows('the end')(state) && settled(state));
    }
    // A browser that comes only now reads it all at once.
    const late = await new Browser(house, clock).open();
    await late.login({ name: 'ben', password: 'battery staple' });
    await see(late, ({ connection, rooms }) => connection.kind === 'online' && rooms.length > 0);
    await late.openRoom(general);
    await see(late, shows('the end'));
    const [first, ...others] = [...people.map(({ app }) => app), late].map((app) =>
      (app.state.currentRoom?.timeline ?? []).map(agreed),
    );
    expect(first?.length).toBeGreaterThan(15);
    for (const other of others) expect(other).toEqual(first);
  });
});

describe('what the box does to one sender’s events', () => {
  /** Ada writes one to five; the box then serves its room anew as it likes, to a new browser. */
  async function served(
    tamper: (events: Stored[]) => Stored[],
    places: 'renumbered' | 'kept' = 'renumbered',
  ): Promise<readonly TimelineItem[]> {
    const { browser } = await joined({ house, clock }, ada, general, 'ben');
    browser.crash();
    for (const text of ['one', 'two', 'three', 'four', 'five']) {
      await ada.send(text);
      await see(ada, (state) => shows(text)(state) && settled(state));
    }
    await ada.logout();
    const { events } = room();
    const changed = tamper([...events]);
    const placed = (stored: Stored, at: number): Stored => ({ ...stored, position: at + 1 });
    events.splice(0, events.length, ...(places === 'kept' ? changed : changed.map(placed)));
    const late = await new Browser(house, clock).open();
    await late.login({ name: 'ben', password: 'battery staple' });
    await see(late, ({ connection, rooms }) => connection.kind === 'online' && rooms.length > 0);
    await late.openRoom(general);
    const state = await see(late, shows('five'));
    return (state.currentRoom?.timeline ?? []).filter(({ kind }) => kind !== 'line');
  }

  const told = (items: readonly TimelineItem[]): unknown[] =>
    items.map((item) => {
      if (item.kind === 'message') return item.text;
      return item.kind === 'gap' ? item.count : item.kind === 'stub' ? item.reason : item.kind;
    });

  const isEvent = ({ class: kind }: Stored): boolean => kind === 'event';
  /** The place of her nth event. */
  const nth = (events: readonly Stored[], n: number): number =>
    events.flatMap((stored, at) => (isEvent(stored) ? [at] : []))[n] ?? -1;

  test('left alone is as she wrote it', async () => {
    const items = await served((events) => events);
    expect(told(items)).toEqual(['one', 'two', 'three', 'four', 'five']);
  });

  test('dropped: their number is missing', async () => {
    const items = await served((events) => events.toSpliced(nth(events, 1), 2));
    expect(told(items)).toEqual(['one', 2, 'four', 'five']);
  });

  test('dropped with their places: their number is missing', async () => {
    const items = await served((events) => events.toSpliced(nth(events, 1), 2), 'kept');
    expect(told(items)).toEqual(['one', 2, 'four', 'five']);
  });

  test('the first dropped: missing as well', async () => {
    const items = await served((events) => events.toSpliced(nth(events, 0), 1));
    expect(told(items)).toEqual([1, 'two', 'three', 'four', 'five']);
  });

  test('twice: shown once', async () => {
    const items = await served((events) => {
      const copy = events[nth(events, 1)];
      return copy === undefined ? events : events.toSpliced(nth(events, 3), 0, copy, copy);
    });
    expect(told(items)).toEqual(['one', 'two', 'three', 'four', 'five']);
  });

  test('in another order: a gap stands where one was taken away', async () => {
    const items = await served((events) => {
      const [moved] = events.splice(nth(events, 1), 1);
      return moved === undefined ? events : events.toSpliced(nth(events, 3), 0, moved);
    });
    expect(told(items)).toEqual(['one', 1, 'three', 'four', 'two', 'five']);
    const strange = items.filter((item) => item.kind === 'message' && item.marks.length > 0);
    expect(strange).toMatchObject([{ text: 'two', marks: ['out_of_turn'] }]);
  });

  test('from another room: nobody’s words', async () => {
    const cellar = await ada.createRoom({ name: 'Cellar', type: 'private', sealing: 'sealed' });
    await ada.openRoom(cellar);
    await ada.send('of the cellar');
    await see(ada, shows('of the cellar'));
    await ada.openRoom(general);
    const foreign = house.rooms.get(parseId(cellar))?.events.find(isEvent);
    if (foreign === undefined) throw new Error('nothing was written');
    const items = await served((events) => events.toSpliced(nth(events, 2), 0, foreign));
    expect(told(items)).not.toContain('of the cellar');
    expect(items.some(({ kind }) => kind === 'stub')).toBe(true);
  });

  test('with a bit turned: sealed with another key, and counted', async () => {
    const items = await served((events) =>
      events.map((stored, at) => {
        if (at !== nth(events, 2)) return stored;
        const bytes = stored.bytes.slice();
        bytes[100] = (bytes[100] ?? 0) ^ 1;
        return { ...stored, bytes };
      }),
    );
    expect(told(items)).toEqual(['one', 'two', 'other_key', 'four', 'five']);
  });
});

describe('an old event that comes again, with nothing newer of its sender in memory', () => {
  const marksOf = (state: AppState): unknown[] => {
    const said = messages(state).filter(({ text }) => text === 'one');
    return said.map(({ marks }) => marks);
  };
  /** More than what is in memory after a reload. */
  const pass = (): void => {
    for (let n = 0; n < 120; n++) house.line(room(), { type: 'left', user: parseId(general) });
  };

  test('is marked, now and after a reload', async () => {
    const { app, browser } = await joined({ house, clock }, ada, general, 'ben');
    for (const text of ['one', 'two']) {
      await ada.send(text);
      await see(app, shows(text));
    }
    pass();
    browser.crash();
    let ben = await browser.open();
    await ben.openRoom(general);
    await see(ben, ({ currentRoom }) => (currentRoom?.timeline.length ?? 0) > 50);
    expect(marksOf(ben.state)).toEqual([]);
    const [old] = room().events.filter((stored) => stored.class === 'event');
    if (old === undefined) throw new Error('nothing was written');
    house.store(room(), 'event', old.sender, old.bytes, old.id);
    await see(ben, shows('one'));
    expect(marksOf(ben.state)).toEqual([['out_of_turn']]);
    await ada.send('three');
    await see(ben, shows('three'));
    browser.crash();
    ben = await browser.open();
    await ben.openRoom(general);
    await see(ben, shows('three'));
    expect(marksOf(ben.state)).toEqual([['out_of_turn']]);
  });

  test('is marked in a new browser too, once what was before it was read', async () => {
    for (const text of ['one', 'two']) {
      await ada.send(text);
      await see(ada, (state) => shows(text)(state) && settled(state));
    }
    pass();
    const [old] = room().events.filter((stored) => stored.class === 'event');
    if (old === undefined) throw new Error('nothing was written');
    house.store(room(), 'event', old.sender, old.bytes, old.id);
    const late = await new Browser(house, clock).open();
    await late.login({ name: 'ada', password: 'correct horse' });
    await see(late, ({ connection, rooms }) => connection.kind === 'online' && rooms.length > 0);
    await late.openRoom(general);
    await see(late, shows('one'));
    await see(late, (state) => marksOf(state).some((marks) => JSON.stringify(marks) !== '[]'));
    expect(marksOf(late.state)).toEqual([['out_of_turn']]);
  });
});
