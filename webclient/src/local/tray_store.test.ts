// Chosen files between reloads: sealed at rest, bounded, gone with the safe's key.
import { beforeEach, describe, expect, test } from 'vitest';
import { FILE_BYTES_MAX } from '../protocol/attachment';
import { utf8 } from '../protocol/bytes';
import { memorySafe, openSafe, type Safe } from './safe';
import { memoryShelf, type Shelf } from './shelf';
import { KEPT_BYTES_MAX, TrayStore, type KeptFile } from './tray_store';

let shelf: Shelf;
let safe: Safe;
let store: TrayStore;

beforeEach(() => {
  shelf = memoryShelf();
  safe = openSafe(shelf);
  store = new TrayStore(shelf, safe);
});

const yes = (): boolean => true;
const file = (key: string, more: Partial<KeptFile> = {}): KeptFile => ({
  key,
  tray: 'room',
  name: `canary-${key}.pdf`,
  type: 'application/pdf',
  original: false,
  ...more,
});

async function rows(): Promise<unknown[]> {
  const tables = await Promise.all([
    shelf.list('meta', { prefix: '' }),
    shelf.list('files', { prefix: '' }),
  ]);
  return tables.flat();
}

describe('chosen files', () => {
  test('come back in the order of choosing, with what was said of them', async () => {
    expect(await store.put(file('b'), utf8('two'), yes)).toBe(true);
    await store.put(file('a', { original: true }), utf8('one'), yes);
    expect(await store.all()).toEqual([file('a', { original: true }), file('b')]);
    expect(await store.bytes('a')).toEqual(utf8('one'));
    await store.change(file('b', { original: true }), yes);
    expect((await store.all())[1]).toEqual(file('b', { original: true }));
    await store.remove(['a', 'b']);
    expect(await rows()).toEqual([]);
    await store.change(file('b'), yes);
    expect(await store.all()).toEqual([]);
  });

  test('lie sealed: neither names nor bytes can be read', async () => {
    await store.put(file('a'), utf8('canary in the bytes'), yes);
    const text = JSON.stringify(await rows(), (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
    );
    expect(text).not.toContain('canary');
  });

  test('are nobody’s once the safe is wiped, and make room', async () => {
    await store.put(file('a'), utf8('one'), yes);
    await safe.wipe();
    expect(await store.bytes('a')).toBeNull();
    expect(await store.all()).toEqual([]);
    expect(await rows()).toEqual([]);
  });

  test('are not written behind a log-out', async () => {
    expect(await store.put(file('a'), utf8('one'), () => false)).toBe(false);
    expect(await rows()).toEqual([]);
  });

  test('are kept up to the size of a file, and up to a full message in all', async () => {
    const plain = new TrayStore(shelf, memorySafe());
    const full = new Uint8Array(FILE_BYTES_MAX);
    expect(await plain.put(file('x'), new Uint8Array(FILE_BYTES_MAX + 1), yes)).toBe(false);
    for (let n = 0; n < KEPT_BYTES_MAX / FILE_BYTES_MAX; n += 1) {
      expect(await plain.put(file(`${n}`), full, yes)).toBe(true);
    }
    expect(await plain.put(file('y'), utf8('one more'), yes)).toBe(false);
    await plain.remove(['0']);
    expect(await plain.put(file('y'), utf8('one more'), yes)).toBe(true);
  });
});
