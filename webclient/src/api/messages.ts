// Pages of a room's stored events, as they lie: sealed frames or open JSON.
import { b64u } from '../protocol/bytes';
import type { Id } from '../protocol/ids';
import { entry, type Item } from '../protocol/item';
import * as s from '../protocol/schema';
import { nothing, type Http } from './http';

export interface Page {
  /** Ascending positions. */
  readonly items: readonly Item[];
  /** The positions that it speaks for, inclusive; null: none. */
  readonly covered: { readonly from: number; readonly to: number } | null;
  readonly firstPosition: number;
  readonly headPosition: number;
}

/**
 * `before`: the newest below it; `after`: the oldest above it; `around`: half of them below it, by
 * position or a message's id; `since`: the oldest of that time (ms since 1970) or later; none: the newest.
 */
export interface PageQuery {
  readonly limit: number;
  readonly before?: number;
  readonly after?: number;
  readonly around?: number | Id;
  readonly since?: number;
}

const page = s.object({
  messages: s.list(entry),
  covered: s.optional(s.object({ from: s.count, to: s.count })),
  first_position: s.count,
  head_position: s.count,
});

export class MessagesApi {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  async page(room: Id, { limit, ...place }: PageQuery): Promise<Page> {
    const query = new URLSearchParams({ limit: String(limit), raw: '1' });
    for (const [name, value] of Object.entries(place)) query.set(name, String(value));
    const read = await this.#http.ask('GET', `/api/rooms/${room}/messages?${query}`, page);
    return {
      items: read.messages,
      covered: read.covered,
      firstPosition: read.first_position,
      headPosition: read.head_position,
    };
  }

  /** Erases a message for everyone, in sealed rooms too. */
  remove(message: Id): Promise<null> {
    return this.#http.ask('DELETE', `/api/messages/${message}`, nothing);
  }

  /** Reports a message to those who keep order; once a person. `evidence`: an age file to them. */
  async report(message: Id, reason: string, evidence: Uint8Array | null): Promise<void> {
    const body = { reason, ...(evidence === null ? {} : { evidence: b64u(evidence) }) };
    await this.#http.ask('POST', `/api/messages/${message}/reports`, s.anything, { body });
  }
}
