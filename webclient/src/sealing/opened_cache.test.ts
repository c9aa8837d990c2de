// What was opened before, between reloads: used, sealed, bounded, wiped, and never the last word.
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { OpenedStore, ROWS_MAX } from '../local/opened_store';
import { memoryShelf, type Shelf } from '../local/shelf';
import { fromUtf8, utf8 } from '../protocol/bytes';
import type { Id } from '../protocol/ids';
import {
  Circle,
  COST,
  flipped,
  fresh,
  person,
  random,
  SALT,
  text,
  type Someone,
} from '../testing/circle';
import { memorySafe } from '../local/safe';
import { recipient, sealFile } from './agefile';
import { openDoor } from './door';
import { openEvent } from './event';
import { Keyring } from './keyring';
import { BLOCK, OPENED_BYTES_MAX } from './opened_cache';

vi.mock('./event', async (original) => {
  const real = await original<typeof import('./event')>();
  return { ...real, openEvent: vi.fn(real.openEvent) };
});
vi.mock('./door', async (original) => {
  const real = await original<typeof import('./door')>();
  return { ...real, openDoor: vi.fn(real.openDoor) };
});

const CANARY = 'the key is under the flowerpot';

/** Somebody's browser: its pages share what is kept. */
class Reader {
  shelf: Shelf = memoryShelf();
  readonly #safe = memorySafe();
  readonly #circle: Circle;
  readonly #cards: readonly Someone[];
  readonly #user: Id;

  private constructor(circle: Circle, user: Id, cards: readonly Someone[]) {
    this.#circle = circle;
    this.#user = user;
    this.#cards = cards;
  }

  static async of(circle: Circle, who: Someone, others: readonly Someone[] = []): Promise<Reader> {
    const reader = new Reader(circle, who.user, [who, ...others]);
    const { vault } = await who.keys.writeVault(1);
    const keys = new Keyring(reader.#safe, random);
    await keys.stretch('password', SALT, COST);
    await keys.openVault(who.user, 1, vault);
    await keys.keep();
    return reader;
  }

  /** A page after a reload, with the room's bundles. */
  async page(bundles = this.#circle.served): Promise<Keyring> {
    const keys = new Keyring(this.#safe, random, new OpenedStore(this.shelf));
    await keys.wake(this.#user);
    for (const { user, card } of this.#cards) await keys.addCards(user, [card]);
    await keys.takeBundles(this.#circle.room, bundles, 'box');
    return keys;
  }

  rows(): Promise<unknown[]> {
    return this.shelf.list('opened', { prefix: '' });
  }
}

let ada: Someone, circle: Circle, browser: Reader, room: Id;

beforeEach(async () => {
  ada = await person();
  circle = await Circle.found(ada);
  ({ room } = circle);
  browser = await Reader.of(circle, ada);
});

const message = (n: number, content = CANARY): Promise<Uint8Array> =>
  circle.seal(ada, n, { body: utf8(JSON.stringify({ type: 'message', content })) });

/** Texts that a page after a reload gives, and how many events it opened for them. */
async function reload(
  wires: readonly Uint8Array[],
  positions: readonly (number | null)[],
): Promise<{ texts: string[]; opened: number }> {
  const keys = await browser.page();
  vi.mocked(openEvent).mockClear();
  const texts = (await keys.open(room, wires, positions)).map(text);
  return { texts, opened: vi.mocked(openEvent).mock.calls.length };
}

test('what was opened once is not opened again after a reload', async () => {
  const wires = [await message(1), await message(2, 'soup')];
  const first = await reload(wires, [BLOCK - 1, BLOCK]);
  expect(first.opened).toBe(2);
  expect(await reload(wires, [BLOCK - 1, BLOCK])).toEqual({ ...first, opened: 0 });
  expect(first.texts[0]).toContain(CANARY);
});

test('what has no position, as typing has, is not kept', async () => {
  const wires = [await message(1)];
  await reload(wires, [null]);
  await reload(wires, []);
  expect(await browser.rows()).toEqual([]);
});

test('nothing of it can be read where it lies', async () => {
  await reload([await message(1)], [1]);
  const rows = await browser.rows();
  expect(rows).toHaveLength(1);
  for (const row of rows) {
    if (typeof row !== 'object' || row === null || !('sealed' in row)) throw new Error('no row');
    expect(Object.keys(row).sort()).toEqual(['block', 'sealed']);
    if (!(row.sealed instanceof Uint8Array)) throw new Error('not sealed');
    expect(Buffer.from(row.sealed).toString('latin1')).not.toContain('flowerpot');
  }
});

describe('it is never the last word', () => {
  test('a wire that was altered since does not open', async () => {
    const wire = await message(1);
    await reload([wire], [1]);
    for (const bit of [8 * 30, 8 * (wire.length - 1)]) {
      const { texts } = await reload([flipped(wire, bit)], [1]);
      expect(texts[0]).not.toContain(CANARY);
    }
    expect((await reload([wire], [1])).texts[0]).toContain(CANARY);
  });

  test('without the room’s key it waits for the key, as before', async () => {
    const wire = await message(1);
    await reload([wire], [1]);
    const keys = await browser.page([]);
    expect((await keys.open(room, [wire], [1])).map(text)).toEqual(['waiting_for_key']);
  });

  test('another person of this browser reads nothing of it', async () => {
    const ben = await person();
    await circle.admit(ben, [ada]);
    browser = await Reader.of(circle, ada, [ben]);
    const wire = await message(1);
    await reload([wire], [1]);
    const { shelf } = browser;
    browser = await Reader.of(circle, ben, [ada]);
    browser.shelf = shelf;
    const { texts, opened } = await reload([wire], [1]);
    expect([texts[0]?.includes(CANARY), opened]).toEqual([true, 1]);
  });

  test('a row that was altered, or of another room, is opened anew', async () => {
    const wire = await message(1);
    await reload([wire], [1]);
    const key = `${room}/0`;
    const row = await browser.shelf.get('opened', key);
    if (typeof row !== 'object' || row === null || !('sealed' in row)) throw new Error('no row');
    const { sealed } = row;
    if (!(sealed instanceof Uint8Array)) throw new Error('not sealed');
    const elsewhere = { put: 'opened', key: `${fresh()}/0`, value: row } as const;
    const altered = { ...row, sealed: flipped(sealed, 8 * 40) };
    await browser.shelf.write([{ put: 'opened', key, value: altered }, elsewhere]);
    const again = await reload([wire], [1]);
    expect(again.opened).toBe(1);
    expect(again.texts[0]).toContain(CANARY);
    expect((await reload([wire], [1])).opened).toBe(0);
  });

  test('what was erased goes from it with its stub', async () => {
    const [gone, stays] = [await message(1), await message(2, 'soup')];
    await reload([gone, stays], [1, 2]);
    expect((await reload([gone.slice(0, 50), stays], [1, 2])).texts[0]).toBe('erased');
    const { opened } = await reload([gone, stays], [1, 2]);
    expect(opened).toBe(1);
  });

  test('a post’s door is looked up each time', async () => {
    const device = fresh();
    const next = { devices: [device], addDoor: device, reason: 'device' };
    const made = await ada.keys.nextEpoch(circle.next([ada.user], next));
    circle.served.push(made.bundle);
    await circle.show(ada);
    const file = await sealFile([recipient(made.doorRecipient ?? '')], utf8('Washing done'));
    const post = { device, id: fresh(), file };
    const read = async (): Promise<[string, boolean, number]> => {
      const keys = await browser.page();
      vi.mocked(openDoor).mockClear();
      const [opened] = await keys.openPosts(room, [post], [7]);
      if (opened?.kind !== 'opened') throw new Error(opened?.kind);
      return [
        fromUtf8(opened.plaintext),
        opened.renewedAt !== null,
        vi.mocked(openDoor).mock.calls.length,
      ];
    };
    expect(await read()).toEqual(['Washing done', false, 1]);
    expect(await read()).toEqual(['Washing done', false, 0]);
    await circle.rotate(ada, [ada.user], { devices: [device], addDoor: device });
    expect(await read()).toEqual(['Washing done', true, 0]);
  });
});

describe('it stays small', () => {
  test('a room keeps its newest rows; older ones neither displace them nor are kept', async () => {
    const wire = await message(1);
    const newest = BLOCK * (ROWS_MAX + 3);
    for (let at = 1; at <= newest; at += BLOCK) await reload([wire], [at]);
    expect(await browser.rows()).toHaveLength(ROWS_MAX);
    expect((await reload([wire], [newest - BLOCK + 1])).opened).toBe(0);
    expect((await reload([wire], [1])).opened).toBe(1);
    expect((await reload([wire], [1])).opened).toBe(1);
    expect((await reload([wire], [newest - BLOCK + 1])).opened).toBe(0);
  });

  test('what is too long is opened each time', async () => {
    const padded = async (length: number): Promise<Uint8Array> => {
      const empty = JSON.stringify({ type: 'message', content: '' }).length;
      return message(1, 'x'.repeat(length - empty));
    };
    const [edge, past] = [await padded(OPENED_BYTES_MAX), await padded(OPENED_BYTES_MAX + 1)];
    await reload([edge, past], [1, 2]);
    expect((await reload([edge], [1])).opened).toBe(0);
    expect((await reload([past], [2])).opened).toBe(1);
  });

  test('a storage that refuses costs nothing but time', async () => {
    const { shelf } = browser;
    const full: Shelf = {
      ...shelf,
      write: () => Promise.reject(new Error('the quota is used up')),
    };
    Object.assign(browser, { shelf: full });
    const wire = await message(1);
    expect((await reload([wire], [1])).texts[0]).toContain(CANARY);
    expect((await reload([wire], [1])).opened).toBe(1);
  });
});
