// Pages of a room's stored events, as they lie: sealed frames or open JSON.
import type { Id } from '../protocol/ids';
import { item, type Item } from '../protocol/item';
import * as s from '../protocol/schema';
import { nothing, type Http } from './http';

export interface Page {
  /** Ascending positions. */
  readonly items: readonly Item[];
  readonly firstPosition: number;
  readonly headPosition: number;
}

/** `before`: the newest below it; `after`: the oldest above it; neither: the newest. */
export interface PageQuery {
  readonly limit: number;
  readonly before?: number;
  readonly after?: number;
}

/** An item; null for a stretch that does not read on the box's disk: nothing to show. */
const entry: s.Parser<Item | null> = (value, path) =>
  s.record(value, path)['type'] === 'damaged' ? null : item(value, path);

const page = s.object({
  messages: s.list(entry),
  first_position: s.count,
  head_position: s.count,
});

export class MessagesApi {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  async page(room: Id, { limit, before, after }: PageQuery): Promise<Page> {
    const query = new URLSearchParams({ limit: String(limit), raw: '1' });
    if (before !== undefined) query.set('before', String(before));
    if (after !== undefined) query.set('after', String(after));
    const read = await this.#http.ask('GET', `/api/rooms/${room}/messages?${query}`, page);
    return {
      items: read.messages.filter((one) => one !== null),
      firstPosition: read.first_position,
      headPosition: read.head_position,
    };
  }

  /** Erases a message for everyone, in sealed rooms too. */
  remove(message: Id): Promise<null> {
    return this.#http.ask('DELETE', `/api/messages/${message}`, nothing);
  }
}
