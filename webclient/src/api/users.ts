// People: who they are, their cards, one's own vault.
import { b64u } from '../protocol/bytes';
import { cost, type Cost } from '../protocol/cost';
import type { Id } from '../protocol/ids';
import * as s from '../protocol/schema';
import { nothing, type Http } from './http';

export interface User {
  readonly id: Id;
  readonly name: string;
  readonly displayName: string;
  readonly role: 'owner' | 'admin' | 'member' | 'guest' | 'device' | 'bot';
  readonly statusText: string;
  /** An attachment. */
  readonly avatar: Id | null;
  /** ms since 1970; null: never, or not told. */
  readonly lastSeen: number | null;
}

const fields = s.object({
  id: s.id,
  name: s.text,
  display_name: s.withDefault(s.text, ''),
  role: s.oneOf('owner', 'admin', 'member', 'guest', 'device', 'bot'),
  status_text: s.withDefault(s.text, ''),
  avatar: s.optional(s.id),
  last_seen: s.optional(s.count),
});

export const user: s.Parser<User> = (value, path) => {
  const { display_name, status_text, last_seen, ...rest } = fields(value, path);
  return {
    ...rest,
    displayName: display_name === '' ? rest.name : display_name,
    statusText: status_text,
    lastSeen: last_seen === 0 ? null : last_seen,
  };
};

const found = s.object({ users: s.list(user), next: s.optional(s.id) });

export interface VaultReply {
  readonly version: number;
  readonly vault: Uint8Array;
  readonly recovery: Uint8Array;
  readonly salt: Uint8Array;
  readonly cost: Cost;
  /** Salt and cost are those of the login; false: of an older password, since a reset. */
  readonly underLogin: boolean;
}

export class UsersApi {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  user(id: Id): Promise<User> {
    return this.#http.ask('GET', `/api/users/${id}`, user);
  }

  /** Whose name begins so; empty: everybody. The next page follows `next`. */
  search(
    text: string,
    limit: number,
    after: Id | null = null,
  ): Promise<{ readonly users: readonly User[]; readonly next: Id | null }> {
    const query = new URLSearchParams({ q: text, limit: String(limit) });
    if (after !== null) query.set('after', after);
    return this.#http.ask('GET', `/api/users/search?${query}`, found);
  }

  /** Oldest first. */
  async cards(id: Id): Promise<Uint8Array[]> {
    const parser = s.object({ cards: s.list(s.bytes(), 1_000) });
    return (await this.#http.ask('GET', `/api/users/${id}/cards`, parser)).cards;
  }

  async vault(): Promise<VaultReply> {
    const parser = s.object({
      version: s.count,
      vault: s.bytes(),
      recovery: s.bytes(),
      salt: s.bytes(16),
      cost,
      under_login: s.flag,
    });
    const { under_login: underLogin, ...rest } = await this.#http.ask('GET', '/api/vault', parser);
    return { ...rest, underLogin };
  }

  /**
   * Writes the vault over `expected`; 0: the first one, which brings the card. `underLogin`: root
   * lies under the password that one signs in with now, which it did not before. The next version,
   * which the vault was sealed as: another one in the answer is refused.
   */
  async putVault(
    expected: number,
    vault: Uint8Array,
    recovery: Uint8Array,
    card: Uint8Array | null,
    underLogin = false,
  ): Promise<number> {
    const body = {
      expected_version: expected,
      vault: b64u(vault),
      recovery: b64u(recovery),
      ...(card === null ? {} : { card: b64u(card) }),
      ...(underLogin ? { under_login: true } : {}),
    };
    const next = expected + 1;
    const version: s.Parser<number> = (value, path) => {
      if (value !== next) throw new s.SchemaError(path, `${next}, as the vault was sealed`);
      return next;
    };
    const parser = s.object({ version });
    return (await this.#http.ask('PUT', '/api/vault', parser, { body })).version;
  }

  putCard(card: Uint8Array): Promise<null> {
    const body = { card: b64u(card) };
    return this.#http.ask('PUT', '/api/users/me/card', nothing, { body });
  }
}
