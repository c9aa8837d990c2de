// Where a room's items come from: kept here where they are, else asked of the box.
import type { MessagesApi, Page } from '../api/messages';
import type { Cursor, HistoryStore } from '../local/history';
import type { Id } from '../protocol/ids';
import type { Item } from '../protocol/item';
import type { Span } from './stretch';

export const PAGE = 50;

/** A place in a room: a position, or the id of an event. */
export type Place = number | Id;

/** Items of a stretch, ascending. */
export interface Found {
  readonly items: readonly Item[];
  /** The positions they speak for; null: the box has none there. */
  readonly span: Span | null;
  /** From the box: the room's first position; null: kept here. */
  readonly first: number | null;
}

export interface PagesDeps {
  readonly api: Pick<MessagesApi, 'page'>;
  readonly store: HistoryStore;
}

/** The last position of an item. */
export const endOf = (item: Item): number => (item.kind === 'damaged' ? item.to : item.position);

/** The positions that a page speaks for. */
export function spanOf({ covered, items }: Pick<Page, 'covered' | 'items'>): Span | null {
  const [first, last] = [items[0], items.at(-1)];
  if (covered !== null || first === undefined || last === undefined) return covered;
  return { from: first.position, to: endOf(last) };
}

export class Pages {
  readonly #room: Id;
  readonly #deps: PagesDeps;
  readonly #cursor: () => Cursor;

  constructor(room: Id, deps: PagesDeps, cursor: () => Cursor) {
    this.#room = room;
    this.#deps = deps;
    this.#cursor = cursor;
  }

  /** The newest below a position. */
  async below(position: number): Promise<Found> {
    const { low, high } = this.#cursor();
    const to = position - 1;
    if (position > low && to <= high) {
      const found = await this.#deps.store.newest(this.#room, PAGE, position);
      const items = found.filter((item) => item.position >= low);
      const from = items.length < PAGE ? low : (items[0]?.position ?? low);
      return { items, span: { from, to }, first: null };
    }
    const page = await this.#deps.api.page(this.#room, { limit: PAGE, before: position });
    const { items, firstPosition: first } = page;
    const span = spanOf(page);
    return { items, span: span === null ? null : { from: span.from, to }, first };
  }

  /** The oldest above a position. */
  async above(position: number): Promise<Found> {
    const { low, high } = this.#cursor();
    const from = position + 1;
    if (from >= low) {
      const items = await this.#deps.store.oldest(this.#room, PAGE, from);
      const last = items.at(-1);
      const to = items.length < PAGE || last === undefined ? high : endOf(last);
      return { items, span: { from, to }, first: null };
    }
    const page = await this.#deps.api.page(this.#room, { limit: PAGE, after: position });
    // Nothing above it on the box: the next is what is kept here.
    const to = spanOf(page)?.to ?? low - 1;
    return { items: page.items, span: { from, to }, first: page.firstPosition };
  }

  /** A page on either side of a place. */
  async around(place: Place): Promise<Found> {
    const { low, high } = this.#cursor();
    if (typeof place === 'number' && place > low && place <= high) {
      const before = await this.#deps.store.newest(this.#room, PAGE, place);
      const kept = before.filter((item) => item.position >= low);
      const after = await this.#deps.store.oldest(this.#room, PAGE, place);
      const last = after.at(-1);
      const to = after.length < PAGE || last === undefined ? high : endOf(last);
      const span = { from: kept[0]?.position ?? place, to };
      return { items: [...kept, ...after], span, first: null };
    }
    const page = await this.#deps.api.page(this.#room, { limit: 2 * PAGE, around: place });
    return { items: page.items, span: spanOf(page), first: page.firstPosition };
  }
}
