// What was opened and found true before, between reloads: sealed under a key of root (sealing.md §1).
import { BytesError, concat, equal, Reader, u32, u64 } from '../protocol/bytes';
import { idBytes, idFromBytes, type Id } from '../protocol/ids';
import { ctx, hkdf, lp, NO_SALT, open, seal, SealingError, sha256, type Random } from './kdf';

/** Positions of a room that lie in one row. */
export const BLOCK = 64;
/** Bytes of what opened at most: longer ones are opened anew each time. */
export const OPENED_BYTES_MAX = 2_048;

const TAG = 'hearth/v1/local-cache';
const PROOF = 32;

/** Where the rows lie. */
export interface OpenedShelf {
  /** `sealed`: null where nothing is kept; `takes`: whether `keep` would take this block. */
  read(
    room: Id,
    block: number,
  ): Promise<{ readonly sealed: Uint8Array | null; readonly takes: boolean }>;
  keep(room: Id, block: number, sealed: Uint8Array): Promise<void>;
}

/** For pages that may keep nothing. */
export const KEEPS_NOTHING: OpenedShelf = {
  read: async () => ({ sealed: null, takes: false }),
  keep: async () => undefined,
};

/** What is kept of one position. `proof`: of everything that its opening depended on. */
export interface Known {
  find(id: Id, proof: Uint8Array): Uint8Array | null;
  take(id: Id, proof: Uint8Array, opened: Uint8Array): void;
  /** Erased: it goes from here too. */
  drop(id: Id): void;
}

/** SHA-256(ctx("hearth/v1/local-cache", part, …)): other bytes, keys or signers are another proof. */
export const proofOf = (...parts: Uint8Array[]): Uint8Array => sha256(ctx(TAG, ...parts));

interface Entry {
  readonly proof: Uint8Array;
  readonly opened: Uint8Array;
}

interface Block {
  readonly entries: Map<Id, Entry>;
  readonly takes: boolean;
  changed: boolean;
}

const NOTHING: Known = { find: () => null, take: () => undefined, drop: () => undefined };

const aadOf = (room: Id, block: number): Uint8Array => ctx(TAG, idBytes(room), u64(block));

function encode(entries: ReadonlyMap<Id, Entry>): Uint8Array {
  const parts = [...entries].flatMap(([id, { proof, opened }]) => [idBytes(id), proof, lp(opened)]);
  return concat(u32(entries.size), ...parts);
}

function decode(bytes: Uint8Array): Map<Id, Entry> {
  const reader = new Reader('a row of what was opened', bytes);
  const entries = new Map<Id, Entry>();
  for (let left = reader.u32(); left > 0; left--) {
    const id = idFromBytes(reader.take(16));
    entries.set(id, { proof: reader.take(PROOF), opened: reader.part() });
  }
  reader.end();
  return entries;
}

/** What a row holds; nothing where it is of another root, altered, or written by another version. */
function entriesOf(key: Uint8Array, sealed: Uint8Array | null, aad: Uint8Array): Map<Id, Entry> {
  if (sealed === null) return new Map();
  try {
    return decode(open('what was opened', key, sealed, aad));
  } catch (error) {
    if (error instanceof SealingError || error instanceof BytesError) return new Map();
    throw error;
  }
}

function knownOf(block: Block): Known {
  return {
    find: (id, proof) => {
      const entry = block.entries.get(id);
      return entry !== undefined && equal(entry.proof, proof) ? entry.opened : null;
    },
    take: (id, proof, opened) => {
      if (!block.takes || opened.length > OPENED_BYTES_MAX) return;
      block.entries.set(id, { proof, opened });
      block.changed = true;
    },
    drop: (id) => {
      if (block.entries.delete(id)) block.changed = true;
    },
  };
}

/** The rows of one page of a room. */
export class OpenedPage {
  readonly #blocks: ReadonlyMap<number, Block>;
  readonly #keep: (block: number, entries: ReadonlyMap<Id, Entry>) => Promise<void>;

  constructor(
    blocks: ReadonlyMap<number, Block>,
    keep: (block: number, entries: ReadonlyMap<Id, Entry>) => Promise<void>,
  ) {
    this.#blocks = blocks;
    this.#keep = keep;
  }

  /** `position`: null where nothing is to be kept. */
  at(position: number | null): Known {
    const block = position === null ? undefined : this.#blocks.get(Math.floor(position / BLOCK));
    return block === undefined ? NOTHING : knownOf(block);
  }

  /** Keeps what has changed. */
  async keep(): Promise<void> {
    for (const [number, { changed, entries }] of this.#blocks) {
      if (changed) await this.#keep(number, entries);
    }
  }
}

export class OpenedCache {
  readonly #shelf: OpenedShelf;
  readonly #random: Random;
  /** The browser's storage is full or broken: this page opens everything anew. */
  #off = false;

  constructor(shelf: OpenedShelf, random: Random) {
    this.#shelf = shelf;
    this.#random = random;
  }

  /** What is kept of these positions, under this root. */
  async page(
    root: Uint8Array,
    room: Id,
    positions: readonly (number | null)[],
  ): Promise<OpenedPage> {
    const key = hkdf(root, NO_SALT, TAG);
    const blocks = new Map<number, Block>();
    for (const position of this.#off ? [] : positions) {
      const block = position === null ? null : Math.floor(position / BLOCK);
      if (block === null || blocks.has(block)) continue;
      const kept = await this.#safely(() => this.#shelf.read(room, block));
      if (kept === null) break;
      const entries = entriesOf(key, kept.sealed, aadOf(room, block));
      blocks.set(block, { entries, takes: kept.takes, changed: false });
    }
    return new OpenedPage(blocks, async (block, entries) => {
      const sealed = seal(key, encode(entries), aadOf(room, block), this.#random);
      await this.#safely(() => this.#shelf.keep(room, block, sealed));
    });
  }

  /** A storage that fails costs time and nothing else: what it has not kept is opened again. */
  async #safely<T>(run: () => Promise<T>): Promise<T | null> {
    try {
      return await run();
    } catch {
      this.#off = true;
      return null;
    }
  }
}
