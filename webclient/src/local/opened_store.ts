// Rows of what was opened before: the newest of each room, sealed by who writes them.
import type { Id } from '../protocol/ids';
import type { Shelf } from './shelf';

/** Rows of a room that are kept: a newer one takes the place of an older one. */
export const ROWS_MAX = 16;

interface Row {
  readonly block: number;
  readonly sealed: Uint8Array;
}

const isRow = (value: unknown): value is Row =>
  typeof value === 'object' &&
  value !== null &&
  'block' in value &&
  typeof value.block === 'number' &&
  'sealed' in value &&
  value.sealed instanceof Uint8Array;

const key = (room: Id, block: number): string => `${room}/${block % ROWS_MAX}`;

export class OpenedStore {
  readonly #shelf: Shelf;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  async read(
    room: Id,
    block: number,
  ): Promise<{ readonly sealed: Uint8Array | null; readonly takes: boolean }> {
    const row = await this.#shelf.get('opened', key(room, block));
    if (!isRow(row)) return { sealed: null, takes: true };
    return { sealed: row.block === block ? row.sealed : null, takes: row.block <= block };
  }

  keep(room: Id, block: number, sealed: Uint8Array): Promise<void> {
    const value: Row = { block, sealed };
    return this.#shelf.write([{ put: 'opened', key: key(room, block), value }]);
  }
}
