// Invites: made by members, looked at and taken by newcomers.
import { b64u } from '../protocol/bytes';
import type { Id, InviteCode } from '../protocol/ids';
import * as s from '../protocol/schema';
import { joinsJson, type JoinProof } from './auth';
import { nothing, type Http } from './http';

export interface NewInvite {
  readonly code: InviteCode;
  readonly authHash: Uint8Array;
  readonly blob: Uint8Array;
  readonly expiresAt: number;
  readonly uses: number;
  /** Until when whoever makes an account by it stays, as a guest; null: for good. */
  readonly guestUntil: number | null;
  readonly bundles: readonly { readonly room: Id; readonly bundle: Uint8Array }[];
}

export interface Invite {
  readonly code: InviteCode;
  readonly by: Id;
  /** ms since 1970, as the next. */
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly usesLeft: number;
  readonly revoked: boolean;
  /** Until when whoever comes by it stays as a guest; null: for good. */
  readonly guestUntil: number | null;
}

const inviteFields = s.object({
  code: s.code,
  by: s.id,
  created_at: s.count,
  expires_at: s.count,
  uses_left: s.count,
  revoked: s.flag,
  guest_until: s.optional(s.count),
});
const invite: s.Parser<Invite> = (value, path) => {
  const { created_at, expires_at, uses_left, guest_until, ...rest } = inviteFields(value, path);
  const ends = { createdAt: created_at, expiresAt: expires_at, guestUntil: guest_until };
  return { ...rest, ...ends, usesLeft: uses_left };
};

const look = s.object({
  house: s.text,
  rooms: s.list(s.object({ id: s.id, name: s.text, sealing: s.oneOf('sealed', 'open') }), 1_000),
  inviter: s.optional(s.text),
  expires_at: s.count,
  guest_until: s.optional(s.count),
  blob: s.optional(s.bytes()),
});

export class InvitesApi {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  make(
    room: Id,
    { authHash, blob, expiresAt, guestUntil, bundles, ...rest }: NewInvite,
  ): Promise<unknown> {
    const body = {
      ...rest,
      auth_hash: b64u(authHash),
      blob: b64u(blob),
      expires_at: expiresAt,
      ...(guestUntil === null ? {} : { guest_until: guestUntil }),
      bundles: bundles.map((one) => ({ room: one.room, bundle: b64u(one.bundle) })),
    };
    return this.#http.ask('POST', `/api/rooms/${room}/invites`, s.anything, { body });
  }

  look(code: InviteCode, auth: Uint8Array): Promise<s.Parsed<typeof look>> {
    const headers = { 'invite-auth': b64u(auth) };
    return this.#http.ask('GET', `/api/invites/${code}`, look, { headers, anonymous: true });
  }

  accept(code: InviteCode, auth: Uint8Array, joins: readonly JoinProof[]): Promise<unknown> {
    const body = { auth: b64u(auth), joins: joinsJson(joins) };
    return this.#http.ask('POST', `/api/invites/${code}/accept`, s.anything, { body });
  }

  /** A room's invites, those that have ended as well. */
  async list(room: Id): Promise<readonly Invite[]> {
    const parser = s.object({ invites: s.list(invite) });
    return (await this.#http.ask('GET', `/api/rooms/${room}/invites`, parser)).invites;
  }

  revoke(code: InviteCode): Promise<null> {
    return this.#http.ask('DELETE', `/api/invites/${code}`, nothing);
  }

  /** The codes of a room's invites that were revoked. */
  async revoked(room: Id): Promise<InviteCode[]> {
    const one = s.object({ code: s.code, revoked: s.flag });
    const parser = s.object({ invites: s.list(one) });
    const { invites } = await this.#http.ask('GET', `/api/rooms/${room}/invites`, parser);
    return invites.filter(({ revoked }) => revoked).map(({ code }) => code);
  }
}
