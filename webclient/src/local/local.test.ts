// What is kept between reloads: tables in IndexedDB, secrets under a key that cannot be taken out.
import 'fake-indexeddb/auto';
import { describe, expect, test } from 'vitest';
import { utf8 } from '../protocol/bytes';
import { parseId } from '../protocol/ids';
import { DraftStore } from './drafts';
import { HistoryStore } from './history';
import { LoginStore } from './login';
import { OutboxStore, type Entry } from './outbox';
import { openSafe } from './safe';
import { indexedShelf, memoryShelf, type Shelf } from './shelf';

const ROOM = parseId('01929b2a-7c05-7abc-8def-0123456789a5');
const id = (n: number) => parseId(`01929b2a-7c01-7abc-8def-00000000000${n}`);

let count = 0;
const shelves: [string, () => Shelf][] = [
  ['IndexedDB', () => indexedShelf(`test-${count++}`)],
  ['memory', memoryShelf],
];

describe.each(shelves)('a shelf in %s', (_, make) => {
  test('lists by prefix in order, bounded from above and by number', async () => {
    const shelf = make();
    const keys = ['a/1', 'a/2', 'a/3', 'b/1'];
    await shelf.write(keys.map((key) => ({ put: 'events', key, value: key })));
    expect(await shelf.list('events', { prefix: 'a/' })).toEqual(['a/1', 'a/2', 'a/3']);
    expect(await shelf.list('events', { prefix: 'a/', last: 2 })).toEqual(['a/2', 'a/3']);
    expect(await shelf.list('events', { prefix: 'a/', below: 'a/3' })).toEqual(['a/1', 'a/2']);
    expect(await shelf.list('events', { prefix: 'a/', below: 'a/3', last: 1 })).toEqual(['a/2']);
    expect(await shelf.list('events', { prefix: 'c/' })).toEqual([]);
  });

  test('writes several tables at once, removes, clears', async () => {
    const shelf = make();
    await shelf.write([
      { put: 'meta', key: 'x', value: 1 },
      { put: 'rooms', key: 'x', value: 2 },
    ]);
    await shelf.write([{ remove: 'meta', key: 'x' }]);
    expect([await shelf.get('meta', 'x'), await shelf.get('rooms', 'x')]).toEqual([undefined, 2]);
    await shelf.clear();
    expect(await shelf.get('rooms', 'x')).toBeUndefined();
  });
});

describe('a safe', () => {
  test('opens what it sealed, on the next page too, and nothing altered', async () => {
    const shelf = memoryShelf();
    const safe = openSafe(shelf);
    await safe.put('root', utf8('secret'));
    const again = openSafe(shelf);
    expect(await again.get('root')).toEqual(utf8('secret'));
    const sealed = await again.seal(utf8('x'));
    sealed[14] = (sealed[14] ?? 0) ^ 1;
    expect(await again.open(sealed)).toBeNull();
  });

  test('keeps no plaintext, and its key cannot be taken out', async () => {
    const shelf = memoryShelf();
    await openSafe(shelf).put('root', utf8('canary canary canary'));
    const kept = await shelf.list('safe', { prefix: '' });
    const key = kept.find((value) => value instanceof CryptoKey);
    if (!(key instanceof CryptoKey)) throw new Error('no key');
    expect(key.extractable).toBe(false);
    await expect(crypto.subtle.exportKey('raw', key)).rejects.toThrow();
    const bytes = kept.filter((value): value is Uint8Array => value instanceof Uint8Array);
    for (const one of bytes) expect(Buffer.from(one).toString('latin1')).not.toContain('canary');
  });

  test('once wiped opens nothing that it sealed before', async () => {
    const shelf = memoryShelf();
    const safe = openSafe(shelf);
    const sealed = await safe.seal(utf8('x'));
    await safe.wipe();
    expect(await safe.open(sealed)).toBeNull();
  });
});

describe('the outbox’s shelf', () => {
  const entry = (n: number): Entry => ({
    id: id(n),
    room: ROOM,
    at: n,
    body: utf8(`message ${n}`),
    target: null,
    uploads: [],
    sealed: true,
    tried: false,
    failed: null,
  });

  test('gives entries in their order and counts what was stored', async () => {
    const shelf = memoryShelf();
    const store = new OutboxStore(shelf, openSafe(shelf));
    for (const n of [2, 1, 3]) await store.put(entry(n));
    expect((await store.all()).map(({ at }) => at)).toEqual([1, 2, 3]);
    expect(await store.seq(ROOM)).toBe(0);
    await store.done(entry(1), 1);
    await store.done(entry(2), null);
    expect([await store.seq(ROOM), (await store.all()).length]).toEqual([1, 1]);
  });

  test('drops what a log-out made unreadable', async () => {
    const shelf = memoryShelf();
    const safe = openSafe(shelf);
    const store = new OutboxStore(shelf, safe);
    await store.put(entry(1));
    await safe.wipe();
    expect(await store.all()).toEqual([]);
    expect(await shelf.list('outbox', { prefix: '' })).toEqual([]);
  });
});

test('history is read back by position, the newest last', async () => {
  const store = new HistoryStore(memoryShelf());
  const items = [9, 10, 11].map((position) => ({
    kind: 'sealed' as const,
    position,
    receivedAt: 1,
    class: 'event' as const,
    bytes: new Uint8Array([position]),
  }));
  expect(await store.cursor(ROOM)).toBeNull();
  await store.keep(ROOM, items, { low: 9, high: 11, read: 9 });
  expect((await store.newest(ROOM, 2)).map(({ position }) => position)).toEqual([10, 11]);
  expect((await store.newest(ROOM, 5, 11)).map(({ position }) => position)).toEqual([9, 10]);
  expect(await store.cursor(ROOM)).toEqual({ low: 9, high: 11, read: 9 });
});

test('a login written by another version is no login', async () => {
  const shelf = memoryShelf();
  const store = new LoginStore(shelf, openSafe(shelf));
  expect(await store.read()).toBeNull();
  await shelf.write([{ put: 'meta', key: 'login', value: { user: 'ada' } }]);
  expect(await store.read()).toBeNull();
  const writer = await store.writer((length) => new Uint8Array(length).fill(1));
  expect(await store.writer(() => new Uint8Array(4))).toBe(writer);
});

test('drafts come back and an empty one is gone', async () => {
  const shelf = memoryShelf();
  const drafts = new DraftStore(shelf, openSafe(shelf));
  await drafts.keep(ROOM, 'half');
  await drafts.keep('other', 'x');
  await drafts.keep('other', '');
  expect(await drafts.all()).toEqual(new Map([[ROOM, 'half']]));
});
