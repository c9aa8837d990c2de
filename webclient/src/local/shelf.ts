// Tables of values by text keys, in IndexedDB or, where nothing may be kept, in memory.

export type Table =
  'meta' | 'outbox' | 'rooms' | 'events' | 'bundles' | 'cards' | 'safe' | 'files' | 'opened';

const TABLES: readonly Table[] = [
  'meta',
  'outbox',
  'rooms',
  'events',
  'bundles',
  'cards',
  'safe',
  'files',
  'opened',
];

export type Write =
  | { readonly put: Table; readonly key: string; readonly value: unknown }
  | { readonly remove: Table; readonly key: string };

export interface Range {
  /** Keys that begin with this. */
  readonly prefix: string;
  /** Only keys below this one. */
  readonly below?: string;
  /** Only this key and those above. */
  readonly from?: string;
  /** At most so many, the last ones. */
  readonly last?: number;
  /** At most so many, the first ones. */
  readonly first?: number;
}

/** The seam: all or nothing per `write`. */
export interface Shelf {
  get(table: Table, key: string): Promise<unknown>;
  /** Values in ascending order of their keys. */
  list(table: Table, range: Range): Promise<unknown[]>;
  write(writes: readonly Write[]): Promise<void>;
  clear(): Promise<void>;
}

/** Keeps nothing beyond the page. */
export function memoryShelf(): Shelf {
  const tables = new Map<Table, Map<string, unknown>>(TABLES.map((table) => [table, new Map()]));
  const of = (table: Table): Map<string, unknown> => {
    const found = tables.get(table) ?? new Map<string, unknown>();
    tables.set(table, found);
    return found;
  };
  return {
    get: async (table, key) => of(table).get(key),
    list: async (table, { prefix, below, from = prefix, last, first }) => {
      const keys = [...of(table).keys()]
        .filter((key) => key.startsWith(prefix) && key >= from)
        .filter((key) => below === undefined || key < below)
        .sort();
      const some = keys.slice(0, first);
      const wanted = last === undefined ? some : some.slice(Math.max(0, some.length - last));
      return wanted.map((key) => of(table).get(key));
    },
    write: async (writes) => {
      for (const write of writes) {
        if ('put' in write) of(write.put).set(write.key, structuredClone(write.value));
        else of(write.remove).delete(write.key);
      }
    },
    clear: async () => {
      for (const table of tables.values()) table.clear();
    },
  };
}

/** One more whenever there is a new table. */
const VERSION = 3;

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB failed'));
  });
}

function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    const fail = (): void => reject(transaction.error ?? new Error('IndexedDB gave up'));
    transaction.onabort = fail;
    transaction.onerror = fail;
  });
}

async function openDatabase(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, VERSION);
  request.onupgradeneeded = () => {
    const there = request.result.objectStoreNames;
    for (const table of TABLES) {
      if (!there.contains(table)) request.result.createObjectStore(table);
    }
  };
  const database = await done(request);
  // A newer page of this browser waits for it: that page asks to be the one.
  database.onversionchange = () => database.close();
  return database;
}

async function listKeys(
  store: IDBObjectStore,
  { prefix, below, from = prefix, last, first }: Range,
): Promise<unknown[]> {
  const end = below ?? `${prefix}\uffff`;
  if (from >= end) return [];
  const range = IDBKeyRange.bound(from, end, false, true);
  if (last === undefined) return done(store.getAll(range, first));
  const out: unknown[] = [];
  const cursor = store.openCursor(range, 'prev');
  await new Promise<void>((resolve, reject) => {
    cursor.onerror = () => reject(cursor.error ?? new Error('IndexedDB failed'));
    cursor.onsuccess = () => {
      if (cursor.result === null || out.length >= last) return resolve();
      out.push(cursor.result.value);
      cursor.result.continue();
    };
  });
  return out.reverse();
}

/** Keeps in IndexedDB. */
export function indexedShelf(name = 'hearth'): Shelf {
  const database = openDatabase(name);
  const store = async (table: Table): Promise<IDBObjectStore> =>
    (await database).transaction(table, 'readonly').objectStore(table);
  return {
    get: async (table, key) => done((await store(table)).get(key)),
    list: async (table, range) => listKeys(await store(table), range),
    write: async (writes) => {
      if (writes.length === 0) return;
      const tables = writes.map((write) => ('put' in write ? write.put : write.remove));
      const transaction = (await database).transaction([...new Set(tables)], 'readwrite');
      for (const write of writes) {
        if ('put' in write) transaction.objectStore(write.put).put(write.value, write.key);
        else transaction.objectStore(write.remove).delete(write.key);
      }
      await committed(transaction);
    },
    clear: async () => {
      const transaction = (await database).transaction(TABLES, 'readwrite');
      for (const table of TABLES) transaction.objectStore(table).clear();
      await committed(transaction);
    },
  };
}

/** IndexedDB in a secure context; in others nothing is kept (sealing.md §2). */
export function openShelf(name?: string): Shelf {
  const subtle: SubtleCrypto | undefined = globalThis.crypto.subtle;
  const secure = subtle !== undefined && globalThis.isSecureContext !== false;
  return secure && typeof indexedDB !== 'undefined' ? indexedShelf(name) : memoryShelf();
}
