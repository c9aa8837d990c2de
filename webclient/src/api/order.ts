// Keeping order in a room: who is muted, who is banned.
import type { Id } from '../protocol/ids';
import * as s from '../protocol/schema';
import { nothing, type Http } from './http';
import { user, type User } from './users';

/** What holds for somebody in a room. */
export interface Sentence {
  readonly user: User;
  readonly by: Id;
  /** ms since 1970. */
  readonly at: number;
  readonly reason: string;
  /** Null: until it is lifted. */
  readonly until: number | null;
}

export type SentenceKind = 'mutes' | 'bans';

const sentence: s.Parser<Sentence> = s.object({
  user,
  by: s.id,
  at: s.count,
  reason: s.text,
  until: s.optional(s.count),
});
const sentences = s.object({
  mutes: s.withDefault(s.list(sentence), []),
  bans: s.withDefault(s.list(sentence), []),
});

export class OrderApi {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  async list(room: Id, kind: SentenceKind): Promise<readonly Sentence[]> {
    return (await this.#http.ask('GET', `/api/rooms/${room}/${kind}`, sentences))[kind];
  }

  /** `minutes` null: until it is lifted. */
  pass(
    room: Id,
    kind: SentenceKind,
    person: Id,
    { minutes, reason }: { readonly minutes: number | null; readonly reason: string },
  ): Promise<null> {
    const body = { user_id: person, reason, ...(minutes === null ? {} : { minutes }) };
    return this.#http.ask('POST', `/api/rooms/${room}/${kind}`, nothing, { body });
  }

  lift(room: Id, kind: SentenceKind, person: Id): Promise<null> {
    return this.#http.ask('DELETE', `/api/rooms/${room}/${kind}/${person}`, nothing);
  }
}
