// Stored events as they came (sealed rooms: sealed), so that a room opens without the network.
import type { Id } from '../protocol/ids';
import type { Item } from '../protocol/item';
import type { Shelf, Write } from './shelf';

const PAD = 16;
const place = (position: number): string => String(position).padStart(PAD, '0');
const key = (room: Id, position: number): string => `${room}/${place(position)}`;

/** A writer of a room, its highest number, and the place of that event. */
export type Highest = readonly [writer: string, seq: number, position: number, id: string];

/** What is known of the writers of a room. */
export interface KeptNumbers {
  readonly highest: readonly Highest[];
  /** Places of events that came again. */
  readonly late: readonly string[];
}

/** Where this browser stands in a room. */
export interface Cursor {
  /** Everything from here … */
  readonly low: number;
  /** … to here is kept, inclusive; 0: nothing yet. */
  readonly high: number;
  /** Read up to here by the person. */
  readonly read: number;
  /** Older versions kept none. */
  readonly numbers?: KeptNumbers;
}

const isCursor = (value: unknown): value is Cursor =>
  typeof value === 'object' &&
  value !== null &&
  'low' in value &&
  'high' in value &&
  'read' in value;

export class HistoryStore {
  readonly #shelf: Shelf;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  async cursor(room: Id): Promise<Cursor | null> {
    const kept = await this.#shelf.get('rooms', `cursor/${room}`);
    return isCursor(kept) ? kept : null;
  }

  /** Keeps events together with where that leads. */
  async keep(room: Id, items: readonly Item[], cursor: Cursor): Promise<void> {
    const writes: Write[] = items.map((value) => ({
      put: 'events',
      key: key(room, value.position),
      value,
    }));
    await this.#shelf.write([...writes, { put: 'rooms', key: `cursor/${room}`, value: cursor }]);
  }

  /** The newest kept events, below a position when given; ascending. */
  async newest(room: Id, last: number, below?: number): Promise<Item[]> {
    const range = { prefix: `${room}/`, last };
    const bounded = below === undefined ? range : { ...range, below: key(room, below) };
    // Written by `keep` alone, as parsed at the edge.
    return (await this.#shelf.list('events', bounded)) as Item[];
  }

  /** The oldest kept events from a position on; ascending. */
  async oldest(room: Id, first: number, from: number): Promise<Item[]> {
    const range = { prefix: `${room}/`, from: key(room, from), first };
    return (await this.#shelf.list('events', range)) as Item[];
  }

  /** The list of rooms as last seen. */
  async rooms(): Promise<unknown> {
    return this.#shelf.get('rooms', 'list');
  }

  keepRooms(value: unknown): Promise<void> {
    return this.#shelf.write([{ put: 'rooms', key: 'list', value }]);
  }
}
