// Set-up, login, registration, refresh, log-out.
import { b64u } from '../protocol/bytes';
import { cost, costJson, type Cost } from '../protocol/cost';
import type { Id, InviteCode } from '../protocol/ids';
import * as s from '../protocol/schema';
import { nothing, type Http } from './http';
import { user, type User } from './users';

/** A login. `refresh` makes new tokens and lasts as long as the login. */
export interface Session {
  readonly token: string;
  readonly expiresAt: number;
  readonly refresh: string;
  readonly sessionId: Id;
  readonly user: User;
}

const sessionFields = s.object({
  token: s.text,
  expires_at: s.count,
  refresh: s.text,
  session_id: s.id,
  user,
});

export const session: s.Parser<Session> = (value, path) => {
  const { expires_at, session_id, ...rest } = sessionFields(value, path);
  return { ...rest, expiresAt: expires_at, sessionId: session_id };
};

/** What a new account brings. */
export interface NewAccount {
  readonly userId: Id;
  readonly name: string;
  readonly label: string;
  readonly salt: Uint8Array;
  readonly cost: Cost;
  readonly authKey: Uint8Array;
  readonly card: Uint8Array;
  readonly vault: Uint8Array;
  readonly recovery: Uint8Array;
}

const accountJson = (account: NewAccount): Record<string, unknown> => ({
  user_id: account.userId,
  name: account.name,
  label: account.label,
  salt: b64u(account.salt),
  cost: costJson(account.cost),
  auth_key: b64u(account.authKey),
  card: b64u(account.card),
  vault: b64u(account.vault),
  recovery: b64u(account.recovery),
});

export interface JoinProof {
  readonly room: Id;
  readonly proof: Uint8Array;
}

export const joinsJson = (joins: readonly JoinProof[]): unknown[] =>
  joins.map(({ room, proof }) => ({ room, proof: b64u(proof) }));

export class AuthApi {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  async needsSetUp(): Promise<boolean> {
    const parser = s.object({ needed: s.flag });
    return (await this.#http.ask('GET', '/api/setup', parser, { anonymous: true })).needed;
  }

  setUp(
    secret: string,
    house: string,
    account: NewAccount,
    general: { id: Id; name: string; bundle: Uint8Array },
  ): Promise<Session> {
    const body = {
      secret,
      house,
      ...accountJson(account),
      general: { ...general, bundle: b64u(general.bundle) },
    };
    return this.#http.ask('POST', '/api/setup', session, { body, anonymous: true });
  }

  params(name: string): Promise<{ readonly salt: Uint8Array; readonly cost: Cost }> {
    const path = `/api/auth/params?username=${encodeURIComponent(name)}`;
    const parser = s.object({ salt: s.bytes(16), cost });
    return this.#http.ask('GET', path, parser, { anonymous: true });
  }

  login(username: string, authKey: Uint8Array, label: string): Promise<Session> {
    const body = { username, auth_key: b64u(authKey), label };
    return this.#http.ask('POST', '/api/auth/login', session, { body, anonymous: true });
  }

  register(
    code: InviteCode,
    auth: Uint8Array,
    account: NewAccount,
    joins: readonly JoinProof[],
  ): Promise<Session> {
    const body = { code, auth: b64u(auth), ...accountJson(account), joins: joinsJson(joins) };
    return this.#http.ask('POST', '/api/auth/register', session, { body, anonymous: true });
  }

  /** A guest's account: without a password, signed in here only. */
  guest(code: InviteCode, auth: Uint8Array, displayName: string, label: string): Promise<Session> {
    const body = { code, auth: b64u(auth), display_name: displayName, label };
    return this.#http.ask('POST', '/api/auth/guest', session, { body, anonymous: true });
  }

  refresh(refresh: string): Promise<Session> {
    const body = { refresh };
    return this.#http.ask('POST', '/api/auth/refresh', session, { body, anonymous: true });
  }

  logout(): Promise<null> {
    return this.#http.ask('POST', '/api/auth/logout', nothing);
  }

  async house(): Promise<string> {
    const parser = s.object({ house: s.text });
    return (await this.#http.ask('GET', '/api/settings', parser)).house;
  }

  /** Of the box itself: its name, and where its MQTT listens. */
  health(): Promise<{ readonly house: string | null; readonly mqtt: string | null }> {
    const parser = s.object({ house: s.optional(s.text), mqtt: s.optional(s.text) });
    return this.#http.ask('GET', '/health', parser, { anonymous: true });
  }
}
