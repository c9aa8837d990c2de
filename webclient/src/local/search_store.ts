// The index of messages between reloads, sealed by the safe, and how far each room is in it.
import { fromUtf8, utf8 } from '../protocol/bytes';
import type { Id } from '../protocol/ids';
import { parseJson, object, count, flag } from '../protocol/schema';
import type { Safe } from './safe';
import type { Part } from './search_index';
import type { Shelf } from './shelf';

/** How far a room is indexed. */
export interface Indexed {
  /** Everything from here … */
  readonly low: number;
  /** … to here; 0: nothing yet. */
  readonly high: number;
  /** When the one at `low` came, ms since 1970. */
  readonly since: number;
  /** Some could not be opened for want of a key. */
  readonly closed: boolean;
}

const indexed = object({ low: count, high: count, since: count, closed: flag });
const PREFIX = 'search/';

const isRow = (value: unknown): value is { part: string; sealed: Uint8Array } =>
  typeof value === 'object' && value !== null && 'part' in value && 'sealed' in value;

export class SearchStore {
  readonly #shelf: Shelf;
  readonly #safe: Safe;

  constructor(shelf: Shelf, safe: Safe) {
    this.#shelf = shelf;
    this.#safe = safe;
  }

  /** The parts of a room's index and how far it is; null: nothing that reads is kept. */
  async read(room: Id): Promise<{ parts: Part[]; indexed: Indexed } | null> {
    const parts: Part[] = [];
    let far: Indexed | null = null;
    for (const row of await this.#shelf.list('meta', { prefix: `${PREFIX}${room}/` })) {
      const opened = isRow(row) ? await this.#safe.open(row.sealed) : null;
      if (!isRow(row) || opened === null) return null;
      const json = fromUtf8(opened);
      if (row.part === 'far') far = parseJson(indexed, json);
      else parts.push({ room, part: row.part, json });
    }
    return far === null ? null : { parts, indexed: far };
  }

  /** Keeps what has changed together with how far the rooms are. */
  async keep(parts: readonly Part[], far: ReadonlyMap<Id, Indexed>): Promise<void> {
    const rows = [...far].map(([room, one]) => ({ room, part: 'far', json: JSON.stringify(one) }));
    const writes = [];
    for (const { room, part, json } of [...parts, ...rows]) {
      const value = { part, sealed: await this.#safe.seal(utf8(json)) };
      writes.push({ put: 'meta', key: `${PREFIX}${room}/${part}`, value } as const);
    }
    await this.#shelf.write(writes);
  }
}
