// One's own account: profile, password, logins, app tokens, a link for a new password, pairing.
import { b64u } from '../protocol/bytes';
import { costJson, type Cost } from '../protocol/cost';
import type { Id } from '../protocol/ids';
import * as s from '../protocol/schema';
import { session, type Session } from './auth';
import { nothing, type Http } from './http';

const presence = s.oneOf('online', 'away', 'busy', 'offline');

const profileFields = s.object({
  id: s.id,
  name: s.text,
  display_name: s.withDefault(s.text, ''),
  role: s.oneOf('owner', 'admin', 'member', 'guest', 'device', 'bot'),
  avatar: s.optional(s.id),
  status_text: s.withDefault(s.text, ''),
  presence: s.withDefault(presence, 'offline'),
  guest_until: s.optional(s.count),
});

/** Oneself, as the others see it. */
export type OwnProfile = s.Parsed<typeof profileFields>;

/** What of it changes; the rest stays. */
export interface ProfileChange {
  readonly name?: string;
  readonly display_name?: string;
  readonly status_text?: string;
  readonly avatar?: Id | null;
  readonly presence?: 'online' | 'away' | 'busy' | 'offline';
}

const login = s.object({
  id: s.id,
  label: s.text,
  created_at: s.count,
  last_seen: s.count,
  current: s.flag,
});

/** A browser or command line where one is signed in; times in ms since 1970. */
export type OwnLogin = s.Parsed<typeof login>;

/** What a program may do where it may. */
export const access = s.oneOf('read', 'write', 'both');
const tokenFields = {
  id: s.id,
  label: s.text,
  created_at: s.count,
  last_used_at: s.count,
  scope: s.optional(s.object({ access, rooms: s.optional(s.list(s.id, 1_000)) })),
};
export const token = s.object(tokenFields);
/** With its text, which is told once. */
export const madeToken = s.object({ ...tokenFields, token: s.text });

/** An app token; `last_used_at` 0: never. `scope` null: whatever its person may do. */
export type OwnToken = s.Parsed<typeof token>;
export type MadeToken = s.Parsed<typeof madeToken>;

/** What the box gets of a new password. */
export interface NewLogin {
  readonly salt: Uint8Array;
  readonly cost: Cost;
  readonly authKey: Uint8Array;
}

const newLoginJson = ({ salt, cost, authKey }: NewLogin): Record<string, unknown> => ({
  salt: b64u(salt),
  cost: costJson(cost),
  new_auth_key: b64u(authKey),
});

export class AccountApi {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  async me(): Promise<OwnProfile> {
    const parser = s.object({ user: profileFields });
    return (await this.#http.ask('GET', '/api/auth/me', parser)).user;
  }

  change(body: ProfileChange): Promise<OwnProfile> {
    return this.#http.ask('PATCH', '/api/users/me', profileFields, { body });
  }

  async logins(): Promise<OwnLogin[]> {
    const parser = s.object({ sessions: s.list(login, 1_000) });
    return (await this.#http.ask('GET', '/api/auth/sessions', parser)).sessions;
  }

  endLogin(id: Id): Promise<null> {
    return this.#http.ask('DELETE', `/api/auth/sessions/${id}`, nothing);
  }

  endOtherLogins(): Promise<null> {
    return this.#http.ask('DELETE', '/api/auth/sessions', nothing);
  }

  /** A login for a browser that is being paired. */
  newLogin(label: string): Promise<Session> {
    return this.#http.ask('POST', '/api/auth/sessions', session, { body: { label } });
  }

  async tokens(): Promise<OwnToken[]> {
    const parser = s.object({ tokens: s.list(token, 1_000) });
    return (await this.#http.ask('GET', '/api/auth/tokens', parser)).tokens;
  }

  makeToken(label: string, scope: OwnToken['scope']): Promise<MadeToken> {
    return this.#http.ask('POST', '/api/auth/tokens', madeToken, { body: { label, scope } });
  }

  endToken(id: Id): Promise<null> {
    return this.#http.ask('DELETE', `/api/auth/tokens/${id}`, nothing);
  }

  /** The new password and the vault under it, in one commit; the other logins end. */
  changePassword(
    oldAuthKey: Uint8Array,
    login: NewLogin,
    expected: number,
    files: { readonly vault: Uint8Array; readonly recovery: Uint8Array },
  ): Promise<null> {
    const body = {
      auth_key: b64u(oldAuthKey),
      ...newLoginJson(login),
      expected_version: expected,
      vault: b64u(files.vault),
      recovery: b64u(files.recovery),
    };
    return this.#http.ask('PUT', '/api/auth/password', nothing, { body });
  }

  /** Sets a password by an admin's link; gives whose it is. */
  async reset(secret: string, login: NewLogin): Promise<string> {
    const body = { secret, ...newLoginJson(login) };
    const parser = s.object({ username: s.text });
    const asked = { body, anonymous: true };
    return (await this.#http.ask('POST', '/api/auth/reset', parser, asked)).username;
  }

  /** A message into a pairing's channel; its number there, from 1. */
  async pairPut(channel: Uint8Array, message: Uint8Array): Promise<number> {
    const path = `/api/pair/${b64u(channel)}`;
    const asked = { body: { message: b64u(message) }, anonymous: true };
    return (await this.#http.ask('POST', path, s.object({ number: s.count }), asked)).number;
  }

  /** The messages after the first so many. */
  async pairAfter(channel: Uint8Array, after: number): Promise<Uint8Array[]> {
    const path = `/api/pair/${b64u(channel)}?after=${after}`;
    const parser = s.object({ messages: s.list(s.bytes(), 16) });
    return (await this.#http.ask('GET', path, parser, { anonymous: true })).messages;
  }
}
