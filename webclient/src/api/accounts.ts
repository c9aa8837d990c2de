// The accounts of the house, as whoever runs it sees and changes them.
import type { Id } from '../protocol/ids';
import * as s from '../protocol/schema';
import { nothing, type Http } from './http';
import { user, type User } from './users';

/** An account; times in ms since 1970. */
export interface Account extends User {
  readonly createdAt: number;
  /** When a guest's stay ends; null: it does not end by itself. */
  readonly guestUntil: number | null;
  /** Kept out of the house. */
  readonly blocked: boolean;
}

const standing = s.object({
  created_at: s.count,
  guest_until: s.optional(s.count),
  blocked: s.flag,
});

const account: s.Parser<Account> = (value, path) => {
  const { created_at: createdAt, guest_until: guestUntil, blocked } = standing(value, path);
  return { ...user(value, path), createdAt, guestUntil, blocked };
};

const page = s.object({ users: s.list(account), next: s.optional(s.id) });

/** What is changed of an account; the rest stays. */
export interface StandingChange {
  readonly role?: 'owner' | 'admin' | 'member' | 'guest';
  readonly guestUntil?: number | null;
  readonly blocked?: boolean;
}

const PAGE = 100;

export class AccountsApi {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  /** A page of them; the next one follows `next`. */
  page(after: Id | null): Promise<s.Parsed<typeof page>> {
    const query = new URLSearchParams({ limit: String(PAGE) });
    if (after !== null) query.set('after', after);
    return this.#http.ask('GET', `/api/users?${query}`, page);
  }

  change(id: Id, { guestUntil, ...rest }: StandingChange): Promise<Account> {
    const body = { ...rest, ...(guestUntil === undefined ? {} : { guest_until: guestUntil }) };
    return this.#http.ask('PATCH', `/api/users/${id}`, account, { body });
  }

  /** Ends it for good. */
  end(id: Id): Promise<null> {
    return this.#http.ask('DELETE', `/api/users/${id}`, nothing);
  }

  /** A path with a secret in it, good once and until `expires_at`. */
  reset(id: Id): Promise<{ readonly path: string; readonly expires_at: number }> {
    const parser = s.object({ path: s.text, expires_at: s.count });
    return this.#http.ask('POST', `/api/users/${id}/reset`, parser);
  }

  /** Ends every login of theirs; `tokens`: their app tokens too. */
  signOut(id: Id, tokens: boolean): Promise<null> {
    return this.#http.ask('DELETE', `/api/users/${id}/sessions?tokens=${tokens}`, nothing);
  }
}
