// The colours of rooms, a row each; they go with a log-out like everything here.
import * as s from '../protocol/schema';
import type { Shelf } from './shelf';

const colour = s.oneOf('honey', 'moss', 'lake', 'plum', 'slate');
const row = s.object({ room: s.text, colour });

type Kept = s.Parsed<typeof colour>;

const PREFIX = 'look/';

export class LookStore {
  readonly #shelf: Shelf;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  /** By room. What another version of this program kept is left out where it does not read. */
  async all(): Promise<Map<string, Kept>> {
    const rows = s.readable(row)(await this.#shelf.list('meta', { prefix: PREFIX }), 'looks');
    return new Map(rows.map((one) => [one.room, one.colour]));
  }

  /** Null: the room has none of its own any more. */
  keep(room: string, colour: Kept | null): Promise<void> {
    const key = PREFIX + room;
    return this.#shelf.write([
      colour === null ? { remove: 'meta', key } : { put: 'meta', key, value: { room, colour } },
    ]);
  }
}
